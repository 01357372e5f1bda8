"""The process beside `suppliers`: syncs, legacy imports, following its neighbours, new keys for offers, what ends by
date, tidying.

`python -m services.suppliers.worker` runs until SIGTERM or SIGINT.
"""

import asyncio
from functools import partial

from services.suppliers.admissions.jobs import lapse_admissions
from services.suppliers.app import paper_folder, sync_runner
from services.suppliers.blacklists.jobs import expire_entries
from services.suppliers.data_out import DATA_OUT
from services.suppliers.imports.jobs import SyncRunner, work_syncs
from services.suppliers.judgement_imports.handing_over import hand_over
from services.suppliers.legacy import import_runner
from services.suppliers.papers.files import PaperFolder
from services.suppliers.papers.jobs import sweep_papers, warn_of_ends
from services.suppliers.reactions import REACTIONS
from services.suppliers.reservations.jobs import expire_reservations
from services.suppliers.scores.jobs import compute_scores
from services.suppliers.settings import Settings
from services.suppliers.spaces.jobs import follow_groups, rekey_offers
from shared import clock, idempotency
from shared.audit.chain import CHAIN_EVERY_SECONDS, chain_all
from shared.clients.catalog import CatalogClient
from shared.clients.feed import FeedClient
from shared.clients.members import MembersClient
from shared.clients.transport import Neighbours
from shared.data_out.jobs import ExportRunner
from shared.database import Database, transaction
from shared.follower import Follower
from shared.importing.runner import ImportRunner, work_imports
from shared.logs import configure_logs
from shared.worker import Periodic, run_worker

_EXPIRE_EVERY_SECONDS = 5
_REKEY_EVERY_SECONDS = 1
_DAYS_EVERY_SECONDS = 60
_SCORES_EVERY_SECONDS = 300
_TIDY_EVERY_SECONDS = 3600
_WARN_EVERY_SECONDS = 900


async def tidy(database: Database) -> None:
    """Forget answers that nobody asks for again."""
    async with transaction(database.system) as session:
        await idempotency.prune(session)


def _periodic(
    database: Database, *, exports: ExportRunner, papers: PaperFolder, runner: SyncRunner, legacy: ImportRunner
) -> list[Periodic]:
    """What is done again and again."""
    return [
        Periodic(name="sweep exports", every_seconds=3600, do=exports.sweep),
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
        Periodic(name="warn of ends", every_seconds=_WARN_EVERY_SECONDS, do=lambda: warn_of_ends(database)),
        Periodic(name="sweep papers", every_seconds=_TIDY_EVERY_SECONDS, do=lambda: sweep_papers(database, papers)),
        Periodic(
            name="new keys", every_seconds=_REKEY_EVERY_SECONDS, do=lambda: rekey_offers(database, at=clock.now())
        ),
        Periodic(
            name="admissions that lapse",
            every_seconds=_DAYS_EVERY_SECONDS,
            do=lambda: lapse_admissions(database, at=clock.now()),
        ),
        Periodic(
            name="groups by date",
            every_seconds=_DAYS_EVERY_SECONDS,
            do=lambda: follow_groups(database, at=clock.now()),
        ),
        Periodic(
            name="compute scores",
            every_seconds=_SCORES_EVERY_SECONDS,
            do=lambda: compute_scores(database, at=clock.now()),
        ),
        Periodic(
            name="expire blacklist entries",
            every_seconds=_TIDY_EVERY_SECONDS,
            do=lambda: expire_entries(database, at=clock.now()),
        ),
        Periodic(
            name="hand over judgements",
            every_seconds=_DAYS_EVERY_SECONDS,
            do=lambda: hand_over(database, at=clock.now()),
        ),
        Periodic(name="tidy", every_seconds=_TIDY_EVERY_SECONDS, do=lambda: tidy(database)),
        Periodic(name="sweep", every_seconds=_TIDY_EVERY_SECONDS, do=lambda: asyncio.to_thread(runner.sweep)),
        Periodic(name="sweep imports", every_seconds=_TIDY_EVERY_SECONDS, do=lambda: asyncio.to_thread(legacy.sweep)),
    ]


async def main() -> None:
    """Run until a signal."""
    settings = Settings()
    configure_logs(service="suppliers-worker", level=settings.log_level)
    database = Database(
        app_url=settings.database_url,
        system_url=settings.system_database_url,
        pool_size=settings.sync_jobs_at_once + 7,
    )
    neighbours = Neighbours(settings)
    runner = sync_runner(settings, database=database, catalog=CatalogClient(neighbours.client("catalog")))
    papers = paper_folder(settings)
    exports = ExportRunner(DATA_OUT, database=database, data_dir=settings.data_dir)
    legacy = import_runner(settings, database=database, members=MembersClient(neighbours.client("members")))
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
        periodic=_periodic(database, exports=exports, papers=papers, runner=runner, legacy=legacy),
        loops=[
            exports.work,
            *(partial(work_syncs, runner) for _ in range(settings.sync_jobs_at_once)),
            partial(work_imports, legacy),
        ],
        closing=[neighbours.aclose, database.dispose],
    )


if __name__ == "__main__":
    asyncio.run(main())
