"""What happens to an import before people look at it: received, parsed, validated, matched, or refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.mapping import queries
from services.catalog.mapping.rules import JOB_MOVES, KIND, JobState
from services.catalog.mapping.tables import LIVE_JOB, MappingHistory, MappingJob
from shared.errors import Conflict, NotFound
from shared.identity import Principal
from shared.ids import new_id

ERRORS_AT_MOST = 100_000
"""Row errors kept of one job; the rest is only counted."""
ATTEMPTS_AT_MOST = 5
WORKER = "worker"


class MappingJobNotFound(NotFound):
    """The company has no such import."""


class MappingJobStateWrong(Conflict):
    """The import is not in a state in which this can be done; `detail` says in which it is."""


class LeaseLost(Exception):  # noqa: N818 - not a fault: somebody else goes on, or the job was cancelled
    """The job is no longer ours to work on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """Who works on a job, and for how long without a sign."""

    id: UUID
    seconds: float

    def until(self, at: datetime) -> datetime:
        return at + timedelta(seconds=self.seconds)


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """A row or an error of one, as the database takes it."""

    rows: Sequence[dict[str, Any]]
    errors: Sequence[dict[str, Any]]
    read: int
    rejected: int


_WRITTEN = (
    "company_id",
    "id",
    "kind",
    "file_hash",
    "file_name",
    "file",
    "format",
    "state",
    "dry_run",
    "group_id",
    "uploaded_by",
    "bytes_total",
    "created_at",
    "updated_at",
)
_INSERT_JOB = text(
    f"INSERT INTO mapping_jobs ({', '.join(_WRITTEN)}) VALUES ({', '.join(f':{name}' for name in _WRITTEN)}) "
    f"ON CONFLICT (company_id, kind, file_hash) WHERE {LIVE_JOB} DO NOTHING RETURNING id"
)
"""Two equal files at once: the second waits for the first to be committed, then gives way to it."""

_INSERT_ROWS = text(
    """
    INSERT INTO mapping_rows (company_id, job_id, row_no, imported_by, legacy_code, name, spec, unit, others, state)
    SELECT :company_id, :job_id, row_no, :imported_by, legacy_code, name, spec, unit, others, 'PROPOSED'
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (
        row_no bigint, legacy_code text, name text, spec text, unit text, others jsonb
    )
    ORDER BY row_no
    """
)
_INSERT_ERRORS = text(
    """
    INSERT INTO mapping_row_errors (company_id, job_id, row_no, column_name, code, severity, text)
    SELECT :company_id, :job_id, row_no, column_name, code, severity, text
    FROM jsonb_to_recordset(CAST(:errors AS jsonb)) AS new (
        row_no bigint, column_name text, code text, severity text, text text
    )
    ON CONFLICT DO NOTHING
    """
)
_DROP_REPEATED = text(
    """
    WITH numbered AS (
        SELECT row_no, legacy_code, min(row_no) OVER (
            PARTITION BY legacy_code, lower(replace(name || spec, ' ', ''))
        ) AS first FROM mapping_rows WHERE company_id = :company_id AND job_id = :job_id
    ), gone AS (
        DELETE FROM mapping_rows r USING numbered n
        WHERE r.company_id = :company_id AND r.job_id = :job_id AND r.row_no = n.row_no AND n.row_no > n.first
        RETURNING r.row_no, n.first
    ), told AS (
        INSERT INTO mapping_row_errors (company_id, job_id, row_no, column_name, code, severity, text)
        SELECT :company_id, :job_id, row_no, 'legacy_code', 'RepeatedRow', 'warning',
            'The same code with the same name and specification stands in row ' || first || '.'
        FROM gone ORDER BY row_no LIMIT :most
    )
    SELECT count(*) FROM gone
    """
)
_MARK_SEVERAL = text(
    """
    UPDATE mapping_rows r SET several = true
    FROM (
        SELECT legacy_code FROM mapping_rows WHERE company_id = :company_id AND job_id = :job_id
        GROUP BY legacy_code HAVING count(*) > 1
    ) s
    WHERE r.company_id = :company_id AND r.job_id = :job_id AND r.legacy_code = s.legacy_code
    """
)
_WRITE_PROPOSALS = text(
    """
    UPDATE mapping_rows r SET state = new.state, relation = new.relation, score = new.score,
        type_code = new.type_code, candidates = new.candidates, asks_for = new.asks_for, parts = new.parts,
        sampled = new.sampled
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (
        row_no bigint, state text, relation text, score numeric, type_code text, candidates jsonb,
        asks_for text[], parts jsonb, sampled boolean
    )
    WHERE r.company_id = :company_id AND r.job_id = :job_id AND r.row_no = new.row_no AND r.state = 'PROPOSED'
    """
)


