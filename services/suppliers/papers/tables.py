"""Papers, the looks taken at them, and the warnings told before they end."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from services.suppliers.papers.rules import Held, PaperKind
from services.suppliers.schema import Table


class Paper(Table, table=True):
    """A paper as it was handed in. Append-only: a correction is a new paper that `replaces` it.

    The file stands in the service's folder under supplier and id.
    """

    __tablename__ = "supplier_papers"
    __table_args__ = (
        UniqueConstraint("supplier_id", "replaces"),
        ForeignKeyConstraint(["supplier_id", "replaces"], ["supplier_papers.supplier_id", "supplier_papers.id"]),
        CheckConstraint("valid_until >= valid_from", name="validity"),
        CheckConstraint("media_type IN ('application/pdf', 'image/png', 'image/jpeg')", name="media_type"),
        CheckConstraint("octet_length(file_hash) = 32", name="file_hash"),
        CheckConstraint("size_bytes > 0", name="size_bytes"),
    )

    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    categories: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    """None: for all that need its kind."""
    issuer: str = Field(sa_column=Column(Text, nullable=False))
    number: str = Field(sa_column=Column(Text, nullable=False))
    valid_from: date = Field(sa_column=Column(Date, nullable=False))
    valid_until: date | None = Field(default=None, sa_column=Column(Date))
    file_name: str = Field(sa_column=Column(Text, nullable=False))
    media_type: str = Field(sa_column=Column(Text, nullable=False))
    size_bytes: int = Field(sa_column=Column(BigInteger, nullable=False))
    file_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """SHA-256."""
    replaces: UUID | None = Field(default=None, sa_column=Column(Uuid))
    given_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    given_by_name: str = Field(sa_column=Column(Text, nullable=False))
    given_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))

    @property
    def held(self) -> Held:
        """What the rules see of it."""
        return Held(
            id=self.id,
            kind=PaperKind(self.kind),
            categories=frozenset(self.categories),
            valid_from=self.valid_from,
            valid_until=self.valid_until,
        )


class PaperCheck(Table, table=True):
    """A look taken at a paper by somebody of another company. Append-only; the highest number counts."""

    __tablename__ = "supplier_paper_checks"
    __table_args__ = (
        ForeignKeyConstraint(["supplier_id", "paper_id"], ["supplier_papers.supplier_id", "supplier_papers.id"]),
        CheckConstraint("outcome IN ('accepted', 'refused')", name="outcome"),
        CheckConstraint("outcome = 'accepted' OR reason <> ''", name="reason"),
        CheckConstraint("by_company <> supplier_id", name="not_own"),
    )

    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    paper_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    number: int = Field(sa_column=Column(Integer, primary_key=True))
    outcome: str = Field(sa_column=Column(Text, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    by_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    by_name: str = Field(sa_column=Column(Text, nullable=False))
    by_company: UUID = Field(sa_column=Column(Uuid, nullable=False))
    checked_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class ExpiryWarning(Table, table=True):
    """A warning that was told: each step of each end once. Another last day begins a new series."""

    __tablename__ = "expiry_warnings"
    __table_args__ = (
        CheckConstraint("subject IN ('paper', 'qualification', 'identity')", name="subject"),
        CheckConstraint("step IN (60, 30, 7, 0)", name="step"),
    )

    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    subject: str = Field(sa_column=Column(Text, primary_key=True))
    subject_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    ends_on: date = Field(sa_column=Column(Date, primary_key=True))
    step: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    warned_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
