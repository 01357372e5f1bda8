"""Entries of the restricted and banned list."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Date, DateTime, ForeignKey, Index, Integer, Text, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.catalog.restrictions.rules import Restriction
from services.catalog.schema import Table
from shared.contracts.standards import RestrictionState


class RestrictionEntry(Table, table=True):
    """One entry with the document it stands in. It ends, it is never removed: orders were refused by it."""

    __tablename__ = "restrictions"
    __table_args__ = (
        UniqueConstraint("content_key"),
        CheckConstraint("kind IN ('banned', 'restricted')", name="kind"),
        CheckConstraint("jsonb_typeof(properties) = 'object'", name="properties"),
        CheckConstraint("until_on >= from_on", name="validity"),
        CheckConstraint("source <> '' AND text <> ''", name="told"),
        CheckConstraint("cardinality(regions) <= 500", name="regions"),
        Index(None, "type_code"),
    )

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    content_key: str = Field(sa_column=Column(Text, nullable=False))
    """`rules.content_key`: the same entry is not kept twice."""
    kind: str = Field(sa_column=Column(Text, nullable=False))
    type_code: str = Field(sa_column=Column(Text, ForeignKey("component_types.code"), nullable=False))
    properties: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False))
    """Canonical identity values, as variants have them."""
    regions: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    from_on: date = Field(sa_column=Column(Date, nullable=False))
    until_on: date | None = Field(default=None, sa_column=Column(Date))
    source: str = Field(sa_column=Column(Text, nullable=False))
    text: str = Field(sa_column=Column(Text, nullable=False))
    version: int = Field(default=1, sa_column=Column(Integer, nullable=False))
    updated_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))

    @property
    def as_rule(self) -> Restriction:
        return Restriction(**{name: getattr(self, name) for name in Restriction.__dataclass_fields__})

    @property
    def state(self) -> RestrictionState:
        """As events tell it."""
        return RestrictionState.model_validate(self)
