"""What suppliers and admissions say of the marketplace (domain.md 3.6): qualification reuse."""

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


@router.get("", summary="Metrics of your contractor group's admissions")
async def own_metrics(*, caller: Buyer, session: SystemSession, now: Now) -> list[MetricValue]:
    """M3: of the admissions of the last twelve months those that rely on another group's recognised decision, by month
    and category."""
    group_id = caller.group_id or caller.company
    return _reuse(await queries.admissions_by_month(session, group_id=group_id, today=business_date(now)))


@router.get("/platform", summary="Metrics of all admissions")
async def platform_metrics(*, _: Operator, session: SystemSession, now: Now) -> list[MetricValue]:
    """The same over all groups, for operators."""
    return _reuse(await queries.admissions_by_month(session, group_id=None, today=business_date(now)))
