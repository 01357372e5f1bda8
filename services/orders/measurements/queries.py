"""Spend by type over what was ordered here and what was paid on a legacy platform; whole sums stay in this service."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.price_history.queries import legacy_spend
from shared.clock import business_date


class Spend(NamedTuple):
    """What was spent, in one currency."""

    whole: Decimal
    mapped: Decimal
    """On lines that name a standard variant."""


_SPEND = text(
    """
    SELECT coalesce(sum(l.gross), 0) AS whole,
        coalesce(sum(l.gross) FILTER (WHERE l.variant_key <> ''), 0) AS mapped
    FROM purchase_orders o
    JOIN purchase_order_lines l ON l.buyer_id = o.buyer_id AND l.order_id = o.id
    WHERE o.buyer_id = ANY (CAST(:buyers AS uuid[])) AND o.placed_at > :since AND o.placed_at <= :until
      AND o.currency = 'CNY' AND split_part(l.variant_key, '|', 1) = ANY (CAST(:types AS text[]))
    """
)


async def spend(
    session: AsyncSession,
    *,
    group_id: UUID,
    category: str,
    buyer_ids: Sequence[UUID],
    type_codes: Sequence[str],
    since: datetime,
    until: datetime,
) -> Spend:
    """What these companies bought of these component types, and what their group paid in the category before it came.

    Every line that is ordered here names a variant; what was bought on codes that are not mapped comes with the
    group's price history, which is in yuan. Cancelled and rejected lines have no amount any more.
    """
    row = (
        await session.execute(
            _SPEND,
            {
                "buyers": [str(each) for each in buyer_ids],
                "types": list(type_codes),
                "since": since,
                "until": until,
            },
        )
    ).one()
    mapped, total = await legacy_spend(
        session, group_id=group_id, category=category, since=business_date(since), until=business_date(until)
    )
    return Spend(whole=row.whole + total, mapped=row.mapped + mapped)
