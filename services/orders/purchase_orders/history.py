"""The history of an order: what happened, by whom, and a digest of the whole order after it (design.md rule 9).

Every entry is hashed with the one before, and the order's row keeps length and hash of the last. So a changed,
missing or cut-off entry shows; and because an entry carries the digest of the order it left behind, so does a
changed amount, date or state of the order itself.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.purchase_orders import texts
from services.orders.purchase_orders.tables import LineChange, OrderHistory, OrderLine, PurchaseOrder
from shared.history import chain_hash, first_broken
from shared.identity import Principal

Canonical = list[Any]

LINE_KEYS = (
    "line_no",
    "state",
    "offer_id",
    "item_no",
    "stock_point",
    "variant_id",
    "variant_key",
    "name_zh",
    "name_en",
    "brand",
    "spec_hash",
    "ordered_quantity",
    "quantity",
    "unit",
    "priced_quantity",
    "price_unit",
    "base_quantity",
    "base_unit",
    "unit_factor",
    "unit_price",
    "tax_rate",
    "tax_inclusive",
    "net",
    "tax",
    "gross",
    "need_by",
    "promised_by",
    "cost_code",
    "note",
)
"""The members of a line's canonical form; also how a buyer sees the line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """Whether an order still is what its history says."""

    fault: str | None = None
    broken_at: int | None = None


def actor_of(principal: Principal) -> dict[str, str]:
    """Who did it."""
    return {
        "kind": principal.kind,
        "id": str(principal.subject),
        "name": principal.name,
        "company_id": str(principal.company_id),
    }


def canonical_head(order: PurchaseOrder) -> Canonical:
    """The header as it is digested; `documents.OrderDraft.head` writes the same of an order about to be placed."""
    return [
        str(order.id),
        order.number,
        str(order.basket_id),
        str(order.buyer_id),
        order.buyer_name,
        order.buyer_tax_id,
        str(order.supplier_id),
        order.supplier_name,
        order.supplier_tax_id,
        str(order.project_id),
        order.project_number,
        order.project_name,
        order.delivery,
        order.instructions,
        order.currency,
        texts.money(order.net),
        texts.money(order.tax),
        texts.money(order.gross),
        order.state,
        order.version,
        str(order.placed_by),
        texts.moment(order.placed_at),
    ]


def canonical_line(line: OrderLine) -> Canonical:
    """A line as it is digested; `documents` writes the same of a line about to be placed."""
    return [
        line.line_no,
        line.state,
        str(line.offer_id),
        line.item_no,
        line.stock_point,
        str(line.variant_id),
        line.variant_key,
        line.name_zh,
        line.name_en,
        line.brand,
        line.spec_hash,
        texts.plain(line.ordered_quantity),
        texts.plain(line.quantity),
        line.unit,
        texts.plain(line.priced_quantity),
        line.price_unit,
        texts.plain(line.base_quantity),
        line.base_unit,
        texts.plain(line.unit_factor),
        texts.price(texts.plain(line.unit_price)),
        texts.plain(line.tax_rate),
        line.tax_inclusive,
        texts.money(line.net),
        texts.money(line.tax),
        texts.money(line.gross),
        line.need_by.isoformat(),
        line.promised_by.isoformat(),
        line.cost_code,
        line.note,
    ]


def canonical_change(change: LineChange) -> Canonical:
    """An undecided change as it is digested."""
    return [
        change.line_no,
        change.kind,
        None if change.quantity is None else texts.plain(change.quantity),
        None if change.promised_by is None else change.promised_by.isoformat(),
        change.reason,
    ]


def digest(head: Canonical, lines: bytes, changes: Sequence[Canonical] = ()) -> str:
    """SHA-256 of a document; `lines` is the JSON of its canonical lines."""
    hashed = hashlib.sha256(orjson.dumps(head, option=orjson.OPT_SORT_KEYS))
    hashed.update(lines)
    hashed.update(orjson.dumps(changes))
    return hashed.hexdigest()


def digest_of(order: PurchaseOrder, lines: Sequence[OrderLine], pending: Sequence[LineChange]) -> str:
    """The digest of an order as its rows tell it."""
    return digest(
        canonical_head(order),
        orjson.dumps([canonical_line(line) for line in lines]),
        [canonical_change(change) for change in sorted(pending, key=lambda change: change.line_no)],
    )


def entry_of(
    *,
    order_id: str,
    seq: int,
    at: str,
    actor: Mapping[str, str],
    what: str,
    document: str,
    state: str,
    totals: Sequence[str],
    detail: Any,
) -> dict[str, Any]:
    """One entry; only text, numbers and booleans, so that it reads back from jsonb as it was hashed."""
    return {
        "order_id": order_id,
        "seq": seq,
        "at": at,
        "actor": actor,
        "what": what,
        "document": document,
        "state": state,
        "totals": {"net": totals[0], "tax": totals[1], "gross": totals[2]},
        "detail": detail,
    }


async def append(
    session: AsyncSession,
    *,
    order: PurchaseOrder,
    lines: Sequence[OrderLine],
    pending: Sequence[LineChange],
    actor: Principal,
    what: str,
    detail: Any,
    at: datetime,
) -> None:
    """Add an entry about a change just made to an order that this transaction holds locked."""
    seq = order.history_length + 1
    entry = entry_of(
        order_id=str(order.id),
        seq=seq,
        at=texts.moment(at),
        actor=actor_of(actor),
        what=what,
        document=digest_of(order, lines, pending),
        state=order.state,
        totals=[texts.money(amount) for amount in (order.net, order.tax, order.gross)],
        detail=detail,
    )
    link = chain_hash(order.history_hash, entry)
    session.add(
        OrderHistory(
            buyer_id=order.buyer_id,
            order_id=order.id,
            seq=seq,
            supplier_id=order.supplier_id,
            entry=entry,
            hash=link,
        )
    )
    order.history_length = seq
    order.history_hash = link


def check(
    order: PurchaseOrder,
    lines: Sequence[OrderLine],
    pending: Sequence[LineChange],
    entries: Sequence[OrderHistory],
) -> Check:
    """Compare an order with its history."""
    expected: list[tuple[int, UUID]] = [(seq, order.id) for seq in range(1, order.history_length + 1)]
    for position, (entry, (seq, order_id)) in enumerate(zip(entries, expected, strict=False)):
        if entry.entry.get("seq") != seq or entry.entry.get("order_id") != str(order_id):
            return Check(fault=f"Entry {position + 1} is missing or stands in another's place.", broken_at=seq)
    broken = first_broken([(entry.entry, bytes(entry.hash)) for entry in entries])
    if broken is not None:
        return Check(fault=f"Entry {broken + 1} is not what was hashed.", broken_at=broken + 1)
    if len(entries) != order.history_length or bytes(entries[-1].hash) != bytes(order.history_hash):
        return Check(fault="The last entries are missing.", broken_at=len(entries) + 1)
    if entries[-1].entry["document"] != digest_of(order, lines, pending):
        return Check(fault="The order's present content is not what its last entry left behind.")
    return Check()
