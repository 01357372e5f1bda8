"""Papers over HTTP: handed in as files, read by their owner and reviewers, accepted or refused.

The upload is not in a `WriteSession`: that would hold a transaction, and the whole body in memory, while it arrives.
"""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from fastapi.responses import FileResponse
from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.consents import actions as consents
from services.suppliers.consents.actions import ConsentNotFound, ConsentRevoked
from services.suppliers.consents.tables import Consent
from services.suppliers.onboarding.actions import SupplierNotFound
from services.suppliers.papers import actions, queries
from services.suppliers.papers.access import Reader, reader
from services.suppliers.papers.actions import (
    PaperFileKnown,
    PaperGiven,
    PaperMalformed,
    PaperNotFound,
    PaperReplacedAlready,
    ReviewedByOwnCompany,
    SupplierGone,
    TooManyPapers,
)
from services.suppliers.papers.files import PaperFolder
from services.suppliers.papers.looking import FileFound, look_through, media_type_of
from services.suppliers.papers.queries import PaperSeen
from services.suppliers.papers.schemas import (
    PAPER_BODY,
    PaperCheckGiven,
    PaperParticulars,
    PaperView,
    WaitingPaper,
    paper_view,
)
from services.suppliers.settings import PAPER_LIMIT_BYTES
from shared import clock, idempotency
from shared.audit import entries as audit
from shared.database import Database, ReadSession, SystemSession, scope_to, transaction
from shared.errors import FieldError, TooLarge, Unprocessable, refusals
from shared.http import Now
from shared.http import router as house_router
from shared.idempotency import IdempotencyKeyMissing
from shared.identity import Caller, NotYours, Operator, Principal, Requires, Role, same_company
from shared.ids import new_id
from shared.paging import CursorInvalid, PageQuery
from shared.uploads import spooled

router = house_router("/suppliers", tag="papers")

PaperKeeper = Annotated[Principal, Depends(Requires(roles=[Role.ADMIN, Role.SUPPLIER_SALES]))]


class PaperTooLarge(TooLarge):
    """A paper's file is larger than one may be; the rest of the body is not read and nothing is kept."""


class PaperFileRefused(Unprocessable):
    """The file is not kept; the problem's `code` says why: TypeNotTaken, NameNotOfType, ContentTypeNotOfType,
    EmptyFile, PdfJavaScript, PdfLaunches, PdfActs, PdfEmbedsFiles, PdfForm, PdfEncrypted, PdfDamaged, PdfTooCostly."""

    def __init__(self, found: FileFound) -> None:
        super().__init__(found.detail, errors=[FieldError(field="file", rule=found.code, message=found.detail)])
        self._code = found.code

    @property
    def code(self) -> str:
        return self._code


@router.get("/papers", summary="Papers that wait for a look, the oldest first", responses=refusals(CursorInvalid))
async def waiting_papers(
    _: Operator, session: SystemSession, paging: PageQuery, response: Response
) -> list[WaitingPaper]:
    """Of all suppliers; those of an application under review among them."""
    after = paging.after_as(UUID)
    rows = await queries.waiting_anywhere(session, after=after[0] if after else None, limit=paging.limit + 1)
    return [WaitingPaper.model_validate(row) for row in paging.page(rows, response, key=lambda row: [row.id])]


@router.post(
    "/{supplier_id}/papers",
    status_code=201,
    summary="Hand in a paper",
    response_model=PaperView,
    responses={
        **refusals(
            NotYours,
            SupplierNotFound,
            SupplierGone,
            PaperTooLarge,
            PaperFileRefused,
            PaperMalformed,
            PaperFileKnown,
            PaperReplacedAlready,
            TooManyPapers,
            IdempotencyKeyMissing,
        ),
        200: {"model": PaperView, "description": "The same file with the same particulars is there: nothing was done."},
    },
    openapi_extra={"x-body-limit": PAPER_LIMIT_BYTES, "requestBody": PAPER_BODY},
)
async def hand_in(
    *,
    request: Request,
    supplier_id: UUID,
    given: Annotated[PaperParticulars, Query()],
    caller: PaperKeeper,
    response: Response,
) -> PaperView:
    """The body is the file: PDF, PNG or JPEG, at most 20 MB. A PDF that would do something (scripts, actions), carries
    other files, or cannot be read is refused with what was found.

    A paper never changes: correct it by a new one that names it in `replaces`; the old one counts until the new one is
    accepted. Whatever Idempotency-Key it comes with, the same file with the same particulars is the same paper.
    """
    same_company(caller, supplier_id, what="This supplier")
    idempotency.key_of(request)
    database: Database = request.app.state.database
    folder: PaperFolder = request.app.state.paper_folder
    paper_id = new_id()
    body = await spooled(
        request, folder.incoming(paper_id), limit=request.app.state.settings.paper_limit_bytes, too_large=PaperTooLarge
    )
    kept: Path | None = None
    try:
        media_type = await _looked_through(body.path, given, declared=request.headers.get("content-type"))
        paper = PaperGiven(
            id=paper_id,
            **given.model_dump(exclude={"category"}),
            categories=given.category,
            media_type=media_type,
            size_bytes=body.size,
            file_hash=body.digest,
        )
        async with transaction(database.app, supplier_id) as session:
            stored, is_new = await actions.give_paper(
                session, supplier_id=supplier_id, given=paper, by=caller, at=clock.now()
            )
            if is_new:
                kept = await asyncio.to_thread(folder.keep, body.path, supplier_id=supplier_id, paper_id=paper_id)
            seen = await _found(session, supplier_id=supplier_id, paper_id=stored.id)
            await audit.record(
                session,
                caller=caller,
                act=audit.act_of(request),
                owners=[supplier_id],
                objects={**request.path_params, "paper_id": stored.id},
                request_id=request.state.request_id,
                at=clock.now(),
            )
    except BaseException:
        (kept or body.path).unlink(missing_ok=True)
        raise
    if not is_new:
        body.path.unlink(missing_ok=True)
        response.status_code = 200
    response.headers["Location"] = f"/suppliers/{supplier_id}/papers/{stored.id}"
    return paper_view(seen)


