"""The search: from words, codes and facets to variants with the offers the caller may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.classification import queries as code_queries
from services.catalog.components import queries as component_queries
from services.catalog.components.rules import (
    Fault,
    Property,
    PropertyError,
    TypeDefinition,
    canonical_value,
    identity_of,
    parsed_key,
    variant_key,
)
from services.catalog.search import queries, words
from services.catalog.search.queries import Hits, Offers
from services.catalog.search.schemas import Hit, SearchAnswer
from services.catalog.search.views import asked_of, counted, offer_view, plain, variant_view
from services.catalog.units import queries as unit_queries
from services.catalog.units import rules as unit_rules
from shared.errors import FieldError, Unprocessable
from shared.identity import Principal
from shared.paging import CursorInvalid


class UnknownFacet(Unprocessable):
    """No component type among those asked for has this property; `detail` names those they have."""


class FacetValueNotAllowed(Unprocessable):
    """No component type with this property takes this value."""


class UnknownTypeFilter(Unprocessable):
    """`type`, `category` or `code` names nothing in the catalog."""


class UnknownUnit(Unprocessable):
    """`unit` names no unit; GET /catalog/units lists them."""


class QuantityWithoutUnit(Unprocessable):
    """`quantity` and `unit` go together."""


SEARCH_REFUSALS = (UnknownFacet, FacetValueNotAllowed, UnknownTypeFilter, UnknownUnit, QuantityWithoutUnit)


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
    in_stock: bool = False
    currency: str = "CNY"
    offers_shown: int = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A page's hits, one more than asked when there are more; and after which key the next page begins."""

    answer: SearchAnswer
    keys: Sequence[tuple[str, int, str, str]]


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


async def search(
    session: AsyncSession,
    *,
    wish: Wish,
    caller: Principal | None,
    limit: int,
    after: tuple[object, ...] | None,
    today: date,
) -> Found:
    """One page of the search.

    Every word must be found; when nothing that the caller may see has them all, variants with at least half of
    them are shown instead, and the answer says so. A page follows the page before in the same way.

    Raises:
        UnknownFacet, FacetValueNotAllowed, UnknownTypeFilter, UnknownUnit, QuantityWithoutUnit, CursorInvalid.
    """
    offers = replace(
        offers_seen_by(caller, today=today, currency=wish.currency, region=wish.region),
        supplier_id=wish.supplier_id,
        quantity=wish.quantity,
        units=await _units(session, wish),
        in_stock=wish.in_stock,
    )
    hits = await _hits(session, wish)
    await queries.see_as(session, viewer=offers.viewer)
    mode, place = _place(after)
    hits = replace(hits, every_token=mode == "all")
    rows = await queries.ranked_page(session, hits=hits, offers=offers, limit=limit, after=place)
    if not rows and after is None and len(hits.tokens) > 1:
        mode, hits = "some", replace(hits, every_token=False)
        rows = await queries.ranked_page(session, hits=hits, offers=offers, limit=limit, after=None)
    shown = rows[:limit]
    items = await _items(session, [row.variant_id for row in shown], wish=wish, offers=offers)
    scored = [
        items[row.variant_id].model_copy(
            update={"score": row.score, "price_from": None if row.price.is_infinite() else plain(row.price)}
        )
        for row in shown
        if row.variant_id in items
    ]
    answer = SearchAnswer(items=scored, match="all" if mode == "all" else "some", tokens=list(hits.tokens))
    return Found(answer=answer, keys=[(mode, row.score, str(row.price), str(row.variant_id)) for row in rows])


def _place(after: tuple[object, ...] | None) -> tuple[str, tuple[int, Decimal, UUID] | None]:
    if after is None:
        return "all", None
    try:
        mode, score, price, variant_id = after
        place = (int(str(score)), Decimal(str(price)), UUID(str(variant_id)))
    except (ValueError, InvalidOperation) as problem:
        raise CursorInvalid("The cursor is damaged; start again without it.") from problem
    if mode not in {"all", "some"} or abs(place[0]) > 10**12 or place[1].is_nan():
        raise CursorInvalid("The cursor is damaged; start again without it.")
    return str(mode), place


