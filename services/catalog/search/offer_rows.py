"""Offers as `suppliers` tells them, as rows of a COPY: the same as JSON takes the database twice the time to read."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from psycopg import AsyncConnection

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
_COPY = f"COPY offers_told ({_NAMES}) FROM STDIN {_FORMAT}"
# The price may be newer than the terms: a price list tells it alone.
_UPSERT = f"""
    INSERT INTO search_offers AS old ({_NAMES}, price_seq)
    SELECT {_NAMES}, seq FROM offers_told ORDER BY supplier_id, offer_id
    ON CONFLICT (supplier_id, offer_id) DO UPDATE SET
        {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name not in {*_KEY, "price"})},
        price = CASE WHEN old.price_seq < excluded.seq THEN excluded.price ELSE old.price END,
        price_seq = greatest(old.price_seq, excluded.seq)
    WHERE old.seq < excluded.seq"""


def offer_line(sent: Mapping[str, Any], seq: int) -> str:
    """The event as it was sent, with what the index has in another form; a member that is missing is no value.

    The events are our own and come as they were validated; what they hold and how, the columns and constraints of
    the table judge again.

    Raises:
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


async def stage(connection: AsyncConnection[Any], told: str) -> None:
    """Bring lines (`offer_line`) to the database, those of before forgotten."""
    async with connection.cursor() as cursor:
        await cursor.execute(_CREATE)
        await cursor.execute("TRUNCATE offers_told")
        async with cursor.copy(_COPY) as copy:
            await copy.write(told)


async def lay(connection: AsyncConnection[Any]) -> None:
    """Lay the staged states, one of each offer, over the older ones they replace."""
    async with connection.cursor() as cursor:
        await cursor.execute(_UPSERT)
