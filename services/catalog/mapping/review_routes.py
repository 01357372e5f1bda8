"""Reviewing an import over HTTP: its rows, decisions about them, approval; and the published mappings."""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from services.catalog.mapping import actions, decisions, publishing, queries
from services.catalog.mapping.actions import MappingJobNotFound, MappingJobStateWrong
from services.catalog.mapping.callers import (
    CompanyMissing,
    ForCompany,
    MappingReader,
    MappingReviewer,
    MappingUser,
    scoped,
)
from services.catalog.mapping.decisions import DecisionsRefused, OwnImport
from services.catalog.mapping.publishing import (
    ConditionsMissing,
    EffectiveDateWrong,
    MappingInUse,
    MappingNotFound,
    MappingSuperseded,
    RowsStillOpen,
    SampleStillOpen,
)
from services.catalog.mapping.queries import RowFilter
from services.catalog.mapping.rules import RowState
from services.catalog.mapping.schemas import (
    AcceptanceAnswer,
    AcceptanceBody,
    ApprovalBody,
    DecisionsBody,
    JobView,
    MappingView,
    NoteBody,
    RowView,
    UsedBody,
    job_view,
    mapping_view,
    row_view,
)
from services.catalog.search.queries import see_as
from shared import clock
from shared.audience import viewer_keys
from shared.contracts.fields import QueryText
from shared.database import ReadSession, SystemSession, WriteSession
from shared.errors import refusals
from shared.http import Now
from shared.http import router as house_router
from shared.idempotency import EXEMPT, IdempotencyKeyMissing, IdempotencyKeyReused, RequestStillRunning
from shared.identity import CompanyNeeded, NotYours
from shared.paging import CursorInvalid, PageQuery

router = house_router("/catalog", tag="code mapping")

_SCOPE = (CompanyMissing, CompanyNeeded, NotYours)
_KEYED = (IdempotencyKeyMissing, IdempotencyKeyReused, RequestStillRunning)
_ON_A_JOB = (MappingJobNotFound, MappingJobStateWrong, *_SCOPE, *_KEYED)
LegacyCode = Annotated[str, Query(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["A-001"])]


@router.get(
    "/mapping-jobs/{job_id}/rows",
    summary="The rows of an import, with candidates, scores and reasons",
    responses=refusals(MappingJobNotFound, CursorInvalid, *_SCOPE),
)
async def list_rows(
    *,
    job_id: UUID,
    caller: MappingReader,
    session: ReadSession,
    paging: PageQuery,
    response: Response,
    company_id: ForCompany = None,
    state: Annotated[list[RowState] | None, Query(max_length=9)] = None,
    sampled: bool | None = None,
    type_code: Annotated[QueryText | None, Query(max_length=40)] = None,
    legacy_code: Annotated[QueryText | None, Query(max_length=60)] = None,
    least_score: Annotated[Decimal | None, Query(ge=0, le=1)] = None,
    below_score: Annotated[Decimal | None, Query(ge=0, le=1)] = None,
) -> list[RowView]:
    """In the order of the file."""
    company = await scoped(session, caller, company_id)
    await actions.found_job(session, company_id=company, job_id=job_id)
    after = paging.after_as(int)
    wanted = RowFilter(
        states=state or (),
        sampled=sampled,
        type_code=type_code,
        legacy_code=legacy_code,
        least_score=least_score,
        below_score=below_score,
    )
    rows = await queries.rows_page(
        session,
        company_id=company,
        job_id=job_id,
        wanted=wanted,
        after=after[0] if after else None,
        limit=paging.limit + 1,
    )
    return [row_view(row) for row in paging.page(rows, response, key=lambda row: [row.row_no])]


@router.post(
    "/mapping-jobs/{job_id}/decisions",
    summary="Decide about rows",
    responses=refusals(DecisionsRefused, OwnImport, *_ON_A_JOB),
)
async def decide(
    *,
    job_id: UUID,
    body: DecisionsBody,
    caller: MappingReviewer,
    session: WriteSession,
    now: Now,
    company_id: ForCompany = None,
) -> list[RowView]:
    """All are taken or none. What a row's text contradicts is confirmed only with a note that says why."""
    company = await scoped(session, caller, company_id)
    rows = await decisions.decide(
        session,
        company_id=company,
        job_id=job_id,
        decisions=[each.as_decision for each in body.decisions],
        by=caller,
        at=now,
    )
    return [row_view(row) for row in rows]


