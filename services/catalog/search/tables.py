"""The read model of the search, kept by following `suppliers`; it can be emptied and followed again from the start.

Every row holds the place in the feed of the event it is from, so an event that comes late changes nothing.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.catalog.schema import Table

LIST_PRICE = "round(price * CASE WHEN tax_inclusive THEN 1 ELSE 1 + tax_rate END / unit_factor, 9)"
"""With tax, per base unit."""
PRICE_ORDER = f"CAST({LIST_PRICE} AS double precision)"


class SearchVariant(Table, table=True):
    """A variant that was ever offered, with the tokens under which its values are found.

    What its type is called is not here: words, synonyms and codes of types are looked up when somebody searches, so
    a new name or code finds every variant at once.
    """

    __tablename__ = "search_variants"
    __table_args__ = (
        UniqueConstraint("variant_key"),
        Index(None, "tokens", postgresql_using="gin"),
        Index(None, "properties", postgresql_using="gin", postgresql_ops={"properties": "jsonb_path_ops"}),
    )

    variant_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    variant_key: str = Field(sa_column=Column(Text, nullable=False))
    type_code: str = Field(sa_column=Column(Text, nullable=False))
    category: str = Field(sa_column=Column(Text, nullable=False))
    properties: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False))
    unit_factors: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False))
    carbon: Decimal | None = Field(default=None, sa_column=Column(Numeric(18, 6)))
    """kgCO2e A1-A3 in one base unit, typical of the type."""
    tokens: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    """Ways to write its values, `@` and its type, and each identity property as `key=value`."""


class SearchSupplier(Table, table=True):
    """A supplier as `suppliers` last told it."""

    __tablename__ = "search_suppliers"

    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    name: str = Field(sa_column=Column(Text, nullable=False))
    status: str = Field(sa_column=Column(Text, nullable=False))
    categories: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    regions: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    region_heads: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    """The significant digits of each region: 110100 is the city 1101."""
    qualified_until: date | None = Field(default=None, sa_column=Column(Date))
    affiliated: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    """It belongs to an operator's group; said on each of its offers, without effect on their order (T8, T9)."""
    seq: int = Field(sa_column=Column(BigInteger, nullable=False))


