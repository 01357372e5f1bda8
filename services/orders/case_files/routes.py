"""HTTP of case files: operators open and look through them, owners watch and end them.

Looks are GETs that write: each leaves its line in the file and its entry in the audit logs of both companies, in the
transaction that read the document. Refused ones are in the logs too.
"""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.case_files import actions, queries
from services.orders.case_files.actions import (
    CaseFileEnded,
    CaseFileExpired,
    CaseFileNotFound,
    CaseFileOfAnother,
    NotInCaseFile,
    OwnDocuments,
)
from services.orders.case_files.schemas import CaseFileView, LookView, NewCaseFile
from services.orders.case_files.tables import CaseFile
from services.orders.purchase_orders import queries as order_queries
from services.orders.purchase_orders.placement import Companies, MembersAway
from services.orders.purchase_orders.tables import PurchaseOrder
from services.orders.purchase_orders.views import basket_view, order_view, summary_view
from shared.audit.entries import ALWAYS_RECORDED
from shared.clients.transport import ServiceAway, ServiceRefused, ServiceUnknown
from shared.contracts.members import CompanyIdentity
from shared.contracts.orders import (
    BasketPlacement,
    BuyerOrder,
    HistoryEntryView,
    OrderSummary,
    Side,
    SupplierOrder,
)
from shared.database import ReadSession, WriteSession
from shared.errors import Unprocessable, refusals
from shared.http import Now, json_response
from shared.http import router as house_router
from shared.identity import Operator, Principal, Requires, Role
from shared.paging import CursorInvalid, PageQuery

router = house_router("/orders/case-files", tag="case files")

CaseFileReader = Annotated[Principal, Depends(Requires(roles=[Role.ADMIN, Role.OPERATOR]))]
"""The owner's admin, and operators for the files of their own company."""
_LOOK = (CaseFileNotFound, CaseFileOfAnother, CaseFileEnded, CaseFileExpired)


class NoSuchOwner(Unprocessable):
    """`owner_id` names no company that `members` knows."""


async def _owner(request: Request, body: NewCaseFile, _: Operator) -> CompanyIdentity:
    """Who the owner is: asked before the transaction begins (design.md rule 2)."""
    companies: Companies = request.app.state.companies
    try:
        return await companies.company(company_id=body.owner_id)
    except ServiceRefused as refused:
        raise NoSuchOwner(f"members does not know the company {body.owner_id}.") from refused
    except (ServiceAway, ServiceUnknown) as away:
        raise MembersAway("members did not say who the owner is; try again.") from away


def _view(case_file: CaseFile, *, now: Now) -> CaseFileView:
    return CaseFileView.model_validate({**case_file.model_dump(), "standing": case_file.term.standing(at=now)})


async def _shown(session: AsyncSession, order: PurchaseOrder, side: Side) -> Response:
    lines = await order_queries.lines_of(session, orders=[order])
    pending = await order_queries.pending_changes(session, orders=[order])
    codes = await order_queries.codes_of(session, orders=[order])
    return json_response(order_view(order, lines[order.id], pending[order.id], side=side, codes=codes[order.id]))


@router.post(
    "",
    status_code=201,
    summary="Open a case file",
    responses=refusals(OwnDocuments, NoSuchOwner, MembersAway),
)
async def open_case_file(
    *,
    body: NewCaseFile,
    caller: Operator,
    owner: Annotated[CompanyIdentity, Depends(_owner)],
    session: WriteSession,
    now: Now,
    response: Response,
) -> CaseFileView:
    """Opens an owner's orders to you alone, for at most seven days, for a reason that the owner reads at once."""
    opened = await actions.open_case_file(
        session,
        owner=owner,
        reason=body.reason,
        days=body.days,
        order_ids=body.order_ids,
        caller=caller,
        at=now,
    )
    response.headers["Location"] = f"/orders/case-files/{opened.id}"
    return _view(opened, now=now)


@router.get("", summary="Case files about your company, or opened by it", responses=refusals(CursorInvalid))
async def list_case_files(
    caller: CaseFileReader, session: ReadSession, paging: PageQuery, now: Now, response: Response
) -> list[CaseFileView]:
    """The newest first."""
    found = await queries.case_files_page(
        session, company_id=caller.company, after=paging.after_as(UUID), limit=paging.limit + 1
    )
    shown = paging.page(found, response, key=lambda each: [each.id])
    return [_view(each, now=now) for each in shown]


async def _readable(session: AsyncSession, caller: Principal, case_file_id: UUID) -> CaseFile:
    found = await queries.case_file(session, company_id=caller.company, case_file_id=case_file_id)
    if found is None:
        raise CaseFileNotFound(f"There is no case file {case_file_id}.")
    return found


