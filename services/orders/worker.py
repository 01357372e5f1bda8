"""The background work of `orders`: forgetting Idempotency-Keys older than seven days. It follows no feed yet.

`python -m services.orders.worker` runs until SIGTERM or SIGINT.
"""

import asyncio

from services.orders.settings import Settings
from shared import idempotency
from shared.audit_chain import CHAIN_EVERY_SECONDS, chain_all
from shared.database import Database, transaction
from shared.logs import configure_logs
from shared.worker import Periodic, run_worker

_HOUR = 3600


async def prune_keys(database: Database) -> int:
    """Forget answers kept long enough; how many."""
    async with transaction(database.system) as session:
        return await idempotency.prune(session)


async def main() -> None:
    """Run until told to stop."""
    settings = Settings()
    configure_logs(service="orders-worker", level=settings.log_level)
    database = Database(app_url=settings.database_url, system_url=settings.system_database_url, pool_size=2)
    await run_worker(
        periodic=[
            Periodic(
                name="chain audit log",
                every_seconds=CHAIN_EVERY_SECONDS,
                do=lambda: chain_all(database.system, service="orders"),
            ),
            Periodic(name="prune_keys", every_seconds=_HOUR, do=lambda: prune_keys(database)),
        ],
        closing=[database.dispose],
    )


if __name__ == "__main__":
    asyncio.run(main())
