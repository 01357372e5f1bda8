"""The visibility policy, tried with random owners and viewers (domain.md T1, T6)."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from shared.audience import Audience, audience_keys, narrower, viewer_keys, visible

IDS = [UUID(int=n) for n in range(1, 7)]
ids = st.sampled_from(IDS)
audiences = st.sampled_from(Audience)


@given(audience=audiences, named=st.lists(ids), owner=ids, company=ids, group=st.none() | ids)
def test_a_viewer_sees_exactly_what_the_table_of_audiences_says(audience, named, owner, company, group):
    seen = visible(audience_keys(audience, named, owner=owner), viewer_keys(company_id=company, group_id=group))
    meant = {
        Audience.PUBLIC: True,
        Audience.MEMBERS: True,
        Audience.CIRCLE: False,
        Audience.ORG: group in named,
        Audience.PARTIES: company in named,
    }[audience]
    assert seen == (meant or company == owner)


@given(audience=audiences, named=st.lists(ids), owner=ids)
def test_somebody_without_a_company_sees_only_what_is_public(audience, named, owner):
    assert visible(audience_keys(audience, named, owner=owner), viewer_keys()) == (audience is Audience.PUBLIC)


@given(named=st.lists(ids), owner=ids, circles=st.lists(ids), company=ids)
def test_a_circle_is_open_to_its_members(named, owner, circles, company):
    keys = viewer_keys(company_id=company, circle_ids=circles)
    expected = company == owner or not set(named).isdisjoint(circles)
    assert visible(audience_keys(Audience.CIRCLE, named, owner=owner), keys) == expected


@given(first=audiences, second=audiences)
def test_the_narrower_audience_wins_whichever_comes_first(first, second):
    order = list(Audience)
    assert narrower(first, second) == narrower(second, first) == order[min(order.index(first), order.index(second))]


def test_the_same_identifier_as_company_and_group_does_not_mix():
    same = IDS[0]
    keys = audience_keys(Audience.PARTIES, [same], owner=IDS[1])
    assert not visible(keys, viewer_keys(company_id=IDS[2], group_id=same))
