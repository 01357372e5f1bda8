"""What a supplier does with its application: ask, submit, withdraw."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.applications import queries
from services.suppliers.applications.progress import check_move, move, tell
from services.suppliers.applications.rules import ApplicationState, IdentityState
from services.suppliers.applications.tables import Application
from services.suppliers.invitations import actions as invitation_actions
from services.suppliers.onboarding import queries as supplier_queries
from services.suppliers.onboarding.actions import AlreadySupplier, NotASupplierCompany, register_supplier
from services.suppliers.onboarding.history import record
from services.suppliers.onboarding.rules import Decision, SupplierStatus
from services.suppliers.onboarding.tables import Supplier
from services.suppliers.papers import queries as paper_queries
from services.suppliers.papers.actions import SupplierGone, locked_supplier
from services.suppliers.papers.rules import Trade
from services.suppliers.register.categories import check_categories
from shared.clock import business_date
from shared.contracts.members import CompanyIdentity
from shared.errors import Conflict, FieldError, NotFound
from shared.http import check_version
from shared.identity import Principal
from shared.ids import new_id


class ApplicationNotFound(NotFound):
    """The supplier has no open application."""


class ApplicationOpen(Conflict):
    """The supplier has an open application; submit or withdraw that one first."""


class SupplierSuspended(Conflict):
    """A suspended supplier does not apply; an operator lifts the suspension."""


class IdentityNotVerified(Conflict):
    """Who stands behind the supplier must be verified before papers are submitted; it was given anew or is overdue."""


class PapersMissing(Conflict):
    """Needed papers are missing, refused or not in force; `errors` names the category and the kind of each."""


async def _record_of(session: AsyncSession, *, company: CompanyIdentity, by: Principal, at: datetime) -> Supplier:
    """The company's record as a supplier, locked; begun now where there is none, once also by two at one moment."""
    known = await supplier_queries.supplier_for_update(session, supplier_id=company.id)
    if known is None:
        with suppress(AlreadySupplier):  # another request began it at this moment
            await register_supplier(session, company=company, by=by, at=at)
        return await locked_supplier(session, supplier_id=company.id)
    if known.status == SupplierStatus.EXITED:
        raise SupplierGone(f"{known.name} has left; its record is closed.")
    if company.status != "ACTIVE":
        raise NotASupplierCompany(f"{company.name} is not active at members.")
    return known


async def accept_invitation(
    session: AsyncSession, *, company: CompanyIdentity, code: str, by: Principal, at: datetime
) -> Supplier:
    """Come in on a contractor's invitation, new or known as a supplier; whether it applies is its own matter.

    Raises:
        what `invitations.actions.accept` raises; NotASupplierCompany, SupplierGone.
    """
    supplier = await _record_of(session, company=company, by=by, at=at)
    invitation = await invitation_actions.accept(session, code=code, company=company, at=at)
    detail = {"invitation_id": str(invitation.id), "group_id": str(invitation.group_id)}
    await record(session, supplier, decision=Decision.INVITED, by=by, at=at, detail=detail)
    return supplier


async def apply(
    session: AsyncSession,
    *,
    company: CompanyIdentity,
    trade: Trade,
    categories: Sequence[str],
    regions: Sequence[str],
    code: str | None,
    by: Principal,
    at: datetime,
) -> Application:
    """Ask to be qualified. A qualified supplier asks for all it has and more: a decision is about the whole.

    Raises:
        UnknownCategory, ApplicationOpen, SupplierSuspended; what `accept_invitation` raises.
    """
    await check_categories(session, categories)
    if code is None:
        supplier = await _record_of(session, company=company, by=by, at=at)
    else:
        supplier = await accept_invitation(session, company=company, code=code, by=by, at=at)
    if supplier.status == SupplierStatus.SUSPENDED:
        raise SupplierSuspended(f"{supplier.name} is suspended; an operator lifts that.")
    if await queries.open_application(session, supplier_id=company.id) is not None:
        raise ApplicationOpen(f"{supplier.name} has an open application.")
    has = supplier.categories if supplier.status == SupplierStatus.QUALIFIED else []
    state = ApplicationState.IDENTITY_VERIFIED
    if not await _identity_holds(session, supplier_id=company.id, at=at):
        state = ApplicationState.REGISTERED
    application = Application(
        supplier_id=company.id,
        id=new_id(),
        state=state,
        trade=trade,
        categories=sorted({*categories, *has}),
        regions=sorted(set(regions)),
        waiting_since=at,
        created_at=at,
    )
    session.add(application)
    await session.flush()
    detail = {
        "application_id": str(application.id),
        "trade": str(trade),
        "asked": application.categories,
        "asked_regions": application.regions,
    }
    await record(session, supplier, decision=Decision.APPLIED, by=by, at=at, detail=detail)
    await tell(session, application, at=at)
    return application


