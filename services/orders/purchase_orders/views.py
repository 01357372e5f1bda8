"""What each side sees of an order: the same in an answer to placing and in every later reading of it."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.orders.delivery_stops.rules import OFFICIAL, Stop
from services.orders.purchase_orders import texts
from services.orders.purchase_orders.documents import totals_view
from services.orders.purchase_orders.history import LINE_KEYS, canonical_line
from services.orders.purchase_orders.tables import Basket, LineChange, OrderLine, PurchaseOrder
from shared.contracts.orders import Side
from shared.money import LineAmounts, Totals, sum_by_rate

_BUYERS_OWN = ("cost_code", "note")


def totals_of(lines: Sequence[OrderLine]) -> Totals:
    """The sums of the lines on which something is still bought (R4)."""
    return sum_by_rate(
        (line.tax_rate, LineAmounts(line.net, line.tax, line.gross)) for line in lines if not line.is_void
    )


def awaits(order: PurchaseOrder) -> list[Side]:
    """Whose move it is."""
    sides: list[Side] = []
    if order.awaits_supplier:
        sides.append("supplier")
    if order.awaits_buyer:
        sides.append("buyer")
    return sides


def summary_view(order: PurchaseOrder) -> dict[str, Any]:
    """An order as a list shows it, to either side."""
    return {
        "number": order.number,
        "id": order.id,
        "basket_id": order.basket_id,
        "state": order.state,
        "awaits": awaits(order),
        "version": order.version,
        "buyer": {"company_id": order.buyer_id, "name": order.buyer_name, "tax_id": order.buyer_tax_id},
        "supplier": {
            "company_id": order.supplier_id,
            "name": order.supplier_name,
            "tax_id": order.supplier_tax_id,
        },
        "project": {"id": order.project_id, "number": order.project_number, "name": order.project_name},
        "currency": order.currency,
        "net": texts.money(order.net),
        "tax": texts.money(order.tax),
        "gross": texts.money(order.gross),
        "placed_at": texts.moment(order.placed_at),
        "updated_at": texts.moment(order.updated_at),
    }


def order_view(
    order: PurchaseOrder,
    lines: Sequence[OrderLine],
    pending: Sequence[LineChange],
    *,
    side: Side,
    codes: Mapping[int, str],
    stop: Stop | None = None,
) -> dict[str, Any]:
    """An order as the buyer or the supplier sees it: codes, notes and the buyer's people are the buyer's own.

    Only an order whose delivery is stopped says so.
    """
    view = summary_view(order)
    for amount in ("net", "tax", "gross"):
        del view[amount]
    changes = {change.line_no: _change_view(change) for change in pending}
    view |= {
        "delivery": order.delivery,
        "instructions": order.instructions,
        "totals": totals_view(totals_of(lines)),
        "lines": [_line_view(line, changes.get(line.line_no), side=side, codes=codes) for line in lines],
    }
    if side == "buyer":
        view["placed_by"] = order.placed_by
    if stop is not None:
        view["delivery_stop"] = {
            "official": stop.owner_id == OFFICIAL,
            "reason_class": stop.reason_class,
            "starts_on": stop.starts_on,
            "expires_on": stop.expires_on,
            "entry_id": stop.entry_id,
        }
    return view


def basket_view(
    basket: Basket,
    orders: Sequence[PurchaseOrder],
    *,
    lines: Mapping[UUID, Sequence[OrderLine]],
    pending: Mapping[UUID, Sequence[LineChange]],
    codes: Mapping[UUID, Mapping[int, str]],
) -> dict[str, Any]:
    """A basket as its buyer sees it now."""
    every = [line for order in orders for line in lines[order.id]]
    return {
        "basket_id": basket.id,
        "currency": basket.currency,
        "placed_at": texts.moment(basket.placed_at),
        "totals": totals_view(totals_of(every)),
        "orders": [
            order_view(order, lines[order.id], pending.get(order.id, ()), side="buyer", codes=codes[order.id])
            for order in orders
        ],
    }


def _line_view(
    line: OrderLine, change: dict[str, Any] | None, *, side: Side, codes: Mapping[int, str]
) -> dict[str, Any]:
    view = dict(zip(LINE_KEYS, canonical_line(line), strict=True))
    if side == "supplier":
        for member in _BUYERS_OWN:
            del view[member]
    else:
        view["enterprise_code"] = codes.get(line.line_no)
    view["pending_change"] = change
    return view


def _change_view(change: LineChange) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "quantity": None if change.quantity is None else texts.plain(change.quantity),
        "promised_by": change.promised_by,
        "reason": change.reason,
        "proposed_at": texts.moment(change.proposed_at),
    }
