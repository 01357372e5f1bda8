"""Choosing the way to a page: price and sort every hit, or read offers in the order of an index.

The way depends on how many variants answer. Where both lead to the same order the count may be that of all variants;
where they differ (prices for a quantity and a place against list prices) only what the caller may see is counted, so
that no offer hidden from the caller moves a hit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.search import large, pages, ranking, walking
from services.catalog.search.dictionary import Group
from services.catalog.search.pages import Details, Glance, Showing
from services.catalog.search.queries import Offers
from services.catalog.search.ranking import Hits, Place, Sort
from shared.errors import Unprocessable

PRICED_AT_MOST = 3_000
"""Variants priced for one page at a quantity and a place; more are read in the order of list prices."""
WALKED_FROM = 600
"""Where list prices are asked for anyway, so many variants are sooner read in their order than priced."""
NEAREST_FIRST = 10
"""So many groups, the nearest, are asked for first; the others only while the page is not full."""
SORTED_AT_MOST = 5_000
"""Variants sorted by lead time or carbon, for which no index stands ready."""


class TooBroadToSort(Unprocessable):
    """More variants answer than can be sorted so: narrow the search by words, type or facets."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranked:
    """The rows of a page with what is shown of them, and whether any stand in the order of list prices though landed
    ones were asked."""

    rows: Sequence[Any]
    details: Details = field(default_factory=Details)
    by_list_price: bool = False


@dataclass(frozen=True, slots=True)
class _Level:
    """Groups whose hits are ordered among each other, with the number of their variants."""

    groups: tuple[Group, ...]
    sizes: tuple[int, ...]

    """How many variants each has, counted up to one more than `WALKED_FROM`."""

    @property
    def size(self) -> int:
        return sum(self.sizes)

    @property
    def is_large(self) -> bool:
        """Whether there may be more than were counted, or more than are priced without a thought."""
        return max(self.sizes) > WALKED_FROM or self.size > WALKED_FROM


async def ranked(
    session: AsyncSession,
    *,
    hits: Hits,
    offers: Offers,
    sort: Sort,
    limit: int,
    after: Place | None,
    showing: Showing,
) -> Ranked:
    """At most `limit` variants that the caller is offered, in order, and what is shown of them.

    Raises:
        TooBroadToSort: see the class.
    """
    if sort != "relevance":  # a price says nothing of how near a hit is: among what was asked for alone
        hits = hits.only(group for group in hits.groups if not group.near)
    by_level = sort == "relevance" and not hits.some
    if by_level and after is not None:
        hits = hits.only(group for group in hits.groups if -group.score >= after[0])
    if not hits.groups:
        return Ranked(rows=[])
    search = _Search(session, hits, offers, sort, after)
    if not by_level:
        return await _of_groups(search, hits, limit=limit, by_level=False, showing=showing)
    page = Ranked(rows=[])
    for some in _nearest_first(hits.groups):
        begun = len(page.rows)
        left = replace(showing, hits=max(showing.hits - begun, 0))
        more = await _of_groups(search, hits.only(some), limit=limit - begun, by_level=True, showing=left)
        page = Ranked(
            rows=[*page.rows, *more.rows],
            details=page.details.and_of(more.details),
            by_list_price=page.by_list_price or more.by_list_price,
        )
        if len(page.rows) >= limit:
            break
    return page


def _nearest_first(groups: Sequence[Group]) -> list[Sequence[Group]]:
    """The nearest few, and all others; parted where the score changes, for a level is ordered as a whole."""
    end = NEAREST_FIRST
    while 0 < end < len(groups) and groups[end].score == groups[end - 1].score:
        end += 1
    return [part for part in (groups[:end], groups[end:]) if part]


async def _of_groups(search: "_Search", hits: Hits, *, limit: int, by_level: bool, showing: Showing) -> Ranked:
    """The page as far as these groups go."""
    session, offers, sort, after = search.session, search.offers, search.sort, search.after
    numbers = _level_numbers(hits.groups) if by_level else [0] * len(hits.groups)
    seen: Glance | None = None
    sizes: Sequence[int] = large.sizes(session, hits=hits, most=WALKED_FROM)
    if sum(size for size, number in zip(sizes, numbers, strict=True) if number == 0) <= WALKED_FROM:
        seen = await pages.glance(
            session, hits=hits, levels=numbers, offers=offers, sort=sort, limit=limit, after=after,
            priced_at_most=WALKED_FROM, showing=showing,
        )  # fmt: skip
        if seen.complete or len(seen.rows) == limit:
            return Ranked(rows=seen.rows, details=seen.details)
        sizes = seen.sizes
        large.learn(session, hits=hits, sizes=sizes)
    else:
        others = [group for group, size in zip(hits.groups, sizes, strict=True) if not size]
        counted = iter(await ranking.sizes(session, hits=hits.only(others), most=WALKED_FROM + 1))
        sizes = [size or next(counted) for size in sizes]
        if others:
            large.learn(session, hits=hits, sizes=sizes)
    filled = [
        (group, size)
        for group, size, number in zip(hits.groups, sizes, numbers, strict=True)
        if size and (seen is None or number >= seen.levels)
    ]
    begun = [] if seen is None else seen.rows
    page = await _ranked(search, filled, by_level=by_level, limit=limit - len(begun))
    details = await pages.shown(
        session,
        variant_ids=[row.hit for row in page.rows[: max(showing.hits - len(begun), 0)]],
        offers=offers,
        showing=showing,
    )
    if seen is not None:
        details = seen.details.and_of(details)
    return replace(page, rows=[*begun, *page.rows], details=details)