@router.post(
    "/mapping-jobs/{job_id}/acceptances",
    summary="Confirm the first candidates of many rows",
    responses=refusals(OwnImport, *_ON_A_JOB),
)
async def accept_proposed(
    *,
    job_id: UUID,
    body: AcceptanceBody,
    caller: MappingReviewer,
    session: WriteSession,
    now: Now,
    company_id: ForCompany = None,
) -> AcceptanceAnswer:
    """Rows without a complete candidate, with a hard stop, or whose code means several things are left alone."""
    company = await scoped(session, caller, company_id)
    confirmed = await decisions.accept_proposed(
        session, company_id=company, job_id=job_id, acceptance=body.as_acceptance, by=caller, at=now
    )
    return AcceptanceAnswer(confirmed=confirmed)


@router.post(
    "/mapping-jobs/{job_id}/approval",
    summary="Approve an import; the worker publishes it",
    responses=refusals(OwnImport, SampleStillOpen, RowsStillOpen, ConditionsMissing, EffectiveDateWrong, *_ON_A_JOB),
)
async def approve(
    *,
    job_id: UUID,
    body: ApprovalBody,
    caller: MappingReviewer,
    session: WriteSession,
    now: Now,
    company_id: ForCompany = None,
) -> JobView:
    """By somebody else than who uploaded it, when nothing waits for a person any more."""
    company = await scoped(session, caller, company_id)
    job = await publishing.approve(
        session,
        company_id=company,
        job_id=job_id,
        effective_from=body.effective_from,
        leave_open=body.leave_open,
        by=caller,
        at=now,
        today=clock.business_date(now),
    )
    return job_view(job)


@router.post(
    "/mapping-jobs/{job_id}/rollback",
    summary="Take a publication back",
    responses=refusals(MappingInUse, MappingSuperseded, *_ON_A_JOB),
)
async def roll_back(
    *,
    job_id: UUID,
    body: NoteBody,
    caller: MappingReviewer,
    session: WriteSession,
    now: Now,
    company_id: ForCompany = None,
) -> JobView:
    """Until a live document uses one of its mappings; the versions it replaced hold again."""
    company = await scoped(session, caller, company_id)
    job = await publishing.roll_back(session, company_id=company, job_id=job_id, by=caller, note=body.note, at=now)
    return job_view(job)


@router.get("/mappings", summary="What one of your codes means", responses=refusals(MappingNotFound, *_SCOPE))
async def mapping_of_code(
    *,
    code: LegacyCode,
    caller: MappingReader,
    session: ReadSession,
    now: Now,
    company_id: ForCompany = None,
    on: Annotated[date | None, Query(description="Today unless named.")] = None,
) -> list[MappingView]:
    """Your company's code, or one published for your group: one variant, or the parts of a split or a kit.

    To another company the code is not there.
    """
    company = await scoped(session, caller, company_id)
    group = caller.group_id if company == caller.company_id else None
    await see_as(session, viewer=viewer_keys(company_id=company, group_id=group))
    found = await queries.variants_of_code(
        session, company_id=company, group_id=group, code=code, on=on or clock.business_date(now)
    )
    if not found:
        raise MappingNotFound(f"The code {code} has no published mapping on that day.")
    return [mapping_view(each) for each in found]


@router.get("/mappings/versions", summary="Every version of one of your codes", responses=refusals(*_SCOPE))
async def versions_of_code(
    *, code: LegacyCode, caller: MappingReader, session: ReadSession, company_id: ForCompany = None
) -> list[MappingView]:
    """The newest first, also those that were ended or rolled back; documents keep the one they were made with."""
    company = await scoped(session, caller, company_id)
    return [mapping_view(each) for each in await queries.versions_of_code(session, company_id=company, code=code)]


@router.post(
    "/mappings/used",
    status_code=204,
    summary="Note that a live document uses mappings",
    openapi_extra=EXEMPT,
    responses=refusals(MappingNotFound),
)
async def mark_used(body: UsedBody, _: MappingUser, session: SystemSession, now: Now) -> None:
    """For the services whose documents hold mapped codes. Repeating it changes nothing, so it needs no key."""
    await publishing.mark_used(session, company_id=body.company_id, ids=body.mapping_ids, at=now)
