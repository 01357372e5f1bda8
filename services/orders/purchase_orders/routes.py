"""HTTP of purchase orders, for both sides."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.purchase_orders import actions, history, queries
from services.orders.purchase_orders.actions import (
    CancellationRefused,
    DecisionRefused,
    OrderNotFound,
    OtherSideActs,
    ResponseRefused,
)
from services.orders.purchase_orders.queries import OrderFilter
from services.orders.purchase_orders.rules import ChangeKind, OrderState
from services.orders.purchase_orders.stopping import DeliveryStopped, refuse_while_stopped, stop_of
from services.orders.purchase_orders.tables import OrderHistory, PurchaseOrder
from services.orders.purchase_orders.views import order_view, summary_view
from shared.clock import business_date
from shared.contracts.fields import QueryText
from shared.contracts.orders import (
    BuyerOrder,
    CancellationBody,
    DecisionBody,
    HistoryCheck,
    HistoryEntryView,
    HistoryView,
    OrderSummary,
    ResponseBody,
    Side,
    SupplierOrder,
)
from shared.database import ReadSession, WriteSession
from shared.errors import refusals
from shared.http import ExpectedVersion, Now, VersionChanged, VersionNeeded, etag, json_response
from shared.http import router as house_router
from shared.identity import (
    BUYER_ROLES,
    SUPPLIER_ROLES,
    OrderResponder,
    Principal,
    Purchaser,
    RightMissing,
    TradingParty,
)
from shared.paging import CursorInvalid, PageQuery

router = house_router("/orders/purchase-orders", tag="purchase orders")

_CHANGED = (OrderNotFound, OtherSideActs, VersionChanged, VersionNeeded)


def _sides(caller: Principal) -> set[Side]:
    """As what the caller may read orders: people of a buyer as buyer, the others as supplier."""
    sides: set[Side] = set()
    if caller.roles & frozenset(BUYER_ROLES):
        sides.add("buyer")
    if caller.scopes or caller.roles & frozenset(SUPPLIER_ROLES):
        sides.add("supplier")
    return sides


async def _readable(session: AsyncSession, caller: Principal, order_id: UUID) -> tuple[PurchaseOrder, Side]:
    """An order the caller may read, and as what.

    Raises:
        OrderNotFound: to strangers.
        RightMissing: the company is a party, but the caller has no role on that side.
    """
    order = await queries.order(session, company_id=caller.company, order_id=order_id)
    if order is None:
        raise OrderNotFound(f"There is no order {order_id}.")
    side: Side = "buyer" if order.buyer_id == caller.company else "supplier"
    if side not in _sides(caller):
        raise RightMissing(f"Your roles do not let you read orders as {side}.")
    return order, side


async def _answer(session: AsyncSession, order: PurchaseOrder, side: Side, now: datetime) -> Response:
    lines = await queries.lines_of(session, orders=[order])
    pending = await queries.pending_changes(session, orders=[order])
    stop = await stop_of(session, order=order, lines=lines[order.id], on=business_date(now))
    codes = await queries.codes_of(session, orders=[order])
    view = order_view(order, lines[order.id], pending[order.id], side=side, codes=codes[order.id], stop=stop)
    return json_response(view, headers={"ETag": etag(order.version)})


@router.get("", summary="Purchase orders of your company", responses=refusals(CursorInvalid))
async def list_orders(
    *,
    caller: TradingParty,
    session: ReadSession,
    paging: PageQuery,
    response: Response,
    now: Now,
    side: Annotated[Side | None, Query(description="Only those your company buys, or supplies.")] = None,
    state: OrderState | None = None,
    awaits: Annotated[Side | None, Query(description="Whose move it is.")] = None,
    supplier_id: UUID | None = None,
    buyer_id: UUID | None = None,
    project_id: UUID | None = None,
    basket_id: UUID | None = None,
    delivery_stopped: Annotated[bool, Query(description="Only those whose delivery a blacklist stops today.")] = False,
    number: Annotated[QueryText | None, Query(max_length=40, examples=["PO-2026-000123"])] = None,
) -> list[OrderSummary]:
    """Newest first; each side sees only its own."""
    sides = _sides(caller)
    if side is not None and side not in sides:
        raise RightMissing(f"Your roles do not let you read orders as {side}.")
    narrowed = OrderFilter(
        side=side or (sides.pop() if len(sides) == 1 else None),
        state=state,
        awaits=awaits,
        supplier_id=supplier_id,
        buyer_id=buyer_id,
        project_id=project_id,
        basket_id=basket_id,
        number=number,
        stopped_on=business_date(now) if delivery_stopped else None,
    )
    found = await queries.orders_page(
        session,
        company_id=caller.company,
        limit=paging.limit,
        after=paging.after_as(UUID),
        narrowed=narrowed,
    )
    shown = paging.page(found, response, key=lambda order: [order.id])
    return [OrderSummary.model_validate(summary_view(order)) for order in shown]


@router.get(
    "/{order_id}",
    summary="A purchase order",
    response_model=BuyerOrder | SupplierOrder,
    responses=refusals(OrderNotFound),
)
async def read_order(order_id: UUID, caller: TradingParty, session: ReadSession, now: Now) -> Response:
    """The order as the caller's side sees it; the ETag is its version. Suppliers see no cost codes and notes."""
    order, side = await _readable(session, caller, order_id)
    return await _answer(session, order, side, now)


