"""Bodies of the code routes."""

from pydantic import Field

from shared.contracts.fields import Answer


class CodeView(Answer):
    """A code of one system for one component type."""

    system: str = Field(examples=["IFC"])
    edition: str = Field(description="Empty: all editions say the same.", examples=["", "IFC4X3"])
    code: str = Field(examples=["IfcSlab.FLOOR"])
    type_code: str = Field(examples=["PC-SLAB"])
    relation: str = Field(description="`also`: a code a modeller may use for it as well.", examples=["primary"])
