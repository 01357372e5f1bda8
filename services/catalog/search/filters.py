"""Reading property facets: `p.diameter=20`, `p.diameter=16..25`, `p.规格=600×600`; refused with field and rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from services.catalog.components.rules import Kind, Property, PropertyError, TypeDefinition, canonical_value
from services.catalog.search.documents import facet_token
from services.catalog.search.ranking import Facet, Range
from shared.errors import FieldError, Unprocessable


class UnknownFacet(Unprocessable):
    """No component type among those asked for has this property; `detail` names those they have."""


class FacetValueNotAllowed(Unprocessable):
    """No component type with this property takes this value."""


class FacetNotANumber(Unprocessable):
    """A range was asked of a property that is no number."""


class FacetRangeReversed(Unprocessable):
    """The range begins above its end."""


FACET_REFUSALS = (UnknownFacet, FacetValueNotAllowed, FacetNotANumber, FacetRangeReversed)

_BETWEEN = ".."
_SHOWN = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """One facet with the properties it may mean, by type."""

    name: str
    properties: Mapping[str, Property]

    @property
    def field(self) -> str:
        return f"p.{self.name[:_SHOWN]}"

    def refused(self, refusal: type[Unprocessable], detail: str, *, value: str) -> Unprocessable:
        error = FieldError(field=self.field, rule=refusal.__name__, message=value[:_SHOWN])
        return refusal(detail, errors=[error])


def facet_of(name: str, given: Sequence[str], among: Mapping[str, TypeDefinition]) -> Facet:
    """What one facet means for these types.

    Raises:
        UnknownFacet, FacetValueNotAllowed, FacetNotANumber, FacetRangeReversed.
    """
    properties = properties_named(name, among)
    asked = _Asked(name=name, properties=properties)
    if not properties:
        some = ", ".join(sorted({each.key for definition in among.values() for each in definition.identity})[:40])
        detail = f"No type asked for has the property {name[:_SHOWN]!r}; they have {some}."
        raise asked.refused(UnknownFacet, detail, value="no such identity property")
    facet = Facet(name=name, type_codes=frozenset(properties))
    for value in given:
        numeric = any(each.is_number for each in properties.values())
        if _BETWEEN in value and (numeric or _looks_like_a_range(value)):
            facet = _with_range(facet, asked, value)
        else:
            facet = _with_value(facet, asked, value)
    return facet


def properties_named(name: str, among: Mapping[str, TypeDefinition]) -> dict[str, Property]:
    """The identity property of this name, by type; a name may mean one property of each type."""
    found = {code: definition.property_named(name) for code, definition in among.items()}
    return {code: each for code, each in found.items() if each is not None and each.identity}


def _looks_like_a_range(value: str) -> bool:
    low, _, high = value.partition(_BETWEEN)
    ends = [end for end in (low.strip(), high.strip()) if end]
    return bool(ends) and all(end[0].isdigit() for end in ends)


def _with_value(facet: Facet, asked: _Asked, value: str) -> Facet:
    taken: dict[str, None] = {}
    for each in asked.properties.values():
        try:
            taken[facet_token(each.key, canonical_value(value, of=each))] = None
        except PropertyError:
            continue
    if not taken:
        allowed = ", ".join(sorted({choice for each in asked.properties.values() for choice in each.allowed})[:40])
        hint = f" It is one of {allowed}." if allowed else ""
        detail = f"{asked.name[:_SHOWN]} does not take {value[:_SHOWN]!r}.{hint}"
        raise asked.refused(FacetValueNotAllowed, detail, value=value)
    return replace(facet, tokens=(*facet.tokens, *taken))


def _with_range(facet: Facet, asked: _Asked, value: str) -> Facet:
    numbers = {code: each for code, each in asked.properties.items() if each.is_number}
    if not numbers:
        detail = f"{asked.name[:_SHOWN]} is no number, so it has no range; ask for its values."
        raise asked.refused(FacetNotANumber, detail, value=value)
    tokens: dict[str, None] = {}
    ranges: dict[tuple[str, Decimal | None, Decimal | None], list[str]] = {}
    for code, each in numbers.items():
        low, high = _bounds(asked, each, value)
        if each.allowed:
            within = (choice for choice in each.allowed if _lies_within(Decimal(choice), low, high))
            tokens |= {facet_token(each.key, choice): None for choice in within}
        else:
            ranges.setdefault((each.key, low, high), []).append(code)
    return replace(
        facet,
        tokens=(*facet.tokens, *tokens),
        ranges=(
            *facet.ranges,
            *(
                Range(key=key, type_codes=tuple(codes), low=low, high=high)
                for (key, low, high), codes in ranges.items()
            ),
        ),
    )


def _bounds(asked: _Asked, each: Property, value: str) -> tuple[Decimal | None, Decimal | None]:
    """Both ends in the property's unit; an end left out is open."""
    number = replace(each, kind=Kind.DECIMAL, allowed=(), numeric=False, minimum=None, maximum=None, aliases={})
    ends: list[Decimal | None] = []
    for end in value.partition(_BETWEEN)[::2]:
        try:
            ends.append(Decimal(canonical_value(end, of=number)) if end.strip() else None)
        except PropertyError as problem:
            detail = f"A range is written 16..25, 16.. or ..25: {problem}"
            raise asked.refused(FacetValueNotAllowed, detail, value=value) from problem
    low, high = ends
    if low is None and high is None:
        raise asked.refused(FacetValueNotAllowed, "A range has at least one end: 16..25, 16.. or ..25.", value=value)
    if low is not None and high is not None and low > high:
        raise asked.refused(FacetRangeReversed, f"{low} is above {high}; the lower end comes first.", value=value)
    return low, high


def _lies_within(number: Decimal, low: Decimal | None, high: Decimal | None) -> bool:
    return (low is None or low <= number) and (high is None or number <= high)
