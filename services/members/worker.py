"""The background work of `members`: stage changes that are due, every half minute; webhooks, from the feeds of the
services to the addresses of companies; exports; a new signing key every month, the gates of open categories, and
forgetting what is over, every hour.

`python -m services.members.worker` runs until SIGTERM or SIGINT.
"""

import asyncio
from datetime import timedelta

from services.members.access import jobs
from services.members.app import measured_by
from services.members.companies.neutrality import tell_affiliates
from services.members.data_out import DATA_OUT
from services.members.leaving.jobs import close_the_left
from services.members.reactions import REACTIONS
from services.members.settings import Settings
from services.members.stages.evidence import drill_done
from services.members.stages.jobs import look_at_open_gates, make_due_changes_effective
from services.members.webhooks.jobs import Deliverer, forget_old
from services.members.webhooks.sending import Sender
from shared import clock
from shared.audit.chain import CHAIN_EVERY_SECONDS, chain_all
from shared.clients.feed import FeedClient
from shared.clients.transport import Neighbours
from shared.data_out.jobs import ExportRunner
from shared.database import Database, transaction
from shared.follower import Follower
from shared.logs import configure_logs
from shared.worker import Periodic, run_worker

_STAGES_EVERY_SECONDS = 30


async def tidy(database: Database, settings: Settings) -> None:
    """One round of the work."""
    at = clock.now()
    await jobs.rotate_old_signing_key(database.system, oldest=timedelta(days=settings.signing_key_days), at=at)
    await close_the_left(database.system, at=at)
    await jobs.prune(database.system, attempt_window=timedelta(seconds=settings.attempt_window_seconds), at=at)
    await forget_old(database.system, kept=timedelta(days=settings.webhook_kept_days), at=at)


async def affiliates(database: Database) -> int:
    """Tell who became affiliated with an operator, or is no longer; how many."""
    async with transaction(database.system) as session:
        return await tell_affiliates(session, at=clock.now())


async def main() -> None:
    """Run until a signal."""
    settings = Settings()
    configure_logs(service="members-worker", level=settings.log_level)
    neighbours = Neighbours(settings)
    database = Database(app_url=settings.database_url, system_url=settings.system_database_url, pool_size=8)
    gate_data = measured_by(neighbours, database=database)
    exports = ExportRunner(DATA_OUT, database=database, data_dir=settings.data_dir, completed=drill_done)
    deliverer = Deliverer(
        sessions=database.system,
        sender=Sender(policy=settings.webhook_policy),
        at_once=settings.webhook_deliveries_at_once,
        per_endpoint=settings.webhook_deliveries_per_endpoint,
        failing_limit=timedelta(days=settings.webhook_failing_days),
    )
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
            Periodic(name="affiliates", every_seconds=60, do=lambda: affiliates(database)),
            Periodic(name="sweep exports", every_seconds=3600, do=exports.sweep),
            Periodic(
                name="chain audit log",
                every_seconds=CHAIN_EVERY_SECONDS,
                do=lambda: chain_all(database.system, service="members"),
            ),
            Periodic(
                name="stage changes",
                every_seconds=_STAGES_EVERY_SECONDS,
                do=lambda: make_due_changes_effective(database.system, gate_data=gate_data, at=clock.now()),
            ),
            Periodic(
                name="open gates",
                every_seconds=3600,
                do=lambda: look_at_open_gates(database.system, gate_data=gate_data, at=clock.now()),
            ),
            Periodic(name="tidy", every_seconds=3600, do=lambda: tidy(database, settings)),
        ],
        loops=[exports.work, deliverer.run],
        closing=[neighbours.aclose, database.dispose],
    )


if __name__ == "__main__":
    asyncio.run(main())
