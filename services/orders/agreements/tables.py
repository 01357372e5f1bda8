"""Lines of legacy agreements, staged. Contract prices: seen by the named parties and the group's companies alone (T1).

A staged line is in force nowhere: ordering does not read it. It waits until agreements are taken over.
"""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    Numeric,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from services.orders.schema import Table


class StagedAgreementLine(Table, table=True):
    """One price of one variant with one supplier for some days. The migration adds what keeps it the only one."""

    __tablename__ = "staged_agreement_lines"
    __table_args__ = (
        CheckConstraint("valid_to >= valid_from", name="period"),
        CheckConstraint("price_kind IN ('fixed', 'floating')", name="price_kind"),
        CheckConstraint("price_kind <> 'fixed' OR price > 0", name="price"),
        CheckConstraint("price_kind <> 'floating' OR index_name IS NOT NULL", name="index_named"),
        CheckConstraint("tax_rate >= 0 AND tax_rate < 1", name="tax_rate"),
        Index("ix_staged_agreement_lines_import", "company_id", "import_id"),
        Index("ix_staged_agreement_lines_supplier", "supplier_id", "id"),
    )

    group_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True, server_default=text("uuidv7()")))
    company_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    supplier_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    agreement_no: str = Field(sa_column=Column(Text, nullable=False))
    legacy_code: str = Field(sa_column=Column(Text, nullable=False))
    variant_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    variant_key: str = Field(sa_column=Column(Text, nullable=False))
    mapping_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    mapping_version: int = Field(sa_column=Column(Integer, nullable=False))
    price_kind: str = Field(sa_column=Column(Text, nullable=False))
    price: Decimal | None = Field(default=None, sa_column=Column(Numeric(18, 6)))
    unit: str | None = Field(default=None, sa_column=Column(Text))
    tax_rate: Decimal = Field(sa_column=Column(Numeric(7, 6), nullable=False))
    tax_inclusive: bool = Field(sa_column=Column(Boolean, nullable=False))
    index_name: str | None = Field(default=None, sa_column=Column(Text))
    index_premium: Decimal | None = Field(default=None, sa_column=Column(Numeric(18, 6)))
    valid_from: date = Field(sa_column=Column(Date, nullable=False))
    valid_to: date = Field(sa_column=Column(Date, nullable=False))
    tolerance: Decimal | None = Field(default=None, sa_column=Column(Numeric(7, 6)))
    region: str = Field(sa_column=Column(Text, nullable=False))
    """As the ledger writes it; empty: everywhere."""
    flags: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    import_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    row_no: int = Field(sa_column=Column(BigInteger, nullable=False))
    staged_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    withdrawn_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    """Its import was rolled back."""
    taken_over_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    """An agreement was made of it; from then on the import cannot be rolled back."""
