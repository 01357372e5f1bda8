"""What an entry of the restricted and banned list says, and whether it holds for goods at a place on a day. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from services.catalog.search.places import region_heads


class RestrictionKind(StrEnum):
    """Banned goods are neither listed nor ordered; restricted ones may be listed and are not ordered into a region."""

    BANNED = "banned"
    RESTRICTED = "restricted"


@dataclass(frozen=True, kw_only=True, slots=True)
class Restriction:
    """One entry. No properties: the whole type. No regions: the whole country. `until_on` is its last day."""

    kind: str
    type_code: str
    properties: Mapping[str, str]
    regions: Sequence[str]
    from_on: date
    until_on: date | None
    source: str
    text: str


class RestrictionFault(NamedTuple):
    """One reason why an entry cannot be kept so."""

    field: str
    rule: str
    message: str


def faults(entry: Restriction) -> list[RestrictionFault]:
    """An entry that ends before it begins, or names a region twice."""
    found = []
    if entry.until_on is not None and entry.until_on < entry.from_on:
        message = f"It would end on {entry.until_on}, before it begins on {entry.from_on}."
        found.append(RestrictionFault("until_on", "EndsBeforeItBegins", message))
    if len(set(region_heads(entry.regions))) < len(entry.regions):
        found.append(RestrictionFault("regions", "RegionTwice", "A region stands twice (110000 is 11)."))
    return found


def content_key(entry: Restriction) -> str:
    """What makes two entries the same entry, whatever their end and wording."""
    values = ",".join(f"{key}={entry.properties[key]}" for key in sorted(entry.properties))
    regions = ";".join(sorted(region_heads(entry.regions)))
    parts = (entry.kind, entry.type_code, values, regions, entry.from_on.isoformat(), entry.source)
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def live(*, from_on: date, until_on: date | None, on: date) -> bool:
    """Whether an entry holds on a day."""
    return from_on <= on and (until_on is None or on <= until_on)


def names(*, entry_properties: Mapping[str, str], properties: Mapping[str, str]) -> bool:
    """Whether goods with these values are among those an entry of their type names."""
    return all(properties.get(key) == value for key, value in entry_properties.items())


def holds_at(*, regions: Sequence[str], region: str) -> bool:
    """Whether an entry holds at a place; one without regions holds everywhere."""
    return not regions or any(region.startswith(head) for head in region_heads(regions))
