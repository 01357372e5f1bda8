"""Items (a supplier's own numbers for variants), the offers made for them, and what `catalog` said of variants.

Items, offers and stock levels carry their supplier first in their keys (design.md section 5, scale-out).
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.suppliers.offers.rules import OfferStatus
from services.suppliers.schema import Table
from shared.audience import Audience

Quantity = Numeric(18, 3)
Price = Numeric(18, 6)
Rate = Numeric(7, 6)
Factor = Numeric(18, 9)


class KnownVariant(Table, table=True):
    """What `catalog` answered for a variant. A variant never changes its key, units or specification."""

    __tablename__ = "known_variants"
    __table_args__ = (UniqueConstraint("id"),)

    key: str = Field(sa_column=Column(Text, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    type_code: str = Field(sa_column=Column(Text, nullable=False))
    category: str = Field(sa_column=Column(Text, nullable=False))
    name_zh: str = Field(sa_column=Column(Text, nullable=False))
    name_en: str = Field(sa_column=Column(Text, nullable=False))
    base_unit: str = Field(sa_column=Column(Text, nullable=False))
    base_decimals: int = Field(sa_column=Column(SmallInteger, nullable=False))
    unit_factors: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False))
    """Base units per unit, as text: `{"t": "1", "piece": "0.02964"}`."""
    unit_decimals: dict[str, int] = Field(sa_column=Column(JSONB, nullable=False))
    spec_hash: str = Field(sa_column=Column(Text, nullable=False))
    snapshot: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    """The whole answer."""
    learned_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class Item(Table, table=True):
    """A supplier's own number for a variant."""

    __tablename__ = "items"
    __table_args__ = (
        UniqueConstraint("supplier_id", "id"),
        CheckConstraint("status IN ('PUBLISHED', 'WITHDRAWN')", name="status"),
        CheckConstraint("char_length(item_no) BETWEEN 1 AND 100", name="item_no"),
    )

    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    item_no: str = Field(sa_column=Column(Text, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    variant_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    variant_key: str = Field(sa_column=Column(Text, nullable=False))
    type_code: str = Field(sa_column=Column(Text, nullable=False))
    category: str = Field(sa_column=Column(Text, nullable=False))
    name_zh: str = Field(sa_column=Column(Text, nullable=False))
    name_en: str = Field(sa_column=Column(Text, nullable=False))
    brand: str | None = Field(default=None, sa_column=Column(Text))
    base_unit: str = Field(sa_column=Column(Text, nullable=False))
    base_decimals: int = Field(sa_column=Column(SmallInteger, nullable=False))
    status: str = Field(default="PUBLISHED", sa_column=Column(Text, nullable=False))
    updated_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class Offer(Table, table=True):
    """A price and its terms for one item; with a stock point it is served from there, without one made to order."""

    __tablename__ = "offers"
    __table_args__ = (
        UniqueConstraint("supplier_id", "item_no", "offer_code"),
        ForeignKeyConstraint(["supplier_id", "item_no"], ["items.supplier_id", "items.item_no"]),
        Index(None, "id"),
        Index("ix_offers_standard", "supplier_id", "standard", postgresql_where=text("standard IS NOT NULL")),
        CheckConstraint("status IN ('ACTIVE', 'WITHDRAWN')", name="status"),
        CheckConstraint("price >= 0", name="price"),
        CheckConstraint("tax_rate >= 0 AND tax_rate < 1", name="tax_rate"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        CheckConstraint("unit_factor > 0", name="unit_factor"),
        CheckConstraint("min_quantity > 0", name="min_quantity"),
        CheckConstraint("step_quantity > 0", name="step_quantity"),
        CheckConstraint("lead_time_days BETWEEN 0 AND 3650", name="lead_time_days"),
        CheckConstraint("valid_until >= valid_from", name="validity"),
        CheckConstraint("valid_from BETWEEN '2000-01-01' AND '9999-12-31'", name="valid_from"),
        CheckConstraint("valid_until BETWEEN '2000-01-01' AND '9999-12-31'", name="valid_until"),
        CheckConstraint("char_length(offer_code) BETWEEN 1 AND 100", name="offer_code"),
        CheckConstraint("char_length(stock_point) BETWEEN 1 AND 100", name="stock_point"),
        CheckConstraint("jsonb_typeof(tiers) = 'array'", name="tiers"),
        CheckConstraint("char_length(standard) BETWEEN 1 AND 100", name="standard"),
        CheckConstraint("jsonb_typeof(freight) = 'array' AND freight <> '[]'", name="freight"),
        CheckConstraint("jsonb_typeof(certificates) = 'array' AND certificates <> '[]'", name="certificates"),
        CheckConstraint("jsonb_typeof(epd) = 'object'", name="epd"),
    )

    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    item_no: str = Field(sa_column=Column(Text, nullable=False))
    offer_code: str = Field(default="default", sa_column=Column(Text, nullable=False))
    stock_point: str | None = Field(default=None, sa_column=Column(Text))
    price: Decimal = Field(sa_column=Column(Price, nullable=False))
    currency: str = Field(sa_column=Column(Text, nullable=False))
    tax_inclusive: bool = Field(sa_column=Column(Boolean, nullable=False))
    tax_rate: Decimal = Field(sa_column=Column(Rate, nullable=False))
    unit: str = Field(sa_column=Column(Text, nullable=False))
    unit_factor: Decimal = Field(sa_column=Column(Factor, nullable=False))
    """Base units in one offer unit."""
    unit_decimals: int = Field(sa_column=Column(SmallInteger, nullable=False))
    min_quantity: Decimal | None = Field(default=None, sa_column=Column(Quantity))
    step_quantity: Decimal | None = Field(default=None, sa_column=Column(Quantity))
    lead_time_days: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    regions: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    """GB/T 2260 codes; none means wherever the supplier is qualified."""
    valid_from: date = Field(sa_column=Column(Date, nullable=False))
    valid_until: date | None = Field(default=None, sa_column=Column(Date))
    """The last day; none means until withdrawn."""
    audience: str = Field(default=Audience.MEMBERS, sa_column=Column(Text, nullable=False))
    audience_ids: list[UUID] = Field(default_factory=list, sa_column=Column(ARRAY(Uuid), nullable=False))
    audience_keys: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    """`shared.audience`: the offer is seen by who holds one of them."""
    tiers: list[dict[str, str]] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    """`[{"min_quantity": "10", "price": "3200"}]`, ascending, in the offer's unit."""
    standard: str | None = Field(default=None, sa_column=Column(Text))
    """The edition the goods are made to, such as GB 1499.2-2024."""
    freight: list[dict[str, str]] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    """`[{"region": "11", "price": "28"}]` by region, per price unit. This and what follows: `offers.declared`."""
    certificates: list[dict[str, Any]] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    epd: dict[str, str] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    status: str = Field(default=OfferStatus.ACTIVE, sa_column=Column(Text, nullable=False))
    version: int = Field(default=1, sa_column=Column(Integer, nullable=False))
    updated_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
