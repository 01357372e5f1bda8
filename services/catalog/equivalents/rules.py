"""Who may decide on a substitute, who sees it then, and how it ends. Pure."""

from collections.abc import Collection, Iterable
from enum import StrEnum
from uuid import UUID


class EquivalentStatus(StrEnum):
    """PROPOSED ends in APPROVED or REJECTED by a second person; what is not rejected may be withdrawn."""

    PROPOSED = "PROPOSED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"


class EquivalentScope(StrEnum):
    """For whom: the proposing company and its group, or everyone, which an operator decides."""

    OWN = "own"
    EVERYONE = "everyone"


class Decision(StrEnum):
    """What a second person says."""

    APPROVE = "approve"
    REJECT = "reject"


TRANSITIONS = frozenset(
    {
        (EquivalentStatus.PROPOSED, EquivalentStatus.APPROVED),
        (EquivalentStatus.PROPOSED, EquivalentStatus.REJECTED),
        (EquivalentStatus.PROPOSED, EquivalentStatus.WITHDRAWN),
        (EquivalentStatus.APPROVED, EquivalentStatus.WITHDRAWN),
    }
)


def countable_alike(of: Collection[str], substitute: Collection[str]) -> bool:
    """Whether two variants, each by the units it is counted in, share one: a quantity of the first then says how
    much of the other is meant."""
    return not set(of).isdisjoint(substitute)


def may_become(before: EquivalentStatus, after: EquivalentStatus) -> bool:
    """Whether an equivalent may go from one status to another."""
    return (before, after) in TRANSITIONS


def audience_of(
    *,
    status: EquivalentStatus,
    scope: EquivalentScope,
    company_id: UUID,
    group_id: UUID | None,
    everyone: Iterable[str],
) -> list[str]:
    """The audience keys (`shared.audience`): until it is approved the company's own, whatever it is proposed for.

    `everyone` are the keys that open an object to all.
    """
    keys = {f"company:{company_id}"}
    if status is EquivalentStatus.APPROVED:
        if scope is EquivalentScope.EVERYONE:
            keys |= set(everyone)
        elif group_id is not None:
            keys.add(f"group:{group_id}")
    return sorted(keys)
