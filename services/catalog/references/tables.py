"""Reference dictionaries as they were imported. Append-only: a dictionary version never changes, a newer one stands
beside it. Only the links to our types are decided here."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.catalog.references.rules import CLASS_TYPES, DATA_TYPES, RELATION_TYPES, VALUE_KINDS
from services.catalog.schema import Table


def _one_of(column: str, names: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(name) for name in names)})"


class ReferenceDictionary(Table, table=True):
    """One version of somebody's dictionary in one language."""

    __tablename__ = "reference_dictionaries"
    __table_args__ = (
        CheckConstraint("status IN ('Preview', 'Active', 'Inactive')", name="status"),
        Index(
            "uq_reference_dictionaries_version",
            text("lower(organization)"),
            text("lower(code)"),
            "version",
            text("lower(language)"),
            unique=True,
        ),
    )

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    organization: str = Field(sa_column=Column(Text, nullable=False))
    code: str = Field(sa_column=Column(Text, nullable=False))
    version: str = Field(sa_column=Column(Text, nullable=False))
    language: str = Field(sa_column=Column(Text, nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    status: str = Field(sa_column=Column(Text, nullable=False))
    licence: str | None = Field(default=None, sa_column=Column(Text))
    licence_url: str | None = Field(default=None, sa_column=Column(Text))
    release_date: str | None = Field(default=None, sa_column=Column(Text))
    more_info_url: str | None = Field(default=None, sa_column=Column(Text))
    quality: str | None = Field(default=None, sa_column=Column(Text))
    system: str = Field(sa_column=Column(Text, ForeignKey("code_systems.code"), nullable=False))
    """The code system in which its classes become codes of our types; the edition is `version`."""
    counts: dict[str, int] = Field(sa_column=Column(JSONB, nullable=False))
    file_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    imported_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    imported_by_name: str = Field(sa_column=Column(Text, nullable=False))
    imported_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class ReferenceClass(Table, table=True):
    """A class. Codes are told apart without regard to case."""

    __tablename__ = "reference_classes"
    __table_args__ = (
        ForeignKeyConstraint(
            ["dictionary_id", "parent_code"], ["reference_classes.dictionary_id", "reference_classes.code"]
        ),
        CheckConstraint("char_length(code) BETWEEN 1 AND 100", name="code"),
        CheckConstraint(_one_of("class_type", CLASS_TYPES), name="class_type"),
        CheckConstraint("status IN ('Active', 'Inactive')", name="status"),
        CheckConstraint("parent_code <> code", name="parent"),
        Index("uq_reference_classes_lower_code", "dictionary_id", text("lower(code)"), unique=True),
        Index(None, "dictionary_id", "parent_code"),
        Index(None, "related_ifc", postgresql_using="gin"),
    )

    dictionary_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("reference_dictionaries.id"), primary_key=True))
    code: str = Field(sa_column=Column(Text, primary_key=True))
    name: str = Field(sa_column=Column(Text, nullable=False))
    class_type: str = Field(sa_column=Column(Text, nullable=False))
    definition: str | None = Field(default=None, sa_column=Column(Text))
    parent_code: str | None = Field(default=None, sa_column=Column(Text))
    related_ifc: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    synonyms: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    replaced_by: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    status: str = Field(sa_column=Column(Text, nullable=False))
    reference_code: str | None = Field(default=None, sa_column=Column(Text))
    sort: int = Field(sa_column=Column(Integer, nullable=False))


class ReferenceProperty(Table, table=True):
    """A property that the dictionary itself defines."""

    __tablename__ = "reference_properties"
    __table_args__ = (
        CheckConstraint("char_length(code) BETWEEN 1 AND 100", name="code"),
        CheckConstraint(_one_of("data_type", DATA_TYPES), name="data_type"),
        CheckConstraint(_one_of("value_kind", VALUE_KINDS), name="value_kind"),
        Index("uq_reference_properties_lower_code", "dictionary_id", text("lower(code)"), unique=True),
    )

    dictionary_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("reference_dictionaries.id"), primary_key=True))
    code: str = Field(sa_column=Column(Text, primary_key=True))
    name: str = Field(sa_column=Column(Text, nullable=False))
    definition: str | None = Field(default=None, sa_column=Column(Text))
    data_type: str = Field(sa_column=Column(Text, nullable=False))
    value_kind: str = Field(sa_column=Column(Text, nullable=False))
    units: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    dimension: str | None = Field(default=None, sa_column=Column(Text))
    """Seven exponents of SI base units, as the file writes them."""
    physical_quantity: str | None = Field(default=None, sa_column=Column(Text))
    minimum: str | None = Field(default=None, sa_column=Column(Text))
    """An interval's end: `>=0` or `>0`."""
    maximum: str | None = Field(default=None, sa_column=Column(Text))
    pattern: str | None = Field(default=None, sa_column=Column(Text))
    """As stated; nobody here runs it."""
    allowed: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    status: str = Field(sa_column=Column(Text, nullable=False))
    sort: int = Field(sa_column=Column(Integer, nullable=False))


