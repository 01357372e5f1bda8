"""The formula: bounded, fair to buyers' faults, no order outweighs the cap, aggregates only of enough groups."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.suppliers.scores import rules
from services.suppliers.scores.rules import Dimension, LineFact, OrderFact, Outcome, ScoreStatus
from services.suppliers.scores.visibility import reach
from shared.audience import Space, Stage
from shared.ids import new_id
from tests.conftest import a_person

PLACED = datetime(2026, 3, 2, 1, tzinfo=UTC)
lines = st.builds(LineFact, outcome=st.sampled_from(Outcome), in_full=st.booleans(), on_time=st.booleans())
facts = st.builds(
    OrderFact,
    order_id=st.uuids(),
    placed_at=st.just(PLACED),
    answered_at=st.none() | st.integers(0, 200).map(lambda hours: PLACED + timedelta(hours=hours)),
    weight_class=st.integers(1, 5),
    lines=st.lists(lines, max_size=4),
)


def a_fact(*outcomes: Outcome, hours: int | None = 2, weight: int = 1, full: bool = True, on_time: bool = True):
    return OrderFact(
        order_id=new_id(),
        placed_at=PLACED,
        answered_at=None if hours is None else PLACED + timedelta(hours=hours),
        weight_class=weight,
        lines=[LineFact(outcome=outcome, in_full=full, on_time=on_time) for outcome in outcomes],
    )


@given(given_facts=st.lists(facts, max_size=12))
def test_points_stay_within_their_bounds_and_too_few_orders_say_nothing(given_facts: list[OrderFact]):
    result = rules.score(given_facts)
    counted = sum(fact.counts for fact in given_facts)
    assert result.orders == counted
    assert (result.status is ScoreStatus.SCORED) is (counted >= 5)
    assert (result.overall is None) is (counted < 5)
    for points in result.dimensions.values():
        assert points is None or 0 <= points <= 100


@given(given_facts=st.lists(facts, max_size=8), outcome=st.sampled_from([Outcome.CANCELLED, Outcome.OPEN]))
def test_what_the_buyer_caused_changes_nothing(given_facts: list[OrderFact], outcome: Outcome):
    noise = [a_fact(outcome, hours=70, full=False, on_time=False) for _ in range(7)]
    assert rules.score([*given_facts, *noise]) == rules.score(given_facts)


@given(given_facts=st.lists(facts, min_size=1, max_size=8), data=st.data())
def test_the_order_of_facts_does_not_matter(given_facts: list[OrderFact], data: st.DataObject):
    assert rules.score(data.draw(st.permutations(given_facts))) == rules.score(given_facts)


def test_one_worked_example():
    """Four small orders well done and one large one answered after 38 hours, rejected in half."""
    good = [a_fact(Outcome.CONFIRMED, hours=3) for _ in range(4)]
    large = a_fact(Outcome.CONFIRMED, Outcome.REJECTED, hours=38, weight=4, on_time=False)
    result = rules.score([*good, large])
    assert {name: points for name, points in result.dimensions.items() if points is not None} == {
        Dimension.RESPONSE_TIME: Decimal("75.00"),
        Dimension.ACCEPTANCE: Decimal("75.00"),
        Dimension.CONFIRMED_IN_FULL: Decimal("100.00"),
        Dimension.CONFIRMED_ON_TIME: Decimal("50.00"),
    }
    assert result.overall == Decimal("75.00")


def test_an_order_left_without_an_answer_counts_as_the_slowest_and_not_accepted():
    result = rules.score([a_fact(Outcome.UNANSWERED, hours=None) for _ in range(5)])
    assert result.dimensions[Dimension.RESPONSE_TIME] == 0
    assert result.dimensions[Dimension.ACCEPTANCE] == 0
    assert result.dimensions[Dimension.CONFIRMED_IN_FULL] is None
    assert result.overall == 0


@pytest.mark.parametrize(
    ("hours", "points"), [(0, "100.00"), (4, "100.00"), (38, "50.00"), (72, "0.00"), (500, "0.00")]
)
def test_response_points(hours: int, points: str):
    answered = PLACED + timedelta(hours=hours)
    assert rules.response_points(placed_at=PLACED, answered_at=answered) == Decimal(points)


@given(day=st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_an_order_leaves_the_window_on_the_day_that_is_said(day: date):
    leaves = rules.leaves_on(day)
    assert rules.a_year_before(leaves) > day
    assert rules.a_year_before(leaves - timedelta(days=1)) <= day


def said_of(points: str) -> dict[Dimension, Decimal | None]:
    return {dimension: Decimal(points) for dimension in Dimension}


def test_an_aggregate_needs_three_groups_and_is_told_in_steps():
    said = [said_of("91.30"), said_of("78.10")]
    assert set(rules.pooled(said).values()) == {None}
    assert set(rules.pooled([*said, said_of("70.00")]).values()) == {Decimal(80)}
    assert rules.pooled([*said, {Dimension.QUALITY: None}])[Dimension.ACCEPTANCE] is None


def test_the_circle_reads_single_scores_and_the_market_aggregates_alone():
    group, circle = new_id(), new_id()
    private, opened = Space(group_id=group), Space(group_id=group, stage=Stage.S2, circle_id=circle)
    market = Space(group_id=group, stage=Stage.S3)
    member = a_person(circle_ids=frozenset({circle})).viewer_keys
    for space, circle_reads, pooled in ((private, False, False), (opened, True, False), (market, False, True)):
        found = reach(space)
        assert (not member.isdisjoint(found.keys), found.pooled) == (circle_reads, pooled), space
        assert f"group:{group}" in found.keys