class SearchOffer(Table, table=True):
    """An offer as `suppliers` last told it. Row level security shows it to the holders of its audience keys."""

    __tablename__ = "search_offers"
    __table_args__ = (
        CheckConstraint("status IN ('ACTIVE', 'WITHDRAWN')", name="status"),
        CheckConstraint("price >= 0", name="price"),
        CheckConstraint("unit_factor > 0", name="unit_factor"),
        CheckConstraint("cardinality(tier_from) = cardinality(tier_price)", name="tiers"),
        CheckConstraint("cardinality(freight_heads) = cardinality(freight_price)", name="freight"),
        CheckConstraint("(epd IS NULL) = (epd_kgco2e IS NULL) AND (epd IS NULL) = (epd_until IS NULL)", name="epd"),
        Index("ix_search_offers_variant_id", "variant_id", postgresql_where="status = 'ACTIVE'"),
        Index(
            "ix_search_offers_in_price_order",
            "type_code",
            "currency",
            "price_order",
            "comparable",
            "variant_id",
            postgresql_where="status = 'ACTIVE'",
        ),
    )

    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    offer_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    variant_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    item_no: str = Field(sa_column=Column(Text, nullable=False))
    type_code: str = Field(sa_column=Column(Text, nullable=False))
    category: str = Field(sa_column=Column(Text, nullable=False))
    brand: str | None = Field(default=None, sa_column=Column(Text))
    price: Decimal = Field(sa_column=Column(Numeric(18, 6), nullable=False))
    currency: str = Field(sa_column=Column(Text, nullable=False))
    tax_inclusive: bool = Field(sa_column=Column(Boolean, nullable=False))
    tax_rate: Decimal = Field(sa_column=Column(Numeric(7, 6), nullable=False))
    unit: str = Field(sa_column=Column(Text, nullable=False))
    unit_factor: Decimal = Field(sa_column=Column(Numeric(18, 9), nullable=False))
    base_unit: str = Field(sa_column=Column(Text, nullable=False))
    min_quantity: Decimal | None = Field(default=None, sa_column=Column(Numeric(18, 3)))
    step_quantity: Decimal | None = Field(default=None, sa_column=Column(Numeric(18, 3)))
    lead_time_days: int = Field(sa_column=Column(Integer, nullable=False))
    regions: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    region_heads: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    valid_from: date = Field(sa_column=Column(Date, nullable=False))
    valid_until: date | None = Field(default=None, sa_column=Column(Date))
    audience_keys: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    tier_from: list[Decimal] = Field(sa_column=Column(ARRAY(Numeric), nullable=False))
    tier_price: list[Decimal] = Field(sa_column=Column(ARRAY(Numeric), nullable=False))
    stock_point: str | None = Field(default=None, sa_column=Column(Text))
    standard: str | None = Field(default=None, sa_column=Column(Text))
    freight_heads: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    freight_price: list[Decimal] = Field(sa_column=Column(ARRAY(Numeric), nullable=False))
    certificates: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    epd: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    epd_kgco2e: Decimal | None = Field(default=None, sa_column=Column(Numeric))
    epd_until: date | None = Field(default=None, sa_column=Column(Date))
    comparable: Decimal | None = Field(
        default=None,
        sa_column=Column(
            Numeric,
            Computed(LIST_PRICE, persisted=True),
        ),
    )
    """The list price with tax per base unit: offers of a type can be read from the index in its order."""
    price_order: Any = Field(default=None, sa_column=Column(Double, Computed(PRICE_ORDER, persisted=True)))
    """`comparable` rounded to a binary number, never shown: row level security lets an index be entered by comparing
    these, not by comparing decimals. Sorted by it and then by `comparable`, offers stand in the order of the latter."""
    status: str = Field(sa_column=Column(Text, nullable=False))
    seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    price_seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Where the price is from: a price list changes it without repeating the terms."""


class SearchStock(Table, table=True):
    """A stock level as `suppliers` last told it: exactly at every sync, between syncs when its band changes."""

    __tablename__ = "search_stock"
    __table_args__ = (
        CheckConstraint("band IN ('out', 'low', 'in')", name="band"),
        CheckConstraint("available >= 0", name="available"),
    )

    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    item_no: str = Field(sa_column=Column(Text, primary_key=True))
    stock_point: str = Field(sa_column=Column(Text, primary_key=True))
    available: Decimal = Field(sa_column=Column(Numeric(18, 3), nullable=False))
    """In base units."""
    band: str = Field(sa_column=Column(Text, nullable=False))
    as_of: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    seq: int = Field(sa_column=Column(BigInteger, nullable=False))


class SearchBlacklist(Table, table=True):
    """An entry of a blacklist that `suppliers` told of, for its number alone; the app does not read it."""

    __tablename__ = "search_blacklists"

    entry_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    seq: int = Field(sa_column=Column(BigInteger, nullable=False))


class SearchBlacklisted(Table, table=True):
    """A supplier to whom an entry forbids new orders; none for an entry that ended or forbids less. Row level security
    shows it to those whom the entry binds (T7)."""

    __tablename__ = "search_blacklisted"
    __table_args__ = (
        CheckConstraint("expires_on >= starts_on", name="days"),
        CheckConstraint("cardinality(audience_keys) > 0", name="audience"),
        Index(None, "entry_id"),
    )

    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    entry_id: UUID = Field(
        sa_column=Column(
            Uuid,
            ForeignKey(
                "search_blacklists.entry_id",
                name="fk_search_blacklisted_entry_id_search_blacklists",
                ondelete="CASCADE",
            ),
            primary_key=True,
        )
    )
    audience_keys: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    official: bool
    reason_class: str = Field(sa_column=Column(Text, nullable=False))
    categories: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    """None named means all; the same of regions."""
    region_heads: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    starts_on: date = Field(sa_column=Column(Date, nullable=False))
    expires_on: date = Field(sa_column=Column(Date, nullable=False))
    """The last day on which it counts."""


class RegisterState(Table, table=True):
    """The transactions that last changed a register of this service, kept by triggers on it: as long as they are the
    same, what a process read of the register still holds."""

    __tablename__ = "register_states"

    name: str = Field(sa_column=Column(Text, primary_key=True))
    """The table's name."""
    txid: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))


SEARCH_TABLES: tuple[Any, ...] = (
    SearchVariant, SearchSupplier, SearchOffer, SearchStock, SearchBlacklist, SearchBlacklisted, RegisterState,
)  # fmt: skip
