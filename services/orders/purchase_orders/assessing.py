"""What an order says of its supplier, told without any amount (T1): the size is a band of powers of ten."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.purchase_orders.rules import LineState
from services.orders.purchase_orders.tables import OrderLine, PurchaseOrder
from shared.contracts.assessments import ORDER_ASSESSED, AssessedLine, OrderAssessed
from shared.feed import publish

Outcome = Literal["open", "confirmed", "rejected", "unanswered", "cancelled"]

_BANDS_CNY = (Decimal(10_000), Decimal(100_000), Decimal(1_000_000), Decimal(10_000_000))
_PATIENCE = timedelta(hours=72)
"""After so long without an answer a cancellation is the supplier's doing (domain.md 5.8: no answer is no consent)."""

_BEGINNING = text(
    """
    SELECT (SELECT CAST(entry -> 'totals' ->> 'gross' AS numeric) FROM order_history
            WHERE buyer_id = :buyer_id AND order_id = :order_id AND seq = 1) AS gross,
        (SELECT CAST(entry ->> 'at' AS timestamptz) FROM order_history
            WHERE buyer_id = :buyer_id AND order_id = :order_id AND entry ->> 'what' = 'answered'
            ORDER BY seq LIMIT 1) AS answered_at
    """
)


def weight_class(gross: Decimal, *, currency: str) -> int:
    """1 below ten thousand yuan to 5 from ten million on; 1 in another currency, for which there is no rate here."""
    return 1 + sum(gross >= limit for limit in _BANDS_CNY) if currency == "CNY" else 1


def outcome_of(line: OrderLine, *, placed_at: datetime, answered_at: datetime | None, at: datetime) -> Outcome:
    """What became of a line: what the buyer took back is its own doing, unless it had waited too long."""
    if line.state == LineState.OPEN:
        return "open"
    if line.state == LineState.REJECTED:
        return "rejected"
    if line.state == LineState.CANCELLED:
        return "unanswered" if answered_at is None and at - placed_at >= _PATIENCE else "cancelled"
    return "confirmed"


async def assess(
    session: AsyncSession, *, order: PurchaseOrder, lines: list[OrderLine], answered: bool, at: datetime
) -> None:
    """Tell how an order went until now; `answered`: the supplier answers at this moment."""
    told = (await session.execute(_BEGINNING, {"buyer_id": order.buyer_id, "order_id": order.id})).one()
    answered_at = told.answered_at or (at if answered else None)
    await publish(
        session,
        type=ORDER_ASSESSED,
        subject=str(order.id),
        data=OrderAssessed(
            order_id=order.id,
            number=order.number,
            buyer_id=order.buyer_id,
            buyer_group_id=order.buyer_group_id or order.buyer_id,
            supplier_id=order.supplier_id,
            placed_at=order.placed_at,
            answered_at=answered_at,
            weight_class=weight_class(told.gross, currency=order.currency),
            version=order.version,
            lines=[
                AssessedLine(
                    line_no=line.line_no,
                    variant_key=line.variant_key,
                    outcome=outcome_of(line, placed_at=order.placed_at, answered_at=answered_at, at=at),
                    in_full=line.quantity == line.ordered_quantity,
                    need_by=line.need_by,
                    promised_by=line.promised_by,
                )
                for line in lines
            ],
        ),
        at=at,
        company_id=order.buyer_id,
    )
