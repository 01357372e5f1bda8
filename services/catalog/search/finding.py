"""The search: from words, codes and facets to variants with the offers the caller may see."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.classification import queries as code_queries
from services.catalog.components.rules import Fault, TypeDefinition, identity_of, parsed_key, variant_key
from services.catalog.search import queries, standing
from services.catalog.search.choosing import Ranked, TooBroadToSort, ranked
from services.catalog.search.dictionary import Dictionary, Group
from services.catalog.search.documents import TYPE_MARK, facet_token
from services.catalog.search.filters import FACET_REFUSALS, facet_of
from services.catalog.search.knowledge import Knowledge, knowledge
from services.catalog.search.pages import Showing
from services.catalog.search.queries import Best, Offers
from services.catalog.search.ranking import Facet, Hits, Place, Sort
from services.catalog.search.understanding import (
    Correction,
    code_words,
    corrected,
    known_only,
    tokens_of_codes,
    understood,
)
from services.catalog.search.words import Query
from services.catalog.units import queries as unit_queries
from services.catalog.units import rules as unit_rules
from shared.errors import FieldError, Unprocessable
from shared.identity import Principal
from shared.paging import CursorInvalid
from shared.quantity import Unit

TYPES_WITH_SOME_WORDS = 10
"""Types looked at when no variant has every word: those that could have most of them."""


class UnknownTypeFilter(Unprocessable):
    """`type`, `category` or `code` names nothing in the catalog."""


class UnknownUnit(Unprocessable):
    """`unit` names no unit; GET /catalog/units lists them."""


class QuantityWithoutUnit(Unprocessable):
    """`quantity` and `unit` go together."""


class NeedByInThePast(Unprocessable):
    """Nothing can be delivered before today."""


SEARCH_REFUSALS = (
    *FACET_REFUSALS, UnknownTypeFilter, UnknownUnit, QuantityWithoutUnit, NeedByInThePast, TooBroadToSort,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What a caller searches for, as asked."""

    q: str = ""
    type_code: str | None = None
    category: str | None = None
    code: str | None = None
    facets: Mapping[str, Sequence[str]]
    supplier_id: UUID | None = None
    region: str | None = None
    quantity: Decimal | None = None
    unit: str | None = None
    need_by: date | None = None
    in_stock: bool = False
    carbon_at_most: Decimal | None = None
    certificates: Sequence[str] = ()
    currency: str = "CNY"
    sort: Sort = "relevance"
    offers_shown: int = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A page's variants, at most one more than asked for; and all it takes to show them."""

    page: Ranked
    mode: str
    """`all` words, all of them `fixed`, all that are `known`, or `some`."""
    query: Query
    corrections: Sequence[Correction]
    hits: Hits
    offers: Offers
    knowledge: Knowledge

    @property
    def dictionary(self) -> Dictionary:
        return self.knowledge.dictionary

    def key_of(self, row: Any) -> tuple[str, str, str, str]:
        """After which key the next page begins when a row is the last of this one."""
        return (self.mode, str(row.first), str(row.second), str(row.hit))


def offers_seen_by(
    caller: Principal | None,
    *,
    today: date,
    currency: str,
    region: str | None = None,
) -> Offers:
    """The offers a caller may see. Exact stock is for members (domain.md 3.2)."""
    viewer = frozenset({"public"}) if caller is None else caller.viewer_keys
    return Offers(
        viewer=viewer,
        knows_stock=caller is not None and caller.company_id is not None,
        today=today,
        currency=currency,
        region=region,
    )


async def offers_wanted(session: AsyncSession, *, wish: Wish, caller: Principal | None, today: date) -> Offers:
    """The offers that count for a wish; row level security is told for whom.

    Raises:
        UnknownUnit, QuantityWithoutUnit, NeedByInThePast.
    """
    units = {} if wish.unit is None else await unit_queries.all_units(session)
    offers = _offers_wanted(wish, caller=caller, today=today, units=units)
    await queries.see_as(session, viewer=offers.viewer)
    return offers


