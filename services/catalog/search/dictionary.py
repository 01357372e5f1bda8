"""What the words of a search mean: which types they name, and which of them only a variant's values can answer. Pure.

Names, synonyms and allowed values of all types are a few thousand words and stand in memory; the index in the
database holds values of variants alone. A search is divided by type: the words that a type's own names answer are
counted here, the others must be found among the variant's values. All variants of one type that have every word are
equally near to it, so whole types can be ranked before any variant is read.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from services.catalog.components.rules import Kind, TypeDefinition
from services.catalog.search.corrections import Speller
from services.catalog.search.documents import TYPE_MARK, type_words, value_tokens
from services.catalog.search.words import Query, indexed, is_chinese, is_specification

VALUE, NAME, OTHER, CODE = 400, 300, 200, 600
"""What a word is worth: found in a value, in the type's name, only in its synonyms or category, as its code."""
PHRASE = 150
"""More for being called exactly so."""
EACH_WORD = 1000
"""In a search for some of the words, having one more goes before all else."""
_NAME_AT_MOST = 99


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
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
    maybe: tuple[str, ...] = ()
    """Tokens of which a variant must have `need`; each one more lifts it."""
    need: int = 0
    told: int = 0
    """How many of `maybe` are not only thinkable in some text of a value."""
    points: tuple[Point, ...] = ()

    @property
    def score(self) -> int:
        """Of a variant that has none of `maybe`."""
        return sum(each.points for each in self.points)

    @property
    def likely(self) -> tuple[int, int]:
        """What a good variant of the group would have, to choose among groups before any variant is read."""
        return self.score + (EACH_WORD + VALUE) * self.told, len(self.maybe)

    def points_of(self, tokens: frozenset[str]) -> tuple[Point, ...]:
        """The parts of the score of a variant with these tokens."""
        found = [each for each in self.maybe if each in tokens]
        return (*self.points, *(Point(word=each, where="value", points=EACH_WORD + VALUE) for each in found))


@dataclass(frozen=True, kw_only=True, slots=True)
class TypeWords:
    """The words for one type and for its values."""

    definition: TypeDefinition
    name: frozenset[str]
    called: frozenset[str]
    category: frozenset[str]
    phrases: frozenset[str]
    values: frozenset[str]
    """Of values that are told beforehand: allowed ones, and booleans."""
    numbers: bool
    """It has values that are any number."""
    texts: bool
    """It has values that are any text."""

    @classmethod
    def of(cls, definition: TypeDefinition) -> "TypeWords":
        """Read out of the definition."""
        name, phrases = type_words(definition)
        values: set[str] = set()
        for each in definition.identity:
            prefixes = _prefixes(definition, each.key)
            told = each.allowed or (("true",) if each.kind is Kind.BOOLEAN else ())
            values |= {
                token for value in told for prefix in prefixes for token in value_tokens(each, value, prefix=prefix)
            }
        loose = [each for each in definition.identity if not each.allowed]
        return cls(
            definition=definition,
            name=name,
            called=frozenset(token for each in phrases for token in indexed(each)),
            category=indexed(definition.category.replace("_", " ")),
            phrases=phrases,
            values=frozenset(values),
            numbers=any(each.kind in {Kind.INTEGER, Kind.DECIMAL, Kind.DATE} for each in loose),
            texts=any(each.kind is Kind.STRING for each in loose),
        )

    def tells(self, token: str) -> bool:
        """Whether it is one of the values told beforehand, or could be one of its numbers."""
        return token in self.values or (self.numbers and is_specification(token))

    def may_have(self, token: str) -> bool:
        """Whether some variant's values could be written so."""
        return self.texts or self.tells(token)

    def names(self, token: str) -> Point | None:
        """What a word is worth that the type itself answers; None when only a value can."""
        if token in self.name:
            return Point(word=token, where="name", points=NAME)
        if token in self.called:
            return Point(word=token, where="synonym", points=OTHER)
        if token in self.category and token not in self.values:
            return Point(word=token, where="category", points=OTHER)
        return None