async def found_job(session: AsyncSession, *, company_id: UUID, job_id: UUID, lock: bool = False) -> MappingJob:
    """The job. Raises MappingJobNotFound."""
    read = queries.job_for_update if lock else queries.job
    job = await read(session, company_id=company_id, job_id=job_id)
    if job is None:
        raise MappingJobNotFound(f"The company has no import {job_id}.")
    return job


def move(
    session: AsyncSession, *, job: MappingJob, to: JobState, by: Principal | None, at: datetime, note: str | None = None
) -> None:
    """Move a job on, and keep who did it.

    Raises:
        MappingJobStateWrong: it is no legal move.
    """
    if (JobState(job.state), to) not in JOB_MOVES:
        raise MappingJobStateWrong(f"The import is {job.state}; it cannot become {to}.")
    before = job.state
    job.state, job.updated_at = to, at
    job.version += 1
    keep(session, job=job, before=before, by=by, at=at, note=note)


def keep(
    session: AsyncSession,
    *,
    job: MappingJob,
    before: str | None,
    by: Principal | None,
    at: datetime,
    note: str | None = None,
) -> None:
    """Write the job's history."""
    session.add(
        MappingHistory(
            company_id=job.company_id,
            id=new_id(),
            job_id=job.id,
            before=before,
            after=job.state,
            who=WORKER if by is None else str(by.subject),
            who_name=WORKER if by is None else by.name,
            at=at,
            note=note,
        )
    )


async def receive(session: AsyncSession, *, new: MappingJob, by: Principal, at: datetime) -> tuple[MappingJob, bool]:
    """Take a file in, and whether it is new: the same file answers with the job it has already."""
    inserted = await session.execute(_INSERT_JOB, {name: getattr(new, name) for name in _WRITTEN})
    if inserted.one_or_none() is None:
        earlier = await queries.live_job_of_file(session, company_id=new.company_id, kind=KIND, file_hash=new.file_hash)
        if earlier is None:
            raise MappingJobStateWrong("The same file is being taken in at this moment; send it again.")
        return earlier, False
    job = await found_job(session, company_id=new.company_id, job_id=new.id)
    keep(session, job=job, before=None, by=by, at=at, note=new.file_name)
    return job, True


async def leased(session: AsyncSession, *, job: MappingJob, lease: Lease, at: datetime) -> MappingJob:
    """The job, locked for a step, its lease prolonged. Raises LeaseLost."""
    mine = await queries.job_for_update(session, company_id=job.company_id, job_id=job.id)
    if mine is None or mine.lease_id != lease.id or mine.state != job.state:
        raise LeaseLost
    mine.lease_until = lease.until(at)
    return mine


async def begin_parsing(
    session: AsyncSession, *, job: MappingJob, lease: Lease, warnings: list[str], at: datetime
) -> None:
    """Forget what an earlier worker took of the file: the reading begins anew."""
    mine = await leased(session, job=job, lease=lease, at=at)
    for table in ("mapping_rows", "mapping_row_errors"):
        await session.execute(
            text(f"DELETE FROM {table} WHERE company_id = :company_id AND job_id = :job_id"),
            {"company_id": job.company_id, "job_id": job.id},
        )
    mine.rows_read = mine.rows_taken = mine.rows_rejected = 0
    mine.warnings = warnings


async def take_rows(session: AsyncSession, *, job: MappingJob, lease: Lease, taken: Taken, at: datetime) -> None:
    """Keep some rows of the file, and what was wrong with others."""
    mine = await leased(session, job=job, lease=lease, at=at)
    ids = {"company_id": job.company_id, "job_id": job.id}
    if taken.rows:
        rows = orjson.dumps(taken.rows).decode()
        await session.execute(_INSERT_ROWS, {**ids, "imported_by": mine.uploaded_by, "rows": rows})
    if taken.errors:
        await session.execute(_INSERT_ERRORS, {**ids, "errors": orjson.dumps(taken.errors).decode()})
    mine.rows_read += taken.read
    mine.rows_taken += len(taken.rows)
    mine.rows_rejected += taken.rejected


