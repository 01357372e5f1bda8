"""The figures of the benchmarks are computed as their names say."""

import pytest

from benchmarks.report import (
    Section,
    Spread,
    number,
    page,
    percentile,
    table,
    verdict,
)


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0, 1.0), (0.01, 1.0), (0.5, 50.0), (0.99, 99.0), (1, 100.0)],
)
def test_a_percentile_is_a_value_that_was_measured(share: float, expected: float) -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert percentile(values, share) == expected


def test_the_percentile_of_one_value_is_that_value() -> None:
    assert percentile([7.5], 0.5) == percentile([7.5], 0.99) == 7.5


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 1.5), ([1.0], -0.1)])
def test_a_percentile_without_meaning_is_refused(values: list[float], share: float) -> None:
    with pytest.raises(ValueError, match=r"percentile|share"):
        percentile(values, share)


def test_a_spread_counts_the_middle_run_and_shows_the_outer_ones() -> None:
    spread = Spread.of([1200.0, 900.0, 1000.0])
    assert (spread.low, spread.middle, spread.high, spread.runs) == (900.0, 1000.0, 1200.0, 3)
    assert spread.text() == "1,000 (900-1,200)"


def test_no_runs_have_no_median() -> None:
    with pytest.raises(ValueError, match="median of nothing"):
        Spread.of([])


def test_a_ratio_at_its_aim_reaches_it() -> None:
    assert verdict(0.8, aim=0.8) == "reached"
    assert verdict(0.79, aim=0.8) == "missed"


def test_a_table_is_markdown_with_figures_to_the_right() -> None:
    assert table(["stock", "orders/s"], [["one | hot", number(1234.4)]]) == (
        "| stock | orders/s |\n| --- | ---: |\n| one \\| hot | 1,234 |"
    )


def test_a_row_that_does_not_fit_its_table_is_refused() -> None:
    with pytest.raises(ValueError, match="2 columns, but a row of 1"):
        table(["a", "b"], [["1"]])


def test_a_page_says_first_what_was_not_exact() -> None:
    section = Section(title="Orders", parts=["figures"], failures=["3 orders are there twice"])
    text = page(title="Results", intro="Measured.", sections=[section])
    assert text.startswith("# Results\n\nMeasured.\n\n## Orders\n\n**Not exact:** 3 orders are there twice\n\nfigures")
