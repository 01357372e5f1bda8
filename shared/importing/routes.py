"""The HTTP side of one kind of legacy file: sent, watched, reviewed, approved, taken back; its row errors as a file."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from shared import clock, idempotency
from shared.database import Database, ReadSession, WriteSession, scope_to, transaction
from shared.errors import Refusal, TooLarge, UnsupportedMedia, refusals
from shared.http import Now
from shared.http import router as house_router
from shared.idempotency import EXEMPT, IdempotencyKeyMissing, IdempotencyKeyReused, RequestStillRunning
from shared.identity import CompanyNeeded, Principal, Requires, Role
from shared.ids import new_id
from shared.importing import listing, review, store
from shared.importing.files import MEDIA_TYPES
from shared.importing.review import DecisionsRefused, RowsStillOpen
from shared.importing.runner import ImportKind, ImportRunner
from shared.importing.schemas import (
    ApprovalBody,
    DecisionsAnswer,
    DecisionsBody,
    HistoryView,
    ImportView,
    NoteBody,
    RowErrorView,
    RowView,
    file_body,
    import_view,
)
from shared.importing.states import JobState, RowState
from shared.importing.store import Import, ImportNotFound, ImportStateWrong, OwnImport
from shared.paging import CursorInvalid, PageQuery
from shared.uploads import spooled

LIMIT_BYTES = 256 * 1024 * 1024
_CSV_DANGERS = ("=", "+", "-", "@", "\t", "\r")
_KEYED = (IdempotencyKeyMissing, IdempotencyKeyReused, RequestStillRunning)
_ON_AN_IMPORT = (ImportNotFound, ImportStateWrong, CompanyNeeded, *_KEYED)

ImportReader = Annotated[
    Principal, Depends(Requires(roles=[Role.REQUESTER, Role.BUYER, Role.APPROVER, Role.FINANCE, Role.ADMIN]))
]
ImportEditor = Annotated[Principal, Depends(Requires(roles=[Role.BUYER, Role.ADMIN]))]
"""Uploads, gives up. The company's own people alone: what a legacy platform holds is no business of an operator."""
ImportReviewer = Annotated[Principal, Depends(Requires(roles=[Role.BUYER, Role.APPROVER, Role.ADMIN]))]
"""Decides, approves, takes back; that it is not the importer is a rule of its own."""


class ImportFileNotRead(UnsupportedMedia):
    """A legacy file is CSV or XLSX, named by Content-Type."""


class ImportFileTooLarge(TooLarge):
    """The file is larger than an import may be; send it in parts."""


def import_router(prefix: str, *, tag: str, kind: ImportKind, what: str, in_use: type[Refusal]) -> APIRouter:
    """The routes of one kind of file; `what` names its rows in the descriptions, `in_use` refuses a rollback.

    The app's state holds the `import_runner` and the `database`.
    """
    router = house_router(prefix, tag=tag)
    _add_upload(router, prefix, kind, what)
    _add_reading(router, kind, what)
    _add_history(router, kind, what)
    _add_error_file(router, kind, what)
    _add_review(router, kind, what)
    _add_endings(router, kind, what, in_use)
    return router


