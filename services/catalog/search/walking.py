"""The page by list price, read from an index that has the offers in price order: it costs what the page costs, however
many answer and however far the page is. See docs/decisions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.search.dictionary import Group
from services.catalog.search.queries import Offers, counts
from services.catalog.search.ranking import GROUPS, ORDER, Hits, Place, Sort
from services.catalog.search.wire import fetch

_LAST_ID = UUID(int=2**128 - 1)
_FIRST_ID = UUID(int=0)


async def walk(
    session: AsyncSession, *, hits: Hits, offers: Offers, sort: Sort, limit: int, after: Place | None
) -> Sequence[Any]:
    """The rows of `ranking.page` by list price (sort `price`, or `relevance` among groups of one score).

    No word of the hits may be optional. Variants without an offer in the currency asked come last.
    """
    way = _Way(hits=hits, offers=offers, sort=sort, limit=limit)
    begun = [_after_in_group(group, sort, after) for group in hits.groups]
    await fetch(session, _BITMAPS, {"allowed": "off"})
    found = await _with_price(session, way, begun)
    await fetch(session, _BITMAPS, {"allowed": "on"})
    if len(found) < limit:
        others = way.merged(_without_price(hits, offers))
        found += await fetch(session, others, way.binds(begun, limit=limit - len(found)))
    return found


_BITMAPS = "SELECT set_config('enable_bitmapscan', :allowed, true)"
"""A bitmap reads all offers of a type before the first is known, which the planner likes too much."""

_After = tuple[Decimal, UUID]
"""After which price and variant a group goes on; prices are never below 0."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Way:
    """What is asked, the same in all statements of a page."""

    hits: Hits
    offers: Offers
    sort: Sort
    limit: int

    @property
    def is_by_price_alone(self) -> bool:
        return self.sort == "price" or len({group.score for group in self.hits.groups}) == 1

    def binds(self, after: Sequence[_After], **more: Any) -> dict[str, Any]:
        rows = self.hits.group_binds
        for row, (price, variant_id) in zip(rows, after, strict=True):
            row |= {"after_price": str(price), "after_order": str(price), "after_id": str(variant_id)}
        return {**self.hits.binds, **self.offers.binds, "groups": orjson.dumps(rows).decode(), **more}

    def merged(self, of_group: str) -> str:
        """The groups together."""
        first, second = ORDER[self.sort]
        return f"""
            WITH {GROUPS}, ordered AS (
                SELECT g.score, w.variant_id, w.price FROM groups g CROSS JOIN LATERAL ({of_group}) w
            )
            SELECT variant_id AS hit, *, CAST({first} AS numeric) AS first, CAST({second} AS numeric) AS second
            FROM ordered ORDER BY first, second, variant_id LIMIT :limit"""


def _after_in_group(group: Group, sort: Sort, after: Place | None) -> _After:
    """Where a page goes on within one group."""
    if after is None:
        return Decimal(-1), _FIRST_ID
    first, second, variant_id = after
    if sort == "relevance":
        return (second, variant_id) if -group.score == first else (Decimal(-1), _FIRST_ID)
    if -group.score == second:
        return first, variant_id
    return first, (_FIRST_ID if -group.score > second else _LAST_ID)


async def _with_price(session: AsyncSession, way: _Way, begun: Sequence[_After]) -> list[Any]:
    """Window by window of prices; without them a full page is read of each group and nearly all of it thrown away."""
    found: list[Any] = []
    after = begun
    for window in WINDOWS if way.is_by_price_alone and len(way.hits.groups) > 1 else ():
        each, ahead = window.of_group * way.limit, window.ahead * way.limit
        ends = await fetch(session, _END, way.binds(after, limit=way.limit, each=each, ahead=ahead))
        if not ends:
            break
        till = ends[0]
        statement = way.merged(_by_price(way.hits, way.offers, further=_TILL))
        binds = way.binds(after, limit=way.limit - len(found), till_order=till.price_order, till_price=till.comparable)
        found += await fetch(session, statement, binds)
        if len(found) == way.limit:
            return found
        after = [(till.comparable, _LAST_ID)] * len(after)
    statement = way.merged(_by_price(way.hits, way.offers))
    return [*found, *await fetch(session, statement, way.binds(after, limit=way.limit - len(found)))]


class Window(NamedTuple):
    """How far prices are looked at before a window of them is read, for each hit that is wanted."""

    of_group: int
    """Offers of each group,"""
    ahead: int
    """and of all together. Where a group's prices are in their midst, most of its variants were before already with a
    lower one."""


