"""The suite's own eye for a figure that must not be told: it sees every way of writing it, and no chance."""

import pytest

from tests.figures import tells


@pytest.mark.parametrize(
    "text", ['"4711"', "4711", '{"price": 4711.50}', "471100", "sum=4711,", "价格4711元", "¥4711/t", "4711.000000]"]
)
def test_a_figure_is_seen(text: str):
    assert tells(text, "4711")


@pytest.mark.parametrize(
    "text",
    [
        "party-fc54711051dc",
        "01a21847-4711-7151-bcba-c5d1e49af446",
        "471106c3-d581-7151-bcba-c5d1e49af446",
        "2026-11-26T14:34:50.471112+00:00",
        "2026-11-26T14:34:50.084711+00:00",
        "14711",
        "4711e09a",
    ],
)
def test_chance_is_not_a_figure(text: str):
    assert not tells(text, "4711")


def test_a_figure_of_few_digits_is_not_the_second_of_a_moment():
    assert not tells("2026-11-26T14:34:31.010203+00:00", "1.01")
    assert tells('"price_from": "1.01"', "1.01")
