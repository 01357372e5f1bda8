"""Reading a material line the way a person does: which type is meant, and which values are stated. Pure.

`钢筋 三级抗震 Φ20 12米` names a type and three values; `C30 P6 泵送` names none and is known by its values;
`DN100 PN16` is a valve of that size. What is not stated stays open: it is asked for, never guessed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.catalog.components.rules import Property, TypeDefinition, halves
from services.catalog.search.documents import type_words
from services.catalog.search.synonyms import TYPE_WORDS, VALUE_WORDS
from services.catalog.search.values import read_values
from services.catalog.search.words import asked, folded, indexed, is_specification, phrase

TYPES_AT_MOST = 4
_LEAST_LIKENESS = Decimal("0.4")
_BEHIND_BEST = Decimal("0.35")
_CALLED_IN_PART = Decimal("0.70")
"""What a name counts behind which something else stands."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """One way to understand a line."""

    definition: TypeDefinition
    known: Mapping[str, str]
    """Identity values, in their one spelling."""
    name: Decimal
    """How far the words name the type, 0 to 1."""
    formal: bool = False
    """Called by the name the standard gives it, not by an everyday word."""
    unread: tuple[str, ...] = ()
    """What looks like a value and was not understood."""
    contested: tuple[str, ...] = ()
    """Properties for which the line states two values."""
    listed: tuple[str, ...] = ()
    """Those of them whose values stand side by side: Φ16/18/20."""

    @property
    def missing(self) -> tuple[Property, ...]:
        """What the line must still say before it means one variant."""
        return tuple(each for each in self.definition.identity if each.required and each.key not in self.known)

    @property
    def attributes(self) -> Decimal:
        """Share of the required identity values that are stated."""
        required = [each for each in self.definition.identity if each.required]
        if not required:
            return Decimal(1)
        return Decimal(len(required) - len(self.missing)) / len(required)


@dataclass(frozen=True, slots=True)
class _TypeWords:
    definition: TypeDefinition
    tokens: frozenset[str]
    phrases: frozenset[str]
    values: frozenset[str]
    formal: frozenset[str]


class Vocabulary:
    """The words of all types, prepared once for many lines."""

    def __init__(self, definitions: Sequence[TypeDefinition]) -> None:
        self._types = []
        for definition in definitions:
            name, phrases = type_words(definition)
            called = frozenset(token for each in phrases for token in indexed(each))
            everyday = frozenset(phrase(word) for word in TYPE_WORDS.get(definition.code, ()))
            self._types.append(
                _TypeWords(
                    definition,
                    name | called,
                    phrases | everyday,
                    frozenset(_value_tokens(definition)),
                    phrases - everyday,
                )
            )

        self._names = _Names(self._types)
        self._by_token: dict[str, set[str]] = {}
        for words in self._types:
            for token in words.tokens:
                self._by_token.setdefault(token, set()).add(words.definition.code)

    def readings(self, text: str, *, name: str = "", most: int = TYPES_AT_MOST) -> list[Reading]:
        """The likeliest ways to understand a text, the likeliest first; none when it means nothing here.

        `name` is the part of it that calls the thing, where that is known: it goes before other names in the text.
        """
        query = asked(text)
        names = [token for token in query.tokens if not is_specification(token)]
        near = {code for token in names for code in self._by_token.get(token, ())}
        likeness = {
            words.definition.code: _likeness(words, names, query.phrases)
            if words.definition.code in near
            else Decimal(0)
            for words in self._types
        }
        called, whole = self._names.called(name) if name else (frozenset[str](), False)
        if not called:
            called, whole = self._names.called(text)
        for code in called:
            likeness[code] = Decimal(1) if whole else max(likeness[code], _CALLED_IN_PART)
        best = max(likeness.values(), default=Decimal(0))
        by_name = best >= _LEAST_LIKENESS
        readings = []
        for words in self._types:
            alike = likeness[words.definition.code]
            if by_name and alike < max(_LEAST_LIKENESS, best - _BEHIND_BEST):
                continue
            values = read_values(words.definition, text)
            if values.known or by_name:
                reading = Reading(
                    definition=words.definition,
                    known=values.known,
                    name=alike,
                    formal=any(each in words.formal for each in query.phrases),
                    unread=values.unread,
                    contested=values.contested,
                    listed=values.listed,
                )
                readings.append(reading)
        readings.sort(key=lambda each: (-each.name, -len(each.known), -each.attributes, each.definition.code))
        if not by_name:
            readings.sort(key=lambda each: (-len(each.known), -each.attributes, each.definition.code))
        return readings[:most]


_TAIL_WORDS = re.compile(
    r"(?:板|材|料|管|品|型|类|系列|专用|用|件|产品|成品|规格|等|级|国标|非标|及配件|[()（）、，,/\s0-9a-z.:;-]+)*"
)
"""What may stand behind the name of a thing without making it another: 钢板材, 水泥(袋)."""


class _Names:
    """All names and everyday words of all types, to find the one that a text calls the thing by."""

    def __init__(self, types: Sequence[_TypeWords]) -> None:
        self._owners: dict[str, set[str]] = {}
        values: set[str] = set()
        for words in types:
            for name in _names_of(words.definition):
                self._owners.setdefault(name, set()).add(words.definition.code)
            values |= _chinese_values(words.definition)
        ordered = sorted(self._owners, key=lambda name: (-len(name), name))
        self._pattern = re.compile("|".join(_whole_name(name) for name in ordered))
        self._values = re.compile("|".join(re.escape(word) for word in sorted(values, key=lambda w: (-len(w), w))))

    def called(self, text: str) -> tuple[frozenset[str], bool]:
        """The types that the text's longest name (of equals the last: a noun's head stands behind) belongs to.

        And whether the name stands whole: 防火门闭门器 is no fire door.
        """
        plain = folded(text)
        best: re.Match[str] | None = None
        for match in self._pattern.finditer(plain):
            if best is None or len(match[0]) > len(best[0]) or _heads(plain, best, match):
                best = match
        if best is None:
            return frozenset(), False
        run = re.match(r"[\u3400-\u9fff]*", plain[best.end() :])
        tail = self._values.sub("", run[0] if run else "")
        return frozenset(self._owners[best[0]]), _TAIL_WORDS.fullmatch(tail) is not None


def _heads(text: str, first: re.Match[str], second: re.Match[str]) -> bool:
    """Whether an equally long name stands behind in the same run of characters: a noun's head stands last."""
    between = text[first.end() : second.start()]
    return len(first[0]) == len(second[0]) and re.fullmatch(r"[\u3400-\u9fff]*", between) is not None


