"""Scores that are due."""

from datetime import datetime

from services.suppliers.scores import actions
from shared.database import Database, transaction

_AT_ONCE = 200


async def compute_scores(database: Database, *, at: datetime) -> int:
    """Compute every score that is due; how many."""
    total = 0
    while True:
        async with transaction(database.system) as session:
            computed = await actions.compute_due(session, at=at, limit=_AT_ONCE)
        total += computed
        if computed < _AT_ONCE:
            return total
