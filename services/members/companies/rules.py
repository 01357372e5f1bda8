"""What a company may be: its tax id, its kinds, and the links that make groups (domain.md 5.2)."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100: digits and capitals without I, O, S, V, Z, which look like digits."""
USCC_LENGTH = 18
_OLD_LENGTH = 15
_USCC_REGION = slice(2, 8)
_COUNTRY = re.compile(r"[A-Z]{2}")
_FOREIGN_ID = re.compile(r"[0-9A-Z]{4,32}")
MAX_CHAIN = 12
"""Longest chain of links followed upward; real groups have four or five levels."""


class TaxScheme(StrEnum):
    """Which register the number comes from."""

    USCC = "USCC"
    """统一社会信用代码, the only scheme for companies in China."""
    VAT = "VAT"
    NATIONAL = "NATIONAL"
    """Any other number a country identifies companies by."""


class CompanyKind(StrEnum):
    """What a company takes part as; one company may be several."""

    CONTRACTOR_GROUP = "contractor_group"
    CONTRACTOR = "contractor"
    """The legal entity that signs contracts and receives invoices."""
    BRANCH = "branch"
    """分公司: has its own USCC; stands beside `contractor` or `supplier`, never alone."""
    SUPPLIER = "supplier"
    CARRIER = "carrier"
    LAB = "lab"
    SUPERVISOR = "supervisor"
    DESIGNER = "designer"
    OPERATOR = "operator"
    REGULATOR = "regulator"
    FINANCIER = "financier"
    ASSOCIATION = "association"


class CompanyStatus(StrEnum):
    """Whether the company's people and API clients may sign in."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    LEFT = "LEFT"
    """It left by its own will: only its admins sign in, to fetch its data, for `DATA_STAYS_FETCHABLE`."""
    CLOSED = "CLOSED"


DATA_STAYS_FETCHABLE = timedelta(days=30)


STATUS_MOVES = frozenset(
    {
        (CompanyStatus.ACTIVE, CompanyStatus.SUSPENDED),
        (CompanyStatus.SUSPENDED, CompanyStatus.ACTIVE),
        (CompanyStatus.ACTIVE, CompanyStatus.CLOSED),
        (CompanyStatus.SUSPENDED, CompanyStatus.CLOSED),
        (CompanyStatus.LEFT, CompanyStatus.CLOSED),
    }
)
"""Legal moves; CLOSED is final, a company that returns is registered under its new tax id."""


class SizeClass(StrEnum):
    """划型: decides payment terms (large buyer, smaller supplier: 60 days)."""

    LARGE = "large"
    MEDIUM = "medium"
    SMALL = "small"
    MICRO = "micro"


class LinkKind(StrEnum):
    """Why a company stands under another."""

    GROUP = "group"
    BRANCH = "branch"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is wrong with one input: the rule it breaks and the sentence for a person."""

    field: str
    rule: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Link:
    """`child` stands under `parent` on the days from `valid_from` up to, not including, `valid_until`."""

    child: UUID
    parent: UUID
    valid_from: date
    valid_until: date | None = None


def normalise_tax_value(value: str) -> str:
    """One spelling per number: full-width to ASCII, capitals, no spaces, hyphens, dots or invisible marks."""
    folded = unicodedata.normalize("NFKC", value).upper()
    return "".join(
        character
        for character in folded
        if character not in "-./" and not character.isspace() and unicodedata.category(character) != "Cf"
    )


def tax_id_fault(*, scheme: TaxScheme, country: str, value: str) -> Fault | None:
    """What is wrong with the form of a normalised tax id, before its check digit."""
    if not _COUNTRY.fullmatch(country):
        return Fault(
            field="tax_id.country", rule="CountryCode", message="Give the country as two capitals (ISO 3166-1)."
        )
    if (scheme is TaxScheme.USCC) != (country == "CN"):
        return Fault(
            field="tax_id.scheme",
            rule="SchemeOfCountry",
            message="Companies in China (CN) are identified by USCC, and only they are.",
        )
    if scheme is TaxScheme.USCC:
        return _uscc_fault(value)
    if not _FOREIGN_ID.fullmatch(value):
        return Fault(
            field="tax_id.value",
            rule="Alphabet",
            message="A tax id has 4 to 32 letters and digits (spaces, dots and hyphens are left out).",
        )
    return None


