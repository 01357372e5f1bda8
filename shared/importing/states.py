"""What an import and a row of it may become (domain.md 3.3). Pure."""

from enum import StrEnum


class JobState(StrEnum):
    """An import, from the file to what others see."""

    UPLOADED = "UPLOADED"
    PARSED = "PARSED"
    VALIDATED = "VALIDATED"
    MATCHED = "MATCHED"
    IN_REVIEW = "IN_REVIEW"
    APPROVED = "APPROVED"
    PUBLISHED = "PUBLISHED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    ROLLED_BACK = "ROLLED_BACK"


MOVES: frozenset[tuple[JobState, JobState]] = frozenset(
    {
        (JobState.UPLOADED, JobState.PARSED),
        (JobState.PARSED, JobState.VALIDATED),
        (JobState.VALIDATED, JobState.MATCHED),
        (JobState.MATCHED, JobState.IN_REVIEW),
        (JobState.IN_REVIEW, JobState.APPROVED),
        (JobState.APPROVED, JobState.PUBLISHED),
        (JobState.PUBLISHED, JobState.ROLLED_BACK),
        *((of, JobState.FAILED) for of in (JobState.UPLOADED, JobState.PARSED, JobState.VALIDATED, JobState.APPROVED)),
        *(
            (of, JobState.CANCELLED)
            for of in (
                JobState.UPLOADED,
                JobState.PARSED,
                JobState.VALIDATED,
                JobState.MATCHED,
                JobState.IN_REVIEW,
                JobState.APPROVED,
            )
        ),
    }
)
MACHINES = (JobState.UPLOADED, JobState.PARSED, JobState.VALIDATED, JobState.APPROVED)
"""States in which the next move is the worker's."""
OVER = (JobState.FAILED, JobState.CANCELLED, JobState.ROLLED_BACK)
"""The same file may be sent again after these."""


class RowState(StrEnum):
    """One row of a file. What exactly became of it is its `outcome`, a word of the kind of file."""

    TAKEN = "TAKEN"
    """Read, not judged yet."""
    READY = "READY"
    """Takes effect when the import is published."""
    WAITING = "WAITING"
    """A person decides."""
    DECLINED = "DECLINED"
    """A person said no."""
    REFUSED = "REFUSED"
    """Cannot take effect; `outcome` is the code that says why."""


def may_move(before: JobState, after: JobState) -> bool:
    """Whether it is a legal move."""
    return (before, after) in MOVES