def _prefixes(definition: TypeDefinition, key: str) -> Sequence[str]:
    other = next((each for each in definition.identity if each.key == definition.prefixes.get(key)), None)
    return other.allowed if other is not None and other.allowed else ("",)


class Dictionary:
    """All types, prepared once for every search until one of them is published anew."""

    def __init__(self, definitions: Mapping[str, TypeDefinition]) -> None:
        self.definitions = definitions
        self.types = {code: TypeWords.of(each) for code, each in definitions.items()}
        self.vocabulary = frozenset(
            token
            for words in self.types.values()
            for part in (words.name, words.called, words.category, words.values)
            for token in part
        )

        self._sorted = sorted(self.vocabulary)
        self.speller = Speller(
            word
            for words in self.types.values()
            for part in (words.name, words.phrases, words.values)
            for word in part
            if " " not in word and (len(word) > 2 or not is_chinese(word))
        )

    def knows(self, token: str) -> bool:
        """Whether a word is one for a type or for a value that is told beforehand."""
        return token in self.vocabulary

    def beginning(self, text: str, *, most: int = 40) -> list[str]:
        """Words that begin so, itself among them when it is one, the shortest first."""
        start = bisect_left(self._sorted, text)
        found = list(takewhile(lambda word: word.startswith(text), islice(self._sorted, start, start + 1_000)))
        return sorted(found, key=lambda word: (len(word), word))[:most]

    def values_of(self, type_code: str) -> frozenset[str]:
        """Tokens of the values of a type that are told beforehand."""
        return self.types[type_code].values

    def groups(
        self,
        query: Query,
        *,
        among: Iterable[str],
        codes: Mapping[str, Sequence[str]],
        every: bool,
    ) -> list[Group]:
        """The groups in which a search can find something, the nearest first.

        `codes` tells by type which tokens of the search belong to a code of it.
        """
        divide = _with_every_word if every else _with_half_the_words
        groups = [
            group
            for code in among
            if (group := divide(self.types[code], query, frozenset(codes.get(code, ())))) is not None
        ]
        return sorted(groups, key=lambda group: (-group.score, group.type_code))


def _named(words: TypeWords, query: Query, by_code: frozenset[str]) -> dict[str, Point]:
    """The words that the type itself answers."""
    found: dict[str, Point] = {}
    for token in query.tokens:
        point = Point(word=token, where="code", points=CODE) if token in by_code else words.names(token)
        if point is not None:
            found[token] = point
    return found


def _lifts(words: TypeWords, query: Query) -> list[Point]:
    """More for exact names; the longer a type's name, the less one word of it says."""
    if not query.tokens:
        return []
    exact = [Point(word=each, where="called so", points=PHRASE) for each in query.phrases if each in words.phrases]
    return [*exact, Point(word="", where="length of the name", points=-min(len(words.name), _NAME_AT_MOST))]


def _with_every_word(words: TypeWords, query: Query, by_code: frozenset[str]) -> Group | None:
    named = _named(words, query, by_code)
    rest = tuple(token for token in query.tokens if token not in named)
    if not all(words.may_have(token) for token in rest):
        return None
    values = [Point(word=token, where="value", points=VALUE) for token in rest]
    return Group(
        type_code=words.definition.code,
        wanted=(TYPE_MARK + words.definition.code, *rest),
        points=(*named.values(), *values, *_lifts(words, query)),
    )


def _with_half_the_words(words: TypeWords, query: Query, by_code: frozenset[str]) -> Group | None:
    named = _named(words, query, by_code)
    maybe = tuple(token for token in query.tokens if token not in named and words.may_have(token))
    need = max(0, (len(query.tokens) + 1) // 2 - len(named))
    if need > len(maybe) or not query.tokens:
        return None
    having = [Point(word=each.word, where=each.where, points=each.points + EACH_WORD) for each in named.values()]
    return Group(
        type_code=words.definition.code,
        wanted=(TYPE_MARK + words.definition.code,),
        maybe=maybe,
        need=need,
        told=sum(words.tells(token) for token in maybe),
        points=(*having, *_lifts(words, query)),
    )
