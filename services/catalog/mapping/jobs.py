"""Working imports off: one at a time under a lease, step by step; a worker that stops is followed by another."""

import asyncio
import contextlib
import time
from collections.abc import Hashable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from services.catalog.components import queries as component_queries
from services.catalog.mapping import actions, publishing, queries
from services.catalog.mapping.actions import ATTEMPTS_AT_MOST, ERRORS_AT_MOST, Lease, LeaseLost, Taken
from services.catalog.mapping.judging import CodeRow, Evidence, Judge, Proposal, ReadRow
from services.catalog.mapping.parsing import Format, ParsedRow, Sheet, opened, rows_of
from services.catalog.mapping.rules import JobState, RowState, is_sampled
from services.catalog.mapping.standards import StandardsRegister
from services.catalog.mapping.tables import MappingJob
from services.catalog.search import queries as search_queries
from services.catalog.units import queries as unit_queries
from shared import clock
from shared.audience import viewer_keys
from shared.database import Database, transaction
from shared.ids import new_id
from shared.logs import log
from shared.sheets import FileRefused

_PARSED_AT_ONCE = 5_000
_MATCHED_AT_ONCE = 1_000
_VARIANTS_AT_ONCE = 2_000
_ALIKE_AT_MOST = 10_000
"""Judgements kept while a file is matched: a few kilobytes each; whoever lists a thing lists it for every project."""
_KEPT_SECONDS = 24 * 3600


