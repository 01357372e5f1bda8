"""Syncs over HTTP: a body of any size is written to disk as it arrives, then worked off.

Not in a `WriteSession`: that would hold a transaction, and the whole body in memory, while the body arrives.
"""

import asyncio
import csv
import hashlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse

from services.suppliers.imports import actions, queries
from services.suppliers.imports.actions import SupplierNotRegistered, SyncUnderWay, under_way
from services.suppliers.imports.jobs import SyncRunner
from services.suppliers.imports.receiving import MediaNotRead, SyncTooLarge, format_of, wait_seconds
from services.suppliers.imports.rules import SyncMode, SyncState
from services.suppliers.imports.schemas import SYNC_BODY, problem_row, sync_view
from services.suppliers.imports.tables import SyncJob
from services.suppliers.settings import Settings
from shared import clock, idempotency
from shared.contracts.suppliers import SyncProblemRow, SyncView
from shared.database import Database, ReadSession, transaction
from shared.errors import FieldError, NotFound, Unprocessable, refusals
from shared.http import router as house_router
from shared.idempotency import EXEMPT, IdempotencyKeyMissing, IdempotencyKeyReused
from shared.identity import NotYours, Principal, Role, Scope, StockWriter, SupplierCaller, same_company
from shared.ids import new_id
from shared.paging import PageQuery
from shared.uploads import spooled

router = house_router("/suppliers", tag="sync")

BODY_BYTES_AT_MOST = 1024 * 1024 * 1024
_POLL_SECONDS = 0.05
_FINISHED = frozenset({SyncState.COMPLETED, SyncState.FAILED, SyncState.SKIPPED})
_CSV_DANGERS = ("=", "+", "-", "@", "\t", "\r")

Feed = Annotated[str, Query(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="Which of your ERPs, if you have several.")]


class SyncNotFound(NotFound):
    """You have no such sync."""


class SyncFileRefused(Unprocessable):
    """The file cannot be taken: truncated, malformed, an unknown column … Nothing of it was applied.

    The problem's `code` says why: FileTruncated, MalformedCsv, MalformedJson, UnknownColumn, ZipBomb, NulByte …
    """

    def __init__(self, problem: dict[str, Any], *, view: SyncView) -> None:
        row = problem.get("row")
        errors = (
            [] if row is None else [FieldError(field=f"row {row}", rule=problem["code"], message=problem["detail"])]
        )
        super().__init__(problem["detail"], errors=errors, row=row, sync=view.model_dump(mode="json"))
        self._code = str(problem["code"])

    @property
    def code(self) -> str:
        return self._code


async def _sync(
    request: Request, supplier_id: UUID, caller: Principal, *, mode: SyncMode, sequence: int | None, feed: str
) -> Response:
    same_company(caller, supplier_id, what="This supplier")
    key = idempotency.key_of(request) if request.method == "POST" else None
    format_, charset = format_of(request)
    database: Database = request.app.state.database
    settings: Settings = request.app.state.settings
    runner: SyncRunner = request.app.state.sync_runner
    async with transaction(database.app, supplier_id) as session:
        running = await queries.unfinished(session, supplier_id=supplier_id)
    if running is not None and key is None:
        raise under_way(supplier_id, running)
    job_id = new_id()
    body = await spooled(
        request, runner.folder / f"{job_id}.body", limit=settings.sync_limit_bytes, too_large=SyncTooLarge
    )
    inline = body.size <= settings.sync_inline_bytes
    lease = runner.new_lease()
    now = clock.now()
    asked = f"{mode} {sequence} {feed} {format_} {charset}".encode()
    new = SyncJob(
        supplier_id=supplier_id,
        id=job_id,
        feed=feed,
        mode=mode,
        sequence=sequence,
        idempotency_key=key,
        request_hash=hashlib.sha256(body.digest + asked).digest(),
        format=format_,
        file=body.path.name,
        bytes_total=body.size,
        encoding=charset,
        may_price=Role.SUPPLIER_SALES in caller.roles or Scope.PRICES_WRITE in caller.scopes,
        sent_by=str(caller.subject),
        lease_id=lease.id if inline else None,
        lease_until=lease.until(now) if inline else None,
        created_at=now,
    )
    try:
        async with transaction(database.app, supplier_id) as session:
            job = await actions.receive(session, new=new, at=now)
    except BaseException:
        body.path.unlink(missing_ok=True)
        raise
    if job.id != job_id or job.state == SyncState.SKIPPED:
        body.path.unlink(missing_ok=True)
    elif inline:
        await runner.run_received(job, lease)
    wait = settings.sync_wait_seconds if inline else wait_seconds(request, most=settings.sync_wait_seconds)
    return await _answer(database, job, wait=0 if inline else wait, replayed=job.id != job_id)


