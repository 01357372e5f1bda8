"""Identities and applications of suppliers."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Date, DateTime, Index, Integer, LargeBinary, Text, Uuid
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.suppliers.applications.rules import ApplicationState, IdentityState
from services.suppliers.schema import Table


class Identity(Table, table=True):
    """Who stands behind a supplier. Numbers are kept as keyed hashes and last characters, never in the clear."""

    __tablename__ = "supplier_identities"
    __table_args__ = (
        CheckConstraint("state IN ('GIVEN', 'VERIFIED', 'REFUSED')", name="state"),
        CheckConstraint("(state = 'GIVEN') = (decided_at IS NULL)", name="decided"),
        CheckConstraint("(state = 'VERIFIED') = (due_on IS NOT NULL)", name="due"),
        CheckConstraint("char_length(document_tail) <= 4 AND char_length(account_tail) <= 4", name="tails"),
        CheckConstraint("decided_by_company <> supplier_id", name="not_own"),
    )

    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    representative_name: str = Field(sa_column=Column(Text, nullable=False))
    document_kind: str = Field(sa_column=Column(Text, nullable=False))
    document_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    representative_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """Of name and number together, as blacklists compare persons; it counts from the verification on."""
    document_tail: str = Field(sa_column=Column(Text, nullable=False))
    bank_name: str = Field(sa_column=Column(Text, nullable=False))
    account_name: str = Field(sa_column=Column(Text, nullable=False))
    account_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    account_tail: str = Field(sa_column=Column(Text, nullable=False))
    state: str = Field(default=IdentityState.GIVEN, sa_column=Column(Text, nullable=False))
    reason: str = Field(default="", sa_column=Column(Text, nullable=False))
    given_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    decided_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    decided_by: UUID | None = Field(default=None, sa_column=Column(Uuid))
    decided_by_company: UUID | None = Field(default=None, sa_column=Column(Uuid))
    due_on: date | None = Field(default=None, sa_column=Column(Date))
    """The day on which it is to be verified again."""
    version: int = Field(default=1, sa_column=Column(Integer, nullable=False))


class Application(Table, table=True):
    """What a supplier asks to be qualified for, and what came of it. One is open at a time."""

    __tablename__ = "supplier_applications"
    __table_args__ = (
        Index(
            "uq_supplier_applications_one_open",
            "supplier_id",
            unique=True,
            postgresql_where=sql("state NOT IN ('QUALIFIED', 'REJECTED', 'WITHDRAWN')"),
        ),
        Index("ix_supplier_applications_waiting", "state", "waiting_since"),
        CheckConstraint(
            "state IN ('REGISTERED', 'IDENTITY_VERIFIED', 'DOCUMENTS_SUBMITTED', 'UNDER_REVIEW', 'RETURNED', "
            "'QUALIFIED', 'REJECTED', 'WITHDRAWN')",
            name="state",
        ),
        CheckConstraint("level IN ('A', 'B', 'C')", name="level"),
        CheckConstraint("state <> 'QUALIFIED' OR (cardinality(granted) > 0 AND level IS NOT NULL)", name="qualified"),
        CheckConstraint(
            "state NOT IN ('UNDER_REVIEW', 'RETURNED', 'QUALIFIED', 'REJECTED') OR reviewer_id IS NOT NULL",
            name="reviewed",
        ),
        CheckConstraint("trade IN ('maker', 'trader')", name="trade"),
        CheckConstraint("cardinality(categories) > 0", name="asks"),
        CheckConstraint("granted <@ categories", name="granted"),
        CheckConstraint("reviewer_company <> supplier_id", name="not_own"),
    )

    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    state: str = Field(default=ApplicationState.REGISTERED, sa_column=Column(Text, nullable=False))
    trade: str = Field(sa_column=Column(Text, nullable=False))
    categories: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    regions: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    """GB/T 2260; none: everywhere."""
    paper_ids: list[UUID] = Field(default_factory=list, sa_column=Column(ARRAY(Uuid), nullable=False))
    """What was submitted last, and is under review."""
    findings: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    """Of the last return: `{"paper_id": …, "reason": …}`."""
    reviewer_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    reviewer_name: str | None = Field(default=None, sa_column=Column(Text))
    reviewer_company: UUID | None = Field(default=None, sa_column=Column(Uuid))
    reason: str = Field(default="", sa_column=Column(Text, nullable=False))
    """Of the last decision."""
    level: str | None = Field(default=None, sa_column=Column(Text))
    granted: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    until: date | None = Field(default=None, sa_column=Column(Date))
    rounds: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    """How often it was submitted."""
    version: int = Field(default=1, sa_column=Column(Integer, nullable=False))
    waiting_since: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    """When it came into its present state."""
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    submitted_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    decided_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
