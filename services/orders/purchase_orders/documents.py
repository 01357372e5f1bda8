"""From a held reservation to the purchase orders of a basket, ready to be written (pure, and on the hot path).

Each value is turned into text once and used three times: in the answer, in the digest, and in the arrays of the
statement that writes it. So a line is a tuple of texts here, in the order of `history.LINE_KEYS`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from services.orders.purchase_orders import texts
from services.orders.purchase_orders.history import LINE_KEYS, Canonical, digest, entry_of
from services.orders.purchase_orders.rules import MONEY_LIMIT, OrderState
from services.orders.purchase_orders.texts import trimmed
from shared.contracts.orders import BasketBody, BasketLine
from shared.contracts.reservations import ReservedLinePlain
from shared.errors import Conflict, FieldError
from shared.history import chain_hash
from shared.ids import new_id
from shared.money import LineAmounts, Totals, line_amounts, sum_by_rate

_VIEW_KEYS = (*LINE_KEYS, "pending_change", "enterprise_code")
_NUMBER_PREFIX = b'{"number":"'


class AmountTooLarge(Conflict):
    """An amount has more than 16 digits before the point; split the order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Buyer:
    """Who buys, as it is copied onto the order."""

    id: UUID
    name: str
    tax_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """The project and delivery point, as they are copied onto the order."""

    project_id: UUID
    project_number: str
    project_name: str
    delivery: Mapping[str, Any]


@dataclass(kw_only=True, slots=True)
class OrderDraft:
    """One supplier's order, complete but for its number."""

    id: str
    supplier_id: str
    supplier_name: str
    supplier_tax_id: str
    amounts: list[tuple[Decimal, LineAmounts]] = field(default_factory=list)
    lines: list[tuple[Any, ...]] = field(default_factory=list)
    """Each as `history.canonical_line` writes it, in the order of `LINE_KEYS`."""
    decimals: list[tuple[int, int]] = field(default_factory=list)
    """Of each line's unit and base unit."""
    codes: list[str | None] = field(default_factory=list)
    """Of each line, the buyer's own material code."""
    totals: Totals = field(init=False)
    head: Canonical = field(init=False)
    canonical_json: bytes = field(init=False)
    answer: bytes = field(init=False)


@dataclass(kw_only=True, slots=True)
class BasketDraft:
    """A basket's orders and answer, complete but for the orders' numbers."""

    id: UUID
    buyer: Buyer
    buyer_group_id: UUID
    body: BasketBody
    actor: Mapping[str, str]
    placed_at: datetime
    orders: list[OrderDraft]
    answer_head: bytes
    event: bytes


def draft_basket(
    *,
    basket_id: UUID,
    buyer: Buyer,
    buyer_group_id: UUID,
    site: Site,
    actor: Mapping[str, str],
    body: BasketBody,
    held: Sequence[ReservedLinePlain],
    at: datetime,
) -> BasketDraft:
    """The orders of a basket whose goods are held: one a supplier, in the order of their first lines.

    Raises:
        AmountTooLarge: see the class.
    """
    orders: dict[str, OrderDraft] = {}
    for reserved in sorted(held, key=lambda line: line["line_no"]):
        order = orders.get(reserved["supplier_id"])
        if order is None:
            order = orders[reserved["supplier_id"]] = OrderDraft(
                id=str(new_id()),
                supplier_id=reserved["supplier_id"],
                supplier_name=reserved["supplier_name"],
                supplier_tax_id=reserved["supplier_tax_id"],
            )
        _add_line(order, body.lines[reserved["line_no"] - 1], reserved)
    for order in orders.values():
        _complete(order, basket_id=basket_id, buyer=buyer, site=site, actor=actor, body=body, at=at)
    totals = _together(order.totals for order in orders.values())
    if totals.gross >= MONEY_LIMIT:
        raise _too_large(totals.gross, None)
    head = {
        "basket_id": basket_id,
        "currency": body.currency,
        "placed_at": texts.moment(at),
        "totals": totals_view(totals),
    }
    return BasketDraft(
        id=basket_id,
        buyer=buyer,
        buyer_group_id=buyer_group_id,
        body=body,
        actor=actor,
        placed_at=at,
        orders=list(orders.values()),
        answer_head=orjson.dumps(head),
        event=_event(basket_id, buyer, orders.values(), at),
    )


def _together(totals: Iterable[Totals]) -> Totals:
    """The sums of sums: what `sum_by_rate` says of all their lines at once."""
    return sum_by_rate(
        (each.tax_rate, LineAmounts(each.net, each.tax, each.gross)) for t in totals for each in t.by_rate
    )


def totals_view(totals: Totals) -> dict[str, Any]:
    """Totals as an answer shows them."""
    return {
        "net": texts.money(totals.net),
        "tax": texts.money(totals.tax),
        "gross": texts.money(totals.gross),
        "by_rate": [
            {
                "tax_rate": texts.plain(rate.tax_rate),
                "net": texts.money(rate.net),
                "tax": texts.money(rate.tax),
                "gross": texts.money(rate.gross),
            }
            for rate in totals.by_rate
        ],
    }


