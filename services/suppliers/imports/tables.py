"""Syncs: the jobs, the rows they could not take, and where each feed of a supplier stands."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.suppliers.imports.rules import Phase, SyncState
from services.suppliers.schema import Table

UNFINISHED = "state IN ('RECEIVED', 'RUNNING')"


class SyncJob(Table, table=True):
    """One file of a supplier's ERP and what became of it.

    Whoever works on it holds a lease; each chunk of rows commits together with `position`, so a worker that is
    killed is followed by another that goes on behind the last committed chunk. One job per supplier at a time.
    """

    __tablename__ = "sync_jobs"
    __table_args__ = (
        CheckConstraint("state IN ('RECEIVED', 'RUNNING', 'COMPLETED', 'FAILED', 'SKIPPED')", name="state"),
        CheckConstraint("mode IN ('full', 'delta')", name="mode"),
        CheckConstraint("sequence >= 0", name="sequence"),
        CheckConstraint("(state = 'FAILED') = (problem IS NOT NULL)", name="failed_with_problem"),
        Index("uq_sync_jobs_one_at_a_time", "supplier_id", unique=True, postgresql_where=text(UNFINISHED)),
        Index(
            "uq_sync_jobs_idempotency_key",
            "supplier_id",
            "idempotency_key",
            unique=True,
            postgresql_where=text("idempotency_key IS NOT NULL"),
        ),
        Index("ix_sync_jobs_unfinished", "created_at", postgresql_where=text(UNFINISHED)),
    )

    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    feed: str = Field(sa_column=Column(Text, nullable=False))
    mode: str = Field(sa_column=Column(Text, nullable=False))
    sequence: int | None = Field(default=None, sa_column=Column(BigInteger))
    state: str = Field(default=SyncState.RECEIVED, sa_column=Column(Text, nullable=False))
    phase: str = Field(default=Phase.PREPARE, sa_column=Column(Text, nullable=False))
    outcome: str | None = Field(default=None, sa_column=Column(Text))
    """Of the sequence number: see `rules.SequenceOutcome`."""
    expected_sequence: int | None = Field(default=None, sa_column=Column(BigInteger))
    """Set when there was a gap."""
    idempotency_key: str | None = Field(default=None, sa_column=Column(Text))
    request_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    format: str = Field(sa_column=Column(Text, nullable=False))
    file: str = Field(sa_column=Column(Text, nullable=False))
    """The body's name below the service's data folder."""
    bytes_total: int = Field(sa_column=Column(BigInteger, nullable=False))
    encoding: str | None = Field(default=None, sa_column=Column(Text))
    may_price: bool = Field(sa_column=Column(Boolean, nullable=False))
    """Whether the caller may change prices and terms, or only stock."""
    sent_by: str = Field(sa_column=Column(Text, nullable=False))
    prepared: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB))
    """Where the rows stand and in which columns (`reading.Prepared`)."""
    position: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    """Bytes of the prepared file that are applied."""
    bytes_done: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    """The same in bytes of the body, for the progress bar."""
    rows_done: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    accepted: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    unchanged: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    rejected: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    warned: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    nameless: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    """Rejected rows that do not say which item they are about."""
    zeroed: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    warnings: list[str] = Field(
        default_factory=list, sa_column=Column(ARRAY(Text), nullable=False, server_default=text("'{}'"))
    )
    problem: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB))
    attempts: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))
    lease_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    lease_until: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    finished_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))


class SyncRowProblem(Table, table=True):
    """A row that was rejected, or taken with a warning; rows without remarks are only counted."""

    __tablename__ = "sync_row_problems"
    __table_args__ = (CheckConstraint("severity IN ('rejected', 'warning')", name="severity"),)

    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    job_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    row_no: int = Field(sa_column=Column(BigInteger, primary_key=True))
    severity: str = Field(sa_column=Column(Text, nullable=False))
    item_no: str | None = Field(default=None, sa_column=Column(Text))
    field: str = Field(sa_column=Column(Text, nullable=False))
    code: str = Field(sa_column=Column(Text, nullable=False))
    message: str = Field(sa_column=Column(Text, nullable=False))


class SyncSeen(Table, table=True):
    """What a full snapshot named; what it did not name is set to zero at its end, and these rows go."""

    __tablename__ = "sync_seen"

    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    job_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    row_no: int = Field(sa_column=Column(BigInteger, primary_key=True))
    item_no: str = Field(sa_column=Column(Text, nullable=False))
    stock_point: str | None = Field(default=None, sa_column=Column(Text))
    """None: of a rejected row, which may have meant any."""


class SyncStream(Table, table=True):
    """Where one feed of a supplier stands; a supplier may run several ERPs."""

    __tablename__ = "sync_streams"

    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    feed: str = Field(sa_column=Column(Text, primary_key=True))
    last_sequence: int = Field(sa_column=Column(BigInteger, nullable=False))
    snapshot_needed: bool = Field(sa_column=Column(Boolean, nullable=False))
    updated_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
