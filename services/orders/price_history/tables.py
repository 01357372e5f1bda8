"""What was paid, row by row, as the legacy platform told it. Seen by the group's companies in scope alone (T1).

No offer, index, statistic of another group or event is made of it: it must never become a list price.
"""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, DateTime, Index, Integer, Numeric, Text, Uuid, text
from sqlmodel import Field

from services.orders.schema import Table


class PaidPrice(Table, table=True):
    """One purchase of the past. What was paid never changes; what its code means is noted once it is known (T14)."""

    __tablename__ = "price_history"
    __table_args__ = (
        CheckConstraint("price > 0 AND quantity > 0 AND amount >= 0", name="amounts"),
        CheckConstraint("num_nonnulls(variant_id, mapping_id, mapping_version) IN (0, 3)", name="mapped"),
        CheckConstraint("mapping_id IS NULL OR category IS NOT NULL", name="category"),
        Index("ix_price_history_group", "group_id", "paid_on"),
        Index(
            "ix_price_history_unmapped",
            "company_id",
            "legacy_code",
            postgresql_where=text("mapping_id IS NULL AND ended_at IS NULL"),
        ),
    )

    company_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    import_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    row_no: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    group_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    paid_on: date = Field(sa_column=Column(Date, nullable=False))
    legacy_code: str = Field(sa_column=Column(Text, nullable=False))
    price: Decimal = Field(sa_column=Column(Numeric(18, 6), nullable=False))
    unit: str | None = Field(default=None, sa_column=Column(Text))
    quantity: Decimal = Field(sa_column=Column(Numeric(18, 3), nullable=False))
    amount: Decimal = Field(sa_column=Column(Numeric(18, 2), nullable=False))
    category: str | None = Field(default=None, sa_column=Column(Text))
    """Of the variant when the code is mapped, else as the ledger says, where it is known."""
    variant_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    mapping_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    """The first part of the mapping's version; a split or a kit has more."""
    mapping_version: int | None = Field(default=None, sa_column=Column(Integer))
    recorded_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    """Its import was rolled back."""
