"""What an edition of a standard is, and what cannot be true of one (domain.md 4). Pure."""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from shared.designations import edition_key

KINDS = ("mandatory", "recommended", "group", "enterprise")
CHECKS = ("seen", "own", "verify", "edition_unclear")


class EditionStatus(StrEnum):
    """Where an edition stands on a day."""

    COMING = "coming"
    IN_FORCE = "in_force"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, kw_only=True, slots=True)
class Edition:
    """What the register says of an edition."""

    number: str
    edition: str
    title: str
    kind: str
    published_on: date | None
    effective_on: date | None
    withdrawn_on: date | None
    replaced_by: str | None
    source: str
    edition_check: str

    @property
    def designation(self) -> str:
        """As people write it."""
        return f"{self.number}-{self.edition}" if self.edition else self.number


class EditionFault(NamedTuple):
    """One reason why an edition cannot be registered so."""

    field: str
    rule: str
    message: str


def kind_of(number: str) -> str:
    """What the number itself says: GB is mandatory, …/T recommended, T/… of a group, Q/… of an enterprise."""
    head = number.upper()
    if head.startswith("Q/"):
        return "enterprise"
    if head.startswith("T/"):
        return "group"
    return "mandatory" if re.match(r"^(GB|JGJ|CJJ|DB[0-9]{0,2})[\s0-9]", head) else "recommended"


def faults(edition: Edition) -> list[EditionFault]:
    """Dates that contradict each other, and a successor that is itself."""
    found = []
    published, effective, withdrawn = edition.published_on, edition.effective_on, edition.withdrawn_on
    if published and effective and effective < published:
        message = f"It would take effect on {effective}, before it was published on {published}."
        found.append(EditionFault("effective_on", "EffectiveBeforePublished", message))
    begin = effective or published
    if withdrawn and begin and withdrawn < begin:
        message = f"It would be withdrawn on {withdrawn}, before it began on {begin}."
        found.append(EditionFault("withdrawn_on", "WithdrawnBeforeEffective", message))
    if edition.replaced_by and edition_key(edition.replaced_by) == edition_key(edition.designation):
        found.append(EditionFault("replaced_by", "ReplacedByItself", f"{edition.designation} cannot follow itself."))
    return found


def reopens(before: Edition, after: Edition, *, on: date) -> bool:
    """Whether an edition that is withdrawn on a day would count again: new orders would take what they refuse."""
    days = [(each.effective_on, each.withdrawn_on) for each in (before, after)]
    first, second = (status_on(effective_on=begin, withdrawn_on=end, on=on) for begin, end in days)
    return first is EditionStatus.WITHDRAWN and second is not EditionStatus.WITHDRAWN


def status_on(*, effective_on: date | None, withdrawn_on: date | None, on: date) -> EditionStatus:
    """In force from its day on, until the day it is withdrawn; that day it is withdrawn already."""
    if withdrawn_on is not None and on >= withdrawn_on:
        return EditionStatus.WITHDRAWN
    if effective_on is not None and on < effective_on:
        return EditionStatus.COMING
    return EditionStatus.IN_FORCE
