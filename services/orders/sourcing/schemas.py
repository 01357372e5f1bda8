"""Bodies of the joint purchasing routes."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from services.orders.sourcing.rules import NoticeStatus
from shared.contracts.fields import Answer, Body, CalendarDate, Code, ExactDecimal, Name, RegionCode, Text

LINES_AT_MOST = 50
Category = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,60}$"), Field(examples=["finishes_misc"])]
Quantity = Annotated[
    ExactDecimal,
    Field(gt=0, lt=10**12, max_digits=15, decimal_places=3, examples=["120.000"], description="In `unit`."),
]
LineNo = Annotated[int, Field(ge=1, le=LINES_AT_MOST)]


class LineGiven(Body):
    """One component that is wanted together."""

    type_code: Code = Field(examples=["DOOR-FIRE"])
    variant_key: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = Field(
        default=None, description="None: any variant of the type."
    )
    unit: Code = Field(examples=["pcs"])
    quantity: Quantity | None = Field(default=None, description="How much the opening group wants itself, if any.")


class NoticeGiven(Body):
    """A joint purchase, proposed to the groups of a circle."""

    category: Category
    circle_id: UUID | None = Field(
        default=None, description="At S2 it is the circle of the stage; at S3 name one your group stands in."
    )
    title: Name = Field(examples=["钢质防火门 2027年一季度"])
    note: Text | None = None
    region: RegionCode
    month: CalendarDate = Field(description="When it is wanted: the first day of the month.", examples=["2027-03-01"])
    closes_at: AwareDatetime
    lines: list[LineGiven] = Field(min_length=1, max_length=LINES_AT_MOST)


class WantedLine(Body):
    """How much of a line your group wants."""

    line_no: LineNo
    quantity: Quantity


class Participation(Body):
    """All that your group wants of the notice; what it wanted before is replaced."""

    lines: list[WantedLine] = Field(min_length=1, max_length=LINES_AT_MOST)

    @model_validator(mode="after")
    def _each_line_once(self) -> "Participation":
        if len({line.line_no for line in self.lines}) < len(self.lines):
            message = "name each line once"
            raise ValueError(message)
        return self


class Cancellation(Body):
    """Why the purchase is not pursued."""

    reason: Annotated[Text, Field(min_length=1)]


class PoolView(Answer):
    """What is wanted by all together."""

    total: Decimal | None = Field(
        description="Said once the notice has closed, and only where at least three groups want the line."
    )
    at_least: Decimal = Field(description="The total lies from here on …")
    below: Decimal | None = Field(description="… and below this. None beside a total, or while nobody wants any.")


class LineView(Answer):
    """A line with its pool, and what your own group wants; no other group's quantity is ever shown."""

    line_no: int
    type_code: str
    variant_key: str | None
    unit: str
    groups: int = Field(description="How many groups want it.")
    pool: PoolView
    own_quantity: Decimal | None = Field(description="Seen by your group alone.")


class NoticeView(Answer):
    """A joint purchasing notice as your group sees it."""

    id: UUID
    group_id: UUID = Field(description="Who opened it.")
    category: str
    circle_id: UUID
    title: str
    note: str | None
    region: str
    month: date
    closes_at: datetime
    status: NoticeStatus
    participants: int
    opened_at: datetime
    ended_at: datetime | None
    cancel_reason: str | None
    version: int
    lines: list[LineView]


class ResultLine(Answer):
    """What was pooled of a line."""

    line_no: int
    type_code: str
    variant_key: str | None
    unit: str
    groups: int
    pool: PoolView


class ResultView(Answer):
    """The result document. Each group now contracts for itself; this binds nobody to buy."""

    notice_id: UUID
    category: str
    region: str
    month: date
    closed_at: datetime
    participant_ids: list[UUID] = Field(description="Who takes part, told to those who do.")
    lines: list[ResultLine]


class HistoryEntry(Answer):
    """One entry, with the hash that binds it to all before it."""

    seq: int
    entry: dict[str, Any]
    hash: str


class HistoryView(Answer):
    """A notice's history and whether it is whole."""

    intact: bool
    fault: str | None
    entries: list[HistoryEntry]
