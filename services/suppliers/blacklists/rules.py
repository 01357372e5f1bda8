"""What an entry of a blacklist forbids, to whom, until when; and which changes of it need a second person. Pure.

domain.md 5.3 and T7: a contractor group's entry binds that group alone, an official one binds all; every entry has a
reason, evidence, an expiry and a way to appeal. Running orders are never touched by an entry.
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

OFFICIAL = UUID(int=0)
"""The owner of official entries: no contractor group has this id."""

MOST_YEARS = 10
"""How far ahead an entry may expire; who wants it longer looks at it again then."""


class Level(StrEnum):
    """How far an entry goes; each level forbids what the one before forbids too."""

    NO_INVITE = "NO_INVITE"
    NO_NEW_ORDER = "NO_NEW_ORDER"
    STOP_DELIVERY = "STOP_DELIVERY"
    """Also running orders pause: their supplier cannot answer them, and both sides see why. Nothing is cancelled,
    and what is on the road is received."""


_SEVERITY = {level: number for number, level in enumerate(Level)}


def at_least(level: Level, least: Level) -> bool:
    """Whether a level forbids what `least` forbids."""
    return _SEVERITY[level] >= _SEVERITY[least]


class ReasonClass(StrEnum):
    """The kind of reason; all that others learn of it."""

    BID_COLLUSION = "BID_COLLUSION"
    BRIBERY = "BRIBERY"
    FALSE_DOCUMENTS = "FALSE_DOCUMENTS"
    QUALITY = "QUALITY"
    SAFETY = "SAFETY"
    BREACH_OF_CONTRACT = "BREACH_OF_CONTRACT"
    WAGE_ARREARS = "WAGE_ARREARS"
    COURT_OR_AUTHORITY = "COURT_OR_AUTHORITY"
    OTHER = "OTHER"


class SubjectKind(StrEnum):
    """Who is listed: one company, or every company of a legal representative."""

    SUPPLIER = "SUPPLIER"
    REPRESENTATIVE = "REPRESENTATIVE"


class EntryStatus(StrEnum):
    """An entry ends once."""

    ACTIVE = "ACTIVE"
    LIFTED = "LIFTED"
    EXPIRED = "EXPIRED"


class ProposalStatus(StrEnum):
    """What became of a wish to soften an entry."""

    PROPOSED = "PROPOSED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


class AppealStatus(StrEnum):
    """What became of a supplier's appeal. GRANTED lifts the entry."""

    OPEN = "OPEN"
    GRANTED = "GRANTED"
    DECLINED = "DECLINED"


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What an entry forbids: how much, where, for what, from when until (the last day counts).

    No categories, regions or projects means all of them.
    """

    level: Level
    starts_on: date
    expires_on: date
    categories: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    project_ids: frozenset[UUID] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Business:
    """Something somebody wants to do with a supplier."""

    on: date
    category: str | None
    region: str | None
    project_id: UUID | None = None


def lies_in(region: str, regions: Iterable[str]) -> bool:
    """Whether a place lies in one of the regions (GB/T 2260; `110000` and `11` hold all of Beijing)."""
    return any(region.startswith(_head(each)) for each in regions)


def _head(region: str) -> str:
    while len(region) > 2 and region.endswith("00"):
        region = region[:-2]
    return region


def in_force(terms: Terms, *, on: date) -> bool:
    """Whether an entry counts on a day."""
    return terms.starts_on <= on <= terms.expires_on


def concerns(terms: Terms, business: Business) -> bool:
    """Whether an entry speaks of a piece of business. What is not known of it cannot lie inside a narrower scope."""
    if not in_force(terms, on=business.on):
        return False
    if terms.categories and business.category not in terms.categories:
        return False
    if terms.regions and (business.region is None or not lies_in(business.region, terms.regions)):
        return False
    return not terms.project_ids or business.project_id in terms.project_ids


def forbids_invitation(terms: Terms, *, on: date, categories: Collection[str]) -> bool:
    """Whether a supplier may not be invited: an entry for regions or projects leaves it the others to sell in."""
    if not in_force(terms, on=on) or terms.regions or terms.project_ids:
        return False
    return not terms.categories or (bool(categories) and terms.categories.issuperset(categories))


def softer(before: Terms, after: Terms) -> bool:
    """Whether anything that was forbidden would be allowed: such a change needs a second person."""
    covers = (
        at_least(after.level, before.level)
        and after.starts_on <= before.starts_on
        and after.expires_on >= before.expires_on
        and _holds(after.categories, before.categories)
        and _holds(after.project_ids, before.project_ids)
        and (
            not after.regions
            or (bool(before.regions) and all(lies_in(_head(region), after.regions) for region in before.regions))
        )
    )
    return not covers


def _holds(outer: frozenset[str] | frozenset[UUID], inner: frozenset[str] | frozenset[UUID]) -> bool:
    return not outer or (bool(inner) and inner <= outer)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an entry: the field, the rule, the sentence for a person."""

    field: str
    rule: str
    message: str


def day_faults(*, starts_on: date, expires_on: date, today: date) -> Sequence[Fault]:
    """What is wrong with the days of an entry."""
    if expires_on < max(starts_on, today):
        return [Fault("expires_on", "ExpiryPassed", f"An entry that ends on {expires_on} would never count.")]
    if expires_on.year - starts_on.year > MOST_YEARS:
        message = f"An entry lasts at most {MOST_YEARS} years; make a new one then."
        return [Fault("expires_on", "ExpiryTooFar", message)]
    return []


_USCC = re.compile(r"^[0-9A-HJ-NP-RTUWXY]{18}$")
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def is_uscc(value: str) -> bool:
    """Whether a text is a unified social credit code whose check digit holds (GB 32100, domain.md 3.3)."""
    if not _USCC.match(value):
        return False
    total = sum(_ALPHABET.index(sign) * pow(3, place, 31) for place, sign in enumerate(value[:-1]))
    return _ALPHABET[(31 - total % 31) % 31] == value[-1]


def representative_hash(*, key: bytes, id_number: str, name: str) -> bytes:
    """The same person has the same hash, and without the key nobody finds the person from it.

    Numbers are few enough to be tried through, so a plain hash would hide nothing.
    """
    person = "|".join("".join(unicodedata.normalize("NFKC", part).split()).upper() for part in (id_number, name))
    return hmac.new(key, person.encode(), hashlib.sha256).digest()


def masked(name: str) -> str:
    """A person's name as a list shows it."""
    plain = "".join(name.split())
    return plain[:1] + "*" * max(len(plain) - 1, 1)
