"""Which variants come first: over groups of variants that answer the words alike, by one of four orders.

Two ways lead to the same order. `page` prices every variant that answers and sorts; it costs what the hits cost.
`walking` reads offers in the order of their prices and stops when the page is full. See docs/decisions.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.search.dictionary import EACH_WORD, VALUE, Group
from services.catalog.search.queries import Offers, carbon, comparable, visible_offers
from services.catalog.search.wire import fetch

Sort = Literal["relevance", "price", "lead_time", "carbon"]

Place = tuple[Decimal, Decimal, UUID]
"""Where a page ended: the two values of its order, and the variant."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Range:
    """Numbers between two bounds (None: open), of a property of these types that takes any number."""

    key: str
    type_codes: tuple[str, ...]
    low: Decimal | None
    high: Decimal | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Facet:
    """One property and what it may be: any of the tokens, or within any of the ranges."""

    name: str
    type_codes: frozenset[str]
    """Those that have the property."""
    tokens: tuple[str, ...] = ()
    ranges: tuple[Range, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Hits:
    """Which variants count."""

    groups: Sequence[Group]
    facets: Sequence[Facet] = ()
    variant_ids: Sequence[UUID] | None = None
    """Only these, when not None."""
    key: str | None = None
    """Only the variant with this key, when not None."""

    def only(self, groups: Iterable[Group]) -> "Hits":
        """The same among some of the groups."""
        return replace(self, groups=list(groups))

    def without(self, facet: str) -> "Hits":
        """To count a facet: as if it had not been chosen, and among what was asked for, if anything is just so."""
        exact = [group for group in self.groups if not group.near]
        facets = [each for each in self.facets if each.name != facet]
        return replace(self, facets=facets, groups=exact or self.groups)

    @property
    def group_binds(self) -> list[dict[str, Any]]:
        """The groups as `GROUPS` reads them."""
        return [
            {
                "place": place,
                "type_code": group.type_code,
                "wanted": group.wanted,
                "without": group.without,
                "lacking": group.lacking,
                "maybe": group.maybe,
                "need": group.need,
                "score": group.score,
            }
            for place, group in enumerate(self.groups)
        ]

    @property
    def binds(self) -> dict[str, Any]:
        binds: dict[str, Any] = {"groups": orjson.dumps(self.group_binds).decode()}
        for number, facet in enumerate(self.facets):
            binds[f"facet_{number}"] = list(facet.tokens)
            for place, each in enumerate(facet.ranges):
                name = f"range_{number}_{place}"
                binds |= {f"{name}_key": each.key, f"{name}_types": list(each.type_codes)}
                binds |= {f"{name}_low": each.low, f"{name}_high": each.high}
        if self.variant_ids is not None:
            binds["variant_ids"] = list(self.variant_ids)
        if self.key is not None:
            binds["variant_key"] = self.key
        return binds

    @property
    def condition(self) -> str:
        """Of a variant `v` beside its group `g`."""
        conditions = ["v.tokens @> g.wanted"]
        if any(group.without for group in self.groups):
            conditions.append("(cardinality(g.without) = 0 OR NOT v.tokens @> g.without)")
        if any(group.lacking for group in self.groups):
            conditions.append("NOT v.tokens && g.lacking")
        for number, facet in enumerate(self.facets):
            either = [f"v.tokens && CAST(:facet_{number} AS text[])"] if facet.tokens or not facet.ranges else []
            either += [_within(f"range_{number}_{place}") for place in range(len(facet.ranges))]
            conditions.append(f"({' OR '.join(either)})")
        if self.variant_ids is not None:
            conditions.append("v.variant_id = ANY (CAST(:variant_ids AS uuid[]))")
        if self.key is not None:
            conditions.append("v.variant_key = :variant_key")
        return " AND ".join(conditions)

    def is_near(self, type_code: str, score: int) -> bool:
        """Whether a hit of this score misses something that was asked."""
        same = [group for group in self.groups if group.type_code == type_code and group.score == score]
        return bool(same) and all(group.near for group in same)

    @property
    def some(self) -> bool:
        """Whether not every word must be found."""
        return any(group.maybe for group in self.groups)


def _within(name: str) -> str:
    """Guarded by CASE: only a number is read as one, whichever condition is looked at first."""
    return f"""CASE WHEN v.type_code = ANY (CAST(:{name}_types AS text[])) THEN
        (v.properties ->> :{name}_key)::numeric
            BETWEEN coalesce(CAST(:{name}_low AS numeric), '-Infinity')
            AND coalesce(CAST(:{name}_high AS numeric), 'Infinity')
        ELSE false END"""


GROUPS = """
    groups AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(CAST(:groups AS jsonb)) AS g (
            place integer, type_code text, wanted text[], without text[], lacking text[], maybe text[], need integer,
            score bigint, after_price numeric, after_order double precision, after_id uuid, level integer
        )
    )"""


def answering(hits: Hits, *, most: str = "") -> str:
    """FROM: every variant that answers, beside its group. OFFSET 0 keeps the index on tokens the way in."""
    matched, enough = "", ""
    if hits.some:
        matched = """CROSS JOIN LATERAL (
            SELECT count(*) AS count FROM unnest(g.maybe) AS token WHERE token = ANY (v.tokens)
        ) matched"""
        enough = " AND matched.count >= g.need AND (g.need = 0 OR v.tokens && g.maybe)"
    score = f"g.score + {EACH_WORD + VALUE} * matched.count" if hits.some else "g.score"
    return f"""
        groups g CROSS JOIN LATERAL (
            SELECT v.variant_id, v.unit_factors, v.carbon, v.type_code, v.properties, {score} AS score
            FROM search_variants v {matched}
            WHERE {hits.condition}{enough}
            {most or "OFFSET 0"}
        ) h"""


async def sizes(session: AsyncSession, *, hits: Hits, most: int) -> list[int]:
    """How many variants each group has, offered to whomever, counted up to `most`; only to choose the way."""
    if not hits.groups:
        return []
    statement = f"""
        WITH {GROUPS}
        SELECT (SELECT count(*) FROM (
            SELECT FROM search_variants v WHERE {hits.condition} LIMIT :most
        ) counted) AS count FROM groups g ORDER BY g.place"""
    return [row.count for row in await fetch(session, statement, {**hits.binds, "most": most})]


def _offered(offers: Offers) -> str:
    """That the caller is offered a hit `h`."""
    return f"EXISTS (SELECT FROM (SELECT h.variant_id, h.unit_factors, h.carbon) AS h {visible_offers(offers)})"


async def visible_up_to(session: AsyncSession, *, hits: Hits, offers: Offers, most: int) -> int:
    """How many of these variants the caller is offered, counted up to `most`."""
    statement = f"""
        WITH {GROUPS}
        SELECT count(*) FROM (SELECT FROM {answering(hits)} WHERE {_offered(offers)} LIMIT :most) counted"""
    (row,) = await fetch(session, statement, {**hits.binds, **offers.binds, "most": most})
    return int(row.count)


ORDER: Mapping[Sort, tuple[str, str]] = {
    "relevance": ("-score", "price"),
    "price": ("price", "-score"),
    "lead_time": ("lead_time", "price"),
    "carbon": ("carbon", "price"),
}
"""The two values of each order; then the variant's id."""


async def page(
    session: AsyncSession, *, hits: Hits, offers: Offers, sort: Sort, limit: int, after: Place | None
) -> Sequence[Any]:
    """Every hit the caller is offered, priced and sorted: (hit, score, price, lead_time, carbon, first, second).

    `price` is the lowest landed price in the currency asked, infinite when there is none.
    """
    first, second = ORDER[sort]
    keyset = "" if after is None else "WHERE (first, second, variant_id) > (:after_first, :after_second, :after_id)"
    statement = f"""
        WITH {GROUPS}, hits AS MATERIALIZED (SELECT h.* FROM {answering(hits)}), ranked AS (
            SELECT h.variant_id, h.score, min(o.lead_time_days)::numeric AS lead_time,
                coalesce(min({comparable(offers)}) FILTER (WHERE o.currency = :currency), 'Infinity') AS price,
                coalesce(min({carbon()}), 'Infinity') AS carbon
            FROM hits h {visible_offers(offers)}
            GROUP BY h.variant_id, h.score
        ), ordered AS (
            SELECT *, CAST({first} AS numeric) AS first, CAST({second} AS numeric) AS second FROM ranked
        )
        SELECT variant_id AS hit, * FROM ordered {keyset} ORDER BY first, second, variant_id LIMIT :limit"""
    binds = {**hits.binds, **offers.binds, "limit": limit}
    if after is not None:
        binds |= {"after_first": after[0], "after_second": after[1], "after_id": after[2]}
    return await fetch(session, statement, binds)


COUNTED_AT_MOST = 10_000
"""Variants looked at for the counts of a facet."""
_VALUES_AT_MOST = 50


async def facet_counts(
    session: AsyncSession, *, hits: Hits, offers: Offers, keys: Mapping[str, str]
) -> tuple[list[tuple[str, int]], bool]:
    """How many variants that the caller is offered have each value of a property, and whether all were counted.

    `keys` names the property by type; one named `@` counts types.
    """
    statement = f"""
        WITH {GROUPS}, seen AS MATERIALIZED (
            SELECT CASE CAST(:keys AS jsonb) ->> h.type_code WHEN '@' THEN h.type_code
                ELSE h.properties ->> (CAST(:keys AS jsonb) ->> h.type_code) END AS value
            FROM {answering(hits)} WHERE CAST(:keys AS jsonb) ? h.type_code AND {_offered(offers)} LIMIT :most
        )
        SELECT value, count(*) AS hits, (SELECT count(*) FROM seen) AS together FROM seen
        WHERE value IS NOT NULL GROUP BY value ORDER BY count(*) DESC, value LIMIT :values"""
    return await _counted(session, statement, hits, offers, {"keys": orjson.dumps(dict(keys)).decode()})


async def supplier_counts(session: AsyncSession, *, hits: Hits, offers: Offers) -> tuple[list[tuple[str, int]], bool]:
    """How many variants each supplier offers to the caller, and whether all were counted."""
    statement = f"""
        WITH {GROUPS}, seen AS MATERIALIZED (
            SELECT h.variant_id, h.unit_factors, h.carbon FROM {answering(hits)} WHERE {_offered(offers)} LIMIT :most
        )
        SELECT CAST(o.supplier_id AS text) AS value, count(DISTINCT h.variant_id) AS hits,
            (SELECT count(*) FROM seen) AS together
        FROM seen h {visible_offers(offers)}
        GROUP BY o.supplier_id ORDER BY 2 DESC, 1 LIMIT :values"""
    return await _counted(session, statement, hits, offers, {})


async def _counted(
    session: AsyncSession, statement: str, hits: Hits, offers: Offers, more: Mapping[str, Any]
) -> tuple[list[tuple[str, int]], bool]:
    binds = {**hits.binds, **offers.binds, **more, "most": COUNTED_AT_MOST, "values": _VALUES_AT_MOST}
    rows = await fetch(session, statement, binds)
    return [(row.value, row.hits) for row in rows], not rows or rows[0].together < COUNTED_AT_MOST
