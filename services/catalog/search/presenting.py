"""From what was found to what a caller reads: hits with their offers, explanations, counts of facets."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.components.rules import TypeDefinition
from services.catalog.search import queries, ranking, standing
from services.catalog.search.dictionary import Group
from services.catalog.search.documents import variant_tokens
from services.catalog.search.filters import UnknownFacet, properties_named
from services.catalog.search.finding import Found, Wish
from services.catalog.search.queries import Best
from services.catalog.search.ranking import ORDER, Sort
from services.catalog.search.schemas import EquivalentView, ExplanationView, FacetCount, FacetView, PointView
from services.catalog.search.views import Judge, asked_of, plain, variant_told, written
from shared.errors import FieldError

OF_THE_HIT = ("type", "category", "supplier")
"""Facets every hit has; all others are properties."""

BEST: Mapping[Sort, Best] = {
    "relevance": "price", "price": "price", "lead_time": "lead_time", "carbon": "carbon",
}  # fmt: skip
"""Which offer of a variant stands first in each order."""


async def answer(
    session: AsyncSession, *, found: Found, wish: Wish, limit: int, facets: Sequence[str], explain: bool, today: date
) -> dict[str, Any]:
    """The page, with the counts of these facets: a `schemas.SearchAnswer`, ready to be encoded.

    Raises:
        UnknownFacet: one of `facets` is no property of the types asked for.
    """
    return {
        "items": await _hits(session, found.page.rows[:limit], found=found, wish=wish, explain=explain, today=today),
        "match": "some" if found.mode in {"known", "some"} else "all",
        "tokens": found.query.tokens,
        "corrections": [{"asked": each.asked, "taken": each.taken} for each in found.corrections],
        "price_order": "list" if found.page.by_list_price else "landed",
        "facets": [(await _facet(session, name, found=found)).model_dump(mode="json") for name in facets],
    }


async def _hits(
    session: AsyncSession, rows: Sequence[Any], *, found: Found, wish: Wish, explain: bool, today: date
) -> list[dict[str, Any]]:
    details = found.page.details
    beside = found.knowledge.beside(on=today, region=found.offers.region)
    equivalents: Mapping[UUID, list[EquivalentView]] = {}
    if details.have_equivalents:
        ids = [row.hit for row in rows]
        equivalents = await standing.equivalents_of(session, variant_ids=ids, viewer=found.offers.viewer, on=today)
    asked = asked_of(found.offers)
    hits = []
    for row in rows:
        its = details.offers.get(row.hit)
        if not its or its[0].id is None:
            continue
        best = variant = its[0]
        judge = Judge(variant, asked=asked, knows_stock=found.offers.knows_stock, beside=beside)
        hits.append(
            {
                "variant": variant_told(variant),
                "score": row.score,
                "near": found.hits.is_near(variant.type_code, row.score),
                "price_from": None if best.price_from is None else written(best.price_from),
                "lead_time_from": best.lead_time_from,
                "carbon_from": None if best.carbon_from is None else written(best.carbon_from),
                "offers_count": best.together,
                "offers": [judge.told(each) for each in its[: wish.offers_shown]],
                "equivalents": [each.model_dump(mode="json") for each in equivalents.get(variant.id, ())],
                "explanation": _explained(row, its, found=found, sort=wish.sort) if explain else None,
            }
        )
    return hits


def _explained(row: Any, offers: Sequence[Any], *, found: Found, sort: Sort) -> dict[str, Any]:
    variant = offers[0]
    definition = found.dictionary.definitions[variant.type_code]
    points = _points(found.hits.groups, variant_tokens(definition, variant.properties))
    priced = [each for each in offers if each.currency == found.offers.currency]
    cheapest = min(priced, key=lambda each: each.landed, default=None)
    return ExplanationView(
        points=points,
        order=[*ORDER[sort], "variant id"],
        values=[None if Decimal(value).is_infinite() else plain(Decimal(value)) for value in (row.first, row.second)],
        price_offer_id=None if cheapest is None else cheapest.offer_id,
    ).model_dump(mode="json")


def _points(groups: Sequence[Group], tokens: frozenset[str]) -> list[PointView]:
    """The parts of the score that the variant has by the group it is in."""
    group = next(each for each in groups if each.holds(tokens))
    return [PointView(word=each.word, where=each.where, points=each.points) for each in group.points_of(tokens)]


async def _facet(session: AsyncSession, name: str, *, found: Found) -> FacetView:
    """The counts of one facet, as if it had not been chosen itself: what else could be chosen is counted too."""
    hits = found.hits.without(name)
    if name == "supplier":
        values, complete = await ranking.supplier_counts(session, hits=hits, offers=found.offers)
        names = await queries.supplier_names(session, supplier_ids=[value for value, _ in values])
        return _facet_view(name, values, names, complete=complete)
    definitions = found.dictionary.definitions
    if name in OF_THE_HIT:
        keys = dict.fromkeys(definitions, "@")
        values, complete = await ranking.facet_counts(session, hits=hits, offers=found.offers, keys=keys)
        if name == "category":
            values = _by_category(values, definitions)
        return _facet_view(name, values, {code: each.name_zh for code, each in definitions.items()}, complete=complete)
    among = {group.type_code: definitions[group.type_code] for group in hits.groups}
    properties = properties_named(name, among or definitions)
    if not properties:
        some = ", ".join(sorted({each.key for definition in among.values() for each in definition.identity})[:40])
        error = FieldError(field="facets", rule="UnknownFacet", message=name[:60])
        raise UnknownFacet(f"Counted are {', '.join(OF_THE_HIT)} and properties: {some}.", errors=[error])
    keys = {code: each.key for code, each in properties.items()}
    values, complete = await ranking.facet_counts(session, hits=hits, offers=found.offers, keys=keys)
    if all(each.is_number for each in properties.values()):
        values = sorted(values, key=lambda each: Decimal(each[0]))
    return _facet_view(name, values, {}, complete=complete)


def _by_category(values: Sequence[tuple[str, int]], definitions: Mapping[str, TypeDefinition]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for code, count in values:
        category = definitions[code].category
        counts[category] = counts.get(category, 0) + count
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))


def _facet_view(name: str, values: Sequence[tuple[str, int]], names: Mapping[str, str], *, complete: bool) -> FacetView:
    counts = [FacetCount(value=value, name=names.get(value), count=count) for value, count in values]
    return FacetView(name=name, values=counts, complete=complete)
