"""The search over visible offers, and what it needs to know of the index.

Visibility stands twice: `audience_keys && :viewer` in every statement over offers, and row level security under it.
What nobody offers to the caller is not there for the caller: no hit, no count, no price, no rank follows from an
offer that is not visible.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import orjson
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.search import blacklists
from services.catalog.search.places import regions_around
from services.catalog.search.wire import fetch


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
    need_by: date | None = None
    carbon_at_most: Decimal | None = None
    """kgCO2e per base unit; an offer of which nothing is known is above it."""
    certificates: Sequence[str] = ()
    """Kinds an offer must have, valid today."""
    listed: bool = False
    """Prices are those of the list, whatever quantity and place are asked."""

    @property
    def is_landed(self) -> bool:
        """Whether prices depend on more than the list: on a quantity or a place."""
        return not self.listed and (self.quantity is not None or self.region is not None)

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
            "days": None if self.need_by is None else (self.need_by - self.today).days,
            "carbon_at_most": self.carbon_at_most,
            "certificates": list(self.certificates),
        }


# The quantity asked, in the offer's unit; NULL when none was asked or its unit does not convert.
_IN_OFFER_UNIT = """
    CASE WHEN {o}.unit = ANY (CAST(:units AS text[])) THEN CAST(:quantity AS numeric)
         ELSE CAST(:quantity AS numeric) * (
             SELECT (h.unit_factors ->> unit)::numeric
             FROM unnest(CAST(:units AS text[])) WITH ORDINALITY AS asked (unit, place)
             WHERE h.unit_factors ? unit ORDER BY place LIMIT 1
         ) / {o}.unit_factor
    END"""

_PRICE_AT_QUANTITY = """
    coalesce(
        CASE WHEN cardinality(o.tier_from) > 0
             THEN o.tier_price[nullif(width_bucket(q.quantity, o.tier_from), 0)] END,
        o.price
    )"""

FREIGHT = """
    CASE WHEN cardinality(o.freight_heads) = 0 THEN 0 ELSE coalesce((
        SELECT f.price FROM unnest(o.freight_heads, o.freight_price) AS f (head, price)
        WHERE f.head = ANY (CAST(:around AS text[])) ORDER BY length(f.head) DESC LIMIT 1
    ), 0) END"""
"""What delivery into the region asked adds to a price; the most specific region wins."""

_CERTIFIED = """
    NOT EXISTS (
        SELECT FROM unnest(CAST(:certificates AS text[])) AS needed
        WHERE NOT EXISTS (
            SELECT FROM jsonb_to_recordset({o}.certificates) AS c (kind text, valid_until date)
            WHERE c.kind = needed AND (c.valid_until IS NULL OR c.valid_until >= :today)
        )
    )"""

_IN_STOCK = """
    EXISTS (
        SELECT FROM search_stock held
        WHERE held.supplier_id = {o}.supplier_id AND held.item_no = {o}.item_no
          AND held.stock_point = {o}.stock_point AND held.band <> 'out'{enough}
    )"""


def carbon(o: str = "o") -> str:
    """kgCO2e per base unit: a declaration valid today always stands before the type's value, lower or higher."""
    return f"CASE WHEN {o}.epd_until >= :today THEN {o}.epd_kgco2e ELSE h.carbon END"


def comparable(wish: Offers) -> str:
    """Landed price of the quantity asked per base unit with tax: makes offers in other units and bases comparable."""
    if not wish.is_landed:
        return "o.comparable"
    price = "o.price" if wish.quantity is None else _PRICE_AT_QUANTITY
    freight = "" if wish.region is None else f" + {FREIGHT}"
    return f"round(({price}{freight}) * CASE WHEN o.tax_inclusive THEN 1 ELSE 1 + o.tax_rate END / o.unit_factor, 9)"


def visible_offers(wish: Offers) -> str:
    """FROM and WHERE of the offers `o` that count, beside hits `h`.

    A quantity that is asked is `q.quantity`, in the offer's unit. OFFSET 0 keeps the index on variants the way in:
    what the planner guesses of hits and audiences is far off, and reading all offers instead takes seconds.
    """
    quantity = f"CROSS JOIN LATERAL (SELECT {_IN_OFFER_UNIT.format(o='o')} AS quantity) q"
    return f"""
        CROSS JOIN LATERAL (
            SELECT o.* FROM search_offers o WHERE o.variant_id = h.variant_id AND o.status = 'ACTIVE' OFFSET 0
        ) o
        JOIN search_suppliers s ON s.supplier_id = o.supplier_id
        {"" if wish.quantity is None else quantity}
        WHERE {counts(wish)}"""


