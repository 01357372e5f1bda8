"""How numbers and times are written in answers and in the canonical form of a document; texts on their way in."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal


def plain(number: Decimal) -> str:
    """A quantity, factor or rate without superfluous zeros and never with an exponent: `22.5`, `0.13`."""
    return trimmed(format(number, "f"))


def trimmed(text: str) -> str:
    """The same of a number that is text already."""
    if "E" in text:
        return plain(Decimal(text))
    return text.rstrip("0").rstrip(".") if "." in text else text


def price(text: str) -> str:
    """A trimmed unit price with at least two decimal places: `3253.00`, `0.00125`."""
    whole, _, places = text.partition(".")
    return text if len(places) > 1 else f"{whole}.{places:0<2}"


def money(amount: Decimal) -> str:
    """An amount; it has its two places already, from rounding or from its column."""
    return str(amount)


def moment(at: datetime) -> str:
    """A time in UTC: `2026-11-22T08:00:00.123456Z`."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def separated(values: Sequence[str | None]) -> str:
    """Any texts as one, for `string_to_array(…, chr(31), chr(30))`; nothing in it needs quoting.

    An empty result would read as no element at all, so it gets a second one; whoever joins by position drops it.

    Raises:
        ValueError: a text holds the separator, which no text we take in may.
    """
    joined = "\x1f".join(["\x1e" if value is None else value for value in values])
    if joined.count("\x1f") != len(values) - 1:
        message = "a text holds the unit separator (U+001F)"
        raise ValueError(message)
    return joined or "\x1f"
