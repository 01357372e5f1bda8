"""Finding variants and making them on first use, many at once and never twice."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TypeVar

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.carbon import queries as carbon_queries
from services.catalog.components import queries
from services.catalog.components.rules import (
    Fault,
    FaultCode,
    TypeDefinition,
    identity_of,
    parsed_key,
    retirements,
    variant_key,
)
from services.catalog.components.tables import Variant
from services.catalog.components.variants import Draft, drafted
from services.catalog.units import queries as unit_queries
from shared.contracts.catalog import VariantReference
from shared.errors import Conflict, FieldError, NotFound, Refusal, Unprocessable
from shared.ids import new_id

T = TypeVar("T")

_QUICK = 50
"""So many variants are worked out in a few milliseconds."""


class UnknownType(Unprocessable):
    """No component type has this code."""


class TypeDeprecated(Conflict):
    """The component type was withdrawn: its variants stay, no new ones are made."""


class VariantKeyMalformed(Unprocessable):
    """The key is not of the form `CODE|property=value,property=value`."""


class UnknownProperty(Unprocessable):
    """The component type has no such property."""


class NotAnIdentityProperty(Unprocessable):
    """The property belongs to the offer or the batch (brand, heat, storey): it does not make another variant."""


class MissingIdentityProperty(Unprocessable):
    """A property that is part of what the thing is was not given."""


class WrongValueKind(Unprocessable):
    """The value is not of the property's kind: a word for a number, a fraction for a whole number, another unit."""


class ValueNotAllowed(Unprocessable):
    """The value is not among those the type allows; `detail` names them."""


class ValueOutOfRange(Unprocessable):
    """The number is below the least or above the greatest the type allows."""


class PropertyDeprecated(Conflict):
    """The property was deprecated: old variants keep it, new ones use its successor, which `detail` names."""


class ValueDeprecated(Conflict):
    """The value was deprecated: old variants keep it, new ones use its successor, which `detail` names."""


class VariantNotFound(NotFound):
    """Nobody has used this variant yet; POST it, or correct its key."""


VARIANT_REFUSALS: tuple[type[Refusal], ...] = (
    UnknownType,
    TypeDeprecated,
    VariantKeyMalformed,
    UnknownProperty,
    NotAnIdentityProperty,
    MissingIdentityProperty,
    WrongValueKind,
    ValueNotAllowed,
    ValueOutOfRange,
    PropertyDeprecated,
    ValueDeprecated,
)
_REFUSAL_OF = {FaultCode(refusal.__name__): refusal for refusal in VARIANT_REFUSALS}

_INSERT = text(
    """
    INSERT INTO variants (
        id, key, type_code, type_version, category, name_zh, name_en, properties, supply_mode, base_unit,
        base_decimals, unit_factors, unit_decimals, spec_hash, carbon, standards, created_at
    )
    SELECT id, key, type_code, type_version, category, name_zh, name_en, properties, supply_mode, base_unit,
        base_decimals, unit_factors, unit_decimals, spec_hash, carbon, standards, :at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS made (
        id uuid, key text, type_code text, type_version integer, category text, name_zh text, name_en text,
        properties jsonb, supply_mode text, base_unit text, base_decimals smallint, unit_factors jsonb,
        unit_decimals jsonb, spec_hash text, carbon numeric, standards text[]
    )
    ORDER BY key
    ON CONFLICT (key) DO NOTHING
    """
)


def refused(faults: Sequence[Fault]) -> Refusal:
    """The refusal that tells all faults of one variant; its code is that of the first."""
    errors = [FieldError(field=fault.field, rule=fault.code, message=fault.detail) for fault in faults]
    return _REFUSAL_OF[faults[0].code](faults[0].detail, errors=errors)


async def resolve(
    session: AsyncSession, *, references: Sequence[VariantReference], at: datetime
) -> list[Variant | list[Fault]]:
    """The variant of each reference, made where nobody used it before, or everything that is wrong with it.

    Set-based: as many statements for five thousand references as for one. Concurrent callers that want the same
    new variant get the same one: keys are inserted in one order and an existing key is left as it is.
    """
    known = dict(await queries.variants_by_key(session, keys=[each.key for each in references if each.key is not None]))
    results: dict[int, Variant | list[Fault]] = {
        place: known[each.key] for place, each in enumerate(references) if each.key in known
    }
    rest = {place: parts(each) for place, each in enumerate(references) if place not in results}
    codes = sorted({part[0] for part in rest.values() if not isinstance(part, Fault)})
    definitions = await queries.definitions(session, codes=codes) if codes else {}

    def judge_all() -> dict[int, tuple[TypeDefinition, dict[str, str]] | list[Fault]]:
        return {
            place: _judged(part, definitions, by_key=references[place].key is not None) for place, part in rest.items()
        }

    wanted: dict[int, tuple[TypeDefinition, dict[str, str], str]] = {}
    for place, judged in (await _aside(judge_all, size=len(rest))).items():
        if isinstance(judged, list):
            results[place] = judged
        else:
            wanted[place] = (*judged, variant_key(judged[0].code, judged[1]))
    found = await _found_or_made(session, wanted=list(wanted.values()), at=at)
    for place, (definition, values, key) in wanted.items():
        results[place] = found.get(key) or not_made(definition, values)
    return [results[place] for place in range(len(references))]


