"""The supplier's states and what each may become (domain.md 5.3; the steps before REGISTERED come later)."""

from enum import StrEnum


class SupplierStatus(StrEnum):
    """Only a QUALIFIED supplier's offers are shown and ordered; the others may keep their data current."""

    REGISTERED = "REGISTERED"
    QUALIFIED = "QUALIFIED"
    SUSPENDED = "SUSPENDED"
    EXITED = "EXITED"


class Decision(StrEnum):
    """What an operator decides about a supplier; each stands in its history."""

    REGISTERED = "registered"
    QUALIFIED = "qualified"
    SUSPENDED = "suspended"
    EXITED = "exited"
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
