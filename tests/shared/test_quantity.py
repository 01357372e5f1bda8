"""domain.md R1, R2 and R7 for quantities."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.quantity import has_at_most, round_quantity, to_base

D = Decimal


@pytest.mark.parametrize(
    ("quantity", "decimals", "rounded"),
    [("0.0005", 3, "0.001"), ("2.5", 0, "3"), ("-2.5", 0, "-3"), ("0.43440", 3, "0.434"), ("12", 3, "12.000")],
)
def test_quantity_is_rounded_half_up(quantity: str, decimals: int, rounded: str) -> None:
    assert round_quantity(D(quantity), decimals) == D(rounded)


@pytest.mark.parametrize(
    ("quantity", "decimals", "fits"),
    [
        ("1.234", 3, True),
        ("1.2345", 3, False),
        ("1.500", 1, True),
        ("3.0", 0, True),
        ("3.1", 0, False),
        ("1E+3", 0, True),
        ("NaN", 3, False),
        ("Infinity", 0, False),
    ],
)
def test_over_precise_quantity_is_seen(quantity: str, decimals: int, fits: bool) -> None:
    assert has_at_most(D(quantity), decimals) is fits


@pytest.mark.parametrize(
    ("bars", "tonnes"),
    [("780", "23.119"), ("1", "0.030")],
)
def test_bars_of_20_mm_by_12_m_become_tonnes(bars: str, tonnes: str) -> None:
    assert to_base(quantity=D(bars), factor=D("0.02964"), decimals=3) == D(tonnes)


@given(quantity=st.decimals("0.001", "1e12", places=3), factor=st.decimals("1e-9", "1e6", places=9))
def test_conversion_is_within_half_a_step_of_the_exact_product(quantity: Decimal, factor: Decimal) -> None:
    converted = to_base(quantity=quantity, factor=factor, decimals=3)

    assert abs(converted - quantity * factor) <= D("0.0005")
    assert has_at_most(converted, 3)
