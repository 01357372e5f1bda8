"""The supplier's standing and what it may become (domain.md 5.3); the steps of an application are its own."""

from enum import StrEnum


class SupplierStatus(StrEnum):
    """Only a QUALIFIED supplier's offers are shown and ordered; the others may keep their data current."""

    REGISTERED = "REGISTERED"
    QUALIFIED = "QUALIFIED"
    SUSPENDED = "SUSPENDED"
    EXITED = "EXITED"


class Level(StrEnum):
    """How far a reviewer trusts a supplier; A is the highest."""

    A = "A"
    B = "B"
    C = "C"


class Decision(StrEnum):
    """What stands in a supplier's history: what was decided about it, and what it handed in."""

    REGISTERED = "registered"
    QUALIFIED = "qualified"
    SUSPENDED = "suspended"
    EXITED = "exited"
    INVITED = "invited"
    """It accepted a contractor's invitation."""
    APPLIED = "applied"
    IDENTITY_GIVEN = "identity_given"
    IDENTITY_VERIFIED = "identity_verified"
    IDENTITY_REFUSED = "identity_refused"
    PAPER_GIVEN = "paper_given"
    PAPER_ACCEPTED = "paper_accepted"
    PAPER_REFUSED = "paper_refused"
    PAPERS_ENDED = "papers_ended"
    """A paper's last day has passed: no new business in the categories that need it."""
    SUBMITTED = "submitted"
    REVIEW_TAKEN = "review_taken"
    RETURNED = "returned"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    AFFILIATION = "affiliation"
    """Not decided by anybody: it came into an operator's group, or out of it."""


TRANSITIONS = frozenset(
    {
        (SupplierStatus.REGISTERED, SupplierStatus.QUALIFIED),
        (SupplierStatus.QUALIFIED, SupplierStatus.QUALIFIED),
        (SupplierStatus.QUALIFIED, SupplierStatus.SUSPENDED),
        (SupplierStatus.SUSPENDED, SupplierStatus.QUALIFIED),
        (SupplierStatus.REGISTERED, SupplierStatus.EXITED),
        (SupplierStatus.QUALIFIED, SupplierStatus.EXITED),
        (SupplierStatus.SUSPENDED, SupplierStatus.EXITED),
    }
)
"""QUALIFIED to QUALIFIED is a renewal: other categories, regions or a later day."""


def may_become(before: SupplierStatus, after: SupplierStatus) -> bool:
    """Whether a supplier may go from one state to another."""
    return (before, after) in TRANSITIONS