async def _answer(database: Database, job: SyncJob, *, wait: float, replayed: bool) -> Response:
    """The finished job, or (202) where to ask for it."""
    loop = asyncio.get_running_loop()
    deadline, pause = loop.time() + wait, _POLL_SECONDS
    while True:
        async with transaction(database.app, job.supplier_id) as session:
            view, problem = await _view(session, supplier_id=job.supplier_id, job_id=job.id)
        if view.state in _FINISHED or loop.time() >= deadline:
            break
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.5)
    if problem is not None:
        raise SyncFileRefused(problem, view=view)
    headers = {"Location": f"/suppliers/{job.supplier_id}/syncs/{job.id}"}
    if replayed:
        headers[idempotency.REPLAYED] = "true"
    if view.state not in _FINISHED:
        headers["Retry-After"] = "1"
    status = 200 if view.state in _FINISHED else 202
    return Response(view.model_dump_json(), status, headers, media_type="application/json")


async def _view(session: Any, *, supplier_id: UUID, job_id: UUID) -> tuple[SyncView, dict[str, Any] | None]:
    job = await queries.job(session, supplier_id=supplier_id, job_id=job_id)
    if job is None:
        raise SyncNotFound(f"You have no sync {job_id}.")
    stream = await queries.stream(session, supplier_id=supplier_id, feed=job.feed)
    rows = await queries.row_problems(
        session, supplier_id=supplier_id, job_id=job_id, severity=None, after_row=None, limit=20
    )
    needed = stream is not None and stream.snapshot_needed
    return sync_view(job, rows, snapshot_needed=needed), job.problem


_SYNC_REFUSALS = (
    NotYours,
    SupplierNotRegistered,
    SyncUnderWay,
    MediaNotRead,
    SyncTooLarge,
    SyncFileRefused,
)
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": SyncView, "description": "Worked off: what became of the rows."},
    202: {"model": SyncView, "description": "Taken in; `Location` says where to ask what became of it."},
}
Mode = Annotated[
    SyncMode, Query(description="`full`: what the file does not name at the stock points it names is zero.")
]
Sequence_ = Annotated[int | None, Query(ge=0, lt=2**62, description="1, 2, 3 … of this feed.")]


@router.put(
    "/{supplier_id}/sync",
    summary="Bring stock and prices up to date from a file",
    operation_id="put_sync",
    response_class=Response,
    responses={**refusals(*_SYNC_REFUSALS), **_ANSWERS},
    openapi_extra={"x-body-limit": BODY_BYTES_AT_MOST, "requestBody": SYNC_BODY},
)
async def put_sync(
    *,
    request: Request,
    supplier_id: UUID,
    caller: StockWriter,
    mode: Mode = SyncMode.DELTA,
    sequence: Sequence_ = None,
    feed: Feed = "default",
) -> Response:
    """Rows are judged one by one: good ones are taken, bad ones told with row, field and reason, none is lost.

    A file that is broken as a whole (truncated, malformed, an unknown column) is refused and changes nothing. The
    same file again changes nothing. A row's columns that are absent or empty leave what is stored alone.
    A sequence number that was taken before is answered as `repeated` or `late`; one that skips numbers is taken,
    and the answer asks for a full snapshot. A body up to 1 MB is answered when it is worked off; a larger one
    with 202 and the job's address, or like a small one with `Prefer: wait`.
    """
    return await _sync(request, supplier_id, caller, mode=mode, sequence=sequence, feed=feed)


@router.post(
    "/{supplier_id}/sync",
    summary="The same, once for each Idempotency-Key",
    operation_id="post_sync",
    response_class=Response,
    responses={**refusals(*_SYNC_REFUSALS, IdempotencyKeyMissing, IdempotencyKeyReused), **_ANSWERS},
    openapi_extra={**EXEMPT, "x-body-limit": BODY_BYTES_AT_MOST, "requestBody": SYNC_BODY},
)
async def post_sync(
    *,
    request: Request,
    supplier_id: UUID,
    caller: StockWriter,
    mode: Mode = SyncMode.DELTA,
    sequence: Sequence_ = None,
    feed: Feed = "default",
) -> Response:
    """As PUT, and the Idempotency-Key (kept with the job, not in the house's table) makes a retry safe to send."""
    return await _sync(request, supplier_id, caller, mode=mode, sequence=sequence, feed=feed)


