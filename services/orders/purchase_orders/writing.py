"""Writing baskets: orders, lines, history, event, audit entry, answer and Idempotency-Key of many in one statement.

Two statements make a transaction. The first takes numbers from the buyers' counter rows, in buyer order. The second
inserts everything, each basket whole or not at all: a basket is written only if its Idempotency-Key was free and
while the goods are still held (`clock_timestamp() < expires_at - 5 s`, ADR 0006).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import insert
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.purchase_orders import texts
from services.orders.purchase_orders.codes import OrderedCode
from services.orders.purchase_orders.documents import BasketDraft, OrderDraft, numbered
from services.orders.purchase_orders.history import LINE_KEYS
from services.orders.purchase_orders.tables import CodeOfLine
from services.orders.purchase_orders.texts import separated
from shared.arrays import array, quoted
from shared.batching import GroupCommit
from shared.clock import business_date
from shared.contracts.orders import BASKET_PLACED
from shared.database import Database, transaction
from shared.ids import new_id

ROUTE = "POST /orders/baskets"
_BATCH_LINES = 4_000
"""About what one statement carries; a larger basket stands alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready:
    """A basket to be written, and the request it answers."""

    draft: BasketDraft
    key: str
    request_hash: bytes
    expires_at: datetime
    audit_entry: bytes
    """JSON, for the buyer's audit log."""
    codes: Sequence[OrderedCode] = ()


_NUMBERS = """
    INSERT INTO number_counters AS c (buyer_id, kind, year, last)
    SELECT buyer_id, 'PO', year, taken
    FROM unnest(CAST(%s AS uuid[]), CAST(%s AS smallint[]), CAST(%s AS integer[])) AS n (buyer_id, year, taken)
    ORDER BY buyer_id, year
    ON CONFLICT (buyer_id, kind, year) DO UPDATE SET last = c.last + excluded.last
    RETURNING c.buyer_id, c.year, c.last
"""

_KINDS = {
    "line_no": "integer",
    "offer_id": "uuid",
    "variant_id": "uuid",
    "quantity": "numeric",
    "priced_quantity": "numeric",
    "base_quantity": "numeric",
    "unit_factor": "numeric",
    "unit_price": "numeric",
    "tax_rate": "numeric",
    "tax_inclusive": "boolean",
    "net": "numeric",
    "tax": "numeric",
    "gross": "numeric",
    "need_by": "date",
    "promised_by": "date",
}
"""What is not text among the members of a line."""
_COLUMNS = tuple(
    (place, name, _KINDS.get(name)) for place, name in enumerate(LINE_KEYS) if name not in {"state", "ordered_quantity"}
)
_LINE_NAMES = ", ".join([*(name for _, name, _ in _COLUMNS), "unit_decimals", "base_decimals"])
_LINE_ARRAYS = ", ".join(
    [
        *(f"CAST(%s AS {kind}[])" if kind else "string_to_array(%s, chr(31), chr(30))" for _, _, kind in _COLUMNS),
        "CAST(%s AS smallint[])",
        "CAST(%s AS smallint[])",
    ]
)

