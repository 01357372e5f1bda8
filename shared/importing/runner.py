"""Working imports off: one at a time under a lease, step by step; a worker that stops is followed by another."""

import asyncio
import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock
from shared.database import Database, transaction
from shared.errors import Unavailable
from shared.ids import new_id
from shared.importing import store
from shared.importing.columns import TENANT, Columns, RowError
from shared.importing.files import Format, ParsedRow, Sheet, opened, rows_of
from shared.importing.states import JobState, RowState
from shared.importing.store import ERRORS_AT_MOST, Import, Lease, LeaseLost, Row, Verdict
from shared.logs import log
from shared.sheets import FileRefused

ATTEMPTS_AT_MOST = 5
_PARSED_AT_ONCE = 5_000
_WRITTEN_AT_ONCE = 2_000
_KEPT_SECONDS = 24 * 3600


class ImportKind(Protocol):
    """What a service says about one kind of file. Everything but `publish` and `take_back` runs outside the
    transaction in which its outcome is written, so other services may be asked (design.md rule 2)."""

    @property
    def name(self) -> str:
        """Part of an import's key."""
        ...

    @property
    def columns(self) -> Columns: ...

    def checked(self, cells: Mapping[str, str]) -> list[RowError]:
        """What is wrong with a row by itself; one `rejected` remark and the row is not taken."""
        ...

    async def judged(self, job: Import, rows: Sequence[Row]) -> Sequence[Verdict]:
        """What becomes of every row of a file. Raises FileRefused, Unavailable."""
        ...

    async def prepared(self, job: Import, rows: Sequence[Row]) -> None:
        """What must be there before the rows can be published, each part harmless to repeat."""
        ...

    async def published(self, session: AsyncSession, *, job: Import, rows: Sequence[Row], at: datetime) -> int:
        """Let the READY rows take effect, all in this transaction; how many."""
        ...

    async def taken_back(self, session: AsyncSession, *, job: Import, at: datetime) -> None:
        """Undo a publication. Raises a Conflict when a live document uses a row of it."""
        ...


