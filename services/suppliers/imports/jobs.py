"""Working a sync off: by the worker, and by the app itself when the body is small.

A job is a row that is claimed under a lease, not an entry of a job queue: its place in the file must be committed
with every chunk anyway, and one row that says both "who works on it" and "how far it is" cannot disagree with itself.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import psycopg
import sqlalchemy.exc
from psycopg.errors import CheckViolation
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.imports import actions, queries
from services.suppliers.imports.actions import ATTEMPTS_AT_MOST, Lease, LeaseLost
from services.suppliers.imports.pipeline import NamedVariant
from services.suppliers.imports.preparing import prepare
from services.suppliers.imports.reading import Chunk, Prepared, chunks, variants_named
from services.suppliers.imports.rules import Format, VariantText, properties_of
from services.suppliers.imports.tables import SyncJob
from services.suppliers.offers.variants import VariantSource, known_keys, remember
from shared import clock
from shared.contracts.catalog import RESOLVE_AT_MOST, VariantReference, VariantSnapshot
from shared.database import Database, transaction
from shared.errors import Unavailable
from shared.ids import new_id
from shared.logs import log
from shared.sheets import FileRefused

_T = TypeVar("_T")

_TRIES = 5
_TRY_AGAIN_STATES = frozenset({"40001", "40P01", "55P03"})
_POSTPONE_SECONDS = 5.0
_REMEMBERED_AT_MOST = 200_000
_KEPT_SECONDS = 24 * 3600


class SyncRunner:
    """Works jobs off, one chunk of rows a transaction."""

    def __init__(
        self, *, database: Database, catalog: VariantSource, folder: Path, chunk_rows: int, lease_seconds: float
    ) -> None:
        self._database = database
        self._catalog = catalog
        self.folder = folder
        self._chunk_rows = chunk_rows
        self._lease_seconds = lease_seconds

    def new_lease(self) -> Lease:
        return Lease(id=new_id(), seconds=self._lease_seconds)

    async def run_next(self) -> bool:
        """Claim the next job and work it off; False when there is none."""
        lease = self.new_lease()
        now = clock.now()
        async with transaction(self._database.system) as session:
            claimed = await queries.claim_next(session, lease_id=lease.id, until=lease.until(now), now=now)
            if claimed is None:
                return False
            job = await queries.job(session, supplier_id=claimed[0], job_id=claimed[1])
        assert job is not None  # noqa: S101 - it was claimed in this transaction
        await self.run(job, lease)
        return True

    async def run_received(self, job: SyncJob, lease: Lease) -> None:
        """Work off a job that was received with our lease on it."""
        async with self._transaction(job) as session:
            await actions.start(session, job=job, lease=lease, at=clock.now())
        await self.run(job, lease)

    async def run(self, job: SyncJob, lease: Lease) -> None:
        """Go on with a job from where it stands."""
        beating = asyncio.create_task(self._beat(job, lease))
        try:
            await self._work(job, lease)
        except FileRefused as refused:
            async with self._transaction(job) as session:
                await actions.refuse(session, job=job, lease=lease, refused=refused, at=clock.now())
            self._forget(job)
        except LeaseLost:
            log.info("sync_taken_over", job=str(job.id))
        except Unavailable as away:
            log.warning("sync_postponed", job=str(job.id), error=away.detail)
            await self._postpone(job, lease, seconds=_POSTPONE_SECONDS)
        except asyncio.CancelledError:
            await self._postpone(job, lease, seconds=0)
            raise
        finally:
            beating.cancel()

    async def _postpone(self, job: SyncJob, lease: Lease, *, seconds: float) -> None:
        with contextlib.suppress(LeaseLost):
            async with self._transaction(job) as session:
                until = Lease(id=lease.id, seconds=seconds).until(clock.now())
                await actions.postpone(session, job=job, lease=lease, until=until)

    @contextlib.asynccontextmanager
    async def _transaction(self, job: SyncJob) -> AsyncIterator[AsyncSession]:
        async with transaction(self._database.app, job.supplier_id) as session:
            yield session

    async def _beat(self, job: SyncJob, lease: Lease) -> None:
        while True:
            await asyncio.sleep(lease.seconds / 3)
            with contextlib.suppress(OperationalError):
                async with self._transaction(job) as session:
                    until = lease.until(clock.now())
                    await actions.keep_lease(session, job=job, lease=lease, until=until)

    async def _work(self, job: SyncJob, lease: Lease) -> None:
        async with self._transaction(job) as session:
            job = await actions.leased(session, job=job, lease=lease)
        if job.attempts > ATTEMPTS_AT_MOST:
            raise FileRefused("GaveUp", f"The file could not be worked off in {ATTEMPTS_AT_MOST} attempts.")
        as_ = await self._prepared(job, lease)
        path = self.folder / as_.file
        if not path.exists():
            raise FileRefused("FileGone", "The file is no longer there; send it again.")
        await self._take_rows(job, lease, as_, path)
        async with self._transaction(job) as session:
            zeroing = await actions.begin_missing(session, job=job, lease=lease)
        while zeroing:
            zeroing = await _tried(partial(self._zero_some, job, lease)) > 0
        async with self._transaction(job) as session:
            await actions.complete(session, job=job, lease=lease, at=clock.now())
        self._forget(job)

    async def _zero_some(self, job: SyncJob, lease: Lease) -> int:
        async with self._transaction(job) as session:
            return await actions.zero_some(session, job=job, lease=lease, limit=self._chunk_rows, at=clock.now())

    async def _prepared(self, job: SyncJob, lease: Lease) -> Prepared:
        """How to read the file; a job taken over reads it as its first worker did."""
        if job.prepared is not None:
            return Prepared.from_json(job.prepared)
        path = self.folder / job.file
        if not path.exists():
            raise FileRefused("FileGone", "The file is no longer there; send it again.")
        as_ = await asyncio.to_thread(
            prepare, path, format_=Format(job.format), charset=job.encoding, may_price=job.may_price
        )
        async with self._transaction(job) as session:
            await actions.prepared(session, job=job, lease=lease, as_=as_)
        job.position = as_.start
        return as_

    async def _take_rows(self, job: SyncJob, lease: Lease, as_: Prepared, path: Path) -> None:
        size = await asyncio.to_thread(lambda: path.stat().st_size)
        names = _VariantNames(self._database, self._catalog)
        found = chunks(
            path,
            as_,
            position=job.position,
            row=as_.first_row + job.rows_done,
            size=self._chunk_rows,
            may_price=job.may_price,
        )
        async for chunk in _ahead(found):
            variants = await names.of(chunk)
            try:
                await _tried(partial(self._take_chunk, job, lease, chunk, variants, size))
            except (psycopg.DataError, CheckViolation, sqlalchemy.exc.DataError) as error:
                # Trying again would end the same way, and the supplier could send nothing else meanwhile.
                log.error("sync_chunk_refused", job=str(job.id), row=chunk.first_row, exc_info=error)
                last = chunk.first_row + chunk.rows - 1
                raise FileRefused(
                    "ValueNotStored",
                    f"A value in rows {chunk.first_row} to {last} cannot be stored; the rows before them are taken.",
                    row=chunk.first_row,
                ) from error

    async def _take_chunk(
        self, job: SyncJob, lease: Lease, chunk: Chunk, variants: list[NamedVariant], size: int
    ) -> None:
        async with self._transaction(job) as session:
            await actions.take_rows(
                session, job=job, lease=lease, chunk=chunk, variants=variants, size=size, at=clock.now()
            )

    def _forget(self, job: SyncJob) -> None:
        for path in self.folder.glob(f"{Path(job.file).stem}.*"):
            path.unlink(missing_ok=True)

    def sweep(self) -> int:
        """Remove bodies that no job can want any more; how many files."""
        old = [path for path in self.folder.glob("*.*") if path.stat().st_mtime < time.time() - _KEPT_SECONDS]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)


async def _tried(work: Callable[[], Awaitable[_T]]) -> _T:
    """Do a transaction's work, and again when another was in its way: it was undone whole."""
    for _ in range(_TRIES - 1):
        try:
            return await work()
        except (OperationalError, psycopg.OperationalError) as error:
            # What runs on the driver's own cursor raises the driver's errors.
            if getattr(getattr(error, "orig", error), "sqlstate", None) not in _TRY_AGAIN_STATES:
                raise
    return await work()


