"""Who may enter and leave a circle, and when its members are independent of each other (domain.md 3.2)."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

GROUP_KINDS = frozenset({"contractor_group", "contractor"})
"""What a company must be to stand for a contractor group, beside being the top of its own chain."""


class CircleStatus(StrEnum):
    """A dissolved circle is kept for its history and opens nothing."""

    ACTIVE = "ACTIVE"
    DISSOLVED = "DISSOLVED"


class StandingStatus(StrEnum):
    """Where a group stands towards a circle."""

    INVITED = "INVITED"
    ACTIVE = "ACTIVE"
    DECLINED = "DECLINED"
    WITHDRAWN = "WITHDRAWN"
    """The circle took its invitation back."""
    LEFT = "LEFT"
    REMOVED = "REMOVED"
    DISSOLVED = "DISSOLVED"


STANDING_MOVES = frozenset(
    {
        (StandingStatus.INVITED, StandingStatus.ACTIVE),
        (StandingStatus.INVITED, StandingStatus.DECLINED),
        (StandingStatus.INVITED, StandingStatus.WITHDRAWN),
        (StandingStatus.ACTIVE, StandingStatus.LEFT),
        (StandingStatus.ACTIVE, StandingStatus.REMOVED),
        (StandingStatus.ACTIVE, StandingStatus.DISSOLVED),
    }
)
"""Legal moves. An ended standing stays ended; a group that returns is invited again and gets a new one."""


def may_move(*, old: StandingStatus, new: StandingStatus) -> bool:
    """Whether a standing may go from `old` to `new`."""
    return (old, new) in STANDING_MOVES


def stands_for_a_group(*, company_id: UUID, top_id: UUID, kinds: Collection[str]) -> bool:
    """Whether a company speaks for a contractor group: a contractor with nobody above it."""
    return company_id == top_id and not GROUP_KINDS.isdisjoint(kinds)


def consents_missing(*, members: Iterable[UUID], agreed: Collection[UUID]) -> list[UUID]:
    """The members that have not agreed to a newcomer.

    A newcomer sees what all members share with the circle, and only the owner of data widens who sees it (T6):
    so every member that stands in the circle at the moment of entry must have agreed.
    """
    return sorted(set(members) - set(agreed))


def independent(tops: Mapping[UUID, UUID]) -> int:
    """How many of the groups are not under common control: distinct companies at the top of their chains today."""
    return len(set(tops.values()))


def next_lead(standing: Iterable[tuple[UUID, datetime]]) -> UUID:
    """Who leads when the lead goes: the member that stands in the circle longest."""
    return min(standing, key=lambda each: (each[1], each[0]))[0]
