"""Units of measure."""

from sqlalchemy import CheckConstraint, Column, SmallInteger, Text
from sqlmodel import Field

from services.catalog.schema import Table
from shared.quantity import Unit


class UnitOfMeasure(Table, table=True):
    """A unit, as the published taxonomy has it."""

    __tablename__ = "units"
    __table_args__ = (CheckConstraint("decimals BETWEEN 0 AND 6", name="decimals"),)

    code: str = Field(sa_column=Column(Text, primary_key=True))
    name_zh: str = Field(sa_column=Column(Text, nullable=False))
    """Several names are parted by a slash: 件/根/块."""
    unece: str = Field(sa_column=Column(Text, nullable=False))
    """UN/ECE Recommendation 20; empty where it has none."""
    dimension: str = Field(sa_column=Column(Text, nullable=False))
    decimals: int = Field(sa_column=Column(SmallInteger, nullable=False))
    sort: int = Field(sa_column=Column(SmallInteger, nullable=False))

    @property
    def as_rule(self) -> Unit:
        return Unit(
            code=self.code,
            name_zh=self.name_zh,
            unece=self.unece,
            dimension=self.dimension,
            decimals=self.decimals,
        )
