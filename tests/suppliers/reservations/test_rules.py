"""The pure rules of reservations."""

from datetime import date
from decimal import Decimal
from itertools import product
from types import SimpleNamespace
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.suppliers.reservations.rules import (
    LIVE,
    TRANSITIONS,
    ReservationState,
    can_be_counted,
    fingerprint,
    may_become,
    short_of,
    total_by_stock,
)

KEYS = list(product(("supplier 1", "supplier 2"), ("A", "B"), ("main",)))
QUANTITIES = st.decimals(min_value=Decimal("0.001"), max_value=100, places=3)
WANTS = st.lists(st.dictionaries(st.sampled_from(KEYS), QUANTITIES, max_size=4), max_size=8)
SCARCE = st.dictionaries(st.sampled_from(KEYS), st.decimals(min_value=0, max_value=300, places=3))


def test_only_a_held_reservation_becomes_something_else():
    for before, after in product(ReservationState, ReservationState):
        assert may_become(before, after) == (before == "HELD" and after != "HELD") == ((before, after) in TRANSITIONS)
    assert {"HELD", "CONSUMED"} == LIVE


def test_every_quantity_of_a_line_must_have_room_in_its_column():
    most, too_much = Decimal("999999999999999.999"), Decimal(10) ** 15
    assert can_be_counted(most, most, most)
    for place in range(3):
        quantities = [Decimal(1)] * 3
        quantities[place] = too_much
        assert not can_be_counted(*quantities)


def test_quantities_of_one_stock_row_are_summed():
    first, second, *_ = KEYS
    totals = total_by_stock([(second, Decimal(1)), (first, Decimal("0.5")), (second, Decimal("0.25"))])
    assert totals == {first: Decimal("0.5"), second: Decimal("1.25")}


@given(wants=WANTS, scarce=SCARCE)
def test_what_is_granted_never_exceeds_what_is_there(wants, scarce):
    granted = [want for want, short in zip(wants, short_of(wants, scarce=scarce), strict=True) if not short]
    given_out = total_by_stock(take for want in granted for take in want.items())
    assert all(given_out.get(key, 0) <= available for key, available in scarce.items())


@given(wants=WANTS, scarce=SCARCE)
def test_a_refused_basket_would_not_have_fitted_and_takes_nothing_from_the_next(wants, scarce):
    left = dict(scarce)
    for want, short in zip(wants, short_of(wants, scarce=scarce), strict=True):
        fits = all(left[key] >= quantity for key, quantity in want.items() if key in left)
        assert fits == (not short)
        assert all(left[key] == available < want[key] for key, available in short.items())
        if fits:
            left |= {key: left[key] - quantity for key, quantity in want.items() if key in left}


def a_line(**changes):
    line = {"line_no": 1, "offer_id": UUID(int=7), "quantity": Decimal("1.5"), "unit": "t", "need_by": date(2030, 1, 1)}
    return SimpleNamespace(**(line | changes))


def test_a_fingerprint_tells_what_is_wanted_and_not_how_it_is_written():
    def of(*lines, buyer=UUID(int=1), currency="CNY", region="11"):
        return fingerprint(buyer_id=buyer, currency=currency, region=region, lines=lines)

    same = of(a_line(), a_line(line_no=2))
    assert same == of(a_line(line_no=2, quantity=Decimal("1.500")), a_line())
    assert of(a_line(quantity=Decimal(100))) == of(a_line(quantity=Decimal("1E2")))
    others = [
        of(a_line()),
        of(a_line(), a_line(line_no=3)),
        of(a_line(unit="kg"), a_line(line_no=2)),
        of(a_line(), a_line(line_no=2), buyer=UUID(int=2)),
        of(a_line(), a_line(line_no=2), currency="EUR"),
        of(a_line(), a_line(line_no=2), region="12"),
    ]
    assert len({same, *others}) == 7
