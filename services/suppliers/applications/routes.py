"""A supplier's own side of onboarding over HTTP: invited in or not, it applies, says who it is, and submits."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response

from services.suppliers.applications import actions, identity, queries
from services.suppliers.applications.actions import (
    ApplicationNotFound,
    ApplicationOpen,
    IdentityNotVerified,
    PapersMissing,
    SupplierSuspended,
)
from services.suppliers.applications.identity import IdentityGiven, IdentityMalformed, IdentityNotGiven
from services.suppliers.applications.progress import ApplicationStateForbids
from services.suppliers.applications.schemas import (
    ApplicationGiven,
    ApplicationView,
    IdentityBody,
    IdentityView,
    NeededPapers,
    OnboardingView,
    application_view,
    identity_view,
    needed_views,
)
from services.suppliers.applications.tables import Application
from services.suppliers.invitations.actions import (
    InvitationCodeUnknown,
    InvitationExpired,
    InvitationForAnother,
    InvitationRevoked,
    InvitationUsed,
)
from services.suppliers.invitations.schemas import CodeGiven
from services.suppliers.offers.rules import expired_paper
from services.suppliers.onboarding import queries as supplier_queries
from services.suppliers.onboarding.actions import NotASupplierCompany, SupplierNotFound
from services.suppliers.onboarding.routes import CompanySource
from services.suppliers.onboarding.schemas import SupplierView
from services.suppliers.papers import queries as paper_queries
from services.suppliers.papers.actions import SupplierGone
from services.suppliers.papers.rules import NEEDED_BY_CATEGORY, Trade, needed_kinds
from services.suppliers.register.categories import UnknownCategory
from shared.clients.transport import ServiceAway, ServiceUnknown
from shared.clock import business_date
from shared.contracts.members import CompanyIdentity
from shared.database import ReadSession, SystemSession, WriteSession, scope_to
from shared.errors import refusals
from shared.http import ExpectedVersion, Now, VersionChanged, VersionNeeded, etag
from shared.http import router as house_router
from shared.identity import Caller, NotYours, OwnAdmin, Principal, Requires, Role, same_company

router = house_router("/suppliers", tag="onboarding")

Applicant = Annotated[Principal, Depends(Requires(roles=[Role.ADMIN, Role.SUPPLIER_SALES]))]


async def _applying_company(request: Request, supplier_id: UUID, caller: Applicant) -> CompanyIdentity:
    """The caller's own company, as `members` knows it: asked before the transaction begins (design.md rule 2)."""
    same_company(caller, supplier_id, what="This company")
    members: CompanySource = request.app.state.members
    return await members.company(company_id=supplier_id)


ApplyingCompany = Annotated[CompanyIdentity, Depends(_applying_company)]
_INVITATION = (
    InvitationCodeUnknown,
    InvitationUsed,
    InvitationRevoked,
    InvitationExpired,
    InvitationForAnother,
    NotASupplierCompany,
    SupplierGone,
    NotYours,
    ServiceAway,
    ServiceUnknown,
)
_CHANGE = (NotYours, SupplierNotFound, SupplierGone, ApplicationNotFound, VersionNeeded, VersionChanged)


def _view(application: Application, response: Response) -> ApplicationView:
    response.headers["ETag"] = etag(application.version)
    return application_view(application)


@router.get("/needed-papers", summary="Which papers each category needs")
async def needed_papers(_: Caller) -> list[NeededPapers]:
    """For makers and for traders. A category that is not listed needs what all need."""
    table = {
        category: {trade: needed_kinds(category, trade) for trade in Trade}
        for category in (*sorted(NEEDED_BY_CATEGORY), "*")
    }
    return needed_views(table)


@router.post(
    "/{supplier_id}/invitation", summary="Come in on a contractor's invitation", responses=refusals(*_INVITATION)
)
async def accept_invitation(
    *,
    supplier_id: UUID,
    body: CodeGiven,
    caller: Applicant,
    company: ApplyingCompany,
    session: SystemSession,
    now: Now,
) -> SupplierView:
    """For one who is a supplier already, or will apply later; the code can also be given when applying.

    In a system session: the invitation belongs to the group that invited.
    """
    same_company(caller, supplier_id, what="This company")
    supplier = await actions.accept_invitation(session, company=company, code=body.code, by=caller, at=now)
    return SupplierView.model_validate(supplier)


@router.post(
    "/{supplier_id}/application",
    status_code=201,
    summary="Apply for qualification",
    responses=refusals(*_INVITATION, UnknownCategory, ApplicationOpen, SupplierSuspended),
)
async def apply(
    *,
    supplier_id: UUID,
    body: ApplicationGiven,
    caller: Applicant,
    company: ApplyingCompany,
    session: SystemSession,
    now: Now,
    response: Response,
) -> ApplicationView:
    """By the company itself, with or without an invitation; it becomes a supplier by that, and sells once qualified.

    A qualified supplier applies anew for more, or to renew: what it has is always part of what it asks for.
    """
    same_company(caller, supplier_id, what="This company")
    application = await actions.apply(
        session,
        company=company,
        trade=body.trade,
        categories=body.categories,
        regions=body.regions,
        code=body.invitation_code,
        by=caller,
        at=now,
    )
    response.headers["Location"] = f"/suppliers/{supplier_id}/application"
    return _view(application, response)