def _add_upload(router: APIRouter, prefix: str, kind: ImportKind, what: str) -> None:
    @router.post(
        "",
        status_code=202,
        summary=f"Upload {what} of a legacy platform",
        responses={
            **refusals(ImportFileNotRead, ImportFileTooLarge, ImportStateWrong, IdempotencyKeyMissing, CompanyNeeded),
            200: {"model": ImportView, "description": "The same file was sent before: the import it has already."},
        },
        openapi_extra={**EXEMPT, "x-body-limit": LIMIT_BYTES, "requestBody": file_body(kind.columns)},
    )
    async def upload(
        *,
        request: Request,
        response: Response,
        caller: ImportEditor,
        file_name: Annotated[str, Query(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] = "",
        dry_run: Annotated[bool, Query(description="Stop at MATCHED, for a look at what would come of it.")] = False,
    ) -> ImportView:
        """The worker parses and matches it, a second person reviews and approves; nothing is visible before that.

        The import's key is company, kind and the file's hash: the same file answers with the same import, whatever
        the Idempotency-Key, and once an import failed, was cancelled or rolled back it may be sent again.
        """
        idempotency.key_of(request)
        company = caller.company
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media not in MEDIA_TYPES:
            raise ImportFileNotRead(f"Content-Type {media or '(none)'!r}: send one of {', '.join(MEDIA_TYPES)}.")
        runner: ImportRunner = request.app.state.import_runner
        database: Database = request.app.state.database
        import_id = new_id()
        path = runner.folder / f"{import_id}.body"
        body = await spooled(request, path, limit=LIMIT_BYTES, too_large=ImportFileTooLarge)
        now = clock.now()
        new = Import(
            company_id=company,
            id=import_id,
            group_id=caller.group_id or company,
            company_name=caller.company_name or "",
            kind=kind.name,
            file_hash=body.digest,
            file_name=file_name,
            file=path.name,
            format=MEDIA_TYPES[media],
            state=JobState.UPLOADED,
            dry_run=dry_run,
            uploaded_by=caller.subject,
            bytes_total=body.size,
            created_at=now,
            updated_at=now,
        )
        try:
            async with transaction(database.app, company) as session:
                job, fresh = await store.receive(session, new=new, by=caller)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        if not fresh:
            path.unlink(missing_ok=True)
            response.status_code = 200
        response.headers["Location"] = f"{prefix}/{job.id}"
        return import_view(job, repeated=not fresh)


def _add_reading(router: APIRouter, kind: ImportKind, what: str) -> None:
    @router.get(
        "", summary=f"List imports of {what}, the newest first", responses=refusals(CursorInvalid, CompanyNeeded)
    )
    async def list_imports(
        caller: ImportReader, session: ReadSession, paging: PageQuery, response: Response
    ) -> list[ImportView]:
        """Your company's own, without the counts of their rows."""
        after = paging.after_as(UUID)
        rows = await listing.page(
            session,
            company_id=caller.company,
            kind=kind.name,
            before=after[0] if after else None,
            limit=paging.limit + 1,
        )
        return [import_view(job) for job in paging.page(rows, response, key=lambda row: [row.id])]

    @router.get(
        "/{import_id}",
        summary=f"What became of an import of {what}",
        responses=refusals(ImportNotFound, CompanyNeeded),
    )
    async def read_import(import_id: UUID, caller: ImportReader, session: ReadSession) -> ImportView:
        """State, how many rows stand in each state and with which outcome, how often each remark was made."""
        job = await store.found(session, company_id=caller.company, import_id=import_id, kind=kind.name)
        return import_view(
            job,
            counts=await listing.counts(session, job=job),
            remarks=await listing.remark_counts(session, job=job),
        )

    @router.get(
        "/{import_id}/rows",
        summary=f"Rows of an import of {what} and what becomes of them",
        responses=refusals(ImportNotFound, CursorInvalid, CompanyNeeded),
    )
    async def list_rows(
        *,
        import_id: UUID,
        caller: ImportReader,
        session: ReadSession,
        paging: PageQuery,
        response: Response,
        state: RowState | None = None,
        outcome: Annotated[str | None, Query(max_length=60, pattern=r"^[A-Za-z_]+$")] = None,
    ) -> list[RowView]:
        """In the order of the file."""
        job = await store.found(session, company_id=caller.company, import_id=import_id, kind=kind.name)
        after = paging.after_as(int)
        rows = await store.rows_of(
            session,
            job=job,
            state=state,
            outcome=outcome,
            after=after[0] if after else 0,
            limit=paging.limit + 1,
        )
        return [RowView.model_validate(row) for row in paging.page(rows, response, key=lambda row: [row.row_no])]


def _add_history(router: APIRouter, kind: ImportKind, what: str) -> None:
    @router.get(
        "/{import_id}/history",
        summary=f"Who did what with an import of {what}, and when",
        responses=refusals(ImportNotFound, CursorInvalid, CompanyNeeded),
    )
    async def read_history(
        import_id: UUID, caller: ImportReader, session: ReadSession, paging: PageQuery, response: Response
    ) -> list[HistoryView]:
        """Every move of the import and every decision about a row of it, in order."""
        job = await store.found(session, company_id=caller.company, import_id=import_id, kind=kind.name)
        after = paging.after_as(UUID)
        rows = await listing.history_page(session, job=job, after=after[0] if after else None, limit=paging.limit + 1)
        return [HistoryView.model_validate(row) for row in paging.page(rows, response, key=lambda row: [row.id])]


def _add_error_file(router: APIRouter, kind: ImportKind, what: str) -> None:
    @router.get(
        "/{import_id}/errors",
        summary=f"What was wrong with rows of {what}",
        responses=refusals(ImportNotFound, CursorInvalid, CompanyNeeded),
    )
    async def list_errors(
        import_id: UUID, caller: ImportReader, session: ReadSession, paging: PageQuery, response: Response
    ) -> list[RowErrorView]:
        """Row number, column, code and text, in the order of the file."""
        job = await store.found(session, company_id=caller.company, import_id=import_id, kind=kind.name)
        after = paging.after_as(int, str, str)
        rows = await listing.remarks_page(
            session, job=job, after=(after[0], after[1], after[2]) if after else None, limit=paging.limit + 1
        )
        shown = paging.page(rows, response, key=lambda row: [row.row, row.column, row.code])
        return [RowErrorView.model_validate(row) for row in shown]

    @router.get(
        "/{import_id}/errors.csv",
        summary=f"What was wrong with rows of {what}, as CSV",
        response_class=StreamingResponse,
        responses={
            **refusals(ImportNotFound, CompanyNeeded),
            200: {"content": {"text/csv": {}}, "description": "All row errors."},
        },
    )
    async def errors_csv(request: Request, import_id: UUID, caller: ImportReader) -> StreamingResponse:
        """A text that a spreadsheet would take for a formula begins with an apostrophe."""
        company = caller.company
        database: Database = request.app.state.database
        async with transaction(database.app, company) as session:
            job = await store.found(session, company_id=company, import_id=import_id, kind=kind.name)
        return StreamingResponse(
            _csv_lines(database, job),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{kind.name}-errors-{import_id}.csv"'},
        )


async def _csv_lines(database: Database, job: Import) -> AsyncIterator[str]:
    columns = list(RowErrorView.model_fields)
    yield "\ufeff" + ",".join(columns) + "\n"
    after: tuple[int, str, str] | None = None
    while True:
        async with transaction(database.app, job.company_id) as session:
            rows = await listing.remarks_page(session, job=job, after=after, limit=5000)
        if not rows:
            return
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        for row in rows:
            writer.writerow([_harmless(getattr(row, column)) for column in columns])
        yield out.getvalue()
        after = (rows[-1].row, rows[-1].column, rows[-1].code)


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_CSV_DANGERS) else value


