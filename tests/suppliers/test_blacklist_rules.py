"""What an entry forbids, and which changes of it allow anything."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.suppliers.blacklists import rules
from services.suppliers.blacklists.rules import Business, Level, Terms

DAY = date(2026, 3, 2)
PROJECTS = [UUID(int=number) for number in (1, 2)]
days = st.integers(0, 6).map(lambda number: DAY + timedelta(days=number))
regions = st.sampled_from(["11", "110000", "110105", "110108", "31", "310115"])
categories = st.sampled_from(["rebar", "precast", "mep"])
terms = st.builds(
    Terms,
    level=st.sampled_from(Level),
    starts_on=days,
    expires_on=days,
    categories=st.frozensets(categories),
    regions=st.frozensets(regions),
    project_ids=st.frozensets(st.sampled_from(PROJECTS)),
)
business = st.builds(
    Business,
    on=days,
    category=categories,
    region=st.sampled_from(["110105", "110108", "310115"]),
    project_id=st.none() | st.sampled_from(PROJECTS),
)


@given(before=terms, after=terms, what=business, least=st.sampled_from(Level))
def test_a_change_that_is_not_softer_allows_nothing(before: Terms, after: Terms, what: Business, least: Level):
    def forbidden(each: Terms) -> bool:
        return rules.at_least(each.level, least) and rules.concerns(each, what)

    if not rules.softer(before, after):
        assert forbidden(after) or not forbidden(before)
        invited = rules.forbids_invitation(before, on=what.on, categories={"rebar"})
        assert rules.forbids_invitation(after, on=what.on, categories={"rebar"}) or not invited


@given(each=terms)
def test_to_say_the_same_again_softens_nothing(each: Terms):
    assert not rules.softer(each, each)


BASE = Terms(level=Level.NO_NEW_ORDER, starts_on=DAY, expires_on=DAY + timedelta(days=30))


@pytest.mark.parametrize(
    ("changes", "softer"),
    [
        ({"level": Level.STOP_DELIVERY}, False),
        ({"level": Level.NO_INVITE}, True),
        ({"expires_on": DAY + timedelta(days=31)}, False),
        ({"expires_on": DAY + timedelta(days=29)}, True),
        ({"categories": frozenset({"rebar"})}, True),
        ({"regions": frozenset({"11"})}, True),
        ({"project_ids": frozenset(PROJECTS)}, True),
    ],
)
def test_what_needs_a_second_person(changes: dict[str, Any], softer: bool):
    names = ("level", "starts_on", "expires_on", "categories", "regions", "project_ids")
    after = Terms(**({name: getattr(BASE, name) for name in names} | changes))
    assert rules.softer(BASE, after) is softer


def test_the_last_day_counts_and_the_next_does_not():
    last = Business(on=BASE.expires_on, category="rebar", region="110105")
    after = Business(on=BASE.expires_on + timedelta(days=1), category="rebar", region="110105")
    assert (rules.concerns(BASE, last), rules.concerns(BASE, after)) == (True, False)


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        ("91350100M000100Y43", True),
        ("91350100M000100Y4Z", False),
        ("91320500MA2DEMQ7X8", True),
        ("110108000123456", False),
        ("", False),
    ],
)
def test_the_check_digit_of_a_company(value: str, valid: bool):
    assert rules.is_uscc(value) is valid


def test_one_person_has_one_hash_however_it_is_typed_and_none_without_the_key():
    hashed = rules.representative_hash(key=b"k" * 32, id_number="11010519491231002x", name="张 三")
    assert hashed == rules.representative_hash(key=b"k" * 32, id_number="１１010519491231002X ", name="张三")
    assert hashed != rules.representative_hash(key=b"j" * 32, id_number="11010519491231002X", name="张三")
    assert hashed != rules.representative_hash(key=b"k" * 32, id_number="11010519491231002X", name="李四")
    assert rules.masked("张三丰") == "张**"


def test_an_entry_that_never_counts_or_never_ends_is_refused():
    assert [f.rule for f in rules.day_faults(starts_on=DAY, expires_on=DAY - timedelta(days=1), today=DAY)] == [
        "ExpiryPassed"
    ]
    far = rules.day_faults(starts_on=DAY, expires_on=date(2099, 1, 1), today=DAY)
    assert [f.rule for f in far] == ["ExpiryTooFar"]
    assert not rules.day_faults(starts_on=DAY, expires_on=DAY, today=DAY)
