"""HTTP of metrics and price statistics."""

from datetime import date
from typing import Annotated

from fastapi import Depends, Query, Request

from services.orders.price_history.queries import legacy_spend_by_month
from services.orders.statistics import metrics, queries
from services.orders.statistics.categories import KnownTypes
from services.orders.statistics.jobs import window_of
from services.orders.statistics.queries import Categories, Window
from services.orders.statistics.rules import months_before, newest_publishable, next_month
from services.orders.statistics.schemas import MonthText, PriceStatisticView, month_of
from shared.audience import Audience, audience_keys, viewer_keys, visible
from shared.clients.transport import ServiceAway, ServiceUnknown
from shared.clock import business_date
from shared.contracts.fields import Currency, QueryText
from shared.contracts.metrics import MetricValue
from shared.database import SystemSession
from shared.errors import FieldError, Unprocessable, refusals
from shared.http import Now
from shared.http import router as house_router
from shared.identity import Buyer, Operator, Principal, Visitor

router = house_router("/orders", tag="statistics")

MONTHS_AT_MOST = 24
MARKET = "market"


class MonthsReversed(Unprocessable):
    """The last month must not lie before the first, and at most 24 months are told at once."""


async def _categories(request: Request) -> Categories:
    """Asked before the route's transaction begins."""
    known: KnownTypes = request.app.state.known_types
    return await known.ask()


_ASKING = (ServiceAway, ServiceUnknown)
KnownCategories = Annotated[Categories, Depends(_categories)]
"""Stands before the session in a route's arguments: what is resolved first is asked outside the transaction."""
FromMonth = Annotated[MonthText | None, Query(description="The first month; three months back if left out.")]
UntilMonth = Annotated[MonthText | None, Query(description="The last month; the present one if left out.")]


def _months(first: str | None, last: str | None, *, today: date) -> tuple[date, date]:
    until = month_of(last) if last else today.replace(day=1)
    since = month_of(first) if first else months_before(until, months=3)
    if since > until or months_before(until, months=MONTHS_AT_MOST) >= since:
        message = (
            f"from_month {since:%Y-%m} and until_month {until:%Y-%m} are not 1 to {MONTHS_AT_MOST} months in order."
        )
        raise MonthsReversed(message, errors=[FieldError(field="from_month", rule="MonthsReversed", message=message)])
    return since, until


def _each_month(first: date, last: date) -> list[str]:
    months = []
    while first <= last:
        months.append(f"{first:%Y-%m}")
        first = next_month(first)
    return months


@router.get("/metrics", summary="Metrics of your contractor group", responses=refusals(MonthsReversed, *_ASKING))
async def own_metrics(
    *,
    caller: Buyer,
    types: KnownCategories,
    session: SystemSession,
    now: Now,
    from_month: FromMonth = None,
    until_month: UntilMonth = None,
    currency: Currency = "CNY",
) -> list[MetricValue]:
    """Metrics M1-M14 (domain.md 3.6) of what the caller's group bought, by month, category and the stage the category
    then stood at. Shares, times and indices; a metric without data says why."""
    first, last = _months(from_month, until_month, today=business_date(now))
    months = window_of(first, last)
    group_id = caller.group_id or caller.company
    window = Window(since=months.since, until=months.until, group_id=group_id)
    spend = await queries.spend_rows(session, window=window, types=types, currency=currency)
    legacy = await legacy_spend_by_month(session, group_id=group_id, since=first, until=next_month(last))
    dispersion = await queries.dispersion_rows(session, window=window, types=types, currency=currency)
    answers = await queries.answer_rows(session, window=window)
    return [
        *metrics.standardised_spend(spend, legacy),
        *metrics.price_dispersion(dispersion),
        *metrics.answer_time(answers),
        *metrics.supplier_concentration(spend),
        *metrics.without_data(_each_month(first, last)),
    ]


@router.get("/metrics/platform", summary="Metrics of the whole platform", responses=refusals(MonthsReversed, *_ASKING))
async def platform_metrics(
    *,
    _: Operator,
    types: KnownCategories,
    session: SystemSession,
    now: Now,
    from_month: FromMonth = None,
    until_month: UntilMonth = None,
    currency: Currency = "CNY",
) -> list[MetricValue]:
    """Metrics of all groups together, for operators: shares, times and indices, never an amount or a price (T2)."""
    first, last = _months(from_month, until_month, today=business_date(now))
    window = window_of(first, last)
    spend = await queries.spend_rows(session, window=window, types=types, currency=currency)
    answers = await queries.answer_rows(session, window=window)
    return [
        *metrics.standardised_spend(spend, {}),
        *metrics.shared_suppliers(spend),
        *metrics.answer_time(answers),
        *metrics.largest_group(spend),
        *metrics.supplier_concentration(spend),
        *metrics.without_data(_each_month(first, last)),
    ]


def _pools(caller: Principal | None) -> list[str]:
    """The pools whose statistics a caller may see: the market's are public, a circle's are its own (domain.md 3.2)."""
    keys = viewer_keys() if caller is None else caller.viewer_keys
    circles = [] if caller is None else sorted(caller.circle_ids)
    reached = [
        str(circle) for circle in circles if visible(audience_keys(Audience.CIRCLE, [circle], owner=circle), keys)
    ]
    return [MARKET, *reached]


@router.get("/price-statistics", summary="Price statistics of a variant", responses=refusals())
async def price_statistics(
    *,
    caller: Visitor,
    session: SystemSession,
    now: Now,
    variant_key: Annotated[QueryText, Query(min_length=1, max_length=500)],
    region: Annotated[str, Query(pattern=r"^[0-9]{2}$", description="A province (GB/T 2260).", examples=["32"])],
    month: MonthText,
) -> list[PriceStatisticView]:
    """What contractor groups paid for a variant, delivered to a province, in a month: one coarse figure where at least
    five groups bought and none bought more than a quarter, three months after the month ended, and never changed after
    that (domain.md 3.5 T4). Where that does not hold, and where nothing was bought at all, the answer is the same: not
    enough data. The market's figures are public; those of a circle are for its members."""
    asked = month_of(month)
    found = []
    if asked <= newest_publishable(business_date(now)):
        found = list(
            await queries.price_statistics(
                session, pools=_pools(caller), variant_key=variant_key, region=region, month=asked
            )
        )
    told = [PriceStatisticView.of(each) for each in found]
    return told or [PriceStatisticView.not_enough(variant_key=variant_key, region=region, month=month)]