def _level_numbers(groups: Sequence[Group]) -> list[int]:
    """Groups of one score are a level, the nearest the first."""
    return [number for number, (_, same) in enumerate(groupby(groups, key=lambda each: each.score)) for _ in same]


async def _ranked(search: "_Search", filled: Sequence[tuple[Group, int]], *, by_level: bool, limit: int) -> Ranked:
    """Of groups that are too many to be priced at a glance."""
    if not filled:
        return Ranked(rows=[])
    if by_level:
        return await search.level_by_level(_levels(filled), limit=limit)
    whole = _Level(tuple(group for group, _ in filled), tuple(size for _, size in filled))
    if search.sort in {"relevance", "price"}:
        return await search.level_by_level([whole], limit=limit)
    if whole.size > SORTED_AT_MOST and await search.sees_more_than(SORTED_AT_MOST, [whole]):
        raise TooBroadToSort(
            f"More than {SORTED_AT_MOST} variants answer; narrow the search to sort it by {search.sort}."
        )
    return Ranked(rows=await search.priced([whole], limit=limit))


def _levels(filled: Sequence[tuple[Group, int]]) -> list[_Level]:
    """Groups of one score, the nearest first."""
    levels = []
    for _, same in groupby(filled, key=lambda each: each[0].score):
        pairs = list(same)
        levels.append(_Level(tuple(group for group, _ in pairs), tuple(size for _, size in pairs)))
    return levels


class _Search:
    """One page being put together."""

    def __init__(self, session: AsyncSession, hits: Hits, offers: Offers, sort: Sort, after: Place | None) -> None:
        self.session = session
        self._hits = hits
        self.offers = offers
        self.sort = sort
        self.after = after

    async def level_by_level(self, levels: Sequence[_Level], *, limit: int) -> Ranked:
        """Until the page is full: small levels together, each large one by the way that suits it."""
        rows: list[Any] = []
        by_list_price = False
        rest = list(levels)
        while rest and len(rows) < limit:
            some = [rest.pop(0)]
            while rest and sum(each.size for each in [*some, rest[0]]) <= WALKED_FROM:
                some.append(rest.pop(0))
            more = await self._level(some, limit=limit - len(rows))
            rows += more.rows
            by_list_price = by_list_price or more.by_list_price
        return Ranked(rows=rows, by_list_price=by_list_price)

    async def sees_more_than(self, many: int, levels: Sequence[_Level]) -> bool:
        """Whether the caller is offered more than so many of these variants."""
        among = self._among(levels)
        return await ranking.visible_up_to(self.session, hits=among, offers=self.offers, most=many + 1) > many

    async def _level(self, levels: Sequence[_Level], *, limit: int) -> Ranked:
        landed = self.offers.is_landed
        if self._hits.some or not any(each.is_large for each in levels):
            return Ranked(rows=await self.priced(levels, limit=limit))
        if landed and not await self.sees_more_than(PRICED_AT_MOST, levels):
            return Ranked(rows=await self.priced(levels, limit=limit))
        return Ranked(rows=await self._listed(levels, limit=limit), by_list_price=landed)

    async def _listed(self, levels: Sequence[_Level], *, limit: int) -> Sequence[Any]:
        """By list price: small groups priced, since a walk passes all offers of a type, large ones and whole types
        walked."""
        priced: list[Group] = []
        walked: list[Group] = []
        size = 0
        for level in levels:
            for group, its in zip(level.groups, level.sizes, strict=True):
                fits = size + its <= WALKED_FROM and not large.is_whole_type(self._hits, group)
                (priced if fits else walked).append(group)
                size += its if fits else 0
        offers = replace(self.offers, listed=True)
        rows: list[Any] = []
        for groups, way in ((priced, ranking.page), (walked, walking.walk)):
            if groups:
                rows += await way(
                    self.session,
                    hits=self._hits.only(groups),
                    offers=offers,
                    sort=self.sort,
                    limit=limit,
                    after=self.after,
                )
        return sorted(rows, key=lambda row: (row.first, row.second, row.hit))[:limit]

    def _among(self, levels: Sequence[_Level]) -> Hits:
        return self._hits.only(group for level in levels for group in level.groups)

    async def priced(self, levels: Sequence[_Level], *, limit: int) -> Sequence[Any]:
        """Every hit of these levels is priced."""
        return await ranking.page(
            self.session,
            hits=self._among(levels),
            offers=self.offers,
            sort=self.sort,
            limit=limit,
            after=self.after,
        )
