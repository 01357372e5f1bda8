"""Imports of material codes, their rows, what was decided about each, and the published mappings.

All of it is company data: row level security shows it to the company itself; a published mapping also to the
company's group when it was published for the group.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.catalog.mapping.rules import OVER, JobState, Relation, RowState
from services.catalog.schema import Table


def _listed(values: Any) -> str:
    return ", ".join(f"'{value}'" for value in values)


JOB_STATES, ROW_STATES, RELATIONS = _listed(JobState), _listed(RowState), _listed(Relation)
LIVE_JOB = f"state NOT IN ({_listed(OVER)})"
TO_DO = "state IN ('UPLOADED', 'PARSED', 'VALIDATED', 'APPROVED')"
OPEN_MAPPING = "valid_until IS NULL AND rolled_back_at IS NULL"


def _count(name: str) -> Any:
    return Field(default=0, sa_column=Column(name, BigInteger, nullable=False, server_default=text("0")))


class MappingJob(Table, table=True):
    """One file of material codes and what became of it. Its key is company, kind and the file's hash."""

    __tablename__ = "mapping_jobs"
    __table_args__ = (
        CheckConstraint(f"state IN ({JOB_STATES})", name="state"),
        CheckConstraint("octet_length(file_hash) = 32", name="file_hash"),
        CheckConstraint("(state = 'FAILED') = (problem IS NOT NULL)", name="failed_with_problem"),
        CheckConstraint("approved_by <> uploaded_by", name="two_people"),
        CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name="approved"),
        CheckConstraint(
            "state NOT IN ('APPROVED', 'PUBLISHED') OR approved_by IS NOT NULL", name="approved_by_someone"
        ),
        Index("uq_mapping_jobs_file", "company_id", "kind", "file_hash", unique=True, postgresql_where=text(LIVE_JOB)),
        Index("ix_mapping_jobs_to_do", "created_at", postgresql_where=text(TO_DO)),
    )

    company_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    file_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    file_name: str = Field(sa_column=Column(Text, nullable=False))
    file: str = Field(sa_column=Column(Text, nullable=False))
    """The body's name below the service's data folder."""
    format: str = Field(sa_column=Column(Text, nullable=False))
    state: str = Field(default=JobState.UPLOADED, sa_column=Column(Text, nullable=False))
    dry_run: bool = Field(default=False, sa_column=Column(Boolean, nullable=False))
    """Stops at MATCHED until somebody sends it on to review."""
    group_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    """The group that may use the codes too, when they were uploaded for it."""
    uploaded_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    approved_by: UUID | None = Field(default=None, sa_column=Column(Uuid))
    approved_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    effective_from: date | None = Field(default=None, sa_column=Column(Date))
    bytes_total: int = Field(sa_column=Column(BigInteger, nullable=False))
    rows_read: int = _count("rows_read")
    rows_taken: int = _count("rows_taken")
    rows_rejected: int = _count("rows_rejected")
    rows_matched: int = _count("rows_matched")
    rows_published: int = _count("rows_published")
    row_counts: dict[str, int] = Field(
        default_factory=dict, sa_column=Column(JSONB, nullable=False, server_default=text("'{}'"))
    )
    """Rows by state, and `sample_open`: sampled ones nobody looked at yet; kept by triggers on the rows."""
    last_row: int = _count("last_row")
    """The last row that was matched; a worker that takes over goes on behind it."""
    warnings: list[str] = Field(
        default_factory=list, sa_column=Column(ARRAY(Text), nullable=False, server_default=text("'{}'"))
    )
    problem: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    attempts: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))
    lease_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    lease_until: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    version: int = Field(default=1, sa_column=Column(Integer, nullable=False, server_default=text("1")))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    updated_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class MappingRowError(Table, table=True):
    """A row that was not taken, or a cell of one that was not: row number, column, code, text."""

    __tablename__ = "mapping_row_errors"
    __table_args__ = (CheckConstraint("severity IN ('rejected', 'warning')", name="severity"),)

    company_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    job_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    row_no: int = Field(sa_column=Column(BigInteger, primary_key=True))
    column_name: str = Field(sa_column=Column(Text, primary_key=True))
    code: str = Field(sa_column=Column(Text, primary_key=True))
    severity: str = Field(sa_column=Column(Text, nullable=False))
    text: str = Field(sa_column=Column(Text, nullable=False))


