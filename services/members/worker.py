"""The background work of `members`: stage changes that are due, every half minute; a new signing key every month and
forgetting what is over, every hour.

`python -m services.members.worker` runs until SIGTERM or SIGINT.
"""

import asyncio
from datetime import timedelta

from services.members.access import jobs
from services.members.settings import Settings
from services.members.stages.gate_data import NothingMeasured
from services.members.stages.jobs import make_due_changes_effective
from shared import clock
from shared.audit_chain import CHAIN_EVERY_SECONDS, chain_all
from shared.database import Database
from shared.logs import configure_logs
from shared.worker import Periodic, run_worker

_STAGES_EVERY_SECONDS = 30


async def tidy(database: Database, settings: Settings) -> None:
    """One round of the work."""
    at = clock.now()
    await jobs.rotate_old_signing_key(database.system, oldest=timedelta(days=settings.signing_key_days), at=at)
    await jobs.prune(database.system, attempt_window=timedelta(seconds=settings.attempt_window_seconds), at=at)


async def main() -> None:
    """Run until a signal."""
    settings = Settings()
    configure_logs(service="members-worker", level=settings.log_level)
    database = Database(app_url=settings.database_url, system_url=settings.system_database_url, pool_size=2)
    await run_worker(
        periodic=[
            Periodic(
                name="chain audit log",
                every_seconds=CHAIN_EVERY_SECONDS,
                do=lambda: chain_all(database.system, service="members"),
            ),
            Periodic(
                name="stage changes",
                every_seconds=_STAGES_EVERY_SECONDS,
                do=lambda: make_due_changes_effective(database.system, gate_data=NothingMeasured(), at=clock.now()),
            ),
            Periodic(name="tidy", every_seconds=3600, do=lambda: tidy(database, settings)),
        ],
        closing=[database.dispose],
    )


if __name__ == "__main__":
    asyncio.run(main())
