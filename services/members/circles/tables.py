"""Circles, the standings of groups in them, what members agreed to, and their history."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKey, Index, LargeBinary, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.members.circles.rules import CircleStatus, StandingStatus
from services.members.schema import Table


class Circle(Table, table=True):
    """A federation of contractor groups. `party_ids` repeats who is a member of it or invited: the second wall asks it.

    After dissolution it names those who were members then: they may still read the history.
    """

    __tablename__ = "circles"
    __table_args__ = (
        CheckConstraint("status IN ('ACTIVE', 'DISSOLVED')", name="status"),
        CheckConstraint("num_nonnulls(dissolved_at, dissolved_reason) <> 1", name="dissolved"),
        CheckConstraint("(status = 'DISSOLVED') = (dissolved_at IS NOT NULL)", name="dissolved_status"),
        CheckConstraint("cardinality(party_ids) > 0", name="parties"),
        CheckConstraint("lead_id = ANY (party_ids)", name="lead"),
        CheckConstraint("version >= 1 AND history_length >= 1", name="version"),
        Index("ix_circles_party_ids", "party_ids", postgresql_using="gin"),
    )

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    name: str = Field(sa_column=Column(Text, nullable=False))
    purpose: str = Field(sa_column=Column(Text, nullable=False))
    status: str = Field(default=CircleStatus.ACTIVE, sa_column=Column(Text, nullable=False))
    lead_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("companies.id"), nullable=False))
    """The group that removes and dissolves: the founder, after it the member that stands there longest."""
    party_ids: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    version: int = 1
    history_length: int = 0
    history_hash: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    dissolved_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    dissolved_reason: str | None = Field(default=None, sa_column=Column(Text))


class CircleStanding(Table, table=True):
    """A group in a circle, from its invitation to its end. The group stands there from `valid_from` to `valid_until`.

    The migration adds what keeps a group to one standing at a time (an exclusion constraint).
    """

    __tablename__ = "circle_standings"
    __table_args__ = (
        CheckConstraint(
            "status IN ('INVITED', 'ACTIVE', 'DECLINED', 'WITHDRAWN', 'LEFT', 'REMOVED', 'DISSOLVED')", name="status"
        ),
        CheckConstraint("valid_until >= valid_from", name="period"),
        CheckConstraint(
            "(valid_from IS NOT NULL) = (status IN ('ACTIVE', 'LEFT', 'REMOVED', 'DISSOLVED'))", name="began"
        ),
        CheckConstraint("(valid_until IS NOT NULL) = (status IN ('LEFT', 'REMOVED', 'DISSOLVED'))", name="ended"),
        CheckConstraint("status <> 'REMOVED' OR end_reason IS NOT NULL", name="removed_why"),
        CheckConstraint("num_nonnulls(ended_at, ended_by) <> 1", name="ended_by"),
        CheckConstraint("NOT coalesce(answered_by = ANY (agreed_people), false)", name="two_persons"),
        Index(
            "ix_circle_standings_open",
            "circle_id",
            "group_id",
            unique=True,
            postgresql_where=text("status IN ('INVITED', 'ACTIVE')"),
        ),
        Index(None, "circle_id"),
    )

    group_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("companies.id"), primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    circle_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("circles.id"), nullable=False))
    status: str = Field(sa_column=Column(Text, nullable=False))
    invited_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    invited_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    """The member group that proposed it; the founder itself for the founder."""
    agreed_ids: list[UUID] = Field(default_factory=list, sa_column=Column(ARRAY(Uuid), nullable=False))
    """The members that agreed to this newcomer."""
    agreed_people: list[UUID] = Field(default_factory=list, sa_column=Column(ARRAY(Uuid), nullable=False))
    """Who invited or agreed for them: none of these accepts for the newcomer."""
    answered_by: UUID | None = Field(default=None, sa_column=Column(Uuid))
    valid_from: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    valid_until: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    ended_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    ended_by: UUID | None = Field(default=None, sa_column=Column(Uuid))
    end_reason: str | None = Field(default=None, sa_column=Column(Text))

    @property
    def is_open(self) -> bool:
        return self.status in {StandingStatus.INVITED, StandingStatus.ACTIVE}


class CircleHistory(Table, table=True):
    """What happened to a circle, each entry hashed with the one before. Append-only."""

    __tablename__ = "circle_history"

    circle_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("circles.id"), primary_key=True))
    seq: int = Field(primary_key=True)
    entry: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
