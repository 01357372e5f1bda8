"""How long a case file stands, and what it opens (domain.md 3.5 T2)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

DAYS_MAX = 7
REASON_LENGTH_MIN = 10
ORDERS_MAX = 200


class Standing(StrEnum):
    """Whether a case file opens anything."""

    OPEN = "OPEN"
    EXPIRED = "EXPIRED"
    ENDED = "ENDED"


@dataclass(frozen=True, kw_only=True)
class Term:
    """From when until when, unless somebody ends it before."""

    opened_at: datetime
    expires_at: datetime
    ended_at: datetime | None

    def standing(self, *, at: datetime) -> Standing:
        """Half-open: at the moment it expires nothing is open any more."""
        if self.ended_at is not None and self.ended_at <= at:
            return Standing.ENDED
        return Standing.OPEN if at < self.expires_at else Standing.EXPIRED


def expiry(*, opened_at: datetime, days: int) -> datetime:
    """Whole days of 24 hours.

    Raises:
        ValueError: less than one, or more than `DAYS_MAX`.
    """
    if not 1 <= days <= DAYS_MAX:
        message = f"a case file stands for 1 to {DAYS_MAX} days"
        raise ValueError(message)
    return opened_at + timedelta(days=days)


def opens(order_ids: Collection[UUID] | None, order_id: UUID) -> bool:
    """Whether the file opens this order; None names none and opens all of the owner's."""
    return order_ids is None or order_id in order_ids
