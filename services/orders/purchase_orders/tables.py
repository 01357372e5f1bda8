"""Baskets, purchase orders, their lines, proposed changes and history.

Rows of an order carry both companies: row level security shows them to the buyer and to the supplier. There are no
foreign keys between them: the statement that places orders writes all of a basket or nothing, and keys would cost it
a third of its speed.
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
    Index,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.orders.purchase_orders.rules import (
    VOID,
    AgreedTerms,
    ChangeKind,
    ChangeState,
    LineFigures,
    LineState,
    OrderState,
    figures,
)
from services.orders.schema import Table


def _one_of(column: str, values: type[LineState | OrderState | ChangeState | ChangeKind]) -> CheckConstraint:
    names = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({names})", name=column)


class NumberCounter(Table, table=True):
    """The last number given to a company's documents of one kind in one year."""

    __tablename__ = "number_counters"

    buyer_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    kind: str = Field(sa_column=Column(Text, primary_key=True))
    year: int = Field(sa_column=Column(SmallInteger, primary_key=True))
    last: int = Field(sa_column=Column(Integer, nullable=False))


class Basket(Table, table=True):
    """One purchase over any number of suppliers; its id is also that of its reservation at `suppliers`."""

    __tablename__ = "baskets"

    buyer_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    project_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    delivery_point_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    currency: str = Field(sa_column=Column(Text, nullable=False))
    note: str | None = Field(default=None, sa_column=Column(Text))
    placed_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    placed_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class PurchaseOrder(Table, table=True):
    """What one buyer buys from one supplier in one basket; the header's amounts are the sums of its lines (R4)."""

    __tablename__ = "purchase_orders"
    __table_args__ = (
        _one_of("state", OrderState),
        CheckConstraint("gross = net + tax", name="gross"),
        CheckConstraint("version >= 1 AND history_length >= 1", name="version"),
        Index(None, "buyer_id", "number", unique=True),
        Index(None, "supplier_id", "id"),
        Index(None, "buyer_id", "basket_id"),
        Index(None, "buyer_id", "project_id", "id"),
        Index(None, "placed_at", postgresql_using="brin"),
    )

    buyer_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    basket_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    number: str = Field(sa_column=Column(Text, nullable=False))
    supplier_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    supplier_name: str = Field(sa_column=Column(Text, nullable=False))
    supplier_tax_id: str = Field(sa_column=Column(Text, nullable=False))
    buyer_name: str = Field(sa_column=Column(Text, nullable=False))
    buyer_tax_id: str = Field(sa_column=Column(Text, nullable=False))
    buyer_group_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    """The contractor group the buyer belonged to then; None on orders older than this column."""
    project_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    project_number: str = Field(sa_column=Column(Text, nullable=False))
    project_name: str = Field(sa_column=Column(Text, nullable=False))
    delivery: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    instructions: str | None = Field(default=None, sa_column=Column(Text))
    currency: str = Field(sa_column=Column(Text, nullable=False))
    net: Decimal = Field(sa_column=Column(Numeric(18, 2), nullable=False))
    tax: Decimal = Field(sa_column=Column(Numeric(18, 2), nullable=False))
    gross: Decimal = Field(sa_column=Column(Numeric(18, 2), nullable=False))
    state: str = Field(default=OrderState.ISSUED, sa_column=Column(Text, nullable=False))
    awaits_supplier: bool = True
    awaits_buyer: bool = False
    version: int = 1
    placed_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    placed_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    updated_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    history_length: int = 1
    history_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class OrderLine(Table, table=True):
    """One line, numbered as in its basket. What was frozen at placing never changes; quantity may only fall."""

    __tablename__ = "purchase_order_lines"
    __table_args__ = (
        _one_of("state", LineState),
        CheckConstraint("quantity >= 0 AND quantity <= ordered_quantity", name="quantity"),
        CheckConstraint("base_quantity >= 0 AND base_quantity <= ordered_base_quantity", name="base_quantity"),
        CheckConstraint("(quantity = 0) = (state IN ('CANCELLED', 'REJECTED'))", name="void_is_zero"),
        CheckConstraint("(quantity = 0) = (base_quantity = 0)", name="base_follows"),
        CheckConstraint("gross = net + tax", name="gross"),
        CheckConstraint("unit_price >= 0 AND tax_rate >= 0 AND tax_rate < 1 AND unit_factor > 0", name="terms"),
    )

    buyer_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    order_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    line_no: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    supplier_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    offer_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    item_no: str = Field(sa_column=Column(Text, nullable=False))
    stock_point: str | None = Field(default=None, sa_column=Column(Text))
    variant_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    variant_key: str = Field(sa_column=Column(Text, nullable=False))
    name_zh: str = Field(sa_column=Column(Text, nullable=False))
    name_en: str = Field(sa_column=Column(Text, nullable=False))
    brand: str | None = Field(default=None, sa_column=Column(Text))
    spec_hash: str = Field(sa_column=Column(Text, nullable=False))
    ordered_quantity: Decimal = Field(sa_column=Column(Numeric(18, 3), nullable=False))
    quantity: Decimal = Field(sa_column=Column(Numeric(18, 3), nullable=False))
    unit: str = Field(sa_column=Column(Text, nullable=False))
    unit_decimals: int = Field(sa_column=Column(SmallInteger, nullable=False))
    priced_quantity: Decimal = Field(sa_column=Column(Numeric(18, 3), nullable=False))
    price_unit: str = Field(sa_column=Column(Text, nullable=False))
    ordered_base_quantity: Decimal = Field(sa_column=Column(Numeric(18, 3), nullable=False))
    base_quantity: Decimal = Field(sa_column=Column(Numeric(18, 3), nullable=False))
    base_unit: str = Field(sa_column=Column(Text, nullable=False))
    base_decimals: int = Field(sa_column=Column(SmallInteger, nullable=False))
    unit_factor: Decimal = Field(sa_column=Column(Numeric(18, 9), nullable=False))
    unit_price: Decimal = Field(sa_column=Column(Numeric(18, 6), nullable=False))
    tax_rate: Decimal = Field(sa_column=Column(Numeric(7, 6), nullable=False))
    tax_inclusive: bool
    net: Decimal = Field(sa_column=Column(Numeric(18, 2), nullable=False))
    tax: Decimal = Field(sa_column=Column(Numeric(18, 2), nullable=False))
    gross: Decimal = Field(sa_column=Column(Numeric(18, 2), nullable=False))
    need_by: date = Field(sa_column=Column(Date, nullable=False))
    promised_by: date = Field(sa_column=Column(Date, nullable=False))
    state: str = Field(default=LineState.OPEN, sa_column=Column(Text, nullable=False))
    cost_code: str | None = Field(default=None, sa_column=Column(Text))
    note: str | None = Field(default=None, sa_column=Column(Text))

    @property
    def terms(self) -> AgreedTerms:
        return AgreedTerms(
            unit=self.unit,
            unit_decimals=self.unit_decimals,
            price_unit=self.price_unit,
            base_decimals=self.base_decimals,
            unit_factor=self.unit_factor,
            unit_price=self.unit_price,
            tax_rate=self.tax_rate,
            tax_inclusive=self.tax_inclusive,
        )

    @property
    def is_void(self) -> bool:
        """Whether nothing is bought on this line any more."""
        return self.state in VOID

    def lower_to(self, quantity: Decimal) -> Decimal:
        """Let quantity, amounts and base quantity follow; how many base units are given back."""
        given_back_from = self.base_quantity
        now: LineFigures = figures(self.terms, quantity=quantity)
        self.quantity = now.quantity
        self.priced_quantity = now.priced_quantity
        self.base_quantity = now.base_quantity
        self.net, self.tax, self.gross = now.amounts.net, now.amounts.tax, now.amounts.gross
        return given_back_from - now.base_quantity