class MappingRunner:
    """Works jobs off, some rows a transaction; publishing is one."""

    def __init__(
        self, *, database: Database, folder: Path, standards: StandardsRegister, lease_seconds: float = 60
    ) -> None:
        self._database = database
        self.folder = folder
        self._standards = standards
        self._lease_seconds = lease_seconds

    async def run_next(self) -> bool:
        """Claim the next job and work it off; False when there is none."""
        lease = Lease(id=new_id(), seconds=self._lease_seconds)
        now = clock.now()
        async with transaction(self._database.system) as session:
            claimed = await queries.claim_next(session, lease_id=lease.id, until=lease.until(now), now=now)
        if claimed is None:
            return False
        await self.run(company_id=claimed[0], job_id=claimed[1], lease=lease)
        return True

    async def run(self, *, company_id: UUID, job_id: UUID, lease: Lease) -> None:
        """Take a job as far as the machine may."""
        steps = {
            JobState.UPLOADED: self._parse,
            JobState.PARSED: self._validate,
            JobState.VALIDATED: self._match,
            JobState.APPROVED: self._publish,
        }
        beating = asyncio.create_task(self._beat(company_id, job_id, lease))
        try:
            while True:
                async with transaction(self._database.app, company_id) as session:
                    job = await actions.found_job(session, company_id=company_id, job_id=job_id)
                step = steps.get(JobState(job.state))
                if step is None or job.lease_id != lease.id:
                    break
                if job.attempts > ATTEMPTS_AT_MOST:
                    raise FileRefused("GaveUp", f"The import could not be worked off in {ATTEMPTS_AT_MOST} attempts.")  # noqa: TRY301
                await step(job, lease)
        except FileRefused as refused:
            await self._refuse(company_id, job_id, lease, refused)
        except LeaseLost:
            log.info("mapping_let_go", job=str(job_id))
        except asyncio.CancelledError:
            await self._release(company_id, job_id, lease)
            raise
        finally:
            beating.cancel()

    async def _beat(self, company_id: UUID, job_id: UUID, lease: Lease) -> None:
        while True:
            await asyncio.sleep(lease.seconds / 3)
            with contextlib.suppress(LeaseLost):
                async with transaction(self._database.app, company_id) as session:
                    job = await actions.found_job(session, company_id=company_id, job_id=job_id)
                    await actions.leased(session, job=job, lease=lease, at=clock.now())

    async def _release(self, company_id: UUID, job_id: UUID, lease: Lease) -> None:
        """Let another worker take over at once: we were told to stop."""
        with contextlib.suppress(LeaseLost):
            async with transaction(self._database.app, company_id) as session:
                job = await actions.found_job(session, company_id=company_id, job_id=job_id)
                mine = await actions.leased(session, job=job, lease=lease, at=clock.now())
                mine.lease_id = mine.lease_until = None
                mine.attempts -= 1

    async def _refuse(self, company_id: UUID, job_id: UUID, lease: Lease, refused: FileRefused) -> None:
        async with transaction(self._database.app, company_id) as session:
            job = await actions.found_job(session, company_id=company_id, job_id=job_id, lock=True)
            if job.lease_id == lease.id and job.state in {JobState.UPLOADED, JobState.PARSED, JobState.VALIDATED}:
                actions.fail(
                    session, job=job, code=refused.code, detail=refused.detail, row=refused.row, at=clock.now()
                )
        self._forget(job)

    async def _parse(self, job: MappingJob, lease: Lease) -> None:
        path = self.folder / job.file
        if not path.exists():
            raise FileRefused("FileGone", "The file is no longer there; send it again.")
        sheet = await asyncio.to_thread(opened, path, format_=Format(job.format))
        ignored = ", ".join(sheet.header.unknown[:20])
        warnings = [f"Columns that are not read: {ignored}."] if ignored else []
        if sheet.encoding == "gb18030":
            warnings.append("The file was read as GB18030; UTF-8 is safer.")
        async with transaction(self._database.app, job.company_id) as session:
            await actions.begin_parsing(session, job=job, lease=lease, warnings=warnings, at=clock.now())
        await self._take_rows(job, lease, sheet)
        async with transaction(self._database.app, job.company_id) as session:
            await actions.parsed(session, job=job, lease=lease, at=clock.now())
        self._forget(job)

    async def _take_rows(self, job: MappingJob, lease: Lease, sheet: Sheet) -> None:
        rows, told = rows_of(sheet), 0
        while some := await asyncio.to_thread(_some, rows, _PARSED_AT_ONCE):
            taken = _taken(some, errors_at_most=ERRORS_AT_MOST - told)
            told += len(taken.errors)
            async with transaction(self._database.app, job.company_id) as session:
                await actions.take_rows(session, job=job, lease=lease, taken=taken, at=clock.now())

    async def _validate(self, job: MappingJob, lease: Lease) -> None:
        async with transaction(self._database.app, job.company_id) as session:
            await actions.validate(session, job=job, lease=lease, at=clock.now())

    async def _match(self, job: MappingJob, lease: Lease) -> None:
        async with transaction(self._database.app) as session:
            definitions = await component_queries.definitions(session)
            units = await unit_queries.all_units(session)
        active = {code: each for code, each in definitions.items() if not each.deprecated}
        judge, alike = Judge(active, units), dict[Hashable, Proposal]()
        after = job.last_row
        while True:
            async with transaction(self._database.app, job.company_id) as session:
                found = await queries.rows_to_match(
                    session, company_id=job.company_id, job_id=job.id, after=after, limit=_MATCHED_AT_ONCE
                )
            if not found:
                break
            proposals = await self._proposals(job, judge, found, alike)
            async with transaction(self._database.app, job.company_id) as session:
                await actions.propose(session, job=job, lease=lease, rows=proposals, at=clock.now())
            after = found[-1].row_no
        async with transaction(self._database.app, job.company_id) as session:
            await actions.matched(session, job=job, lease=lease, at=clock.now())

    async def _proposals(
        self, job: MappingJob, judge: Judge, found: Sequence[Any], alike: dict[Hashable, Proposal]
    ) -> list[dict[str, Any]]:
        """What the machine makes of some rows; `alike` are those already judged, so that none is judged twice."""
        if len(alike) > _ALIKE_AT_MOST:
            alike.clear()
        rows = [_code_row(row) for row in found]
        new = {each.likeness: each for each in rows if each.likeness not in alike}
        read = await asyncio.to_thread(lambda: [judge.read(row) for row in new.values()])
        evidence = await self._evidence(job, read, at=clock.now())
        proposals = await asyncio.to_thread(lambda: [judge.proposed(each, evidence) for each in read])
        alike |= zip(new, proposals, strict=True)
        return [_written(job, row.row_no, alike[each.likeness]) for row, each in zip(found, rows, strict=True)]

    async def _evidence(self, job: MappingJob, read: Sequence[ReadRow], *, at: datetime) -> Evidence:
        """What the offers that this company may see say about these rows, and the register of standards."""
        priced = {key for each in read if "price" in each.row.others for key in each.keys}
        items = {each.row.others["supplier_item"] for each in read if "supplier_item" in each.row.others}
        standards = {number for each in read for number in each.standards}
        classes = {each.row.others["ifc"] for each in read if "ifc" in each.row.others}
        async with transaction(self._database.app, job.company_id) as session:
            await search_queries.see_as(session, viewer=viewer_keys(company_id=job.company_id, group_id=job.group_id))
            return Evidence(
                medians=await queries.medians(session, keys=sorted(priced)),
                classes=await search_queries.types_naming(session, codes=sorted(classes)) if classes else {},
                items=await queries.variants_of_items(session, items=sorted(items)),
                withdrawn=await self._standards.withdrawn(session, numbers=standards, on=clock.business_date(at))
                if standards
                else frozenset(),
            )

    async def _publish(self, job: MappingJob, lease: Lease) -> None:
        impossible: list[str] = []
        after = ""
        while True:
            async with transaction(self._database.app, job.company_id) as session:
                keys = await publishing.keys_to_publish(session, job=job, after=after, limit=_VARIANTS_AT_ONCE)
                if not keys:
                    break
                impossible += await publishing.make_variants(session, keys=keys, at=clock.now())
            after = keys[-1]
        async with transaction(self._database.app, job.company_id) as session:
            await publishing.publish_job(session, job=job, lease=lease, impossible=impossible, at=clock.now())

    def _forget(self, job: MappingJob) -> None:
        for path in self.folder.glob(f"{Path(job.file).stem}.*"):
            path.unlink(missing_ok=True)

    def sweep(self) -> int:
        """Remove files that no job can want any more; how many."""
        old = [path for path in self.folder.glob("*.*") if path.stat().st_mtime < time.time() - _KEPT_SECONDS]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)


