"""What stock says of itself (domain.md 5.4): available is never below zero."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

_LOW_SHARE = Decimal(10)


class Band(StrEnum):
    """How much there is, for those who may not see the exact quantity."""

    OUT = "out"
    LOW = "low"
    IN = "in"


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """On hand as we keep it, and by how much the supplier's own count falls short of what is reserved."""

    on_hand: Decimal
    shortfall: Decimal


def counted(*, reported: Decimal, reserved: Decimal) -> Counted:
    """The stock after a count.

    A count below what is reserved does not undo promises: on hand stays at what is reserved, so that nothing
    more can be promised, and the gap is kept as shortfall.
    """
    return Counted(on_hand=max(reported, reserved), shortfall=max(reserved - reported, Decimal(0)))


def after_release(*, counted_before: Counted, reserved_after: Decimal) -> Counted:
    """The stock after reserved goods were given back: what covers a shortfall is not there to be sold again."""
    return counted(reported=counted_before.on_hand - counted_before.shortfall, reserved=reserved_after)


def band(*, on_hand: Decimal, reserved: Decimal) -> Band:
    """Out: nothing available. Low: less than a tenth of what is on hand. The database's `stock_band` says the same."""
    available = on_hand - reserved
    if available <= 0:
        return Band.OUT
    return Band.LOW if available * _LOW_SHARE < on_hand else Band.IN
