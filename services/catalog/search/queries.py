"""The search over visible offers, and what it needs to know of the index.

Visibility stands twice: `audience_keys && :viewer` in every statement over offers, and row level security under it.
What nobody offers to the caller is not there for the caller: no hit, no count, no price, no rank follows from an
offer that is not visible.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.search.places import regions_around


@dataclass(frozen=True, kw_only=True, slots=True)
class Offers:
    """Which offers count: those the caller may see, valid today, of suppliers qualified today, and further wishes."""

    viewer: frozenset[str]
    knows_stock: bool
    """The caller may know exact quantities; others hear whether there is any (domain.md 3.2)."""
    today: date
    currency: str
    supplier_id: UUID | None = None
    region: str | None = None
    quantity: Decimal | None = None
    units: Sequence[str] = ()
    in_stock: bool = False

    @property
    def binds(self) -> dict[str, Any]:
        return {
            "viewer": sorted(self.viewer),
            "today": self.today,
            "currency": self.currency,
            "supplier_id": self.supplier_id,
            "around": regions_around(self.region) if self.region else [],
            "quantity": self.quantity,
            "units": list(self.units),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Hits:
    """Which variants count, and how they are ranked."""

    tokens: Sequence[str] = ()
    phrases: Sequence[str] = ()
    every_token: bool = True
    variant_key: str | None = None
    type_codes: Sequence[str] | None = None
    category: str | None = None
    facets: Sequence[Sequence[tuple[str, str]]] = ()
    """Of each facet one of the (property, value) pairs."""


# The quantity asked, in the offer's unit; NULL when none was asked or its unit does not convert.
_IN_OFFER_UNIT = """
    CASE WHEN o.unit = ANY (CAST(:units AS text[])) THEN CAST(:quantity AS numeric)
         ELSE CAST(:quantity AS numeric) * (
             SELECT (h.unit_factors ->> unit)::numeric
             FROM unnest(CAST(:units AS text[])) WITH ORDINALITY AS asked (unit, place)
             WHERE h.unit_factors ? unit ORDER BY place LIMIT 1
         ) / o.unit_factor
    END"""

_PRICE_AT_QUANTITY = """
    coalesce(
        CASE WHEN cardinality(o.tier_from) > 0
             THEN o.tier_price[nullif(width_bucket(q.quantity, o.tier_from), 0)] END,
        o.price
    )"""


def _comparable(wish: Offers) -> str:
    """Price of the quantity asked per base unit with tax: makes offers in other units and tax bases comparable."""
    price = "o.price" if wish.quantity is None else _PRICE_AT_QUANTITY
    return f"round({price} * CASE WHEN o.tax_inclusive THEN 1 ELSE 1 + o.tax_rate END / o.unit_factor, 9)"


def _visible_offers(wish: Offers) -> str:
    """FROM and WHERE of the offers that count, beside hits `h`.

    A quantity that is asked is `q.quantity`, in the offer's unit.
    """
    further, measured = "", ""
    if wish.quantity is not None:
        measured = f"CROSS JOIN LATERAL (SELECT {_IN_OFFER_UNIT} AS quantity) q"
    if wish.supplier_id is not None:
        further += " AND o.supplier_id = :supplier_id"
    if wish.region is not None:
        for side in ("o", "s"):
            further += f" AND ({side}.region_heads = '{{}}' OR {side}.region_heads && CAST(:around AS text[]))"
    if wish.in_stock:
        further += " AND stock.band <> 'out'"
        if wish.knows_stock and wish.quantity is not None:
            further += " AND stock.available >= q.quantity * o.unit_factor"
    return f"""
        JOIN search_offers o ON o.variant_id = h.variant_id AND o.status = 'ACTIVE'
        JOIN search_suppliers s ON s.supplier_id = o.supplier_id
        LEFT JOIN search_stock stock ON stock.supplier_id = o.supplier_id AND stock.item_no = o.item_no
            AND stock.stock_point = o.stock_point
        {measured}
        WHERE o.audience_keys && CAST(:viewer AS text[])
          AND o.valid_from <= :today AND (o.valid_until IS NULL OR o.valid_until >= :today)
          AND s.status = 'QUALIFIED' AND o.category = ANY (s.categories)
          AND (s.qualified_until IS NULL OR s.qualified_until >= :today){further}"""


async def see_as(session: AsyncSession, *, viewer: frozenset[str]) -> None:
    """Tell row level security whose keys this transaction holds."""
    await session.execute(text("SELECT set_config('app.viewer_keys', :keys, true)"), {"keys": ",".join(sorted(viewer))})


def _hit_conditions(hits: Hits) -> tuple[str, dict[str, Any]]:
    conditions = ["true"]
    binds: dict[str, Any] = {"tokens": list(hits.tokens), "phrases": list(hits.phrases)}
    if hits.tokens:
        operator = "@>" if hits.every_token else "&&"
        conditions.append(f"v.tokens {operator} CAST(:tokens AS text[])")
    if hits.variant_key is not None:
        conditions.append("v.variant_key = :variant_key")
        binds["variant_key"] = hits.variant_key
    if hits.type_codes is not None:
        conditions.append("v.type_code = ANY (CAST(:type_codes AS text[]))")
        binds["type_codes"] = list(hits.type_codes)
    if hits.category is not None:
        conditions.append("v.category = :category")
        binds["category"] = hits.category
    for number, pairs in enumerate(hits.facets):
        either = []
        for place, (key, value) in enumerate(pairs):
            name = f"facet_{number}_{place}"
            either.append(f"v.properties @> CAST(:{name} AS jsonb)")
            binds[name] = orjson.dumps({key: value}).decode()
        conditions.append(f"({' OR '.join(either)})")
    return " AND ".join(conditions), binds


# A value found says most, then a word of the type's name; being called exactly so says more than any one word.
# The longer a type's name the less one word of it says.
_SCORE = """
    CASE WHEN cardinality(CAST(:tokens AS text[])) = 0 THEN 0 ELSE
    CASE WHEN :every_token THEN 0 ELSE 1000 * matched.count END
    + 100 * matched.weight
    + 150 * (SELECT count(*) FROM unnest(CAST(:phrases AS text[])) AS phrase WHERE phrase = ANY (v.phrases))
    - least(cardinality(v.name), 99) END"""
_MATCHED = """
    CROSS JOIN LATERAL (
        SELECT count(*) AS count, coalesce(sum(
            CASE WHEN token = ANY (v.specification) THEN 4 WHEN token = ANY (v.name) THEN 3 ELSE 2 END
        ), 0) AS weight
        FROM unnest(CAST(:tokens AS text[])) AS token WHERE token = ANY (v.tokens)
    ) matched"""


async def ranked_page(
    session: AsyncSession,
    *,
    hits: Hits,
    offers: Offers,
    limit: int,
    after: tuple[int, Decimal, UUID] | None,
) -> Sequence[Row[Any]]:
    """Variants with visible offers by score, then price, then id: (variant_id, score, price), one more than `limit`.

    Where not every token must be found, at least half of them must.
    """
    conditions, binds = _hit_conditions(hits)
    half = "" if hits.every_token else " AND 2 * matched.count >= cardinality(CAST(:tokens AS text[]))"
    keyset = ""
    if after is not None:
        keyset = "WHERE (-score, price, variant_id) > (-CAST(:score AS bigint), CAST(:price AS numeric), :variant_id)"
        binds |= {"score": after[0], "price": after[1], "variant_id": after[2]}
    statement = f"""
        WITH hits AS MATERIALIZED (
            SELECT v.variant_id, v.unit_factors, CAST({_SCORE} AS bigint) AS score
            FROM search_variants v {_MATCHED}
            WHERE {conditions}{half}
        ), ranked AS (
            SELECT h.variant_id, h.score,
                coalesce(min({_comparable(offers)}) FILTER (WHERE o.currency = :currency), 'Infinity'::numeric) AS price
            FROM hits h {_visible_offers(offers)}
            GROUP BY h.variant_id, h.score
        )
        SELECT variant_id, score, price FROM ranked {keyset}
        ORDER BY -score, price, variant_id LIMIT :limit"""
    asked = {**binds, **offers.binds, "every_token": hits.every_token, "limit": limit + 1}
    return (await session.execute(text(statement), asked)).all()


async def offers_of(
    session: AsyncSession, *, variant_ids: Sequence[UUID], offers: Offers, most: int
) -> Sequence[Row[Any]]:
    """The visible offers of these variants, the cheapest `most` of each, with how many there are."""
    if not variant_ids:
        return []
    statement = f"""
        SELECT * FROM (
            SELECT o.*, s.name AS supplier_name, stock.band, stock.available, stock.as_of,
                {_comparable(offers)} AS comparable,
                count(*) OVER (PARTITION BY o.variant_id) AS together,
                row_number() OVER (
                    PARTITION BY o.variant_id ORDER BY o.currency <> :currency, {_comparable(offers)}, o.offer_id
                ) AS place
            FROM search_variants h {_visible_offers(offers)} AND h.variant_id = ANY (CAST(:ids AS uuid[]))
        ) placed WHERE place <= :most ORDER BY variant_id, place"""
    asked = {**offers.binds, "ids": list(variant_ids), "most": most}
    return (await session.execute(text(statement), asked)).all()


async def candidates(
    session: AsyncSession,
    *,
    wanted: Sequence[tuple[int, str, Mapping[str, str]]],
    offers: Offers,
    most: int,
) -> Sequence[Row[Any]]:
    """For each (line, type, known values) the variants that say nothing else and are visibly offered, at most `most`.

    A variant that only hidden offers name is not among them: (line, variant_id).
    """
    statement = f"""
        SELECT asked.line, found.variant_id
        FROM jsonb_to_recordset(CAST(:asked AS jsonb)) AS asked (line integer, type_code text, known jsonb)
        CROSS JOIN LATERAL (
            SELECT h.variant_id FROM search_variants h
            WHERE h.type_code = asked.type_code AND h.properties @> asked.known
              AND EXISTS (
                  SELECT FROM (SELECT h.variant_id, h.unit_factors) AS h {_visible_offers(offers)}
              )
            ORDER BY h.variant_key LIMIT :most
        ) found
        ORDER BY asked.line, found.variant_id"""
    rows = [{"line": line, "type_code": type_code, "known": dict(known)} for line, type_code, known in wanted]
    asked = {**offers.binds, "asked": orjson.dumps(rows).decode(), "most": most}
    return (await session.execute(text(statement), asked)).all()


async def not_indexed(session: AsyncSession, *, variant_ids: Sequence[UUID]) -> list[UUID]:
    """Those of these variants that the index does not hold yet."""
    found = await session.execute(
        text(
            "SELECT asked.id FROM unnest(CAST(:ids AS uuid[])) AS asked (id) "
            "WHERE NOT EXISTS (SELECT FROM search_variants v WHERE v.variant_id = asked.id)"
        ),
        {"ids": list(variant_ids)},
    )
    return list(found.scalars())
