"""The metrics of domain.md 3.6 that orders have the data for, from the sums of `queries`. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from services.orders.statistics.rules import herfindahl, share
from shared.contracts.metrics import MetricId, MetricValue

Place = tuple[str, str | None, str | None]
"""Month, category, stage; None: all of them together."""
LegacySpend = Mapping[tuple[str, str], tuple[Decimal, Decimal]]
"""By month and category: spend on mapped codes and whole spend, from before this platform (price history)."""

_PLACES = Decimal("0.0001")

WITHOUT_DATA: Mapping[MetricId, tuple[str, str]] = {
    MetricId.ON_TIME_IN_FULL: ("on time in full", "goods receipts are not recorded yet"),
    MetricId.PAYMENT_DISCIPLINE: ("payment discipline", "payments are not recorded yet"),
    MetricId.LEAKAGE: ("leakage", "receipts from outside the platform are not recorded yet"),
    MetricId.SAVINGS_RATE: ("savings rate", "awards are not recorded yet"),
    MetricId.MATCH_RATE: ("match rate", "invoices are not recorded yet"),
    MetricId.DIGITAL_EVIDENCE: ("digital evidence", "received batches are not recorded yet"),
    MetricId.CARBON: ("carbon", "order lines do not freeze the declaration (EPD) of what was bought"),
    MetricId.CIRCULARITY: ("circularity", "order lines carry no share of reused or recycled goods yet"),
}
"""What no document of this service says yet."""


def _value(
    metric: MetricId,
    name: str,
    place: Place,
    value: Decimal | None,
    *,
    unit: Literal["share", "hours", "days", "index", "ratio"],
    good: Literal["up", "down", "context"],
    cases: int | None = None,
) -> MetricValue:
    month, category, stage = place
    return MetricValue(
        metric=metric,
        name=name,
        month=month,
        category=category,
        stage=stage,
        value=value,
        unit=unit,
        good=good,
        cases=cases,
        reason=None if value is not None else "nothing was bought",
    )


def _places(row: Any) -> Iterator[Place]:
    """Where a row counts: in its month as a whole, in its category, and in its category at its stage."""
    yield row.month, None, None
    if row.category:
        yield row.month, row.category, None
        yield row.month, row.category, row.stage


def _by_place(rows: Iterable[Any]) -> dict[Place, list[Any]]:
    found: dict[Place, list[Any]] = defaultdict(list)
    for row in rows:
        for place in _places(row):
            found[place].append(row)
    return dict(sorted(found.items(), key=lambda item: tuple(part or "" for part in item[0])))


def _summed(rows: Iterable[Any], *, by: str) -> dict[UUID, Decimal]:
    sums: dict[UUID, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[getattr(row, by)] += row.net
    return sums


def standardised_spend(rows: Sequence[Any], legacy: LegacySpend) -> list[MetricValue]:
    """M1: spend on standard variants / spend. Every order line names a variant; the rest is legacy spend."""
    sums: dict[Place, tuple[Decimal, Decimal]] = {}
    for place, here in _by_place(rows).items():
        net = sum((row.net for row in here), Decimal(0))
        sums[place] = (net, net)
    for (month, category), (mapped, whole) in legacy.items():
        # A contractor's former platform was its own: what was bought there was bought at S1.
        for place in ((month, None, None), (month, category or None, None), (month, category or None, "S1")):
            if place[1] is None and place[2] is not None:
                continue
            before = sums.get(place, (Decimal(0), Decimal(0)))
            sums[place] = (before[0] + mapped, before[1] + whole)
    return [
        _value(MetricId.STANDARDISED_SPEND, "standardised spend", place, share(*sums[place]), unit="share", good="up")
        for place in sorted(sums, key=lambda place: tuple(part or "" for part in place))
    ]


def shared_suppliers(rows: Sequence[Any]) -> list[MetricValue]:
    """M2: suppliers who confirmed orders of two or more contractor groups / suppliers who were ordered from.

    A confirmed order stands for a delivered one until deliveries are recorded.
    """
    found = []
    for place, here in _by_place(rows).items():
        groups: dict[UUID, set[UUID]] = defaultdict(set)
        for row in here:
            groups[row.supplier_id] |= {row.group_id} if row.confirmed else set()
        shared = sum(len(each) > 1 for each in groups.values())
        value = share(shared, len(groups))
        found.append(
            _value(
                MetricId.SHARED_SUPPLIERS, "shared suppliers", place, value, unit="share", good="up", cases=len(groups)
            )
        )
    return found


def price_dispersion(rows: Sequence[Any]) -> list[MetricValue]:
    """M4, own data: the median of IQR / median over the cells of a category."""
    return [
        _value(
            MetricId.PRICE_DISPERSION,
            "price dispersion",
            (row.month, row.category, row.stage),
            Decimal(str(row.ratio)).quantize(_PLACES),
            unit="ratio",
            good="down",
            cases=row.cells,
        )
        for row in rows
        if row.category
    ]


def answer_time(rows: Sequence[Any]) -> list[MetricValue]:
    """M6: median hours from order to the supplier's first answer, and the share of answers that programs gave."""
    found = []
    for row in rows:
        place = (row.month, None, None)
        hours = None if row.hours is None else Decimal(str(row.hours)).quantize(Decimal("0.01"))
        by_api = share(row.by_api, row.answered)
        found += [
            _value(
                MetricId.ANSWER_TIME, "order answer time", place, hours, unit="hours", good="down", cases=row.answered
            ),
            _value(MetricId.ANSWER_TIME, "answered by API", place, by_api, unit="share", good="up", cases=row.answered),
        ]
    return found


def supplier_concentration(rows: Sequence[Any]) -> list[MetricValue]:
    """M8: the Herfindahl-Hirschman index of suppliers per category."""
    return [
        _value(
            MetricId.CONCENTRATION,
            "concentration of suppliers",
            place,
            herfindahl(_summed(here, by="supplier_id").values()),
            unit="index",
            good="down",
        )
        for place, here in _by_place(rows).items()
        if place[1] is not None
    ]


def largest_group(rows: Sequence[Any]) -> list[MetricValue]:
    """M8: the share of the largest contractor group in what is spent on the platform."""
    found = []
    for place, here in _by_place(rows).items():
        sums = _summed(here, by="group_id")
        value = share(max(sums.values()), sum(sums.values(), Decimal(0)))
        found.append(
            _value(MetricId.CONCENTRATION, "spend of the largest group", place, value, unit="share", good="down")
        )
    return found


def without_data(months: Iterable[str]) -> list[MetricValue]:
    """What nobody can know yet, and why."""
    return [
        MetricValue(metric=metric, name=name, month=month, value=None, unit="share", good="context", reason=reason)
        for month in months
        for metric, (name, reason) in WITHOUT_DATA.items()
    ]
