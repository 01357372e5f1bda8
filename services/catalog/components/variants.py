"""Making a variant out of a definition: pure, everything an order line may freeze later is decided here."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from services.catalog.carbon.rules import CarbonFactor, per_base_unit
from services.catalog.components.naming import names_of
from services.catalog.components.rules import TypeDefinition, canonical_number, variant_key
from services.catalog.units.rules import factors_of
from shared.history import canonical_json
from shared.quantity import Unit


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A variant before it has an id."""

    key: str
    type_code: str
    type_version: int
    category: str
    name_zh: str
    name_en: str
    properties: Mapping[str, str]
    supply_mode: str
    base_unit: str
    base_decimals: int
    unit_factors: Mapping[str, str]
    unit_decimals: Mapping[str, int]
    spec_hash: str
    carbon: Decimal | None
    standards: tuple[str, ...]


def spec_hash(*, type_code: str, version: int, values: Mapping[str, str]) -> str:
    """What an order line freezes of a specification: one hash per type, version and identity values."""
    frozen = {"type": type_code, "version": version, "properties": dict(values)}
    return hashlib.sha256(canonical_json(frozen)).hexdigest()


def drafted(
    definition: TypeDefinition,
    values: Mapping[str, str],
    *,
    units: Mapping[str, Unit],
    carbon: CarbonFactor | None,
) -> Draft:
    """The variant of these canonical identity values."""
    factors = factors_of(
        base=definition.base_unit,
        alternatives=definition.alternatives,
        measures=definition.measures(values),
        tables=definition.tables,
    ).base_per_unit
    name_zh, name_en = names_of(definition, values)
    return Draft(
        key=variant_key(definition.code, values),
        type_code=definition.code,
        type_version=definition.version,
        category=definition.category,
        name_zh=name_zh,
        name_en=name_en,
        properties=dict(values),
        supply_mode=definition.supply_mode,
        base_unit=definition.base_unit,
        base_decimals=units[definition.base_unit].decimals,
        unit_factors={unit: canonical_number(factor) for unit, factor in factors.items()},
        unit_decimals={unit: units[unit].decimals for unit in factors},
        spec_hash=spec_hash(type_code=definition.code, version=definition.version, values=values),
        carbon=per_base_unit(carbon, base_per_unit=factors),
        standards=definition.standards,
    )
