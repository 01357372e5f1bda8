"""A component type as people propose it: the shape of the taxonomy we ship, each member checked."""

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from services.catalog.components.rules import Kind, canonical_number, canonical_text
from shared.contracts.fields import Body, Name, Text


def _text_number(value: Any) -> Any:
    if isinstance(value, bool | float):
        message = 'send numbers as text, e.g. "2.47", or whole'
        raise ValueError(message)  # noqa: TRY004 - pydantic turns a ValueError into a field error
    return str(value) if isinstance(value, int) else value


def _canonical(value: str) -> str:
    return canonical_number(Decimal(value))


def _allowed_value(value: str) -> str:
    if canonical_text(value) != value or any(mark in value for mark in ",=|"):
        message = "is written without `,` `=` `|`, doubled blanks or compatibility forms"
        raise ValueError(message)
    return value


Number = Annotated[
    str,
    StringConstraints(pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,9})?$"),
    BeforeValidator(_text_number),
    AfterValidator(_canonical),
]
Value = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$"),
    BeforeValidator(_text_number),
    AfterValidator(_allowed_value),
]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
TypeCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}-[A-Z0-9]{1,40}$")]
Short = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Retirement(Body):
    """What stands in the place of something deprecated, and why it was."""

    successor: Short = Field(examples=["HRB400"])
    reason: Name = Field(examples=["Withdrawn by GB 1499.2-2024."])


class PropertyDocument(Body):
    """A property; once published its key, kind, unit and identity stay, and its values are only ever added."""

    key: Key = Field(examples=["diameter"])
    name_zh: Name = Field(examples=["公称直径"])
    name_en: Name = Field(examples=["nominal diameter"])
    type: Kind = Field(examples=["enum"])
    unit: Short | None = Field(default=None, examples=["mm"])
    allowed: list[Value] | None = Field(default=None, max_length=500, examples=[["6", "8", "10"]])
    numeric: bool | None = Field(default=None, description="The allowed values are numbers.")
    min: Number | None = None
    max: Number | None = None
    identity: bool = Field(description="Part of what the thing is; false: of the offer or the batch.")
    required: bool
    definition_zh: Text | None = None
    definition_en: Text | None = None
    property_set: Short | None = Field(default=None, examples=["Pset_SlabCommon"])
    retired: dict[Value, Retirement] | None = Field(
        default=None, description="Allowed values that new variants no longer take."
    )
    deprecated: Retirement | None = Field(default=None, description="New variants no longer have this property.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.type is Kind.ENUM) != bool(self.allowed):
            message = "an enum, and nothing else, has allowed values"
            raise ValueError(message)
        if self.allowed and len(set(self.allowed)) != len(self.allowed):
            message = "an allowed value stands twice"
            raise ValueError(message)
        if self.min is not None and self.max is not None and Decimal(self.min) > Decimal(self.max):
            message = "min is above max"
            raise ValueError(message)
        return self


class UnitDocument(Body):
    """Another unit in which the type can be counted."""

    uom: Short = Field(examples=["piece"])
    base_per_unit: Number | None = None
    formula: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        default=None, examples=["kg_per_m[diameter] * length_m / 1000"]
    )
    only: dict[Key, Value] | None = None
    note: Text | None = None


class StandardDocument(Body):
    """An edition of a standard the type is made to."""

    number: Short = Field(examples=["GB 1499.2-2024"])
    title_zh: Name
    edition_check: Short = Field(examples=["seen"])
    note: Text | None = None


IfcEntity = Annotated[str, StringConstraints(pattern=r"^Ifc[A-Z][A-Za-z0-9]{1,60}$")]


class IfcDocument(Body):
    """Its class in IFC4 and IFC4X3, and others a modeller may use (`IfcSlab.BASESLAB`, `… (IFC4X3 only)`)."""

    entity: IfcEntity = Field(alias="class", examples=["IfcSlab"])
    predefined_type: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,60}$")] | None = Field(
        default=None, examples=["FLOOR"]
    )
    also: list[Name] = Field(default_factory=list, max_length=50)


class CarbonDocument(Body):
    """A1-A3 in kgCO2e per unit, with its source."""

    unit: Short
    typical: Number
    low: Number
    high: Number
    source: Name
    confidence: Literal["low", "medium", "high"]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not 0 <= Decimal(self.low) <= Decimal(self.typical) <= Decimal(self.high):
            message = "0 <= low <= typical <= high does not hold"
            raise ValueError(message)
        return self


class RelationDocument(Body):
    """What the type says of another type of ours (by its code) or of a class elsewhere (by its address)."""

    type: Literal["HasMaterial", "HasPart", "IsPartOf", "IsEqualTo", "IsSimilarTo", "IsChildOf", "HasReference"]
    target: Annotated[str, StringConstraints(pattern=r"^([A-Z]{2}-[A-Z0-9]{1,40}|https?://[^\s]{1,300})$")]
    fraction: Number | None = None

    @model_validator(mode="after")
    def _is_a_share(self) -> Self:
        if self.fraction is not None and not 0 <= Decimal(self.fraction) <= 1:
            message = "a fraction is between 0 and 1"
            raise ValueError(message)
        return self


class Receipt(Body):
    """What must come with a delivery."""

    documents: list[Name] = Field(max_length=50)
    lot_rule: Text | None = None


class LeadTime(Body):
    """Days from order to delivery."""

    min: int = Field(ge=0, le=2000)
    max: int = Field(ge=0, le=2000)


class TypeDocument(Body):
    """A whole component type. GET …/document gives the present one to start from."""

    code: TypeCode = Field(examples=["RB-HRB"])
    category: Short = Field(examples=["rebar"])
    name_zh: Name
    name_en: Name
    definition_zh: Text | None = None
    definition_en: Text | None = None
    synonyms: list[Name] | None = Field(default=None, max_length=100)
    relations: list[RelationDocument] | None = Field(default=None, max_length=100)
    supply_mode: Literal["stock", "make_to_order", "engineer_to_order", "rental"]
    base_uom: Short = Field(examples=["t"])
    alt_uoms: list[UnitDocument] = Field(max_length=50)
    properties: list[PropertyDocument] = Field(min_length=1, max_length=200)
    standards: list[StandardDocument] = Field(max_length=50)
    ifc: IfcDocument
    gbt50851_class: Annotated[str, StringConstraints(pattern=r"^[0-9]{2,10}$")] | None = None
    identity_level: Literal["none", "batch", "piece"]
    lead_time_days: LeadTime | None = None
    receipt: Receipt | None = None
    settlement_basis: Text | None = None
    vat: dict[Key, bool | Number] | None = Field(default=None, max_length=10)
    carbon_a1_a3: CarbonDocument | None = None
    confidence: Literal["low", "medium", "high"] | None = None
    kg_per_m: dict[Short, Number] | None = Field(default=None, max_length=2000)
    kg_per_m2: dict[Short, Number] | None = Field(default=None, max_length=2000)
    perishable: Text | None = None
    notes: Text | None = None

    @property
    def as_entry(self) -> dict[str, Any]:
        """The members that were given, as `components.taxonomy.type_entry` reads them."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)
