"""What a new version of a type may not do to the versions before: pure.

Variants, orders and mappings of others name a property and a value by its code. So a code is never removed and never
given another meaning: it is deprecated, with a successor that is not itself deprecated. The database says the same
of what is lost (`type_version_keeps_its_promises`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Breach(StrEnum):
    """Which promise is broken."""

    BASE_UNIT_CHANGED = "BaseUnitChanged"
    PROPERTY_REMOVED = "PropertyRemoved"
    PROPERTY_REUSED = "PropertyReused"
    VALUE_REMOVED = "ValueRemoved"
    SUCCESSOR_MISSING = "SuccessorMissing"
    SUCCESSOR_UNKNOWN = "SuccessorUnknown"
    SUCCESSOR_DEPRECATED = "SuccessorDeprecated"


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokenPromise:
    """One of them, with the member of the definition it is about."""

    breach: Breach
    field: str
    detail: str


def broken_promises(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[BrokenPromise]:
    """Everything a new definition takes away from, or turns round in, an earlier one of the same type."""
    found = []
    if before["base_uom"] != after["base_uom"]:
        detail = f"Orders count {after['code']} in {before['base_uom']}; a new type may count in {after['base_uom']}."
        found.append(BrokenPromise(breach=Breach.BASE_UNIT_CHANGED, field="base_uom", detail=detail))
    now = {each["key"]: each for each in after["properties"]}
    for old in before["properties"]:
        key = old["key"]
        where = f"properties.{key}"
        if key not in now:
            detail = f"{key} was published; deprecate it with a successor instead of removing it."
            found.append(BrokenPromise(breach=Breach.PROPERTY_REMOVED, field=where, detail=detail))
            continue
        for member in ("type", "unit", "identity"):
            if old.get(member) != now[key].get(member):
                detail = f"{member} of {key} was {old.get(member)!r}; another meaning needs another key."
                found.append(BrokenPromise(breach=Breach.PROPERTY_REUSED, field=f"{where}.{member}", detail=detail))
        lost = [value for value in old.get("allowed") or () if value not in (now[key].get("allowed") or ())]
        for value in lost:
            detail = f"{value} of {key} was published; deprecate it with a successor instead of removing it."
            found.append(BrokenPromise(breach=Breach.VALUE_REMOVED, field=f"{where}.allowed.{value}", detail=detail))
    return found


def unsound_deprecations(definition: Mapping[str, Any]) -> list[BrokenPromise]:
    """Deprecated properties and values without a successor that stands."""
    return [*_properties(definition), *_values(definition)]


def _properties(definition: Mapping[str, Any]) -> Iterator[BrokenPromise]:
    by_key = {each["key"]: each for each in definition["properties"]}
    for key, each in by_key.items():
        if each.get("deprecated"):
            successor = each["deprecated"].get("successor")
            deprecated = successor in by_key and bool(by_key[successor].get("deprecated"))
            where = f"properties.{key}.deprecated.successor"
            yield from _judged(successor, known=successor in by_key, deprecated=deprecated, what=key, field=where)


def _values(definition: Mapping[str, Any]) -> Iterator[BrokenPromise]:
    for each in definition["properties"]:
        allowed, retired = each.get("allowed") or (), each.get("retired") or {}
        for value, how in retired.items():
            where = f"properties.{each['key']}.retired.{value}"
            if value not in allowed:
                detail = f"{value} is no allowed value of {each['key']}."
                yield BrokenPromise(breach=Breach.VALUE_REMOVED, field=where, detail=detail)
                continue
            successor = how.get("successor")
            known, deprecated = successor in allowed, successor in retired
            yield from _judged(successor, known=known, deprecated=deprecated, what=value, field=f"{where}.successor")


def _judged(successor: str | None, *, known: bool, deprecated: bool, what: str, field: str) -> Iterator[BrokenPromise]:
    if not successor:
        breach, detail = Breach.SUCCESSOR_MISSING, f"{what} is deprecated without a successor."
    elif successor == what or deprecated:
        breach, detail = Breach.SUCCESSOR_DEPRECATED, f"{successor} is deprecated itself; name what stands."
    elif not known:
        breach, detail = Breach.SUCCESSOR_UNKNOWN, f"{successor} is not there to succeed {what}."
    else:
        return
    yield BrokenPromise(breach=breach, field=field, detail=detail)
