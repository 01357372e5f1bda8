"""Bodies of the register of standards."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from services.catalog.standards.rules import Edition, EditionStatus
from shared.contracts.fields import Answer, Body, CalendarDate, Name, Text
from shared.contracts.standards import EditionState, StandardKind
from shared.designations import folded

EditionCheck = Literal["seen", "own", "verify", "edition_unclear"]


def _one_line(value: Any) -> Any:
    return folded(value) if isinstance(value, str) else value


Designation = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$"),
    BeforeValidator(_one_line),
    Field(examples=["GB 1499.2-2024"]),
]
StandardDate = Annotated[date, Field(ge=date(1949, 1, 1), le=date(2199, 12, 31))]
"""Standards are older than the business that follows them."""


class NewEdition(Body):
    """An edition as a document tells it."""

    number: Designation = Field(description="Without the year.", examples=["GB 1499.2"])
    edition: Annotated[str, StringConstraints(pattern=r"^((19|20)[0-9]{2}([A-Z][0-9]?)?)?$")] = Field(
        default="", description="The year; empty when the document has none.", examples=["2024"]
    )
    title: Name
    kind: StandardKind
    published_on: StandardDate | None = None
    effective_on: StandardDate | None = None
    withdrawn_on: StandardDate | None = None
    replaced_by: Designation | None = Field(default=None, description="The designation of its successor.")
    source: Name = Field(examples=["SAMR announcement 2024 no. 12"])
    edition_check: EditionCheck = "verify"
    reason: Text = ""

    @property
    def as_rule(self) -> Edition:
        return Edition(**{name: getattr(self, name) for name in Edition.__dataclass_fields__})


class Withdrawal(Body):
    """From which day an edition is no longer in force, and which document says so."""

    designation: Designation
    withdrawn_on: CalendarDate
    replaced_by: Designation | None = None
    source: Name
    reason: Text = ""


class EditionView(EditionState):
    """One edition of the register."""

    status: EditionStatus = Field(description="On the day asked about.")
    updated_at: datetime


class DecisionView(Answer):
    """One entry of a register's history, chained to the one before by its hash."""

    number: int
    entry: dict[str, Any]
    hash: str = Field(description="SHA-256, hexadecimal.")
    decided_at: datetime


class ImportProblem(Answer):
    """Why a row was not taken."""

    row: int = Field(description="As a spreadsheet counts: the header is row 1.")
    field: str
    code: str
    message: str


class ImportReport(Answer):
    """What a file did, or would do; `created + changed + unchanged + rejected` is the number of its rows."""

    dry_run: bool
    created: int
    changed: int
    unchanged: int
    rejected: int
    problems: list[ImportProblem]