async def _ahead(found: Iterator[Chunk]) -> AsyncIterator[Chunk]:
    """Read the next chunk in a thread while the database works on the present one."""
    reading = asyncio.ensure_future(asyncio.to_thread(next, found, None))
    try:
        while (chunk := await reading) is not None:
            reading = asyncio.ensure_future(asyncio.to_thread(next, found, None))
            yield chunk
    finally:
        with contextlib.suppress(Exception):
            await asyncio.shield(reading)


class _VariantNames:
    """Which variants the rows of one file name; each is asked of `catalog` once."""

    def __init__(self, database: Database, catalog: VariantSource) -> None:
        self._database = database
        self._catalog = catalog
        self._named: dict[VariantText, NamedVariant] = {}

    async def of(self, chunk: Chunk) -> list[NamedVariant]:
        """Raises Unavailable when catalog does not answer."""
        texts = variants_named(chunk)
        if not texts:
            return []
        if len(self._named) > _REMEMBERED_AT_MOST:
            self._named.clear()
        await self._look_up([text for text in texts if text not in self._named])
        await self._ask([text for text in texts if text not in self._named])
        return [self._named[text] for text in texts]

    async def _look_up(self, texts: Sequence[VariantText]) -> None:
        keys = [text.variant for text in texts if text.variant]
        if keys:
            async with transaction(self._database.app) as session:
                known = await known_keys(session, keys=keys)
            for text in texts:
                if text.variant in known:
                    self._named[text] = NamedVariant(given=text.text, key=text.variant)

    async def _ask(self, texts: Sequence[VariantText]) -> None:
        asked: list[tuple[VariantText, VariantReference]] = []
        for text in texts:
            try:
                asked.append((text, _reference(text)))
            except ValueError as error:
                detail = str(error).splitlines()[0][:300]
                self._named[text] = NamedVariant(given=text.text, key=None, code="MalformedVariant", detail=detail)
        for begin in range(0, len(asked), RESOLVE_AT_MOST):
            part = asked[begin : begin + RESOLVE_AT_MOST]
            results = await self._catalog.resolve(references=[reference for _, reference in part])
            snapshots: list[VariantSnapshot] = []
            for (text, _), result in zip(part, results, strict=True):
                if result.variant is not None:
                    snapshots.append(result.variant)
                    self._named[text] = NamedVariant(given=text.text, key=result.variant.key)
                elif result.error is not None:
                    self._named[text] = NamedVariant(
                        given=text.text, key=None, code=result.error.code, detail=result.error.detail
                    )
            async with transaction(self._database.app) as session:
                await remember(session, snapshots=snapshots, at=clock.now())


def _reference(text: VariantText) -> VariantReference:
    """Raises ValueError."""
    if text.variant:
        return VariantReference(key=text.variant)
    return VariantReference(type=text.type, properties=dict(properties_of(text.properties or "")))


async def work_syncs(runner: SyncRunner, stop: asyncio.Event, *, idle_seconds: float = 0.2) -> None:
    """Work off jobs as they come, until told to stop; a job that is cut short is taken up again later."""
    while not stop.is_set():
        working = asyncio.ensure_future(runner.run_next())
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not working.done():
            working.cancel()
        try:
            worked = await working
        except asyncio.CancelledError:
            return
        except Exception as error:  # noqa: BLE001 - the lease ends by itself and the job is tried again
            log.error("sync_failed", exc_info=error)
            worked = False
        if not worked:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), idle_seconds)
