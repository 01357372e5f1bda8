"""Writing imports, their rows and what was wrong with them. Sessions are scoped to the import's company."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.errors import Conflict, Forbidden, NotFound
from shared.identity import Principal
from shared.importing.columns import RowError
from shared.importing.states import JobState, RowState, may_move
from shared.importing.tables import LIVE, TO_DO

ERRORS_AT_MOST = 100_000
"""Row errors kept of one import; the rest is only counted."""
WORKER = "worker"


class ImportNotFound(NotFound):
    """The company has no such import."""


class ImportStateWrong(Conflict):
    """The import is not in a state in which this can be done; `detail` says in which it is."""


class OwnImport(Forbidden):
    """Who uploaded a file neither decides about its rows nor approves it; a second person does."""


class LeaseLost(Exception):  # noqa: N818 - not a fault: somebody else goes on, or the import was cancelled
    """The import is no longer ours to work on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """Who works on an import, and for how long without a sign."""

    id: UUID
    seconds: float

    def until(self, at: datetime) -> datetime:
        return at + timedelta(seconds=self.seconds)


@dataclass(frozen=True, kw_only=True, slots=True)
class Import:
    """One file and what became of it. Its key is company, kind and the file's hash."""

    company_id: UUID
    id: UUID
    group_id: UUID
    company_name: str
    kind: str
    file_hash: bytes
    file_name: str
    file: str
    format: str
    state: JobState
    dry_run: bool
    uploaded_by: UUID
    bytes_total: int
    created_at: datetime
    updated_at: datetime
    approved_by: UUID | None = None
    approved_name: str | None = None
    approved_at: datetime | None = None
    rows_read: int = 0
    rows_rejected: int = 0
    rows_published: int = 0
    warnings: Sequence[str] = ()
    problem: Mapping[str, Any] | None = None
    attempts: int = 0
    lease_id: UUID | None = None
    lease_until: datetime | None = None

    @property
    def approver(self) -> Principal:
        """The second person, for what is done on its approval."""
        assert self.approved_by is not None  # noqa: S101 - asked of approved imports alone
        return Principal(
            subject=self.approved_by, kind="person", name=self.approved_name or "", company_id=self.company_id
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One row of a file."""

    row_no: int
    cells: Mapping[str, str]
    state: RowState = RowState.TAKEN
    outcome: str | None = None
    result: Mapping[str, Any] = field(default_factory=dict)
    choice: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What becomes of a row, with remarks for the error file."""

    row_no: int
    state: RowState
    outcome: str
    result: Mapping[str, Any] = field(default_factory=dict)
    remarks: Sequence[RowError] = ()


_WRITTEN = (
    "company_id", "id", "group_id", "company_name", "kind", "file_hash", "file_name", "file", "format", "state",
    "dry_run", "uploaded_by", "bytes_total", "created_at", "updated_at",
)  # fmt: skip
_INSERT = text(
    f"INSERT INTO legacy_imports ({', '.join(_WRITTEN)}) VALUES ({', '.join(f':{name}' for name in _WRITTEN)}) "
    f"ON CONFLICT (company_id, kind, file_hash) WHERE {LIVE} DO NOTHING RETURNING id"
)
"""Two equal files at once: the second waits for the first to be committed, then gives way to it."""
_CLAIM = text(
    f"""
    UPDATE legacy_imports SET lease_id = :lease_id, lease_until = :until, attempts = attempts + 1
    WHERE (company_id, id) = (
        SELECT company_id, id FROM legacy_imports WHERE {TO_DO} AND coalesce(lease_until < :now, true)
        ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING company_id, id
    """
)
_INSERT_ROWS = text(
    """
    INSERT INTO legacy_import_rows (company_id, import_id, row_no, imported_by, cells, state)
    SELECT :company_id, :import_id, row_no, :imported_by, cells, 'TAKEN'
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (row_no bigint, cells jsonb) ORDER BY row_no
    """
)
_INSERT_ERRORS = text(
    """
    INSERT INTO legacy_import_errors (company_id, import_id, row_no, column_name, code, severity, text)
    SELECT :company_id, :import_id, row_no, column_name, code, severity, text
    FROM jsonb_to_recordset(CAST(:errors AS jsonb)) AS new (
        row_no bigint, column_name text, code text, severity text, text text
    )
    ON CONFLICT DO NOTHING
    """
)
_WRITE_VERDICTS = text(
    """
    UPDATE legacy_import_rows r SET state = new.state, outcome = new.outcome, result = new.result
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (row_no bigint, state text, outcome text, result jsonb)
    WHERE r.company_id = :company_id AND r.import_id = :import_id AND r.row_no = new.row_no
    """
)


def import_of(row: Any) -> Import:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    return Import(**{**values, "state": JobState(values["state"]), "file_hash": bytes(values["file_hash"])})


async def found(session: AsyncSession, *, company_id: UUID, import_id: UUID, kind: str, lock: bool = False) -> Import:
    """An import of a kind. Raises ImportNotFound."""
    job = await _read(session, company_id, import_id, lock=lock)
    if job is None or job.kind != kind:
        raise ImportNotFound(f"The company has no import {import_id}.")
    return job


async def _read(session: AsyncSession, company_id: UUID, import_id: UUID, *, lock: bool) -> Import | None:
    query = "SELECT * FROM legacy_imports WHERE company_id = :company_id AND id = :id" + (" FOR UPDATE" if lock else "")
    row = (await session.execute(text(query), {"company_id": company_id, "id": import_id})).one_or_none()
    return None if row is None else import_of(row)


async def current(session: AsyncSession, *, company_id: UUID, import_id: UUID) -> Import:
    """An import, for the worker. Raises LeaseLost when it is gone."""
    job = await _read(session, company_id, import_id, lock=False)
    if job is None:
        raise LeaseLost
    return job


async def live_of_file(session: AsyncSession, *, company_id: UUID, kind: str, file_hash: bytes) -> Import | None:
    """The import that this file has already."""
    row = await session.execute(
        text(
            f"SELECT * FROM legacy_imports WHERE company_id = :company_id AND kind = :kind AND file_hash = :hash "
            f"AND {LIVE}"
        ),
        {"company_id": company_id, "kind": kind, "hash": file_hash},
    )
    one = row.one_or_none()
    return None if one is None else import_of(one)


async def claim_next(session: AsyncSession, *, lease: Lease, now: datetime) -> tuple[UUID, UUID] | None:
    """Take the oldest import nobody works on, of whichever company; its company and id."""
    values = {"lease_id": lease.id, "until": lease.until(now), "now": now}
    row = (await session.execute(_CLAIM, values)).one_or_none()
    return None if row is None else (row.company_id, row.id)


async def leased(session: AsyncSession, *, job: Import, lease: Lease, at: datetime) -> Import:
    """The import, locked for a step, its lease prolonged. Raises LeaseLost."""
    mine = await _read(session, job.company_id, job.id, lock=True)
    if mine is None or mine.lease_id != lease.id or mine.state is not job.state:
        raise LeaseLost
    await change(session, job=mine, lease_until=lease.until(at))
    return mine


async def change(session: AsyncSession, *, job: Import, **values: Any) -> None:
    """Write some columns of an import."""
    if values.get("problem") is not None:
        values["problem"] = orjson.dumps(values["problem"]).decode()
    assigned = ", ".join(
        f"{name} = CAST(:{name} AS jsonb)" if name == "problem" else f"{name} = :{name}" for name in values
    )
    await session.execute(
        text(f"UPDATE legacy_imports SET {assigned} WHERE company_id = :company_id_ AND id = :id_"),
        {**values, "company_id_": job.company_id, "id_": job.id},
    )


async def move(
    session: AsyncSession,
    *,
    job: Import,
    to: JobState,
    by: Principal | None,
    at: datetime,
    note: str | None = None,
    **values: Any,
) -> None:
    """Move an import on, and keep who did it. Raises ImportStateWrong when it is no legal move."""
    if not may_move(job.state, to):
        raise ImportStateWrong(f"The import is {job.state}; it cannot become {to}.")
    await change(session, job=job, state=to, updated_at=at, **values)
    await keep(session, job=job, before=job.state, after=to, by=by, at=at, note=note)


async def keep(
    session: AsyncSession,
    *,
    job: Import,
    before: str | None,
    after: str,
    by: Principal | None,
    at: datetime,
    note: str | None = None,
    row_no: int | None = None,
) -> None:
    """Write the history of an import, or of a row of it."""
    await session.execute(
        text(
            "INSERT INTO legacy_import_history (company_id, import_id, row_no, before, after, who, who_name, at, note) "
            "VALUES (:company_id, :import_id, :row_no, :before, :after, :who, :who_name, :at, :note)"
        ),
        {
            "company_id": job.company_id,
            "import_id": job.id,
            "row_no": row_no,
            "before": before,
            "after": after,
            "who": WORKER if by is None else str(by.subject),
            "who_name": WORKER if by is None else by.name,
            "at": at,
            "note": note,
        },
    )


async def receive(session: AsyncSession, *, new: Import, by: Principal) -> tuple[Import, bool]:
    """Take a file in, and whether it is new: the same file answers with the import it has already.

    It is looked for first: an insert would wait for whoever is moving that import on at this moment.
    """
    known = await live_of_file(session, company_id=new.company_id, kind=new.kind, file_hash=new.file_hash)
    if known is not None:
        return known, False
    inserted = await session.execute(_INSERT, {name: getattr(new, name) for name in _WRITTEN})
    if inserted.one_or_none() is None:
        earlier = await live_of_file(session, company_id=new.company_id, kind=new.kind, file_hash=new.file_hash)
        if earlier is None:
            raise ImportStateWrong("The same file is being taken in at this moment; send it again.")
        return earlier, False
    await keep(session, job=new, before=None, after=new.state, by=by, at=new.created_at, note=new.file_name)
    return new, True


async def forget_rows(session: AsyncSession, *, job: Import) -> None:
    """Forget what an earlier worker took of the file: the reading begins anew."""
    for table in ("legacy_import_rows", "legacy_import_errors"):
        await session.execute(
            text(f"DELETE FROM {table} WHERE company_id = :company_id AND import_id = :import_id"), ids_of(job)
        )


def ids_of(job: Import) -> dict[str, Any]:
    """The key of an import's rows."""
    return {"company_id": job.company_id, "import_id": job.id}


async def add_rows(session: AsyncSession, *, job: Import, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep rows of the file."""
    if rows:
        told = orjson.dumps(rows).decode()
        await session.execute(_INSERT_ROWS, {**ids_of(job), "imported_by": job.uploaded_by, "rows": told})


async def add_remarks(session: AsyncSession, *, job: Import, remarks: Sequence[tuple[int, RowError]]) -> None:
    """Keep what is wrong with rows."""
    if not remarks:
        return
    errors = [
        {"row_no": row_no, "column_name": each.column, "code": each.code, "severity": each.severity, "text": each.text}
        for row_no, each in remarks
    ]
    await session.execute(_INSERT_ERRORS, {**ids_of(job), "errors": orjson.dumps(errors).decode()})


async def write_verdicts(session: AsyncSession, *, job: Import, verdicts: Sequence[Verdict]) -> None:
    """Write what becomes of rows."""
    rows = [
        {"row_no": each.row_no, "state": each.state, "outcome": each.outcome, "result": each.result}
        for each in verdicts
    ]
    await session.execute(_WRITE_VERDICTS, {**ids_of(job), "rows": orjson.dumps(rows, default=str).decode()})
    await add_remarks(session, job=job, remarks=[(each.row_no, remark) for each in verdicts for remark in each.remarks])


async def rows_of(
    session: AsyncSession,
    *,
    job: Import,
    state: RowState | None = None,
    outcome: str | None = None,
    after: int = 0,
    limit: int | None = None,
) -> Sequence[Row]:
    """Rows in the order of the file."""
    found_rows = await session.execute(
        text(
            "SELECT row_no, cells, state, outcome, result, choice FROM legacy_import_rows "
            "WHERE company_id = :company_id AND import_id = :import_id AND row_no > :after "
            "AND (CAST(:state AS text) IS NULL OR state = :state) "
            "AND (CAST(:outcome AS text) IS NULL OR outcome = :outcome) ORDER BY row_no LIMIT :limit"
        ),
        {**ids_of(job), "state": state, "outcome": outcome, "after": after, "limit": limit},
    )
    return [
        Row(
            row_no=row.row_no,
            cells=row.cells,
            state=RowState(row.state),
            outcome=row.outcome,
            result=row.result,
            choice=row.choice,
        )
        for row in found_rows
    ]
