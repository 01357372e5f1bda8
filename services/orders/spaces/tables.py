"""Stages and circles, followed from `members`. A pair that is not listed is at S1."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, DateTime, Index, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from services.orders.schema import Table


class SeenStage(Table, table=True):
    """How far a group has opened a category."""

    __tablename__ = "seen_stages"
    __table_args__ = (
        CheckConstraint("stage IN ('S1', 'S2', 'S3')", name="stage"),
        CheckConstraint("(stage = 'S2') = (circle_id IS NOT NULL)", name="circle"),
    )

    group_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    category: str = Field(sa_column=Column(Text, primary_key=True))
    stage: str = Field(sa_column=Column(Text, nullable=False))
    circle_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    told_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class SeenCircle(Table, table=True):
    """Who stands in a circle now."""

    __tablename__ = "seen_circles"
    __table_args__ = (Index(None, "group_ids", postgresql_using="gin"),)

    circle_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    name: str = Field(sa_column=Column(Text, nullable=False))
    group_ids: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    told_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
