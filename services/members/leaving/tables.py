"""Companies on their way out. Readable to the company itself."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKey, Index, Text, Uuid, text
from sqlmodel import Field

from services.members.schema import Table


class Leaving(Table, table=True):
    """One wish to leave: asked for, then withdrawn or in effect."""

    __tablename__ = "leavings"
    __table_args__ = (
        CheckConstraint("state IN ('ASKED', 'WITHDRAWN', 'EFFECTIVE')", name="state"),
        CheckConstraint("(state = 'ASKED') = (ended_at IS NULL)", name="ended"),
        CheckConstraint("num_nonnulls(ended_at, ended_by) <> 1", name="ended_by"),
        CheckConstraint(
            "state <> 'EFFECTIVE' OR ended_by <> asked_by OR ended_at >= notice_until", name="two_or_notice"
        ),
        Index("ix_leavings_asked", "company_id", unique=True, postgresql_where=text("state = 'ASKED'")),
    )

    company_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("companies.id"), primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    state: str = Field(default="ASKED", sa_column=Column(Text, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    asked_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    asked_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    notice_until: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    ended_by: UUID | None = Field(default=None, sa_column=Column(Uuid))
    ended_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
