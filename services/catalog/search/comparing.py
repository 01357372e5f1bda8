"""Variants and offers side by side: what they are, what they cost there, when they come, what speaks for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.components import queries as component_queries
from services.catalog.components.rules import TypeDefinition
from services.catalog.components.tables import Variant
from services.catalog.search import queries, standing
from services.catalog.search.finding import Wish, offers_wanted
from services.catalog.search.knowledge import dictionary
from services.catalog.search.queries import Offers
from services.catalog.search.schemas import CompareAnswer, Compared, ComparedProperty, EquivalentView, OfferView
from services.catalog.search.views import Beside, asked_of, offer_view, type_carbon, variant_view
from shared.errors import FieldError, NotFound, Unprocessable
from shared.identity import Principal

COMPARED_AT_MOST = 10


class NothingToCompare(Unprocessable):
    """Name one to ten variants (by key) and offers (by id), each once."""


class ComparedNotFound(NotFound):
    """A variant nobody has used, or an offer that is not there for the caller."""


COMPARE_REFUSALS = (NothingToCompare, ComparedNotFound)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Table:
    """Everything that stands in the columns."""

    variants: Sequence[Variant]
    offers: Sequence[Row[Any] | None]
    offered: Mapping[UUID, int]
    asked: Offers
    beside: Beside
    equivalents: Mapping[UUID, list[EquivalentView]]


async def compare(
    session: AsyncSession,
    *,
    keys: Sequence[str],
    offer_ids: Sequence[UUID],
    wish: Wish,
    caller: Principal | None,
    today: date,
) -> CompareAnswer:
    """Variants with their best offer by landed price, then offers, in the order asked.

    Raises:
        NothingToCompare, ComparedNotFound, UnknownUnit, QuantityWithoutUnit.
    """
    many = len(keys) + len(offer_ids)
    if not 1 <= many <= COMPARED_AT_MOST or len({*keys, *offer_ids}) < many:
        error = FieldError(field="variant", rule="NothingToCompare", message=f"{many} named")
        raise NothingToCompare(f"Name one to {COMPARED_AT_MOST} variants and offers, each once.", errors=[error])
    offers = await offers_wanted(session, wish=wish, caller=caller, today=today)
    by_key = await component_queries.variants_by_key(session, keys=keys)
    chosen = {row.offer_id: row for row in await queries.offers_by_id(session, offer_ids=offer_ids, offers=offers)}
    _all_there(keys, by_key, offer_ids, chosen)
    of_offers = await component_queries.variants_by_id(session, ids=[row.variant_id for row in chosen.values()])
    variants = [*(by_key[key] for key in keys), *(of_offers[chosen[each].variant_id] for each in offer_ids)]
    ids = [each.id for each in variants]
    best = {row.variant_id: row for row in await queries.offers_of(session, variant_ids=ids, offers=offers, most=1)}
    table = _Table(
        variants=variants,
        offers=[*(best.get(by_key[key].id) for key in keys), *(chosen[each] for each in offer_ids)],
        offered={variant_id: row.together for variant_id, row in best.items()},
        asked=offers,
        beside=await standing.beside(
            session, type_codes=[each.type_code for each in variants], on=today, region=offers.region
        ),
        equivalents=await standing.equivalents_of(session, variant_ids=ids, viewer=offers.viewer, on=today),
    )
    definitions = (await dictionary(session)).definitions
    return CompareAnswer(
        items=[_column(table, place) for place in range(many)],
        properties=_properties(variants, definitions),
        currency=wish.currency,
    )


def _all_there(
    keys: Sequence[str], variants: Mapping[str, Variant], offer_ids: Sequence[UUID], offers: Mapping[UUID, Row[Any]]
) -> None:
    missing = [("variant", key) for key in keys if key not in variants]
    missing += [("offer", str(each)) for each in offer_ids if each not in offers]
    if missing:
        errors = [FieldError(field=field, rule="ComparedNotFound", message=named[:200]) for field, named in missing]
        raise ComparedNotFound(f"There is no {missing[0][0]} {missing[0][1][:200]} for you.", errors=errors)


def _column(table: _Table, place: int) -> Compared:
    variant, row = table.variants[place], table.offers[place]
    offer: OfferView | None = None
    if row is not None:
        offer = offer_view(
            row,
            variant=variant,
            asked=asked_of(table.asked),
            knows_stock=table.asked.knows_stock,
            beside=table.beside,
        )
    typical = type_carbon(variant.carbon, type_code=variant.type_code, beside=table.beside)
    return Compared(
        variant=variant_view(variant),
        offer=offer,
        offers_count=table.offered.get(variant.id, 0),
        landed_per_base_unit=_landed(offer, table.asked.currency),
        lead_time_days=None if offer is None else offer.lead_time_days,
        carbon=typical if offer is None else offer.carbon,
        certificates=[] if offer is None else offer.certificates,
        equivalents=table.equivalents.get(variant.id, []),
    )


def _landed(offer: OfferView | None, currency: str) -> Decimal | None:
    """Prices of another currency are shown in the offer and compared with nothing."""
    return None if offer is None or offer.currency != currency else offer.comparable_price


def _properties(variants: Sequence[Variant], definitions: Mapping[str, TypeDefinition]) -> list[ComparedProperty]:
    """Every identity property of any of them, those of the first first, and whether they differ in it."""
    rows: dict[str, ComparedProperty] = {}
    for variant in variants:
        for each in definitions[variant.type_code].identity:
            if each.key in rows:
                continue
            values = [one.properties.get(each.key) for one in variants]
            rows[each.key] = ComparedProperty(
                key=each.key,
                name_zh=each.name_zh,
                name_en=each.name_en,
                unit=each.unit,
                values=values,
                differs=len(set(values)) > 1,
            )
    return list(rows.values())
