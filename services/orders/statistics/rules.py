"""Figures over many orders (domain.md 3.6), and when a price may be spoken of in sum (3.5 T4). Pure.

A price statistic is made once for one *cell*: one variant, one province, one month, one pool of contractor groups.
Cells do not overlap, have no totals over them and are never made again, so there are no two answers whose difference
would be one group's price. What a cell says is rounded coarsely, and which condition it failed is not said.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import StrEnum
from uuid import UUID

GROUPS_AT_LEAST = 5
SHARE_AT_MOST = Decimal("0.25")
"""Of the quantity of a cell, by one group."""
MONTHS_OLD = 3
SHARE_STEP = Decimal("0.0001")
_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)


class Spread(StrEnum):
    """How far the groups' prices lie apart: standard deviation by mean, in bands."""

    NARROW = "below 2 %"
    USUAL = "2 % to 5 %"
    WIDE = "5 % to 10 %"
    VERY_WIDE = "10 % and more"


_BANDS = ((Decimal("0.02"), Spread.NARROW), (Decimal("0.05"), Spread.USUAL), (Decimal("0.10"), Spread.WIDE))


@dataclass(frozen=True, kw_only=True, slots=True)
class Contribution:
    """What one contractor group bought in a cell."""

    group_id: UUID
    quantity: Decimal
    """In base units of the variant."""
    net: Decimal
    """Without tax, freight to the site included."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PriceCell:
    """What may be said of a cell."""

    price: Decimal
    """Mean of the groups' own mean prices, without tax, per base unit; quantised."""
    spread: Spread
    groups: str
    """`5-9`, `10-19` or `20+`."""


def next_month(month: date) -> date:
    """The first day of the month after."""
    return months_before(month, months=-1)


def months_before(month: date, *, months: int) -> date:
    """The first day of the month so many months earlier."""
    number = month.year * 12 + month.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def newest_publishable(today: date) -> date:
    """The latest month whose last day lies at least three months back (T4)."""
    return months_before(today, months=MONTHS_OLD + 1)


def price_cell(contributions: Iterable[Contribution]) -> PriceCell | None:
    """What may be said of a cell, or nothing: fewer than five groups, or one with more than a quarter (T4).

    Each group counts once, by its own mean price: were quantiles told, with five groups the median would be one
    group's price.
    """
    bought: dict[UUID, tuple[Decimal, Decimal]] = {}
    for each in contributions:
        if each.quantity > 0:
            quantity, net = bought.get(each.group_id, (Decimal(0), Decimal(0)))
            bought[each.group_id] = (quantity + each.quantity, net + each.net)
    total = sum((quantity for quantity, _ in bought.values()), Decimal(0))
    if len(bought) < GROUPS_AT_LEAST or any(quantity > SHARE_AT_MOST * total for quantity, _ in bought.values()):
        return None
    prices = [_EXACT.divide(net, quantity) for quantity, net in bought.values()]
    mean = _EXACT.divide(sum(prices, Decimal(0)), Decimal(len(prices)))
    return PriceCell(price=quantised(mean), spread=_spread(prices, mean), groups=_counted(len(bought)))


def quantised(price: Decimal) -> Decimal:
    """To a step of half a unit in the second significant digit: 3,253.17 becomes 3,250, and 0.8721 becomes 0.870.

    The step is between 0.5 % and 5 % of the price.
    """
    if price == 0:
        return Decimal(0)
    step = Decimal(5).scaleb(price.adjusted() - 2)
    return _EXACT.multiply((price / step).quantize(Decimal(1), context=_EXACT), step)


def _spread(prices: Sequence[Decimal], mean: Decimal) -> Spread:
    variance = sum(((price - mean) ** 2 for price in prices), Decimal(0)) / len(prices)
    ratio = variance.sqrt(_EXACT) / mean if mean else Decimal(0)
    return next((band for limit, band in _BANDS if ratio < limit), Spread.VERY_WIDE)


def _counted(groups: int) -> str:
    if groups < 10:
        return "5-9"
    return "10-19" if groups < 20 else "20+"


def share(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """part / whole to four places; None where there is no whole."""
    if not whole:
        return None
    return _EXACT.divide(Decimal(part), Decimal(whole)).quantize(SHARE_STEP, context=_EXACT)


def herfindahl(amounts: Iterable[Decimal]) -> Decimal | None:
    """The Herfindahl-Hirschman index: the sum of squared shares, from near 0 to 1 (one holds all); None of nothing."""
    kept = [amount for amount in amounts if amount > 0]
    total = sum(kept, Decimal(0))
    if not total:
        return None
    return sum((_EXACT.divide(amount, total) ** 2 for amount in kept), Decimal(0)).quantize(SHARE_STEP, context=_EXACT)
