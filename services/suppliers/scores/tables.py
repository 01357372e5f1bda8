"""Inputs of scores, scores, appeals against inputs, and evaluations that people wrote."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.suppliers.schema import Table
from services.suppliers.scores.rules import AppealStatus, Dimension, LineFact, OrderFact, Outcome, ScoreStatus


class ScoreInput(Table, table=True):
    """One order's lines of one category, as `orders` last told them. Excluded by a granted appeal, never removed."""

    __tablename__ = "score_inputs"
    __table_args__ = (
        CheckConstraint("weight_class BETWEEN 1 AND 5", name="weight_class"),
        CheckConstraint(
            "num_nonnulls(excluded_at, excluded_by, excluded_reason) IN (0, 3)",
            name="excluded",
        ),
        Index("ix_score_inputs_placed_on", "group_id", "supplier_id", "category", "placed_on"),
        Index(None, "supplier_id"),
    )

    group_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    category: str = Field(sa_column=Column(Text, primary_key=True))
    order_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    buyer_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    order_number: str = Field(sa_column=Column(Text, nullable=False))
    placed_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    placed_on: date = Field(sa_column=Column(Date, nullable=False))
    answered_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    weight_class: int = Field(sa_column=Column(SmallInteger, nullable=False))
    lines: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    """line_no, outcome, in_full, on_time."""
    order_version: int = Field(sa_column=Column(Integer, nullable=False))
    assessed_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    excluded_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    excluded_by: UUID | None = Field(default=None, sa_column=Column(Uuid))
    excluded_reason: str | None = Field(default=None, sa_column=Column(Text))

    @property
    def fact(self) -> OrderFact:
        """The input as the formula takes it."""
        return OrderFact(
            order_id=self.order_id,
            placed_at=self.placed_at,
            answered_at=self.answered_at,
            weight_class=self.weight_class,
            lines=[
                LineFact(outcome=Outcome(line["outcome"]), in_full=line["in_full"], on_time=line["on_time"])
                for line in self.lines
            ],
        )


class ScoreDue(Table, table=True):
    """A score that has to be computed again: an input came or changed, or will be too old that day."""

    __tablename__ = "score_due"
    __table_args__ = (Index(None, "due_on"),)

    group_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    category: str = Field(sa_column=Column(Text, primary_key=True))
    due_on: date = Field(sa_column=Column(Date, primary_key=True))


class ComputedScore(Table, table=True):
    """What the formula said at one time; the newest number counts. Append-only."""

    __tablename__ = "scores"
    __table_args__ = (
        CheckConstraint("status IN ('NEW', 'SCORED')", name="status"),
        CheckConstraint("(status = 'SCORED') = (overall IS NOT NULL)", name="overall"),
        CheckConstraint("overall BETWEEN 0 AND 100", name="points"),
        Index(None, "supplier_id"),
    )

    group_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    category: str = Field(sa_column=Column(Text, primary_key=True))
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    formula: int = Field(sa_column=Column(SmallInteger, nullable=False))
    window_from: date = Field(sa_column=Column(Date, nullable=False))
    window_to: date = Field(sa_column=Column(Date, nullable=False))
    orders: int = Field(sa_column=Column(Integer, nullable=False))
    status: str = Field(default=ScoreStatus.NEW, sa_column=Column(Text, nullable=False))
    overall: Decimal | None = Field(default=None, sa_column=Column(Numeric(5, 2)))
    dimensions: dict[str, str | None] = Field(sa_column=Column(JSONB, nullable=False))
    inputs_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """Of the inputs that counted: the same inputs give no new row."""
    computed_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class ScoreNotice(Table, table=True):
    """The newest score in its reduced form, by dimension, for those who hold one of its keys. A table of its own, so
    that the second wall opens these members to other groups and no others."""

    __tablename__ = "score_notices"
    __table_args__ = (
        Index(None, "supplier_id", "category"),
        Index(None, "audience_keys", postgresql_using="gin"),
    )

    group_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    category: str = Field(sa_column=Column(Text, primary_key=True))
    dimensions: dict[str, str | None] = Field(sa_column=Column(JSONB, nullable=False))
    computed_on: date = Field(sa_column=Column(Date, nullable=False))
    audience_keys: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    pooled: bool
    """Whether it may stand in an aggregate that every member sees."""

    @property
    def points(self) -> dict[Dimension, Decimal | None]:
        """By dimension."""
        said = self.dimensions
        return {each: None if (points := said.get(each)) is None else Decimal(points) for each in Dimension}


class ScoreAppeal(Table, table=True):
    """What a supplier says against an input of its score, and the group's answer."""

    __tablename__ = "score_appeals"
    __table_args__ = (
        CheckConstraint("status IN ('PENDING', 'CONFIRMED', 'CORRECTED')", name="status"),
        CheckConstraint(
            "(status = 'PENDING') = (num_nonnulls(answer, answered_by, answered_at) = 0)",
            name="answered",
        ),
        CheckConstraint("answered_by <> filed_by", name="another_person"),
        Index(
            "ix_score_appeals_one_pending",
            "group_id",
            "supplier_id",
            "category",
            "order_id",
            unique=True,
            postgresql_where=text("status = 'PENDING'"),
        ),
        Index(None, "supplier_id"),
    )

    group_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    supplier_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    category: str = Field(sa_column=Column(Text, nullable=False))
    order_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    text: str = Field(sa_column=Column(Text, nullable=False))
    evidence: str | None = Field(default=None, sa_column=Column(Text))
    status: str = Field(default=AppealStatus.PENDING, sa_column=Column(Text, nullable=False))
    filed_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    filed_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    answer: str | None = Field(default=None, sa_column=Column(Text))
    answered_by: UUID | None = Field(default=None, sa_column=Column(Uuid))
    answered_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))


class Evaluation(Table, table=True):
    """What a person of a contractor wrote about a supplier. Shown beside scores, never part of one. Append-only."""

    __tablename__ = "evaluations"
    __table_args__ = (
        CheckConstraint("score BETWEEN 0 AND 100", name="score"),
        CheckConstraint("reason <> ''", name="reason"),
        Index("uq_evaluations_group_id_source_key", "group_id", "source_key", unique=True),
        Index(None, "supplier_id"),
    )

    group_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    supplier_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    category: str | None = Field(default=None, sa_column=Column(Text))
    dated_on: date = Field(sa_column=Column(Date, nullable=False))
    dimension: str = Field(sa_column=Column(Text, nullable=False))
    score: Decimal = Field(sa_column=Column(Numeric(5, 2), nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    source_key: str = Field(sa_column=Column(Text, nullable=False))
    """Names where it comes from, so that it is written once however often it is told."""
    entered_by: UUID | None = Field(default=None, sa_column=Column(Uuid))
    """None: imported."""
    entered_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class EvaluationReply(Table, table=True):
    """What the supplier says to an evaluation, once. Append-only, like the evaluation."""

    __tablename__ = "evaluation_replies"
    __table_args__ = (
        ForeignKeyConstraint(
            ["group_id", "evaluation_id"],
            ["evaluations.group_id", "evaluations.id"],
            name="fk_evaluation_replies_group_id_evaluation_id_evaluations",
        ),
        CheckConstraint("text <> ''", name="text"),
        Index(None, "supplier_id"),
    )

    group_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    evaluation_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    supplier_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    text: str = Field(sa_column=Column(Text, nullable=False))
    replied_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    replied_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
