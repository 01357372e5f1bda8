"""Proposals and what happened to them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKey, Index, Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.catalog.schema import Table


class Proposal(Table, table=True):
    """New types, new versions of types and deprecations that shall be published together, or not at all."""

    __tablename__ = "type_proposals"
    __table_args__ = (
        CheckConstraint("state IN ('PROPOSED', 'RETURNED', 'PUBLISHED', 'WITHDRAWN')", name="state"),
        CheckConstraint("jsonb_array_length(changes) BETWEEN 1 AND 100", name="changes"),
        CheckConstraint("reviewed_by <> proposed_by", name="second_person"),
        CheckConstraint(
            "state NOT IN ('RETURNED', 'PUBLISHED') OR (reviewed_by IS NOT NULL AND reviewed_at IS NOT NULL)",
            name="reviewed",
        ),
        CheckConstraint("state <> 'RETURNED' OR review_reason <> ''", name="returned_with_reason"),
        CheckConstraint("(state = 'PUBLISHED') = (dictionary_version IS NOT NULL)", name="published"),
        Index(None, "state", "id"),
    )

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    title: str = Field(sa_column=Column(Text, nullable=False))
    note: str = Field(sa_column=Column(Text, nullable=False))
    state: str = Field(sa_column=Column(Text, nullable=False))
    revision: int = Field(sa_column=Column(Integer, nullable=False))
    """Counts changes of state and content: the ETag."""
    changes: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    """Each `{"publish": definition}` or `{"deprecate": {"code", "successor", "reason"}}`."""
    based_on: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    """By code the version and status of each type when it was proposed; null: there was none."""
    proposed_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    proposed_by_name: str = Field(sa_column=Column(Text, nullable=False))
    proposed_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    reviewed_by: UUID | None = Field(default=None, sa_column=Column(Uuid))
    reviewed_by_name: str | None = Field(default=None, sa_column=Column(Text))
    reviewed_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    review_reason: str | None = Field(default=None, sa_column=Column(Text))
    dictionary_version: int | None = Field(
        default=None, sa_column=Column(Integer, ForeignKey("dictionary_versions.version"))
    )


class ProposalEvent(Table, table=True):
    """Who did what to a proposal, and a hash of its changes as they were then. Append-only."""

    __tablename__ = "type_proposal_events"
    __table_args__ = (
        CheckConstraint("action IN ('PROPOSED', 'REVISED', 'RETURNED', 'PUBLISHED', 'WITHDRAWN')", name="action"),
    )

    proposal_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("type_proposals.id"), primary_key=True))
    seq: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    action: str = Field(sa_column=Column(Text, nullable=False))
    revision: int = Field(sa_column=Column(Integer, nullable=False))
    changes_hash: str = Field(sa_column=Column(Text, nullable=False))
    by_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    by_name: str = Field(sa_column=Column(Text, nullable=False))
    reason: str | None = Field(default=None, sa_column=Column(Text))
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
