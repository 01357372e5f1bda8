"""Reading a taxonomy document (how_to_read in the document itself) into definitions, and hashing each type.

The document comes parsed from YAML, where 0.888 is a float. A float's shortest text is what was written, so every
number becomes that text first and a Decimal from there; nothing is computed in floats.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from services.catalog.carbon.rules import CarbonFactor
from services.catalog.classification.rules import TypeCode, codes_of
from services.catalog.components.rules import (
    Kind,
    Property,
    TypeDefinition,
    aliases_of,
    canonical_number,
    decimal_or_none,
)
from services.catalog.units.formulas import table_indices
from services.catalog.units.rules import AltUnit
from shared.history import canonical_json
from shared.quantity import Unit

_CODE = re.compile(r"[A-Z]{2}-[A-Z0-9]+")
SUPPLY_MODES = ("stock", "make_to_order", "engineer_to_order", "rental")


class TaxonomyError(ValueError):
    """The document breaks its own rules; the text says where."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Category:
    """A group of types."""

    key: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Standard:
    """An edition of a standard, and how far we have checked that it is the one in force."""

    number: str
    title_zh: str
    edition_check: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TypeEntry:
    """One component type of the document."""

    code: str
    content_hash: str
    definition: Mapping[str, Any]
    """The entry with every number as text; `definition_from` reads it."""
    codes: Sequence[TypeCode]
    carbon: CarbonFactor | None
    standards: Sequence[Standard]


@dataclass(frozen=True, kw_only=True, slots=True)
class Taxonomy:
    """A whole document."""

    units: Sequence[Unit]
    categories: Sequence[Category]
    types: Sequence[TypeEntry]


def read_taxonomy(document: Mapping[str, Any]) -> Taxonomy:
    """The document's units, categories and types.

    Raises:
        TaxonomyError: with the first entry that breaks a rule.
    """
    try:
        units = [_unit(each) for each in document["uoms"]]
        categories = [
            Category(key=each["key"], name_zh=each["zh"], name_en=each.get("en") or each["key"].replace("_", " "))
            for each in document["categories"]
        ]
        entries = document["components"]
    except (KeyError, TypeError) as problem:
        raise TaxonomyError(f"The document lacks {problem}.") from problem
    known_units, known_categories = {unit.code for unit in units}, {category.key for category in categories}
    types = []
    for entry in entries:
        try:
            types.append(type_entry(entry, known_units, known_categories))
        except (KeyError, TypeError, ValueError) as problem:
            code = entry.get("code", "?") if isinstance(entry, Mapping) else "?"
            raise TaxonomyError(f"{code}: {type(problem).__name__} {problem}") from problem
    if len({each.code for each in types}) != len(types):
        raise TaxonomyError("A type code stands twice.")
    return Taxonomy(units=units, categories=categories, types=types)


def definition_from(
    entry: Mapping[str, Any], *, version: int, deprecated: bool = False, successor: str | None = None
) -> TypeDefinition:
    """A stored definition as the rules use it."""
    properties = tuple(_property(each) for each in entry["properties"])
    tables = {
        name: {key: Decimal(str(value)) for key, value in entry[name].items()}
        for name in ("kg_per_m", "kg_per_m2")
        if isinstance(entry.get(name), Mapping)
    }
    alternatives = tuple(_alternative(each) for each in entry["alt_uoms"])
    return TypeDefinition(
        code=entry["code"],
        version=version,
        category=entry["category"],
        name_zh=entry["name_zh"],
        name_en=entry["name_en"],
        supply_mode=entry["supply_mode"],
        base_unit=entry["base_uom"],
        alternatives=alternatives,
        properties=properties,
        tables=tables,
        prefixes=_prefixes(alternatives, properties, tables),
        standards=tuple(each["number"] for each in entry["standards"]),
        deprecated=deprecated,
        successor=successor,
    )


def _unit(entry: Mapping[str, Any]) -> Unit:
    return Unit(
        code=entry["code"],
        name_zh=entry["zh"],
        unece=entry.get("unece") or "",
        dimension=entry["dimension"],
        decimals=int(entry["decimals"]),
    )


