"""A page with all that is shown of it, in one statement where that is possible.

`glance` counts what answers and, as long as that is little, prices and sorts it and tells what is shown of each hit.
`shown` tells the same of hits that were found otherwise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.equivalents.queries import ANY_OF_PAGE
from services.catalog.search.queries import Best, Offers, best_offers, carbon, comparable, visible_offers
from services.catalog.search.ranking import GROUPS, ORDER, Hits, Place, Sort, answering
from services.catalog.search.wire import fetch


@dataclass(frozen=True, kw_only=True, slots=True)
class Showing:
    """What is shown of a page."""

    hits: int
    """So many; a page is read with one more, which only says that there is more."""
    offers: int
    """Of each hit, at least one."""
    best: Best = "price"


@dataclass(frozen=True, kw_only=True, slots=True)
class Details:
    """What is shown of hits."""

    offers: Mapping[UUID, Sequence[Any]] = field(default_factory=dict)
    """By variant, the best first; the first row has the variant's own values too."""
    have_equivalents: bool = False
    """Some of them have equivalents that the caller may see; which, `equivalents` knows."""

    def and_of(self, more: "Details") -> "Details":
        """Of these hits and those."""
        return Details(
            offers={**self.offers, **more.offers}, have_equivalents=self.have_equivalents or more.have_equivalents
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Glance:
    """How much answers, and the page of the nearest levels if they are small."""

    sizes: Sequence[int]
    """Variants of each group, offered to whomever, counted up to one more than were priced at most."""
    levels: int
    """So many of the levels, the nearest first, are in the page; groups without variants make no difference."""
    complete: bool
    """All levels are."""
    rows: Sequence[Any]
    details: Details


_OF_VARIANT = """v.id, v.key, v.type_code, v.category, v.name_zh, v.name_en, v.properties, v.base_unit,
            v.base_decimals, v.unit_factors, v.unit_decimals, v.carbon"""


def _with_details(offers: Offers, showing: Showing, *, sizes: str) -> str:
    """SQL: the hits `page` in their order, the first `:shown` of them with what `Details` holds."""
    of = """(
                SELECT v.* FROM (SELECT variant_id FROM page ORDER BY first, second, variant_id LIMIT :shown) p
                CROSS JOIN LATERAL (SELECT v.* FROM search_variants v WHERE v.variant_id = p.variant_id OFFSET 0) v
            ) h"""
    return f"""
        best AS MATERIALIZED ({best_offers(offers, showing.best, of=of)})
        SELECT p.variant_id AS hit, p.score, p.first, p.second, together.*, best.*, v.*
        FROM (SELECT {sizes} AS sizes, {ANY_OF_PAGE} AS have_equivalents) together
        LEFT JOIN page p ON true
        LEFT JOIN best ON best.variant_id = p.variant_id
        LEFT JOIN LATERAL (
            SELECT {_OF_VARIANT} FROM variants v WHERE best.place = 1 AND v.id = p.variant_id OFFSET 0
        ) v ON true
        ORDER BY p.first, p.second, p.variant_id, best.place"""


async def glance(
    session: AsyncSession,
    *,
    hits: Hits,
    levels: Sequence[int],
    offers: Offers,
    sort: Sort,
    limit: int,
    after: Place | None,
    priced_at_most: int,
    showing: Showing,
) -> Glance:
    """See the module. `levels` has for each group the number of its level; a level is in the page as a whole, when it
    and those before it have at most `priced_at_most` variants together."""
    first, second = ORDER[sort]
    keyset = "" if after is None else "WHERE (first, second, variant_id) > (:after_first, :after_second, :after_id)"
    sizes = "(SELECT array_agg(size ORDER BY place) FROM sized)"
    statement = f"""
        WITH {GROUPS}, found AS MATERIALIZED (
            SELECT g.place, g.level, h.variant_id, h.unit_factors, h.carbon, h.score
            FROM {answering(hits, most="LIMIT :counted")}
        ), sized AS MATERIALIZED (
            SELECT g.place, g.level, count(found.variant_id) AS size
            FROM groups g LEFT JOIN found ON found.place = g.place GROUP BY g.place, g.level
        ), chosen AS MATERIALIZED (
            SELECT place FROM (SELECT place, sum(size) OVER (ORDER BY level) AS size FROM sized) till
            WHERE size <= :priced
        ), ranked AS (
            SELECT h.variant_id, h.score, min(o.lead_time_days)::numeric AS lead_time,
                coalesce(min({comparable(offers)}) FILTER (WHERE o.currency = :currency), 'Infinity') AS price,
                coalesce(min({carbon()}), 'Infinity') AS carbon
            FROM (SELECT * FROM found WHERE place IN (SELECT place FROM chosen)) h {visible_offers(offers)}
            GROUP BY h.variant_id, h.score
        ), page AS MATERIALIZED (
            SELECT * FROM (
                SELECT *, CAST({first} AS numeric) AS first, CAST({second} AS numeric) AS second FROM ranked
            ) ordered {keyset} ORDER BY first, second, variant_id LIMIT :limit
        ), {_with_details(offers, showing, sizes=sizes)}"""
    groups = [{**group, "level": level} for group, level in zip(hits.group_binds, levels, strict=True)]
    binds = {
        **hits.binds,
        **offers.binds,
        "groups": orjson.dumps(groups).decode(),
        "counted": priced_at_most + 1,
        "priced": priced_at_most,
        "limit": limit,
        "shown": showing.hits,
        "most": showing.offers,
    }
    if after is not None:
        binds |= {"after_first": after[0], "after_second": after[1], "after_id": after[2]}
    rows = await fetch(session, statement, binds)
    return _glance(rows, levels, priced_at_most=priced_at_most)


def _glance(rows: Sequence[Any], levels: Sequence[int], *, priced_at_most: int) -> Glance:
    sizes: Sequence[int] = rows[0].sizes
    till = dict(zip(levels, accumulate(sizes), strict=True))
    chosen = sum(size <= priced_at_most for size in till.values())
    return Glance(
        sizes=sizes,
        levels=chosen,
        complete=chosen == len(till),
        rows=[row for row in rows if row.hit is not None and row.place in {None, 1}],
        details=_details(rows),
    )


def _details(rows: Sequence[Any]) -> Details:
    offers: dict[UUID, list[Any]] = {}
    for row in rows:
        if row.offer_id is not None:
            offers.setdefault(row.hit, []).append(row)
    return Details(offers=offers, have_equivalents=bool(rows) and rows[0].have_equivalents)


async def shown(session: AsyncSession, *, variant_ids: Sequence[UUID], offers: Offers, showing: Showing) -> Details:
    """What is shown of these hits."""
    if not variant_ids:
        return Details()
    statement = f"""
        WITH page AS MATERIALIZED (
            SELECT id AS variant_id, 0 AS score, place AS first, 0 AS second
            FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS asked (id, place)
        ), {_with_details(offers, showing, sizes="NULL")}"""
    binds = {**offers.binds, "ids": list(variant_ids), "shown": len(variant_ids), "most": showing.offers}
    return _details(await fetch(session, statement, binds))
