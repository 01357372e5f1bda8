"""Bodies of the code routes."""

from datetime import datetime

from pydantic import Field

from services.catalog.classification.rules import CODE_AT_MOST, EDITION_AT_MOST, Relation
from shared.contracts.fields import Answer, Body, Code, Name, Text


class CodeView(Answer):
    """A code of one system for one component type."""

    system: str = Field(examples=["IFC"])
    edition: str = Field(description="Empty: all editions say the same.", examples=["", "IFC4X3"])
    code: str = Field(examples=["IfcSlab.FLOOR"])
    type_code: str = Field(examples=["PC-SLAB"])
    relation: str = Field(description="`also`: a code a modeller may use for it as well.", examples=["primary"])


class CodeSystemView(Answer):
    """Somebody's codes."""

    code: str = Field(examples=["GB/T 51269"])
    name_zh: str = Field(examples=["建筑信息模型分类和编码标准"])
    name_en: str
    licence_note: str = Field(examples=["Paid state standard: codes only, operators import what they hold."])
    pattern: str | None = Field(
        description="What every code looks like.", examples=[r"^\d{2}-\d{2}\.\d{2}\.\d{2}(\.\d{2})?$"]
    )
    dictionary: str | None = Field(
        description="The bSDD dictionary whose classes are these codes.", examples=["molio/cciconstruction"]
    )


class CodeSystemRequest(Body):
    """A code system that is not there yet: a national list, an association's, a customer's."""

    code: Code = Field(examples=["SfB"])
    name_zh: Name = Field(examples=["SfB 分类"])
    name_en: Name = Field(examples=["SfB"])
    licence_note: Text = Field(min_length=1, examples=["Codes only."])
    pattern: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="A regular expression without back references; none: any code.",
        examples=[r"^\(\d{2}\)$"],
    )


class CodeRequest(Body):
    """A code that shall find a type."""

    system: Code = Field(examples=["GB/T 51269"])
    edition: str = Field(
        default="",
        max_length=EDITION_AT_MOST,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="Empty: it holds in all editions.",
        examples=["2017"],
    )
    code: str = Field(min_length=1, max_length=CODE_AT_MOST, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["30-13.10.10"])
    type_code: Code = Field(examples=["PC-SLAB"])
    relation: Relation = Relation.PRIMARY


class CodeRetirement(Body):
    """A code that shall find its type no longer."""

    system: Code
    edition: str = Field(default="", max_length=EDITION_AT_MOST, pattern=r"^[^\x00-\x1f\x7f]*$")
    code: str = Field(min_length=1, max_length=CODE_AT_MOST, pattern=r"^[^\x00-\x1f\x7f]+$")
    type_code: Code
    reason: Name = Field(examples=["Withdrawn in the 2026 edition."])


class CodeEventView(CodeView):
    """Something that happened to a code."""

    action: str = Field(description="ADDED, CHANGED (taken up again, other relation) or RETIRED.", examples=["ADDED"])
    by_name: str = Field(examples=["Operator"])
    reason: str | None
    at: datetime
