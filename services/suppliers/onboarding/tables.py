"""Suppliers and the decisions about them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Column, Date, DateTime, Index, Integer, LargeBinary, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.suppliers.offers.rules import PaperEnd, Standing, expired_paper, paper_ends_of
from services.suppliers.onboarding.rules import SupplierStatus
from services.suppliers.schema import Table


class Supplier(Table, table=True):
    """A company of `members` that sells. Readable by all (its identity is public), written in scope only."""

    __tablename__ = "suppliers"
    __table_args__ = (
        CheckConstraint("status IN ('REGISTERED', 'QUALIFIED', 'SUSPENDED', 'EXITED')", name="status"),
        CheckConstraint("status <> 'QUALIFIED' OR cardinality(categories) > 0", name="qualified_for_something"),
        CheckConstraint("level IN ('A', 'B', 'C')", name="level"),
        CheckConstraint("jsonb_typeof(paper_ends) = 'object'", name="paper_ends"),
        Index(None, "tax_id"),
        Index(None, "representative_hash"),
    )

    company_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    name: str = Field(sa_column=Column(Text, nullable=False))
    tax_id: str = Field(sa_column=Column(Text, nullable=False))
    status: str = Field(default=SupplierStatus.REGISTERED, sa_column=Column(Text, nullable=False))
    categories: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    regions: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    """GB/T 2260 codes; none means everywhere."""
    qualified_until: date | None = Field(default=None, sa_column=Column(Date))
    level: str | None = Field(default=None, sa_column=Column(Text))
    paper_ends: dict[str, dict[str, str]] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    """By category ("*": any other): the first needed paper that ends, `{"until": …, "kind": …, "paper_id": …}`.

    Worked out when a paper is accepted or refused, so that the day alone stops new business, without any job.
    """
    affiliated_with_operator: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default=text("false"))
    )
    """It stands under one top with an operator, as `members` tells; shown wherever it sells (T8)."""
    version: int = Field(default=1, sa_column=Column(Integer, nullable=False))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    updated_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    representative_hash: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    """The legal representative, by keyed hash (`blacklists.rules.representative_hash`); never shown."""

    @property
    def standing(self) -> Standing:
        """What it may sell, where and until when."""
        return Standing(
            qualified=self.status == SupplierStatus.QUALIFIED,
            categories=frozenset(self.categories),
            regions=tuple(self.regions),
            until=self.qualified_until,
            paper_ends=self.ends,
        )

    @property
    def ends(self) -> dict[str, PaperEnd]:
        """`paper_ends` as the rules take them."""
        return paper_ends_of(self.paper_ends)

    def open_categories(self, on: date) -> list[str]:
        """The categories in which no needed paper has ended by that day."""
        ends = self.ends
        return [category for category in self.categories if expired_paper(ends=ends, category=category, on=on) is None]


class SupplierDecision(Table, table=True):
    """One entry of a supplier's history. Append-only; `hash` chains it to the entry before."""

    __tablename__ = "supplier_decisions"

    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    number: int = Field(sa_column=Column(Integer, primary_key=True))
    """1, 2, 3 … without gaps."""
    entry: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    decided_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
