"""Variants of one type that answer a search alike, and what each word of it is worth. Pure."""

from dataclasses import dataclass
from typing import NamedTuple

VALUE, THINKABLE, NAME, WORD, LIFT, OTHER, LABEL, CODE = 400, 350, 300, 250, 100, 150, 20, 600
"""What a word is worth: found in a value that the type tells, in a number or text it leaves open, in what the type
is called (and more in a value of the variant too), only in its category, only as what a value is of (thickness,
坍落度), as its code."""
PHRASE = 250
"""More for being called exactly so; less for a name that begins or ends so, or that stands at the end of what was
asked, as the thing itself does in both languages: 铠装电缆 is a 电缆."""
EACH_WORD = 1000
"""In a search for some of the words, having one more goes before all else."""


class Point(NamedTuple):
    """One part of a score, for explanations."""

    word: str
    where: str
    points: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """The variants of one type that answer a search alike."""

    type_code: str
    wanted: tuple[str, ...]
    """Tokens that a variant must have."""
    without: tuple[str, ...] = ()
    """Tokens of which a variant must lack one: those that have all stand in a group of their own."""
    lacking: tuple[str, ...] = ()
    """Tokens of which a variant must have none, for the same reason."""
    near: bool = False
    """Not all that was asked is true of its variants."""
    maybe: tuple[str, ...] = ()
    """Tokens of which a variant must have `need`; each one more lifts it."""
    need: int = 0
    told: int = 0
    """How sure `maybe` is: two for each value told beforehand, one for each that could be some number."""
    points: tuple[Point, ...] = ()

    def holds(self, tokens: frozenset[str]) -> bool:
        """Whether a variant of its type with these tokens is in it."""
        return (
            tokens.issuperset(self.wanted)
            and not (self.without and tokens.issuperset(self.without))
            and tokens.isdisjoint(self.lacking)
        )

    @property
    def score(self) -> int:
        """Of a variant that has none of `maybe`."""
        return sum(each.points for each in self.points)

    @property
    def likely(self) -> tuple[int, int]:
        """What a good variant of the group would have, to choose among groups before any variant is read."""
        return self.score + (EACH_WORD + VALUE) * self.told // 2, len(self.maybe)

    def points_of(self, tokens: frozenset[str]) -> tuple[Point, ...]:
        """The parts of the score of a variant with these tokens."""
        found = [each for each in self.maybe if each in tokens]
        return (*self.points, *(Point(word=each, where="value", points=EACH_WORD + VALUE) for each in found))
