"""The metrics of domain.md 3.6, as each service tells those it has the data for; `dougong metrics` shows them together.

A metric without data says why instead of a number. No amount, price or quantity of anybody's contracts is among them:
only shares, counts, times and indices.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Literal

from pydantic import Field

from shared.contracts.fields import Answer

MonthText = str


class MetricId(StrEnum):
    """Domain.md 3.6."""

    STANDARDISED_SPEND = "M1"
    SHARED_SUPPLIERS = "M2"
    QUALIFICATION_REUSE = "M3"
    PRICE_DISPERSION = "M4"
    ON_TIME_IN_FULL = "M5"
    ANSWER_TIME = "M6"
    PAYMENT_DISCIPLINE = "M7"
    CONCENTRATION = "M8"
    LEAKAGE = "M9"
    SAVINGS_RATE = "M10"
    MATCH_RATE = "M11"
    DIGITAL_EVIDENCE = "M12"
    CARBON = "M13"
    CIRCULARITY = "M14"
    OPENNESS = "M15"


class MetricValue(Answer):
    """One figure, for one month and where it has them one category and stage."""

    metric: MetricId
    name: str = Field(examples=["standardised spend"])
    month: MonthText = Field(examples=["2026-10"])
    category: str | None = Field(default=None, examples=["rebar"], description="None: all categories together.")
    stage: Literal["S1", "S2", "S3"] | None = Field(
        default=None, description="Of the buying groups in the category when ordered; none: all together."
    )
    value: Decimal | None = Field(examples=["0.9630"], description="None: there are no data; `reason` says why.")
    unit: Literal["share", "hours", "days", "index", "ratio"]
    good: Literal["up", "down", "context"]
    cases: int | None = Field(
        default=None, description="How many things were counted, where that tells nothing secret."
    )
    reason: str | None = None