@router.get("/{supplier_id}/syncs", summary="List your syncs, the newest first", responses=refusals(NotYours))
async def list_syncs(
    *, supplier_id: UUID, caller: SupplierCaller, session: ReadSession, paging: PageQuery, response: Response
) -> list[SyncView]:
    """Without their rows."""
    same_company(caller, supplier_id, what="This supplier")
    rows = await queries.jobs_page(session, supplier_id=supplier_id, before=paging.after, limit=paging.limit + 1)
    shown = paging.page(rows, response, key=lambda row: [row.id])
    return [sync_view(job, [], snapshot_needed=False) for job in shown]


@router.get(
    "/{supplier_id}/syncs/{job_id}", summary="What became of a sync", responses=refusals(NotYours, SyncNotFound)
)
async def read_sync(*, supplier_id: UUID, job_id: UUID, caller: SupplierCaller, session: ReadSession) -> SyncView:
    """State, progress, counts and the first rows with remarks."""
    same_company(caller, supplier_id, what="This sync")
    return (await _view(session, supplier_id=supplier_id, job_id=job_id))[0]


Severity = Annotated[Literal["rejected", "warning"] | None, Query()]


@router.get(
    "/{supplier_id}/syncs/{job_id}/problems",
    summary="Rows that were rejected, or taken with a warning",
    responses=refusals(NotYours, SyncNotFound),
)
async def list_problems(
    *,
    supplier_id: UUID,
    job_id: UUID,
    caller: SupplierCaller,
    session: ReadSession,
    paging: PageQuery,
    response: Response,
    severity: Severity = None,
) -> list[SyncProblemRow]:
    """In the order of the file."""
    same_company(caller, supplier_id, what="This sync")
    if await queries.job(session, supplier_id=supplier_id, job_id=job_id) is None:
        raise SyncNotFound(f"You have no sync {job_id}.")
    rows = await queries.row_problems(
        session,
        supplier_id=supplier_id,
        job_id=job_id,
        severity=severity,
        after_row=int(paging.after[0]) if paging.after else None,
        limit=paging.limit + 1,
    )
    return [problem_row(row) for row in paging.page(rows, response, key=lambda row: [row.row_no])]


@router.get(
    "/{supplier_id}/syncs/{job_id}/problems.csv",
    summary="The same as CSV",
    response_class=StreamingResponse,
    responses={**refusals(NotYours, SyncNotFound), 200: {"content": {"text/csv": {}}, "description": "All rows."}},
)
async def problems_csv(
    *, request: Request, supplier_id: UUID, job_id: UUID, caller: SupplierCaller, severity: Severity = None
) -> StreamingResponse:
    """All rows with remarks; a text that a spreadsheet would take for a formula begins with an apostrophe."""
    same_company(caller, supplier_id, what="This sync")
    database: Database = request.app.state.database

    async def read(after_row: int | None) -> list[SyncProblemRow]:
        async with transaction(database.app, supplier_id) as session:
            if await queries.job(session, supplier_id=supplier_id, job_id=job_id) is None:
                raise SyncNotFound(f"You have no sync {job_id}.")
            rows = await queries.row_problems(
                session, supplier_id=supplier_id, job_id=job_id, severity=severity, after_row=after_row, limit=5000
            )
        return [problem_row(row) for row in rows]

    first = await read(None)
    return StreamingResponse(
        _csv_lines(first, read),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="sync-{job_id}.csv"'},
    )


async def _csv_lines(
    rows: list[SyncProblemRow], read: Callable[[int | None], Awaitable[list[SyncProblemRow]]]
) -> AsyncIterator[str]:
    columns = list(SyncProblemRow.model_fields)
    yield "\ufeff" + ",".join(columns) + "\n"
    while rows:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        for row in rows:
            writer.writerow([_harmless(getattr(row, column)) for column in columns])
        yield out.getvalue()
        rows = await read(rows[-1].row)


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_CSV_DANGERS) else value