class MappingRow(Table, table=True):
    """One code of a file, what it was read as, and what was decided."""

    __tablename__ = "mapping_rows"
    __table_args__ = (
        CheckConstraint(f"state IN ({ROW_STATES})", name="state"),
        CheckConstraint(f"relation IN ({RELATIONS})", name="relation"),
        CheckConstraint("score BETWEEN 0 AND 1", name="score"),
        CheckConstraint("decided_by <> imported_by", name="two_people"),
        CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name="decided"),
        CheckConstraint(
            "state <> 'CONFIRMED' OR (decided_by IS NOT NULL AND jsonb_array_length(parts) > 0)", name="parts"
        ),
        CheckConstraint("state <> 'AUTO_ACCEPTED' OR score >= 0.95", name="auto_accepted"),
        Index("ix_mapping_rows_state", "company_id", "job_id", "state", "row_no"),
        Index("ix_mapping_rows_code", "company_id", "job_id", "legacy_code"),
    )

    company_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    job_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    row_no: int = Field(sa_column=Column(BigInteger, primary_key=True))
    imported_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    legacy_code: str = Field(sa_column=Column(Text, nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    spec: str = Field(default="", sa_column=Column(Text, nullable=False))
    unit: str = Field(default="", sa_column=Column(Text, nullable=False))
    others: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    """category, brand, status, price, supplier_item, standard: those that the row states."""
    several: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    """Another row of the file gives the same code another specification."""
    state: str = Field(default=RowState.PROPOSED, sa_column=Column(Text, nullable=False))
    relation: str | None = Field(default=None, sa_column=Column(Text))
    score: Decimal | None = Field(default=None, sa_column=Column(Numeric(3, 2)))
    type_code: str | None = Field(default=None, sa_column=Column(Text))
    candidates: list[dict[str, Any]] = Field(
        default_factory=list, sa_column=Column(JSONB, nullable=False, server_default=text("'[]'"))
    )
    """The likeliest first: variant key (or what of it is known), score, reasons."""
    asks_for: list[str] = Field(
        default_factory=list, sa_column=Column(ARRAY(Text), nullable=False, server_default=text("'{}'"))
    )
    """Identity attributes that the row must still state."""
    sampled: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    parts: list[dict[str, Any]] = Field(
        default_factory=list, sa_column=Column(JSONB, nullable=False, server_default=text("'[]'"))
    )
    """What it will be published as: variant key, relation, condition of a split, quantity in a kit."""
    decided_by: UUID | None = Field(default=None, sa_column=Column(Uuid))
    decided_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    note: str | None = Field(default=None, sa_column=Column(Text))


class MappingHistory(Table, table=True):
    """Who moved a job, or decided about a row, and when. Append-only."""

    __tablename__ = "mapping_history"
    __table_args__ = (Index("ix_mapping_history_job", "company_id", "job_id", "at"),)

    company_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True, server_default=text("uuidv7()")))
    job_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    row_no: int | None = Field(default=None, sa_column=Column(BigInteger))
    """Of the job itself when empty."""
    before: str | None = Field(default=None, sa_column=Column(Text))
    after: str = Field(sa_column=Column(Text, nullable=False))
    who: str = Field(sa_column=Column(Text, nullable=False))
    """A person's id, or `worker`."""
    who_name: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    note: str | None = Field(default=None, sa_column=Column(Text))


class CodeMapping(Table, table=True):
    """A published version of what a legacy code means, from a day on. What it says is never changed, only ended."""

    __tablename__ = "code_mappings"
    __table_args__ = (
        CheckConstraint(f"relation IN ({RELATIONS}) AND relation <> 'broader'", name="relation"),
        CheckConstraint("version > 0", name="version"),
        CheckConstraint("valid_until >= valid_from", name="period"),
        CheckConstraint("used_at IS NULL OR rolled_back_at IS NULL", name="used_stays"),
        Index("uq_code_mappings_version", "company_id", "legacy_code", "version", "part", unique=True),
        Index(
            "uq_code_mappings_open",
            "company_id",
            "legacy_code",
            "part",
            unique=True,
            postgresql_where=text(OPEN_MAPPING),
        ),
        Index("ix_code_mappings_lower_code", "company_id", text("lower(legacy_code)")),
        Index(
            "ix_code_mappings_group_code",
            "group_id",
            text("lower(legacy_code)"),
            postgresql_where=text("group_id IS NOT NULL"),
        ),
        Index(None, "variant_id"),
        Index("ix_code_mappings_job", "company_id", "job_id"),
    )

    company_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True, server_default=text("uuidv7()")))
    group_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    legacy_code: str = Field(sa_column=Column(Text, nullable=False))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    part: int = Field(sa_column=Column(SmallInteger, nullable=False))
    """1, 2, 3 … of a split or a kit."""
    relation: str = Field(sa_column=Column(Text, nullable=False))
    condition: str = Field(sa_column=Column(Text, nullable=False))
    quantity: Decimal = Field(sa_column=Column(Numeric(18, 3), nullable=False))
    variant_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    variant_key: str = Field(sa_column=Column(Text, nullable=False))
    legacy_name: str = Field(sa_column=Column(Text, nullable=False))
    legacy_spec: str = Field(sa_column=Column(Text, nullable=False))
    legacy_unit: str = Field(sa_column=Column(Text, nullable=False))
    job_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    row_no: int = Field(sa_column=Column(BigInteger, nullable=False))
    valid_from: date = Field(sa_column=Column(Date, nullable=False))
    valid_until: date | None = Field(default=None, sa_column=Column(Date))
    """The first day on which it no longer holds."""
    ended_by_job: UUID | None = Field(default=None, sa_column=Column(Uuid))
    published_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    used_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    """When a live document first used it; from then on it is only corrected by a later version."""
    rolled_back_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
