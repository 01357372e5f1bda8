"""What is told about a row of a file."""

from dataclasses import dataclass
from enum import StrEnum

KEPT_AT_MOST = 10_000
"""Problems of one file that are kept; all are counted."""


class DryRun(Exception):  # noqa: N818 - not a fault: raised to leave a savepoint with nothing kept
    """A dry run has seen enough; what it wrote is undone."""


class Kind(StrEnum):
    """What a file brings."""

    CODES = "CODES"
    DICTIONARY = "DICTIONARY"


class Severity(StrEnum):
    """Whether the row was left out, or taken with a change."""

    REJECTED = "rejected"
    WARNING = "warning"


@dataclass(frozen=True, kw_only=True, slots=True)
class RowProblem:
    """One remark about one row."""

    severity: Severity
    row: str
    field: str
    code: str
    message: str


def formula_safe(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
