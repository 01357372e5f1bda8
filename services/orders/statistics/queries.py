"""Sums over orders. They go over many companies' rows and need a system session; the routes say whose they are.

Spend is net of tax; a line that was cancelled or rejected has none. `types` names the category of each component type,
as `catalog` told it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.orders.statistics.tables import PriceMonth, PriceStatistic

Categories = Mapping[str, str]
"""Component type → category."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """What is looked at: orders placed in `[since, until)`, of one contractor group or of all."""

    since: datetime
    until: datetime
    group_id: UUID | None = None

    def values(self, types: Categories) -> dict[str, Any]:
        return {
            "since": self.since,
            "until": self.until,
            "group_id": self.group_id,
            "types": list(types),
            "categories": list(types.values()),
        }


_BOUGHT = """
    bought AS (
        SELECT to_char(o.placed_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') AS month,
            coalesce(o.buyer_group_id, o.buyer_id) AS group_id, o.supplier_id, o.id AS order_id, o.state, o.currency,
            o.placed_at, left(o.delivery ->> 'region', 2) AS region, coalesce(t.category, '') AS category,
            l.variant_key, l.base_unit, l.base_quantity, l.net, l.state AS line_state
        FROM purchase_orders o
        JOIN purchase_order_lines l ON l.buyer_id = o.buyer_id AND l.order_id = o.id
        LEFT JOIN unnest(CAST(:types AS text[]), CAST(:categories AS text[])) AS t (code, category)
            ON t.code = split_part(l.variant_key, '|', 1)
        WHERE o.placed_at >= :since AND o.placed_at < :until
          AND (CAST(:group_id AS uuid) IS NULL OR coalesce(o.buyer_group_id, o.buyer_id) = :group_id)
          AND l.quantity > 0
    ), staged AS (
        SELECT bought.*, coalesce(p.stage, 'S1') AS stage, p.circle_id
        FROM bought LEFT JOIN LATERAL (
            SELECT stage, circle_id FROM stage_periods p
            WHERE p.group_id = bought.group_id AND p.category = bought.category AND p.since <= bought.placed_at
            ORDER BY p.since DESC LIMIT 1
        ) p ON true
    )"""
"""Everything bought in the window, with month, category and the stage at which its group's category then stood."""


_SPEND = text(
    f"""
    WITH {_BOUGHT}
    SELECT month, category, stage, group_id, supplier_id, sum(net) AS net, count(*) AS lines,
        bool_or(line_state <> 'OPEN') AS confirmed
    FROM staged WHERE currency = :currency
    GROUP BY month, category, stage, group_id, supplier_id
    """
)

_DISPERSION = text(
    f"""
    WITH {_BOUGHT}, cells AS (
        SELECT month, category, stage,
            percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY net / base_quantity) AS quartiles
        FROM staged WHERE currency = :currency AND base_quantity > 0
        GROUP BY month, category, stage, variant_key, region
        HAVING count(*) >= 4
    )
    SELECT month, category, stage, count(*) AS cells,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY (quartiles[3] - quartiles[1]) / quartiles[2]) AS ratio
    FROM cells WHERE quartiles[2] > 0
    GROUP BY month, category, stage
    """
)

_ANSWERS = text(
    """
    SELECT to_char(o.placed_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') AS month, count(*) AS orders,
        count(h.at) AS answered, count(*) FILTER (WHERE h.kind = 'client') AS by_api,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM h.at - o.placed_at) / 3600.0)
            FILTER (WHERE h.at IS NOT NULL) AS hours
    FROM purchase_orders o
    LEFT JOIN LATERAL (
        SELECT CAST(entry ->> 'at' AS timestamptz) AS at, entry -> 'actor' ->> 'kind' AS kind
        FROM order_history h
        WHERE h.buyer_id = o.buyer_id AND h.order_id = o.id AND h.entry ->> 'what' = 'answered'
        ORDER BY h.seq LIMIT 1
    ) h ON true
    WHERE o.placed_at >= :since AND o.placed_at < :until
      AND (CAST(:group_id AS uuid) IS NULL OR coalesce(o.buyer_group_id, o.buyer_id) = :group_id)
    GROUP BY month
    """
)


async def spend_rows(session: AsyncSession, *, window: Window, types: Categories, currency: str) -> Sequence[Any]:
    """By month, category, stage, group and supplier: `net`, `lines`, and whether the supplier `confirmed` any."""
    found = await session.execute(_SPEND, {**window.values(types), "currency": currency})
    return found.all()


async def dispersion_rows(session: AsyncSession, *, window: Window, types: Categories, currency: str) -> Sequence[Any]:
    """By month, category and stage: the median of IQR / median over the cells (variant, province) with at least four
    lines, and how many `cells` there are. Prices are net of tax, freight included, per base unit."""
    found = await session.execute(_DISPERSION, {**window.values(types), "currency": currency})
    return found.all()


async def answer_rows(session: AsyncSession, *, window: Window) -> Sequence[Any]:
    """By month: `orders`, how many were `answered`, how many of those `by_api`, and the median `hours` it took."""
    found = await session.execute(_ANSWERS, {"since": window.since, "until": window.until, "group_id": window.group_id})
    return found.all()


_POOLED = text(
    f"""
    WITH {_BOUGHT}, now AS (
        SELECT DISTINCT ON (group_id, category) group_id, category, stage, circle_id
        FROM stage_periods ORDER BY group_id, category, since DESC
    )
    SELECT CASE staged.stage WHEN 'S3' THEN 'market' ELSE CAST(staged.circle_id AS text) END AS pool,
        variant_key, region, currency, staged.category, base_unit, group_id,
        sum(base_quantity) AS quantity, sum(net) AS net
    FROM staged JOIN now USING (group_id, category)
    WHERE staged.category <> '' AND region ~ '^[0-9]{{2}}$' AND base_quantity > 0 AND staged.stage <> 'S1'
      AND staged.stage = now.stage AND staged.circle_id IS NOT DISTINCT FROM now.circle_id
    GROUP BY pool, variant_key, region, currency, staged.category, base_unit, group_id
    ORDER BY pool, variant_key, region, currency
    """
)
"""What groups bought while their category was open, and is still: who closed it again is in no pool."""


async def pooled_rows(session: AsyncSession, *, window: Window, types: Categories) -> Sequence[Any]:
    """What each group bought of each cell, pool by pool: `quantity` in base units and `net`."""
    found = await session.execute(_POOLED, window.values(types))
    return found.all()


async def months_made(session: AsyncSession) -> set[date]:
    """The months whose price statistics were made."""
    return set((await session.scalars(select(col(PriceMonth.month)))).all())


async def first_month(session: AsyncSession) -> date | None:
    """The month of the first order ever placed."""
    found: date | None = await session.scalar(
        text(
            "SELECT CAST(date_trunc('month', min(placed_at) AT TIME ZONE 'Asia/Shanghai') AS date) FROM purchase_orders"
        )
    )
    return found


async def price_statistics(
    session: AsyncSession, *, pools: Sequence[str], variant_key: str, region: str, month: date
) -> Sequence[PriceStatistic]:
    """What may be said of one variant, province and month in these pools."""
    found = await session.scalars(
        select(PriceStatistic)
        .where(
            col(PriceStatistic.pool).in_(pools),
            col(PriceStatistic.variant_key) == variant_key,
            col(PriceStatistic.region) == region,
            col(PriceStatistic.month) == month,
        )
        .order_by(col(PriceStatistic.pool), col(PriceStatistic.currency))
    )
    return found.all()
