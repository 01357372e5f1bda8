"""Bodies of the reference dictionaries' routes."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from pydantic import Field, model_validator

from services.catalog.classification.rules import Relation
from services.catalog.references.rules import CODE_AT_MOST
from shared.contracts.fields import Answer, Body, Code, Text


class DictionaryView(Answer):
    """One version of somebody's dictionary."""

    id: UUID
    organization: str = Field(examples=["molio"])
    code: str = Field(examples=["cciconstruction"])
    version: str = Field(examples=["1.0"])
    language: str = Field(examples=["en-GB"])
    name: str = Field(examples=["CCI Construction"])
    status: str = Field(description="Preview, Active or Inactive.", examples=["Preview"])
    licence: str | None = Field(examples=["MIT license"])
    licence_url: str | None
    release_date: str | None
    more_info_url: str | None
    quality: str | None
    system: str = Field(description="The code system its classes are codes of.", examples=["CCI"])
    counts: dict[str, int] = Field(examples=[{"classes": 1247, "classes_with_ifc": 758, "class_properties": 616}])
    imported_at: datetime


class ClassSummary(Answer):
    """A class in a list."""

    code: str = Field(examples=["L-SAB"])
    name: str
    class_type: str = Field(examples=["Class"])
    definition: str | None
    parent_code: str | None
    related_ifc: list[str] = Field(examples=[["IfcSlab"]])
    status: str


class ReferencePropertyView(Answer):
    """A property of a class: of the dictionary by its code, or of another by its address."""

    property_code: str | None
    property_uri: str | None
    name: str | None = Field(description="As the dictionary defines it, where it does.")
    data_type: str | None
    property_set: str | None = Field(examples=["Pset_SlabCommon"])
    unit: str | None
    predefined_value: str | None
    required: bool | None
    minimum: str | None = Field(examples=[">=0"])
    maximum: str | None
    pattern: str | None
    allowed: list[dict[str, Any]]


class ReferenceRelationView(Answer):
    """What a class says of another."""

    relation_type: str = Field(examples=["HasMaterial"])
    related_uri: str
    related_name: str | None
    fraction: Decimal | None


class LinkView(Answer):
    """What was decided about a class and a type."""

    class_code: str
    type_code: str
    decision: str = Field(description="ACCEPTED or REJECTED.", examples=["ACCEPTED"])
    relation: str | None
    via: str | None = Field(description="The IFC entity they share.", examples=["IfcSlab"])
    reason: str | None
    decided_at: datetime


class ClassView(ClassSummary):
    """A class with all it says."""

    synonyms: list[str]
    replaced_by: list[str]
    reference_code: str | None
    ancestors: list[str] = Field(description="Codes above it, the nearest first.")
    properties: list[ReferencePropertyView] = Field(description="Its own: a child inherits none.")
    relations: list[ReferenceRelationView]
    links: list[LinkView] = Field(description="Our types it is.")


class SuggestionView(Answer):
    """A class that may be one of our types; nothing is linked before an operator decides."""

    class_code: str
    class_name: str
    type_code: str
    type_name_zh: str
    via: list[str] = Field(description="IFC entities they share.", examples=[["IfcSlab"]])


class LinkRequest(Body):
    """A decision about a class and a type."""

    class_code: str = Field(min_length=1, max_length=CODE_AT_MOST, pattern=r"^[^\x00-\x1f\x7f]+$")
    type_code: Code
    accept: bool
    relation: Relation = Relation.ALSO
    reason: Text | None = Field(default=None, description="Needed to reject.")

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if not self.accept and not self.reason:
            message = "say why the class is not this type"
            raise ValueError(message)
        return self
