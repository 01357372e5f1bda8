"""Categories, standards, component types with their versions, and variants."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.catalog.schema import Table
from shared.contracts.catalog import VariantSnapshot


class Category(Table, table=True):
    """A group of component types."""

    __tablename__ = "categories"

    key: str = Field(sa_column=Column(Text, primary_key=True))
    name_zh: str = Field(sa_column=Column(Text, nullable=False))
    name_en: str = Field(sa_column=Column(Text, nullable=False))
    sort: int = Field(sa_column=Column(SmallInteger, nullable=False))


class Standard(Table, table=True):
    """An edition of a standard."""

    __tablename__ = "standards"

    number: str = Field(sa_column=Column(Text, primary_key=True))
    title_zh: str = Field(sa_column=Column(Text, nullable=False))
    edition_check: str = Field(sa_column=Column(Text, nullable=False))
    """Whether the edition was seen in public material, is from knowledge, or must be verified."""


class ComponentType(Table, table=True):
    """The published version of a component type. A code is never reused and never deleted: it is deprecated."""

    __tablename__ = "component_types"
    __table_args__ = (
        CheckConstraint("code ~ '^[A-Z]{2}-[A-Z0-9]+$'", name="code"),
        CheckConstraint("version > 0", name="version"),
        CheckConstraint("status IN ('ACTIVE', 'DEPRECATED')", name="status"),
        CheckConstraint("supply_mode IN ('stock', 'make_to_order', 'engineer_to_order', 'rental')", name="supply_mode"),
        CheckConstraint("successor IS NULL OR (status = 'DEPRECATED' AND successor <> code)", name="successor"),
        CheckConstraint(
            "proposal_id IS NULL OR status = 'ACTIVE' OR successor IS NOT NULL", name="reviewed_deprecation"
        ),
        Index(None, "category"),
    )

    code: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    content_hash: str = Field(sa_column=Column(Text, nullable=False))
    """SHA-256 of the definition: the same content is the same version."""
    status: str = Field(default="ACTIVE", sa_column=Column(Text, nullable=False))
    category: str = Field(sa_column=Column(Text, ForeignKey("categories.key"), nullable=False))
    name_zh: str = Field(sa_column=Column(Text, nullable=False))
    name_en: str = Field(sa_column=Column(Text, nullable=False))
    supply_mode: str = Field(sa_column=Column(Text, nullable=False))
    base_unit: str = Field(sa_column=Column(Text, ForeignKey("units.code"), nullable=False))
    definition: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    published_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    successor: str | None = Field(default=None, sa_column=Column(Text, ForeignKey("component_types.code")))
    """What to use instead of a deprecated type."""
    deprecation_reason: str | None = Field(default=None, sa_column=Column(Text))
    proposal_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    """The reviewed proposal that made it what it is; None: the taxonomy we ship. A seed never overrides a review."""


class ComponentTypeVersion(Table, table=True):
    """Every version of a type that was ever published. Append-only; the database compares each with those before:
    no property and no allowed value is lost or given another meaning."""

    __tablename__ = "component_type_versions"

    code: str = Field(sa_column=Column(Text, ForeignKey("component_types.code"), primary_key=True))
    version: int = Field(sa_column=Column(Integer, primary_key=True))
    content_hash: str = Field(sa_column=Column(Text, nullable=False))
    definition: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    published_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    proposal_id: UUID | None = Field(default=None, sa_column=Column(Uuid))


class DictionaryVersion(Table, table=True):
    """A state of the whole dictionary: every publication that changed something is the next one. Append-only."""

    __tablename__ = "dictionary_versions"
    __table_args__ = (
        CheckConstraint("version > 0", name="version"),
        CheckConstraint("origin IN ('SEED', 'REVIEW')", name="origin"),
        CheckConstraint(
            "(origin = 'REVIEW') = (proposal_id IS NOT NULL) AND (origin = 'REVIEW') = (published_by IS NOT NULL)",
            name="reviewed",
        ),
    )

    version: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    origin: str = Field(sa_column=Column(Text, nullable=False))
    proposal_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    published_by: UUID | None = Field(default=None, sa_column=Column(Uuid))
    published_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class DictionaryChange(Table, table=True):
    """What a type became in a version of the dictionary; it stays so until a later version says otherwise."""

    __tablename__ = "dictionary_changes"
    __table_args__ = (
        ForeignKeyConstraint(
            ["code", "type_version"], ["component_type_versions.code", "component_type_versions.version"]
        ),
        CheckConstraint("status IN ('ACTIVE', 'DEPRECATED')", name="status"),
        Index(None, "code"),
    )

    version: int = Field(
        sa_column=Column(Integer, ForeignKey("dictionary_versions.version"), primary_key=True, autoincrement=False)
    )
    code: str = Field(sa_column=Column(Text, primary_key=True))
    type_version: int = Field(sa_column=Column(Integer, nullable=False))
    status: str = Field(sa_column=Column(Text, nullable=False))
    successor: str | None = Field(default=None, sa_column=Column(Text))


class TypeStandard(Table, table=True):
    """The standards a type is made to."""

    __tablename__ = "type_standards"
    __table_args__ = (Index(None, "standard_number"),)

    type_code: str = Field(sa_column=Column(Text, ForeignKey("component_types.code"), primary_key=True))
    standard_number: str = Field(sa_column=Column(Text, ForeignKey("standards.number"), primary_key=True))
    sort: int = Field(sa_column=Column(SmallInteger, nullable=False))


class Variant(Table, table=True):
    """A type with its identity values, as the type was when the variant was first used. Append-only."""

    __tablename__ = "variants"
    __table_args__ = (
        UniqueConstraint("key"),
        CheckConstraint("key LIKE type_code || '|%' AND char_length(key) <= 2000", name="key"),
        CheckConstraint("jsonb_typeof(properties) = 'object'", name="properties"),
        CheckConstraint("(unit_factors ->> base_unit)::numeric = 1", name="base_unit"),
        CheckConstraint("spec_hash ~ '^[0-9a-f]{64}$'", name="spec_hash"),
        CheckConstraint("carbon >= 0", name="carbon"),
        Index(None, "type_code"),
        Index(None, "spec_hash"),
    )

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    key: str = Field(sa_column=Column(Text, nullable=False))
    type_code: str = Field(sa_column=Column(Text, ForeignKey("component_types.code"), nullable=False))
    type_version: int = Field(sa_column=Column(Integer, nullable=False))
    category: str = Field(sa_column=Column(Text, nullable=False))
    name_zh: str = Field(sa_column=Column(Text, nullable=False))
    name_en: str = Field(sa_column=Column(Text, nullable=False))
    properties: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False))
    supply_mode: str = Field(sa_column=Column(Text, nullable=False))
    base_unit: str = Field(sa_column=Column(Text, nullable=False))
    base_decimals: int = Field(sa_column=Column(SmallInteger, nullable=False))
    unit_factors: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False))
    """Base units in one unit, at most nine places, as text."""
    unit_decimals: dict[str, int] = Field(sa_column=Column(JSONB, nullable=False))
    spec_hash: str = Field(sa_column=Column(Text, nullable=False))
    """SHA-256 of type, version and identity values: what an order line froze."""
    carbon: Decimal | None = Field(default=None, sa_column=Column(Numeric(18, 6)))
    """kgCO2e A1-A3 in one base unit, typical."""
    standards: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))

    @property
    def snapshot(self) -> VariantSnapshot:
        """What other services copy."""
        return VariantSnapshot.model_validate(self)
