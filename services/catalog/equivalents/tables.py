"""Substitutes between variants. The row itself tells who proposed, decided and withdrew it."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from services.catalog.equivalents.rules import EquivalentStatus
from services.catalog.schema import Table


class Equivalent(Table, table=True):
    """`to` may stand for `from` (and the other way round, if it says so), under a rule in words."""

    __tablename__ = "equivalents"
    __table_args__ = (
        UniqueConstraint("id"),
        CheckConstraint("from_id <> to_id", name="two_variants"),
        CheckConstraint("scope IN ('own', 'everyone')", name="scope"),
        CheckConstraint("status IN ('PROPOSED', 'APPROVED', 'REJECTED', 'WITHDRAWN')", name="status"),
        CheckConstraint("valid_until >= valid_from", name="validity"),
        CheckConstraint("decided_by <> proposed_by", name="second_person"),
        CheckConstraint(
            "(num_nonnulls(decided_by, decided_by_name, decided_at) IN (0, 3)) "
            "AND (status NOT IN ('APPROVED', 'REJECTED') OR decided_by IS NOT NULL)",
            name="decided",
        ),
        CheckConstraint("(status = 'WITHDRAWN') = (withdrawn_at IS NOT NULL)", name="withdrawn"),
        CheckConstraint(
            "status = 'APPROVED' OR NOT audience_keys && ARRAY['members', 'public']", name="seen_when_approved"
        ),
        Index(None, "from_id"),
        Index(None, "to_id"),
        Index(
            "uq_equivalents_open",
            "company_id",
            "from_id",
            "to_id",
            "scope",
            unique=True,
            postgresql_where=text("status IN ('PROPOSED', 'APPROVED')"),
        ),
    )

    company_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    """Who proposed it."""
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    group_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    from_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("variants.id"), nullable=False))
    to_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("variants.id"), nullable=False))
    both_ways: bool = Field(sa_column=Column(Boolean, nullable=False))
    rule: str = Field(sa_column=Column(Text, nullable=False))
    """Under which conditions, in words."""
    evidence: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    scope: str = Field(sa_column=Column(Text, nullable=False))
    status: str = Field(default=EquivalentStatus.PROPOSED, sa_column=Column(Text, nullable=False))
    audience_keys: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    valid_from: date = Field(sa_column=Column(Date, nullable=False))
    valid_until: date | None = Field(default=None, sa_column=Column(Date))
    proposed_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    proposed_by_name: str = Field(sa_column=Column(Text, nullable=False))
    proposed_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    decided_by: UUID | None = Field(default=None, sa_column=Column(Uuid))
    decided_by_name: str | None = Field(default=None, sa_column=Column(Text))
    decided_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    decision_reason: str | None = Field(default=None, sa_column=Column(Text))
    withdrawn_by: UUID | None = Field(default=None, sa_column=Column(Uuid))
    withdrawn_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    withdrawal_reason: str | None = Field(default=None, sa_column=Column(Text))
    version: int = Field(default=1, sa_column=Column(Integer, nullable=False))
