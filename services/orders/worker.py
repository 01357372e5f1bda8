"""The background work of `orders`: following `members` (stages, circles) and `suppliers` (blacklists), legacy imports
and codes mapped after their prices came, closing joint purchasing notices, exports, old Idempotency-Keys.

`python -m services.orders.worker` runs until SIGTERM or SIGINT.
"""

import asyncio
from functools import partial

from services.orders.data_out import DATA_OUT
from services.orders.legacy import import_runner
from services.orders.price_history.jobs import resolve_again
from services.orders.reactions import REACTIONS
from services.orders.settings import Settings
from services.orders.sourcing.jobs import close_due_notices
from services.orders.statistics.categories import KnownTypes
from services.orders.statistics.jobs import make_price_statistics
from shared import clock, idempotency
from shared.audit.chain import CHAIN_EVERY_SECONDS, chain_all
from shared.clients.catalog import CatalogClient
from shared.clients.feed import FeedClient
from shared.clients.suppliers import SuppliersClient
from shared.clients.transport import Neighbours
from shared.data_out.jobs import ExportRunner
from shared.database import Database, transaction
from shared.follower import Follower
from shared.importing.runner import work_imports
from shared.logs import configure_logs
from shared.worker import Periodic, run_worker

_HOUR = 3600
_CLOSE_EVERY_SECONDS = 30
_PAGE_EVENTS = 40
"""An event of `suppliers` may carry 500 offers."""
_ASK_AGAIN_SECONDS = 300


async def prune_keys(database: Database) -> int:
    """Forget answers kept long enough; how many."""
    async with transaction(database.system) as session:
        return await idempotency.prune(session)


async def main() -> None:
    """Run until told to stop."""
    settings = Settings()
    configure_logs(service="orders-worker", level=settings.log_level)
    database = Database(app_url=settings.database_url, system_url=settings.system_database_url, pool_size=6)
    exports = ExportRunner(DATA_OUT, database=database, data_dir=settings.data_dir)
    neighbours = Neighbours(settings)
    catalog = CatalogClient(neighbours.client("catalog"))
    types = KnownTypes(catalog)
    suppliers = SuppliersClient(neighbours.client("suppliers"))
    runner = import_runner(settings, database=database, suppliers=suppliers, catalog=catalog)
    await run_worker(
        followers=[
            Follower(
                source=source,
                feed=FeedClient(neighbours.client(source)),
                sessions=database.system,
                reactions=reactions,
                page_size=_PAGE_EVENTS,
            )
            for source, reactions in REACTIONS.items()
        ],
        periodic=[
            Periodic(name="sweep exports", every_seconds=3600, do=exports.sweep),
            Periodic(
                name="chain audit log",
                every_seconds=CHAIN_EVERY_SECONDS,
                do=lambda: chain_all(database.system, service="orders"),
            ),
            Periodic(name="prune_keys", every_seconds=_HOUR, do=lambda: prune_keys(database)),
            Periodic(
                name="close joint notices",
                every_seconds=_CLOSE_EVERY_SECONDS,
                do=lambda: close_due_notices(database.system, at=clock.now()),
            ),
            Periodic(name="sweep imports", every_seconds=_HOUR, do=lambda: asyncio.to_thread(runner.sweep)),
            Periodic(
                name="price statistics",
                every_seconds=_HOUR,
                do=lambda: make_price_statistics(database, categories=types.ask, at=clock.now()),
            ),
            Periodic(
                name="codes mapped later",
                every_seconds=_ASK_AGAIN_SECONDS,
                do=lambda: resolve_again(database, catalog),
            ),
        ],
        loops=[exports.work, partial(work_imports, runner)],
        closing=[neighbours.aclose, database.dispose],
    )


if __name__ == "__main__":
    asyncio.run(main())
