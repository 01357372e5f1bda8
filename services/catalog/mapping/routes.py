"""Imports of material codes over HTTP: sent, watched, given up; what was wrong with their rows."""

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse

from services.catalog.mapping import actions, queries
from services.catalog.mapping.actions import MappingJobNotFound, MappingJobStateWrong
from services.catalog.mapping.callers import (
    CompanyMissing,
    ForCompany,
    MappingEditor,
    MappingReader,
    company_of,
    scoped,
)
from services.catalog.mapping.jobs import MappingRunner
from services.catalog.mapping.parsing import MEDIA_TYPES
from services.catalog.mapping.rules import KIND, JobState
from services.catalog.mapping.schemas import (
    FILE_BODY,
    HistoryView,
    JobView,
    NoteBody,
    RowErrorView,
    error_view,
    history_view,
    job_view,
)
from services.catalog.mapping.tables import MappingJob
from services.catalog.settings import Settings
from shared import clock, idempotency
from shared.database import Database, ReadSession, WriteSession, transaction
from shared.errors import Conflict, TooLarge, UnsupportedMedia, refusals
from shared.http import Now
from shared.http import router as house_router
from shared.idempotency import EXEMPT, IdempotencyKeyMissing, IdempotencyKeyReused, RequestStillRunning
from shared.identity import CompanyNeeded, NotYours
from shared.ids import new_id
from shared.paging import CursorInvalid, PageQuery
from shared.uploads import spooled

router = house_router("/catalog", tag="code mapping")

_BODY_BYTES_AT_MOST = 1024 * 1024 * 1024
_CSV_DANGERS = ("=", "+", "-", "@", "\t", "\r")
_SCOPE = (CompanyMissing, CompanyNeeded, NotYours)
_KEYED = (IdempotencyKeyMissing, IdempotencyKeyReused, RequestStillRunning)


class MappingFileNotRead(UnsupportedMedia):
    """A file of material codes is CSV or XLSX, named by Content-Type."""


class MappingFileTooLarge(TooLarge):
    """The file is larger than an import may be; send it in parts."""


class GroupMissing(Conflict):
    """Codes are uploaded for a group by a member of it."""