async def parsed(session: AsyncSession, *, job: MappingJob, lease: Lease, at: datetime) -> None:
    """The whole file is read."""
    mine = await leased(session, job=job, lease=lease, at=at)
    if not mine.rows_taken:
        told = f"None of the {mine.rows_read} rows could be taken; the row errors say why."
        return fail(session, job=mine, code="NoRowTaken", detail=told, row=None, at=at)
    return move(session, job=mine, to=JobState.PARSED, by=None, at=at)


async def _joining_by_hash(session: AsyncSession) -> None:
    """Rows that were just written are in no statistics: PostgreSQL takes a file for a row and joins it with itself row
    by row, which is quadratic (four thousand rows took minutes)."""
    await session.execute(text("SET LOCAL enable_nestloop = off"))


async def validate(session: AsyncSession, *, job: MappingJob, lease: Lease, at: datetime) -> None:
    """Compare the rows with each other: repeated ones go, a code with several meanings is marked."""
    mine = await leased(session, job=job, lease=lease, at=at)
    await session.execute(text("SET LOCAL statement_timeout = '15min'"))
    await _joining_by_hash(session)
    ids = {"company_id": job.company_id, "job_id": job.id}
    dropped = await session.scalar(_DROP_REPEATED, {**ids, "most": ERRORS_AT_MOST})
    mine.rows_taken -= dropped or 0
    await session.execute(_MARK_SEVERAL, ids)
    move(session, job=mine, to=JobState.VALIDATED, by=None, at=at, note=f"{dropped} repeated rows" if dropped else None)


async def propose(
    session: AsyncSession, *, job: MappingJob, lease: Lease, rows: Sequence[dict[str, Any]], at: datetime
) -> None:
    """Write what the machine makes of some rows, and move on behind them, both or neither."""
    mine = await leased(session, job=job, lease=lease, at=at)
    ids = {"company_id": job.company_id, "job_id": job.id}
    await _joining_by_hash(session)
    await session.execute(_WRITE_PROPOSALS, {**ids, "rows": orjson.dumps(rows, default=str).decode()})
    mine.last_row = rows[-1]["row_no"]
    mine.rows_matched += len(rows)


async def matched(session: AsyncSession, *, job: MappingJob, lease: Lease, at: datetime) -> None:
    """All rows are judged; unless it was a dry run they go on to the reviewers."""
    mine = await leased(session, job=job, lease=lease, at=at)
    move(session, job=mine, to=JobState.MATCHED, by=None, at=at)
    if not mine.dry_run:
        move(session, job=mine, to=JobState.IN_REVIEW, by=None, at=at)
    mine.lease_id = mine.lease_until = None


def fail(session: AsyncSession, *, job: MappingJob, code: str, detail: str, row: int | None, at: datetime) -> None:
    """The file cannot be taken; the job says why, and the file may be sent again."""
    job.problem = {"code": code, "detail": detail, "row": row}
    move(session, job=job, to=JobState.FAILED, by=None, at=at, note=code)
    job.lease_id = job.lease_until = None


async def begin_review(
    session: AsyncSession, *, company_id: UUID, job_id: UUID, by: Principal, at: datetime
) -> MappingJob:
    """Send a dry run on to the reviewers. Raises MappingJobNotFound, MappingJobStateWrong."""
    job = await found_job(session, company_id=company_id, job_id=job_id, lock=True)
    move(session, job=job, to=JobState.IN_REVIEW, by=by, at=at)
    job.dry_run = False
    return job


async def cancel(
    session: AsyncSession, *, company_id: UUID, job_id: UUID, by: Principal, note: str | None, at: datetime
) -> MappingJob:
    """Give an import up; nothing of it was ever visible. Raises MappingJobNotFound, MappingJobStateWrong."""
    job = await found_job(session, company_id=company_id, job_id=job_id, lock=True)
    move(session, job=job, to=JobState.CANCELLED, by=by, at=at, note=note)
    job.lease_id = job.lease_until = None
    return job