def _code_row(row: Any) -> CodeRow:
    return CodeRow(
        legacy_code=row.legacy_code,
        name=row.name,
        spec=row.spec,
        unit=row.unit,
        others=row.others,
        several=row.several,
    )


def _some(rows: Iterator[ParsedRow], size: int) -> list[ParsedRow]:
    return list(islice(rows, size))


def _taken(rows: Sequence[ParsedRow], *, errors_at_most: int) -> Taken:
    errors = [
        {
            "row_no": row.number,
            "column_name": error.column,
            "code": error.code,
            "severity": error.severity,
            "text": error.text,
        }
        for row in rows
        for error in row.errors
    ]
    kept = [
        {
            "row_no": row.number,
            "legacy_code": row.values["legacy_code"],
            "name": row.values["name"],
            "spec": row.values.get("spec", ""),
            "unit": row.values.get("unit", ""),
            "others": {
                key: value for key, value in row.values.items() if key not in {"legacy_code", "name", "spec", "unit"}
            },
        }
        for row in rows
        if row.taken
    ]
    return Taken(rows=kept, errors=errors[: max(0, errors_at_most)], read=len(rows), rejected=len(rows) - len(kept))


def _written(job: MappingJob, row_no: int, proposal: Proposal) -> dict[str, Any]:
    sampled = proposal.state is RowState.AUTO_ACCEPTED and is_sampled(
        company=str(job.company_id), file_hash=bytes(job.file_hash).hex(), row_no=row_no
    )
    return {
        "row_no": row_no,
        "state": proposal.state,
        "relation": proposal.relation,
        "score": str(Decimal(proposal.score)),
        "type_code": proposal.type_code,
        "candidates": proposal.candidates,
        "asks_for": proposal.asks_for,
        "parts": proposal.parts,
        "sampled": sampled,
    }


async def work_mappings(runner: MappingRunner, stop: asyncio.Event, *, idle_seconds: float = 0.5) -> None:
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
        except Exception as error:  # noqa: BLE001 - the lease ends by itself and the job is tried again
            log.error("mapping_failed", exc_info=error)
            worked = False
        if not worked:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), idle_seconds)
