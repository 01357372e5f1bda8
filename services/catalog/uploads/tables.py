"""Uploads and the rows of them that were not taken as they were. Append-only: an upload is worked off at once."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.catalog.schema import Table


class Upload(Table, table=True):
    """One file and what became of it. The same file of a kind is taken once; dry runs do not count."""

    __tablename__ = "dictionary_uploads"
    __table_args__ = (
        CheckConstraint("kind IN ('CODES', 'DICTIONARY')", name="kind"),
        CheckConstraint("octet_length(file_hash) = 32", name="file_hash"),
        Index("uq_dictionary_uploads_once", "kind", "file_hash", unique=True, postgresql_where=text("NOT dry_run")),
    )

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    file_name: str | None = Field(default=None, sa_column=Column(Text))
    file_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    bytes: int = Field(sa_column=Column(BigInteger, nullable=False))
    dry_run: bool = Field(sa_column=Column(Boolean, nullable=False))
    subject: str | None = Field(default=None, sa_column=Column(Text))
    """What it made: the id of a reference dictionary."""
    counts: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    rejected: int = Field(sa_column=Column(Integer, nullable=False))
    warned: int = Field(sa_column=Column(Integer, nullable=False))
    by_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    by_name: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class UploadProblem(Table, table=True):
    """A row that was rejected, or taken with a change that is told; the first ten thousand of a file."""

    __tablename__ = "dictionary_upload_problems"
    __table_args__ = (CheckConstraint("severity IN ('rejected', 'warning')", name="severity"),)

    upload_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("dictionary_uploads.id"), primary_key=True))
    place: int = Field(sa_column=Column(Integer, primary_key=True))
    severity: str = Field(sa_column=Column(Text, nullable=False))
    row: str = Field(sa_column=Column(Text, nullable=False))
    """A line of a CSV, or the place in a JSON document: `Classes.15`."""
    field: str = Field(sa_column=Column(Text, nullable=False))
    code: str = Field(sa_column=Column(Text, nullable=False))
    message: str = Field(sa_column=Column(Text, nullable=False))
