"""What may become of a project."""

from enum import StrEnum


class ProjectStatus(StrEnum):
    """Whether goods may be ordered for it."""

    ACTIVE = "ACTIVE"
    ON_HOLD = "ON_HOLD"
    """Nothing new is ordered; what is ordered arrives."""
    CLOSED = "CLOSED"


PROJECT_MOVES = frozenset(
    {
        (ProjectStatus.ACTIVE, ProjectStatus.ON_HOLD),
        (ProjectStatus.ON_HOLD, ProjectStatus.ACTIVE),
        (ProjectStatus.ACTIVE, ProjectStatus.CLOSED),
        (ProjectStatus.ON_HOLD, ProjectStatus.CLOSED),
    }
)
"""Legal moves; a closed project stays closed."""


def may_move(old: ProjectStatus, new: ProjectStatus) -> bool:
    """Whether a project may go from `old` to `new`; staying is no move."""
    return old == new or (old, new) in PROJECT_MOVES
