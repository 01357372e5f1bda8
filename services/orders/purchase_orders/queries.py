"""Reading baskets and orders. Every query is scoped to one company, as buyer or as supplier."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, func, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, or_, select

from services.orders.delivery_stops.rules import OFFICIAL
from services.orders.purchase_orders.rules import TO_COME, ChangeState, OrderState
from services.orders.purchase_orders.tables import (
    Basket,
    CodeOfLine,
    LineChange,
    OrderHistory,
    OrderLine,
    PurchaseOrder,
)
from shared.contracts.orders import Side


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderFilter:
    """What a list is narrowed to."""

    side: Side | None = None
    state: OrderState | None = None
    awaits: Side | None = None
    buyer_id: UUID | None = None
    supplier_id: UUID | None = None
    project_id: UUID | None = None
    basket_id: UUID | None = None
    number: str | None = None
    stopped_on: date | None = None
    """Only orders whose delivery is stopped on this day."""


# `delivery_stops.rules.stops` in SQL; the same cases test both.
_STOPPED = text(
    """
    EXISTS (
        SELECT FROM delivery_stops s
        WHERE s.supplier_id = purchase_orders.supplier_id AND s.active AND :on BETWEEN s.starts_on AND s.expires_on
          AND s.owner_id IN (:official, coalesce(purchase_orders.buyer_group_id, purchase_orders.buyer_id))
          AND (s.project_ids = '{}' OR purchase_orders.project_id = ANY (s.project_ids))
          AND (s.regions = '{}' OR EXISTS (
              SELECT FROM unnest(s.regions) AS region
              WHERE starts_with(purchase_orders.delivery ->> 'region', regexp_replace(region, '(00)+$', ''))))
          AND EXISTS (
              SELECT FROM purchase_order_lines l
              WHERE l.buyer_id = purchase_orders.buyer_id AND l.order_id = purchase_orders.id
                AND l.state = ANY (:to_come)
                AND (s.type_codes = '{}' OR split_part(l.variant_key, '|', 1) = ANY (s.type_codes)))
    )
    """
)


def _of(company_id: UUID, *, side: Side | None = None) -> ColumnElement[bool]:
    as_buyer = col(PurchaseOrder.buyer_id) == company_id
    as_supplier = col(PurchaseOrder.supplier_id) == company_id
    if side is None:
        return or_(as_buyer, as_supplier)
    return as_buyer if side == "buyer" else as_supplier


async def order(session: AsyncSession, *, company_id: UUID, order_id: UUID, lock: bool = False) -> PurchaseOrder | None:
    """An order of which the company is a party; `lock` holds it until the transaction ends."""
    query = select(PurchaseOrder).where(col(PurchaseOrder.id) == order_id, _of(company_id))
    found = await session.execute(query.with_for_update() if lock else query)
    return found.scalar_one_or_none()


async def orders_page(
    session: AsyncSession, *, company_id: UUID, limit: int, after: tuple[UUID] | None, narrowed: OrderFilter
) -> Sequence[PurchaseOrder]:
    """Up to `limit + 1` orders of which the company is a party, newest first."""
    query = select(PurchaseOrder).where(_of(company_id, side=narrowed.side))
    if after is not None:
        query = query.where(col(PurchaseOrder.id) < after[0])
    for column, value in (
        (col(PurchaseOrder.state), narrowed.state),
        (col(PurchaseOrder.buyer_id), narrowed.buyer_id),
        (col(PurchaseOrder.supplier_id), narrowed.supplier_id),
        (col(PurchaseOrder.project_id), narrowed.project_id),
        (col(PurchaseOrder.basket_id), narrowed.basket_id),
        (col(PurchaseOrder.number), narrowed.number),
    ):
        if value is not None:
            query = query.where(column == value)
    if narrowed.stopped_on is not None:
        states = sorted(state.value for state in TO_COME)
        query = query.where(_STOPPED.bindparams(on=narrowed.stopped_on, official=OFFICIAL, to_come=states))
    if narrowed.awaits is not None:
        buyer = narrowed.awaits == "buyer"
        query = query.where(col(PurchaseOrder.awaits_buyer if buyer else PurchaseOrder.awaits_supplier).is_(True))
    found = await session.execute(query.order_by(col(PurchaseOrder.id).desc()).limit(limit + 1))
    return found.scalars().all()


async def lines_of(session: AsyncSession, *, orders: Sequence[PurchaseOrder]) -> dict[UUID, list[OrderLine]]:
    """The lines of orders already found, by order, in line order."""
    lines: dict[UUID, list[OrderLine]] = {order.id: [] for order in orders}
    found = await session.execute(
        select(OrderLine)
        .where(
            col(OrderLine.buyer_id).in_({order.buyer_id for order in orders}), col(OrderLine.order_id).in_(list(lines))
        )
        .order_by(col(OrderLine.line_no))
    )
    for line in found.scalars():
        lines[line.order_id].append(line)
    return lines


async def codes_of(session: AsyncSession, *, orders: Sequence[PurchaseOrder]) -> dict[UUID, dict[int, str]]:
    """The buyer's own codes of lines of orders already found, by order and line; none to who is not the buyer."""
    codes: dict[UUID, dict[int, str]] = {order.id: {} for order in orders}
    found = await session.execute(
        select(CodeOfLine).where(
            col(CodeOfLine.buyer_id).in_({order.buyer_id for order in orders}),
            col(CodeOfLine.order_id).in_(list(codes)),
        )
    )
    for each in found.scalars():
        codes[each.order_id][each.line_no] = each.code
    return codes


