"""Shares of spend. Pure."""

from datetime import timedelta
from decimal import ROUND_DOWN, Decimal

SPEND_LOOKED_AT = timedelta(days=90)
"""Domain.md 3.2: spend on mapped codes, last 90 days."""

_PLACES = Decimal("0.0001")


def share_of(part: Decimal, whole: Decimal) -> Decimal | None:
    """To four places, rounded down so that no share reaches a limit it does not have; None of nothing."""
    return (part / whole).quantize(_PLACES, ROUND_DOWN) if whole > 0 else None
