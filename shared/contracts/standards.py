"""What `catalog` tells of editions of standards and of goods that may not be listed or ordered."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.fields import Answer

STANDARD_CHANGED = "dev.dougong.catalog.standard.changed.v1"
RESTRICTION_CHANGED = "dev.dougong.catalog.restriction.changed.v1"

REGISTER_ROWS_AT_MOST = 500
"""Editions or restrictions in one event."""

StandardKind = Literal["mandatory", "recommended", "group", "enterprise"]
RestrictionKind = Literal["banned", "restricted"]


class EditionState(Answer):
    """One edition of a standard as the register has it now."""

    key: str = Field(description="The designation without blanks, in capitals.", examples=["GB1499.2-2018"])
    number: str = Field(description="Without the year.", examples=["GB/T 1499.2"])
    edition: str = Field(description="Empty when the document has no year.", examples=["2018"])
    designation: str = Field(examples=["GB/T 1499.2-2018"])
    title: str = Field(examples=["钢筋混凝土用钢 第2部分:热轧带肋钢筋"])
    kind: StandardKind
    published_on: date | None = None
    effective_on: date | None = None
    withdrawn_on: date | None = Field(default=None, description="From this day on it is no longer in force.")
    replaced_by: str | None = Field(default=None, examples=["GB 1499.2-2024"])
    source: str = Field(description="The document that says so.")
    edition_check: str = Field(description="How far the edition was checked.", examples=["seen"])
    version: int


class StandardsChanged(Answer):
    """dev.dougong.catalog.standard.changed.v1"""

    standards: list[EditionState]


class RestrictionState(Answer):
    """One entry of the list of goods that may not be listed (banned) or ordered (both) from a day on."""

    id: UUID
    kind: RestrictionKind
    type_code: str = Field(examples=["PP-STEEL"])
    properties: dict[str, str] = Field(
        default_factory=dict, description="Only variants with these values; none: the whole type."
    )
    regions: list[str] = Field(default_factory=list, description="GB/T 2260; none: the whole country.")
    from_on: date
    until_on: date | None = Field(default=None, description="The last day; none: without end.")
    source: str = Field(description="The document it stands in.", examples=["住建部公告 2021 年第 214 号"])
    text: str = Field(description="The entry as the document words it.")
    version: int


class RestrictionsChanged(Answer):
    """dev.dougong.catalog.restriction.changed.v1"""

    restrictions: list[RestrictionState]
