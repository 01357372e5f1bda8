"""Offers as `suppliers` tells them, as rows of a COPY: the same as JSON takes the database twice the time to read."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
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
_NOTHING = "\x01"
"""What stands for no value: control characters are in no text of a contract."""

_CREATE = (
    f"CREATE TEMP TABLE IF NOT EXISTS offers_told ({', '.join(f'{name} {kind}' for name, kind in _COLUMNS.items())}) "
    "ON COMMIT DELETE ROWS"
)
_COPY = f"COPY offers_told ({_NAMES}) FROM STDIN (FORMAT csv, NULL '{_NOTHING}')"
# The price may be newer than the terms: a price list tells it alone.
_UPSERT = f"""
    INSERT INTO search_offers AS old ({_NAMES}, price_seq)
    SELECT {_NAMES}, seq FROM offers_told ORDER BY supplier_id, offer_id
    ON CONFLICT (supplier_id, offer_id) DO UPDATE SET
        {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name not in {*_KEY, "price"})},
        price = CASE WHEN old.price_seq < excluded.seq THEN excluded.price ELSE old.price END,
        price_seq = greatest(old.price_seq, excluded.seq)
    WHERE old.seq < excluded.seq"""


def offer_row(sent: Mapping[str, Any], seq: int) -> tuple[Any, ...]:
    """The event as it was sent, with what the index has in another form; a member that is missing is no value.

    The events are our own and come as they were validated; what they hold and how, the columns and constraints of
    the table judge again.
    """
    tiers, freight, epd = sent.get("tiers") or (), sent.get("freight") or (), sent.get("epd")
    regions = sent["regions"]
    return (
        sent["supplier_id"],
        sent["offer_id"],
        sent["variant_id"],
        sent["item_no"],
        sent["type_code"],
        sent["category"],
        sent.get("brand"),
        sent["price"],
        sent["currency"],
        sent["tax_inclusive"],
        sent["tax_rate"],
        sent["unit"],
        sent["unit_factor"],
        sent["base_unit"],
        sent.get("min_quantity"),
        sent.get("step_quantity"),
        sent["lead_time_days"],
        _array(regions),
        _array(region_heads(regions)),
        sent["valid_from"],
        sent.get("valid_until"),
        _array(sent["audience_keys"]),
        _array([tier["min_quantity"] for tier in tiers]),
        _array([tier["price"] for tier in tiers]),
        sent.get("stock_point"),
        sent.get("standard"),
        _array(region_heads([each["region"] for each in freight])),
        _array([each["price"] for each in freight]),
        orjson.dumps(sent["certificates"]).decode() if sent.get("certificates") else "[]",
        orjson.dumps(epd).decode() if epd else None,
        epd.get("kgco2e") if epd else None,
        epd.get("valid_until") if epd else None,
        sent["status"],
        seq,
    )


def as_csv(rows: Iterable[Sequence[Any]]) -> str:
    """Rows as `_COPY` reads them."""
    written = StringIO()
    csv.writer(written, lineterminator="\n").writerows(
        [_NOTHING if value is None else value for value in row] for row in rows
    )
    return written.getvalue()


def _array(items: Sequence[object]) -> str:
    """The literal of an array without gaps."""
    if not items:
        return "{}"
    texts = [str(each) for each in items]
    joined = '","'.join(texts)
    if "\\" in joined or joined.count('"') > 2 * (len(texts) - 1):
        joined = '","'.join(each.replace("\\", "\\\\").replace('"', '\\"') for each in texts)
    return f'{{"{joined}"}}'


async def stage(connection: AsyncConnection[Any], told: str) -> None:
    """Bring rows (`as_csv`) to the database, those of before forgotten."""
    async with connection.cursor() as cursor:
        await cursor.execute(_CREATE)
        await cursor.execute("TRUNCATE offers_told")
        async with cursor.copy(_COPY) as copy:
            await copy.write(told)


async def lay(connection: AsyncConnection[Any]) -> None:
    """Lay the staged states, one of each offer, over the older ones they replace."""
    async with connection.cursor() as cursor:
        await cursor.execute(_UPSERT)
