"""Stock by supplier, item and stock point, in the item's base unit."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKeyConstraint, Numeric, Text, Uuid, text
from sqlmodel import Field

from services.suppliers.schema import Table

Quantity = Numeric(18, 3)


class StockLevel(Table, table=True):
    """How much of an item lies at a stock point.

    `on_hand - shortfall` is what the supplier last reported; `on_hand - reserved` is what can be promised. When
    reserved goods are given back, `rules.after_release` says what on hand and shortfall become.
    Rows are locked in key order by all who change several.
    """

    __tablename__ = "stock_levels"
    __table_args__ = (
        ForeignKeyConstraint(["supplier_id", "item_no"], ["items.supplier_id", "items.item_no"]),
        CheckConstraint("reserved >= 0", name="reserved"),
        CheckConstraint("reserved <= on_hand", name="not_oversold"),
        CheckConstraint("shortfall >= 0", name="shortfall"),
        CheckConstraint("char_length(stock_point) BETWEEN 1 AND 100", name="stock_point"),
        CheckConstraint("as_of >= '2000-01-01T00:00:00Z' AND as_of < '9999-12-31T00:00:00Z'", name="as_of"),
    )

    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    item_no: str = Field(sa_column=Column(Text, primary_key=True))
    stock_point: str = Field(sa_column=Column(Text, primary_key=True))
    on_hand: Decimal = Field(sa_column=Column(Quantity, nullable=False))
    reserved: Decimal = Field(default=Decimal(0), sa_column=Column(Quantity, nullable=False, server_default=text("0")))
    shortfall: Decimal = Field(default=Decimal(0), sa_column=Column(Quantity, nullable=False, server_default=text("0")))
    as_of: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    updated_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))

    @property
    def available(self) -> Decimal:
        """What can still be promised."""
        return self.on_hand - self.reserved
