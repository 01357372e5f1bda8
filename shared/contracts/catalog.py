"""What `catalog` says to other services: variants, and which component types were published."""

from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from shared.contracts.fields import Answer, Body

TYPE_PUBLISHED = "dev.dougong.catalog.component_type.published.v1"

RESOLVE_AT_MOST = 5_000
"""Variants in one call."""


def _not_a_float(value: object) -> object:
    if isinstance(value, float):
        message = 'send a number with a fraction as text, e.g. "12.7"'
        raise ValueError(message)  # noqa: TRY004 - pydantic turns a ValueError into a field error
    return value


PropertyValue = Annotated[str | bool | int, BeforeValidator(_not_a_float)]
"""As people write it: `20`, `"Φ20"`, `"12m"`, `"HRB400E"`, `"直螺纹"`, `true`."""

Properties = Annotated[
    dict[Annotated[str, StringConstraints(min_length=1, max_length=100)], PropertyValue],
    Field(max_length=50, examples=[{"diameter": "20", "grade": "HRB400E", "length": "12"}]),
]
"""By key or by the property's Chinese or English name."""


class VariantReference(Body):
    """A variant by its key, or by its type and identity properties; one of the two."""

    key: str | None = Field(
        default=None,
        max_length=2000,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        examples=["RB-HRB|diameter=20,grade=HRB400E,length=12"],
    )
    type: str | None = Field(default=None, max_length=100, examples=["RB-HRB"])
    properties: Properties | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.key is None) == (self.type is None) or (self.key is not None and self.properties is not None):
            message = "give either `key`, or `type` with `properties`"
            raise ValueError(message)
        return self


class VariantSnapshot(Answer):
    """A variant as it was made; it never changes."""

    id: UUID
    key: str = Field(examples=["RB-HRB|diameter=20,grade=HRB400E,length=12"])
    type_code: str = Field(examples=["RB-HRB"])
    type_version: int = Field(examples=[1])
    category: str = Field(examples=["rebar"])
    name_zh: str = Field(examples=["热轧带肋钢筋(直条) HRB400E Φ20 12m"])
    name_en: str = Field(examples=["hot-rolled ribbed bar, straight HRB400E Φ20 12m"])
    properties: dict[str, str] = Field(examples=[{"diameter": "20", "grade": "HRB400E", "length": "12"}])
    supply_mode: str = Field(examples=["stock"])
    base_unit: str = Field(examples=["t"])
    base_decimals: int = Field(examples=[3])
    unit_factors: dict[str, Decimal] = Field(
        description="Base units in one unit, for every unit that converts.",
        examples=[{"t": "1", "kg": "0.001", "piece": "0.02964", "m": "0.00247"}],
    )
    unit_decimals: dict[str, int] = Field(description="Places each unit is counted in.")
    spec_hash: str = Field(description="SHA-256 of type, version and identity values.")
    carbon: Decimal | None = Field(default=None, description="kgCO2e A1-A3 in one base unit, typical.")
    standards: list[str] = Field(examples=[["GB 1499.2-2024"]])


class VariantError(Answer):
    """Why there is no such variant."""

    code: str = Field(examples=["ValueNotAllowed"])
    detail: str
    field: str = Field(examples=["properties.grade"])


class VariantResult(Answer):
    """One of the two."""

    variant: VariantSnapshot | None = None
    error: VariantError | None = None


class ResolveRequest(Body):
    """Variants to find, and to make where they are not there yet."""

    variants: list[VariantReference] = Field(min_length=1, max_length=RESOLVE_AT_MOST)


class ResolveAnswer(Answer):
    """One result a reference, in the order asked."""

    results: list[VariantResult]


class TypePublished(Answer):
    """dev.dougong.catalog.component_type.published.v1: a new version, or the end, of a component type."""

    code: str
    version: int
    status: str = Field(description="ACTIVE or DEPRECATED.")
    category: str
    name_zh: str
    name_en: str
    content_hash: str
    successor: str | None = Field(default=None, description="What to use instead of a deprecated type.")
    reason: str | None = Field(default=None, description="Why the type was deprecated.")
    dictionary_version: int = Field(
        default=0, description="The version of the dictionary that made the type so; 0 in events older than this field."
    )


CODES_AT_MOST = 5_000
"""Legacy codes in one call."""
MAPPINGS_AT_MOST = 1_000
"""Mappings that are noted as used in one call."""


class CodesToResolve(Body):
    """A company's own codes, for a service whose documents hold them."""

    company_id: UUID
    group_id: UUID | None = None
    codes: list[Annotated[str, StringConstraints(min_length=1, max_length=60)]] = Field(
        min_length=1, max_length=CODES_AT_MOST
    )


class CodeMeaning(Answer):
    """One variant that a code means today. A code with several of them is a split or a kit; without one, unmapped."""

    code: str
    mapping_id: UUID
    company_id: UUID = Field(description="Whose mapping it is: the company's own, or one of its group.")
    version: int
    part: int
    relation: str
    variant_id: UUID
    variant_key: str
    category: str
