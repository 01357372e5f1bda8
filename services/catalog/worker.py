"""The background work of `catalog`: following `suppliers`, which keeps the search index.

`python -m services.catalog.worker` runs until SIGTERM or SIGINT.
"""

import asyncio

from services.catalog.reactions import REACTIONS
from services.catalog.settings import Settings
from shared.clients.feed import FeedClient
from shared.clients.transport import Neighbours
from shared.database import Database
from shared.follower import Follower
from shared.logs import configure_logs
from shared.worker import run_worker

PAGE_EVENTS = 40
"""An event may carry 500 offers, so a page is up to twenty thousand."""


async def main() -> None:
    """Run until a signal."""
    settings = Settings()
    configure_logs(service="catalog-worker", level=settings.log_level)
    database = Database(app_url=settings.database_url, system_url=settings.system_database_url, pool_size=2)
    neighbours = Neighbours(settings)
    follower = Follower(
        source="suppliers",
        feed=FeedClient(neighbours.client("suppliers")),
        sessions=database.system,
        reactions=REACTIONS["suppliers"],
        page_size=PAGE_EVENTS,
    )
    await run_worker(followers=[follower], closing=[neighbours.aclose, database.dispose])


if __name__ == "__main__":
    asyncio.run(main())