def _add_review(router: APIRouter, kind: ImportKind, what: str) -> None:
    @router.post(
        "/{import_id}/review",
        summary=f"Send a dry run of {what} on to review",
        responses=refusals(*_ON_AN_IMPORT),
    )
    async def begin_review(import_id: UUID, caller: ImportEditor, session: WriteSession, now: Now) -> ImportView:
        """What it found is kept; nothing is read again."""
        job = await review.begin(
            session, company_id=caller.company, import_id=import_id, kind=kind.name, by=caller, at=now
        )
        return import_view(job)

    @router.post(
        "/{import_id}/decisions",
        summary=f"Decide about rows of {what}",
        responses=refusals(DecisionsRefused, OwnImport, *_ON_AN_IMPORT),
    )
    async def decide(
        import_id: UUID, body: DecisionsBody, caller: ImportReviewer, session: WriteSession, now: Now
    ) -> DecisionsAnswer:
        """All are taken or none, by somebody else than who uploaded the file."""
        decided = await review.decide(
            session,
            company_id=caller.company,
            import_id=import_id,
            kind=kind.name,
            decisions=[each.as_decision for each in body.decisions],
            by=caller,
            at=now,
        )
        return DecisionsAnswer(decided=decided)

    @router.post(
        "/{import_id}/approval",
        summary=f"Approve an import of {what}; the worker publishes it",
        responses=refusals(OwnImport, RowsStillOpen, *_ON_AN_IMPORT),
    )
    async def approve(
        import_id: UUID, body: ApprovalBody, caller: ImportReviewer, session: WriteSession, now: Now
    ) -> ImportView:
        """By somebody else than who uploaded it, when nothing waits for a person any more."""
        job = await review.approve(
            session,
            company_id=caller.company,
            import_id=import_id,
            kind=kind.name,
            leave_open=body.leave_open,
            by=caller,
            at=now,
        )
        return import_view(job)


def _add_endings(router: APIRouter, kind: ImportKind, what: str, in_use: type[Refusal]) -> None:
    @router.post(
        "/{import_id}/cancellation",
        summary=f"Give an import of {what} up",
        responses=refusals(*_ON_AN_IMPORT),
    )
    async def cancel(
        import_id: UUID, body: NoteBody, caller: ImportEditor, session: WriteSession, now: Now
    ) -> ImportView:
        """Before it is published; the same file may be sent again afterwards."""
        job = await review.cancel(
            session,
            company_id=caller.company,
            import_id=import_id,
            kind=kind.name,
            by=caller,
            note=body.note,
            at=now,
        )
        return import_view(job)

    @router.post(
        "/{import_id}/rollback",
        summary=f"Take a publication of {what} back",
        responses=refusals(in_use, *_ON_AN_IMPORT),
    )
    async def roll_back(
        import_id: UUID, body: NoteBody, caller: ImportReviewer, session: WriteSession, now: Now
    ) -> ImportView:
        """Until a live document uses one of its rows."""
        company = caller.company
        job = await store.found(session, company_id=company, import_id=import_id, kind=kind.name, lock=True)
        await scope_to(session, company, job.group_id)
        await store.move(session, job=job, to=JobState.ROLLED_BACK, by=caller, at=now, note=body.note)
        await kind.taken_back(session, job=job, at=now)
        return import_view(await store.found(session, company_id=company, import_id=import_id, kind=kind.name))
