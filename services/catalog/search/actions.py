"""Keeping the read model: every event of `suppliers` is a state, laid over the older one it replaces. Set-based.

Each row knows the number of the event its state is from. `suppliers` numbers an event (`seq`) while it holds the lock
of the rows it tells of, so for one row the numbers are in the order of the changes, also where the feed, ordered by
transaction, is not. An older number changes nothing: parked events that are retried late, and a feed followed again
from the start, end in the same rows.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.components import queries as component_queries
from services.catalog.search import queries
from services.catalog.search.documents import variant_tokens
from services.catalog.search.knowledge import dictionary
from services.catalog.search.places import region_heads
from shared.contracts.suppliers import (
    OffersChanged,
    OffersRepriced,
    StockChanged,
    SupplierChanged,
)
from shared.feed import START, Event, parse_position
from shared.logs import log

K = TypeVar("K")

_EVENTS_AT_ONCE = 20
"""An event carries up to 500 rows; a statement of ten thousand is large enough to be fast and small in memory."""

_UPSERT_SUPPLIERS = text(
    """
    INSERT INTO search_suppliers AS old (
        supplier_id, name, status, categories, regions, region_heads, qualified_until, affiliated, seq
    )
    SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (
        supplier_id uuid, name text, status text, categories text[], regions text[], region_heads text[],
        qualified_until date, affiliated boolean, seq bigint
    )
    ORDER BY supplier_id
    ON CONFLICT (supplier_id) DO UPDATE SET
        name = excluded.name, status = excluded.status, categories = excluded.categories,
        regions = excluded.regions, region_heads = excluded.region_heads,
        qualified_until = excluded.qualified_until, affiliated = excluded.affiliated, seq = excluded.seq
    WHERE old.seq < excluded.seq
    """
)

_UPSERT_OFFERS = text(
    """
    INSERT INTO search_offers AS old (
        supplier_id, offer_id, variant_id, item_no, type_code, category, brand, price, currency, tax_inclusive,
        tax_rate, unit, unit_factor, base_unit, min_quantity, step_quantity, lead_time_days, regions, region_heads,
        valid_from, valid_until, audience_keys, tier_from, tier_price, stock_point, standard, freight_heads,
        freight_price, certificates, epd, epd_kgco2e, epd_until, status, seq, price_seq
    )
    SELECT *, seq FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (
        supplier_id uuid, offer_id uuid, variant_id uuid, item_no text, type_code text, category text, brand text,
        price numeric, currency text, tax_inclusive boolean, tax_rate numeric, unit text, unit_factor numeric,
        base_unit text, min_quantity numeric, step_quantity numeric, lead_time_days integer, regions text[],
        region_heads text[], valid_from date, valid_until date, audience_keys text[], tier_from numeric[],
        tier_price numeric[], stock_point text, standard text, freight_heads text[], freight_price numeric[],
        certificates jsonb, epd jsonb, epd_kgco2e numeric, epd_until date, status text, seq bigint
    )
    ORDER BY supplier_id, offer_id
    ON CONFLICT (supplier_id, offer_id) DO UPDATE SET
        variant_id = excluded.variant_id, item_no = excluded.item_no, type_code = excluded.type_code,
        category = excluded.category, brand = excluded.brand, currency = excluded.currency,
        price = CASE WHEN old.price_seq < excluded.seq THEN excluded.price ELSE old.price END,
        price_seq = greatest(old.price_seq, excluded.seq),
        tax_inclusive = excluded.tax_inclusive, tax_rate = excluded.tax_rate, unit = excluded.unit,
        unit_factor = excluded.unit_factor, base_unit = excluded.base_unit, min_quantity = excluded.min_quantity,
        step_quantity = excluded.step_quantity, lead_time_days = excluded.lead_time_days,
        regions = excluded.regions, region_heads = excluded.region_heads, valid_from = excluded.valid_from,
        valid_until = excluded.valid_until, audience_keys = excluded.audience_keys,
        tier_from = excluded.tier_from, tier_price = excluded.tier_price, stock_point = excluded.stock_point,
        standard = excluded.standard, freight_heads = excluded.freight_heads, freight_price = excluded.freight_price,
        certificates = excluded.certificates, epd = excluded.epd, epd_kgco2e = excluded.epd_kgco2e,
        epd_until = excluded.epd_until, status = excluded.status, seq = excluded.seq
    WHERE old.seq < excluded.seq
    """
)

_REPRICE = text(
    """
    WITH new AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (
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
    )
    """
)

_UPSERT_STOCK = text(
    """
    INSERT INTO search_stock AS old (supplier_id, item_no, stock_point, available, band, as_of, seq)
    SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (
        supplier_id uuid, item_no text, stock_point text, available numeric, band text, as_of timestamptz,
        seq bigint
    )
    ORDER BY supplier_id, item_no, stock_point
    ON CONFLICT (supplier_id, item_no, stock_point) DO UPDATE SET
        available = excluded.available, band = excluded.band, as_of = excluded.as_of,
        seq = excluded.seq
    WHERE old.seq < excluded.seq
    """
)

_INSERT_VARIANTS = text(
    """
    INSERT INTO search_variants (
        variant_id, variant_key, type_code, category, properties, unit_factors, carbon, tokens
    )
    SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (
        variant_id uuid, variant_key text, type_code text, category text, properties jsonb, unit_factors jsonb,
        carbon numeric, tokens text[]
    )
    ORDER BY variant_id
    ON CONFLICT (variant_id) DO NOTHING
    """
)


class OffersNotIndexedError(LookupError):
    """New prices of offers that the index does not hold: an earlier event of theirs is parked; retry that first."""


async def suppliers_changed(session: AsyncSession, *, events: Sequence[Event]) -> None:
    """Take over what suppliers are called, may sell and until when."""
    rows: dict[UUID, dict[str, Any]] = {}
    for event in events:
        supplier = SupplierChanged.model_validate(event.data)
        row = {
            "supplier_id": supplier.supplier_id,
            "name": supplier.name,
            "status": supplier.status,
            "categories": supplier.categories,
            "regions": supplier.regions,
            "region_heads": region_heads(supplier.regions),
            "qualified_until": supplier.qualified_until,
            "affiliated": supplier.affiliated_with_operator,
            **_place(event),
        }
        _keep_newest(rows, supplier.supplier_id, row)
    await session.execute(_UPSERT_SUPPLIERS, {"rows": _json(rows.values())})


async def offers_changed(session: AsyncSession, *, events: Sequence[Event]) -> None:
    """Take over offers, and index the variants that were not offered before."""
    for some in _batches(events):
        await _take_offers(session, some)


async def _take_offers(session: AsyncSession, events: Sequence[Event]) -> None:
    rows: dict[tuple[UUID, UUID], dict[str, Any]] = {}
    for event in events:
        place = _place(event)
        changed = OffersChanged.model_validate(event.data)
        # The row is made of the event as it was sent, once it is known to hold what an offer holds.
        for offer, sent in zip(changed.offers, event.data["offers"], strict=True):
            _keep_newest(rows, (offer.supplier_id, offer.offer_id), {**_offer_row(sent), **place})
    await session.execute(_UPSERT_OFFERS, {"rows": _json(rows.values())})
    await index_variants(session, variant_ids=sorted({UUID(row["variant_id"]) for row in rows.values()}))


async def offers_repriced(session: AsyncSession, *, events: Sequence[Event]) -> None:
    """Take over new prices; the terms stay as they are.

    Raises:
        OffersNotIndexedError: see the class.
    """
    for some in _batches(events):
        rows: dict[tuple[UUID, UUID], dict[str, Any]] = {}
        for event in some:
            repriced = OffersRepriced.model_validate(event.data)
            for offer_id, price in repriced.prices.items():
                row = {"supplier_id": repriced.supplier_id, "offer_id": offer_id, "price": price, **_place(event)}
                _keep_newest(rows, (repriced.supplier_id, offer_id), row)
        unknown = await session.scalar(_REPRICE, {"rows": _json(rows.values())})
        if unknown:
            raise OffersNotIndexedError(f"{unknown} of {len(rows)} repriced offers are not in the index.")


async def stock_changed(session: AsyncSession, *, events: Sequence[Event]) -> None:
    """Take over stock levels."""
    for some in _batches(events):
        await _take_stock(session, some)


async def _take_stock(session: AsyncSession, events: Sequence[Event]) -> None:
    rows: dict[tuple[UUID, str, str], dict[str, Any]] = {}
    for event in events:
        changed = StockChanged.model_validate(event.data)
        whose = {"supplier_id": changed.supplier_id, **_place(event)}
        for level, sent in zip(changed.stock, event.data["stock"], strict=True):
            _keep_newest(rows, (changed.supplier_id, level.item_no, level.stock_point), {**sent, **whose})
    await session.execute(_UPSERT_STOCK, {"rows": _json(rows.values())})


async def index_variants(session: AsyncSession, *, variant_ids: Sequence[UUID]) -> int:
    """Index those of these variants that are not yet; how many were."""
    missing = await queries.not_indexed(session, variant_ids=variant_ids)
    if not missing:
        return 0
    variants = await component_queries.variants_by_id(session, ids=missing)
    if len(variants) < len(missing):
        log.warning("offers_of_unknown_variants", count=len(missing) - len(variants))
    definitions = (await dictionary(session)).definitions
    rows = []
    for variant in variants.values():
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
        await asyncio.sleep(0)
    await session.execute(_INSERT_VARIANTS, {"rows": _json(rows)})
    return len(rows)


async def empty_index(session: AsyncSession) -> None:
    """Forget the whole read model and go back to the start of the feed; the follower fills it again.

    The cursor is moved, not removed: a page being applied at this moment then fails and is read again.
    """
    for table in ("search_offers", "search_stock", "search_suppliers", "search_variants"):
        await session.execute(text(f"DELETE FROM {table}"))
    await session.execute(
        text("UPDATE follower_cursors SET position = :start, caught_up_to = NULL WHERE source = 'suppliers'"),
        {"start": START},
    )


_AS_SENT = (
    "supplier_id", "offer_id", "variant_id", "item_no", "type_code", "category", "brand", "price", "currency",
    "tax_inclusive", "tax_rate", "unit", "unit_factor", "base_unit", "min_quantity", "step_quantity", "lead_time_days",
    "regions", "valid_from", "valid_until", "audience_keys", "stock_point", "standard", "epd", "status",
)  # fmt: skip


def _offer_row(sent: Mapping[str, Any]) -> dict[str, Any]:
    tiers, freight, epd = sent.get("tiers") or (), sent.get("freight") or (), sent.get("epd") or {}
    return {
        **{name: sent.get(name) for name in _AS_SENT},
        "region_heads": region_heads(sent["regions"]),
        "tier_from": [tier["min_quantity"] for tier in tiers],
        "tier_price": [tier["price"] for tier in tiers],
        "freight_heads": region_heads([each["region"] for each in freight]),
        "freight_price": [each["price"] for each in freight],
        "certificates": sent.get("certificates") or [],
        "epd_kgco2e": epd.get("kgco2e"),
        "epd_until": epd.get("valid_until"),
    }


def _batches(events: Sequence[Event]) -> Iterable[Sequence[Event]]:
    return (events[start : start + _EVENTS_AT_ONCE] for start in range(0, len(events), _EVENTS_AT_ONCE))


def _place(event: Event) -> dict[str, int]:
    _, seq = parse_position(event.position)
    return {"seq": seq}


def _keep_newest(rows: dict[K, dict[str, Any]], key: K, row: dict[str, Any]) -> None:
    known: Mapping[str, Any] | None = rows.get(key)
    if known is None or known["seq"] <= row["seq"]:
        rows[key] = row


def _json(rows: Iterable[Mapping[str, Any]]) -> str:
    return orjson.dumps(list(rows), default=str).decode()
