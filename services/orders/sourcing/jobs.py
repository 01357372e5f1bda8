"""Notices close by themselves when their time is over."""

from datetime import datetime

from services.orders.sourcing.closing import close_due
from shared.database import Sessions, transaction

_AT_ONCE = 50


async def close_due_notices(sessions: Sessions, *, at: datetime) -> int:
    """One round; how many closed. Several workers may run it at once: a notice's row is locked."""
    closed = 0
    while True:
        async with transaction(sessions) as session:
            some = await close_due(session, at=at, limit=_AT_ONCE)
        closed += some
        if some < _AT_ONCE:
            return closed