def parts(reference: VariantReference) -> tuple[str, Mapping[str, object]] | Fault:
    """Type code and values of a reference, whichever way it was given."""
    if reference.key is not None:
        return parsed_key(reference.key)
    return (reference.type or "").strip().upper(), reference.properties or {}


def _judged(
    part: tuple[str, Mapping[str, object]] | Fault, definitions: Mapping[str, TypeDefinition], *, by_key: bool
) -> tuple[TypeDefinition, dict[str, str]] | list[Fault]:
    if isinstance(part, Fault):
        return [part]
    code, given = part
    if code not in definitions:
        detail = f"No component type has the code {code[:60]!r}."
        return [Fault(code=FaultCode.UNKNOWN_TYPE, detail=detail, field="key" if by_key else "type")]
    values, faults = identity_of(definitions[code], given, where="key" if by_key else "properties")
    return faults or (definitions[code], values)


def not_made(definition: TypeDefinition, values: Mapping[str, str]) -> list[Fault]:
    """Why no new variant of these values is made, when one could have been made before."""
    if definition.deprecated:
        instead = f"; use {definition.successor}" if definition.successor else ""
        detail = f"{definition.code} was withdrawn from the catalog; no new variants of it are made{instead}."
        return [Fault(code=FaultCode.TYPE_DEPRECATED, detail=detail, field="type")]
    return retirements(definition, values)


async def _found_or_made(
    session: AsyncSession, *, wanted: Sequence[tuple[TypeDefinition, dict[str, str], str]], at: datetime
) -> Mapping[str, Variant]:
    keys = sorted({key for _, _, key in wanted})
    found = await queries.variants_by_key(session, keys=keys)
    missing = {key: (definition, values) for definition, values, key in wanted if key not in found}
    fresh = {key: pair for key, pair in missing.items() if not not_made(*pair)}
    if not fresh:
        return found
    units = await unit_queries.all_units(session)
    carbon = await carbon_queries.factors_of_types(
        session, type_codes=sorted({definition.code for definition, _ in fresh.values()})
    )

    def draft_all() -> str:
        return _rows(
            [
                drafted(
                    definition,
                    values,
                    units=units,
                    carbon=carbon[definition.code].as_rule if definition.code in carbon else None,
                )
                for definition, values in fresh.values()
            ]
        )

    rows = await _aside(draft_all, size=len(fresh))
    await session.execute(_INSERT, {"rows": rows, "at": at})
    return {**found, **await queries.variants_by_key(session, keys=sorted(fresh))}


async def _aside(work: Callable[[], T], *, size: int) -> T:
    """Long calculations run in a thread, so that other requests are served meanwhile."""
    return await asyncio.to_thread(work) if size > _QUICK else work()


def _rows(drafts: Sequence[Draft]) -> str:
    return orjson.dumps([{"id": new_id(), **asdict(draft)} for draft in drafts], default=str).decode()


async def resolve_one(session: AsyncSession, *, reference: VariantReference, at: datetime) -> Variant:
    """The variant of one reference, made if nobody used it before.

    Raises:
        UnknownType … ValueOutOfRange: `VARIANT_REFUSALS`, with all faults in `errors`.
    """
    (result,) = await resolve(session, references=[reference], at=at)
    if isinstance(result, list):
        raise refused(result)
    return result


async def known_variant(session: AsyncSession, *, key: str) -> Variant:
    """A variant by its key, canonical or not. Nothing is made.

    Raises:
        VariantNotFound, and those of `resolve_one` when the key cannot name a variant.
    """
    exact = await queries.variants_by_key(session, keys=[key])
    if key in exact:
        return exact[key]
    part = parts(VariantReference(key=key))
    codes = [] if isinstance(part, Fault) else [part[0]]
    judged = _judged(part, await queries.definitions(session, codes=codes), by_key=True)
    if isinstance(judged, list):
        raise refused(judged)
    canonical = variant_key(judged[0].code, judged[1])
    found = (await queries.variants_by_key(session, keys=[canonical])).get(canonical)
    if found is None:
        raise VariantNotFound(f"{canonical} is a valid variant that nobody has used yet.")
    return found
