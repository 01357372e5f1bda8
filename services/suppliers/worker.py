"""The process beside `suppliers`: syncs, following `orders` and `catalog`, reservations that expire, tidying.

`python -m services.suppliers.worker` runs until SIGTERM or SIGINT.
"""

import asyncio
from functools import partial

from services.suppliers.app import sync_runner
from services.suppliers.imports.jobs import work_syncs
from services.suppliers.reactions import REACTIONS
from services.suppliers.reservations.jobs import expire_reservations
from services.suppliers.settings import Settings
from shared import clock, idempotency
from shared.audit_chain import CHAIN_EVERY_SECONDS, chain_all
from shared.clients.catalog import CatalogClient
from shared.clients.feed import FeedClient
from shared.clients.transport import Neighbours
from shared.database import Database, transaction
from shared.follower import Follower
from shared.logs import configure_logs
from shared.worker import Periodic, run_worker

_EXPIRE_EVERY_SECONDS = 5
_TIDY_EVERY_SECONDS = 3600


async def tidy(database: Database) -> None:
    """Forget answers that nobody asks for again."""
    async with transaction(database.system) as session:
        await idempotency.prune(session)


async def main() -> None:
    """Run until a signal."""
    settings = Settings()
    configure_logs(service="suppliers-worker", level=settings.log_level)
    database = Database(
        app_url=settings.database_url,
        system_url=settings.system_database_url,
        pool_size=settings.sync_jobs_at_once + 4,
    )
    neighbours = Neighbours(settings)
    runner = sync_runner(settings, database=database, catalog=CatalogClient(neighbours.client("catalog")))
    await run_worker(
        followers=[
            Follower(
                source=source,
                feed=FeedClient(neighbours.client(source)),
                sessions=database.system,
                reactions=reactions,
            )
            for source, reactions in REACTIONS.items()
        ],
        periodic=[
            Periodic(
                name="chain audit log",
                every_seconds=CHAIN_EVERY_SECONDS,
                do=lambda: chain_all(database.system, service="suppliers"),
            ),
            Periodic(
                name="expire reservations",
                every_seconds=_EXPIRE_EVERY_SECONDS,
                do=lambda: expire_reservations(database, at=clock.now()),
            ),
            Periodic(name="tidy", every_seconds=_TIDY_EVERY_SECONDS, do=lambda: tidy(database)),
            Periodic(name="sweep", every_seconds=_TIDY_EVERY_SECONDS, do=lambda: asyncio.to_thread(runner.sweep)),
        ],
        loops=[partial(work_syncs, runner) for _ in range(settings.sync_jobs_at_once)],
        closing=[neighbours.aclose, database.dispose],
    )


if __name__ == "__main__":
    asyncio.run(main())
