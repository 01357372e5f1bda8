"""Cells and headers of legacy files, and the moves of an import."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.importing.columns import Cell, Column, Columns
from shared.importing.states import MACHINES, MOVES, OVER, JobState
from shared.tax_numbers import check_digit, is_registration_number, normalised, uscc_fault

COLUMNS = Columns(
    Column(name="code", names="编码 物料编码", required=True),
    Column(name="price", names="单价", cell=Cell.NUMBER, confidential=True),
    Column(name="rate", names="税率", cell=Cell.RATE),
    Column(name="day", names="日期", cell=Cell.DATE),
    Column(name="taxed", names="是否含税", cell=Cell.FLAG),
)


def read(column: str, cell: str) -> str | None:
    """The value of one cell, or the code of what is wrong with it."""
    header = COLUMNS.header_of(["编码", column])
    assert header is not None
    values, errors = COLUMNS.read(["A", cell], header)
    return errors[0].code if errors else values.get(column)


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("price", "1,234.50", "1234.50"),
        ("price", "￥１２．５", "12.5"),
        ("price", "12元", "12"),
        ("price", "1,23", "NotANumber"),
        ("price", "NaN", "NotANumber"),
        ("price", "1e99", "NotANumber"),
        ("price", "=SUM(A1:A2)", "Formula"),
        ("price", "#REF!", "SpreadsheetError"),
        ("price", "", None),
        ("rate", "13%", "0.13"),
        ("rate", "13", "0.13"),
        ("rate", "0.13", "0.13"),
        ("rate", "-1", "NotARate"),
        ("rate", "100%", "NotARate"),
        ("day", "2026年3月1日", "2026-03-01"),
        ("day", "２０２６/３/１", "2026-03-01"),
        ("day", "20260301", "2026-03-01"),
        ("day", "2026-03-01 00:00:00", "2026-03-01"),
        ("day", "2026-02-30", "NotADate"),
        ("day", "去年", "NotADate"),
        ("taxed", "含税", "true"),
        ("taxed", "不含税", "false"),
        ("taxed", "也许", "NotAFlag"),
    ],
)
def test_a_cell_says_what_people_mean_by_it(column: str, cell: str, expected: str | None):
    assert read(column, cell) == expected


def test_a_confidential_cell_is_not_repeated_in_a_remark():
    header = COLUMNS.header_of(["编码", "单价"])
    assert header is not None
    _, (error,) = COLUMNS.read(["A", "7319x"], header)
    assert "7319" not in error.text


def test_a_header_is_found_by_any_of_its_names_and_unknown_ones_are_told():
    header = COLUMNS.header_of(["序号", " 物料编码 * ", "单价（元）", "单价"])
    assert header is not None
    assert (dict(header.places), list(header.unknown)) == ({"code": 1, "price": 2}, ["序号", "单价"])
    assert COLUMNS.header_of(["单价"]) is None


def test_an_import_that_is_over_stays_so_and_only_a_published_one_is_rolled_back():
    assert not [move for move in MOVES if move[0] in OVER]
    assert [move for move in MOVES if move[1] is JobState.ROLLED_BACK] == [(JobState.PUBLISHED, JobState.ROLLED_BACK)]
    assert [move[0] for move in MOVES if move[1] is JobState.APPROVED] == [JobState.IN_REVIEW]
    assert all((state, JobState.FAILED) in MOVES for state in MACHINES)


@given(st.text(alphabet="0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=9, max_size=9))
def test_every_number_with_its_check_digit_is_one_and_with_another_is_none(organisation: str):
    body = f"91320500{organisation}"
    right = check_digit(body)
    assert uscc_fault(body + right) is None
    wrong = next(each for each in "0123456789" if each != right)
    assert uscc_fault(body + wrong) == "CheckDigit"


def test_numbers_have_one_spelling():
    assert normalised(" ９１３２ 0500-ma2demq7x8 ") == "91320500MA2DEMQ7X8"
    assert is_registration_number("320500000012345")
    assert not is_registration_number("32050000001234")