_WRITE = f"""
    WITH asked AS MATERIALIZED (
        SELECT * FROM unnest(
            CAST(%s AS integer[]), CAST(%s AS uuid[]), CAST(%s AS uuid[]), CAST(%s AS text[]), CAST(%s AS bytea[]),
            CAST(%s AS timestamptz[]), CAST(%s AS timestamptz[]), CAST(%s AS uuid[]), CAST(%s AS uuid[]),
            CAST(%s AS uuid[]), CAST(%s AS text[]), CAST(%s AS text[]), CAST(%s AS text[]), CAST(%s AS jsonb[]),
            CAST(%b AS bytea[]), CAST(%s AS uuid[]), CAST(%s AS jsonb[]), CAST(%s AS jsonb[]), CAST(%s AS uuid[])
        ) AS asked (
            n, buyer_id, id, key, request_hash, expires_at, placed_at, placed_by, project_id, delivery_point_id,
            currency, note, instructions, headers, body, event_id, event, audit_entry, buyer_group_id
        )
    ), claimed AS (
        INSERT INTO idempotency_keys (scope_id, key, route, request_hash, status, headers, body)
        SELECT buyer_id, key, '{ROUTE}', request_hash, 201, headers, body FROM asked
        WHERE clock_timestamp() < expires_at - interval '5 seconds'
        ORDER BY buyer_id, key
        ON CONFLICT DO NOTHING
        RETURNING scope_id, key
    ), live AS MATERIALIZED (
        SELECT asked.* FROM asked JOIN claimed ON claimed.scope_id = asked.buyer_id AND claimed.key = asked.key
    ), kept_basket AS (
        INSERT INTO baskets
            (buyer_id, id, project_id, delivery_point_id, currency, note, placed_by, placed_at)
        SELECT buyer_id, id, project_id, delivery_point_id, currency, note, placed_by, placed_at FROM live
    ), kept_event AS (
        INSERT INTO events (id, type, subject, company_id, time, data)
        SELECT event_id, '{BASKET_PLACED}', CAST(id AS text), buyer_id, placed_at, event FROM live
    ), kept_audit AS (
        INSERT INTO audit_entries (owner_id, at, entry) SELECT buyer_id, placed_at, audit_entry FROM live
    ), ordered AS MATERIALIZED (
        SELECT o.*, live.buyer_id, live.id AS basket_id, live.project_id, live.instructions, live.currency,
            live.placed_by, live.placed_at, live.buyer_group_id
        FROM unnest(
            CAST(%s AS integer[]), CAST(%s AS integer[]), CAST(%s AS uuid[]), CAST(%s AS text[]), CAST(%s AS uuid[]),
            CAST(%s AS text[]), CAST(%s AS text[]), CAST(%s AS text[]), CAST(%s AS text[]), CAST(%s AS text[]),
            CAST(%s AS text[]), CAST(%s AS jsonb[]), CAST(%s AS numeric[]), CAST(%s AS numeric[]),
            CAST(%s AS numeric[]), CAST(%s AS jsonb[]), CAST(%s AS bytea[])
        ) AS o (
            o, n, id, number, supplier_id, supplier_name, supplier_tax_id, buyer_name, buyer_tax_id, project_number,
            project_name, delivery, net, tax, gross, entry, hash
        ) JOIN live USING (n)
    ), kept_order AS (
        INSERT INTO purchase_orders (
            buyer_id, id, basket_id, number, supplier_id, supplier_name, supplier_tax_id, buyer_name, buyer_tax_id,
            project_id, project_number, project_name, delivery, instructions, currency, net, tax, gross, state,
            awaits_supplier, awaits_buyer, version, placed_by, placed_at, updated_at, history_length, history_hash,
            buyer_group_id
        )
        SELECT buyer_id, id, basket_id, number, supplier_id, supplier_name, supplier_tax_id, buyer_name, buyer_tax_id,
            project_id, project_number, project_name, delivery, instructions, currency, net, tax, gross, 'ISSUED',
            true, false, 1, placed_by, placed_at, placed_at, 1, hash, buyer_group_id
        FROM ordered
    ), kept_history AS (
        INSERT INTO order_history (buyer_id, order_id, seq, supplier_id, entry, hash)
        SELECT buyer_id, id, 1, supplier_id, entry, hash FROM ordered
    ), kept_line AS (
        INSERT INTO purchase_order_lines
            (buyer_id, order_id, supplier_id, state, ordered_quantity, ordered_base_quantity, {_LINE_NAMES})
        SELECT ordered.buyer_id, ordered.id, ordered.supplier_id, 'OPEN', quantity, base_quantity,
            {", ".join(f"line.{name}" for name in _LINE_NAMES.split(", "))}
        FROM unnest(CAST(%s AS integer[]), {_LINE_ARRAYS}) AS line (o, {_LINE_NAMES}) JOIN ordered USING (o)
    )
    SELECT n FROM live
"""


