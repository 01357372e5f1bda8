"""Bodies of the carbon routes."""

from decimal import Decimal

from pydantic import Field

from shared.contracts.fields import Answer


class CarbonView(Answer):
    """Embodied carbon of a type, kgCO2e per unit; a supplier's own declaration goes before it."""

    type_code: str = Field(examples=["RB-HRB"])
    unit: str = Field(examples=["t"])
    typical: Decimal = Field(examples=["2340"])
    low: Decimal = Field(examples=["1990"])
    high: Decimal = Field(examples=["3030"])
    source: str = Field(examples=["GB/T 51366-2019 App. D hot-rolled rebar"])
    confidence: str = Field(description="Of the whole number: `low` is a placeholder.", examples=["high"])
