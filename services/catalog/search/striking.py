"""A text while its values are being read: what was understood is struck out, so a number is taken once. Pure."""

import re
from collections.abc import Iterator

from services.catalog.components.rules import Property, PropertyError, canonical_value
from services.catalog.search.spelling import spelt

_LEFT = re.compile(r"[a-z0-9φ.+\-/]*[0-9][a-z0-9.+\-/]*")


class ReadLine:
    """A text while its values are being read."""

    def __init__(self, text: str) -> None:
        self.text = spelt(text)
        self.free = bytearray(b"\1" * len(self.text))
        self.contested: set[str] = set()
        self.drawn_grade: str | None = None

    def found(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """Matches of which nothing was taken yet."""
        for match in pattern.finditer(self.text):
            if all(self.free[match.start() : match.end()]):
                yield match

    def take(self, start: int, end: int) -> None:
        self.free[start:end] = bytes(end - start)

    def left(self) -> tuple[str, ...]:
        rest = "".join(character if free else " " for character, free in zip(self.text, self.free, strict=True))
        return tuple(match[0] for match in _LEFT.finditer(rest))


def accepted(each: Property, given: str) -> str | None:
    try:
        return canonical_value(given, of=each)
    except PropertyError:
        return None