def _offers_wanted(wish: Wish, *, caller: Principal | None, today: date, units: Mapping[str, Unit]) -> Offers:
    if wish.need_by is not None and wish.need_by < today:
        error = FieldError(field="need_by", rule="NeedByInThePast", message=f"{wish.need_by} is before {today}")
        raise NeedByInThePast(f"It is {today}; nothing can be there by {wish.need_by}.", errors=[error])
    return replace(
        offers_seen_by(caller, today=today, currency=wish.currency, region=wish.region),
        supplier_id=wish.supplier_id,
        quantity=wish.quantity,
        units=_units(wish, units),
        in_stock=wish.in_stock,
        need_by=wish.need_by,
        carbon_at_most=wish.carbon_at_most,
        certificates=wish.certificates,
    )


async def find(
    session: AsyncSession,
    *,
    wish: Wish,
    caller: Principal | None,
    limit: int,
    after: tuple[object, ...] | None,
    today: date,
    best: Best = "price",
) -> Found:
    """One page of variants, one more than `limit` when there are more.

    Every word must be found. When nothing that the caller may see has them all, unknown words are taken for their
    nearest known ones; then those that nothing is called are passed over; then variants with at least half of the
    words are shown. The answer says so, and a page follows the page before in the same way.

    Raises:
        those of `SEARCH_REFUSALS`, CursorInvalid.
    """
    viewer = offers_seen_by(caller, today=today, currency=wish.currency).viewer
    words = code_words(wish.q)
    states, codes = await queries.opened(session, viewer=viewer, codes=words)
    everything = await knowledge(session, states=states)
    known = everything.dictionary
    offers = _offers_wanted(wish, caller=caller, today=today, units=everything.units)
    scope = await _scope(session, wish, known, caller=caller, today=today)
    place = _place(after)
    showing = Showing(hits=limit, offers=max(wish.offers_shown, 1), best=best)
    for mode, text, corrections in _readings(wish.q, known, only=None if place is None else place[0]):
        query = Query(tokens=(), phrases=()) if scope.says_it_all else understood(text, known)
        if mode in {"known", "some"}:
            least = known_only(query, text, known)
            if place is None and (len(least.tokens) < 2 if mode == "some" else least.tokens in {(), query.tokens}):
                continue
            query = least
        if query.tokens and code_words(text) != words:
            words = code_words(text)
            codes = await queries.types_naming(session, codes=words)
        hits = _hits(known, scope, query, text, codes=codes, every=mode != "some")
        page = await ranked(
            session,
            hits=hits,
            offers=offers,
            sort=wish.sort,
            limit=limit + 1,
            after=None if place is None else place[1],
            showing=showing,
        )
        found = Found(
            page=page, mode=mode, query=query, corrections=corrections, hits=hits, offers=offers, knowledge=everything
        )
        if page.rows:
            break
    return found


def _readings(q: str, known: Dictionary, *, only: str | None) -> Iterator[tuple[str, str, Sequence[Correction]]]:
    """The ways to understand a text, one after the other: (mode, text, corrections). What is found as it was written
    is not looked up for mistakes."""
    if only in {None, "all"}:
        yield "all", q, []
    if only == "all":
        return
    fixed, corrections = corrected(q, known)
    text = fixed if corrections else q
    for mode in ("fixed", "known", "some"):
        if only == mode or (only is None and (corrections or mode != "fixed")):
            yield mode, text, corrections


def _place(after: tuple[object, ...] | None) -> tuple[str, Place] | None:
    if after is None:
        return None
    try:
        mode, first, second, variant_id = after
        place = (Decimal(str(first)), Decimal(str(second)), UUID(str(variant_id)))
    except (ValueError, InvalidOperation) as problem:
        raise CursorInvalid("The cursor is damaged; start again without it.") from problem
    if mode not in {"all", "fixed", "known", "some"} or not all(_is_sortable(value) for value in place[:2]):
        raise CursorInvalid("The cursor is damaged; start again without it.")
    return str(mode), place


def _is_sortable(value: Decimal) -> bool:
    """A score, a price, a number of days; nothing else was ever put into a cursor."""
    return not value.is_nan() and (value == Decimal("Infinity") or abs(value) < 10**12) and len(str(value)) < 60


