"""The states of an admission, and when one may rest on another group's decision. Pure."""

from collections.abc import Collection
from datetime import date
from enum import StrEnum


class AdmissionStatus(StrEnum):
    """Only ADMITTED opens the supplier's offers to the group; ENDED is final, a new admission is a new document."""

    ADMITTED = "ADMITTED"
    SUSPENDED = "SUSPENDED"
    LAPSED = "LAPSED"
    """Its last day has passed."""
    ENDED = "ENDED"


TRANSITIONS = frozenset(
    {
        (AdmissionStatus.ADMITTED, AdmissionStatus.ADMITTED),
        (AdmissionStatus.SUSPENDED, AdmissionStatus.ADMITTED),
        (AdmissionStatus.LAPSED, AdmissionStatus.ADMITTED),
        (AdmissionStatus.ADMITTED, AdmissionStatus.SUSPENDED),
        (AdmissionStatus.ADMITTED, AdmissionStatus.LAPSED),
        (AdmissionStatus.ADMITTED, AdmissionStatus.ENDED),
        (AdmissionStatus.SUSPENDED, AdmissionStatus.ENDED),
        (AdmissionStatus.LAPSED, AdmissionStatus.ENDED),
    }
)
"""ADMITTED to ADMITTED is a renewal: another last day, level, grade or evidence."""

GROUP_KINDS = frozenset({"contractor_group", "contractor"})
"""What a company must be to admit suppliers, beside standing under nobody."""


def may_become(before: AdmissionStatus, after: AdmissionStatus) -> bool:
    """Whether an admission may go from one state to another."""
    return (before, after) in TRANSITIONS


def stands(status: str, until: date | None, *, on: date) -> bool:
    """Whether an admission is good on a day."""
    return status == AdmissionStatus.ADMITTED and (until is None or on <= until)


def takes_part_as_group(*, kinds: Collection[str], status: str) -> bool:
    """Whether a company of `members` may have suppliers of its own."""
    return status == "ACTIVE" and not GROUP_KINDS.isdisjoint(kinds)
