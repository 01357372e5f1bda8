"""The policy's cost is what its check adds, and the statements without it are the same but for the check."""

import pytest

from benchmarks.policy import PolicyCost, without_check


def test_only_the_condition_on_keys_is_taken_out() -> None:
    script = (
        "SELECT 1 WHERE o.audience_keys && CAST(:s2p7 AS text[]) AND b.audience_keys && CAST(:s2p7 AS text[]) AND c;"
    )
    assert without_check(script) == "SELECT 1 WHERE true AND true AND c;"


def test_statements_that_ask_for_no_keys_are_no_measure() -> None:
    with pytest.raises(LookupError, match="audience keys"):
        without_check("SELECT 1;")


def test_the_cost_of_a_search_is_a_share_of_what_it_would_take_without_the_check() -> None:
    cost = PolicyCost(checked=100, unchecked=125)  # 10 ms and 8 ms
    assert cost.of_statements == pytest.approx(0.25)
    assert cost.of_search(over_http=50) == pytest.approx(2 / 18)