def _units(wish: Wish, units: Mapping[str, Unit]) -> Sequence[str]:
    if (wish.quantity is None) != (wish.unit is None):
        missing = "unit" if wish.unit is None else "quantity"
        error = FieldError(field=missing, rule="QuantityWithoutUnit", message="is missing")
        raise QuantityWithoutUnit("Send `quantity` and `unit` together, or neither.", errors=[error])
    if wish.unit is None:
        return ()
    try:
        return unit_rules.unit_named(wish.unit, units=units)
    except unit_rules.UnknownUnitError as problem:
        error = FieldError(field="unit", rule="UnknownUnit", message=wish.unit[:60])
        raise UnknownUnit(str(problem), errors=[error]) from problem


@dataclass(frozen=True, kw_only=True, slots=True)
class _Scope:
    """Among which types a search looks, and under which facets."""

    type_codes: Sequence[str]
    facets: Sequence[Facet]
    variant_ids: Sequence[UUID] | None = None
    exact: tuple[str, Mapping[str, str]] | None = None
    """Type and values of the variant key that was asked for."""
    is_own_code: bool = False
    """The text is a code of the caller's company, which names the variants by itself."""

    @property
    def says_it_all(self) -> bool:
        """Whether no words are left to be looked for."""
        return self.exact is not None or self.is_own_code


async def _scope(
    session: AsyncSession, wish: Wish, known: Dictionary, *, caller: Principal | None, today: date
) -> _Scope:
    among: Mapping[str, TypeDefinition] = known.definitions
    variant_ids: list[UUID] | None = None
    if wish.type_code is not None:
        among = {code: each for code, each in among.items() if code == wish.type_code.upper()}
    if wish.category is not None:
        among = {code: each for code, each in among.items() if each.category == wish.category}
    if wish.code is not None:
        variant_ids = await standing.variants_of_code(session, code=wish.code, caller=caller, on=today) or None
        if variant_ids is None:
            by_code = {row.type_code for row in await code_queries.codes_matching(session, code=wish.code)}
            among = {code: each for code, each in among.items() if code in by_code}
    if not among:
        named = [("type", wish.type_code), ("category", wish.category), ("code", wish.code)]
        errors = [
            FieldError(field=field, rule="UnknownTypeFilter", message=value[:60]) for field, value in named if value
        ]
        raise UnknownTypeFilter("`type`, `category` and `code` together name no component type.", errors=errors)
    facets = [facet_of(name, values, among) for name, values in wish.facets.items()]
    exact = _key_in(wish.q, among)
    codes = [exact[0]] if exact is not None else [c for c in among if all(c in facet.type_codes for facet in facets)]
    own: list[UUID] = []
    if wish.q and variant_ids is None and len(wish.q.split()) == 1:
        own = await standing.variants_of_code(session, code=wish.q, caller=caller, on=today)
    return _Scope(type_codes=codes, facets=facets, variant_ids=own or variant_ids, exact=exact, is_own_code=bool(own))


def _key_in(text: str, among: Mapping[str, TypeDefinition]) -> tuple[str, Mapping[str, str]] | None:
    """The variant a text names by its key, canonical or not."""
    if "|" not in text:
        return None
    parts = parsed_key(text)
    if isinstance(parts, Fault) or parts[0] not in among:
        return None
    values, faults = identity_of(among[parts[0]], parts[1])
    return None if faults else (parts[0], values)


def _hits(
    known: Dictionary, scope: _Scope, query: Query, text: str, *, codes: Mapping[str, Sequence[str]], every: bool
) -> Hits:
    if scope.exact is not None:
        code, values = scope.exact
        wanted = (TYPE_MARK + code, *(facet_token(key, value) for key, value in values.items()))
        group = Group(type_code=code, wanted=wanted)
        return Hits(groups=[group], facets=scope.facets, variant_ids=scope.variant_ids, key=variant_key(code, values))
    if text.strip() and not query.tokens and not scope.is_own_code:
        return Hits(groups=[], facets=scope.facets)  # signs alone say nothing, and nothing is not everything
    by_type = tokens_of_codes(codes) if query.tokens else {}
    groups = known.groups(query, among=scope.type_codes, codes=by_type, every=every)
    if not every:
        groups = sorted(groups, key=lambda group: group.likely, reverse=True)[:TYPES_WITH_SOME_WORDS]
    return Hits(groups=groups, facets=scope.facets, variant_ids=scope.variant_ids)