async def _looked_through(path: Path, given: PaperParticulars, *, declared: str | None) -> str:
    kind = None if declared is None else declared.partition(";")[0].strip().lower()
    try:
        media_type = await asyncio.to_thread(media_type_of, path, name=given.file_name, declared=kind)
        await asyncio.to_thread(look_through, path, media_type=media_type)
    except FileFound as found:
        raise PaperFileRefused(found) from found
    return media_type


async def _found(session: AsyncSession, *, supplier_id: UUID, paper_id: UUID) -> PaperSeen:
    found = await queries.papers_of(session, supplier_id=supplier_id, paper_ids=[paper_id])
    if not found:
        raise PaperNotFound(f"There is no paper {paper_id}.")
    return found[0]


async def _readable(
    session: AsyncSession, *, supplier_id: UUID, paper_id: UUID, viewer: Principal, at: datetime
) -> tuple[PaperSeen, Reader]:
    """The paper, for whom `access` lets; everybody else hears that there is none.

    Raises:
        NotYours.
    """
    await scope_to(session, viewer.scope_id, supplier_id)
    found = await queries.papers_of(session, supplier_id=supplier_id, paper_ids=[paper_id])
    asked = await reader(session, supplier_id=supplier_id, viewer=viewer, on=clock.business_date(at))
    if not found or not asked.may_read(found[0]):
        raise NotYours("There is no such paper, or it is not yours to see.")
    return found[0], asked


@router.get("/{supplier_id}/papers", summary="A supplier's papers", responses=refusals(NotYours))
async def list_papers(supplier_id: UUID, caller: Caller, session: ReadSession, now: Now) -> list[PaperView]:
    """In the order they were handed in. The supplier and operators see all, also replaced and refused ones; another
    contractor those accepted ones that the supplier's consent and the stages open to it."""
    await scope_to(session, caller.scope_id, supplier_id)
    asked = await reader(session, supplier_id=supplier_id, viewer=caller, on=clock.business_date(now))
    seen = [each for each in await queries.papers_of(session, supplier_id=supplier_id) if asked.may_read(each)]
    if not seen and not asked.whole:
        raise NotYours("This supplier's papers are not yours to see.")
    return [paper_view(each) for each in seen]


@router.get("/{supplier_id}/papers/{paper_id}", summary="A paper", responses=refusals(NotYours))
async def read_paper(supplier_id: UUID, paper_id: UUID, caller: Caller, session: ReadSession, now: Now) -> PaperView:
    """Its particulars and what became of it."""
    seen, _ = await _readable(session, supplier_id=supplier_id, paper_id=paper_id, viewer=caller, at=now)
    return paper_view(seen)


@router.get(
    "/{supplier_id}/papers/{paper_id}/file",
    summary="A paper's file",
    response_class=FileResponse,
    responses={
        **refusals(NotYours, PaperNotFound, ConsentRevoked, ConsentNotFound),
        200: {"content": {"application/pdf": {}, "image/png": {}, "image/jpeg": {}}, "description": "As handed in."},
    },
)
async def read_file(
    *, request: Request, supplier_id: UUID, paper_id: UUID, caller: Caller, session: ReadSession, now: Now
) -> FileResponse:
    """As an attachment, byte for byte as it was handed in: `ETag` is its SHA-256. Who reads it under a consent is
    named in the consent's history, which the supplier sees."""
    seen, asked = await _readable(session, supplier_id=supplier_id, paper_id=paper_id, viewer=caller, at=now)
    consent = None if asked.whole else asked.opened_by(seen)
    if isinstance(consent, Consent):
        database: Database = request.app.state.database
        async with transaction(database.app, supplier_id) as writing:
            await consents.read_under(writing, supplier_id=supplier_id, consent_id=consent.id, by=caller, at=now)
    folder: PaperFolder = request.app.state.paper_folder
    path = folder.path_of(supplier_id=supplier_id, paper_id=paper_id)
    if not await asyncio.to_thread(path.is_file):
        raise PaperNotFound("The paper's file is no longer there.")
    return FileResponse(
        path,
        media_type=seen.paper.media_type,
        filename=seen.paper.file_name,
        headers={"ETag": f'"{seen.paper.file_hash.hex()}"', "Content-Security-Policy": "sandbox"},
    )


@router.post(
    "/{supplier_id}/papers/{paper_id}/check",
    summary="Accept or refuse a paper",
    responses=refusals(SupplierNotFound, SupplierGone, PaperNotFound, ReviewedByOwnCompany),
)
async def check(
    *, supplier_id: UUID, paper_id: UUID, body: PaperCheckGiven, caller: Operator, session: SystemSession, now: Now
) -> PaperView:
    """By an operator of another company; the last look counts. An accepted renewal lifts what an end had stopped."""
    await actions.check_paper(
        session,
        supplier_id=supplier_id,
        paper_id=paper_id,
        outcome=body.outcome,
        reason=body.reason,
        by=caller,
        at=now,
    )
    return paper_view(await _found(session, supplier_id=supplier_id, paper_id=paper_id))
