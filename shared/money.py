"""Money: exact decimals, two places, half up, header = sum of lines (domain.md R1-R5).

Pure. Amounts are `Decimal` of one currency; whoever holds them holds the currency beside them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

CENT = Decimal("0.01")
ZERO = Decimal("0.00")

_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
"""Python's default context keeps 28 digits and rounds half to even; 18 digits times 18 digits needs 36."""


def round_money(amount: Decimal) -> Decimal:
    """To cents, half away from zero (R2)."""
    return amount.quantize(CENT, context=_EXACT)


@dataclass(frozen=True, slots=True)
class LineAmounts:
    """What one line costs; gross = net + tax always."""

    net: Decimal
    tax: Decimal
    gross: Decimal


def line_amounts(*, quantity: Decimal, unit_price: Decimal, tax_rate: Decimal, tax_inclusive: bool) -> LineAmounts:
    """The amounts of a line from its own price basis, never from the other one (R3).

    Inclusive: gross is rounded first and net follows from it. Exclusive: net first, then its tax.
    """
    amount = _EXACT.multiply(quantity, unit_price).quantize(CENT, context=_EXACT)
    if tax_inclusive:
        net = _EXACT.divide(amount, 1 + tax_rate).quantize(CENT, context=_EXACT)
        return LineAmounts(net, _EXACT.subtract(amount, net), amount)
    tax = _EXACT.multiply(amount, tax_rate).quantize(CENT, context=_EXACT)
    return LineAmounts(amount, tax, _EXACT.add(amount, tax))


@dataclass(frozen=True, slots=True)
class RateTotal:
    """The lines of one tax rate together."""

    tax_rate: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal


@dataclass(frozen=True, slots=True)
class Totals:
    """A document's header: the sums of its lines, never recomputed from the header itself (R4)."""

    net: Decimal
    tax: Decimal
    gross: Decimal
    by_rate: tuple[RateTotal, ...]


def sum_by_rate(lines: Iterable[tuple[Decimal, LineAmounts]]) -> Totals:
    """The header of lines given as (tax rate, amounts); rates in ascending order (R4)."""
    sums: dict[Decimal, tuple[Decimal, Decimal, Decimal]] = {}
    for rate, line in lines:
        net, tax, gross = sums.get(rate, (ZERO, ZERO, ZERO))
        sums[rate] = (net + line.net, tax + line.tax, gross + line.gross)
    rates = tuple(RateTotal(rate, *sums[rate]) for rate in sorted(sums))
    return Totals(
        sum((rate.net for rate in rates), ZERO),
        sum((rate.tax for rate in rates), ZERO),
        sum((rate.gross for rate in rates), ZERO),
        rates,
    )


def split_by_largest_remainder(*, total: Decimal, weights: Sequence[Decimal], step: Decimal = CENT) -> list[Decimal]:
    """Shares of `total` in proportion to `weights` that add up to it exactly (R5).

    Every share is a multiple of `step` within one step of its exact proportion; the steps left over go to the
    largest remainders, the earlier share first among equals. A negative total (a credit) mirrors the positive.

    Raises:
        ValueError: total is no multiple of step, a weight is negative, or none is positive.
    """
    steps = Fraction(total) / Fraction(step)
    weight_sum = sum(Fraction(weight) for weight in weights)
    if steps.denominator != 1 or weight_sum <= 0 or any(weight < 0 for weight in weights):
        message = f"Cannot split {total} in steps of {step} by {len(weights)} weights."
        raise ValueError(message)
    exact = [abs(steps) * Fraction(weight) / weight_sum for weight in weights]
    shares = [share.numerator // share.denominator for share in exact]
    by_remainder = sorted(range(len(weights)), key=lambda place: shares[place] - exact[place])
    for place in by_remainder[: int(abs(steps)) - sum(shares)]:
        shares[place] += 1
    sign = -1 if steps < 0 else 1
    return [sign * share * step for share in shares]
