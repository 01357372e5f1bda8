"""When a price may be spoken of in sum, and the figures of domain.md 3.6."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orders.statistics.rules import (
    Contribution,
    Spread,
    herfindahl,
    months_before,
    newest_publishable,
    next_month,
    price_cell,
    quantised,
    share,
)

GROUPS = [UUID(int=number) for number in range(1, 30)]


def bought(*each: tuple[int, str, str]) -> list[Contribution]:
    return [
        Contribution(group_id=GROUPS[group], quantity=Decimal(quantity), net=Decimal(net))
        for group, quantity, net in each
    ]


def five(price: str = "3000") -> list[Contribution]:
    return bought(*((group, "10", str(Decimal(price) * 10)) for group in range(5)))


def test_five_groups_with_a_fifth_each_are_enough():
    cell = price_cell(five())
    assert cell is not None
    assert (cell.price, cell.spread, cell.groups) == (Decimal(3000), Spread.NARROW, "5-9")


def test_four_groups_are_not_enough_however_many_lines_they_have():
    assert price_cell(five()[:4] * 10) is None


def test_one_group_with_more_than_a_quarter_hides_the_cell():
    others = bought(*((group, "10", "30000") for group in range(1, 5)))
    assert price_cell([*others, *bought((0, "13.333", "39999"))]) is not None
    assert price_cell([*others, *bought((0, "13.334", "40002"))]) is None


def test_lines_of_one_group_are_one_contribution():
    parts = [*five()[:4], *bought((4, "5", "15000")), *bought((4, "5", "15000"))]
    assert price_cell(parts) == price_cell(five())


def test_a_group_counts_once_however_much_it_buys():
    cell = price_cell(bought((0, "12", "36000"), *((group, "10", "40000") for group in range(1, 5))))
    assert cell is not None
    assert cell.price == Decimal(3800)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 8),
            st.decimals("0.001", "1000", places=3, allow_nan=False, allow_infinity=False),
            st.decimals("0.01", "9999.99", places=2, allow_nan=False, allow_infinity=False),
        ),
        max_size=30,
    )
)
def test_whatever_is_told_keeps_the_limits(lines: list[tuple[int, Decimal, Decimal]]):
    contributions = [
        Contribution(group_id=GROUPS[group], quantity=quantity, net=(quantity * price).quantize(Decimal("0.01")))
        for group, quantity, price in lines
    ]
    cell = price_cell(contributions)
    by_group: dict[UUID, Decimal] = {}
    for each in contributions:
        by_group[each.group_id] = by_group.get(each.group_id, Decimal(0)) + each.quantity
    total = sum(by_group.values(), Decimal(0))
    allowed = len(by_group) >= 5 and all(quantity * 4 <= total for quantity in by_group.values())
    assert (cell is not None) == allowed


@given(st.decimals("0.0001", "999999", allow_nan=False, allow_infinity=False, places=6))
def test_a_price_is_rounded_by_at_most_a_fortieth_and_has_two_digits_and_a_half(price: Decimal):
    if price == 0:
        return
    told = quantised(price)
    assert abs(told - price) <= price / 40
    step = Decimal(5).scaleb(price.adjusted() - 2)
    assert told % step == 0


@pytest.mark.parametrize(
    ("price", "told"), [("3253.17", "3250"), ("3275", "3300"), ("0.8721", "0.870"), ("1", "1"), ("0", "0")]
)
def test_quantised(price: str, told: str):
    assert quantised(Decimal(price)) == Decimal(told)


@pytest.mark.parametrize(
    ("prices", "spread"),
    [
        (["100"] * 5, Spread.NARROW),
        (["96", "98", "100", "102", "104"], Spread.USUAL),
        (["90", "95", "100", "105", "110"], Spread.WIDE),
        (["50", "75", "100", "125", "150"], Spread.VERY_WIDE),
    ],
)
def test_the_spread_is_told_in_bands(prices: list[str], spread: Spread):
    cell = price_cell(bought(*((group, "1", price) for group, price in enumerate(prices))))
    assert cell is not None
    assert cell.spread is spread


@pytest.mark.parametrize(
    ("today", "month"),
    [
        (date(2026, 11, 25), date(2026, 7, 1)),
        (date(2026, 11, 1), date(2026, 7, 1)),
        (date(2026, 10, 31), date(2026, 6, 1)),
        (date(2026, 3, 5), date(2025, 11, 1)),
    ],
)
def test_a_month_is_spoken_of_three_months_after_its_end(today: date, month: date):
    assert newest_publishable(today) == month
    assert months_before(today, months=3) >= next_month(month)


def test_months():
    assert next_month(date(2026, 12, 5)) == date(2027, 1, 1)
    assert months_before(date(2026, 1, 31), months=1) == date(2025, 12, 1)


def test_shares_and_concentration():
    assert share(1, 3) == Decimal("0.3333")
    assert share(Decimal(2), Decimal(0)) is None
    assert herfindahl([Decimal(50), Decimal(50)]) == Decimal("0.5000")
    assert herfindahl([Decimal(7)]) == Decimal("1.0000")
    assert herfindahl([Decimal(0)]) is None