def type_entry(entry: Mapping[str, Any], units: set[str], categories: set[str]) -> TypeEntry:
    """One type of a document, among these units and categories.

    Raises:
        TaxonomyError, KeyError, TypeError, ValueError: it breaks a rule.
    """
    if not _CODE.fullmatch(entry["code"]):
        raise TaxonomyError("a code is two capital letters, a hyphen, capital letters and digits")
    if entry["category"] not in categories:
        raise TaxonomyError(f"unknown category {entry['category']}")
    if entry["supply_mode"] not in SUPPLY_MODES:
        raise TaxonomyError(f"unknown supply mode {entry['supply_mode']}")
    unknown = {entry["base_uom"], *(each["uom"] for each in entry["alt_uoms"])} - units
    if unknown:
        raise TaxonomyError(f"unknown units {sorted(unknown)}")
    plain = _as_text(entry)
    definition = definition_from(plain, version=1)
    if len({each.key for each in definition.properties}) != len(definition.properties):
        raise TaxonomyError("a property stands twice")
    if not definition.identity:
        raise TaxonomyError("no identity property")
    return TypeEntry(
        code=entry["code"],
        content_hash=hashlib.sha256(canonical_json(plain)).hexdigest(),
        definition=plain,
        codes=codes_of(plain),
        carbon=_carbon(plain.get("carbon_a1_a3"), units),
        standards=[
            Standard(number=each["number"], title_zh=each["title_zh"], edition_check=each["edition_check"])
            for each in plain["standards"]
        ],
    )


def _as_text(value: Any) -> Any:
    """The entry with every number that carries meaning as its canonical text; the kind of an enum is kept beside."""
    if isinstance(value, Mapping):
        plain = {str(name): _as_text(each) for name, each in value.items()}
        if value.get("type") == "enum":
            plain["numeric"] = bool(
                value.get("numeric", all(isinstance(each, int | float) for each in value["allowed"]))
            )
        return plain
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_as_text(each) for each in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return canonical_number(Decimal(str(value)))
    return value


def _property(entry: Mapping[str, Any]) -> Property:
    allowed = tuple(str(each) for each in entry.get("allowed", ()))
    kind = Kind(entry["type"])
    if kind is Kind.ENUM and not allowed:
        raise TaxonomyError(f"{entry['key']} allows nothing")
    return Property(
        key=entry["key"],
        name_zh=entry["name_zh"],
        name_en=entry["name_en"],
        kind=kind,
        unit=entry.get("unit"),
        allowed=allowed,
        numeric=bool(entry.get("numeric", False)),
        minimum=decimal_or_none(entry.get("min")),
        maximum=decimal_or_none(entry.get("max")),
        identity=bool(entry["identity"]),
        required=bool(entry["required"]),
        aliases=aliases_of(allowed),
        retired={value: str(how.get("successor") or "") for value, how in (entry.get("retired") or {}).items()},
        successor=(entry.get("deprecated") or {}).get("successor"),
    )


def _alternative(entry: Mapping[str, Any]) -> AltUnit:
    return AltUnit(
        unit=entry["uom"],
        base_per_unit=decimal_or_none(entry.get("base_per_unit")),
        formula=entry.get("formula"),
        only={key: str(value) for key, value in entry.get("only", {}).items()},
        note=entry.get("note"),
    )


def _prefixes(
    alternatives: Sequence[AltUnit], properties: Sequence[Property], tables: Mapping[str, Mapping[str, Decimal]]
) -> dict[str, str]:
    """Text properties that a table of the type spells with the value of another property in front."""
    found: dict[str, str] = {}
    texts = {each.key for each in properties if each.kind is Kind.STRING}
    for table, key in (pair for each in alternatives for pair in table_indices(each.formula or "?!")):
        for other in properties if key in texts and table in tables else ():
            if other.allowed and all(entry.startswith(other.allowed) for entry in tables[table]):
                found[key] = other.key
    return found


def _carbon(entry: Mapping[str, Any] | None, units: set[str]) -> CarbonFactor | None:
    if entry is None:
        return None
    if entry["unit"] not in units:
        raise TaxonomyError(f"unknown carbon unit {entry['unit']}")
    return CarbonFactor(
        unit=entry["unit"],
        typical=Decimal(entry["typical"]),
        low=Decimal(entry["low"]),
        high=Decimal(entry["high"]),
        source=entry["source"],
        confidence=entry["confidence"],
    )
