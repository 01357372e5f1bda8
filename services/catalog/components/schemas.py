"""Bodies of the type and variant routes."""

from datetime import date, datetime
from decimal import Decimal

from pydantic import Field

from services.catalog.carbon.schemas import CarbonView
from services.catalog.classification.schemas import CodeView
from shared.contracts.catalog import Properties
from shared.contracts.fields import Answer, Body, Name, QuantityText


class CategoryView(Answer):
    """A group of component types."""

    key: str = Field(examples=["rebar"])
    name_zh: str = Field(examples=["钢筋与连接"])
    name_en: str = Field(examples=["rebar"])


class TypeSummary(Answer):
    """A component type in a list."""

    code: str = Field(examples=["RB-HRB"])
    version: int = Field(examples=[1])
    status: str = Field(examples=["ACTIVE"])
    category: str = Field(examples=["rebar"])
    name_zh: str = Field(examples=["热轧带肋钢筋(直条)"])
    name_en: str = Field(examples=["hot-rolled ribbed bar, straight"])
    supply_mode: str = Field(examples=["stock"])
    base_unit: str = Field(examples=["t"])
    identity: list[str] = Field(description="Keys of the properties that make a variant.", examples=[["grade"]])


class RetirementView(Answer):
    """What stands in the place of something deprecated."""

    successor: str = Field(examples=["HRB400"])
    reason: str | None = Field(default=None, examples=["Withdrawn by GB 1499.2-2024."])


class RelationView(Answer):
    """What a type says of another type (by its code) or of a class elsewhere (by its address)."""

    type: str = Field(examples=["HasPart"])
    target: str = Field(examples=["RB-HRB"])
    fraction: Decimal | None = None


class PropertyView(Answer):
    """What a property allows."""

    key: str = Field(examples=["diameter"])
    name_zh: str = Field(examples=["公称直径"])
    name_en: str = Field(examples=["nominal diameter"])
    kind: str = Field(description="enum, integer, decimal, string, boolean or date.", examples=["enum"])
    unit: str | None = Field(default=None, examples=["mm"])
    allowed: list[str] | None = Field(default=None, examples=[["6", "8", "10"]])
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    identity: bool = Field(description="Part of what the thing is; the others belong to the offer or the batch.")
    required: bool
    definition_zh: str | None = None
    definition_en: str | None = None
    property_set: str | None = Field(
        default=None, description="Of IFC, where it has one.", examples=["Pset_SlabCommon"]
    )
    retired: dict[str, RetirementView] = Field(
        default_factory=dict, description="Allowed values that new variants no longer take; old ones keep them."
    )
    deprecated: RetirementView | None = Field(default=None, description="New variants no longer have this property.")


class TypeUnitView(Answer):
    """A unit in which a type can be counted."""

    unit: str = Field(examples=["piece"])
    base_per_unit: str | None = Field(default=None, description="Base units in one.", examples=["0.05"])
    formula: str | None = Field(default=None, examples=["kg_per_m[diameter] * length_m / 1000"])
    only: dict[str, str] = Field(default_factory=dict, description="It holds for these values and no others.")
    note: str | None = None


class StandardView(Answer):
    """An edition of a standard."""

    number: str = Field(examples=["GB 1499.2-2024"])
    title_zh: str
    edition_check: str = Field(
        description="`seen` in public material, `own` knowledge; anything else: verify before relying on it.",
        examples=["seen"],
    )
    withdrawn_on: date | None = Field(
        default=None,
        description="From this day on the edition holds no longer, as the register of standards says: no offer and no "
        "order may name it. None while it holds, and while nobody entered it.",
    )
    replaced_by: str | None = Field(default=None, examples=["GB 1499.2-2024"])


class TypeView(TypeSummary):
    """A component type."""

    published_at: datetime
    content_hash: str
    successor: str | None = Field(description="What to use instead of a deprecated type.")
    deprecation_reason: str | None
    definition_zh: str | None = None
    definition_en: str | None = None
    synonyms: list[str] = Field(default_factory=list)
    relations: list[RelationView] = Field(default_factory=list)
    properties: list[PropertyView]
    units: list[TypeUnitView]
    standards: list[StandardView]
    codes: list[CodeView]
    carbon: CarbonView | None
    identity_level: str = Field(description="What one delivered thing is known by.", examples=["batch"])
    lead_time_days: dict[str, int] | None = Field(examples=[{"min": 1, "max": 7}])
    receipt_documents: list[str]
    lot_rule: str | None
    settlement_basis: str | None
    vat: dict[str, str | bool] | None = Field(description="Hints; the rate is a property of supplier, line and date.")
    perishable: str | None
    notes: str | None
    confidence: str | None


class VariantRequest(Body):
    """A type and its identity properties."""

    type: Name = Field(examples=["RB-HRB"])
    properties: Properties


class ConvertRequest(Body):
    """A quantity of one variant in another unit. Units by code, UN/ECE code or Chinese name."""

    variant: str = Field(
        max_length=2000,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="A variant key; nobody needs to have used it.",
        examples=["RB-HRB|diameter=20,grade=HRB400E,length=12"],
    )
    quantity: QuantityText
    source: Name = Field(alias="from", examples=["根"])
    target: Name = Field(alias="to", examples=["t"])


class Conversion(Answer):
    """The converted quantity."""

    variant: str
    quantity: Decimal = Field(description="In `unit`, rounded half up to its places.", examples=["0.030"])
    unit: str = Field(examples=["t"])
    exact: Decimal = Field(description="Before that rounding, to at most nine places.", examples=["0.02964"])
    base_quantity: Decimal = Field(examples=["0.030"])
    base_unit: str = Field(examples=["t"])
    factors: dict[str, str] = Field(description="Base units in one of the two units.")
    not_convertible: dict[str, str] = Field(description="Units of this type that only the supplier can convert.")
