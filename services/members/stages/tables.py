"""Stages, the documents that change them, their history, and what is on record for the gates."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.members.schema import Table
from services.members.stages.rules import ChangeStatus
from shared.audience import Stage


class GroupStage(Table, table=True):
    """How far a group has opened a category. No row: S1."""

    __tablename__ = "stages"
    __table_args__ = (
        CheckConstraint("stage IN ('S1', 'S2', 'S3')", name="stage"),
        CheckConstraint("(stage = 'S2') = (circle_id IS NOT NULL)", name="circle"),
        CheckConstraint("(stage = 'S1') = (change_id IS NULL)", name="change"),
        Index(None, "circle_id"),
    )

    group_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("companies.id"), primary_key=True))
    category: str = Field(sa_column=Column(Text, primary_key=True))
    stage: str = Field(default=Stage.S1, sa_column=Column(Text, nullable=False))
    circle_id: UUID | None = Field(default=None, sa_column=Column(Uuid, ForeignKey("circles.id")))
    change_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    """The effective change it rests on."""
    since: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    version: int = 1
    gates_looked_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    """When the gates of the step it rests on were last judged again."""
    fallen_gates: list[str] = Field(
        default_factory=list, sa_column=Column(ARRAY(Text), nullable=False, server_default=text("'{}'"))
    )
    """Those that held no longer then. The category stays open: only people narrow it (decision 0014)."""


class StageChange(Table, table=True):
    """The document by which a group opens a category one step further.

    The migration adds a trigger that lets its status move only along the legal moves.
    """

    __tablename__ = "stage_changes"
    __table_args__ = (
        CheckConstraint(
            "status IN ('DRAFT', 'GATES_CHECKED', 'APPROVED', 'ANNOUNCED', 'EFFECTIVE', 'SUSPENDED', 'REVERTED')",
            name="status",
        ),
        CheckConstraint(
            "(from_stage = 'S1' AND to_stage = 'S2') OR (from_stage = 'S2' AND to_stage = 'S3')", name="one_step"
        ),
        CheckConstraint("num_nonnulls(tenant_approver_id, tenant_approved_at) <> 1", name="tenant_approval"),
        CheckConstraint(
            "num_nonnulls(operator_approver_id, operator_company_id, operator_approved_at) IN (0, 3)",
            name="operator_approval",
        ),
        CheckConstraint("tenant_approver_id <> operator_approver_id", name="two_persons"),
        CheckConstraint("operator_company_id <> group_id", name="two_companies"),
        CheckConstraint(
            "status NOT IN ('APPROVED', 'ANNOUNCED', 'EFFECTIVE')"
            " OR num_nonnulls(tenant_approved_at, operator_approved_at) = 2",
            name="approved_by_two",
        ),
        CheckConstraint("num_nonnulls(announced_at, effective_from) <> 1", name="announced"),
        CheckConstraint("effective_from >= announced_at + interval '7 days'", name="seven_days"),
        CheckConstraint(
            "status NOT IN ('ANNOUNCED', 'EFFECTIVE', 'SUSPENDED') OR announced_at IS NOT NULL", name="was_announced"
        ),
        CheckConstraint("effective_at >= effective_from", name="not_before"),
        CheckConstraint("status <> 'EFFECTIVE' OR effective_at IS NOT NULL", name="took_effect"),
        CheckConstraint("(status = 'REVERTED') = (reverted_at IS NOT NULL)", name="reverted"),
        CheckConstraint("version >= 1 AND history_length >= 1", name="version"),
        Index(
            "ix_stage_changes_under_way",
            "group_id",
            "category",
            unique=True,
            postgresql_where=text("status NOT IN ('EFFECTIVE', 'REVERTED')"),
        ),
        Index("ix_stage_changes_due", "effective_from", postgresql_where=text("status = 'ANNOUNCED'")),
        Index(None, "circle_id"),
    )

    group_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("companies.id"), primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    category: str = Field(sa_column=Column(Text, nullable=False))
    from_stage: str = Field(sa_column=Column(Text, nullable=False))
    to_stage: str = Field(sa_column=Column(Text, nullable=False))
    circle_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("circles.id"), nullable=False))
    """The circle it opens to (to S2), or comes from (to S3)."""
    previous_change_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    """The change the stage rests on again when this one is suspended or reverted."""
    reason: str = Field(sa_column=Column(Text, nullable=False))
    status: str = Field(default=ChangeStatus.DRAFT, sa_column=Column(Text, nullable=False))
    version: int = 1
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    created_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    gates: list[dict[str, Any]] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    """The verdicts last shown to the approvers."""
    gates_checked_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    gates_circle_ids: list[UUID] | None = Field(default=None, sa_column=Column(ARRAY(Uuid)))
    """Who stood in the circle then: the approvers agree to be seen by these."""
    tenant_approver_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    tenant_approved_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    operator_approver_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    operator_company_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    operator_approved_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    announced_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    effective_from: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    effective_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    suspended_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    reverted_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    end_reason: str | None = Field(default=None, sa_column=Column(Text))
    """Why it was last suspended or reverted."""
    history_length: int = 0
    history_hash: bytes | None = Field(default=None, sa_column=Column(LargeBinary))


class StageChangeHistory(Table, table=True):
    """What happened to a stage change, each entry hashed with the one before. Append-only."""

    __tablename__ = "stage_change_history"
    __table_args__ = (ForeignKeyConstraint(["group_id", "change_id"], ["stage_changes.group_id", "stage_changes.id"]),)

    group_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    change_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    seq: int = Field(primary_key=True)
    entry: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class GateEvidence(Table, table=True):
    """Something an operator put on record for the gates; the latest of a kind counts. Append-only."""

    __tablename__ = "gate_evidence"
    __table_args__ = (
        CheckConstraint("(kind = 'public_tender_duty') = (group_id IS NOT NULL)", name="of_a_group"),
        Index(None, "kind", "recorded_at"),
    )

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    state: str = Field(sa_column=Column(Text, nullable=False))
    group_id: UUID | None = Field(default=None, sa_column=Column(Uuid, ForeignKey("companies.id")))
    on: date = Field(sa_column=Column("happened_on", Date, nullable=False))
    reference: str = Field(sa_column=Column(Text, nullable=False))
    """Where it can be read: a report's number, a commit, an address."""
    recorded_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    recorded_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    company_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    """Whose operator recorded it."""
