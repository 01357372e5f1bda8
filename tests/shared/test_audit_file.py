"""The audit log as a file: whatever is done to it shows, and the first entry that does not hold is named."""

import copy
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.audit.files import EMPTY, Fault, Head, closing_line, entry_line, head_line, link, verify

SERVICE, OWNER = "orders", "0190f0f0-0000-7000-8000-000000000001"
few = settings(max_examples=40, deadline=None)
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20)
entries = st.fixed_dictionaries(
    {
        "act": texts,
        "actor": st.fixed_dictionaries({"id": texts, "name": texts}),
        "status": st.one_of(st.none(), st.integers(100, 599)),
        "roles": st.lists(texts, max_size=3),
        "objects": st.dictionaries(texts, texts, max_size=3),
    }
)


def file_of(log: list[dict[str, Any]], *, before: Head = EMPTY) -> tuple[list[bytes], list[Head]]:
    """The file of a log, and the head after each entry, the beginning first."""
    heads = [before]
    lines = [head_line(service=SERVICE, owner_id=OWNER, before=before)]
    for entry in log:
        number = heads[-1].number + 1
        digest = link(bytes.fromhex(heads[-1].hash), entry, service=SERVICE, owner_id=OWNER, number=number)
        lines.append(entry_line(entry, service=SERVICE, owner_id=OWNER, number=number, digest=digest))
        heads.append(Head(number=number, hash=digest.hex()))
    return [*lines, closing_line(heads[-1])], heads


def a_log(length: int) -> list[dict[str, Any]]:
    return [{"act": f"POST /orders/{number}", "status": 201} for number in range(length)]


@few
@given(st.lists(entries, max_size=8))
def test_what_was_written_verifies_also_against_every_head_noted_on_the_way(log: list[dict[str, Any]]):
    lines, heads = file_of(log)
    for noted in [None, *heads]:
        verdict = verify(lines, noted=noted)
        assert verdict.intact
        assert (verdict.entries, verdict.head, verdict.owner_id) == (len(log), heads[-1], OWNER)


@few
@given(st.lists(entries, min_size=1, max_size=6), st.data())
def test_a_changed_entry_is_named(log: list[dict[str, Any]], data: st.DataObject):
    lines, _ = file_of(log)
    place = data.draw(st.integers(1, len(log)))
    changed = orjson.loads(lines[place])
    key = data.draw(st.sampled_from(["act", "status", "roles", "at_night"]))
    before = copy.deepcopy(changed)
    changed[key] = data.draw(st.one_of(texts, st.integers(0, 2**40), st.lists(texts, max_size=2)))
    if orjson.dumps(changed, option=orjson.OPT_SORT_KEYS) == orjson.dumps(before, option=orjson.OPT_SORT_KEYS):
        return
    lines[place] = orjson.dumps(changed)
    verdict = verify(lines)
    assert (verdict.fault, verdict.number, verdict.line) == (Fault.CHANGED, place, place + 1)
    assert verdict.entries == place - 1


@few
@given(st.integers(2, 9), st.data())
def test_a_missing_entry_is_named(length: int, data: st.DataObject):
    lines, _ = file_of(a_log(length))
    place = data.draw(st.integers(1, length - 1))
    del lines[place]
    verdict = verify(lines)
    assert (verdict.fault, verdict.number) == (Fault.MISSING, place)


@few
@given(st.integers(2, 9), st.data())
def test_entries_in_another_order_are_named(length: int, data: st.DataObject):
    lines, _ = file_of(a_log(length))
    first = data.draw(st.integers(1, length - 1))
    second = data.draw(st.integers(first + 1, length))
    lines[first], lines[second] = lines[second], lines[first]
    verdict = verify(lines)
    assert (verdict.fault, verdict.number) == (Fault.REORDERED, first)


def test_an_entry_told_twice_is_named():
    lines, _ = file_of(a_log(3))
    verdict = verify([*lines[:3], lines[2], *lines[3:]])
    assert (verdict.fault, verdict.number) == (Fault.REORDERED, 3)


@few
@given(st.integers(1, 9), st.data())
def test_a_cut_off_end_shows(length: int, data: st.DataObject):
    lines, heads = file_of(a_log(length))
    kept = data.draw(st.integers(0, length - 1))
    cut = lines[: kept + 1]
    assert verify(cut).fault == Fault.TRUNCATED
    assert verify([*cut, lines[-1]]).fault == Fault.TRUNCATED
    forged = [*cut, closing_line(heads[kept])]
    assert verify(forged).intact, "nothing in such a file tells; the head that was noted does"
    verdict = verify(forged, noted=heads[-1])
    assert (verdict.fault, verdict.number) == (Fault.TRUNCATED, kept + 1)


def test_a_chain_written_anew_shows_by_the_head_that_was_noted():
    log = a_log(4)
    _, heads = file_of(log)
    forged, _ = file_of([{**log[0], "act": "nothing"}, *log[1:]])
    assert verify(forged).intact
    for noted in heads[1:]:
        verdict = verify(forged, noted=noted)
        assert (verdict.fault, verdict.number) == (Fault.REWRITTEN, noted.number)


def test_a_part_of_a_log_rests_on_the_hash_before_it():
    log = a_log(5)
    _, heads = file_of(log)
    part, _ = file_of(log[3:], before=heads[3])
    verdict = verify(part, noted=heads[5])
    assert (verdict.intact, verdict.first, verdict.entries) == (True, 4, 2)
    assert verify(part, noted=heads[3]).intact
    assert verify(part, noted=heads[2]).fault == Fault.HEAD_OUTSIDE
    other = Head(number=3, hash="ab" * 32)
    assert verify(part, noted=other).fault == Fault.REWRITTEN


def test_another_owners_entry_does_not_belong():
    lines, _ = file_of(a_log(2))
    theirs = orjson.loads(lines[2])
    lines[2] = orjson.dumps({**theirs, "owner_id": "somebody"})
    assert verify(lines).fault == Fault.FOREIGN


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [b""],
        [b"[]"],
        [b"\xff\xfe"],
        [b'{"kind":"dougong-audit","version":2,"after":{"number":0,"hash":"' + b"0" * 64 + b'"}}'],
        [b'{"kind":"dougong-audit","version":1,"after":{"number":0,"hash":"' + b"1" * 64 + b'"}}'],
        [b'{"kind":"dougong-audit","version":1,"after":{"number":-1,"hash":"x"}}'],
    ],
)
def test_what_is_no_audit_file_is_said_to_be_none(lines: list[bytes]):
    assert verify(lines).fault == Fault.UNREADABLE


def test_what_stands_behind_the_end_is_not_overlooked():
    lines, _ = file_of(a_log(2))
    assert verify([*lines, lines[1]]).fault == Fault.UNREADABLE


@pytest.mark.parametrize("text", ["", "3", "3:", "3:zz", "x:" + "0" * 64, "-1:" + "0" * 64, "3:" + "0" * 63])
def test_a_head_is_written_as_number_and_hash(text: str):
    with pytest.raises(ValueError, match="is not"):
        Head.parse(text)
