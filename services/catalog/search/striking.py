"""A text while its values are being read: what was understood is struck out, so a number is taken once. Pure."""

import re
from collections.abc import Iterator

from services.catalog.components.rules import Property, PropertyError, canonical_value
from services.catalog.search.spelling import spelt

_LEFT = re.compile(r"[a-z0-9φ.+\-/]*[0-9][a-z0-9.+\-/]*")


class ReadLine:
    """A text while its values are being read; what was taken is blank from then on."""

    def __init__(self, text: str) -> None:
        self.text = spelt(text)
        self.contested: set[str] = set()
        """Properties that the text gives two values."""
        self.listed: set[str] = set()
        """Those of them whose values stand side by side: Φ16/18/20."""
        self.drawn_grade: str | None = None

    def found(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """Matches of which nothing was taken yet, also not while they are gone through."""
        for match in pattern.finditer(self.text):
            if self.text[match.start() : match.end()] == match[0]:
                yield match

    def take(self, start: int, end: int) -> None:
        self.text = self.text[:start] + " " * (end - start) + self.text[end:]

    def left(self) -> tuple[str, ...]:
        """What looks like a value and was not taken."""
        return tuple(match[0].strip("-./+") for match in _LEFT.finditer(self.text))


def accepted(each: Property, given: str) -> str | None:
    """The value in its one spelling; None when the property does not take it."""
    try:
        return canonical_value(given, of=each)
    except PropertyError:
        return None
