"""Time: UTC in storage, Asia/Shanghai for business dates (domain.md R8).

Only the edges (routes, jobs, workers) ask the clock; actions and rules are told the time.
"""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

BUSINESS_ZONE = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def business_date(at: datetime) -> date:
    """The calendar day on which `at` falls for people doing business in China."""
    return at.astimezone(BUSINESS_ZONE).date()
