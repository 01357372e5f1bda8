"""Bodies of the unit routes."""

from pydantic import Field

from shared.contracts.fields import Answer


class UnitView(Answer):
    """A unit of measure."""

    code: str = Field(examples=["t"])
    names_zh: list[str] = Field(description="The first is the usual one; all are understood.", examples=[["吨"]])
    unece: str | None = Field(description="UN/ECE Recommendation 20.", examples=["TNE"])
    dimension: str = Field(examples=["mass"])
    decimals: int = Field(description="Decimal places a quantity may have.", examples=[3])
