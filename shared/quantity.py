"""Quantities: exact decimals in a unit, rounded half up to the unit's places (domain.md R1, R2, R7). Pure."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
_STEPS = tuple(Decimal(1).scaleb(-places) for places in range(10))
"""The smallest quantity of a unit with so many decimal places."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """A unit of measure: its code here, its UN/ECE Recommendation 20 code, and the places it is counted in."""

    code: str
    name_zh: str
    unece: str
    dimension: str
    decimals: int


def round_quantity(quantity: Decimal, decimals: int) -> Decimal:
    """To so many decimal places, half away from zero (R2)."""
    return quantity.quantize(_STEPS[decimals], context=_EXACT)


def has_at_most(quantity: Decimal, decimals: int) -> bool:
    """Whether the quantity's value needs no more decimal places than these; trailing zeros do not count."""
    return quantity.is_finite() and quantity == round_quantity(quantity, decimals)


def to_base(*, quantity: Decimal, factor: Decimal, decimals: int) -> Decimal:
    """A quantity in base units: multiplied by the frozen factor (base per unit) and rounded once (R7).

    The way back does not exist: what was entered stays on the line.
    """
    return round_quantity(_EXACT.multiply(quantity, factor), decimals)