class ImportRunner:
    """Works the imports of one service off."""

    def __init__(
        self, *, database: Database, folder: Path, kinds: Sequence[ImportKind], lease_seconds: float = 60
    ) -> None:
        self._database = database
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.kinds: Mapping[str, ImportKind] = {kind.name: kind for kind in kinds}
        self._lease_seconds = lease_seconds

    async def run_next(self) -> bool:
        """Claim the next import and work it off; False when there is none."""
        lease = Lease(id=new_id(), seconds=self._lease_seconds)
        async with transaction(self._database.system) as session:
            claimed = await store.claim_next(session, lease=lease, now=clock.now())
        if claimed is None:
            return False
        await self.run(company_id=claimed[0], import_id=claimed[1], lease=lease)
        return True

    async def run(self, *, company_id: UUID, import_id: UUID, lease: Lease) -> None:
        """Take an import as far as the machine may."""
        steps = {
            JobState.UPLOADED: self._parse,
            JobState.PARSED: self._validate,
            JobState.VALIDATED: self._match,
            JobState.APPROVED: self._publish,
        }
        beating = asyncio.create_task(self._beat(company_id, import_id, lease))
        try:
            while True:
                async with transaction(self._database.app, company_id) as session:
                    job = await store.current(session, company_id=company_id, import_id=import_id)
                step = steps.get(job.state)
                if step is None or job.lease_id != lease.id:
                    break
                if job.attempts > ATTEMPTS_AT_MOST:
                    raise FileRefused("GaveUp", f"The import could not be worked off in {ATTEMPTS_AT_MOST} attempts.")  # noqa: TRY301
                await step(job, lease)
        except FileRefused as refused:
            await self._refuse(company_id, import_id, lease, refused)
        except LeaseLost:
            log.info("import_let_go", job=str(import_id))
        except Unavailable as away:
            log.warning("import_waits", job=str(import_id), why=away.detail)
            await self._release(company_id, import_id, lease)
            raise
        except asyncio.CancelledError:
            await self._release(company_id, import_id, lease)
            raise
        finally:
            beating.cancel()

    async def _beat(self, company_id: UUID, import_id: UUID, lease: Lease) -> None:
        while True:
            await asyncio.sleep(lease.seconds / 3)
            with contextlib.suppress(LeaseLost):
                async with transaction(self._database.app, company_id) as session:
                    job = await store.current(session, company_id=company_id, import_id=import_id)
                    await store.leased(session, job=job, lease=lease, at=clock.now())

    async def _release(self, company_id: UUID, import_id: UUID, lease: Lease) -> None:
        """Let another worker take over at once: we were told to stop, or another service is away."""
        with contextlib.suppress(LeaseLost):
            async with transaction(self._database.app, company_id) as session:
                job = await store.current(session, company_id=company_id, import_id=import_id)
                mine = await store.leased(session, job=job, lease=lease, at=clock.now())
                await store.change(
                    session, job=mine, lease_id=None, lease_until=None, attempts=max(0, mine.attempts - 1)
                )

    async def _refuse(self, company_id: UUID, import_id: UUID, lease: Lease, refused: FileRefused) -> None:
        now = clock.now()
        problem = {"code": refused.code, "detail": refused.detail, "row": refused.row}
        async with transaction(self._database.app, company_id) as session:
            job = await store.current(session, company_id=company_id, import_id=import_id)
            mine = await store.leased(session, job=job, lease=lease, at=now)
            await store.move(
                session,
                job=mine,
                to=JobState.FAILED,
                by=None,
                at=now,
                note=f"{refused.code}: {refused.detail}",
                problem=problem,
                lease_id=None,
                lease_until=None,
            )
        self._forget(job)

    async def _parse(self, job: Import, lease: Lease) -> None:
        kind = self.kinds[job.kind]
        path = self.folder / job.file
        if not path.exists():
            raise FileRefused("FileGone", "The file is no longer there; send it again.")
        sheet = await asyncio.to_thread(opened, path, format_=Format(job.format), columns=kind.columns)
        ignored = ", ".join(sheet.header.unknown[:20])
        warnings = [f"Columns that are not read: {ignored}."] if ignored else []
        if sheet.encoding == "gb18030":
            warnings.append("The file was read as GB18030; UTF-8 is safer.")
        async with transaction(self._database.app, job.company_id) as session:
            await store.leased(session, job=job, lease=lease, at=clock.now())
            await store.forget_rows(session, job=job)
        read, taken = await self._take_rows(job, lease, kind, sheet)
        async with transaction(self._database.app, job.company_id) as session:
            mine = await store.leased(session, job=job, lease=lease, at=clock.now())
            counted: dict[str, Any] = {"rows_read": read, "rows_rejected": read - taken, "warnings": warnings}
            await store.move(session, job=mine, to=JobState.PARSED, by=None, at=clock.now(), **counted)
        if not taken:
            raise FileRefused("NoRowTaken", f"None of the {read} rows could be taken; the row errors say why.")
        self._forget(job)

    async def _take_rows(self, job: Import, lease: Lease, kind: ImportKind, sheet: Sheet) -> tuple[int, int]:
        rows, read, taken, told = rows_of(sheet, kind.columns), 0, 0, 0
        while some := await asyncio.to_thread(_some, rows, _PARSED_AT_ONCE):
            kept, remarks = [], []
            for row in some:
                _check_tenant(job, row)
                errors = [*row.errors, *(kind.checked(row.values) if row.taken else [])]
                remarks += [(row.number, error) for error in errors]
                if not any(error.severity == "rejected" for error in errors):
                    kept.append({"row_no": row.number, "cells": row.values})
            async with transaction(self._database.app, job.company_id) as session:
                await store.leased(session, job=job, lease=lease, at=clock.now())
                await store.add_rows(session, job=job, rows=kept)
                await store.add_remarks(session, job=job, remarks=remarks[: max(0, ERRORS_AT_MOST - told)])
            read, taken, told = read + len(some), taken + len(kept), told + len(remarks)
        return read, taken

    async def _validate(self, job: Import, lease: Lease) -> None:
        """Rows are compared with each other when they are judged: a kind knows what makes two rows one."""
        async with transaction(self._database.app, job.company_id) as session:
            mine = await store.leased(session, job=job, lease=lease, at=clock.now())
            await store.move(session, job=mine, to=JobState.VALIDATED, by=None, at=clock.now())

    async def _match(self, job: Import, lease: Lease) -> None:
        async with transaction(self._database.app, job.company_id) as session:
            rows = await store.rows_of(session, job=job)
        verdicts = list(await self.kinds[job.kind].judged(job, rows))
        for first in range(0, len(verdicts), _WRITTEN_AT_ONCE):
            async with transaction(self._database.app, job.company_id) as session:
                await store.leased(session, job=job, lease=lease, at=clock.now())
                some = verdicts[first : first + _WRITTEN_AT_ONCE]
                await store.write_verdicts(session, job=job, verdicts=some)
        async with transaction(self._database.app, job.company_id) as session:
            mine = await store.leased(session, job=job, lease=lease, at=clock.now())
            await store.move(session, job=mine, to=JobState.MATCHED, by=None, at=clock.now())
            if not mine.dry_run:
                matched = await store.current(session, company_id=job.company_id, import_id=job.id)
                await store.move(session, job=matched, to=JobState.IN_REVIEW, by=None, at=clock.now())
            await store.change(session, job=mine, lease_id=None, lease_until=None)

    async def _publish(self, job: Import, lease: Lease) -> None:
        kind = self.kinds[job.kind]
        async with transaction(self._database.app, job.company_id) as session:
            rows = await store.rows_of(session, job=job, state=RowState.READY)
        await kind.prepared(job, rows)
        async with transaction(self._database.app, job.company_id, job.group_id) as session:
            now = clock.now()
            mine = await store.leased(session, job=job, lease=lease, at=now)
            ready = await store.rows_of(session, job=mine, state=RowState.READY)
            done = await kind.published(session, job=mine, rows=ready, at=now)
            await store.move(
                session,
                job=mine,
                to=JobState.PUBLISHED,
                by=None,
                at=now,
                note=f"{done} rows",
                rows_published=done,
                lease_id=None,
                lease_until=None,
            )

    def _forget(self, job: Import) -> None:
        for path in self.folder.glob(f"{Path(job.file).stem}.*"):
            path.unlink(missing_ok=True)

    def sweep(self) -> int:
        """Remove files that no import can want any more; how many."""
        old = [path for path in self.folder.glob("*.*") if path.stat().st_mtime < time.time() - _KEPT_SECONDS]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)


def _some(rows: Iterator[ParsedRow], size: int) -> list[ParsedRow]:
    return list(islice(rows, size))


def _check_tenant(job: Import, row: ParsedRow) -> None:
    """Refuse the whole file when a row says that it is another company's record."""
    named = row.values.get(TENANT, "")
    own = {str(job.company_id), str(job.group_id), job.company_name.lower()}
    if named and named.lower() not in own:
        told = f"Row {row.number} names {named[:60]!r} as the owner of its record; this file may hold your own only."
        raise FileRefused("OtherTenantNamed", told, row=row.number)


async def work_imports(runner: ImportRunner, stop: asyncio.Event, *, idle_seconds: float = 0.5) -> None:
    """Work off imports as they come, until told to stop; one that is cut short is taken up again later."""
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
        except Exception as error:  # noqa: BLE001 - the lease ends by itself and the import is tried again
            log.error("import_failed", exc_info=error)
            worked = False
        if not worked:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), idle_seconds)
