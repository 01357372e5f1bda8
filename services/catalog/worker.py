"""The background work of `catalog`: following `suppliers`, which keeps the search index, and code mapping.

`python -m services.catalog.worker` runs until SIGTERM or SIGINT.
"""

import asyncio
from functools import partial

from services.catalog.app import mapping_runner
from services.catalog.data_out import DATA_OUT
from services.catalog.mapping.jobs import work_mappings
from services.catalog.reactions import REACTIONS
from services.catalog.settings import Settings
from shared.audit.chain import CHAIN_EVERY_SECONDS, chain_all
from shared.clients.feed import FeedClient
from shared.clients.transport import Neighbours
from shared.data_out.jobs import ExportRunner
from shared.database import Database
from shared.follower import Follower
from shared.logs import configure_logs
from shared.worker import Periodic, run_worker

_SWEEP_EVERY_SECONDS = 3600
PAGE_EVENTS = 40
"""An event may carry 500 offers, so a page is up to twenty thousand."""


async def main() -> None:
    """Run until a signal."""
    settings = Settings()
    configure_logs(service="catalog-worker", level=settings.log_level)
    database = Database(app_url=settings.database_url, system_url=settings.system_database_url, pool_size=4)
    neighbours = Neighbours(settings)
    follower = Follower(
        source="suppliers",
        feed=FeedClient(neighbours.client("suppliers")),
        sessions=database.system,
        reactions=REACTIONS["suppliers"],
        page_size=PAGE_EVENTS,
    )
    runner = mapping_runner(settings, database=database)
    exports = ExportRunner(DATA_OUT, database=database, data_dir=settings.data_dir)
    await run_worker(
        followers=[follower],
        periodic=[
            Periodic(name="sweep exports", every_seconds=3600, do=exports.sweep),
            Periodic(
                name="chain audit log",
                every_seconds=CHAIN_EVERY_SECONDS,
                do=lambda: chain_all(database.system, service="catalog"),
            ),
            Periodic(
                name="sweep mapping files",
                every_seconds=_SWEEP_EVERY_SECONDS,
                do=lambda: asyncio.to_thread(runner.sweep),
            ),
        ],
        loops=[exports.work, partial(work_mappings, runner)],
        closing=[neighbours.aclose, database.dispose],
    )


if __name__ == "__main__":
    asyncio.run(main())