class ReferenceClassProperty(Table, table=True):
    """A property as one class uses it: of this dictionary by its code, or of another by its URI."""

    __tablename__ = "reference_class_properties"
    __table_args__ = (
        ForeignKeyConstraint(
            ["dictionary_id", "class_code"], ["reference_classes.dictionary_id", "reference_classes.code"]
        ),
        ForeignKeyConstraint(
            ["dictionary_id", "property_code"], ["reference_properties.dictionary_id", "reference_properties.code"]
        ),
        CheckConstraint("num_nonnulls(property_code, property_uri) = 1", name="property"),
    )

    dictionary_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    class_code: str = Field(sa_column=Column(Text, primary_key=True))
    place: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    property_code: str | None = Field(default=None, sa_column=Column(Text))
    property_uri: str | None = Field(default=None, sa_column=Column(Text))
    property_set: str | None = Field(default=None, sa_column=Column(Text))
    unit: str | None = Field(default=None, sa_column=Column(Text))
    predefined_value: str | None = Field(default=None, sa_column=Column(Text))
    required: bool | None = Field(default=None, sa_column=Column(Boolean))
    minimum: str | None = Field(default=None, sa_column=Column(Text))
    maximum: str | None = Field(default=None, sa_column=Column(Text))
    pattern: str | None = Field(default=None, sa_column=Column(Text))
    allowed: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))


class ReferenceClassRelation(Table, table=True):
    """What a class says of another, in this dictionary or elsewhere."""

    __tablename__ = "reference_class_relations"
    __table_args__ = (
        ForeignKeyConstraint(
            ["dictionary_id", "class_code"], ["reference_classes.dictionary_id", "reference_classes.code"]
        ),
        CheckConstraint(_one_of("relation_type", RELATION_TYPES), name="relation_type"),
        CheckConstraint("fraction BETWEEN 0 AND 1", name="fraction"),
    )

    dictionary_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    class_code: str = Field(sa_column=Column(Text, primary_key=True))
    place: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    relation_type: str = Field(sa_column=Column(Text, nullable=False))
    related_uri: str = Field(sa_column=Column(Text, nullable=False))
    related_name: str | None = Field(default=None, sa_column=Column(Text))
    fraction: Decimal | None = Field(default=None, sa_column=Column(Numeric))


class ReferenceLink(Table, table=True):
    """What an operator decided about a class and one of our types."""

    __tablename__ = "reference_links"
    __table_args__ = (
        ForeignKeyConstraint(
            ["dictionary_id", "class_code"], ["reference_classes.dictionary_id", "reference_classes.code"]
        ),
        CheckConstraint("decision IN ('ACCEPTED', 'REJECTED')", name="decision"),
        CheckConstraint("(decision = 'ACCEPTED') = (relation IS NOT NULL)", name="accepted"),
        CheckConstraint("relation IN ('primary', 'also')", name="relation"),
        CheckConstraint("decision <> 'REJECTED' OR reason <> ''", name="rejected"),
    )

    dictionary_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    class_code: str = Field(sa_column=Column(Text, primary_key=True))
    type_code: str = Field(sa_column=Column(Text, ForeignKey("component_types.code"), primary_key=True))
    decision: str = Field(sa_column=Column(Text, nullable=False))
    relation: str | None = Field(default=None, sa_column=Column(Text))
    via: str | None = Field(default=None, sa_column=Column(Text))
    """The IFC entity that suggested it."""
    reason: str | None = Field(default=None, sa_column=Column(Text))
    decided_by: UUID = Field(sa_column=Column(Uuid, nullable=False))
    decided_by_name: str = Field(sa_column=Column(Text, nullable=False))
    decided_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