async def _identity_holds(session: AsyncSession, *, supplier_id: UUID, at: datetime) -> bool:
    identity = await queries.identity(session, supplier_id=supplier_id)
    if identity is None or identity.state != IdentityState.VERIFIED or identity.due_on is None:
        return False
    return business_date(at) <= identity.due_on


async def application_to_change(
    session: AsyncSession, *, supplier_id: UUID, expected_version: int
) -> tuple[Supplier, Application]:
    """The open application and its supplier, locked.

    Raises:
        SupplierNotFound, SupplierGone, ApplicationNotFound, VersionChanged.
    """
    supplier = await locked_supplier(session, supplier_id=supplier_id)
    application = await queries.open_application(session, supplier_id=supplier_id)
    if application is None:
        raise ApplicationNotFound(f"{supplier.name} has no open application.")
    check_version(expected=expected_version, actual=application.version)
    return supplier, application


async def submit(
    session: AsyncSession, *, supplier_id: UUID, expected_version: int, by: Principal, at: datetime
) -> Application:
    """Hand the application in with all papers that hold today, the first time or after a return.

    Raises:
        what `application_to_change` raises; ApplicationStateForbids, IdentityNotVerified, PapersMissing.
    """
    supplier, application = await application_to_change(
        session, supplier_id=supplier_id, expected_version=expected_version
    )
    if application.state == ApplicationState.REGISTERED:
        raise IdentityNotVerified("Your identity is not verified yet; give it, with its papers, and wait for that.")
    check_move(application, ApplicationState.DOCUMENTS_SUBMITTED)
    if not await _identity_holds(session, supplier_id=supplier_id, at=at):
        raise IdentityNotVerified("Your identity was given anew or is overdue; an operator has to verify it.")
    papers = await paper_queries.papers_of(session, supplier_id=supplier_id)
    missing = queries.missing_kinds(
        papers, categories=application.categories, trade=Trade(application.trade), on=business_date(at)
    )
    if missing:
        raise papers_missing(missing)
    application.paper_ids = [held.id for held in paper_queries.usable(papers)]
    application.submitted_at = at
    application.rounds += 1
    await move(session, application, ApplicationState.DOCUMENTS_SUBMITTED, at=at)
    detail = {"application_id": str(application.id), "papers": [str(paper_id) for paper_id in application.paper_ids]}
    await record(session, supplier, decision=Decision.SUBMITTED, by=by, at=at, detail=detail)
    return application


def papers_missing(missing: Mapping[str, Sequence[str]]) -> PapersMissing:
    """The refusal that names each category and kind."""
    errors = [
        FieldError(field=f"papers.{category}.{kind}", rule="Needed", message=f"{category} needs a {kind} in force.")
        for category, kinds in missing.items()
        for kind in kinds
    ]
    return PapersMissing(f"{len(errors)} needed papers are missing: {errors[0].message}", errors=errors)


async def withdraw(
    session: AsyncSession, *, supplier_id: UUID, expected_version: int, by: Principal, at: datetime
) -> Application:
    """Take the application back; papers and identity stay.

    Raises:
        what `application_to_change` raises; ApplicationStateForbids.
    """
    supplier, application = await application_to_change(
        session, supplier_id=supplier_id, expected_version=expected_version
    )
    await move(session, application, ApplicationState.WITHDRAWN, at=at)
    detail = {"application_id": str(application.id)}
    await record(session, supplier, decision=Decision.WITHDRAWN, by=by, at=at, detail=detail)
    return application
