"""Admissions whose last day has passed."""

from datetime import datetime

from services.suppliers.admissions import actions
from shared.database import Database, transaction

_BATCH = 200


async def lapse_admissions(database: Database, *, at: datetime, batch: int = _BATCH) -> int:
    """Let all of them lapse; how many did. Several workers may do it at once."""
    lapsed = 0
    while True:
        async with transaction(database.system) as session:
            done = await actions.lapse(session, limit=batch, at=at)
        lapsed += done
        if done < batch:
            return lapsed
