"""Embodied carbon (A1-A3): from the unit a source states it in to a variant's base unit."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from services.catalog.units.rules import decimal_of

CARBON_DECIMALS = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class CarbonFactor:
    """kgCO2e per unit, as one source states it. A supplier's own declaration always goes before a typical value."""

    unit: str
    typical: Decimal
    low: Decimal
    high: Decimal
    source: str
    confidence: str


def per_base_unit(factor: CarbonFactor | None, *, base_per_unit: Mapping[str, Decimal]) -> Decimal | None:
    """kgCO2e in one base unit of a variant; None when there is no factor or its unit does not convert."""
    if factor is None or factor.unit not in base_per_unit:
        return None
    return decimal_of(Fraction(factor.typical) / Fraction(base_per_unit[factor.unit]), places=CARBON_DECIMALS)
