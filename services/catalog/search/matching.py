"""Matching a material list: for each line the variants that may be meant, and the offers of them that fit."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.classification import queries as code_queries
from services.catalog.components import queries as component_queries
from services.catalog.components.naming import names_of
from services.catalog.components.rules import Fault, variant_key
from services.catalog.components.tables import Variant
from services.catalog.search import queries, standing
from services.catalog.search.finding import offers_seen_by
from services.catalog.search.lines import Line, Understanding, Understood
from services.catalog.search.queries import Offers
from services.catalog.search.reading import Reading
from services.catalog.search.rules import Asked, Counted, Likeness
from services.catalog.search.schemas import (
    Candidate,
    MatchAnswer,
    MatchedLine,
    MatchLine,
    MatchRequest,
    MatchStatus,
    OfferView,
    ReasonView,
)
from services.catalog.search.views import Beside, counted, offer_view, plain, variant_view
from services.catalog.units import queries as unit_queries
from services.catalog.units import rules as unit_rules
from services.catalog.units.rules import UnknownUnitError, factors_of
from shared.identity import Principal
from shared.quantity import Unit

_VARIANTS_LOOKED_AT = 12
_OFFERS_LOOKED_AT = 20
_NOT_ASKED = Decimal("0.05")
"""What an optional value that the line does not say costs a candidate."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """One reading of one line and a variant that answers it."""

    reading: Reading
    variant: Variant | None
    key: str


async def match(session: AsyncSession, *, asked: MatchRequest, caller: Principal, today: date) -> MatchAnswer:
    """See the module. Only offers the caller may see count; a variant that others alone are offered is not named."""
    units = await unit_queries.all_units(session)
    understood = await _understood(session, asked.lines)
    matched: dict[int, MatchedLine] = {}
    by_region: dict[str | None, list[int]] = {}
    for number, line in enumerate(asked.lines):
        by_region.setdefault(line.region or asked.region, []).append(number)
    for region, numbers in by_region.items():
        offers = offers_seen_by(caller, today=today, currency=asked.currency, region=region)
        await queries.see_as(session, viewer=offers.viewer)
        places = await _places(session, {number: understood[number] for number in numbers}, offers=offers)
        ids = {place.variant.id for found in places.values() for place in found if place.variant is not None}
        rows: dict[UUID, list[Row[Any]]] = {}
        for row in await queries.offers_of(session, variant_ids=sorted(ids), offers=offers, most=_OFFERS_LOOKED_AT):
            rows.setdefault(row.variant_id, []).append(row)
        beside = await standing.beside(session, type_codes=_types_of(places), on=today, region=region)
        judge = _Judge(asked=asked, units=units, offers=offers, rows=rows, beside=beside)
        for number in numbers:
            matched[number] = judge.line(number, understood[number], places[number])
    return MatchAnswer(lines=[matched[number] for number in range(len(asked.lines))])


async def _understood(session: AsyncSession, lines: Sequence[MatchLine]) -> list[Understood]:
    definitions = await component_queries.definitions(session)
    active = {code: each for code, each in definitions.items() if not each.deprecated}
    foreign = sorted({line.code for line in lines if line.code and line.code.upper() not in active})
    found_by_code = await code_queries.types_of_codes(session, codes=foreign)

    def read() -> list[Understood]:
        understanding = Understanding(active, found_by_code)
        return [
            understanding.of(Line(code=line.code, text=line.text or "", properties=line.properties or {}))
            for line in lines
        ]

    return await asyncio.to_thread(read)


async def _places(
    session: AsyncSession, understood: Mapping[int, Understood], *, offers: Offers
) -> dict[int, list[_Place]]:
    """The variants of each line: the one it states completely, whoever offers it, and those visibly offered."""
    readings = [(number, reading) for number, each in understood.items() for reading in each.readings]
    exact = await component_queries.variants_by_key(
        session, keys=sorted({_key(reading) for _, reading in readings if not reading.missing})
    )
    offered = await queries.candidates(
        session,
        wanted=[(place, reading.definition.code, reading.known) for place, (_, reading) in enumerate(readings)],
        offers=offers,
        most=_VARIANTS_LOOKED_AT,
    )
    variants = await component_queries.variants_by_id(session, ids=sorted({row.variant_id for row in offered}))
    places: dict[int, list[_Place]] = {number: [] for number in understood}
    for number, reading in readings:
        if not reading.missing:
            key = _key(reading)
            places[number].append(_Place(reading=reading, variant=exact.get(key), key=key))
    for row in offered:
        number, reading = readings[row.line]
        variant = variants[row.variant_id]
        if all(place.key != variant.key for place in places[number]):
            places[number].append(_Place(reading=reading, variant=variant, key=variant.key))
    return places


def _types_of(places: Mapping[int, Sequence[_Place]]) -> list[str]:
    return sorted({place.variant.type_code for found in places.values() for place in found if place.variant})


def _key(reading: Reading) -> str:
    return variant_key(reading.definition.code, reading.known)


class _Judge:
    """Scores candidates and picks their offers, for the lines of one region."""

    def __init__(
        self,
        *,
        asked: MatchRequest,
        units: Mapping[str, Unit],
        offers: Offers,
        rows: Mapping[UUID, Sequence[Row[Any]]],
        beside: Beside,
    ) -> None:
        self._asked = asked
        self._units = units
        self._offers = offers
        self._rows = rows
        self._beside = beside

    def line(self, number: int, understood: Understood, places: Sequence[_Place]) -> MatchedLine:
        """The answer to one line."""
        line = self._asked.lines[number]
        problems = [_told(fault) for fault in understood.faults]
        try:
            named = unit_rules.unit_named(line.unit, units=self._units)
        except UnknownUnitError as problem:
            problems.append(ReasonView(code="UnknownUnit", detail=str(problem)))
            named = ()
        if not understood.readings and not understood.faults:
            detail = "Nothing in this line names a component type or a value of one."
            problems.append(ReasonView(code="NotRead", detail=detail))
        candidates = [self._candidate(place, line, named) for place in places]
        candidates.sort(key=lambda each: (-each.score, not _fits(each), _cheapest(each), each.variant_key))
        shown = candidates[: self._asked.candidates]
        return MatchedLine(
            line=number, status=_status(candidates), unit=_unit(shown, named), candidates=shown, problems=problems
        )

    def _views(self, variant: Variant, rows: Sequence[Row[Any]], asked: Asked) -> list[OfferView]:
        return [
            offer_view(row, variant=variant, asked=asked, knows_stock=self._offers.knows_stock, beside=self._beside)
            for row in rows
        ]

    def _candidate(self, place: _Place, line: MatchLine, named: Sequence[str]) -> Candidate:
        reading, variant = place.reading, place.variant
        counts = self._counted(reading) if variant is None else counted(variant)
        asked = Asked(quantity=line.quantity, units=named or (line.unit,), need_by=line.need_by, on=self._offers.today)
        rows = [] if variant is None else self._rows.get(variant.id, [])
        views = [] if variant is None else self._views(variant, rows, asked)
        views.sort(key=lambda each: (not each.fits, each.currency != self._asked.currency, _per_base(each)))
        converts = any(unit in counts.factors for unit in named) or any(each.unit in named for each in views)
        properties = reading.known if variant is None else variant.properties
        beyond = {key: value for key, value in properties.items() if key not in reading.known}
        open_ = {each.key for each in reading.missing}
        likeness = Likeness(
            attributes=reading.attributes, name=reading.name, unit_converts=converts, offered=bool(views)
        )
        names = names_of(reading.definition, properties) if variant is None else (variant.name_zh, variant.name_en)
        unsaid = len(beyond.keys() - open_)
        return Candidate(
            variant=None if variant is None else variant_view(variant),
            variant_key=place.key,
            name_zh=names[0],
            name_en=names[1],
            score=max(likeness.score - _NOT_ASKED * unsaid, Decimal("0.00")),
            complete=not beyond and not open_,
            reasons=_reasons(place, beyond, likeness, line, counts),
            offers_count=rows[0].together if rows else 0,
            offers=views[: self._asked.offers],
        )

    def _counted(self, reading: Reading) -> Counted:
        """How a variant would be counted that nobody has used yet."""
        definition = reading.definition
        factors = factors_of(
            base=definition.base_unit,
            alternatives=definition.alternatives,
            measures=definition.measures(reading.known),
            tables=definition.tables,
        ).base_per_unit
        return Counted(
            base_unit=definition.base_unit,
            base_decimals=self._units[definition.base_unit].decimals,
            factors=factors,
            decimals={unit: self._units[unit].decimals for unit in factors},
        )


def _told(fault: Fault) -> ReasonView:
    return ReasonView(code=fault.code, detail=fault.detail, property=fault.field.partition(".")[2] or None)


def _reasons(
    place: _Place, beyond: Mapping[str, str], likeness: Likeness, line: MatchLine, counts: Counted
) -> list[ReasonView]:
    """What was read, what the line leaves open, and what stands against the candidate."""
    definition = place.reading.definition
    missing = {each.key for each in place.reading.missing}
    reasons = [
        ReasonView(code="Read", detail=f"{each.name_zh} {place.reading.known[each.key]}", property=each.key)
        for each in definition.identity
        if each.key in place.reading.known
    ]
    for each in definition.identity:
        if each.key in missing:
            detail = f"{each.name_zh} ({each.name_en}) is not said; here it is {beyond.get(each.key)}."
            reasons.append(ReasonView(code="Missing", detail=detail, property=each.key))
        elif each.key in beyond:
            detail = f"{each.name_zh} {beyond[each.key]} was not asked for."
            reasons.append(ReasonView(code="NotAsked", detail=detail, property=each.key))
    if not likeness.unit_converts:
        detail = f"{line.unit} does not convert to {counts.base_unit} for this variant."
        reasons.append(ReasonView(code="UnitNotConvertible", detail=detail))
    if not likeness.offered:
        reasons.append(ReasonView(code="NotOffered", detail="Nobody offers it to you there now."))
    return reasons


def _per_base(offer: OfferView) -> Decimal:
    """Price per base unit with tax at the quantity asked."""
    with_tax = offer.unit_price if offer.tax_inclusive else offer.unit_price * (1 + offer.tax_rate)
    return plain(with_tax / offer.unit_factor)


def _fits(candidate: Candidate) -> bool:
    return any(offer.fits for offer in candidate.offers)


def _cheapest(candidate: Candidate) -> Decimal:
    return min((_per_base(offer) for offer in candidate.offers), default=Decimal("Infinity"))


def _unit(candidates: Sequence[Candidate], named: Sequence[str]) -> str | None:
    """The unit a word means for the best candidate: 片 is a sheet where sheets are counted, else a piece."""
    factors = candidates[0].variant.unit_factors if candidates and candidates[0].variant else {}
    return next((unit for unit in named if unit in factors), named[0] if named else None)


def _status(candidates: Sequence[Candidate]) -> MatchStatus:
    """See MatchedLine.status."""
    if not candidates or candidates[0].score == 0:
        return "unmatched"
    best, rivals = candidates[0], candidates[1:]
    if not best.complete or any(each.complete and each.score == best.score for each in rivals):
        return "ambiguous"
    return "matched" if _fits(best) else "unavailable"
