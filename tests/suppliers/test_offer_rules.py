"""Does an offer fit, and at which price: every reason, and the numbers an order freezes."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.suppliers.inventory.rules import after_release, band, counted
from services.suppliers.offers.rules import (
    FrozenLine,
    MisfitCode,
    Standing,
    Terms,
    Tier,
    Wanted,
    frozen_line,
    is_qualified,
    price_at,
    serves,
    tiers_ascend,
)
from services.suppliers.onboarding.rules import SupplierStatus, may_become

TODAY = date(2026, 11, 22)
STANDING = Standing(qualified=True, categories=frozenset({"rebar"}), regions=(), until=None)
TERMS = Terms(
    status="ACTIVE",
    category="rebar",
    price=Decimal("3253.00"),
    currency="CNY",
    unit="t",
    unit_factor=Decimal(1),
    min_quantity=None,
    step_quantity=None,
    tiers=(),
    lead_time_days=2,
    regions=(),
    valid_from=date(2026, 1, 1),
    valid_until=None,
    base_unit="t",
    base_decimals=3,
    unit_factors={"t": Decimal(1), "kg": Decimal("0.001"), "piece": Decimal("0.02964")},
    unit_decimals={"t": 3, "kg": 3, "piece": 0},
)
WANTED = Wanted(quantity=Decimal("12.500"), unit="t", currency="CNY", region="110105", need_by=None, on=TODAY)


def judged(
    *,
    terms: dict[str, Any] | None = None,
    standing: dict[str, Any] | None = None,
    wanted: dict[str, Any] | None = None,
):
    return frozen_line(
        terms=replace(TERMS, **(terms or {})),
        standing=replace(STANDING, **(standing or {})),
        wanted=replace(WANTED, **(wanted or {})),
    )


def codes(**changes) -> list[MisfitCode]:
    misfits = judged(**changes)
    assert isinstance(misfits, tuple)
    return [misfit.code for misfit in misfits]


def fits(**changes) -> FrozenLine:
    line = judged(**changes)
    assert isinstance(line, FrozenLine), line
    return line


def test_a_line_in_the_offers_unit_is_frozen():
    line = fits()
    assert (line.priced_quantity, line.base_quantity, line.unit_price) == (
        Decimal("12.500"),
        Decimal("12.500"),
        Decimal("3253.00"),
    )
    assert line.promised_by == date(2026, 11, 24)


def test_a_line_in_another_unit_is_converted_once_towards_the_base_unit():
    line = fits(wanted={"quantity": Decimal(100), "unit": "piece"})
    assert (line.quantity, line.unit, line.unit_factor) == (Decimal(100), "piece", Decimal("0.02964"))
    assert (line.base_quantity, line.priced_quantity, line.price_unit) == (Decimal("2.964"), Decimal("2.964"), "t")


def test_an_offer_per_piece_is_not_sold_by_the_tonne():
    by_piece = {"unit": "piece", "unit_factor": Decimal("0.02964")}
    assert fits(terms=by_piece, wanted={"quantity": Decimal(100), "unit": "piece"}).base_quantity == Decimal("2.964")
    assert codes(terms=by_piece) == [MisfitCode.UNIT_NOT_CONVERTIBLE]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"standing": {"qualified": False}}, MisfitCode.SUPPLIER_NOT_QUALIFIED),
        ({"standing": {"categories": frozenset({"mep"})}}, MisfitCode.SUPPLIER_NOT_QUALIFIED),
        ({"standing": {"until": date(2026, 11, 21)}}, MisfitCode.SUPPLIER_NOT_QUALIFIED),
        ({"standing": {"regions": ("31",)}}, MisfitCode.REGION_NOT_SERVED),
        ({"terms": {"status": "WITHDRAWN"}}, MisfitCode.OFFER_EXPIRED),
        ({"terms": {"valid_until": date(2026, 11, 21)}}, MisfitCode.OFFER_EXPIRED),
        ({"terms": {"valid_from": date(2026, 11, 23)}}, MisfitCode.OFFER_NOT_YET_VALID),
        ({"terms": {"regions": ("31", "1101")}, "wanted": {"region": "120000"}}, MisfitCode.REGION_NOT_SERVED),
        ({"wanted": {"currency": "USD"}}, MisfitCode.CURRENCY_MISMATCH),
        ({"wanted": {"unit": "m2"}}, MisfitCode.UNIT_NOT_CONVERTIBLE),
        ({"wanted": {"quantity": Decimal("1.2345")}}, MisfitCode.QUANTITY_TOO_PRECISE),
        ({"wanted": {"quantity": Decimal("1.5"), "unit": "piece"}}, MisfitCode.QUANTITY_TOO_PRECISE),
        ({"wanted": {"quantity": Decimal(0)}}, MisfitCode.BELOW_MINIMUM),
        ({"wanted": {"quantity": Decimal(-1)}}, MisfitCode.BELOW_MINIMUM),
        ({"wanted": {"quantity": Decimal("0.4"), "unit": "kg"}}, MisfitCode.BELOW_MINIMUM),
        ({"terms": {"min_quantity": Decimal(13)}}, MisfitCode.BELOW_MINIMUM),
        ({"terms": {"step_quantity": Decimal(1)}}, MisfitCode.NOT_A_STEP_MULTIPLE),
        ({"wanted": {"need_by": date(2026, 11, 23)}}, MisfitCode.NEED_BY_TOO_EARLY),
    ],
)
def test_each_reason_against_a_line_has_its_name(changes: dict[str, Any], code: MisfitCode):
    assert codes(**changes) == [code]


def test_all_reasons_are_told_at_once():
    assert codes(terms={"min_quantity": Decimal(20)}, wanted={"currency": "USD", "need_by": TODAY}) == [
        MisfitCode.CURRENCY_MISMATCH,
        MisfitCode.NEED_BY_TOO_EARLY,
        MisfitCode.BELOW_MINIMUM,
    ]


def test_the_last_days_count():
    assert fits(terms={"valid_until": TODAY, "valid_from": TODAY}, standing={"until": TODAY})
    assert fits(wanted={"need_by": date(2026, 11, 24)})


@pytest.mark.parametrize(
    ("served", "region", "answer"),
    [((), "110105", True), (("11",), "110105", True), (("110000",), "110105", True), (("110100",), "110105", True),
     (("110105",), "110106", False), (("110105",), "11", False), (("31", "11"), "110105", True)],
)  # fmt: skip
def test_a_province_and_a_city_hold_what_lies_in_them(served: tuple[str, ...], region: str, answer: bool):
    assert serves(regions=served, region=region) is answer


TIERS = (Tier(min_quantity=Decimal(10), price=Decimal(90)), Tier(min_quantity=Decimal(50), price=Decimal(80)))


@pytest.mark.parametrize(("quantity", "price"), [("9.999", 100), ("10", 90), ("49", 90), ("50", 80), ("1000", 80)])
def test_the_highest_tier_reached_gives_the_price(quantity: str, price: int):
    assert price_at(price=Decimal(100), tiers=TIERS, quantity=Decimal(quantity)) == price


def test_tiers_must_ascend():
    assert tiers_ascend(TIERS)
    assert tiers_ascend(())
    assert not tiers_ascend(TIERS[::-1])
    assert not tiers_ascend((TIERS[0], TIERS[0]))
    assert not tiers_ascend((Tier(min_quantity=Decimal(0), price=Decimal(1)),))


def test_nobody_is_qualified_after_the_last_day():
    standing = replace(STANDING, until=TODAY)
    assert is_qualified(standing=standing, category="rebar", on=TODAY)
    assert not is_qualified(standing=standing, category="rebar", on=date(2026, 11, 23))


quantities = st.decimals(min_value=0, max_value=10**9, places=3)


@given(reported=quantities, reserved=quantities, released=quantities)
def test_stock_never_promises_what_is_not_there(reported: Decimal, reserved: Decimal, released: Decimal):
    now = counted(reported=reported, reserved=reserved)
    assert now.on_hand >= reserved
    assert now.on_hand - now.shortfall == reported
    left = max(reserved - released, Decimal(0))
    later = after_release(counted_before=now, reserved_after=left)
    assert later.on_hand - left == max(reported - left, Decimal(0))


@pytest.mark.parametrize(
    ("on_hand", "reserved", "answer"), [(10, 10, "out"), (0, 0, "out"), (100, 91, "low"), (100, 90, "in"), (5, 0, "in")]
)
def test_bands(on_hand: int, reserved: int, answer: str):
    assert band(on_hand=Decimal(on_hand), reserved=Decimal(reserved)) == answer


def test_a_supplier_who_left_does_not_come_back():
    assert not any(may_become(SupplierStatus.EXITED, status) for status in SupplierStatus)
    assert may_become(SupplierStatus.SUSPENDED, SupplierStatus.QUALIFIED)
    assert not may_become(SupplierStatus.REGISTERED, SupplierStatus.SUSPENDED)
