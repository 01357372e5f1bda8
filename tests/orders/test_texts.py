"""Numbers and texts on their way into answers and array literals."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orders.purchase_orders.texts import plain, price, separated, trimmed
from shared.arrays import array, quoted

TEXTS = st.lists(st.none() | st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"])), min_size=1)


@pytest.mark.parametrize(
    ("number", "text"),
    [("10.000", "10"), ("22.5", "22.5"), ("0.000", "0"), ("1E+3", "1000"), ("1E-9", "0.000000001"), ("100", "100")],
)
def test_numbers_are_plain(number: str, text: str) -> None:
    assert plain(Decimal(number)) == trimmed(number) == text


@pytest.mark.parametrize(
    ("text", "shown"), [("3253", "3253.00"), ("1.5", "1.50"), ("0.00125", "0.00125"), ("1.35", "1.35")]
)
def test_prices_have_at_least_two_places(text: str, shown: str) -> None:
    assert price(text) == shown


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_plain_numbers_keep_their_value(number: Decimal) -> None:
    assert Decimal(plain(number)) == number
    assert "E" not in plain(number)


@given(TEXTS)
def test_separated_texts_come_apart_again(values: list[str | None]) -> None:
    apart = [None if part == "\x1e" else part for part in separated(values).split("\x1f")]

    assert apart[: len(values)] == values


def test_the_separator_inside_a_text_is_refused() -> None:
    with pytest.raises(ValueError, match="separator"):
        separated(["a", "b\x1fc"])


def test_array_literals_quote_what_they_must() -> None:
    assert array(map(quoted, [None, 'a"b\\c', "", "NULL"])) == '{NULL,"a\\"b\\\\c","","NULL"}'
