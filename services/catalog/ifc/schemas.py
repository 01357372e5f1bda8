"""Bodies of the property-set route."""

from pydantic import Field

from shared.contracts.fields import Answer


class TemplatePropertyView(Answer):
    """A property or a quantity of a set."""

    name: str = Field(examples=["FireRating"])
    description: str | None
    kind: str | None = Field(description="P_SINGLEVALUE, P_ENUMERATEDVALUE, …, Q_LENGTH, Q_AREA, …")
    measure: str | None = Field(examples=["IfcLabel"])
    values: list[str] = Field(description="What an enumerated one allows.")
    properties: list["TemplatePropertyView"] = Field(description="Of a complex one.")


class PropertySetView(Answer):
    """A property set or quantity set that applies to the type's class."""

    name: str = Field(examples=["Pset_SlabCommon"])
    description: str | None
    applies_to: str = Field(examples=["IfcSlab,IfcSlabType"])
    properties: list[TemplatePropertyView]


class PropertySetsView(Answer):
    """What IFC says of a type."""

    type_code: str = Field(examples=["PC-SLAB"])
    edition: str = Field(examples=["IFC4X3"])
    entity: str = Field(examples=["IfcSlab"])
    predefined_type: str | None = Field(examples=["FLOOR"])
    source: str = Field(description="Where the templates were read.")
    sets: list[PropertySetView]
