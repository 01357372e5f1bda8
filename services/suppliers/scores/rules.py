"""How facts become a score (domain.md 5.15). Pure; the formula has a version that is kept with every score.

Formula 1. Per order, then over orders, so that a long order does not outweigh many short ones:

- response time: 100 for an answer within 4 hours of the order, falling evenly to 0 at 72 hours;
- acceptance: the share of lines the supplier confirmed, of those it confirmed, rejected or left unanswered;
- confirmed in full: the share of confirmed lines confirmed with the quantity ordered;
- confirmed on time: the share of confirmed lines promised by the day they were needed.

A dimension is the mean of its orders, each weighing by its size class of 1 to 5, which is also the cap: no order
weighs more than five of the smallest. The whole is the mean of the dimensions that have data. What the buyer caused
(cancelled lines) does not count, nor do inputs a granted appeal excluded. Fewer than five orders are no score.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from uuid import UUID

FORMULA = 1
FEWEST_ORDERS = 5
GROUPS_AT_LEAST = 3
"""Contractor groups in an aggregate, the reader's own not counted: else one of them could be worked out."""
POOLED_STEP = Decimal(5)
"""An aggregate is told in steps of so many points."""
BEST_HOURS = Decimal(4)
WORST_HOURS = Decimal(72)
_POINTS = Decimal("0.01")
_FULL = Decimal(100)


class Dimension(StrEnum):
    """What is judged. Those after the first four join with the documents that tell their facts."""

    RESPONSE_TIME = "response_time"
    ACCEPTANCE = "acceptance"
    CONFIRMED_IN_FULL = "confirmed_in_full"
    CONFIRMED_ON_TIME = "confirmed_on_time"
    DELIVERED_ON_TIME = "delivered_on_time"
    DELIVERED_IN_FULL = "delivered_in_full"
    QUALITY = "quality"
    DOCUMENTS = "documents"
    CLAIMS = "claims"
    INVOICES = "invoices"


class Outcome(StrEnum):
    """What became of an order's line."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    UNANSWERED = "unanswered"
    """The buyer took it back after the supplier had left it without an answer for the worst hours."""
    CANCELLED = "cancelled"
    """By the buyer, for its own reasons; does not count."""


class ScoreStatus(StrEnum):
    """NEW: too few orders to say anything."""

    NEW = "NEW"
    SCORED = "SCORED"


class AppealStatus(StrEnum):
    """What became of a supplier's appeal against an input. CORRECTED excludes it."""

    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    CORRECTED = "CORRECTED"


_DECIDED = frozenset({Outcome.CONFIRMED, Outcome.REJECTED, Outcome.UNANSWERED})


@dataclass(frozen=True, kw_only=True, slots=True)
class LineFact:
    """One line as `orders` tells it."""

    outcome: Outcome
    in_full: bool
    on_time: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderFact:
    """One order's lines of a category; `weight_class` is the band of the whole order's size, 1 to 5."""

    order_id: UUID
    placed_at: datetime
    answered_at: datetime | None
    weight_class: int
    lines: Sequence[LineFact]

    @property
    def counts(self) -> bool:
        """Whether the supplier has decided anything of it."""
        return any(line.outcome in _DECIDED for line in self.lines)


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """What the facts of twelve months say."""

    orders: int
    status: ScoreStatus
    overall: Decimal | None
    dimensions: dict[Dimension, Decimal | None]
    """None: no data."""


def score(facts: Iterable[OrderFact]) -> Score:
    """The score of one supplier with one contractor group in one category."""
    counted = [fact for fact in facts if fact.counts]
    if len(counted) < FEWEST_ORDERS:
        nothing: dict[Dimension, Decimal | None] = dict.fromkeys(Dimension)
        return Score(orders=len(counted), status=ScoreStatus.NEW, overall=None, dimensions=nothing)
    dimensions = {dimension: _mean_of(dimension, counted) for dimension in Dimension}
    known = [points for points in dimensions.values() if points is not None]
    overall = (sum(known, Decimal(0)) / len(known)).quantize(_POINTS, ROUND_HALF_UP)
    return Score(orders=len(counted), status=ScoreStatus.SCORED, overall=overall, dimensions=dimensions)


def _mean_of(dimension: Dimension, facts: Sequence[OrderFact]) -> Decimal | None:
    weighed = [(points, fact.weight_class) for fact in facts if (points := points_of(dimension, fact)) is not None]
    if not weighed:
        return None
    total = sum((points * weight for points, weight in weighed), Decimal(0))
    return (total / sum(weight for _, weight in weighed)).quantize(_POINTS, ROUND_HALF_UP)


def points_of(dimension: Dimension, fact: OrderFact) -> Decimal | None:
    """What one order says of a dimension, 0 to 100; None: nothing."""
    confirmed = [line for line in fact.lines if line.outcome is Outcome.CONFIRMED]
    decided = [line for line in fact.lines if line.outcome in _DECIDED]
    if dimension is Dimension.RESPONSE_TIME:
        if fact.answered_at is not None:
            return response_points(placed_at=fact.placed_at, answered_at=fact.answered_at)
        return Decimal(0) if any(line.outcome is Outcome.UNANSWERED for line in fact.lines) else None
    if dimension is Dimension.ACCEPTANCE:
        return _share(len(confirmed), len(decided))
    if dimension is Dimension.CONFIRMED_IN_FULL:
        return _share(sum(line.in_full for line in confirmed), len(confirmed))
    if dimension is Dimension.CONFIRMED_ON_TIME:
        return _share(sum(line.on_time for line in confirmed), len(confirmed))
    return None


def response_points(*, placed_at: datetime, answered_at: datetime) -> Decimal:
    """100 within the best hours, 0 from the worst on, evenly between."""
    seconds = Decimal(max(int((answered_at - placed_at).total_seconds()), 0))
    hours = seconds / 3600
    left = (WORST_HOURS - hours) / (WORST_HOURS - BEST_HOURS) * _FULL
    return min(max(left, Decimal(0)), _FULL).quantize(_POINTS, ROUND_HALF_UP)


def _share(part: int, whole: int) -> Decimal | None:
    return None if whole == 0 else (Decimal(part) * 100 / whole).quantize(_POINTS, ROUND_HALF_UP)


def a_year_before(day: date) -> date:
    """The first day of the twelve months that end with a day."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return date(day.year - 1, 3, 1)


def leaves_on(placed_on: date) -> date:
    """The day from which an order is too old to count."""
    after = placed_on.replace(day=28) if (placed_on.month, placed_on.day) == (2, 29) else placed_on
    return date.fromordinal(after.replace(year=after.year + 1).toordinal() + 1)


def pooled(dimensions: Sequence[dict[Dimension, Decimal | None]]) -> dict[Dimension, Decimal | None]:
    """What several contractor groups say together; None: fewer than the least number say anything."""
    said: dict[Dimension, Decimal | None] = {}
    for dimension in Dimension:
        known = [points for each in dimensions if (points := each.get(dimension)) is not None]
        said[dimension] = None if len(known) < GROUPS_AT_LEAST else _stepped(sum(known, Decimal(0)) / len(known))
    return said


def _stepped(points: Decimal) -> Decimal:
    return (points / POOLED_STEP).quantize(Decimal(1), ROUND_HALF_UP) * POOLED_STEP
