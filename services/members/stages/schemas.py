"""Bodies of the stage routes."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path
from pydantic import AwareDatetime, Field, StringConstraints

from services.members.circles.schemas import Reason
from services.members.stages.rules import ChangeStatus, EvidenceKind, Gate
from shared.audience import Stage
from shared.contracts.fields import Answer, Body, CalendarDate, Name

Category = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,59}$"),
    Path(description="A category of the catalog.", examples=["finishes_misc"]),
]


class ChangeDrafted(Body):
    """One step forward."""

    to_stage: Literal[Stage.S2, Stage.S3] = Field(examples=["S2"])
    circle_id: UUID | None = Field(default=None, description="To S2: the circle the category is opened to.")
    reason: Reason


class Announcement(Body):
    """From when on the category is open further: at least seven days ahead."""

    effective_from: AwareDatetime = Field(examples=["2026-05-01T00:00:00+08:00"])


class EvidenceGiven(Body):
    """What the operator vouches for, and where it can be read."""

    kind: EvidenceKind
    state: Annotated[str, StringConstraints(pattern=r"^[a-z_]{2,20}$")] = Field(examples=["green"])
    group_id: UUID | None = Field(default=None, description="For `public_tender_duty` alone.")
    on: CalendarDate = Field(description="The day it happened.", examples=["2026-04-20"])
    reference: Name = Field(examples=["confidentiality suite, run 4711, commit 829a9dc"])


class EvidenceView(Answer):
    """Something on record for the gates."""

    id: UUID
    kind: EvidenceKind
    state: str
    group_id: UUID | None
    on: date
    reference: str
    recorded_at: datetime
    recorded_by: UUID


class GateView(Answer):
    """One gate as it stood when it was checked; `measured` is null when nobody measures it, and then it fails."""

    gate: Gate
    passed: bool
    required: str = Field(examples=[">= 0.8"])
    measured: str | None = Field(examples=["0.8312"])


class ChangeView(Answer):
    """The document of a stage change."""

    id: UUID
    group_id: UUID
    category: str
    from_stage: Stage
    to_stage: Stage
    circle_id: UUID
    reason: str
    status: ChangeStatus
    version: int
    created_at: datetime
    gates: list[GateView] | None
    gates_checked_at: datetime | None
    tenant_approved_at: datetime | None
    operator_approved_at: datetime | None
    announced_at: datetime | None
    effective_from: datetime | None
    effective_at: datetime | None
    suspended_at: datetime | None
    reverted_at: datetime | None
    end_reason: str | None


class CircleGroup(Answer):
    """A group that stands in the circle now."""

    id: UUID
    name: str


class ReportLineView(Answer):
    """How far one kind of object may be seen, at most, before and after the step."""

    kind: str = Field(examples=["listing"])
    before: str = Field(examples=["the group itself"])
    after: str = Field(examples=["the groups of the circle"])
    widens: bool


class LiveCount(Answer):
    """What the step opens to, or closes for, one kind of viewer, counted over the offers there are now."""

    viewer: str = Field(
        description="A group of the circle by its name, `members` (any company that takes part) or `public`.",
        examples=["蜀筑工程集团有限公司"],
    )
    group_id: UUID | None
    suppliers_opened: int
    offers_opened: int
    suppliers_closed: int
    offers_closed: int


class LiveObjects(Answer):
    """The live objects of the group in this category."""

    suppliers: int = Field(description="Admitted by the group now.")
    offers: int = Field(description="Their offers that are not withdrawn.")
    viewers: list[LiveCount]


class VisibilityReport(Answer):
    """What becomes visible to whom. Kinds of object that are not named stay as they are, agreement prices always."""

    category: str
    from_stage: Stage
    to_stage: Stage
    circle: list[CircleGroup]
    lines: list[ReportLineView]
    live: LiveObjects | None = Field(description="Null while `suppliers` cannot count them.")