async def _reading(session: ReadSession, caller: Principal, supplier_id: UUID) -> None:
    """For the supplier itself and operators. Raises NotYours."""
    if Role.OPERATOR in caller.roles:
        await scope_to(session, supplier_id)
    else:
        same_company(caller, supplier_id, what="This supplier")


@router.get(
    "/{supplier_id}/onboarding",
    summary="Where a supplier stands, and what it still needs",
    responses=refusals(NotYours, SupplierNotFound),
)
async def onboarding(supplier_id: UUID, caller: Caller, session: ReadSession, now: Now) -> OnboardingView:
    """Its record, identity, newest application, and the papers still missing by category asked for."""
    await _reading(session, caller, supplier_id)
    supplier = await supplier_queries.supplier(session, supplier_id=supplier_id)
    if supplier is None:
        raise SupplierNotFound(f"No supplier has the id {supplier_id}.")
    known = await queries.identity(session, supplier_id=supplier_id)
    application = await queries.last_application(session, supplier_id=supplier_id)
    today = business_date(now)
    asked = supplier.categories if application is None else application.categories
    ended = {category: expired_paper(ends=supplier.ends, category=category, on=today) for category in asked}
    return OnboardingView(
        supplier=SupplierView.model_validate(supplier),
        identity=None if known is None else identity_view(known),
        application=None if application is None else application_view(application),
        missing=queries.missing_kinds(
            await paper_queries.papers_of(session, supplier_id=supplier_id),
            categories=asked,
            trade=Trade.MAKER if application is None else Trade(application.trade),
            on=today,
        ),
        ended={category: end.until for category, end in ended.items() if end is not None},
    )


@router.get(
    "/{supplier_id}/application", summary="The newest application", responses=refusals(NotYours, ApplicationNotFound)
)
async def read_application(
    supplier_id: UUID, caller: Caller, session: ReadSession, response: Response
) -> ApplicationView:
    """With the ETag that every step of it needs."""
    await _reading(session, caller, supplier_id)
    application = await queries.last_application(session, supplier_id=supplier_id)
    if application is None:
        raise ApplicationNotFound("There is no application.")
    return _view(application, response)


@router.post(
    "/{supplier_id}/application/submission",
    summary="Submit the application with its papers",
    responses=refusals(*_CHANGE, ApplicationStateForbids, IdentityNotVerified, PapersMissing),
)
async def submit(
    *,
    supplier_id: UUID,
    caller: Applicant,
    version: ExpectedVersion,
    session: WriteSession,
    now: Now,
    response: Response,
) -> ApplicationView:
    """Every paper each category needs must be in force; what is missing is named. Also after a return."""
    same_company(caller, supplier_id, what="This supplier")
    application = await actions.submit(session, supplier_id=supplier_id, expected_version=version, by=caller, at=now)
    return _view(application, response)


@router.post(
    "/{supplier_id}/application/withdrawal",
    summary="Take the application back",
    responses=refusals(*_CHANGE, ApplicationStateForbids),
)
async def withdraw(
    *,
    supplier_id: UUID,
    caller: Applicant,
    version: ExpectedVersion,
    session: WriteSession,
    now: Now,
    response: Response,
) -> ApplicationView:
    """Papers and identity stay for the next one."""
    same_company(caller, supplier_id, what="This supplier")
    application = await actions.withdraw(session, supplier_id=supplier_id, expected_version=version, by=caller, at=now)
    return _view(application, response)


@router.get(
    "/{supplier_id}/identity",
    summary="Who stands behind a supplier, masked",
    responses=refusals(NotYours, IdentityNotGiven),
)
async def read_identity(supplier_id: UUID, caller: Caller, session: ReadSession, response: Response) -> IdentityView:
    """With the ETag that verification needs; numbers show their last digits alone."""
    await _reading(session, caller, supplier_id)
    known = await queries.identity(session, supplier_id=supplier_id)
    if known is None:
        raise IdentityNotGiven("Nobody has said who stands behind this supplier.")
    response.headers["ETag"] = etag(known.version)
    return identity_view(known)


@router.put(
    "/{supplier_id}/identity",
    summary="Say who stands behind the supplier",
    responses=refusals(NotYours, SupplierNotFound, SupplierGone, IdentityMalformed),
)
async def give_identity(
    *,
    request: Request,
    supplier_id: UUID,
    body: IdentityBody,
    caller: OwnAdmin,
    session: WriteSession,
    now: Now,
    response: Response,
) -> IdentityView:
    """By the company's own admin. Numbers are kept as keyed hashes and last digits; another number, name or bank
    than before is to be verified anew, the same again changes nothing."""
    same_company(caller, supplier_id, what="This supplier")
    known = await identity.give_identity(
        session,
        supplier_id=supplier_id,
        given=IdentityGiven(
            representative_name=body.representative_name,
            document_kind=body.document_kind,
            document_number=body.document_number.get_secret_value(),
            bank_name=body.bank_name,
            account_name=body.account_name,
            account_number=body.account_number.get_secret_value(),
        ),
        key=request.app.state.identity_key,
        by=caller,
        at=now,
    )
    response.headers["ETag"] = etag(known.version)
    return identity_view(known)