def numbered(order: OrderDraft, *, number: str, actor: Mapping[str, str], at: str) -> tuple[bytes, bytes, bytes]:
    """An order's answer, its first history entry as JSON and that entry's hash, now that its number is known."""
    order.head[1] = number
    totals = [texts.money(amount) for amount in (order.totals.net, order.totals.tax, order.totals.gross)]
    entry = entry_of(
        order_id=order.id,
        seq=1,
        at=at,
        actor=actor,
        what="placed",
        document=digest(order.head, order.canonical_json),
        state=OrderState.ISSUED,
        totals=totals,
        detail={"number": number, "lines": len(order.lines)},
    )
    answer = _NUMBER_PREFIX + number.encode() + order.answer[len(_NUMBER_PREFIX) :]
    return answer, orjson.dumps(entry), chain_hash(None, entry)


def _add_line(order: OrderDraft, asked: BasketLine, held: ReservedLinePlain) -> None:
    rate, unit_price = Decimal(held["tax_rate"]), Decimal(held["unit_price"])
    amounts = line_amounts(
        quantity=Decimal(held["priced_quantity"]),
        unit_price=unit_price,
        tax_rate=rate,
        tax_inclusive=held["tax_inclusive"],
    )
    if amounts.gross >= MONEY_LIMIT:
        raise _too_large(amounts.gross, held["line_no"])
    order.amounts.append((rate, amounts))
    order.decimals.append((held["unit_decimals"], held["base_decimals"]))
    order.codes.append(asked.enterprise_code)
    quantity = trimmed(held["quantity"])
    order.lines.append(
        (
            held["line_no"],
            "OPEN",
            held["offer_id"],
            held["item_no"],
            held["stock_point"],
            held["variant_id"],
            held["variant_key"],
            held["name_zh"],
            held["name_en"],
            held["brand"],
            held["spec_hash"],
            quantity,
            quantity,
            held["unit"],
            trimmed(held["priced_quantity"]),
            held["price_unit"],
            trimmed(held["base_quantity"]),
            held["base_unit"],
            trimmed(held["unit_factor"]),
            texts.price(trimmed(held["unit_price"])),
            trimmed(held["tax_rate"]),
            held["tax_inclusive"],
            str(amounts.net),
            str(amounts.tax),
            str(amounts.gross),
            asked.need_by.isoformat(),
            held["promised_by"],
            asked.cost_code,
            asked.note,
        )
    )


def _too_large(amount: Decimal, line_no: int | None) -> AmountTooLarge:
    errors = []
    if line_no is not None:
        field_name = f"lines.{line_no - 1}.quantity"
        errors = [FieldError(field=field_name, rule="AmountTooLarge", message=f"{amount} is too large.")]
    return AmountTooLarge("An amount has more than 16 digits before the point; split the order.", errors=errors)


def _complete(
    order: OrderDraft,
    *,
    basket_id: UUID,
    buyer: Buyer,
    site: Site,
    actor: Mapping[str, str],
    body: BasketBody,
    at: datetime,
) -> None:
    """Sum the order up and render everything that does not need its number."""
    order.totals = sum_by_rate(order.amounts)
    moment = texts.moment(at)
    order.head = [
        order.id,
        "",
        str(basket_id),
        str(buyer.id),
        buyer.name,
        buyer.tax_id,
        order.supplier_id,
        order.supplier_name,
        order.supplier_tax_id,
        str(site.project_id),
        site.project_number,
        site.project_name,
        site.delivery,
        body.instructions,
        body.currency,
        texts.money(order.totals.net),
        texts.money(order.totals.tax),
        texts.money(order.totals.gross),
        OrderState.ISSUED,
        1,
        actor["id"],
        moment,
    ]
    order.canonical_json = orjson.dumps(order.lines)
    order.answer = orjson.dumps(
        {
            "number": "",
            "id": order.id,
            "basket_id": basket_id,
            "state": OrderState.ISSUED,
            "awaits": ["supplier"],
            "version": 1,
            "buyer": {"company_id": buyer.id, "name": buyer.name, "tax_id": buyer.tax_id},
            "supplier": {
                "company_id": order.supplier_id,
                "name": order.supplier_name,
                "tax_id": order.supplier_tax_id,
            },
            "project": {"id": site.project_id, "number": site.project_number, "name": site.project_name},
            "delivery": site.delivery,
            "instructions": body.instructions,
            "currency": body.currency,
            "totals": totals_view(order.totals),
            "placed_at": moment,
            "updated_at": moment,
            "placed_by": actor["id"],
            "lines": [
                dict(zip(_VIEW_KEYS, (*line, None, code), strict=True))
                for line, code in zip(order.lines, order.codes, strict=True)
            ],
        }
    )


def _event(basket_id: UUID, buyer: Buyer, orders: Any, at: datetime) -> bytes:
    """dev.dougong.orders.basket.placed.v1; no price leaves by it."""
    return orjson.dumps(
        {
            "basket_id": basket_id,
            "reservation_id": basket_id,
            "buyer_id": buyer.id,
            "placed_at": texts.moment(at),
            "orders": [
                {
                    "order_id": order.id,
                    "supplier_id": order.supplier_id,
                    "lines": [{"line_no": line[0]} for line in order.lines],
                }
                for order in orders
            ],
        }
    )
