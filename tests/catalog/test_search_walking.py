"""Where a page by list price goes on within each group. Pure; whole pages are read in test_search_choosing."""

from decimal import Decimal

from services.catalog.search.groups import Group, Point
from services.catalog.search.walking import _FIRST_ID, _LAST_ID, _after_in_group
from shared.ids import new_id

PRICE = Decimal("3200.5")


def a_group(score: int) -> Group:
    return Group(type_code="RB-HRB", wanted=(), points=(Point(word="x", where="value", points=score),))


def test_by_price_the_likelier_of_one_price_come_first():
    ended = new_id()
    after = (PRICE, Decimal(-10), ended)
    assert _after_in_group(a_group(10), "price", after) == (PRICE, ended)
    assert _after_in_group(a_group(5), "price", after) == (PRICE, _FIRST_ID), "all of that price are still to come"
    assert _after_in_group(a_group(20), "price", after) == (PRICE, _LAST_ID), "all of that price were there"


def test_by_relevance_only_the_level_that_was_begun_goes_on():
    ended = new_id()
    after = (Decimal(-10), PRICE, ended)
    assert _after_in_group(a_group(10), "relevance", after) == (PRICE, ended)
    price, first = _after_in_group(a_group(5), "relevance", after)
    assert (price < 0, first) == (True, _FIRST_ID), "a price of 0 is after it"


def test_the_first_page_begins_before_every_price():
    assert _after_in_group(a_group(10), "price", None) == _after_in_group(a_group(5), "relevance", None)