@router.post(
    "/mapping-jobs",
    status_code=202,
    summary="Upload a company's material codes",
    response_model=JobView,
    responses={
        **refusals(
            MappingFileNotRead, MappingFileTooLarge, GroupMissing, MappingJobStateWrong, IdempotencyKeyMissing, *_SCOPE
        ),
        200: {"model": JobView, "description": "The same file was sent before: the import it has already."},
    },
    openapi_extra={**EXEMPT, "x-body-limit": _BODY_BYTES_AT_MOST, "requestBody": FILE_BODY},
)
async def upload_codes(
    *,
    request: Request,
    response: Response,
    caller: MappingEditor,
    company_id: ForCompany = None,
    file_name: Annotated[str, Query(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] = "",
    dry_run: Annotated[bool, Query(description="Stop at MATCHED, for a look at what would come of it.")] = False,
    for_group: Annotated[bool, Query(description="Your group's companies may use the codes too.")] = False,
) -> JobView:
    """The worker parses, validates and matches it; a second person reviews; nothing is visible before that.

    The import's key is company, kind and the file's hash: the same file answers with the same import, whatever the
    Idempotency-Key, and once an import failed, was cancelled or rolled back it may be sent again.
    """
    idempotency.key_of(request)
    company = company_of(caller, company_id)
    if for_group and (caller.group_id is None or caller.company_id != company):
        told = (
            "You belong to no group." if caller.company_id == company else "A person of the company shares its codes."
        )
        raise GroupMissing(told)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in MEDIA_TYPES:
        raise MappingFileNotRead(f"Content-Type {kind or '(none)'!r}: send one of {', '.join(MEDIA_TYPES)}.")
    settings: Settings = request.app.state.settings
    runner: MappingRunner = request.app.state.mapping_runner
    database: Database = request.app.state.database
    job_id = new_id()
    path = runner.folder / f"{job_id}.body"
    body = await spooled(request, path, limit=settings.mapping_limit_bytes, too_large=MappingFileTooLarge)
    now = clock.now()
    new = MappingJob(
        company_id=company,
        id=job_id,
        kind=KIND,
        file_hash=body.digest,
        file_name=file_name,
        file=path.name,
        format=MEDIA_TYPES[kind],
        state=JobState.UPLOADED,
        dry_run=dry_run,
        group_id=caller.group_id if for_group else None,
        uploaded_by=caller.subject,
        bytes_total=body.size,
        created_at=now,
        updated_at=now,
    )
    try:
        async with transaction(database.app, company) as session:
            job, fresh = await actions.receive(session, new=new, by=caller, at=now)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    if not fresh:
        path.unlink(missing_ok=True)
        response.status_code = 200
    response.headers["Location"] = f"/catalog/mapping-jobs/{job.id}"
    return job_view(job, repeated=not fresh)


@router.get("/mapping-jobs", summary="List imports, the newest first", responses=refusals(CursorInvalid, *_SCOPE))
async def list_jobs(
    *,
    caller: MappingReader,
    session: ReadSession,
    paging: PageQuery,
    response: Response,
    company_id: ForCompany = None,
    state: JobState | None = None,
) -> list[JobView]:
    """Without the counts of their rows."""
    company = await scoped(session, caller, company_id)
    after = paging.after_as(UUID)
    rows = await queries.jobs_page(
        session, company_id=company, state=state, before=after[0] if after else None, limit=paging.limit + 1
    )
    return [job_view(job) for job in paging.page(rows, response, key=lambda row: [row.id])]


@router.get(
    "/mapping-jobs/{job_id}", summary="What became of an import", responses=refusals(MappingJobNotFound, *_SCOPE)
)
async def read_job(
    *, job_id: UUID, caller: MappingReader, session: ReadSession, company_id: ForCompany = None
) -> JobView:
    """State, progress, and how many rows stand in each state."""
    company = await scoped(session, caller, company_id)
    job = await actions.found_job(session, company_id=company, job_id=job_id)
    return job_view(job, counted=True)


@router.post(
    "/mapping-jobs/{job_id}/review",
    summary="Send a dry run on to review",
    responses=refusals(MappingJobNotFound, MappingJobStateWrong, *_SCOPE, *_KEYED),
)
async def begin_review(
    *, job_id: UUID, caller: MappingEditor, session: WriteSession, now: Now, company_id: ForCompany = None
) -> JobView:
    """What it found is kept; nothing is read again."""
    company = await scoped(session, caller, company_id)
    return job_view(await actions.begin_review(session, company_id=company, job_id=job_id, by=caller, at=now))


@router.post(
    "/mapping-jobs/{job_id}/cancellation",
    summary="Give an import up",
    responses=refusals(MappingJobNotFound, MappingJobStateWrong, *_SCOPE, *_KEYED),
)
async def cancel_job(
    *,
    job_id: UUID,
    body: NoteBody,
    caller: MappingEditor,
    session: WriteSession,
    now: Now,
    company_id: ForCompany = None,
) -> JobView:
    """Before it is published; the same file may be sent again afterwards."""
    company = await scoped(session, caller, company_id)
    job = await actions.cancel(session, company_id=company, job_id=job_id, by=caller, note=body.note, at=now)
    return job_view(job)


@router.get(
    "/mapping-jobs/{job_id}/history",
    summary="Who did what with an import, and when",
    responses=refusals(MappingJobNotFound, CursorInvalid, *_SCOPE),
)
async def read_history(
    *,
    job_id: UUID,
    caller: MappingReader,
    session: ReadSession,
    paging: PageQuery,
    response: Response,
    company_id: ForCompany = None,
    row_no: Annotated[int | None, Query(ge=1, lt=2**62)] = None,
) -> list[HistoryView]:
    """Every move of the import and every decision about a row of it, in order."""
    company = await scoped(session, caller, company_id)
    await actions.found_job(session, company_id=company, job_id=job_id)
    after = paging.after_as(UUID)
    rows = await queries.history_page(
        session,
        company_id=company,
        job_id=job_id,
        row_no=row_no,
        after=after[0] if after else None,
        limit=paging.limit + 1,
    )
    return [history_view(entry) for entry in paging.page(rows, response, key=lambda row: [row.id])]


@router.get(
    "/mapping-jobs/{job_id}/errors",
    summary="What was wrong with rows",
    responses=refusals(MappingJobNotFound, CursorInvalid, *_SCOPE),
)
async def list_errors(
    *,
    job_id: UUID,
    caller: MappingReader,
    session: ReadSession,
    paging: PageQuery,
    response: Response,
    company_id: ForCompany = None,
) -> list[RowErrorView]:
    """Row number, column, code and text, in the order of the file."""
    company = await scoped(session, caller, company_id)
    await actions.found_job(session, company_id=company, job_id=job_id)
    after = paging.after_as(int, str, str)
    rows = await queries.errors_page(
        session,
        company_id=company,
        job_id=job_id,
        after=(after[0], after[1], after[2]) if after else None,
        limit=paging.limit + 1,
    )
    shown = paging.page(rows, response, key=lambda row: [row.row_no, row.column_name, row.code])
    return [error_view(error) for error in shown]


@router.get(
    "/mapping-jobs/{job_id}/errors.csv",
    summary="The same as CSV",
    response_class=StreamingResponse,
    responses={
        **refusals(MappingJobNotFound, *_SCOPE),
        200: {"content": {"text/csv": {}}, "description": "All row errors."},
    },
)
async def errors_csv(
    *, request: Request, job_id: UUID, caller: MappingReader, company_id: ForCompany = None
) -> StreamingResponse:
    """A text that a spreadsheet would take for a formula begins with an apostrophe."""
    company = company_of(caller, company_id)
    database: Database = request.app.state.database

    async def read(after: tuple[int, str, str] | None) -> list[RowErrorView]:
        async with transaction(database.app, company) as session:
            await actions.found_job(session, company_id=company, job_id=job_id)
            rows = await queries.errors_page(session, company_id=company, job_id=job_id, after=after, limit=5000)
        return [error_view(row) for row in rows]

    first = await read(None)
    return StreamingResponse(
        _csv_lines(first, read),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="mapping-errors-{job_id}.csv"'},
    )


async def _csv_lines(
    rows: list[RowErrorView], read: Callable[[tuple[int, str, str] | None], Awaitable[list[RowErrorView]]]
) -> AsyncIterator[str]:
    columns = list(RowErrorView.model_fields)
    yield "\ufeff" + ",".join(columns) + "\n"
    while rows:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        for row in rows:
            writer.writerow([_harmless(getattr(row, column)) for column in columns])
        yield out.getvalue()
        last = rows[-1]
        rows = await read((last.row, last.column, last.code))


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_CSV_DANGERS) else value
