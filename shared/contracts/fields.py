"""Field types of every body. Decimals come as text or whole numbers; a float has lost digits already."""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints


def _exact(value: Any) -> Any:
    if isinstance(value, float):
        message = 'send decimals as text, e.g. "12.50"; a JSON number with a fraction is not exact'
        raise ValueError(message)  # noqa: TRY004 - pydantic turns a ValueError into a field error
    return value


ExactDecimal = Annotated[Decimal, BeforeValidator(_exact), Field(allow_inf_nan=False)]
QuantityText = Annotated[
    Decimal,
    Field(gt=0, lt=10**15, max_digits=18, allow_inf_nan=False, examples=["12.500"]),
    BeforeValidator(_exact),
]
"""Below the first quantity that a NUMERIC(18, 3) cannot hold. The limits stand before the validator, so that they are
checked without calls into Python: every line of a basket has one of these."""
PriceText = Annotated[ExactDecimal, Field(ge=0, max_digits=18, decimal_places=6, examples=["3253.00"])]
MoneyText = Annotated[ExactDecimal, Field(max_digits=18, decimal_places=2, examples=["40662.50"])]
RateText = Annotated[ExactDecimal, Field(ge=0, lt=1, max_digits=7, decimal_places=6, examples=["0.13"])]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), Field(examples=["CNY"])]
_PROVINCES = frozenset(
    {
        "11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41", "42", "43",
        "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71", "81", "82",
    }
)  # fmt: skip


def _in_a_province(code: str) -> str:
    if code[:2] not in _PROVINCES:
        message = f"{code[:2]} is no province of GB/T 2260"
        raise ValueError(message)
    return code


RegionCode = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{2}([0-9]{4})?$"),
    AfterValidator(_in_a_province),
    Field(examples=["110105"]),
]
"""GB/T 2260: two digits for a province, six for a city or county. Provinces stay as they are; counties come and go
every year, so the four digits after them may be any."""


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f]")


def _clean(value: Any) -> Any:
    if isinstance(value, str) and not value.isprintable() and _CONTROL.search(value):
        message = "must not contain control characters"
        raise ValueError(message)
    return value


# The constraints stand first, next to `str`: after a validator they would count the blanks they are to strip.
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000), BeforeValidator(_clean)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), BeforeValidator(_clean)]
Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]*$")]
"""A short mark somebody chose: a unit, a cost code, a project number. Checked without a call into Python."""
QueryText = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A text to look for, from an address: no database holds control characters in such a place."""
CalendarDate = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2199, 12, 31))]
"""A day of business. What lies further away is a mistake, and cannot be shifted by time zones and lead times."""


class Body(BaseModel):
    """A request body: unknown members are refused, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """An answer: read from rows, grows by new members; readers ignore those they do not know."""

    model_config = ConfigDict(extra="ignore", frozen=True, from_attributes=True)