class CodeOfLine(Table, table=True):
    """The buyer's own material code a line was ordered by. Written with the order, never changed, the buyer's alone."""

    __tablename__ = "ordered_codes"
    __table_args__ = (CheckConstraint("code <> ''", name="code"), Index("ix_ordered_codes_code", "buyer_id", "code"))

    buyer_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    order_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    line_no: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    code: str = Field(sa_column=Column(Text, nullable=False))
    mapping_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    """The mapping of `catalog` that said what the code means."""
    mapping_version: int = Field(sa_column=Column(Integer, nullable=False))


class LineChange(Table, table=True):
    """A change one side proposed for a line; at most one a line is undecided."""

    __tablename__ = "line_changes"
    __table_args__ = (
        _one_of("kind", ChangeKind),
        _one_of("state", ChangeState),
        CheckConstraint("(kind = 'response') = (quantity IS NOT NULL AND promised_by IS NOT NULL)", name="content"),
        CheckConstraint("(state = 'PROPOSED') = (decided_at IS NULL)", name="decided"),
        Index(
            "ix_line_changes_one_proposed",
            "buyer_id",
            "order_id",
            "line_no",
            unique=True,
            postgresql_where=text("state = 'PROPOSED'"),
        ),
    )

    buyer_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    order_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    supplier_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    line_no: int = Field(sa_column=Column(Integer, nullable=False))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    state: str = Field(default=ChangeState.PROPOSED, sa_column=Column(Text, nullable=False))
    quantity: Decimal | None = Field(default=None, sa_column=Column(Numeric(18, 3)))
    promised_by: date | None = Field(default=None, sa_column=Column(Date))
    reason: str | None = Field(default=None, sa_column=Column(Text))
    proposed_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    proposed_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    decided_by: UUID | None = Field(default=None, sa_column=Column(Uuid))
    decided_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    decision_note: str | None = Field(default=None, sa_column=Column(Text))


class OrderHistory(Table, table=True):
    """What happened to an order, entry by entry, each hashed with the one before. Append-only."""

    __tablename__ = "order_history"

    buyer_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    order_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    seq: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    supplier_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    entry: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
