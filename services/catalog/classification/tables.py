"""Codes of component types in every system, and the systems."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKey, Index, Text, Uuid, text
from sqlmodel import Field

from services.catalog.schema import Table


class System(Table, table=True):
    """Somebody's codes: whose, under which licence, and which shape they have."""

    __tablename__ = "code_systems"
    __table_args__ = (
        CheckConstraint("char_length(code) BETWEEN 1 AND 60", name="code"),
        CheckConstraint("char_length(pattern) BETWEEN 1 AND 200", name="pattern"),
        Index("uq_code_systems_lower_code", text("lower(code)"), unique=True),
        Index("uq_code_systems_dictionary", text("lower(dictionary)"), unique=True),
    )

    code: str = Field(sa_column=Column(Text, primary_key=True))
    name_zh: str = Field(sa_column=Column(Text, nullable=False))
    name_en: str = Field(sa_column=Column(Text, nullable=False))
    licence_note: str = Field(sa_column=Column(Text, nullable=False))
    pattern: str | None = Field(default=None, sa_column=Column(Text))
    """A regular expression of PostgreSQL that every code matches; the database itself checks it."""
    dictionary: str | None = Field(default=None, sa_column=Column(Text))
    """`organization/code` of the bSDD dictionary whose classes are the codes of this system."""
    created_by: UUID | None = Field(default=None, sa_column=Column(Uuid))
    created_by_name: str | None = Field(default=None, sa_column=Column(Text))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class ClassificationCode(Table, table=True):
    """A code of some system that finds a component type; never deleted, only retired."""

    __tablename__ = "classification_codes"
    __table_args__ = (
        CheckConstraint("relation IN ('primary', 'also')", name="relation"),
        CheckConstraint("char_length(code) BETWEEN 1 AND 100", name="code"),
        CheckConstraint("char_length(edition) <= 40", name="edition"),
        CheckConstraint(
            "origin IN ('DICTIONARY', 'OPERATOR') AND (origin = 'DICTIONARY' OR added_by IS NOT NULL)", name="origin"
        ),
        Index(
            "ix_classification_codes_lower_code",
            text("lower(code)"),
            postgresql_ops={"lower(code)": "text_pattern_ops"},
        ),
        Index(
            "uq_classification_codes_without_case",
            "system",
            "edition",
            text("lower(code)"),
            "type_code",
            unique=True,
        ),
        Index(None, "type_code"),
    )

    system: str = Field(sa_column=Column(Text, ForeignKey("code_systems.code"), primary_key=True))
    edition: str = Field(sa_column=Column(Text, primary_key=True))
    code: str = Field(sa_column=Column(Text, primary_key=True))
    type_code: str = Field(sa_column=Column(Text, ForeignKey("component_types.code"), primary_key=True))
    relation: str = Field(sa_column=Column(Text, nullable=False))
    origin: str = Field(sa_column=Column(Text, nullable=False))
    """DICTIONARY: the type's published definition names it. OPERATOR: somebody added it beside."""
    added_by: UUID | None = Field(default=None, sa_column=Column(Uuid))
    added_by_name: str | None = Field(default=None, sa_column=Column(Text))
    added_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    retired_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))


class CodeEvent(Table, table=True):
    """Who added, changed or retired a code, and when. Append-only."""

    __tablename__ = "classification_code_events"
    __table_args__ = (
        CheckConstraint("action IN ('ADDED', 'CHANGED', 'RETIRED')", name="action"),
        Index(None, "type_code"),
    )

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    system: str = Field(sa_column=Column(Text, nullable=False))
    edition: str = Field(sa_column=Column(Text, nullable=False))
    code: str = Field(sa_column=Column(Text, nullable=False))
    type_code: str = Field(sa_column=Column(Text, nullable=False))
    action: str = Field(sa_column=Column(Text, nullable=False))
    relation: str = Field(sa_column=Column(Text, nullable=False))
    by_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    by_name: str = Field(sa_column=Column(Text, nullable=False))
    reason: str | None = Field(default=None, sa_column=Column(Text))
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
