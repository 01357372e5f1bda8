"""How well codes are mapped, on rows written apart from the matcher. The floors are the aims of the benchmark."""

from functools import cache

from benchmarks.mapping import PRECISION_AIM, RECALL_AIM, judge
from benchmarks.mapping_quality import Quality, judged, quality_of
from services.catalog.mapping.rules import RowState
from tests.catalog.enterprise_rows import rows


@cache
def quality() -> Quality:
    return quality_of(judged(judge(), rows()))


def test_what_nobody_looks_at_is_right():
    wrong = [(each.row.name, each.row.spec, each.first) for each in quality().wrongly_accepted]
    assert quality().precision >= PRECISION_AIM, wrong
    assert quality().accepted > 1_000


def test_what_names_one_variant_is_found():
    assert quality().recall >= RECALL_AIM
    assert quality().accepted_recall >= 0.7


def test_what_says_two_things_or_counts_in_the_wrong_dimension_is_seldom_accepted():
    states = quality().states
    for kind in ("contradiction", "unit", "split", "unmatched", "broader"):
        accepted = states[kind].get(RowState.AUTO_ACCEPTED, 0)
        assert accepted <= 0.02 * sum(states[kind].values()), kind
    assert quality().stopped >= 0.95 * quality().unit
    assert quality().split_rightly >= 0.9 * quality().split
    assert quality().asked_rightly >= 0.9 * quality().broader
