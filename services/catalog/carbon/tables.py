"""Carbon factors of component types."""

from decimal import Decimal

from sqlalchemy import CheckConstraint, Column, ForeignKey, Numeric, Text
from sqlmodel import Field

from services.catalog.carbon.rules import CarbonFactor
from services.catalog.schema import Table


class CarbonFactorOfType(Table, table=True):
    """Typical A1-A3 value of a type, kgCO2e per `unit`, with where the number is from."""

    __tablename__ = "carbon_factors"
    __table_args__ = (
        CheckConstraint("low >= 0 AND low <= typical AND typical <= high", name="range"),
        CheckConstraint("confidence IN ('low', 'medium', 'high')", name="confidence"),
        CheckConstraint("source <> ''", name="source"),
    )

    type_code: str = Field(sa_column=Column(Text, ForeignKey("component_types.code"), primary_key=True))
    unit: str = Field(sa_column=Column(Text, ForeignKey("units.code"), nullable=False))
    typical: Decimal = Field(sa_column=Column(Numeric, nullable=False))
    low: Decimal = Field(sa_column=Column(Numeric, nullable=False))
    high: Decimal = Field(sa_column=Column(Numeric, nullable=False))
    source: str = Field(sa_column=Column(Text, nullable=False))
    confidence: str = Field(sa_column=Column(Text, nullable=False))

    @property
    def as_rule(self) -> CarbonFactor:
        return CarbonFactor(
            unit=self.unit,
            typical=self.typical,
            low=self.low,
            high=self.high,
            source=self.source,
            confidence=self.confidence,
        )
