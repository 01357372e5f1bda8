"""The rows that code mapping is measured on are what they say they are."""

import csv
import io
from collections import Counter, defaultdict

import pytest

from services.catalog.components.rules import Kind, identity_of, parsed_key, variant_key
from tests.catalog.conftest import definitions
from tests.catalog.enterprise.assembly import TRADES
from tests.catalog.enterprise.trade import foreign_units, holes, named_values
from tests.catalog.enterprise_rows import CHINESE_COLUMNS, COLUMNS, SHARES, EnterpriseRow, TruthKind, as_csv, rows

ONE_THING = (TruthKind.EXACT, TruthKind.UNIT)


def taken_apart(key: str | None) -> tuple[str, dict[str, str]]:
    """A key's type and values."""
    parsed = parsed_key(str(key))
    assert isinstance(parsed, tuple), key
    return parsed


def of_kind(*kinds: TruthKind) -> list[EnterpriseRow]:
    return [row for row in rows() if row.truth.kind in kinds]


def test_the_same_seed_gives_the_same_rows_and_another_gives_others():
    again = rows(7, count=300)
    assert again == rows(7, count=300)
    assert again != rows(8, count=300)


def test_there_are_enough_rows_in_the_stated_mixture():
    assert len(rows()) >= 2400
    counted = Counter(row.truth.kind for row in rows())
    for kind, share in SHARES.items():
        assert counted[kind] / len(rows()) == pytest.approx(share, abs=0.005), kind


def test_every_key_of_a_truth_is_the_canonical_key_of_a_variant():
    for row in rows():
        for key in row.truth.keys:
            code, given = taken_apart(key)
            values, faults = identity_of(definitions()[code], given)
            assert faults == [], (key, faults)
            assert variant_key(code, values) == key
            assert code == row.truth.type_code


def test_each_kind_of_truth_says_what_it_has_to_say():
    for row in rows():
        truth = row.truth
        assert len(truth.keys) == 1 if truth.kind in ONE_THING else len(truth.keys) != 1, row
        assert (truth.kind is TruthKind.SPLIT) == (len(truth.keys) > 1)
        assert len(set(truth.keys)) == len(truth.keys)
        assert (truth.kind is TruthKind.BROADER) == bool(truth.missing)
        assert bool(truth.because) != (truth.kind is TruthKind.EXACT)


def test_missing_attributes_are_required_identity_attributes_of_the_type():
    for row in of_kind(TruthKind.BROADER):
        required = {each.key for each in definitions()[str(row.truth.type_code)].identity if each.required}
        assert set(row.truth.missing) <= required
        assert list(row.truth.missing) == sorted(row.truth.missing)


def test_all_types_are_there_for_everyone_to_see():
    exact = Counter(row.truth.type_code for row in of_kind(TruthKind.EXACT))
    assert set(exact) == set(definitions())
    assert min(exact.values()) >= 10


def test_nearly_every_allowed_value_of_every_type_occurs():
    seen = defaultdict(set)
    for row in of_kind(*ONE_THING):
        code, given = taken_apart(row.truth.key)
        for key, value in given.items():
            seen[code, key].add(value)
    allowed = [
        (code, each.key, value)
        for code, definition in definitions().items()
        for each in definition.identity
        if each.kind is Kind.ENUM
        for value in each.allowed
    ]
    unseen = [each for each in allowed if each[2] not in seen[each[:2]]]
    assert len(unseen) / len(allowed) < 0.06, unseen


def test_what_is_exact_can_be_read():
    """Numbers of the truth stand in the text of an exact row; only derived ones (12000 for 12 m) are not looked for."""
    for row in of_kind(TruthKind.EXACT):
        if {"full_width", "thousands", "typo"} & set(row.noise):
            continue
        code, given = taken_apart(row.truth.key)
        text = f"{row.name} {row.spec}"
        for each in definitions()[code].identity:
            if each.numeric and each.unit == "mm" and each.key in given:
                assert given[each.key] in text, (row, each.key)


def test_what_is_missing_is_not_given_away_by_a_mark():
    trades = {trade.code: trade for trade in TRADES}
    for row in of_kind(TruthKind.BROADER):
        for mark, told in trades[str(row.truth.type_code)].tells.items():
            assert mark in row.truth.missing or not set(told.split()) & set(row.truth.missing)


def test_a_unit_row_is_counted_in_what_its_type_does_not_convert_to():
    for row in of_kind(TruthKind.UNIT):
        definition = definitions()[str(row.truth.type_code)]
        own = {definition.base_unit, *(each.unit for each in definition.alternatives)}
        assert not {unit.partition(":")[0] for unit in foreign_units(definition.code)} & own


def test_codes_are_unique_in_a_house_but_for_the_ones_that_mean_two_things():
    meanings = defaultdict(list)
    for row in rows():
        meanings[row.house, row.legacy_code].append(row)
    for several in meanings.values():
        assert len(several) == 1 or all("code_twice" in row.noise for row in several)
        assert len(several) == (2 if "code_twice" in several[0].noise else 1)


def test_things_with_two_codes_are_written_in_two_ways():
    known = defaultdict(set)
    for row in of_kind(TruthKind.EXACT):
        known[row.house, row.truth.key].add((row.legacy_code, row.name, row.spec, row.unit))
    doubled = [row for row in rows() if "second_code" in row.noise]
    assert len(doubled) >= 80
    for row in doubled:
        assert len({code for code, *_ in known[row.house, row.truth.key]}) > 1


def test_braces_in_names_and_marks_say_properties_of_their_type():
    for trade in TRADES:
        for text in (*trade.names, *trade.marks):
            for hole in holes(text):
                assert named_values(trade, hole), (trade.code, text, hole)
        spoken = {key for part in trade.parts for key in part.keys}
        known = definitions()[trade.code].identity
        assert {each.key for each in known if each.required} <= spoken <= {each.key for each in known}, trade.code


def test_no_brace_and_no_empty_name_is_left():
    for row in rows():
        assert row.name.strip()
        assert "{" not in row.name + row.spec
        assert row.spec == row.spec.strip()


def test_typing_mistakes_are_rare():
    share = sum("typo" in row.noise for row in rows()) / len(rows())
    assert 0.005 < share < 0.03


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("chinese_header", [False, True])
def test_rows_are_read_back_from_their_file(encoding, chinese_header):
    some = rows()[:200]
    content = as_csv(some, encoding=encoding, chinese_header=chinese_header)
    header, *lines = csv.reader(io.StringIO(content.decode(encoding), newline=""))
    assert tuple(header) == (CHINESE_COLUMNS if chinese_header else COLUMNS)
    assert [tuple(line) for line in lines] == [
        (row.legacy_code, row.name, row.spec, row.unit, row.category, row.brand, row.status) for row in some
    ]
