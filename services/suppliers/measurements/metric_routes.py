"""What suppliers and admissions say of the marketplace (domain.md 3.6, M3): reuse, and days to the first order."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.measurements import queries
from services.suppliers.measurements.rules import good_share
from shared.clock import business_date
from shared.contracts.metrics import MetricId, MetricValue
from shared.database import SystemSession
from shared.http import Now
from shared.http import router as house_router
from shared.identity import Buyer, Operator

router = house_router("/suppliers/metrics", tag="measurements")


def _reuse(rows: queries.Reuse) -> list[MetricValue]:
    told = [
        MetricValue(
            metric=MetricId.QUALIFICATION_REUSE,
            name="qualification reuse",
            month=month,
            category=category,
            value=good_share(recognised, admitted),
            unit="share",
            good="up",
            cases=admitted,
        )
        for (month, category), (recognised, admitted) in rows.items()
    ]
    return sorted(told, key=lambda each: (each.month, each.category or ""))


_DAY = Decimal(86_400)
_DAY_PLACES = Decimal("0.01")


def _first_orders(rows: queries.FirstOrders, *, today: date) -> list[MetricValue]:
    def told(
        month: str, category: str | None, days: Decimal | None, *, cases: int | None, reason: str | None = None
    ) -> MetricValue:
        return MetricValue(
            metric=MetricId.QUALIFICATION_REUSE,
            name="days to first order",
            month=month,
            category=category,
            value=days,
            unit="days",
            good="down",
            cases=cases,
            reason=reason,
        )

    if not rows:
        reason = "no admission was followed by an order in the last twelve months"
        return [told(f"{today:%Y-%m}", None, None, cases=None, reason=reason)]
    found = [
        told(month, category, (seconds / _DAY).quantize(_DAY_PLACES, ROUND_HALF_UP), cases=admissions)
        for (month, category), (seconds, admissions) in rows.items()
    ]
    return sorted(found, key=lambda each: (each.month, each.category or ""))


async def _all(session: AsyncSession, *, group_id: UUID | None, today: date) -> list[MetricValue]:
    return [
        *_reuse(await queries.admissions_by_month(session, group_id=group_id, today=today)),
        *_first_orders(await queries.first_orders_by_month(session, group_id=group_id, today=today), today=today),
    ]


@router.get("", summary="Metrics of your contractor group's admissions")
async def own_metrics(*, caller: Buyer, session: SystemSession, now: Now) -> list[MetricValue]:
    """M3: of the admissions of the last twelve months those that rely on another group's recognised decision, by month
    and category; and the median days from an admission to the first order under it, by the month of that order."""
    return await _all(session, group_id=caller.group_id or caller.company, today=business_date(now))


@router.get("/platform", summary="Metrics of all admissions")
async def platform_metrics(*, _: Operator, session: SystemSession, now: Now) -> list[MetricValue]:
    """The same over all groups, for operators."""
    return await _all(session, group_id=None, today=business_date(now))
