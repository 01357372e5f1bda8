"""Projects and their delivery points. Every row belongs to the buyer's company."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKeyConstraint, Index, Text, UniqueConstraint, Uuid
from sqlmodel import Field

from services.orders.projects.rules import ProjectStatus
from services.orders.schema import Table


class Project(Table, table=True):
    """A building site, or whatever else goods are bought for."""

    __tablename__ = "projects"
    __table_args__ = (
        UniqueConstraint("buyer_id", "number"),
        CheckConstraint("status IN ('ACTIVE', 'ON_HOLD', 'CLOSED')", name="status"),
    )

    buyer_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    number: str = Field(sa_column=Column(Text, nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    status: str = Field(default=ProjectStatus.ACTIVE, sa_column=Column(Text, nullable=False))
    version: int = 1
    created_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    updated_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class DeliveryPoint(Table, table=True):
    """Where a project's goods go: a gate, a yard, a floor's hoist."""

    __tablename__ = "delivery_points"
    __table_args__ = (
        ForeignKeyConstraint(["buyer_id", "project_id"], ["projects.buyer_id", "projects.id"]),
        CheckConstraint("region ~ '^[0-9]{2}([0-9]{4})?$'", name="region"),
        Index(None, "buyer_id", "project_id"),
    )

    buyer_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    project_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    region: str = Field(sa_column=Column(Text, nullable=False))
    address: str = Field(sa_column=Column(Text, nullable=False))
    contact_name: str | None = Field(default=None, sa_column=Column(Text))
    contact_phone: str | None = Field(default=None, sa_column=Column(Text))
    active: bool = True
    version: int = 1
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    updated_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
