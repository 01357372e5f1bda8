"""Editions of standards, and every decision about what the registers say."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, Date, DateTime, Index, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.catalog.schema import Table
from services.catalog.standards.rules import Edition
from shared.contracts.standards import EditionState


class StandardEdition(Table, table=True):
    """One edition of one standard. It is withdrawn, never removed: old contracts name it."""

    __tablename__ = "standard_editions"
    __table_args__ = (
        CheckConstraint("char_length(key) BETWEEN 1 AND 120 AND key !~ '[[:space:]]'", name="key"),
        CheckConstraint("number <> '' AND title <> '' AND source <> ''", name="told"),
        CheckConstraint("kind IN ('mandatory', 'recommended', 'group', 'enterprise')", name="kind"),
        CheckConstraint("edition_check IN ('seen', 'own', 'verify', 'edition_unclear')", name="edition_check"),
        CheckConstraint("effective_on >= published_on", name="effective_after_published"),
        CheckConstraint("withdrawn_on >= coalesce(effective_on, published_on)", name="withdrawn_after_effective"),
        CheckConstraint("replaced_by_key <> key", name="not_replaced_by_itself"),
        CheckConstraint("(replaced_by IS NULL) = (replaced_by_key IS NULL)", name="successor_has_key"),
        Index(None, "number_key"),
    )

    key: str = Field(sa_column=Column(Text, primary_key=True))
    """`shared.designations.edition_key`."""
    number_key: str = Field(sa_column=Column(Text, nullable=False))
    """The same of the number without its year: its editions share it."""
    number: str = Field(sa_column=Column(Text, nullable=False))
    edition: str = Field(sa_column=Column(Text, nullable=False))
    designation: str = Field(sa_column=Column(Text, nullable=False))
    title: str = Field(sa_column=Column(Text, nullable=False))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    published_on: date | None = Field(default=None, sa_column=Column(Date))
    effective_on: date | None = Field(default=None, sa_column=Column(Date))
    withdrawn_on: date | None = Field(default=None, sa_column=Column(Date))
    replaced_by: str | None = Field(default=None, sa_column=Column(Text))
    replaced_by_key: str | None = Field(default=None, sa_column=Column(Text))
    source: str = Field(sa_column=Column(Text, nullable=False))
    edition_check: str = Field(sa_column=Column(Text, nullable=False))
    version: int = Field(default=1, sa_column=Column(Integer, nullable=False))
    updated_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))

    @property
    def as_rule(self) -> Edition:
        return Edition(**{name: getattr(self, name) for name in Edition.__dataclass_fields__})

    @property
    def state(self) -> EditionState:
        """As events tell it."""
        return EditionState.model_validate(self)


class RegisterDecision(Table, table=True):
    """Who changed what in a register, with which reason; each entry chained to the one before. Append-only."""

    __tablename__ = "register_decisions"
    __table_args__ = (CheckConstraint("register IN ('standard', 'restriction')", name="register"),)

    register_: str = Field(sa_column=Column("register", Text, primary_key=True))
    subject: str = Field(sa_column=Column(Text, primary_key=True))
    """The edition's key, or the restriction's id."""
    number: int = Field(sa_column=Column(Integer, primary_key=True))
    entry: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    decided_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
