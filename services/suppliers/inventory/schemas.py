"""Bodies of stock."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.contracts.fields import Answer, Body, ExactDecimal, Name


class CountStock(Body):
    """What lies at a stock point."""

    on_hand: Annotated[ExactDecimal, Field(ge=0, lt=10**12, examples=["120.500"])]
    unit: Name | None = Field(default=None, description="None: the item's base unit.", examples=["t"])
    as_of: Annotated[AwareDatetime, Field(ge=datetime(2000, 1, 1, tzinfo=UTC))] | None = Field(
        default=None, description="When it was counted; now if none."
    )


class StockView(Answer):
    """A stock level, in the item's base unit."""

    supplier_id: UUID
    item_no: str
    stock_point: str
    base_unit: str
    on_hand: Decimal = Field(description="Never below what is reserved; the gap is `shortfall`.")
    reserved: Decimal
    available: Decimal = Field(description="What can still be promised.")
    shortfall: Decimal = Field(description="By how much the last count was below what is reserved.")
    band: Literal["out", "low", "in"]
    as_of: datetime
    updated_at: datetime
