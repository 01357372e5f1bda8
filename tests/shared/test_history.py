"""The hash chain: a changed, missing or reordered entry shows."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from shared.history import canonical_json, chain_hash, first_broken

Chain = list[tuple[dict[str, str], bytes]]


def chain(*words: str) -> Chain:
    made: Chain = []
    previous = None
    for word in words:
        entry = {"did": word}
        previous = chain_hash(previous, entry)
        made.append((entry, previous))
    return made


def test_one_meaning_has_one_form():
    assert canonical_json({"b": Decimal("1.50"), "a": "吨"}) == '{"a":"吨","b":"1.50"}'.encode()


def test_an_untouched_chain_is_whole():
    assert first_broken(chain("placed", "confirmed", "cancelled")) is None
    assert first_broken([]) is None


@given(words=st.lists(st.text(), min_size=2, max_size=6, unique=True), data=st.data())
def test_any_tampering_is_found_where_it_begins(words, data):
    entries = chain(*words)
    place = data.draw(st.integers(0, len(entries) - 1))
    changed = entries.copy()
    changed[place] = ({"did": words[place] + "!"}, entries[place][1])
    assert first_broken(changed) == place
    dropped = entries[:place] + entries[place + 1 :]
    assert first_broken(dropped) == (place if place < len(dropped) else None)
    swapped = entries[::-1]
    assert first_broken(swapped) == 0
