"""domain.md R1-R5, to the cent."""

from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.money import CENT, LineAmounts, line_amounts, round_money, split_by_largest_remainder, sum_by_rate

D = Decimal
VAT = D("0.13")

REBAR_STATEMENT = [
    # domain.md 6.1: quantity, unit price, gross, net, tax
    ("9.855", "3403.00", "33536.57", "29678.38", "3858.19"),
    ("22.625", "3253.00", "73599.13", "65131.97", "8467.16"),
    ("27.063", "3308.00", "89524.40", "79225.13", "10299.27"),
]


def inclusive(quantity: str, price: str, rate: Decimal = VAT) -> LineAmounts:
    return line_amounts(quantity=D(quantity), unit_price=D(price), tax_rate=rate, tax_inclusive=True)


@pytest.mark.parametrize(("quantity", "price", "gross", "net", "tax"), REBAR_STATEMENT)
def test_rebar_line_is_right_to_the_cent(quantity: str, price: str, gross: str, net: str, tax: str) -> None:
    assert inclusive(quantity, price) == LineAmounts(D(net), D(tax), D(gross))


def test_statement_header_is_the_sum_of_its_lines() -> None:
    totals = sum_by_rate((VAT, inclusive(quantity, price)) for quantity, price, *_ in REBAR_STATEMENT)

    assert (totals.gross, totals.net, totals.tax) == (D("196660.10"), D("174035.48"), D("22624.62"))
    assert round_money(totals.gross / (1 + VAT)) == D("174035.49"), "from the header it would be a cent off (R4)"


def test_half_even_would_pay_two_cents_less() -> None:
    exact = [D(quantity) * D(price) for quantity, price, *_ in REBAR_STATEMENT]

    assert sum(amount.quantize(CENT, ROUND_HALF_EVEN) for amount in exact) == D("196660.08")
    assert sum(round_money(amount) for amount in exact) == D("196660.10")


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [("33536.565", "33536.57"), ("0.005", "0.01"), ("-0.005", "-0.01"), ("2.675", "2.68"), ("0.0049999", "0.00")],
)
def test_half_a_cent_goes_away_from_zero(amount: str, rounded: str) -> None:
    assert round_money(D(amount)) == D(rounded)


def test_precast_lines_and_total() -> None:
    volumes = [
        ("62.496", "186238.08", "164812.46"),
        ("35.040", "104419.20", "92406.37"),
        ("9.408", "28035.84", "24810.48"),
    ]
    lines = [inclusive(volume, "2980.00") for volume, *_ in volumes]

    assert [(str(line.gross), str(line.net)) for line in lines] == [(gross, net) for _, gross, net in volumes]
    assert sum_by_rate((VAT, line) for line in lines).gross == D("318693.12")
    moulds = inclusive("1", "54000.00")
    assert sum_by_rate((VAT, line) for line in [*lines, moulds]).gross == D("372693.12")


def test_hardware_basket_has_one_total_per_rate() -> None:
    basket = [
        (VAT, inclusive("200", "1.35")),
        (VAT, inclusive("30", "18.90")),
        (VAT, inclusive("1", "12.00")),
        (D("0.01"), inclusive("100", "2.68", D("0.01"))),
    ]

    totals = sum_by_rate(basket)

    assert [(rate.tax_rate, rate.gross) for rate in totals.by_rate] == [(D("0.01"), D("268.00")), (VAT, D("849.00"))]
    assert totals.gross == D("1117.00")


def test_exclusive_price_gets_its_tax_added() -> None:
    amounts = line_amounts(quantity=D("3"), unit_price=D("10.335"), tax_rate=VAT, tax_inclusive=False)

    assert amounts == LineAmounts(D("31.01"), D("4.03"), D("35.04"))


def test_rates_that_differ_only_in_trailing_zeros_are_one_rate() -> None:
    totals = sum_by_rate([(D("0.13"), inclusive("1", "1.00")), (D("0.130000"), inclusive("1", "1.00"))])

    assert len(totals.by_rate) == 1


def test_eighteen_digits_times_eighteen_digits_stay_exact() -> None:
    amounts = line_amounts(
        quantity=D("999999999999999.999"), unit_price=D("999999999999.999999"), tax_rate=D(0), tax_inclusive=False
    )

    assert str(amounts.gross) == "999999999999999998000000000.00"


@given(
    quantity=st.decimals("0.001", "1e6", places=3),
    price=st.decimals("0", "1e6", places=6),
    rate=st.sampled_from([D("0"), D("0.01"), D("0.03"), D("0.06"), D("0.09"), D("0.13")]),
    tax_inclusive=st.booleans(),
)
def test_gross_is_always_net_plus_tax(quantity: Decimal, price: Decimal, rate: Decimal, tax_inclusive: bool) -> None:
    amounts = line_amounts(quantity=quantity, unit_price=price, tax_rate=rate, tax_inclusive=tax_inclusive)

    assert amounts.gross == amounts.net + amounts.tax
    assert abs((amounts.gross if tax_inclusive else amounts.net) - quantity * price) <= CENT / 2
    assert abs(amounts.net * rate - amounts.tax) <= CENT


def test_coupon_is_split_by_largest_remainder() -> None:
    shares = split_by_largest_remainder(total=D("50.00"), weights=[D("270.00"), D("567.00"), D("268.00")])

    assert shares == [D("12.22"), D("25.65"), D("12.13")]


def test_truck_weight_is_split_by_theory() -> None:
    shares = split_by_largest_remainder(total=D("32.480"), weights=[D("10.06992"), D("23.11920")], step=D("0.001"))

    assert shares == [D("9.855"), D("22.625")]


@given(
    cents=st.integers(-10_000_000, 10_000_000),
    weights=st.lists(st.decimals("0", "1e6", places=3), min_size=1, max_size=30).filter(any),
)
def test_shares_add_up_and_stay_within_a_cent(cents: int, weights: list[Decimal]) -> None:
    total = cents * CENT

    shares = split_by_largest_remainder(total=total, weights=weights)

    assert sum(shares) == total
    whole = sum(weights)
    assert all(abs(share - total * weight / whole) < CENT for share, weight in zip(shares, weights, strict=True))


@pytest.mark.parametrize(
    ("total", "weights"),
    [("10.005", ["1"]), ("10.00", []), ("10.00", ["0", "0"]), ("10.00", ["2", "-1"])],
)
def test_what_cannot_be_split_is_said(total: str, weights: list[str]) -> None:
    with pytest.raises(ValueError, match="Cannot split"):
        split_by_largest_remainder(total=D(total), weights=[D(weight) for weight in weights])
