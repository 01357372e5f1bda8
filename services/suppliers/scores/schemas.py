"""Bodies of the score routes."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from services.suppliers.scores.rules import AppealStatus, Outcome, ScoreStatus
from shared.contracts.fields import Answer, Body, CalendarDate, Code, ExactDecimal, Name, Text

Words = Annotated[Text, Field(min_length=5)]
Points = Annotated[ExactDecimal, Field(ge=0, le=100, max_digits=5, decimal_places=2, examples=["87.50"])]
Dimensions = Annotated[
    dict[str, Decimal | None], Field(description="0 to 100; null: no data, for want of documents that tell.")
]


class ScoreView(Answer):
    """What the facts of twelve months say; NEW: fewer than five orders, so nothing."""

    group_id: UUID
    supplier_id: UUID
    category: str
    status: ScoreStatus
    overall: Decimal | None
    dimensions: Dimensions
    orders: int = Field(description="That counted.")
    window_from: date
    window_to: date
    formula: int = Field(description="Version of the formula.")
    number: int
    computed_at: datetime


class OtherScore(Answer):
    """What another group of your circle found, by dimension."""

    group_id: UUID
    category: str
    dimensions: Dimensions
    computed_on: date


class ScoresOfSupplier(Answer):
    """Your group's scores of a supplier, and what the groups of your circles let you know."""

    own: list[ScoreView]
    circle: list[OtherScore]


class PooledScore(Answer):
    """What at least three contractor groups, yours not counted, say together; null: not enough data."""

    category: str
    dimensions: Dimensions
    enough_data: bool


class InputLine(Answer):
    """One line of an order."""

    line_no: int
    outcome: Outcome
    in_full: bool
    on_time: bool


class InputView(Answer):
    """One order as it counts: nothing of it is an amount."""

    group_id: UUID
    category: str
    order_id: UUID
    order_number: str
    placed_at: datetime
    answered_at: datetime | None
    weight_class: int = Field(description="Band of the order's size, 1 to 5; its weight.")
    lines: list[InputLine]
    points: Dimensions
    excluded_at: datetime | None
    excluded_reason: str | None


class ScoreAppealFiled(Body):
    """Why an input is wrong."""

    group_id: UUID
    category: Code
    order_id: UUID
    text: Words
    evidence: Text | None = None


class ScoreAppealAnswer(Body):
    """`correct` excludes the input and computes the score again; `confirm` leaves it."""

    decision: Literal["correct", "confirm"]
    answer: Words


class ScoreAppealView(Answer):
    """An appeal against an input of a score."""

    id: UUID
    group_id: UUID
    supplier_id: UUID
    category: str
    order_id: UUID
    text: str
    evidence: str | None
    status: AppealStatus
    filed_at: datetime
    answer: str | None
    answered_at: datetime | None


class EvaluationEntered(Body):
    """What a person of a contractor says of a supplier. It never changes a score."""

    category: Code | None = None
    dated_on: CalendarDate
    dimension: Name = Field(examples=["site service"])
    score: Points
    reason: Words


class EvaluationReplied(Body):
    """What the supplier says to an evaluation."""

    text: Words


class EvaluationView(Answer):
    """What somebody wrote, beside the facts."""

    id: UUID
    group_id: UUID
    supplier_id: UUID
    category: str | None
    dated_on: date
    dimension: str
    score: Decimal
    reason: str
    imported: bool
    entered_at: datetime
    reply: str | None = Field(description="What the supplier says to it.")
    replied_at: datetime | None
