"""Spend by type over what was ordered; whole sums stay in this service."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


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
      AND o.currency = :currency AND split_part(l.variant_key, '|', 1) = ANY (CAST(:types AS text[]))
    """
)


async def spend(
    session: AsyncSession,
    *,
    buyer_ids: Sequence[UUID],
    type_codes: Sequence[str],
    since: datetime,
    until: datetime,
    currency: str = "CNY",
) -> Spend:
    """What these companies bought of these component types. Cancelled and rejected lines have no amount any more.

    Every line that is ordered here names a variant; what is bought on codes that are not mapped comes with a
    contractor's price history.
    """
    row = (
        await session.execute(
            _SPEND,
            {
                "buyers": [str(each) for each in buyer_ids],
                "types": list(type_codes),
                "since": since,
                "until": until,
                "currency": currency,
            },
        )
    ).one()
    return Spend(whole=row.whole, mapped=row.mapped)
