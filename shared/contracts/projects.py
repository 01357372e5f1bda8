"""Bodies and answers of a contractor's projects and their delivery points, for its own people."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.fields import Answer, Body, Code, Name, RegionCode, Text

ProjectStatusText = Literal["ACTIVE", "ON_HOLD", "CLOSED"]


class DeliveryPointBody(Body):
    """A place goods are delivered to."""

    name: Name = Field(examples=["Gate 2, north yard"])
    region: RegionCode
    address: Annotated[Text, Field(min_length=1)] = Field(examples=["北京市朝阳区建国路1号"])
    contact_name: Name | None = Field(default=None, examples=["王工"])
    contact_phone: Name | None = Field(default=None, examples=["+86 138 0000 0000"])
    active: bool = True


class ProjectBody(Body):
    """A project of the caller's company."""

    number: Code = Field(examples=["BJ-2026-07"])
    name: Name = Field(examples=["建国路商务楼"])
    status: ProjectStatusText = "ACTIVE"


class NewProjectBody(ProjectBody):
    """A project with its first delivery points."""

    delivery_points: list[DeliveryPointBody] = Field(default_factory=list, max_length=100)


class DeliveryPointView(Answer):
    """A delivery point; `version` is what If-Match names when it is changed."""

    id: UUID
    project_id: UUID
    name: str
    region: str
    address: str
    contact_name: str | None
    contact_phone: str | None
    active: bool
    version: int


class ProjectView(Answer):
    """A project as a list shows it."""

    id: UUID
    number: str
    name: str
    status: ProjectStatusText
    version: int
    created_at: datetime
    updated_at: datetime


class ProjectWithPoints(ProjectView):
    """A project and where its goods go."""

    delivery_points: list[DeliveryPointView]