@router.get("/{case_file_id}", summary="A case file", responses=refusals(CaseFileNotFound))
async def read_case_file(case_file_id: UUID, caller: CaseFileReader, session: ReadSession, now: Now) -> CaseFileView:
    """Who may look at what, why and until when."""
    return _view(await _readable(session, caller, case_file_id), now=now)


@router.get(
    "/{case_file_id}/looks", summary="Every look into a case file", responses=refusals(CaseFileNotFound, CursorInvalid)
)
async def list_looks(
    case_file_id: UUID, caller: CaseFileReader, session: ReadSession, paging: PageQuery, response: Response
) -> list[LookView]:
    """Who saw which document, and when; the newest first."""
    found = await _readable(session, caller, case_file_id)
    looks = await queries.looks_page(session, case_file=found, after=paging.after_as(UUID), limit=paging.limit + 1)
    return [LookView.model_validate(look) for look in paging.page(looks, response, key=lambda each: [each.id])]


@router.post(
    "/{case_file_id}/end",
    summary="End a case file",
    responses=refusals(CaseFileNotFound, CaseFileEnded, CaseFileExpired),
)
async def end_case_file(case_file_id: UUID, caller: CaseFileReader, session: WriteSession, now: Now) -> CaseFileView:
    """The owner may at any time, without a reason; the operator when the case is closed. It opens nothing more."""
    ended = await actions.end_case_file(session, case_file_id=case_file_id, caller=caller, at=now)
    return _view(ended, now=now)


@router.get(
    "/{case_file_id}/purchase-orders",
    summary="Look at the owner's orders",
    responses=refusals(*_LOOK, CursorInvalid),
    openapi_extra=ALWAYS_RECORDED,
)
async def look_at_orders(
    *,
    case_file_id: UUID,
    caller: Operator,
    session: WriteSession,
    paging: PageQuery,
    now: Now,
    response: Response,
) -> list[OrderSummary]:
    """Those the file opens, the newest first. The page is logged."""
    looking = await actions.look_through(session, case_file_id=case_file_id, caller=caller, at=now)
    found = await actions.orders_looked_at(session, looking=looking, after=paging.after_as(UUID), limit=paging.limit)
    shown = paging.page(found, response, key=lambda order: [order.id])
    return [OrderSummary.model_validate(summary_view(order)) for order in shown]


@router.get(
    "/{case_file_id}/purchase-orders/{order_id}",
    summary="Look at an order of the owner's",
    response_model=BuyerOrder | SupplierOrder,
    responses=refusals(*_LOOK, NotInCaseFile),
    openapi_extra=ALWAYS_RECORDED,
)
async def look_at_order(
    case_file_id: UUID, order_id: UUID, caller: Operator, session: WriteSession, now: Now
) -> Response:
    """As the owner sees it, to read only. The look is logged."""
    looking = await actions.look_through(session, case_file_id=case_file_id, caller=caller, at=now)
    order = await actions.order_looked_at(session, looking=looking, order_id=order_id)
    return await _shown(session, order, looking.side(order))


@router.get(
    "/{case_file_id}/purchase-orders/{order_id}/history",
    summary="Look at an order's history",
    responses=refusals(*_LOOK, NotInCaseFile),
    openapi_extra=ALWAYS_RECORDED,
)
async def look_at_history(
    case_file_id: UUID, order_id: UUID, caller: Operator, session: WriteSession, now: Now
) -> list[HistoryEntryView]:
    """What happened to it, oldest first. The look is logged."""
    looking = await actions.look_through(session, case_file_id=case_file_id, caller=caller, at=now)
    order = await actions.order_looked_at(session, looking=looking, order_id=order_id, document="history")
    entries = await order_queries.history(session, order=order)
    return [HistoryEntryView(seq=each.seq, entry=each.entry, hash=each.hash.hex()) for each in entries]


@router.get(
    "/{case_file_id}/baskets/{basket_id}",
    summary="Look at a basket of the owner's",
    response_model=BasketPlacement,
    responses=refusals(*_LOOK, NotInCaseFile),
    openapi_extra=ALWAYS_RECORDED,
)
async def look_at_basket(
    case_file_id: UUID, basket_id: UUID, caller: Operator, session: WriteSession, now: Now
) -> Response:
    """With those of its orders that the file opens. The look is logged."""
    looking = await actions.look_through(session, case_file_id=case_file_id, caller=caller, at=now)
    basket, orders = await actions.basket_looked_at(session, looking=looking, basket_id=basket_id)
    lines = await order_queries.lines_of(session, orders=orders)
    pending = await order_queries.pending_changes(session, orders=orders)
    codes = await order_queries.codes_of(session, orders=orders)
    return json_response(basket_view(basket, orders, lines=lines, pending=pending, codes=codes))