async def pending_changes(session: AsyncSession, *, orders: Sequence[PurchaseOrder]) -> dict[UUID, list[LineChange]]:
    """The undecided changes of orders already found, by order."""
    found = await session.execute(
        select(LineChange).where(
            col(LineChange.buyer_id).in_({order.buyer_id for order in orders}),
            col(LineChange.order_id).in_([order.id for order in orders]),
            col(LineChange.state) == ChangeState.PROPOSED,
        )
    )
    changes: dict[UUID, list[LineChange]] = defaultdict(list)
    for change in found.scalars():
        changes[change.order_id].append(change)
    return changes


async def history(session: AsyncSession, *, order: PurchaseOrder) -> Sequence[OrderHistory]:
    """The history of an order already found, oldest first."""
    found = await session.execute(
        select(OrderHistory)
        .where(col(OrderHistory.buyer_id) == order.buyer_id, col(OrderHistory.order_id) == order.id)
        .order_by(col(OrderHistory.seq))
    )
    return found.scalars().all()


async def basket(session: AsyncSession, *, buyer_id: UUID, basket_id: UUID) -> Basket | None:
    """A basket of the buyer's."""
    found = await session.execute(select(Basket).where(col(Basket.buyer_id) == buyer_id, col(Basket.id) == basket_id))
    return found.scalar_one_or_none()


async def orders_of_basket(session: AsyncSession, *, buyer_id: UUID, basket_id: UUID) -> Sequence[PurchaseOrder]:
    """A basket's orders, in the order of their numbers."""
    found = await session.execute(
        select(PurchaseOrder)
        .where(col(PurchaseOrder.buyer_id) == buyer_id, col(PurchaseOrder.basket_id) == basket_id)
        .order_by(col(PurchaseOrder.number))
    )
    return found.scalars().all()


_OVER = (OrderState.COMPLETED, OrderState.CLOSED, OrderState.REJECTED, OrderState.CANCELLED)


async def open_orders(session: AsyncSession, *, company_id: UUID) -> tuple[int, int]:
    """How many orders of the company are not over, as buyer and as supplier."""
    counts = []
    for side in (col(PurchaseOrder.buyer_id), col(PurchaseOrder.supplier_id)):
        query = select(func.count()).select_from(PurchaseOrder)
        query = query.where(side == company_id, col(PurchaseOrder.state).not_in(_OVER))
        counts.append((await session.execute(query)).scalar_one())
    return counts[0], counts[1]