async def _units(session: AsyncSession, wish: Wish) -> Sequence[str]:
    if (wish.quantity is None) != (wish.unit is None):
        raise QuantityWithoutUnit("Send `quantity` and `unit` together, or neither.")
    if wish.unit is None:
        return ()
    try:
        return unit_rules.unit_named(wish.unit, units=await unit_queries.all_units(session))
    except unit_rules.UnknownUnitError as problem:
        raise UnknownUnit(str(problem)) from problem


async def _hits(session: AsyncSession, wish: Wish) -> Hits:
    query = words.asked(wish.q)
    by_words = Hits(tokens=query.tokens, phrases=query.phrases)
    if not (wish.type_code or wish.category or wish.code or wish.facets or "|" in wish.q):
        return by_words
    definitions = await component_queries.definitions(session)
    narrowed = await _narrowed(session, wish, definitions)
    if "|" in wish.q:
        parts = parsed_key(wish.q)
        if not isinstance(parts, Fault) and parts[0] in definitions:
            values, faults = identity_of(definitions[parts[0]], parts[1])
            if not faults:
                return replace(narrowed, variant_key=variant_key(parts[0], values))
    return replace(narrowed, tokens=query.tokens, phrases=query.phrases)


async def _narrowed(session: AsyncSession, wish: Wish, definitions: Mapping[str, TypeDefinition]) -> Hits:
    among = dict(definitions)
    codes: list[str] | None = None
    if wish.type_code is not None:
        codes = [wish.type_code.upper()]
    if wish.code is not None:
        by_code = {row.type_code for row in await code_queries.codes_matching(session, code=wish.code)}
        codes = sorted(by_code if codes is None else by_code & set(codes))
    if codes is not None:
        among = {code: among[code] for code in codes if code in among}
    if wish.category is not None:
        among = {code: each for code, each in among.items() if each.category == wish.category}
    if (codes is not None or wish.category is not None) and not among:
        raise UnknownTypeFilter("`type`, `category` and `code` together name no component type.")
    facets = [_facet(name, values, among) for name, values in wish.facets.items()]
    return Hits(type_codes=codes, category=wish.category, facets=facets)


def _facet(name: str, given: Sequence[str], among: Mapping[str, TypeDefinition]) -> list[tuple[str, str]]:
    """Any of these (property, value) pairs, as the index spells them: a name may mean one property of each type."""
    properties = [
        found
        for definition in among.values()
        if (found := definition.property_named(name)) is not None and found.identity
    ]
    field = f"p.{name[:60]}"
    if not properties:
        some = ", ".join(sorted({each.key for definition in among.values() for each in definition.identity})[:40])
        error = FieldError(field=field, rule="UnknownFacet", message="no such identity property")
        raise UnknownFacet(f"No type asked for has the property {name[:60]!r}; they have {some}.", errors=[error])
    pairs: dict[tuple[str, str], None] = {}
    for value in given:
        taken = {(each.key, spelt): None for each in properties if (spelt := _spelt(value, each)) is not None}
        if not taken:
            allowed = ", ".join(sorted({choice for each in properties for choice in each.allowed})[:40])
            hint = f" It is one of {allowed}." if allowed else ""
            error = FieldError(field=field, rule="FacetValueNotAllowed", message=value[:60])
            raise FacetValueNotAllowed(f"{name[:60]} does not take {value[:60]!r}.{hint}", errors=[error])
        pairs |= taken
    return list(pairs)


def _spelt(value: str, each: Property) -> str | None:
    try:
        return canonical_value(value, of=each)
    except PropertyError:
        return None


async def _items(session: AsyncSession, variant_ids: Sequence[UUID], *, wish: Wish, offers: Offers) -> dict[UUID, Hit]:
    variants = await component_queries.variants_by_id(session, ids=variant_ids)
    asked = asked_of(offers)
    hits: dict[UUID, Hit] = {
        variant.id: Hit(variant=variant_view(variant), score=0, price_from=None, offers_count=0, offers=[])
        for variant in variants.values()
    }
    for row in await queries.offers_of(session, variant_ids=variant_ids, offers=offers, most=max(wish.offers_shown, 1)):
        hit = hits.get(row.variant_id)
        if hit is None:
            continue
        view = offer_view(row, counts=counted(variants[row.variant_id]), asked=asked, knows_stock=offers.knows_stock)
        shown = [*hit.offers, view] if wish.offers_shown else []
        hits[row.variant_id] = hit.model_copy(update={"offers": shown, "offers_count": row.together})
    return hits
