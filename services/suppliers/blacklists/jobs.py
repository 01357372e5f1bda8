"""What the calendar does to blacklists."""

from datetime import datetime

from services.suppliers.blacklists import actions
from shared.database import Database, transaction

_AT_ONCE = 200


async def expire_entries(database: Database, *, at: datetime) -> int:
    """Note every entry whose last day has passed, in its history and the feed; how many."""
    total = 0
    while True:
        async with transaction(database.system) as session:
            ended = await actions.expire(session, at=at, limit=_AT_ONCE)
        total += ended
        if ended < _AT_ONCE:
            return total
