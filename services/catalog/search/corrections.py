"""Words that mean nothing here, and the nearest one that does. Pure.

Only what the dictionary says is ever suggested: names, everyday words and allowed values are public, so a correction
tells nothing of anybody's offers. A word with digits is only taken for one with the same digits: DN100 never for DN10.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

_SHORTEST = 3
_LONG = 8
_LOOKED_AT = 2_000
_DIGITS = re.compile(r"[0-9.]+")
_LOOKALIKES = str.maketrans({"o": "0", "l": "1", "i": "1"})


class Speller:
    """Known words by their length."""

    def __init__(self, words: Iterable[str]) -> None:
        self._by_length: dict[int, list[str]] = {}
        for word in sorted(set(words)):
            if len(word) >= 2:
                self._by_length.setdefault(len(word), []).append(word)

    def nearest(self, word: str) -> str | None:
        """The known word fewest changes away; None when none is near or the word is too short to tell."""
        chinese = _is_chinese(word)
        allowed = 1 if chinese or len(word) < _LONG else 2
        if len(word) < _SHORTEST:
            return None
        best: tuple[int, int, str] | None = None
        for length in range(len(word) - allowed, len(word) + allowed + 1):
            for known in self._likely(word, length):
                changes = distance(word, known, at_most=allowed)
                if changes is None or not _same_digits(word, known):
                    continue
                found = (changes, 0 if known[0] == word[0] else 1, known)
                best = found if best is None or found < best else best
        return None if best is None else best[2]

    def _likely(self, word: str, length: int) -> Sequence[str]:
        """Words of a length that share a character with this one."""
        letters = set(word)
        return [known for known in self._by_length.get(length, ()) if not letters.isdisjoint(known)][:_LOOKED_AT]


def distance(one: str, other: str, *, at_most: int) -> int | None:
    """Insertions, deletions, changes and swaps of neighbours that lead from one to the other; None above `at_most`."""
    if abs(len(one) - len(other)) > at_most:
        return None
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        line = [row]
        for column, counterpart in enumerate(other, 1):
            cost = min(last[column] + 1, line[-1] + 1, last[column - 1] + (letter != counterpart))
            swapped = row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == counterpart
            line.append(min(cost, before[column - 2] + 1) if swapped else cost)
        if min(line) > at_most:
            return None
        before, last = last, line
    return last[-1] if last[-1] <= at_most else None


def _same_digits(word: str, known: str) -> bool:
    """Typing o for 0 or l for 1 changes no number."""
    said, meant = _DIGITS.findall(word), _DIGITS.findall(known)
    return said == meant or (bool(meant) and _DIGITS.findall(word.translate(_LOOKALIKES)) == meant)


@lru_cache(maxsize=10_000)
def _is_chinese(word: str) -> bool:
    return "\u3400" <= word[0] <= "\u9fff"
