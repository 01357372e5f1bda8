"""The supplier's record over HTTP: operators decide, everyone who is signed in may read."""

from collections.abc import Sequence
from typing import Annotated, Any, Protocol
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from services.suppliers.onboarding import actions, queries
from services.suppliers.onboarding.actions import (
    AlreadySupplier,
    NotASupplierCompany,
    QualifiedUntilPassed,
    StatusForbids,
    SupplierNotFound,
)
from services.suppliers.onboarding.rules import SupplierStatus
from services.suppliers.onboarding.schemas import DecisionView, Qualify, RegisterSupplier, SupplierView, Suspend
from services.suppliers.onboarding.tables import Supplier
from services.suppliers.register.categories import UnknownCategory
from shared.clients.transport import ServiceAway, ServiceRefused, ServiceUnknown
from shared.contracts.members import CompanyIdentity
from shared.database import ReadSession, SystemSession, scope_to
from shared.errors import refusals
from shared.http import ExpectedVersion, Now, VersionChanged, VersionNeeded, etag
from shared.http import router as house_router
from shared.identity import Caller, NotYours, Operator, Role, same_company
from shared.paging import CursorInvalid, PageQuery

router = house_router("/suppliers", tag="suppliers")


class CompanySource(Protocol):
    """Where companies are known: `shared.clients.members.MembersClient`, or a table in a test."""

    async def company(self, *, company_id: UUID) -> CompanyIdentity:
        """Raises ServiceRefused, ServiceUnknown, ServiceAway."""
        ...


async def _company(request: Request, body: RegisterSupplier, _: Operator) -> CompanyIdentity:
    """What `members` knows of the company: asked before the transaction begins (design.md rule 2)."""
    members: CompanySource = request.app.state.members
    try:
        return await members.company(company_id=body.company_id)
    except ServiceRefused as refused:
        raise NotASupplierCompany(f"members does not know the company {body.company_id}.") from refused


Company = Annotated[CompanyIdentity, Depends(_company)]


def _view(supplier: Supplier, response: Response) -> SupplierView:
    response.headers["ETag"] = etag(supplier.version)
    return SupplierView.model_validate(supplier)


@router.post(
    "",
    summary="Register a company as a supplier",
    status_code=201,
    responses=refusals(AlreadySupplier, NotASupplierCompany, ServiceAway, ServiceUnknown),
)
async def register(
    *, body: RegisterSupplier, caller: Operator, company: Company, session: SystemSession, now: Now, response: Response
) -> SupplierView:
    """An operator registers an active company of kind `supplier`; its name and tax id come from `members`."""
    supplier = await actions.register_supplier(session, company=company, by=caller, at=now)
    response.headers["Location"] = f"/suppliers/{body.company_id}"
    return _view(supplier, response)


@router.get("", summary="List suppliers", responses=refusals(CursorInvalid))
async def list_suppliers(
    _: Caller,
    session: ReadSession,
    paging: PageQuery,
    response: Response,
    status: Annotated[SupplierStatus | None, Query(description="Only those in this status.")] = None,
) -> list[SupplierView]:
    """Everyone who is signed in may know who sells."""
    rows = await queries.suppliers_page(session, status=status, after=paging.after_as(UUID), limit=paging.limit + 1)
    shown: Sequence[Supplier] = paging.page(rows, response, key=lambda row: [row.company_id])
    return [SupplierView.model_validate(row) for row in shown]


@router.get("/{supplier_id}", summary="Read a supplier's record", responses=refusals(SupplierNotFound))
async def read(supplier_id: UUID, _: Caller, session: ReadSession, response: Response) -> SupplierView:
    """With the ETag that decisions about it need."""
    supplier = await queries.supplier(session, supplier_id=supplier_id)
    if supplier is None:
        raise SupplierNotFound(f"No supplier has the id {supplier_id}.")
    return _view(supplier, response)


@router.post(
    "/{supplier_id}/qualification",
    summary="Qualify a supplier, or renew its qualification",
    responses=refusals(
        SupplierNotFound, UnknownCategory, StatusForbids, QualifiedUntilPassed, VersionChanged, VersionNeeded
    ),
)
async def qualify(
    *,
    supplier_id: UUID,
    body: Qualify,
    caller: Operator,
    version: ExpectedVersion,
    session: SystemSession,
    now: Now,
    response: Response,
) -> SupplierView:
    """From now on its offers in these categories and regions are shown and can be ordered, up to the last day."""
    supplier = await actions.qualify(
        session,
        supplier_id=supplier_id,
        categories=body.categories,
        regions=body.regions,
        until=body.until,
        level=body.level,
        reason=body.reason,
        expected_version=version,
        by=caller,
        at=now,
    )
    return _view(supplier, response)


@router.post(
    "/{supplier_id}/suspension",
    summary="Suspend a supplier",
    responses=refusals(SupplierNotFound, StatusForbids, VersionChanged, VersionNeeded),
)
async def suspend(
    *,
    supplier_id: UUID,
    body: Suspend,
    caller: Operator,
    version: ExpectedVersion,
    session: SystemSession,
    now: Now,
    response: Response,
) -> SupplierView:
    """No new orders; running ones go on. It may still keep its stock and prices current."""
    supplier = await actions.suspend(
        session, supplier_id=supplier_id, reason=body.reason, expected_version=version, by=caller, at=now
    )
    return _view(supplier, response)


@router.post(
    "/{supplier_id}/exit",
    summary="Close a supplier's record",
    responses=refusals(SupplierNotFound, StatusForbids, VersionChanged, VersionNeeded),
)
async def leave(
    *,
    supplier_id: UUID,
    body: Suspend,
    caller: Operator,
    version: ExpectedVersion,
    session: SystemSession,
    now: Now,
    response: Response,
) -> SupplierView:
    """There is no way back from it."""
    supplier = await actions.exit_supplier(
        session, supplier_id=supplier_id, reason=body.reason, expected_version=version, by=caller, at=now
    )
    return _view(supplier, response)


def _number(value: Any) -> int:
    """A part of a cursor as the number of an entry."""
    if not isinstance(value, int) or not 0 < value < 2**31:
        message = "no entry has this number"
        raise ValueError(message)
    return value


@router.get("/{supplier_id}/history", summary="Decisions about a supplier", responses=refusals(NotYours, CursorInvalid))
async def history(
    supplier_id: UUID, caller: Caller, session: ReadSession, paging: PageQuery, response: Response
) -> list[DecisionView]:
    """Append-only, each entry chained to the one before by its hash. For the supplier itself and operators."""
    if Role.OPERATOR in caller.roles:
        await scope_to(session, supplier_id)
    else:
        same_company(caller, supplier_id, what="This supplier's history")
    after = paging.after_as(_number)
    rows = await queries.decisions_page(session, supplier_id=supplier_id, after=after, limit=paging.limit + 1)
    shown = paging.page(rows, response, key=lambda row: [row.number])
    return [DecisionView.model_validate(row) for row in shown]
