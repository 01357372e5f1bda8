"""Bodies of the circle routes."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from services.members.circles.rules import CircleStatus, StandingStatus
from shared.contracts.fields import Answer, Body, Name, Text

Reason = Annotated[Text, Field(min_length=2, examples=["合同期满，不再续约"])]


class CircleFounded(Body):
    """A new circle."""

    name: Name = Field(examples=["长三角总承包联合采购圈"])
    purpose: Text = Field(default="", examples=["共享供应商资格与零星材料目录"])


class GroupInvited(Body):
    """The contractor group to invite, by the company at its top."""

    group_id: UUID


class Leaving(Body):
    """Why the group leaves; others read it in the history."""

    reason: Reason | None = None


class ReasonGiven(Body):
    """Why; all parties read it in the history."""

    reason: Reason


class StandingView(Answer):
    """A group's place in the circle: it stands there from `valid_from` until `valid_until`."""

    group_id: UUID
    status: StandingStatus
    invited_at: datetime
    invited_by: UUID
    agreed_ids: list[UUID] = Field(description="The members that agreed to it.")
    valid_from: datetime | None
    valid_until: datetime | None
    ended_at: datetime | None
    end_reason: str | None


class CircleView(Answer):
    """A circle as its parties see it."""

    id: UUID
    name: str
    purpose: str
    status: CircleStatus
    lead_id: UUID
    version: int
    created_at: datetime
    dissolved_at: datetime | None
    dissolved_reason: str | None


class CircleRecord(CircleView):
    """A circle with everybody who stands or stood in it."""

    standings: list[StandingView]
    independent_groups: int = Field(
        description="Members not under common control today: distinct companies at the top of their chains."
    )


class HistoryView(Answer):
    """The whole history of a document and whether its hash chain holds."""

    entries: list[dict[str, Any]] = Field(
        examples=[[{"seq": 1, "what": "founded", "at": "2026-03-02T01:30:00+00:00", "hash": "5f…"}]]
    )
    intact: bool
    fault: str | None
