"""Offers as `suppliers` tells them, as rows of a COPY: the same as JSON takes the database twice the time to read."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from psycopg import AsyncConnection, AsyncCursor

from services.catalog.search.places import region_heads

_COLUMNS: Mapping[str, str] = {
    "supplier_id": "uuid",
    "offer_id": "uuid",
    "variant_id": "uuid",
    "item_no": "text",
    "type_code": "text",
    "category": "text",
    "brand": "text",
    "price": "numeric",
    "currency": "text",
    "tax_inclusive": "boolean",
    "tax_rate": "numeric",
    "unit": "text",
    "unit_factor": "numeric",
    "base_unit": "text",
    "min_quantity": "numeric",
    "step_quantity": "numeric",
    "lead_time_days": "integer",
    "regions": "text[]",
    "region_heads": "text[]",
    "valid_from": "date",
    "valid_until": "date",
    "audience_keys": "text[]",
    "tier_from": "numeric[]",
    "tier_price": "numeric[]",
    "stock_point": "text",
    "standard": "text",
    "freight_heads": "text[]",
    "freight_price": "numeric[]",
    "certificates": "jsonb",
    "epd": "jsonb",
    "epd_kgco2e": "numeric",
    "epd_until": "date",
    "status": "text",
    "seq": "bigint",
    "price_seq": "bigint",
}
_KEY = ("supplier_id", "offer_id")
_NAMES = ", ".join(_COLUMNS)
_GAP, _NOTHING = "\x01", "\x02"
"""What stands between values, and for none: control characters are in no text of a contract."""

_CREATE = (
    f"CREATE TEMP TABLE IF NOT EXISTS offers_told ({', '.join(f'{name} {kind}' for name, kind in _COLUMNS.items())}) "
    "ON COMMIT DELETE ROWS"
)
_FORMAT = f"(DELIMITER '{_GAP}', NULL '{_NOTHING}')"
_COPY = f"COPY {{}} ({_NAMES}) FROM STDIN {_FORMAT}"
# LIMIT keeps the index the way in: joining what it takes for many, the planner would read all offers.
_KNOWN = """
    SELECT told.place FROM unnest(%s::uuid[], %s::uuid[]) WITH ORDINALITY AS told (supplier_id, offer_id, place)
    CROSS JOIN LATERAL (
        SELECT FROM search_offers o WHERE o.supplier_id = told.supplier_id AND o.offer_id = told.offer_id LIMIT 1
    ) known"""
# The price may be newer than the terms: a price list tells it alone.
_UPSERT = f"""
    INSERT INTO search_offers AS old ({_NAMES})
    SELECT {_NAMES} FROM offers_told ORDER BY supplier_id, offer_id
    ON CONFLICT (supplier_id, offer_id) DO UPDATE SET
        {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name not in {*_KEY, "price", "price_seq"})},
        price = CASE WHEN old.price_seq < excluded.seq THEN excluded.price ELSE old.price END,
        price_seq = greatest(old.price_seq, excluded.seq)
    WHERE old.seq < excluded.seq"""


def offer_line(sent: Mapping[str, Any], seq: int) -> str:
    """The event as it was sent, with what the index has in another form; a member that is missing is no value.

    The events are our own and come as they were validated; what they hold and how, the columns and constraints of
    the table judge again.

    Raises:
        KeyError: a member is missing.
        TypeError: a value is of another type than the contract says.
        ValueError: a text holds what no text of a contract holds.
    """
    told = sent.get
    regions, tiers, freight, epd = sent["regions"], told("tiers"), told("freight"), told("epd") or {}
    return line(
        (
            sent["supplier_id"],
            sent["offer_id"],
            sent["variant_id"],
            sent["item_no"],
            sent["type_code"],
            sent["category"],
            _or_nothing(told("brand")),
            sent["price"],
            sent["currency"],
            str(sent["tax_inclusive"]),
            sent["tax_rate"],
            sent["unit"],
            sent["unit_factor"],
            sent["base_unit"],
            _or_nothing(told("min_quantity")),
            _or_nothing(told("step_quantity")),
            str(sent["lead_time_days"]),
            array(regions),
            array(region_heads(regions)),
            sent["valid_from"],
            _or_nothing(told("valid_until")),
            array(sent["audience_keys"]),
            array([tier["min_quantity"] for tier in tiers] if tiers else ()),
            array([tier["price"] for tier in tiers] if tiers else ()),
            _or_nothing(told("stock_point")),
            _or_nothing(told("standard")),
            array(region_heads([each["region"] for each in freight]) if freight else ()),
            array([each["price"] for each in freight] if freight else ()),
            orjson.dumps(sent["certificates"]).decode() if told("certificates") else "[]",
            orjson.dumps(epd).decode() if epd else _NOTHING,
            _or_nothing(epd.get("kgco2e")),
            _or_nothing(epd.get("valid_until")),
            sent["status"],
            str(seq),
            str(seq),
        )
    )


def _or_nothing(value: str | None) -> str:
    return _NOTHING if value is None else value


def line(values: Sequence[str]) -> str:
    """Values as COPY reads them, whatever they hold; a module of the standard library takes twice the time.

    Raises:
        ValueError: a value holds the sign that stands between values.
    """
    told = _GAP.join(values)
    if told.count(_GAP) >= len(values):
        raise ValueError("A text holds a control character.")
    if "\\" in told or "\n" in told or "\r" in told:
        told = told.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return f"{told}\n"


def array(items: Sequence[str]) -> str:
    """The literal of an array without gaps."""
    if not items:
        return "{}"
    joined = '","'.join(items)
    if "\\" in joined or joined.count('"') > 2 * (len(items) - 1):
        joined = '","'.join([each.replace("\\", "\\\\").replace('"', '\\"') for each in items])
    return f'{{"{joined}"}}'


class Lines(NamedTuple):
    """States of offers, one of each: suppliers, offers, and what `offer_line` makes of them."""

    supplier_ids: Sequence[str]
    offer_ids: Sequence[str]
    lines: Sequence[str]


async def write(connection: AsyncConnection[Any], told: Lines) -> None:
    """Lay the states over the older ones they replace; those of offers that are new are copied straight into place,
    which costs two thirds.

    Raises:
        UniqueViolation: somebody else told of a new one at the same time; tell them again.
    """
    async with connection.cursor() as cursor:
        await cursor.execute(_KNOWN, [told.supplier_ids, told.offer_ids])
        known = {place - 1 for (place,) in await cursor.fetchall()}
        if len(known) < len(told.lines):
            new = [line for place, line in enumerate(told.lines) if place not in known] if known else told.lines
            await _copy(cursor, "search_offers", new)
        if known:
            await cursor.execute(_CREATE)
            await cursor.execute("TRUNCATE offers_told")
            await _copy(cursor, "offers_told", [told.lines[place] for place in sorted(known)])
            await cursor.execute(_UPSERT)


async def _copy(cursor: AsyncCursor[Any], table: str, lines: Sequence[str]) -> None:
    async with cursor.copy(_COPY.format(table).encode()) as copy:
        await copy.write("".join(lines))
