"""Joint purchasing notices, their lines, who takes part with how much, and their history.

A group's quantities are rows of its own, which no other group's session sees. What the others may know, the pool, is
counted on the lines in the same transaction. There is no price anywhere: contracts stay separate.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.orders.schema import Table
from services.orders.sourcing.rules import NoticeStatus, ParticipationStatus


class JointNotice(Table, table=True):
    """What one group proposes to buy together with others of its circle."""

    __tablename__ = "joint_notices"
    __table_args__ = (
        CheckConstraint("status IN ('OPEN', 'CLOSED', 'CANCELLED')", name="status"),
        CheckConstraint("(status = 'OPEN') = (ended_at IS NULL)", name="ended"),
        CheckConstraint("(status = 'CANCELLED') = (cancel_reason IS NOT NULL)", name="cancelled"),
        CheckConstraint("(status = 'CLOSED') = (result IS NOT NULL)", name="result"),
        CheckConstraint("stage IN ('S2', 'S3')", name="never_at_s1"),
        CheckConstraint("region ~ '^[0-9]{2}([0-9]{4})?$'", name="region"),
        CheckConstraint("extract(day FROM month) = 1", name="month"),
        CheckConstraint("participants >= 0 AND version >= 1 AND history_length >= 1", name="version"),
        CheckConstraint("group_id = ANY (party_ids)", name="opener_is_party"),
        Index(None, "audience_keys", postgresql_using="gin"),
        Index(None, "circle_id"),
        Index("ix_joint_notices_due", "closes_at", postgresql_where=text("status = 'OPEN'")),
    )

    group_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    category: str = Field(sa_column=Column(Text, nullable=False))
    stage: str = Field(sa_column=Column(Text, nullable=False))
    """Of the group in the category when it was opened."""
    circle_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    audience_keys: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    party_ids: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    """The groups that may see it, for row level security: the opener, the circle's as far as the keys reach them, and
    who takes part."""
    title: str = Field(sa_column=Column(Text, nullable=False))
    note: str | None = Field(default=None, sa_column=Column(Text))
    region: str = Field(sa_column=Column(Text, nullable=False))
    month: date = Field(sa_column=Column(Date, nullable=False))
    closes_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    status: str = Field(default=NoticeStatus.OPEN, sa_column=Column(Text, nullable=False))
    participants: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    opened_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    opened_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    cancel_reason: str | None = Field(default=None, sa_column=Column(Text))
    result: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    version: int = 1
    history_length: int = 0
    history_hash: bytes | None = Field(default=None, sa_column=Column(LargeBinary))


class JointLine(Table, table=True):
    """One component that is wanted, and the pool of it."""

    __tablename__ = "joint_lines"
    __table_args__ = (
        ForeignKeyConstraint(["group_id", "notice_id"], ["joint_notices.group_id", "joint_notices.id"]),
        CheckConstraint("pooled >= 0 AND groups >= 0 AND (pooled = 0) = (groups = 0)", name="pool"),
    )

    group_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    notice_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    line_no: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    type_code: str = Field(sa_column=Column(Text, nullable=False))
    variant_key: str | None = Field(default=None, sa_column=Column(Text))
    """None: any variant of the type."""
    unit: str = Field(sa_column=Column(Text, nullable=False))
    pooled: Decimal = Field(default=Decimal(0), sa_column=Column(Numeric(18, 3), nullable=False))
    groups: int = Field(default=0, sa_column=Column(Integer, nullable=False))


class JointParticipation(Table, table=True):
    """A group takes part. Its own row, seen by itself alone."""

    __tablename__ = "joint_participations"
    __table_args__ = (
        CheckConstraint("status IN ('JOINED', 'WITHDRAWN')", name="status"),
        Index(None, "notice_id"),
    )

    group_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    notice_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    status: str = Field(default=ParticipationStatus.JOINED, sa_column=Column(Text, nullable=False))
    changed_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    changed_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class JointQuantity(Table, table=True):
    """How much of a line a group wants. Its own row, seen by itself alone."""

    __tablename__ = "joint_quantities"
    __table_args__ = (
        ForeignKeyConstraint(
            ["group_id", "notice_id"], ["joint_participations.group_id", "joint_participations.notice_id"]
        ),
        CheckConstraint("quantity > 0", name="quantity"),
    )

    group_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    notice_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    line_no: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    quantity: Decimal = Field(sa_column=Column(Numeric(18, 3), nullable=False))


class JointHistory(Table, table=True):
    """What happened to a notice, each entry hashed with the one before. Append-only; it never says how much."""

    __tablename__ = "joint_history"
    __table_args__ = (ForeignKeyConstraint(["group_id", "notice_id"], ["joint_notices.group_id", "joint_notices.id"]),)

    group_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    notice_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    seq: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    entry: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
