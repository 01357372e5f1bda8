"""What suppliers are known by, and merges. Identity of companies, no company's own data: operators and jobs write it.

A merge rewrites no row of anybody: offers, relations, orders keep the id they were made with. It says that one id now
resolves to another, which is why it can be undone exactly, and why no amount of a document can change (T14).
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, DateTime, Index, Integer, LargeBinary, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.suppliers.merging.rules import STANDING, Basis, MergeState
from services.suppliers.schema import Table


def _listed(values: Any) -> str:
    return ", ".join(f"'{value}'" for value in values)


STANDS = f"state IN ({_listed(STANDING)})"


class SupplierName(Table, table=True):
    """Something a supplier is known by: a name it bears or bore, with region, account and old number where told."""

    __tablename__ = "supplier_names"
    __table_args__ = (
        CheckConstraint("name <> '' AND name_key <> ''", name="named"),
        CheckConstraint("registration_no ~ '^[0-9]{15}$'", name="registration_no"),
        CheckConstraint("region ~ '^[0-9]{2}$'", name="region"),
        Index(
            "uq_supplier_names_once",
            "supplier_id",
            "name",
            "region",
            "bank_key",
            "registration_no",
            "source",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix_supplier_names_name_key", "name_key"),
        Index("ix_supplier_names_registration_no", "registration_no"),
        Index("ix_supplier_names_source", "source"),
    )

    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True, server_default=text("uuidv7()")))
    name: str = Field(sa_column=Column(Text, nullable=False))
    name_key: str = Field(sa_column=Column(Text, nullable=False))
    region: str | None = Field(default=None, sa_column=Column(Text))
    bank_key: str | None = Field(default=None, sa_column=Column(Text))
    registration_no: str | None = Field(default=None, sa_column=Column(Text))
    source: UUID | None = Field(default=None, sa_column=Column(Uuid))
    """The import that told it; none: the supplier's own record."""
    recorded_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    """The import was rolled back."""


class SupplierMerge(Table, table=True):
    """One record stands for another. Proposed by an operator, decided by a second one, undone by either."""

    __tablename__ = "supplier_merges"
    __table_args__ = (
        CheckConstraint(f"state IN ({_listed(MergeState)})", name="state"),
        CheckConstraint(f"basis IN ({_listed(Basis)})", name="basis"),
        CheckConstraint("survivor_id <> vanishing_id", name="not_itself"),
        CheckConstraint("decided_by <> proposed_by", name="two_people"),
        CheckConstraint("(state = 'PROPOSED') = (decided_by IS NULL)", name="decided"),
        CheckConstraint("(state = 'UNDONE') = (undone_by IS NOT NULL)", name="undone"),
        Index("uq_supplier_merges_vanishing", "vanishing_id", unique=True, postgresql_where=text(STANDS)),
        Index("ix_supplier_merges_survivor_id", "survivor_id"),
    )

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    survivor_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    vanishing_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    basis: str = Field(sa_column=Column(Text, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    state: str = Field(default=MergeState.PROPOSED, sa_column=Column(Text, nullable=False))
    before: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    """The vanishing record's standing when the merge took effect; an undoing brings it back."""
    proposed_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    proposed_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    decided_by: UUID | None = Field(default=None, sa_column=Column(Uuid))
    decided_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    undone_by: UUID | None = Field(default=None, sa_column=Column(Uuid))
    undone_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    version: int = Field(default=1, sa_column=Column(Integer, nullable=False, server_default=text("1")))


class SupplierMergeEntry(Table, table=True):
    """One entry of a merge's history. Append-only; `hash` chains it to the entry before."""

    __tablename__ = "supplier_merge_history"

    merge_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    entry: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