def _uscc_fault(value: str) -> Fault | None:
    if len(value) == _OLD_LENGTH and value.isascii() and value.isdigit():
        message = (
            f"{_OLD_LENGTH} digits are an old registration number (营业执照注册号), which identifies no company now; "
            f"give the {USCC_LENGTH} characters of the USCC (统一社会信用代码) on its present licence."
        )
        return Fault(field="tax_id.value", rule="OldRegistrationNumber", message=message)
    if len(value) != USCC_LENGTH:
        message = f"A USCC has {USCC_LENGTH} characters; this one has {len(value)}."
        return Fault(field="tax_id.value", rule="Length", message=message)
    for position, character in enumerate(value, start=1):
        if character not in USCC_ALPHABET:
            message = (
                f"{character!r} at position {position} cannot stand in a USCC: it has digits and capitals "
                "without I, O, S, V and Z."
            )
            return Fault(field="tax_id.value", rule="Alphabet", message=message)
    if not value[_USCC_REGION].isdigit():
        message = "Positions 3 to 8 of a USCC are the region code, six digits."
        return Fault(field="tax_id.value", rule="RegionCode", message=message)
    return None


def kinds_fault(kinds: Collection[CompanyKind]) -> Fault | None:
    """What is wrong with a set of kinds."""
    if not kinds:
        return Fault(field="kinds", rule="Required", message="A company is of at least one kind.")
    if CompanyKind.BRANCH in kinds and not {CompanyKind.CONTRACTOR, CompanyKind.SUPPLIER} & set(kinds):
        message = "A branch is also a contractor or a supplier; name which."
        return Fault(field="kinds", rule="BranchOfWhat", message=message)
    return None


def may_move(*, old: CompanyStatus, new: CompanyStatus) -> bool:
    """Whether a company's status may go from `old` to `new`; staying is no move."""
    return old == new or (old, new) in STATUS_MOVES


def _overlap(first: tuple[date, date | None], second: tuple[date, date | None]) -> tuple[date, date | None] | None:
    start = max(first[0], second[0])
    ends = [end for end in (first[1], second[1]) if end is not None]
    end = min(ends) if ends else None
    return (start, end) if end is None or start < end else None


def share_a_day(first: Link, second: Link) -> bool:
    """Whether both links stand on some day."""
    return _overlap((first.valid_from, first.valid_until), (second.valid_from, second.valid_until)) is not None


def closes_cycle(new: Link, existing: Iterable[Link]) -> bool:
    """Whether on some day `new` would put a company above itself.

    Follows the links upward from the new parent, on the days on which the whole path stands.
    """
    if new.child == new.parent:
        return True
    upward: dict[UUID, list[Link]] = {}
    for link in existing:
        upward.setdefault(link.child, []).append(link)
    paths = [(new.parent, (new.valid_from, new.valid_until))]
    while paths:
        company, days = paths.pop()
        for link in upward.get(company, ()):
            shared_days = _overlap(days, (link.valid_from, link.valid_until))
            if shared_days is None:
                continue
            if link.parent == new.child:
                return True
            paths.append((link.parent, shared_days))
    return False


def top_of_chain(company_id: UUID, links: Iterable[Link], *, on: date) -> UUID:
    """The company at the top of the chain above `company_id` that day; a company under none is its own group."""
    parents = {
        link.child: link.parent
        for link in links
        if link.valid_from <= on and (link.valid_until is None or on < link.valid_until)
    }
    top = company_id
    for _ in range(MAX_CHAIN):
        if top not in parents:
            break
        top = parents[top]
    return top
