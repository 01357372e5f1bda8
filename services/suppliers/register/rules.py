"""Does a register speak against listing or ordering goods on a day? (domain.md 1, lines 63 and 187)

An edition speaks against an offer that states it, from the day of its withdrawal on. Silence speaks against nobody:
an offer that states no edition stays orderable, whatever became of the editions its type names.
A component type that the dictionary deprecates speaks against its offers and orders from that day on, everywhere.
A restriction of a region speaks against orders into it; against an offer only when it is offered into nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class RegisterCode(StrEnum):
    """Why goods may not be listed or ordered; the same names go to people, programs and refusals."""

    STANDARD_WITHDRAWN = "StandardWithdrawn"
    ITEM_RESTRICTED = "ItemRestricted"
    TYPE_DEPRECATED = "TypeDeprecated"


@dataclass(frozen=True, kw_only=True, slots=True)
class EditionEntry:
    """What the register of standards says of one edition."""

    designation: str
    withdrawn_on: date | None
    replaced_by: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RestrictionEntry:
    """One entry of the restricted and banned list. No regions: the whole country."""

    banned: bool
    properties: Mapping[str, str]
    regions: tuple[str, ...]
    from_on: date
    until_on: date | None
    source: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DeprecationEntry:
    """What the dictionary says of a type it took out of use. No successor: the taxonomy no longer names the type."""

    deprecated_on: date
    successor: str | None
    reason: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Register:
    """All registers as they were last told."""

    withdrawn: Mapping[str, EditionEntry] = field(default_factory=dict)
    """Editions with a day of withdrawal, passed or not, by `shared.designations.edition_key`."""
    restrictions: Mapping[str, Sequence[RestrictionEntry]] = field(default_factory=dict)
    """By component type."""
    deprecated: Mapping[str, DeprecationEntry] = field(default_factory=dict)
    """Types out of use, by code."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Goods:
    """What the registers are asked about. `standard_key` None: no edition is stated."""

    standard_key: str | None
    type_code: str
    properties: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What an entry says against goods, and from which day on."""

    code: RegisterCode
    detail: str
    since: date


NOTHING = Register()


def against_order(register: Register, *, goods: Goods, region: str | None, on: date) -> list[Finding]:
    """What forbids an order for delivery in a region on a day; without a region only what holds everywhere."""
    found = [each for each in _anywhere(register, goods) if each.since <= on]
    for entry in _restrictions(register, goods):
        at_place = not entry.regions or (region is not None and any(map(region.startswith, _heads(entry.regions))))
        if at_place and entry.from_on <= on and (entry.until_on is None or on <= entry.until_on):
            found.append(_restricted(entry))
    return found


def against_listing(register: Register, *, goods: Goods, regions: Sequence[str], on: date) -> list[Finding]:
    """What forbids to list goods for these regions on a day."""
    found = [each for each in _anywhere(register, goods) if each.since <= on]
    for entry in _restrictions(register, goods):
        live = entry.from_on <= on and (entry.until_on is None or on <= entry.until_on)
        if entry.banned and live and _covers(entry, regions):
            found.append(_restricted(entry))
    return found


def against_offer(register: Register, *, goods: Goods, regions: Sequence[str], on: date) -> list[Finding]:
    """What makes an offer need an update, now or (by `since`) on a day that comes."""
    closed = [
        _restricted(entry)
        for entry in _restrictions(register, goods)
        if (entry.until_on is None or on <= entry.until_on) and _covers(entry, regions)
    ]
    return sorted([*_anywhere(register, goods), *closed], key=lambda each: each.since)


def _anywhere(register: Register, goods: Goods) -> list[Finding]:
    """What is said of an edition and a type, whatever the place."""
    return [*_editions(register, goods), *_types(register, goods)]


def _types(register: Register, goods: Goods) -> list[Finding]:
    entry = register.deprecated.get(goods.type_code)
    if entry is None:
        return []
    why = f": {entry.reason}" if entry.reason else ""
    instead = f"; use {entry.successor} instead" if entry.successor else ""
    detail = f"The dictionary deprecates type {goods.type_code} from {entry.deprecated_on} on{why}{instead}."
    return [Finding(code=RegisterCode.TYPE_DEPRECATED, detail=detail, since=entry.deprecated_on)]


def _editions(register: Register, goods: Goods) -> list[Finding]:
    entry = None if goods.standard_key is None else register.withdrawn.get(goods.standard_key)
    if entry is None or entry.withdrawn_on is None:
        return []
    successor = f"; it is replaced by {entry.replaced_by}" if entry.replaced_by else ""
    detail = f"{entry.designation} is withdrawn from {entry.withdrawn_on} on{successor}."
    return [Finding(code=RegisterCode.STANDARD_WITHDRAWN, detail=detail, since=entry.withdrawn_on)]


def _restrictions(register: Register, goods: Goods) -> list[RestrictionEntry]:
    return [
        entry
        for entry in register.restrictions.get(goods.type_code, ())
        if all(goods.properties.get(key) == value for key, value in entry.properties.items())
    ]


def _covers(entry: RestrictionEntry, regions: Sequence[str]) -> bool:
    """Whether an offer reaches nothing but what the entry closes. One without regions reaches the whole country."""
    if not entry.regions:
        return True
    heads = _heads(entry.regions)
    return bool(regions) and all(any(region.startswith(head) for head in heads) for region in regions)


def _restricted(entry: RestrictionEntry) -> Finding:
    where = f"in {', '.join(entry.regions)}" if entry.regions else "in the whole country"
    end = f" until {entry.until_on}" if entry.until_on else ""
    kind = "banned" if entry.banned else "restricted"
    detail = f"These goods are {kind} {where} from {entry.from_on} on{end}: {entry.text} ({entry.source})"
    return Finding(code=RegisterCode.ITEM_RESTRICTED, detail=detail, since=entry.from_on)


def _heads(regions: Sequence[str]) -> list[str]:
    """The significant digits: 110100 names the whole city 1101, 110000 the whole province 11."""
    heads = []
    for region in regions:
        head = region
        while len(head) > 2 and head.endswith("00"):
            head = head[:-2]
        heads.append(head)
    return heads
