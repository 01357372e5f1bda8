"""Endpoints, what is to be delivered to them, every attempt, and which suppliers a category concerns."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.members.schema import Table
from services.members.webhooks.rules import DeliveryStatus, EndpointStatus


class WebhookEndpoint(Table, table=True):
    """An address at which a company wants to be told.

    The secret signs what is sent, so it is kept readable, unlike those that sign somebody in; no answer repeats it.
    """

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        CheckConstraint("url ~ '^https?://' AND length(url) <= 2000", name="url"),
        CheckConstraint("cardinality(event_types) > 0", name="event_types"),
        CheckConstraint("secret LIKE 'whsec_%'", name="secret"),
        CheckConstraint("num_nonnulls(previous_secret, previous_secret_until) <> 1", name="previous_secret"),
        CheckConstraint("status IN ('ENABLED', 'DISABLED')", name="status"),
        CheckConstraint(
            "(status = 'DISABLED') = (disabled_at IS NOT NULL) AND num_nonnulls(disabled_at, disabled_why) <> 1",
            name="disabled",
        ),
        CheckConstraint("disabled_why IN ('company', 'gone', 'failing')", name="disabled_why"),
        CheckConstraint("version >= 1", name="version"),
    )

    company_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("companies.id"), primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    url: str = Field(sa_column=Column(Text, nullable=False))
    description: str = Field(default="", sa_column=Column(Text, nullable=False))
    event_types: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    secret: str = Field(sa_column=Column(Text, nullable=False))
    previous_secret: str | None = Field(default=None, sa_column=Column(Text))
    previous_secret_until: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    status: str = Field(default=EndpointStatus.ENABLED, sa_column=Column(Text, nullable=False))
    disabled_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    disabled_why: str | None = Field(default=None, sa_column=Column(Text))
    failing_since: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    """The first failure after the last success."""
    last_delivered_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    version: int = 1
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    created_by: UUID = Field(sa_column=Column(Uuid, nullable=False))


class WebhookDelivery(Table, table=True):
    """One message to one endpoint; its id is the `webhook-id` of every attempt.

    While an attempt runs, `lease` names it and `next_attempt_at` is when it counts as lost.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        ForeignKeyConstraint(
            ["company_id", "endpoint_id"],
            ["webhook_endpoints.company_id", "webhook_endpoints.id"],
            ondelete="CASCADE",
        ),
        UniqueConstraint("company_id", "endpoint_id", "event_id", "subject_id", name="uq_webhook_deliveries_once"),
        CheckConstraint("status IN ('PENDING', 'DELIVERED', 'FAILED', 'HELD')", name="status"),
        CheckConstraint("(status = 'PENDING') = (next_attempt_at IS NOT NULL)", name="next_attempt"),
        CheckConstraint("lease IS NULL OR status = 'PENDING'", name="lease"),
        CheckConstraint("status <> 'DELIVERED' OR delivered_at IS NOT NULL", name="delivered"),
        CheckConstraint("attempts >= tries AND tries >= 0", name="attempts"),
        Index(
            "ix_webhook_deliveries_due",
            "company_id",
            "endpoint_id",
            "next_attempt_at",
            postgresql_where=text("status = 'PENDING'"),
        ),
        Index(None, "company_id", "endpoint_id", "id"),
        Index(None, "created_at"),
    )

    company_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    endpoint_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    event_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    type: str = Field(sa_column=Column(Text, nullable=False))
    subject_id: str = Field(sa_column=Column(Text, nullable=False))
    path: str = Field(sa_column=Column(Text, nullable=False))
    told: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    occurred_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    status: str = Field(default=DeliveryStatus.PENDING, sa_column=Column(Text, nullable=False))
    attempts: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    """Ever made, over all replays; numbers the log."""
    tries: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    """Made since it was last begun; says how long to wait."""
    next_attempt_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    lease: UUID | None = Field(default=None, sa_column=Column(Uuid))
    delivered_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))


class WebhookAttempt(Table, table=True):
    """One attempt: written when it begins, completed when its outcome is known.

    One that stays without outcome was cut off (the worker ended); the receiver may have got it.
    """

    __tablename__ = "webhook_attempts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["company_id", "delivery_id"],
            ["webhook_deliveries.company_id", "webhook_deliveries.id"],
            ondelete="CASCADE",
        ),
        CheckConstraint("duration_ms IS NULL OR num_nonnulls(http_status, fault) >= 1", name="outcome"),
    )

    company_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    delivery_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    started_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    duration_ms: int | None = Field(default=None, sa_column=Column(Integer))
    http_status: int | None = Field(default=None, sa_column=Column(Integer))
    fault: str | None = Field(default=None, sa_column=Column(Text))
    answer: str | None = Field(default=None, sa_column=Column(Text))
    """The first 2 kB."""


class QualifiedSupplier(Table, table=True):
    """In which categories a supplier is qualified, as `suppliers` tells: whom a stage of a category concerns.

    Read by the worker alone.
    """

    __tablename__ = "qualified_suppliers"
    __table_args__ = (Index(None, "categories", postgresql_using="gin"),)

    company_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    categories: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