class Writing:
    """One per process. Each batch writes with the scope of exactly its own buyers."""

    def __init__(self, database: Database, *, baskets_at_once: int) -> None:
        self._database = database
        self._baskets: GroupCommit[Ready, bytes | None] = GroupCommit(self._flush, max_batch=baskets_at_once)

    async def write(self, basket: Ready) -> bytes | None:
        """The answer of a basket now committed; None when nothing of it was written.

        None says: its key was taken in the meantime, or its goods are (almost) no longer held.

        Raises:
            DBAPIError: nothing was written, or the outcome of the commit is unknown; the same key tells which.
        """
        return await self._baskets.submit(basket)

    async def _flush(self, baskets: Sequence[Ready]) -> Sequence[bytes | Exception | None]:
        results: list[bytes | Exception | None] = []
        for part in _portions(baskets):
            results += await self._commit(part)
        return results

    async def _commit(self, baskets: Sequence[Ready]) -> Sequence[bytes | Exception | None]:
        try:
            async with transaction(self._database.app, *{basket.draft.buyer.id for basket in baskets}) as session:
                return await _insert(session, baskets)
        except (IntegrityError, DataError, ValueError) as error:
            if len(baskets) == 1:
                return [error]
            # One basket that cannot be written must not keep the others out.
            return [result for basket in baskets for result in await self._commit([basket])]
        except Exception as error:  # noqa: BLE001 - handed to everyone whose basket was in this transaction
            return [error] * len(baskets)


def _portions(baskets: Sequence[Ready]) -> list[list[Ready]]:
    portions: list[list[Ready]] = []
    room = 0
    for basket in baskets:
        size = len(basket.draft.body.lines)
        if size > room:
            portions.append([])
            room = _BATCH_LINES
        portions[-1].append(basket)
        room -= size
    return portions


async def _insert(session: AsyncSession, baskets: Sequence[Ready]) -> list[bytes | None]:
    connection = await session.connection()
    numbers = await _take_numbers(connection, baskets)
    answers: list[bytes] = []
    rows: list[tuple[str, ...]] = []
    orders: list[OrderDraft] = []
    for n, basket in enumerate(baskets):
        parts = []
        moment = texts.moment(basket.draft.placed_at)
        for order in basket.draft.orders:
            number = numbers(basket)
            answer, entry, link = numbered(order, number=number, actor=basket.draft.actor, at=moment)
            place = str(len(rows))
            rows.append(_order_row(order, n=n, place=place, number=number, entry=entry, link=link))
            orders.append(order)
            parts.append(answer)
        answers.append(basket.draft.answer_head[:-1] + b',"orders":[' + b",".join(parts) + b"]}")
    written = await connection.exec_driver_sql(
        _WRITE,
        (
            *_basket_arrays(baskets, answers),
            *(array(column) for column in zip(*rows, strict=True)),
            *_line_arrays(orders),
        ),
    )
    done = {row[0] for row in written}
    await _keep_codes(session, [basket for n, basket in enumerate(baskets) if n in done and basket.codes])
    return [answer if n in done else None for n, answer in enumerate(answers)]


async def _keep_codes(session: AsyncSession, baskets: Sequence[Ready]) -> None:
    rows = []
    for basket in baskets:
        orders = {line[0]: order.id for order in basket.draft.orders for line in order.lines}
        rows += [
            {
                "buyer_id": basket.draft.buyer.id,
                "order_id": UUID(orders[each.line_no]),
                "line_no": each.line_no,
                "code": each.code,
                "mapping_id": each.mapping_id,
                "mapping_version": each.mapping_version,
            }
            for each in basket.codes
        ]
    if rows:
        await session.execute(insert(CodeOfLine), rows)


