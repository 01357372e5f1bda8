"""Keeping since when a category is open, and making the price statistics of one month, once."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.orders.statistics.rules import Contribution, price_cell
from services.orders.statistics.tables import PriceMonth, PriceStatistic, StagePeriod
from shared.contracts.members import StageChanged

_CELL = ("pool", "variant_key", "region", "currency", "category", "base_unit")


async def stages_told(session: AsyncSession, *, told: Iterable[tuple[datetime, StageChanged]]) -> None:
    """Groups opened categories, or closed them again, at these moments."""
    rows = [
        {
            "group_id": change.group_id,
            "category": change.category,
            "since": since,
            "stage": change.stage,
            "circle_id": change.circle_id if change.stage == "S2" else None,
        }
        for since, change in told
    ]
    await session.execute(insert(StagePeriod).on_conflict_do_nothing(), rows)


async def make_month(session: AsyncSession, *, month: date, pooled: Sequence[Any], at: datetime) -> int | None:
    """Keep what may be said of a month's cells; how many there are, or None when the month was made before.

    `pooled` are the rows of `queries.pooled_rows`, ordered by cell.
    """
    first = (
        await session.execute(
            insert(PriceMonth).values(month=month, made_at=at).on_conflict_do_nothing().returning(col(PriceMonth.month))
        )
    ).one_or_none()
    if first is None:
        return None
    cells = []
    for key, rows in groupby(pooled, key=attrgetter(*_CELL)):
        told = price_cell(Contribution(group_id=row.group_id, quantity=row.quantity, net=row.net) for row in rows)
        if told is not None:
            named = dict(zip(_CELL, key, strict=True))
            cells.append({**named, "month": month, "price": told.price, "spread": told.spread, "groups": told.groups})
    if cells:
        await session.execute(insert(PriceStatistic), cells)
    return len(cells)
