"""Keeping the read model: every event of `suppliers` is a state, laid over the older one it replaces. Set-based.

Each row knows the number of the event its state is from. `suppliers` numbers an event (`seq`) while it holds the lock
of the rows it tells of, so for one row the numbers are in the order of the changes, also where the feed, ordered by
transaction, is not. An older number changes nothing: parked events that are retried late, and a feed followed again
from the start, end in the same rows.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import orjson
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.components.rules import TypeDefinition
from services.catalog.search import offer_rows, queries
from services.catalog.search.documents import variant_tokens
from services.catalog.search.knowledge import dictionary
from services.catalog.search.places import region_heads
from services.catalog.search.wire import fetch, fetch_none
from shared.contracts.suppliers import StockState, SupplierChanged
from shared.database import driver_connection
from shared.feed import START, Event, parse_position
from shared.logs import log

K = TypeVar("K")

_EVENTS_AT_ONCE = 5
"""An event carries up to 500 rows; a statement of some thousand is large enough to be fast and small in memory."""

_UPSERT_SUPPLIERS = """
    INSERT INTO search_suppliers AS old (
        supplier_id, name, status, categories, regions, region_heads, qualified_until, affiliated, seq
    )
    SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS new (
        supplier_id uuid, name text, status text, categories text[], regions text[], region_heads text[],
        qualified_until date, affiliated boolean, seq bigint
    )
    ORDER BY supplier_id
    ON CONFLICT (supplier_id) DO UPDATE SET
        name = excluded.name, status = excluded.status, categories = excluded.categories,
        regions = excluded.regions, region_heads = excluded.region_heads,
        qualified_until = excluded.qualified_until, affiliated = excluded.affiliated, seq = excluded.seq
    WHERE old.seq < excluded.seq"""

_REPRICE = """
    WITH new AS MATERIALIZED (
        SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS new (
            supplier_id uuid, offer_id uuid, price numeric, seq bigint
        )
    ), changed AS (
        UPDATE search_offers old SET price = new.price, price_seq = new.seq
        FROM new
        WHERE old.supplier_id = new.supplier_id AND old.offer_id = new.offer_id
          AND old.price_seq < new.seq
    )
    SELECT count(*) FROM new
    WHERE NOT EXISTS (
        SELECT FROM search_offers o WHERE o.supplier_id = new.supplier_id AND o.offer_id = new.offer_id
    )"""

_UPSERT_STOCK = """
    INSERT INTO search_stock AS old (supplier_id, item_no, stock_point, available, band, as_of, seq)
    SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS new (
        supplier_id uuid, item_no text, stock_point text, available numeric, band text, as_of timestamptz,
        seq bigint
    )
    ORDER BY supplier_id, item_no, stock_point
    ON CONFLICT (supplier_id, item_no, stock_point) DO UPDATE SET
        available = excluded.available, band = excluded.band, as_of = excluded.as_of,
        seq = excluded.seq
    WHERE old.seq < excluded.seq"""

_INSERT_VARIANTS = """
    INSERT INTO search_variants (
        variant_id, variant_key, type_code, category, properties, unit_factors, carbon, tokens
    )
    SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS new (
        variant_id uuid, variant_key text, type_code text, category text, properties jsonb, unit_factors jsonb,
        carbon numeric, tokens text[]
    )
    ORDER BY variant_id
    ON CONFLICT (variant_id) DO NOTHING"""

_SETTLE = "SELECT settle_search_variants()"
"""What every search would look through besides the index enters it (migration 0009)."""


_OFFERS_IN_A_ROW, _VARIANTS_IN_A_ROW = 25, 10
"""So many are made ready before others have their turn, first of all the next statement."""


class OffersNotIndexedError(LookupError):
    """New prices of offers that the index does not hold: an earlier event of theirs is parked; retry that first."""


class EventMalformedError(ValueError):
    """An event lacks what its contract says it holds."""


async def suppliers_changed(session: AsyncSession, *, events: Sequence[Event]) -> None:
    """Take over what suppliers are called, may sell and until when."""
    rows: dict[str, dict[str, Any]] = {}
    for event in events:
        (sent,) = _told(event, [event.data], _OF_SUPPLIER_REQUIRED)
        row = {name: sent[name] for name in _OF_SUPPLIER}
        row["region_heads"] = region_heads(row["regions"])
        row["affiliated"] = bool(sent.get("affiliated_with_operator"))
        _keep_newest(rows, row["supplier_id"], {**row, "seq": _number(event)})
    await fetch_none(session, _UPSERT_SUPPLIERS, {"rows": _json(rows.values())})


async def offers_changed(session: AsyncSession, *, events: Sequence[Event]) -> None:
    """Take over offers, and index the variants that were not offered before.

    While the database writes some, the next are made ready.
    """
    writing: asyncio.Task[int] | None = None
    new = 0
    try:
        for some in _batches(events):
            ready = await _made_ready(some)
            if writing is not None:
                new += await writing
            writing = asyncio.create_task(_write(session, ready))
            await asyncio.sleep(0)  # the first statement is on its way before anything else is done
    finally:
        if writing is not None:
            new += await writing
    if new:
        await fetch_none(session, _SETTLE, {})


class _Ready(NamedTuple):
    """Offers made ready."""

    told: offer_rows.Lines
    variant_ids: Sequence[str]


async def _made_ready(events: Sequence[Event]) -> _Ready:
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    for event in events:
        seq = _number(event)
        for place, sent in enumerate(_told(event, event.data.get("offers"))):
            try:
                line = offer_rows.offer_line(sent, seq)
                made = {"seq": seq, "line": line, "variant_id": sent["variant_id"]}
                _keep_newest(newest, (sent["supplier_id"], sent["offer_id"]), made)
            except (LookupError, TypeError, AttributeError, ValueError) as problem:
                raise EventMalformedError(f"{event.type} {event.position}, offer {place}: {problem!r}") from problem
            if place % _OFFERS_IN_A_ROW == 0:
                await asyncio.sleep(0)
    return _Ready(
        told=offer_rows.Lines(
            supplier_ids=[supplier_id for supplier_id, _ in newest],
            offer_ids=[offer_id for _, offer_id in newest],
            lines=[each["line"] for each in newest.values()],
        ),
        variant_ids=sorted({each["variant_id"] for each in newest.values()}),
    )


async def _write(session: AsyncSession, ready: _Ready) -> int:
    """So many variants are new."""
    variants = await _not_indexed(session, variant_ids=ready.variant_ids)
    definitions = (await dictionary(session)).definitions if variants else {}
    making = asyncio.create_task(_variant_rows(variants, definitions))
    try:
        await offer_rows.write(await driver_connection(session), ready.told)
        rows = await making
    finally:
        making.cancel()
    if rows:
        await fetch_none(session, _INSERT_VARIANTS, {"rows": _json(rows)})
    return len(rows)


async def offers_repriced(session: AsyncSession, *, events: Sequence[Event]) -> None:
    """Take over new prices; the terms stay as they are.

    Raises:
        OffersNotIndexedError: see the class.
    """
    for some in _batches(events):
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        for event in some:
            supplier_id, seq = event.data["supplier_id"], _number(event)
            for offer_id, price in _told(event, [event.data], {"prices"})[0]["prices"].items():
                row = {"supplier_id": supplier_id, "offer_id": offer_id, "price": price, "seq": seq}
                _keep_newest(rows, (supplier_id, offer_id), row)
        ((unknown,),) = await fetch(session, _REPRICE, {"rows": _json(rows.values())})
        if unknown:
            raise OffersNotIndexedError(f"{unknown} of {len(rows)} repriced offers are not in the index.")


async def stock_changed(session: AsyncSession, *, events: Sequence[Event]) -> None:
    """Take over stock levels."""
    for some in _batches(events):
        await _take_stock(session, some)


async def _take_stock(session: AsyncSession, events: Sequence[Event]) -> None:
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for event in events:
        supplier_id, seq = event.data["supplier_id"], _number(event)
        for sent in _told(event, event.data.get("stock"), _OF_STOCK_REQUIRED):
            row = {**sent, "supplier_id": supplier_id, "seq": seq}
            _keep_newest(rows, (supplier_id, sent["item_no"], sent["stock_point"]), row)
    await fetch_none(session, _UPSERT_STOCK, {"rows": _json(rows.values())})


async def _not_indexed(session: AsyncSession, *, variant_ids: Sequence[str]) -> Sequence[Any]:
    """Those of these variants that the index does not hold."""
    missing = await queries.not_indexed(session, variant_ids=variant_ids)
    variants = [each for each in missing if each.key is not None]
    if len(variants) < len(missing):
        log.warning("offers_of_unknown_variants", count=len(missing) - len(variants))
    return variants


async def _variant_rows(
    variants: Sequence[Any], definitions: Mapping[str, TypeDefinition]
) -> Sequence[Mapping[str, Any]]:
    rows = []
    for place, variant in enumerate(variants):
        rows.append(
            {
                "variant_id": variant.id,
                "variant_key": variant.key,
                "type_code": variant.type_code,
                "category": variant.category,
                "properties": variant.properties,
                "unit_factors": variant.unit_factors,
                "carbon": variant.carbon,
                "tokens": sorted(variant_tokens(definitions[variant.type_code], variant.properties)),
            }
        )
        if place % _VARIANTS_IN_A_ROW == 0:
            await asyncio.sleep(0)
    return rows


async def empty_index(session: AsyncSession) -> None:
    """Forget the whole read model and go back to the start of the feed; the follower fills it again.

    The cursor is moved, not removed, and first: a page being applied at this moment is waited for, or fails and is
    read again; it leaves no row behind.
    """
    await session.execute(
        text("UPDATE follower_cursors SET position = :start, caught_up_to = NULL WHERE source = 'suppliers'"),
        {"start": START},
    )
    for table in ("search_offers", "search_stock", "search_suppliers", "search_variants", "search_blacklists"):
        await session.execute(text(f"DELETE FROM {table}"))


_OF_SUPPLIER = ("supplier_id", "name", "status", "categories", "regions", "qualified_until")


def _required(contract: type[BaseModel]) -> frozenset[str]:
    return frozenset(name for name, each in contract.model_fields.items() if each.is_required())


_OF_STOCK_REQUIRED, _OF_SUPPLIER_REQUIRED = _required(StockState), _required(SupplierChanged)


def _told(event: Event, rows: Any, required: Collection[str] = ()) -> Sequence[Mapping[str, Any]]:
    """The rows of an event, if each has what the contract requires; what the values are, the columns judge.

    Raises:
        EventMalformedError: see the class.
    """
    try:
        UUID(event.data["supplier_id"])
        whole = isinstance(rows, list) and (not required or all(row.keys() >= required for row in rows))
    except (KeyError, ValueError, TypeError, AttributeError) as problem:
        raise EventMalformedError(f"{event.type} {event.position}: {problem!r}") from problem
    if not whole:
        lacking = f"rows that have {', '.join(sorted(required))}" if required else "rows"
        raise EventMalformedError(f"{event.type} {event.position} lacks {lacking}.")
    found: Sequence[Mapping[str, Any]] = rows
    return found


def _batches(events: Sequence[Event]) -> Iterable[Sequence[Event]]:
    return (events[start : start + _EVENTS_AT_ONCE] for start in range(0, len(events), _EVENTS_AT_ONCE))


def _number(event: Event) -> int:
    return parse_position(event.position)[1]


def _keep_newest(rows: dict[K, dict[str, Any]], key: K, row: dict[str, Any]) -> None:
    known: Mapping[str, Any] | None = rows.get(key)
    if known is None or known["seq"] <= row["seq"]:
        rows[key] = row


def _json(rows: Iterable[Mapping[str, Any]]) -> str:
    return orjson.dumps(list(rows), default=str).decode()