async def _take_numbers(connection: Any, baskets: Sequence[Ready]) -> Any:
    """A function that gives the next number to a basket's order. Numbers of baskets not written stay unused (R10)."""

    def series(basket: Ready) -> tuple[str, int]:
        return str(basket.draft.buyer.id), business_date(basket.draft.placed_at).year

    wanted: Counter[tuple[str, int]] = Counter()
    for basket in baskets:
        wanted[series(basket)] += len(basket.draft.orders)
    parameters = (
        array(buyer for buyer, _ in wanted),
        array(str(year) for _, year in wanted),
        array(map(str, wanted.values())),
    )
    rows = await connection.exec_driver_sql(_NUMBERS, parameters)
    following = {(str(row[0]), row[1]): row[2] - wanted[str(row[0]), row[1]] for row in rows}

    def next_number(basket: Ready) -> str:
        at = series(basket)
        following[at] += 1
        return f"PO-{at[1]}-{following[at]:06d}"

    return next_number


def _order_row(order: OrderDraft, *, n: int, place: str, number: str, entry: bytes, link: bytes) -> tuple[str, ...]:
    head = order.head
    return (
        place,
        str(n),
        order.id,
        number,
        order.supplier_id,
        quoted(order.supplier_name),
        quoted(order.supplier_tax_id),
        quoted(head[4]),
        quoted(head[5]),
        quoted(head[10]),
        quoted(head[11]),
        quoted(orjson.dumps(head[12]).decode()),
        *head[15:18],
        quoted(entry.decode()),
        _bytes(link),
    )


def _basket_arrays(baskets: Sequence[Ready], answers: Sequence[bytes]) -> tuple[str | list[bytes], ...]:
    drafts = [basket.draft for basket in baskets]
    return (
        array(map(str, range(len(baskets)))),
        array(str(draft.buyer.id) for draft in drafts),
        array(str(draft.id) for draft in drafts),
        array(quoted(basket.key) for basket in baskets),
        array(_bytes(basket.request_hash) for basket in baskets),
        array(f'"{basket.expires_at.isoformat()}"' for basket in baskets),
        array(f'"{draft.placed_at.isoformat()}"' for draft in drafts),
        array(draft.actor["id"] for draft in drafts),
        array(str(draft.body.project_id) for draft in drafts),
        array(str(draft.body.delivery_point_id) for draft in drafts),
        array(draft.body.currency for draft in drafts),
        array(quoted(draft.body.note) for draft in drafts),
        array(quoted(draft.body.instructions) for draft in drafts),
        array(quoted(orjson.dumps(headers_of(draft)).decode()) for draft in drafts),
        list(answers),
        array(str(new_id()) for _ in drafts),
        array(quoted(draft.event.decode()) for draft in drafts),
        array(quoted(basket.audit_entry.decode()) for basket in baskets),
        array(str(draft.buyer_group_id) for draft in drafts),
    )


def _line_arrays(orders: Sequence[OrderDraft]) -> list[str]:
    """Place of the order, then every column of `_COLUMNS`, then the decimals of both units."""
    columns = list(zip(*(line for order in orders for line in order.lines), strict=True))
    arrays = [array(str(place) for place, order in enumerate(orders) for _ in order.lines)]
    for place, _, kind in _COLUMNS:
        if kind is None:
            arrays.append(separated(columns[place]))
        elif kind in {"integer", "boolean"}:
            arrays.append(array(map(str, columns[place])))
        else:
            arrays.append(array(columns[place]))
    decimals = list(zip(*(pair for order in orders for pair in order.decimals), strict=True))
    return [*arrays, *(array(map(str, column)) for column in decimals)]


def headers_of(draft: BasketDraft) -> Mapping[str, str]:
    """The headers of a basket's answer, also of a replayed one."""
    return {"content-type": "application/json", "location": f"/orders/baskets/{draft.id}"}


def _bytes(value: bytes) -> str:
    return f'"\\\\x{value.hex()}"'
