"""The words for a type and for the values that are told beforehand, and what each is worth. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.catalog.components.rules import Kind, Property, TypeDefinition
from services.catalog.search.documents import type_words, value_tokens
from services.catalog.search.groups import LABEL, NAME, OTHER, PHRASE, THINKABLE, VALUE, WORD, Point
from services.catalog.search.words import indexed, is_specification


@dataclass(frozen=True, kw_only=True, slots=True)
class TypeWords:
    """The words for one type and for its values."""

    definition: TypeDefinition
    name: frozenset[str]
    called: frozenset[str]
    category: frozenset[str]
    labels: frozenset[str]
    """What its properties are called."""
    phrases: frozenset[str]
    affixes: Mapping[str, float]
    """Beginnings and ends of phrases, each with its share of the shortest of them."""
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
            called=frozenset(token for each in (*phrases, *definition.standards) for token in indexed(each)),
            category=indexed(definition.category.replace("_", " ")),
            labels=frozenset(
                token for each in definition.identity for token in indexed(f"{each.name_zh} {each.name_en}")
            ),
            phrases=phrases,
            affixes=_affixes(phrases),
            values=frozenset(values),
            numbers=any(each.kind in {Kind.INTEGER, Kind.DECIMAL, Kind.DATE} for each in loose),
            texts=any(each.kind is Kind.STRING for each in loose),
        )

    @property
    def properties(self) -> dict[str, Property]:
        """Those that make a variant."""
        return {each.key: each for each in self.definition.identity}

    def tells(self, token: str) -> bool:
        """Whether it is one of the values told beforehand, or could be one of its numbers."""
        return token in self.values or self.counts(token)

    def counts(self, token: str) -> bool:
        """Whether it could be one of the numbers that are not told beforehand."""
        return self.numbers and is_specification(token)

    def worth(self, token: str) -> int:
        """Of a word found in a value: a size says more than a name, a word less, and less what is left open."""
        if not is_specification(token):
            return WORD
        return VALUE if token in self.values else THINKABLE

    def may_have(self, token: str) -> bool:
        """Whether some variant's values could be written so."""
        return self.texts or self.tells(token)

    @property
    def answered(self) -> frozenset[str]:
        """The words that the type, or a value of it that is told beforehand, answers."""
        return self.name | self.called | self.category | self.labels | self.values

    def names(self, token: str) -> Point | None:
        """What a word is worth that the type itself answers; None when only a value can."""
        if token in self.name:
            return Point(word=token, where="name", points=NAME)
        if token in self.called:
            return Point(word=token, where="synonym", points=NAME)
        if token in self.category and token not in self.values:
            return Point(word=token, where="category", points=OTHER)
        if token in self.labels and token not in self.values:
            return Point(word=token, where="property", points=LABEL)
        return None

    def likeness(self, called: str, ends: Iterable[str]) -> int:
        """What being called like this is worth: exactly so, or as the beginning or end of a name, or the reverse.

        `ends` are the names, of whatever type, that stand at its end; the longest first.
        """
        if called in self.phrases:
            return PHRASE
        if len(called) < 2:
            return 0
        share = self.affixes.get(called, 0.0)
        own = next((end for end in ends if end in self.phrases), "")
        share = max(share, len(own) / len(called))
        return int(PHRASE * share * 0.8)


def _affixes(phrases: Iterable[str]) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for each in phrases:
        for at in range(1, len(each)):
            for part in (each[:at], each[at:]):
                found[part] = max(found.get(part, 0.0), len(part) / len(each))
    return found


def _prefixes(definition: TypeDefinition, key: str) -> Sequence[str]:
    other = next((each for each in definition.identity if each.key == definition.prefixes.get(key)), None)
    return other.allowed if other is not None and other.allowed else ("",)
