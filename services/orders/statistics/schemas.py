"""Bodies of price statistics."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints

from services.orders.statistics.tables import PriceStatistic
from shared.contracts.fields import Answer

MonthText = Annotated[str, StringConstraints(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$"), Field(examples=["2026-07"])]


def month_of(text: str) -> date:
    """The first day of a month written `2026-07`."""
    return date.fromisoformat(f"{text}-01")


class PriceStatisticView(Answer):
    """What may be said of one cell."""

    variant_key: str = Field(examples=["RB-HRB|diameter=20,grade=HRB400E,length=12"])
    region: str
    month: str
    state: Literal["told", "not_enough_data"]
    pool: str | None = Field(default=None, description="`market`, or the id of the caller's circle.")
    currency: str | None = None
    unit: str | None = Field(default=None, description="The variant's base unit.")
    price: Decimal | None = Field(
        default=None,
        description="Mean of the groups' mean prices without tax, freight included, rounded to two and a half digits.",
        examples=["3250"],
    )
    spread: str | None = Field(
        default=None, description="Standard deviation / mean of the groups' prices, in bands.", examples=["2 % to 5 %"]
    )
    groups: str | None = Field(default=None, description="How many contractor groups bought.", examples=["5-9"])

    @classmethod
    def of(cls, cell: PriceStatistic) -> Self:
        """A cell of which something may be said."""
        return cls(
            variant_key=cell.variant_key,
            region=cell.region,
            month=f"{cell.month:%Y-%m}",
            state="told",
            pool=cell.pool,
            currency=cell.currency,
            unit=cell.base_unit,
            price=cell.price.normalize() + 0,
            spread=cell.spread,
            groups=cell.groups,
        )

    @classmethod
    def not_enough(cls, *, variant_key: str, region: str, month: str) -> Self:
        """Every other cell, whatever the reason."""
        return cls(variant_key=variant_key, region=region, month=month, state="not_enough_data")
