"""Admissions over HTTP: a contractor group decides whom it buys from, an operator may record it on its behalf.

Writing goes by the system role: what is decided belongs to the group, and how far the supplier's offers reach
depends on every group that admitted it. Who may decide is asked in the action; reading is bound to the company.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response

from services.suppliers.admissions import actions, queries
from services.suppliers.admissions.actions import (
    AdmissionEndPassed,
    AdmissionMoveRefused,
    AdmissionNotFound,
    AdmittedSupplierUnknown,
    GroupNeeded,
    NotAContractorGroup,
    NotCommonlyQualified,
    NotTheGroup,
    Terms,
    deciding_group,
)
from services.suppliers.admissions.recognising import DecisionNotRecognisable, recognised
from services.suppliers.admissions.rules import AdmissionStatus
from services.suppliers.admissions.schemas import (
    AdmissionEntry,
    AdmissionHistoryView,
    AdmissionView,
    AdmitBody,
    CategoryCode,
    DecideBody,
)
from services.suppliers.admissions.tables import Admission
from services.suppliers.consents.routes import CONSENT_REFUSALS
from services.suppliers.onboarding.routes import CompanySource
from shared.clients.transport import ServiceAway, ServiceRefused, ServiceUnknown
from shared.contracts.members import CompanyIdentity
from shared.database import ReadSession, SystemSession, scope_to
from shared.errors import refusals
from shared.history import first_broken
from shared.http import ExpectedVersion, Now, VersionChanged, VersionNeeded, etag
from shared.http import router as house_router
from shared.identity import Caller, Principal, Requires, Role
from shared.paging import CursorInvalid, PageQuery

router = house_router("/suppliers", tag="admissions")

Admitter = Annotated[Principal, Depends(Requires(roles=[Role.BUYER, Role.ADMIN, Role.OPERATOR]))]

_DECIDING = (AdmissionNotFound, AdmissionMoveRefused, VersionChanged, VersionNeeded)


async def _group(request: Request, body: AdmitBody, caller: Admitter) -> CompanyIdentity:
    """What `members` knows of the deciding group: asked before the transaction begins (design.md rule 2)."""
    group_id = deciding_group(caller, body.group_id)
    members: CompanySource = request.app.state.members
    try:
        return await members.company(company_id=group_id)
    except ServiceRefused as refused:
        raise NotAContractorGroup(f"members does not know the company {group_id}.") from refused


Group = Annotated[CompanyIdentity, Depends(_group)]


def _view(admission: Admission, *, caller: Principal) -> AdmissionView:
    view = AdmissionView.model_validate(admission)
    if actions.may_decide(caller, admission):
        return view
    return view.model_copy(update={"level": None, "grade": None, "evidence": []})


@router.post(
    "/{supplier_id}/admissions",
    status_code=201,
    summary="Admit a supplier for categories",
    responses=refusals(
        GroupNeeded,
        NotTheGroup,
        NotAContractorGroup,
        AdmittedSupplierUnknown,
        NotCommonlyQualified,
        AdmissionEndPassed,
        DecisionNotRecognisable,
        *CONSENT_REFUSALS,
        ServiceAway,
        ServiceUnknown,
    ),
)
async def admit(
    *, supplier_id: UUID, body: AdmitBody, caller: Admitter, group: Group, session: SystemSession, now: Now
) -> list[AdmissionView]:
    """From now on the supplier's offers in these categories reach the group, and whom the group's stages let see them,
    as far as each offer's own audience goes. One document a category; admitting again renews it, or lifts a
    suspension."""
    terms = Terms(
        level=body.level,
        grade=body.grade,
        until=body.until,
        evidence=[each.model_dump(mode="json") for each in body.evidence],
        reason=body.reason,
    )
    if body.relies_on is not None:
        other = await recognised(
            session,
            group_id=group.id,
            supplier_id=supplier_id,
            categories=body.categories,
            admission_id=body.relies_on.admission_id,
            consent_id=body.relies_on.consent_id,
            at=now,
        )
        terms = replace(terms, recognised=other)
    decided = await actions.admit(
        session,
        group=group,
        supplier_id=supplier_id,
        categories=body.categories,
        terms=terms,
        by=caller,
        at=now,
    )
    return [_view(each, caller=caller) for each in decided]


@router.get("/admissions", summary="Admissions by your group or of you", responses=refusals(GroupNeeded, CursorInvalid))
async def list_admissions(
    *,
    caller: Caller,
    session: ReadSession,
    paging: PageQuery,
    response: Response,
    supplier_id: UUID | None = None,
    group_id: UUID | None = None,
    category: CategoryCode | None = None,
    status: AdmissionStatus | None = None,
) -> list[AdmissionView]:
    """Those your company decided, or those about it when it sells. Operators name the group or the supplier."""
    company_id: UUID | None = caller.scope_id
    if Role.OPERATOR in caller.roles:
        company_id = None
        named = [each for each in (supplier_id, group_id) if each is not None]
        if not named:
            raise GroupNeeded("Name the group or the supplier whose admissions you look for.")
        await scope_to(session, named[0])
    rows = await queries.admissions_page(
        session,
        company_id=company_id,
        supplier_id=supplier_id,
        group_id=group_id,
        category=category,
        status=status,
        after=(paging.after_as(UUID) or (None,))[0],
        limit=paging.limit + 1,
    )
    shown: Sequence[Admission] = paging.page(rows, response, key=lambda row: [row.id])
    return [_view(each, caller=caller) for each in shown]


async def _seen(session: ReadSession, caller: Principal, admission_id: UUID) -> Admission:
    found = await queries.admission_anywhere(session, admission_id=admission_id)
    if found is None or not (actions.may_decide(caller, found) or caller.company_id == found.supplier_id):
        raise AdmissionNotFound("There is no such admission, or it is neither by nor of your company.")
    return found


@router.get("/admissions/{admission_id}", summary="An admission", responses=refusals(AdmissionNotFound))
async def read_admission(
    *, admission_id: UUID, caller: Caller, session: SystemSession, response: Response
) -> AdmissionView:
    """With the ETag that decisions about it need."""
    admission = await _seen(session, caller, admission_id)
    response.headers["ETag"] = etag(admission.version)
    return _view(admission, caller=caller)


@router.get(
    "/admissions/{admission_id}/history", summary="An admission's history", responses=refusals(AdmissionNotFound)
)
async def read_history(*, admission_id: UUID, caller: Admitter, session: SystemSession) -> AdmissionHistoryView:
    """Who decided what and why, for the group and operators; and whether the hash chain over it holds."""
    admission = await queries.admission_anywhere(session, admission_id=admission_id)
    if admission is None or not actions.may_decide(caller, admission):
        raise AdmissionNotFound("There is no such admission, or it is not your group's.")
    entries = await queries.history(session, admission_id=admission_id)
    whole = len(entries) == admission.history_length and (
        not entries or bytes(entries[-1].hash) == bytes(admission.history_hash or b"")
    )
    intact = whole and first_broken((each.entry, bytes(each.hash)) for each in entries) is None
    return AdmissionHistoryView(entries=[AdmissionEntry.model_validate(each) for each in entries], intact=intact)


@router.post("/admissions/{admission_id}/suspension", summary="Suspend an admission", responses=refusals(*_DECIDING))
async def suspend(
    *,
    admission_id: UUID,
    body: DecideBody,
    caller: Admitter,
    version: ExpectedVersion,
    session: SystemSession,
    now: Now,
    response: Response,
) -> AdmissionView:
    """No new business of the group with the supplier in this category; what is ordered goes on. Admitting again lifts
    it."""
    admission = await actions.suspend(
        session, admission_id=admission_id, reason=body.reason, expected_version=version, by=caller, at=now
    )
    response.headers["ETag"] = etag(admission.version)
    return _view(admission, caller=caller)


@router.post("/admissions/{admission_id}/ending", summary="End an admission", responses=refusals(*_DECIDING))
async def end(
    *,
    admission_id: UUID,
    body: DecideBody,
    caller: Admitter,
    version: ExpectedVersion,
    session: SystemSession,
    now: Now,
    response: Response,
) -> AdmissionView:
    """For good; a later admission is a new document."""
    admission = await actions.end(
        session, admission_id=admission_id, reason=body.reason, expected_version=version, by=caller, at=now
    )
    response.headers["ETag"] = etag(admission.version)
    return _view(admission, caller=caller)