@router.post(
    "/{order_id}/response",
    summary="Answer an order (supplier)",
    response_model=SupplierOrder,
    responses=refusals(*_CHANGED, ResponseRefused, DeliveryStopped),
)
async def respond(
    *,
    order_id: UUID,
    body: ResponseBody,
    caller: OrderResponder,
    session: WriteSession,
    expected: ExpectedVersion,
    now: Now,
) -> Response:
    """Accepts lines, accepts them with another day or less, or rejects them with a reason.

    A changed line waits for the buyer. More than ordered is refused. What is rejected goes back into stock.
    """
    dossier = await actions.opened(
        session, order_id=order_id, actor=caller, side="supplier", expected_version=expected, at=now
    )
    await refuse_while_stopped(session, dossier=dossier)
    await actions.respond(session, dossier=dossier, body=body)
    return await _answer(session, dossier.order, "supplier", now)


@router.post(
    "/{order_id}/changes/decision",
    summary="Accept or decline a supplier's changes (buyer)",
    response_model=BuyerOrder,
    responses=refusals(*_CHANGED, DecisionRefused),
)
async def decide_changes(
    *,
    order_id: UUID,
    body: DecisionBody,
    caller: Purchaser,
    session: WriteSession,
    expected: ExpectedVersion,
    now: Now,
) -> Response:
    """An accepted change confirms the line as proposed; a declined one leaves it open for a new answer."""
    dossier = await actions.opened(
        session, order_id=order_id, actor=caller, side="buyer", expected_version=expected, at=now
    )
    await actions.decide(session, dossier=dossier, body=body, kind=ChangeKind.RESPONSE)
    return await _answer(session, dossier.order, "buyer", now)


@router.post(
    "/{order_id}/cancellation",
    summary="Cancel lines or the whole order (buyer)",
    response_model=BuyerOrder,
    responses=refusals(*_CHANGED, CancellationRefused),
)
async def cancel(
    *,
    order_id: UUID,
    body: CancellationBody,
    caller: Purchaser,
    session: WriteSession,
    expected: ExpectedVersion,
    now: Now,
) -> Response:
    """Lines not confirmed yet are cancelled at once; for confirmed ones the supplier is asked to agree."""
    dossier = await actions.opened(
        session, order_id=order_id, actor=caller, side="buyer", expected_version=expected, at=now
    )
    await actions.cancel(session, dossier=dossier, body=body)
    return await _answer(session, dossier.order, "buyer", now)


@router.post(
    "/{order_id}/cancellation/decision",
    summary="Agree or not to a cancellation (supplier)",
    response_model=SupplierOrder,
    responses=refusals(*_CHANGED, DecisionRefused),
)
async def decide_cancellation(
    *,
    order_id: UUID,
    body: DecisionBody,
    caller: OrderResponder,
    session: WriteSession,
    expected: ExpectedVersion,
    now: Now,
) -> Response:
    """An accepted cancellation gives the goods back into stock; a declined one leaves the line confirmed."""
    dossier = await actions.opened(
        session, order_id=order_id, actor=caller, side="supplier", expected_version=expected, at=now
    )
    await actions.decide(session, dossier=dossier, body=body, kind=ChangeKind.CANCELLATION)
    return await _answer(session, dossier.order, "supplier", now)


@router.get("/{order_id}/history", summary="An order's history", responses=refusals(OrderNotFound))
async def read_history(order_id: UUID, caller: TradingParty, session: ReadSession) -> HistoryView:
    """What happened, oldest first, and whether the hash chain holds; both sides read the same."""
    order, _ = await _readable(session, caller, order_id)
    entries = await queries.history(session, order=order)
    checked = await _checked(session, order, entries)
    return HistoryView(
        **checked.model_dump(),
        entries=[HistoryEntryView(seq=each.seq, entry=each.entry, hash=each.hash.hex()) for each in entries],
    )


@router.get("/{order_id}/history/verify", summary="Verify an order's history", responses=refusals(OrderNotFound))
async def verify_history(order_id: UUID, caller: TradingParty, session: ReadSession) -> HistoryCheck:
    """Whether every entry follows from those before it, and the order is what its last entry left behind."""
    order, _ = await _readable(session, caller, order_id)
    return await _checked(session, order, await queries.history(session, order=order))


async def _checked(session: AsyncSession, order: PurchaseOrder, entries: Sequence[OrderHistory]) -> HistoryCheck:
    lines = await queries.lines_of(session, orders=[order])
    pending = await queries.pending_changes(session, orders=[order])
    found = history.check(order, lines[order.id], pending[order.id], entries)
    return HistoryCheck(
        intact=found.fault is None,
        length=order.history_length,
        fault=found.fault,
        broken_at=found.broken_at,
        head=order.history_hash.hex(),
    )
