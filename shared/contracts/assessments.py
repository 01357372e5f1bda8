"""What `orders` tells of how an order went, for the supplier's score: times, sizes in bands, outcomes. No amount."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

ORDER_ASSESSED = "dev.dougong.orders.order.assessed.v1"


class AssessedLine(BaseModel):
    """What became of one line so far."""

    line_no: int
    variant_key: str
    outcome: Literal["open", "confirmed", "rejected", "unanswered", "cancelled"]
    in_full: bool = Field(description="Nothing less than ordered.")
    need_by: date
    promised_by: date


class OrderAssessed(BaseModel):
    """dev.dougong.orders.order.assessed.v1: an order as it went until now; the newest version counts."""

    order_id: UUID
    number: str
    buyer_id: UUID
    buyer_group_id: UUID
    supplier_id: UUID
    placed_at: AwareDatetime
    answered_at: datetime | None = Field(description="The supplier's first answer.")
    weight_class: int = Field(ge=1, le=5, description="Band of the order's size.")
    version: int
    lines: list[AssessedLine]