WINDOWS = (Window(of_group=2, ahead=8), Window(of_group=8, ahead=32), Window(of_group=32, ahead=128))
"""One after the other until the page is full."""

_AFTER = "o.price_order >= g.after_order AND (o.comparable, o.variant_id) > (g.after_price, g.after_id)"
"""Where the page goes on. Under row level security only the first of these leads into the index: of decimals
PostgreSQL holds that comparing them might tell what a hidden row has, and would pass by all rows before."""
_TILL = "AND o.price_order <= :till_order AND o.comparable <= :till_price"
_NEXT = f"""
                    SELECT o.price_order, o.comparable, o.variant_id FROM search_offers o
                    WHERE o.type_code = g.type_code AND o.status = 'ACTIVE' AND o.currency = :currency AND {_AFTER}
                    ORDER BY o.price_order, o.comparable, o.variant_id"""
# Up to the first of these ends no offer was overlooked: a group that begins later than another has told enough is not
# looked into.
_END = f"""
    WITH {GROUPS}, begins AS MATERIALIZED (
        SELECT g.*, o.price_order AS first, row_number() OVER (ORDER BY o.price_order) AS number
        FROM groups g CROSS JOIN LATERAL ({_NEXT} LIMIT 1) o ORDER BY o.price_order LIMIT :limit + 1
    ), one AS MATERIALIZED (
        SELECT o.price_order FROM begins g CROSS JOIN LATERAL ({_NEXT} LIMIT 1 OFFSET :each - 1) o WHERE g.number = 1
    )
    SELECT price_order, comparable FROM (
        SELECT o.*, g.number, row_number() OVER (ORDER BY o.price_order, o.comparable) AS together
        FROM begins g CROSS JOIN LATERAL (
            SELECT *, row_number() OVER (ORDER BY price_order, comparable, variant_id) AS of_group
            FROM ({_NEXT} LIMIT :each) next
        ) o
        WHERE g.first <= coalesce((SELECT price_order FROM one), 'Infinity')
    ) next
    WHERE of_group = :each OR together = :ahead OR number > :limit
    ORDER BY price_order, comparable LIMIT 1"""


def _by_price(hits: Hits, offers: Offers, *, further: str = "") -> str:
    """The next variants of a group; an offer stands for its variant when no other that counts is before it."""
    currencies = f"o.currency = :currency AND {_AFTER} {further}"
    before = "(b.comparable, b.supplier_id, b.offer_id) < (o.comparable, o.supplier_id, o.offer_id)"
    return f"""
        SELECT o.variant_id, o.comparable AS price FROM {_walked(hits, offers, currencies=currencies)}
        AND NOT {_better(offers, before)}
        ORDER BY o.price_order, o.comparable, o.variant_id LIMIT :limit"""


def _without_price(hits: Hits, offers: Offers) -> str:
    """The next variants of a group that have offers in other currencies alone."""
    currencies = """(o.currency < :currency OR o.currency > :currency)
                AND (g.after_price < 'Infinity' OR o.variant_id > g.after_id)"""
    return f"""
        SELECT DISTINCT o.variant_id, CAST('Infinity' AS numeric) AS price
        FROM {_walked(hits, offers, currencies=currencies)}
        AND NOT {_better(offers, "true")}
        ORDER BY o.variant_id LIMIT :limit"""


def _walked(hits: Hits, offers: Offers, *, currencies: str) -> str:
    """FROM: the offers of a group `g` in the order of list prices, each with its variant and supplier, as they count.

    Every step is a look into an index by OFFSET 0, so that reading stops as soon as a page is full.
    """
    return f"""(
            SELECT o.* FROM search_offers o
            WHERE o.type_code = g.type_code AND o.status = 'ACTIVE' AND {currencies}
            ORDER BY o.price_order, o.comparable, o.variant_id OFFSET 0
        ) o CROSS JOIN LATERAL (
            SELECT v.unit_factors, v.carbon FROM search_variants v
            WHERE v.variant_id = o.variant_id AND {hits.condition} OFFSET 0
        ) h CROSS JOIN LATERAL (
            SELECT s.* FROM search_suppliers s WHERE s.supplier_id = o.supplier_id OFFSET 0
        ) s
        WHERE {counts(offers)}"""


def _better(offers: Offers, condition: str) -> str:
    """Whether another offer `b` of the variant counts and stands before `o`."""
    return f"""EXISTS (
            SELECT FROM search_offers b JOIN search_suppliers bs ON bs.supplier_id = b.supplier_id
            WHERE b.variant_id = o.variant_id AND b.status = 'ACTIVE' AND b.currency = :currency AND {condition}
              AND {counts(offers, o="b", s="bs")} OFFSET 0
        )"""
