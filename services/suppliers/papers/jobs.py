"""Work on papers beside requests: warnings by the business day, and files that nobody knows of."""

import asyncio
import time

from sqlalchemy import text

from services.suppliers.papers import expiry
from services.suppliers.papers.files import LEFT_OVER_SECONDS, PaperFolder
from shared import clock
from shared.database import Database, transaction

_AT_A_TIME = 200


async def warn_of_ends(database: Database) -> int:
    """Tell every warning that is due; how many. Runs that meet tell each once."""
    told = 0
    while True:
        async with transaction(database.system) as session:
            some = await expiry.warn(session, limit=_AT_A_TIME, at=clock.now())
        told += some
        if some < _AT_A_TIME:
            return told


async def sweep_papers(database: Database, folder: PaperFolder) -> int:
    """Remove what a process that was killed left behind: half an upload, a file whose row was never committed."""
    before = time.time() - LEFT_OVER_SECONDS
    removed = await asyncio.to_thread(folder.forget_incoming, before=before)
    old = await asyncio.to_thread(lambda: list(folder.old_files(before=before)))
    if not old:
        return removed
    async with transaction(database.system) as session:
        rows = await session.execute(
            text("SELECT id FROM supplier_papers WHERE id = ANY (:ids)"), {"ids": [paper_id for _, paper_id in old]}
        )
        known = set(rows.scalars())
    orphans = [pair for pair in old if pair[1] not in known]
    await asyncio.to_thread(folder.forget, orphans)
    return removed + len(orphans)