def counts(wish: Offers, *, o: str = "o", s: str = "s") -> str:
    """The condition under which an offer `o` of a hit `h` and of a supplier `s` counts."""
    further = ""
    if wish.supplier_id is not None:
        further += f" AND {o}.supplier_id = :supplier_id"
    if wish.region is not None:
        for side in (o, s):
            further += f" AND ({side}.region_heads = '{{}}' OR {side}.region_heads && CAST(:around AS text[]))"
    if wish.in_stock:
        exactly = wish.knows_stock and wish.quantity is not None
        enough = f" AND held.available >= {_IN_OFFER_UNIT.format(o=o)} * {o}.unit_factor" if exactly else ""
        further += f" AND {_IN_STOCK.format(o=o, enough=enough)}"
    if wish.need_by is not None:
        further += f" AND {o}.lead_time_days <= :days"
    if wish.carbon_at_most is not None:
        further += f" AND {carbon(o)} <= :carbon_at_most"
    if wish.certificates:
        further += f" AND {_CERTIFIED.format(o=o)}"
    return f"""{o}.audience_keys && CAST(:viewer AS text[])
          AND {o}.valid_from <= :today AND ({o}.valid_until IS NULL OR {o}.valid_until >= :today)
          AND {s}.status = 'QUALIFIED' AND {o}.category = ANY ({s}.categories)
          AND ({s}.qualified_until IS NULL OR {s}.qualified_until >= :today){further}"""


async def see_as(session: AsyncSession, *, viewer: frozenset[str]) -> None:
    """Tell row level security whose keys this transaction holds."""
    await session.execute(text("SELECT set_config('app.viewer_keys', :keys, true)"), {"keys": ",".join(sorted(viewer))})


_ANY_NUMBER = 2**31 - 1

Best = Literal["price", "lead_time", "carbon"]
"""What makes one offer of a variant stand before another."""


def _order(offers: Offers, best: Best) -> str:
    price = f"o.currency <> :currency, {comparable(offers)}"
    return {
        "price": price,
        "lead_time": f"o.lead_time_days, {price}",
        "carbon": f"{carbon()} NULLS LAST, {price}",
    }[best]


_OF_OFFER = """o.variant_id, o.offer_id, o.supplier_id, s.name AS supplier_name, s.affiliated, o.item_no, o.brand,
            o.price, o.currency, o.tax_inclusive, o.tax_rate, o.unit, o.unit_factor, o.min_quantity, o.step_quantity,
            o.lead_time_days, o.regions, o.valid_from, o.valid_until, o.tier_from, o.tier_price, o.stock_point,
            o.category AS offer_category, o.standard, o.certificates, o.epd, o.epd_kgco2e, o.epd_until,
            o.epd_until >= :today AS epd_counts"""


def best_offers(offers: Offers, best: Best, *, of: str) -> str:
    """SQL: the visible offers of the variants `h` that `of` names, the best `:most` of each, by variant and `place`.

    Each tells what all of its variant's offers are `together`.
    """
    return f"""
        SELECT placed.*, stock.band, stock.available, stock.as_of, listed.* FROM (
            SELECT {_OF_OFFER}, h.carbon AS type_carbon,
                {FREIGHT if offers.region else "0"} AS freight, {comparable(offers)} AS landed,
                count(*) OVER of_variant AS together,
                min({comparable(offers)}) FILTER (WHERE o.currency = :currency) OVER of_variant AS price_from,
                min(o.lead_time_days) OVER of_variant AS lead_time_from,
                min({carbon()}) OVER of_variant AS carbon_from,
                row_number() OVER (
                    PARTITION BY o.variant_id ORDER BY {_order(offers, best)}, o.offer_id
                ) AS place
            FROM {of} {visible_offers(offers)}
            WINDOW of_variant AS (PARTITION BY o.variant_id)
        ) placed LEFT JOIN search_stock stock ON stock.supplier_id = placed.supplier_id
            AND stock.item_no = placed.item_no AND stock.stock_point = placed.stock_point
        LEFT JOIN LATERAL ({blacklists.against("placed")}) listed ON true
        WHERE place <= :most"""


async def offers_of(
    session: AsyncSession, *, variant_ids: Sequence[UUID], offers: Offers, most: int, best: Best = "price"
) -> Sequence[Any]:
    """The visible offers of these variants, the best `most` of each, with how many there are."""
    if not variant_ids:
        return []
    of = "(SELECT v.* FROM search_variants v WHERE v.variant_id = ANY (CAST(:ids AS uuid[]))) h"
    statement = f"{best_offers(offers, best, of=of)} ORDER BY variant_id, place"
    return await fetch(session, statement, {**offers.binds, "ids": list(variant_ids), "most": most})


STATES = "SELECT string_agg(name || '=' || txid, ' ' ORDER BY name, txid) FROM register_states"
"""SQL of the states of all that is kept in memory, as one text."""


