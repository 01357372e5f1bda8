"""What `members` tells of stages, circles and groups, and what it comes to for each supplier's offers."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Column, Date, DateTime, Index, Integer, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from services.suppliers.schema import Table

_STAGES = "stage IN ('S1', 'S2', 'S3')"


class KnownSpace(Table, table=True):
    """How far a contractor group has opened a category, as the feed of `members` says. No row: S1."""

    __tablename__ = "known_spaces"
    __table_args__ = (CheckConstraint(_STAGES, name="stage"), Index(None, "circle_id"))

    group_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    category: str = Field(sa_column=Column(Text, primary_key=True))
    stage: str = Field(sa_column=Column(Text, nullable=False))
    circle_id: UUID | None = Field(default=None, sa_column=Column(Uuid))


class KnownCircle(Table, table=True):
    """The groups that stand in a circle."""

    __tablename__ = "known_circles"

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    group_ids: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))


class KnownLink(Table, table=True):
    """A company stands under another until the day on which it no longer does."""

    __tablename__ = "known_links"
    __table_args__ = (Index(None, "child_id"),)

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    child_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    parent_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    valid_from: date = Field(sa_column=Column(Date, nullable=False))
    valid_until: date | None = Field(default=None, sa_column=Column(Date))


class SupplierSpace(Table, table=True):
    """A space in which a supplier is admitted for a category: so its own transactions can work out an offer's keys
    without reading about anybody else."""

    __tablename__ = "supplier_spaces"
    __table_args__ = (CheckConstraint(_STAGES, name="stage"),)

    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    category: str = Field(sa_column=Column(Text, primary_key=True))
    group_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    stage: str = Field(sa_column=Column(Text, nullable=False))
    circle_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    circle_group_ids: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))


class OfferReach(Table, table=True):
    """The keys that offers of a supplier, a category and an audience have now. No row: the supplier alone.

    What an offer carries in `audience_keys` follows in batches; whoever shows an offer asks here as well, so what was
    narrowed is closed at once.
    """

    __tablename__ = "offer_reaches"
    __table_args__ = (
        CheckConstraint("audience IN ('PARTIES', 'ORG', 'CIRCLE', 'MEMBERS', 'PUBLIC')", name="audience"),
    )

    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    category: str = Field(sa_column=Column(Text, primary_key=True))
    audience: str = Field(sa_column=Column(Text, primary_key=True))
    audience_ids: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), primary_key=True))
    keys: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    """Sorted."""


class Rekeying(Table, table=True):
    """Offers of a supplier and category that are to get new keys, and how far that is."""

    __tablename__ = "rekeyings"
    __table_args__ = (Index("ix_rekeyings_next", text("narrows DESC"), "requested_at"),)

    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    category: str = Field(sa_column=Column(Text, primary_key=True))
    narrows: bool = Field(sa_column=Column(Boolean, nullable=False))
    """Somebody loses sight of offers: these go first."""
    after_item: str = Field(default="", sa_column=Column(Text, nullable=False))
    requested: int = Field(default=1, sa_column=Column(Integer, nullable=False))
    requested_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
