"""Which papers are needed, when they end, and which warning is due: pure rules."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.suppliers.applications.rules import FINAL, TRANSITIONS, ApplicationState, regions_within, tail_of
from services.suppliers.invitations.rules import tax_id_fault
from services.suppliers.papers.rules import (
    ANY_CATEGORY,
    NEEDED_BY_ALL,
    Held,
    PaperKind,
    Trade,
    add_months,
    continues,
    ends_of,
    first_end,
    missing,
    needed_kinds,
    step_of,
)
from shared.ids import new_id

ON = date(2026, 11, 25)
DAY = timedelta(days=1)


def held(
    kind: PaperKind, *categories: str, begins: date = ON, until: date | None = None, paper_id: UUID | None = None
) -> Held:
    return Held(
        id=paper_id or new_id(),
        kind=kind,
        categories=frozenset(categories),
        valid_from=begins,
        valid_until=until,
    )


BASIC = [held(kind) for kind in NEEDED_BY_ALL]


def test_a_trader_needs_the_makers_letter_beside_the_makers_papers():
    assert set(needed_kinds("rebar", Trade.TRADER)) - set(needed_kinds("rebar", Trade.MAKER)) == {
        PaperKind.AUTHORISATION
    }
    assert needed_kinds("never heard of", Trade.MAKER) == NEEDED_BY_ALL


def test_a_paper_proves_its_own_categories_while_it_is_in_force():
    permit = held(PaperKind.PRODUCTION_PERMIT, "rebar", until=ON + DAY)
    papers = [*BASIC, permit, held(PaperKind.LAB_REPORT)]
    assert missing(papers, category="rebar", trade=Trade.MAKER, on=ON) == []
    assert missing(papers, category="concrete_cement", trade=Trade.MAKER, on=ON) == [PaperKind.PRODUCTION_PERMIT]
    assert missing(papers, category="rebar", trade=Trade.MAKER, on=ON + 2 * DAY) == [PaperKind.PRODUCTION_PERMIT]
    assert missing(papers, category="rebar", trade=Trade.MAKER, on=ON - DAY) == list(needed_kinds("rebar", Trade.MAKER))
    end = first_end(papers, category="rebar", trade=Trade.MAKER, on=ON)
    assert end is not None
    assert (end.kind, end.until, end.paper_id) == (PaperKind.PRODUCTION_PERMIT, ON + DAY, permit.id)


def test_the_end_of_a_company_paper_ends_every_category_also_unknown_ones():
    ends = ends_of([held(PaperKind.BUSINESS_LICENCE, until=ON)])
    assert {end.until for end in ends.values()} == {ON}
    assert {ANY_CATEGORY, "rebar", "finishes_misc"} <= set(ends)


def test_the_longest_paper_of_a_kind_counts_and_the_first_kind_to_end():
    ends = ends_of(
        [
            held(PaperKind.PRODUCTION_PERMIT, "rebar", until=ON),
            held(PaperKind.PRODUCTION_PERMIT, "rebar", until=ON + 9 * DAY),
            held(PaperKind.LAB_REPORT, until=ON + 5 * DAY),
            held(PaperKind.CCC, until=None),
        ]
    )
    assert (ends["rebar"].kind, ends["rebar"].until) == (PaperKind.LAB_REPORT, ON + 5 * DAY)
    assert "mep" not in ends
    assert "finishes_misc" not in ends
    assert ends_of([held(PaperKind.EPD, until=ON)]) == {}


def test_a_renewal_leaves_no_day_between():
    now = held(PaperKind.CCC, "mep", until=ON)
    assert continues(held(PaperKind.CCC, "mep", begins=ON + DAY), among=[now])
    assert not continues(held(PaperKind.CCC, "mep", begins=ON + 2 * DAY), among=[now])
    assert not continues(held(PaperKind.CCC, "door_window", begins=ON + DAY), among=[now])
    assert not continues(held(PaperKind.ISO, begins=ON + DAY), among=[now])


@given(st.integers(-400, 400))
def test_every_day_has_one_step(left: int):
    step = step_of(ends_on=ON + (left - 1) * DAY, today=ON)
    assert step == next((each for each in (0, 7, 30, 60) if left <= each), None)


@pytest.mark.parametrize(
    ("day", "later"),
    [
        (date(2026, 8, 31), date(2027, 2, 28)),
        (date(2026, 11, 25), date(2027, 5, 25)),
        (date(2027, 8, 30), date(2028, 2, 29)),
        (date(2026, 6, 30), date(2026, 12, 30)),
    ],
)
def test_six_months_later(day: date, later: date):
    assert add_months(day, 6) == later


def test_a_decided_application_is_decided():
    assert not {before for before, _ in TRANSITIONS} & FINAL
    reached = {after for _, after in TRANSITIONS} | {ApplicationState.REGISTERED}
    assert reached == set(ApplicationState)


def test_only_regions_that_were_asked_for_are_granted():
    assert regions_within([], [])
    assert regions_within([], ["31"])
    assert regions_within(["31", "3200"], ["310115", "32"]) is True
    assert not regions_within(["310115"], ["31"])
    assert not regions_within(["31"], [])


def test_a_short_number_shows_less_of_itself():
    assert [tail_of(number) for number in ("11010519491231002X", "123456", "12345")] == ["002X", "56", "5"]


@pytest.mark.parametrize(
    ("tax_id", "code"),
    [
        ("91350100M000100Y43", None),
        ("91320500MA2DEMQ7X8", None),
        ("91330100MA3XYH8K24", None),
        ("91110000MA4GCAL01D", None),
        ("91350100M000100Y44", "CheckDigit"),
        ("91350100M000100Y4Z", "Alphabet"),
        ("350100100012345", "OldRegistrationNumber"),
        ("", "Length"),
    ],
)
def test_a_uscc_has_its_check_digit(tax_id: str, code: str | None):
    fault = tax_id_fault(tax_id)
    assert (None if fault is None else fault[0]) == code