async def opened(
    session: AsyncSession, *, viewer: frozenset[str], codes: Sequence[str]
) -> tuple[str | None, Mapping[str, list[str]]]:
    """What every search begins with, in one statement: `see_as`, the states of what is kept in memory
    (`knowledge`), and `types_naming` these codes."""
    statement = f"""
        SELECT set_config('app.viewer_keys', :keys, true), ({STATES}) AS states,
            (SELECT json_agg(json_build_array(found.code, found.type_code)) FROM ({_TYPES_NAMING}) found) AS types"""
    (row,) = await fetch(session, statement, {"keys": ",".join(sorted(viewer)), "codes": list(codes)})
    return row.states, _by_code(row.types or ())


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
            WHERE h.tokens @> ARRAY['@' || asked.type_code] AND h.properties @> asked.known
              AND EXISTS (
                  SELECT FROM (SELECT h.variant_id, h.unit_factors, h.carbon) AS h {visible_offers(offers)}
              )
            ORDER BY h.variant_key LIMIT :most
        ) found
        ORDER BY asked.line, found.variant_id"""
    rows = [{"line": line, "type_code": type_code, "known": dict(known)} for line, type_code, known in wanted]
    asked = {**offers.binds, "asked": orjson.dumps(rows).decode(), "most": most}
    return (await session.execute(text(statement), asked)).all()


async def not_indexed(session: AsyncSession, *, variant_ids: Sequence[str]) -> list[Any]:
    """Those of these variants that the index does not hold yet, as it will hold them; what is no variant has no key.

    LIMIT keeps the indexes the way in, as for offers (`offer_rows`).
    """
    statement = """
        SELECT asked.id, v.key, v.type_code, v.category, v.properties, v.unit_factors, v.carbon
        FROM unnest(CAST(:ids AS uuid[])) AS asked (id) LEFT JOIN LATERAL (
            SELECT true AS is_there FROM search_variants v WHERE v.variant_id = asked.id LIMIT 1
        ) found ON true LEFT JOIN LATERAL (
            SELECT * FROM variants v WHERE v.id = asked.id LIMIT 1
        ) v ON true
        WHERE found.is_there IS NULL"""
    return await fetch(session, statement, {"ids": list(variant_ids)})


async def types_naming(session: AsyncSession, *, codes: Sequence[str]) -> Mapping[str, list[str]]:
    """The types that each of these codes finds, in any system; an IFC entity finds all its predefined types."""
    found = await fetch(session, _TYPES_NAMING, {"codes": list(codes)})
    return _by_code((row.code, row.type_code) for row in found)


_TYPES_NAMING = """
    SELECT asked.code, c.type_code FROM unnest(CAST(:codes AS text[])) AS asked (code)
    JOIN classification_codes c ON lower(c.code) = lower(asked.code)
    UNION
    SELECT asked.code, c.type_code FROM unnest(CAST(:codes AS text[])) AS asked (code)
    JOIN classification_codes c ON c.system = 'IFC' AND lower(asked.code) LIKE 'ifc%'
        AND lower(c.code) ~>=~ (lower(asked.code) || '.') AND lower(c.code) ~<~ (lower(asked.code) || '/')"""


def _by_code(pairs: Iterable[Sequence[str]]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for code, type_code in pairs:
        found.setdefault(code, []).append(type_code)
    return found


async def supplier_names(session: AsyncSession, *, supplier_ids: Sequence[str]) -> Mapping[str, str]:
    """What these suppliers are called, by id as text."""
    rows = await session.execute(
        text(
            "SELECT CAST(supplier_id AS text), name FROM search_suppliers "
            "WHERE supplier_id = ANY (CAST(:ids AS uuid[]))"
        ),
        {"ids": list(supplier_ids)},
    )
    return {row[0]: row[1] for row in rows}


async def opened_to_suggest(
    session: AsyncSession, *, viewer: frozenset[str], begun: str | None, most: int
) -> tuple[str | None, list[tuple[str, str, str]]]:
    """What every suggestion begins with, in one statement: `see_as`, the states of what is kept in memory, and codes
    of any system that begin so: (system, code, type_code); none with None."""
    statement = f"""
        SELECT set_config('app.viewer_keys', :keys, true), ({STATES}) AS states, (
            SELECT json_agg(json_build_array(system, code, type_code)) FROM (
                SELECT system, code, min(type_code) AS type_code FROM classification_codes
                WHERE lower(code) ~>=~ CAST(:begun AS text) AND lower(code) ~<~ CAST(:end AS text)
                GROUP BY system, code ORDER BY length(code), code LIMIT :most
            ) found
        ) AS codes"""
    end = None if begun is None else begun + chr(sys.maxunicode)
    binds = {"keys": ",".join(sorted(viewer)), "begun": begun, "end": end, "most": most}
    (row,) = await fetch(session, statement, binds)
    return row.states, [(system, code, type_code) for system, code, type_code in row.codes or ()]


async def offers_by_id(session: AsyncSession, *, offer_ids: Sequence[UUID], offers: Offers) -> Sequence[Row[Any]]:
    """Those of these offers that count, as `offers_of` tells them."""
    found = await session.execute(
        text("SELECT variant_id FROM search_offers WHERE offer_id = ANY (CAST(:ids AS uuid[]))"),
        {"ids": list(offer_ids)},
    )
    variant_ids = sorted(set(found.scalars()))
    rows = await offers_of(session, variant_ids=variant_ids, offers=offers, most=_ANY_NUMBER)
    return [row for row in rows if row.offer_id in set(offer_ids)]