def _names_of(definition: TypeDefinition) -> set[str]:
    """What a type is called, with and without what its name says in brackets."""
    formal = (definition.name_zh, definition.name_en)
    parts = [part for name in formal for part in re.split(r"[()（）/,]", name)]
    names = {folded(name).strip() for name in (*formal, *parts, *TYPE_WORDS.get(definition.code, ()))}
    return {name for name in names if len(name) > 2 or (len(name) == 2 and not name.isascii())}


def _whole_name(name: str) -> str:
    return rf"(?<![a-z0-9]){re.escape(name)}(?![a-z])" if name.isascii() else re.escape(name)


def _chinese_values(definition: TypeDefinition) -> set[str]:
    words = {
        word
        for each in definition.properties
        for value in each.allowed
        for word in (*halves(value), *VALUE_WORDS.get((each.key, value), ()))
    }
    words |= {each.name_zh for each in definition.properties}
    return {word for word in words if len(word) > 1 and "\u3400" <= word[0] <= "\u9fff"}


def _value_tokens(definition: TypeDefinition) -> set[str]:
    words = [
        word
        for each in definition.properties
        for value in each.allowed
        for word in (value, *halves(value), *VALUE_WORDS.get((each.key, value), ()))
    ]
    words += [each.name_zh for each in definition.properties]
    return {token for word in words for token in indexed(word) if not is_specification(token)}


def _likeness(words: _TypeWords, names: Sequence[str], phrases: Sequence[str]) -> Decimal:
    """How much of what the text calls the thing is this type's name; being called exactly so makes it whole."""
    telling = [token for token in names if token in words.tokens or token not in words.values]
    if not telling:
        return Decimal(0)
    covered = Decimal(sum(token in words.tokens for token in telling)) / len(telling)
    exactly = any(each in words.phrases for each in phrases)
    return (covered * Decimal("0.8") + (Decimal("0.2") if exactly else 0)).quantize(Decimal("0.01"))
