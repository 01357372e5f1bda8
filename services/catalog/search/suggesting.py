"""Suggestions while somebody types: types and codes by the beginnings of their words, and variants on offer."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.search import queries
from services.catalog.search.choosing import ranked
from services.catalog.search.dictionary import Dictionary
from services.catalog.search.finding import offers_seen_by
from services.catalog.search.knowledge import dictionary
from services.catalog.search.pages import Showing
from services.catalog.search.queries import Offers
from services.catalog.search.ranking import Facet, Hits
from services.catalog.search.schemas import SuggestAnswer, Suggestion
from services.catalog.search.understanding import understood
from services.catalog.search.words import Query, chunks, folded, phrase
from shared.identity import Principal

_SHORTEST_CODE = 2


async def suggest(session: AsyncSession, *, q: str, caller: Principal | None, limit: int, today: date) -> SuggestAnswer:
    """At most `limit`: types first, then variants, then codes; something of each where there is.

    Types and codes are public. Variants are those that somebody offers to the caller, cheapest first by list price.
    """
    if not chunks(q):
        return SuggestAnswer(items=[])
    offers = offers_seen_by(caller, today=today, currency="CNY")
    begun = q.strip().lower()
    states, found = await queries.opened_to_suggest(
        session, viewer=offers.viewer, begun=begun if len(begun) >= _SHORTEST_CODE else None, most=limit
    )
    known = await dictionary(session, states=states)
    types = _types(q, known)
    codes = _codes(found, known)
    room = max(limit - min(len(types), limit // 3 + 1) - min(len(codes), limit // 4), 1)
    variants = await _variants(session, q, known, offers=offers, limit=room)
    left = limit - len(variants)
    kept = max(left - min(len(codes), max(limit // 4, left - len(types))), 0)
    items = [*types[:kept], *variants]
    return SuggestAnswer(items=[*items, *codes[: limit - len(items)]])


def _types(q: str, known: Dictionary) -> list[Suggestion]:
    """Types called so, or by words that begin so; the more exact the name, the earlier."""
    typed, begun = phrase(q), folded(q).strip()
    found: list[tuple[int, int, str, str]] = []
    for code, words in known.types.items():
        if words.definition.deprecated:
            continue
        fits = [(_likeness(each, typed), len(each), each) for each in words.phrases if typed in each]
        if code.lower().startswith(begun):
            fits.append((0, 0, code))
        if fits:
            likeness, length, called = min(fits)
            found.append((likeness, length, code, called))
    return [
        Suggestion(
            kind="type",
            text=f"{known.definitions[code].name_zh} {known.definitions[code].name_en}",
            detail=code if called == code else f"{code} {called}",
            query={"type": code},
        )
        for _, _, code, called in sorted(found)
    ]


def _likeness(called: str, typed: str) -> int:
    if called == typed:
        return 0
    return 1 if called.startswith(typed) else 2


def _codes(found: Sequence[tuple[str, str, str]], known: Dictionary) -> list[Suggestion]:
    return [
        Suggestion(
            kind="code", text=code, detail=f"{system} {known.definitions[type_code].name_zh}", query={"code": code}
        )
        for system, code, type_code in found
        if type_code in known.definitions
    ]


async def _variants(
    session: AsyncSession, q: str, known: Dictionary, *, offers: Offers, limit: int
) -> list[Suggestion]:
    """What has every word as it is written; only if nothing has, what the words say."""
    query = understood(q, known)
    for asked in (replace(query, text=""), query):
        found = await _offered(session, _hits(q, asked, known), offers=offers, limit=limit)
        if found or not query.text:
            break
    return found


async def _offered(session: AsyncSession, hits: Hits, *, offers: Offers, limit: int) -> list[Suggestion]:
    page = await ranked(
        session,
        hits=hits,
        offers=offers,
        sort="relevance",
        limit=limit,
        after=None,
        showing=Showing(hits=limit, offers=1),
    )
    its = page.details.offers
    variants = [its[row.hit][0] for row in page.rows if row.hit in its]
    return [
        Suggestion(kind="variant", text=each.name_zh, detail=each.name_en, query={"q": each.key})
        for each in variants
        if each.id is not None
    ]


def _hits(q: str, query: Query, known: Dictionary) -> Hits:
    """Variants with every word; the last word may be only the beginning of one."""
    last = query.tokens[-1] if query.tokens else ""
    whole = not last or q[-1:].isspace() or (known.knows(last) and len(last) > _SHORTEST_CODE)
    longer = [] if whole else known.beginning(last)
    if len(longer) < 2:
        return Hits(groups=known.groups(query, among=known.definitions, codes={}, every=True))
    before = Query(tokens=tuple(token for token in query.tokens if token != last), phrases=query.phrases)
    groups = known.groups(before, among=known.definitions, codes={}, every=True)
    begun = [group for group in groups if not known.values_of(group.type_code).isdisjoint(longer)]
    facet = Facet(name="", type_codes=frozenset(known.definitions), tokens=tuple(longer))
    return Hits(groups=begun, facets=[facet])
