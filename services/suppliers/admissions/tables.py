"""Admissions and their histories. Rows belong to the group and to the supplier; only the system role writes them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.suppliers.admissions.rules import AdmissionStatus
from services.suppliers.schema import Table


class Admission(Table, table=True):
    """A contractor group buys from a supplier in one category.

    The migration adds a trigger that lets its status move only along the legal moves.
    """

    __tablename__ = "admissions"
    __table_args__ = (
        CheckConstraint("status IN ('ADMITTED', 'SUSPENDED', 'LAPSED', 'ENDED')", name="status"),
        CheckConstraint("jsonb_typeof(evidence) = 'array'", name="evidence"),
        CheckConstraint(
            "num_nonnulls(relies_on_id, relies_on_group_id, relies_on_date, consent_id) IN (0, 4)", name="relies_on"
        ),
        CheckConstraint("version >= 1 AND history_length >= 1", name="version"),
        Index(
            "ix_admissions_standing",
            "group_id",
            "supplier_id",
            "category",
            unique=True,
            postgresql_where=text("status <> 'ENDED'"),
        ),
        Index("ix_admissions_admitted", "supplier_id", "category", postgresql_where=text("status = 'ADMITTED'")),
        Index("ix_admissions_space", "space_group_id", "category", postgresql_where=text("status = 'ADMITTED'")),
        Index("ix_admissions_last_day", "until", postgresql_where=text("status = 'ADMITTED'")),
    )

    group_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    supplier_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    category: str = Field(sa_column=Column(Text, nullable=False))
    space_group_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    """Whose space it counts in: the group at the top of the admitting company's chain of links today."""
    status: str = Field(default=AdmissionStatus.ADMITTED, sa_column=Column(Text, nullable=False))
    level: str | None = Field(default=None, sa_column=Column(Text))
    """The group's own classes, in its own words."""
    grade: str | None = Field(default=None, sa_column=Column(Text))
    evidence: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    until: date | None = Field(default=None, sa_column=Column(Date))
    """The last day."""
    relies_on_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    """The recognised admission of another group."""
    relies_on_group_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    relies_on_date: date | None = Field(default=None, sa_column=Column(Date))
    consent_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    """The supplier's consent by which that decision could be relied on."""
    on_behalf: bool = Field(default=False, sa_column=Column(Boolean, nullable=False))
    """Recorded by an operator for the group."""
    decided_on: date = Field(sa_column=Column(Date, nullable=False))
    """The day of the decision it rests on: what others who recognise it are told."""
    version: int = Field(default=1, sa_column=Column(Integer, nullable=False))
    history_length: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    history_hash: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    updated_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class AdmissionHistory(Table, table=True):
    """One entry of an admission's history. Append-only; `hash` chains it to the entry before."""

    __tablename__ = "admission_history"
    __table_args__ = (ForeignKeyConstraint(["group_id", "admission_id"], ["admissions.group_id", "admissions.id"]),)

    group_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    admission_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    number: int = Field(sa_column=Column(Integer, primary_key=True))
    """1, 2, 3 … without gaps."""
    supplier_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    entry: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    decided_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
