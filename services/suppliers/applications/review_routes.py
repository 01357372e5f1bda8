"""The reviewers' side of onboarding over HTTP: operators of another company than the applicant's."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from services.suppliers.applications import identity, queries, review
from services.suppliers.applications.actions import ApplicationNotFound, PapersMissing
from services.suppliers.applications.identity import IdentityNotGiven, IdentityPapersMissing
from services.suppliers.applications.progress import ApplicationStateForbids
from services.suppliers.applications.review import NotAskedFor, PaperNotSubmitted, UntilBeyondPapers
from services.suppliers.applications.rules import ApplicationState
from services.suppliers.applications.schemas import (
    ApplicationView,
    Approved,
    Decided,
    DueIdentity,
    IdentityView,
    QueuedApplication,
    Returned,
    application_view,
    identity_view,
)
from services.suppliers.applications.tables import Application, Identity
from services.suppliers.onboarding.actions import QualifiedUntilPassed, SupplierNotFound
from services.suppliers.papers.actions import ReviewedByOwnCompany, SupplierGone
from shared.clock import business_date
from shared.database import SystemSession
from shared.errors import refusals
from shared.http import ExpectedVersion, Now, VersionChanged, VersionNeeded, etag
from shared.http import router as house_router
from shared.identity import Operator
from shared.paging import CursorInvalid, PageQuery

router = house_router("/suppliers", tag="onboarding")

_BEGINNING = (datetime(2000, 1, 1, tzinfo=UTC), UUID(int=0))
_DECIDING = (
    ReviewedByOwnCompany,
    SupplierNotFound,
    SupplierGone,
    ApplicationNotFound,
    ApplicationStateForbids,
    VersionNeeded,
    VersionChanged,
)
_IDENTITY = (ReviewedByOwnCompany, SupplierNotFound, SupplierGone, IdentityNotGiven, VersionNeeded, VersionChanged)


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _view(application: Application, response: Response) -> ApplicationView:
    response.headers["ETag"] = etag(application.version)
    return application_view(application)


def _identity(known: Identity, response: Response) -> IdentityView:
    response.headers["ETag"] = etag(known.version)
    return identity_view(known)


@router.get("/applications", summary="The reviewers' queue", responses=refusals(CursorInvalid))
async def queue(
    *,
    _: Operator,
    session: SystemSession,
    paging: PageQuery,
    response: Response,
    state: Annotated[ApplicationState, Query()] = ApplicationState.DOCUMENTS_SUBMITTED,
) -> list[QueuedApplication]:
    """Applications in a state, who has waited there longest first."""
    after = paging.after_as(_moment, UUID)
    rows = await queries.queue_anywhere(
        session, state=state, after=_BEGINNING if after is None else (after[0], after[1]), limit=paging.limit + 1
    )
    shown = paging.page(rows, response, key=lambda row: [row.waiting_since.isoformat(), row.id])
    return [QueuedApplication.model_validate(row) for row in shown]


@router.get("/identities", summary="Identities to be verified, first or again", responses=refusals(CursorInvalid))
async def due_identities(
    *, _: Operator, session: SystemSession, paging: PageQuery, now: Now, response: Response
) -> list[DueIdentity]:
    """Those given and not decided, and those verified more than six months ago."""
    after = paging.after_as(UUID)
    rows = await queries.identities_due_anywhere(
        session, on=business_date(now), after=after[0] if after else None, limit=paging.limit + 1
    )
    shown = paging.page(rows, response, key=lambda row: [row.supplier_id])
    return [DueIdentity.model_validate(row) for row in shown]


@router.post(
    "/{supplier_id}/identity/verification",
    summary="Verify who stands behind a supplier",
    responses=refusals(*_IDENTITY, IdentityPapersMissing),
)
async def verify(
    *,
    supplier_id: UUID,
    body: Decided,
    caller: Operator,
    version: ExpectedVersion,
    session: SystemSession,
    now: Now,
    response: Response,
) -> IdentityView:
    """With the business licence, the representative's paper and the bank proof at hand; due again after six months."""
    known = await identity.decide_identity(
        session,
        supplier_id=supplier_id,
        verified=True,
        reason=body.reason,
        expected_version=version,
        by=caller,
        at=now,
    )
    return _identity(known, response)


@router.post("/{supplier_id}/identity/refusal", summary="Refuse a supplier's identity", responses=refusals(*_IDENTITY))
async def refuse(
    *,
    supplier_id: UUID,
    body: Decided,
    caller: Operator,
    version: ExpectedVersion,
    session: SystemSession,
    now: Now,
    response: Response,
) -> IdentityView:
    """The supplier gives it anew."""
    known = await identity.decide_identity(
        session,
        supplier_id=supplier_id,
        verified=False,
        reason=body.reason,
        expected_version=version,
        by=caller,
        at=now,
    )
    return _identity(known, response)


@router.post("/{supplier_id}/application/review", summary="Take an application", responses=refusals(*_DECIDING))
async def take(
    *,
    supplier_id: UUID,
    caller: Operator,
    version: ExpectedVersion,
    session: SystemSession,
    now: Now,
    response: Response,
) -> ApplicationView:
    """Begins its review; the queue no longer offers it."""
    return _view(
        await review.take(session, supplier_id=supplier_id, expected_version=version, by=caller, at=now), response
    )


@router.post(
    "/{supplier_id}/application/return",
    summary="Return an application",
    responses=refusals(*_DECIDING, PaperNotSubmitted),
)
async def give_back(
    *,
    supplier_id: UUID,
    body: Returned,
    caller: Operator,
    version: ExpectedVersion,
    session: SystemSession,
    now: Now,
    response: Response,
) -> ApplicationView:
    """With a reason for each paper that will not do; the supplier replaces those and submits again."""
    application = await review.give_back(
        session,
        supplier_id=supplier_id,
        reason=body.reason,
        findings=body.papers,
        expected_version=version,
        by=caller,
        at=now,
    )
    return _view(application, response)


@router.post(
    "/{supplier_id}/application/approval",
    summary="Qualify the supplier",
    responses=refusals(*_DECIDING, NotAskedFor, PapersMissing, UntilBeyondPapers, QualifiedUntilPassed),
)
async def approve(
    *,
    supplier_id: UUID,
    body: Approved,
    caller: Operator,
    version: ExpectedVersion,
    session: SystemSession,
    now: Now,
    response: Response,
) -> ApplicationView:
    """For all or a part of what was asked, at most until the first needed paper ends. Its papers are accepted."""
    application = await review.approve(
        session,
        supplier_id=supplier_id,
        categories=body.categories,
        regions=body.regions,
        level=body.level,
        until=body.until,
        reason=body.reason,
        expected_version=version,
        by=caller,
        at=now,
    )
    return _view(application, response)


@router.post("/{supplier_id}/application/rejection", summary="Reject an application", responses=refusals(*_DECIDING))
async def reject(
    *,
    supplier_id: UUID,
    body: Decided,
    caller: Operator,
    version: ExpectedVersion,
    session: SystemSession,
    now: Now,
    response: Response,
) -> ApplicationView:
    """The supplier's standing stays as it was; it may apply anew."""
    application = await review.reject(
        session, supplier_id=supplier_id, reason=body.reason, expected_version=version, by=caller, at=now
    )
    return _view(application, response)
