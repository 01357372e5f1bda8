"""What differs between two versions of a type, as a reviewer reads it: pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any


class What(StrEnum):
    """What became of a part."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    DEPRECATED = "deprecated"


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One difference. `breaking`: what could be said before cannot be said any more, or must be said in addition."""

    what: What
    part: str
    """type, name, definition, unit, property, allowed_value, code, standard, relation, or `field` for all else."""
    key: str
    before: Any = None
    after: Any = None
    breaking: bool = False


Codes = Mapping[tuple[str, str, str], str]
"""Relation by (system, edition, code)."""

_NAMES = ("name_zh", "name_en", "synonyms")
_DEFINITIONS = ("definition_zh", "definition_en")
_LISTED = {"alt_uoms", "properties", "standards", "relations", "ifc", "gbt50851_class", "base_uom", "code"}
_NOT_TOLD = {"numeric", "allowed", "retired", "deprecated"}
"""Of a property: told elsewhere, or following from something told."""


def type_differences(
    before: Mapping[str, Any], after: Mapping[str, Any], *, codes_before: Codes, codes_after: Codes
) -> list[Difference]:
    """Everything a reader of both would see; `before` empty: the type is new."""
    return [
        *_texts(before, after),
        *_units(before, after),
        *_properties(before.get("properties", ()), after["properties"]),
        *_by_key("standard", before.get("standards", ()), after["standards"], key=lambda each: each["number"]),
        *_by_key("relation", before.get("relations") or (), after.get("relations") or (), key=_relation_key),
        *_codes(codes_before, codes_after),
        *_fields(before, after),
    ]


def _relation_key(relation: Mapping[str, Any]) -> str:
    return f"{relation['type']} {relation['target']}"


def _texts(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for part, members in (("name", _NAMES), ("definition", _DEFINITIONS)):
        for member in members:
            yield from _value(part, member, before.get(member), after.get(member))


def _value(part: str, key: str, old: Any, new: Any, *, breaking: bool = False) -> Iterator[Difference]:
    if old == new:
        return
    what = What.ADDED if old in (None, [], "") else What.REMOVED if new in (None, [], "") else What.CHANGED
    yield Difference(what=what, part=part, key=key, before=old, after=new, breaking=breaking)


def _units(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    yield from _value("unit", "base", before.get("base_uom"), after["base_uom"], breaking=bool(before))
    yield from _by_key("unit", before.get("alt_uoms", ()), after["alt_uoms"], key=lambda each: str(each["uom"]))


def _by_key(
    part: str,
    before: Sequence[Mapping[str, Any]],
    after: Sequence[Mapping[str, Any]],
    *,
    key: Callable[[Mapping[str, Any]], str],
) -> Iterator[Difference]:
    """Entries that bear a key; a key that stands twice (a unit that holds for some values only) is one entry."""
    old, new = _grouped(before, key), _grouped(after, key)
    for name in [*old, *(name for name in new if name not in old)]:
        if old.get(name) != new.get(name):
            what = What.ADDED if name not in old else What.REMOVED if name not in new else What.CHANGED
            yield Difference(
                what=what,
                part=part,
                key=name,
                before=_alone(old.get(name)),
                after=_alone(new.get(name)),
                breaking=what is What.REMOVED,
            )


def _grouped(
    entries: Sequence[Mapping[str, Any]], key: Callable[[Mapping[str, Any]], str]
) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for each in entries:
        found.setdefault(key(each), []).append(each)
    return found


def _alone(entries: Sequence[Mapping[str, Any]] | None) -> Any:
    return entries[0] if entries and len(entries) == 1 else entries


def _properties(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Iterator[Difference]:
    old, new = {each["key"]: each for each in before}, {each["key"]: each for each in after}
    for key in [*old, *(key for key in new if key not in old)]:
        if key not in new:
            yield Difference(what=What.REMOVED, part="property", key=key, before=old[key], breaking=True)
        elif key not in old:
            needed = bool(before) and bool(new[key]["identity"] and new[key]["required"])
            yield Difference(what=What.ADDED, part="property", key=key, after=new[key], breaking=needed)
        else:
            yield from _property(key, old[key], new[key])


def _property(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    if old.get("deprecated") != new.get("deprecated"):
        what = What.DEPRECATED if new.get("deprecated") else What.CHANGED
        yield Difference(
            what=what,
            part="property",
            key=key,
            before=old.get("deprecated"),
            after=new.get("deprecated"),
            breaking=what is What.DEPRECATED,
        )
    for member in sorted((old.keys() | new.keys()) - _NOT_TOLD):
        narrower = _is_narrower(member, old.get(member), new.get(member))
        yield from _value("property", f"{key}.{member}", old.get(member), new.get(member), breaking=narrower)
    yield from _allowed(key, old, new)


def _is_narrower(member: str, old: Any, new: Any) -> bool:
    match member:
        case "min":
            return new is not None and (old is None or Decimal(str(new)) > Decimal(str(old)))
        case "max":
            return new is not None and (old is None or Decimal(str(new)) < Decimal(str(old)))
        case "required":
            return bool(new) and not old
        case _:
            return member in {"type", "unit", "identity"}


def _allowed(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    before, after = old.get("allowed") or (), new.get("allowed") or ()
    for value in before:
        if value not in after:
            yield Difference(what=What.REMOVED, part="allowed_value", key=f"{key}={value}", before=value, breaking=True)
    for value in after:
        if value not in before:
            yield Difference(what=What.ADDED, part="allowed_value", key=f"{key}={value}", after=value)
    was, now = old.get("retired") or {}, new.get("retired") or {}
    for value in [*was, *(value for value in now if value not in was)]:
        if was.get(value) != now.get(value):
            what = What.DEPRECATED if value in now and value not in was else What.CHANGED
            yield Difference(
                what=what,
                part="allowed_value",
                key=f"{key}={value}",
                before=was.get(value),
                after=now.get(value),
                breaking=what is What.DEPRECATED,
            )


def _codes(before: Codes, after: Codes) -> Iterator[Difference]:
    for key in [*before, *(key for key in after if key not in before)]:
        system, edition, code = key
        name = " ".join(part for part in (system, edition, code) if part)
        yield from _value("code", name, before.get(key), after.get(key), breaking=key not in after)


def _fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    told = _LISTED | set(_NAMES) | set(_DEFINITIONS)
    for member in sorted((before.keys() | after.keys()) - told):
        yield from _value("field", member, before.get(member), after.get(member))
