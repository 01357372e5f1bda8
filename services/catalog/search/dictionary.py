"""What the words of a search mean: which types they name, and which of them only a variant's values can answer. Pure.

Names, synonyms and allowed values of all types are a few thousand words and stand in memory; the index in the
database holds values of variants alone. A search is divided by type: the words that a type's own names answer are
counted here, the others must be found among the variant's values. All variants of one type that have every word are
equally near to it, so whole types can be ranked before any variant is read.
"""

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from itertools import islice, takewhile

from services.catalog.components.rules import Property, TypeDefinition
from services.catalog.search import values as value_reading
from services.catalog.search.corrections import Speller
from services.catalog.search.documents import TYPE_MARK, value_tokens
from services.catalog.search.groups import (
    CODE,
    EACH_WORD,
    LIFT,
    VALUE,
    Group,
    Point,
)
from services.catalog.search.nearness import GROUPS_AT_MOST, MISSING, Fact, fact_of, fact_of_word, nearest_groups
from services.catalog.search.reading import Reading, Vocabulary
from services.catalog.search.texts import MARKS
from services.catalog.search.type_words import TypeWords
from services.catalog.search.words import Query, asked, is_chinese, is_counted, is_specification

_NAME_AT_MOST = 99
TYPES_READ_AT_MOST = 6
"""Types whose values a search is read as: those that fit its words best."""
MADE_FOR_ONE = {"make_to_order": 100, "engineer_to_order": 400}
"""Who names no type but only values wants goods off the shelf before those made to a drawing."""

__all__ = ["EACH_WORD", "VALUE", "Dictionary", "Group", "Point", "TypeWords"]

Ends = Mapping[str, Sequence[str]]
"""By phrase of a search, the names that stand at its end, the longest first."""


class Dictionary:
    """All types, prepared once for every search until one of them is published anew."""

    def __init__(self, definitions: Mapping[str, TypeDefinition]) -> None:
        self.definitions = definitions
        self.types = {code: TypeWords.of(each) for code, each in definitions.items()}
        self._by_token = _types_by_token(self.types)
        self.vocabulary = frozenset(self._by_token)

        self._phrases = frozenset(each for words in self.types.values() for each in words.phrases)
        self._with_texts = frozenset(code for code, words in self.types.items() if words.texts)
        self._with_numbers = frozenset(code for code, words in self.types.items() if words.numbers)
        self._characters = frozenset(
            token for words in self.types.values() for token in words.name | words.called if len(token) == 1
        )
        self._names = frozenset(token for words in self.types.values() for token in words.name | words.called)
        self._sorted = sorted(self.vocabulary)
        self._designations = frozenset(
            token for each in definitions.values() for name in each.standards for token in asked(name).tokens
        )
        self._readings = lru_cache(maxsize=2_000)(
            partial(Vocabulary(list(definitions.values())).readings, most=len(definitions))
        )
        """Of texts lately asked for: a page, its facets and the next page read the same text."""
        self._grouped = lru_cache(maxsize=500)(self._divided)
        """Of the same."""
        self.speller = Speller(
            word
            for words in self.types.values()
            for part in (words.name, words.phrases, words.values)
            for word in part
            if " " not in word and (len(word) > 2 or not is_chinese(word))
        )

    def prepare(self) -> None:
        """Make ready what the first searches would make one after the other."""
        for each in self.definitions.values():
            value_reading.prepare(each)

    def knows(self, token: str) -> bool:
        """Whether a word is one for a type or for a value that is told beforehand."""
        return token in self.vocabulary

    def part_of(self, pair: str) -> str | None:
        """The character of a Chinese pair by which types are called, the last first: 碟阀 is some 阀."""
        return next((character for character in reversed(pair) if character in self._characters), None)

    def beginning(self, text: str, *, most: int = 40) -> list[str]:
        """Words that begin so, itself among them when it is one, the shortest first."""
        start = bisect_left(self._sorted, text)
        found = list(takewhile(lambda word: word.startswith(text), islice(self._sorted, start, start + 1_000)))
        return sorted(found, key=lambda word: (len(word), word))[:most]

    def names_beginning(self, text: str) -> list[str]:
        """The single words that types are called by and that begin so, the shortest first."""
        return [word for word in self.beginning(text) if word in self._names]

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
        told = tuple((code, tuple(codes[code])) for code in sorted(codes))
        return list(self._grouped(query, tuple(among), told, every))

    def _divided(
        self, query: Query, among: tuple[str, ...], told: tuple[tuple[str, tuple[str, ...]], ...], every: bool
    ) -> tuple[Group, ...]:
        codes = dict(told)
        ends = self._ends(query)
        read = self._read(query, codes, ends) if every else {}
        groups = [group for code in among for group in read.get(code, ())]
        divide = _with_every_word if every else _with_half_the_words
        possible = self._answering(query, codes) if every else self.types.keys()
        groups += [
            group
            for code in among
            if code not in read and code in possible
            for group in divide(self.types[code], query, frozenset(codes.get(code, ())), ends)
        ]
        return tuple(sorted(groups, key=lambda group: (-group.score, group.type_code)))

    def _ends(self, query: Query) -> Ends:
        return {
            called: [called[at:] for at in range(1, len(called)) if called[at:] in self._phrases]
            for called in query.phrases
        }

    def _answering(self, query: Query, codes: Mapping[str, Sequence[str]]) -> Collection[str]:
        """The types that could answer every word: by their own words, by a value, or as a code of them."""
        possible = frozenset(self.types)
        for token in query.tokens:
            of_code = {code for code, tokens in codes.items() if token in tokens}
            numbers = self._with_numbers if is_specification(token) else frozenset[str]()
            possible &= self._by_token.get(token, frozenset()) | self._with_texts | numbers | of_code
        return possible

    def _read(self, query: Query, codes: Mapping[str, Sequence[str]], ends: Ends) -> dict[str, list[Group]]:
        """By type, the groups of a search that can be read as values of it."""
        if not query.text or codes or any(token in self._designations for token in query.tokens):
            return {}
        read = []
        for reading in self._readings(query.text):
            words = self.types[reading.definition.code]
            facts, points = self._said(words, reading, query, ends)
            if facts:
                worth = sum(each.points for each in facts) + sum(each.points for each in points)
                read.append((-worth, words.definition.code, facts, points))
        read.sort(key=lambda each: each[:2])
        return {
            code: nearest_groups(code, facts, points, most=GROUPS_AT_MOST if place == 0 else GROUPS_AT_MOST // 2)
            for place, (_, code, facts, points) in enumerate(read[:TYPES_READ_AT_MOST])
        }

    def _said(self, words: TypeWords, reading: Reading, query: Query, ends: Ends) -> tuple[list[Fact], list[Point]]:
        """What a search says of a type's variants, and what is so of all of them."""
        facts, shown = [], set[str]()
        for key, value in reading.known.items():
            each = words.properties[key]
            if not reading.name and key in MARKS:
                continue  # any word could be the mark of a piece nobody named
            prefix = reading.known.get(words.definition.prefixes.get(key, ""), "")
            told_by = value_tokens(each, value, prefix=prefix) & set(query.tokens)
            if _is_drawn(each, query) and not reading.name and key == "grade":
                continue  # C20 may be a bar of HRB400 on a drawing, d20 is any bar of that size elsewhere
            points = 0 if _is_drawn(each, query) else max(VALUE, sum(words.worth(token) for token in told_by))
            facts.append(fact_of(each, value, points=points))
            shown |= told_by
        named = [point for token in query.tokens if (point := words.names(token)) is not None]
        open_words, missing = self._open_words(words, reading, query, {*shown, *(point.word for point in named)})
        facts += [fact_of_word(token) for token in open_words]
        marks = [
            *named,
            *_lifts(words, query, ends),
            Point(word="", where="told", points=int(reading.attributes * LIFT)),
        ]
        if not reading.name:
            made = -MADE_FOR_ONE.get(words.definition.supply_mode, 0)
            marks.append(Point(word="", where="made to order", points=made))
        marks += [Point(word=token, where=MISSING, points=-cost) for token, cost in missing]
        return facts, marks

    def _open_words(
        self, words: TypeWords, reading: Reading, query: Query, answered: set[str]
    ) -> tuple[list[str], list[tuple[str, int]]]:
        """Of the words without an answer: those a variant may have, and those it cannot, with what that costs."""
        wanted, missing = [], []
        for token in (token for token in query.tokens if token not in answered):
            if is_specification(token):
                unread = any(token in each or each in token for each in reading.unread)
                if not unread:
                    if _has_strange_letters(token, reading):
                        missing.append((token, EACH_WORD // 2))
                elif is_counted(token, query.text):
                    continue
                elif words.may_have(token):
                    wanted.append(token)
                else:
                    missing.append((token, EACH_WORD))
            elif token in words.values:
                wanted.append(token)
            elif self.knows(token):
                missing.append((token, EACH_WORD))
        return wanted, missing


_DRAWN = re.compile(r"[acd][0-9]{1,2}")


def _is_drawn(each: Property, query: Query) -> bool:
    """Whether a bar's value may only be read as drawings write it: C20, which is a concrete too."""
    return each.key in {"grade", "diameter"} and any(_DRAWN.fullmatch(token) for token in query.tokens)


_LETTERS = re.compile(r"[a-z]{2,}(?=[0-9])")


def _has_strange_letters(token: str, reading: Reading) -> bool:
    """Whether a size that was read has letters in front that say something else: HN400x200 is no 400x200 tray."""
    letters = _LETTERS.match(token)
    return (
        letters is not None
        and letters[0] not in {"dn", "de", "pn"}
        and not any(value.lower().startswith(letters[0]) for value in reading.known.values())
    )


def _named(words: TypeWords, query: Query, by_code: frozenset[str]) -> dict[str, Point]:
    """The words that the type itself answers."""
    found: dict[str, Point] = {}
    for token in query.tokens:
        point = Point(word=token, where="code", points=CODE) if token in by_code else words.names(token)
        if point is not None:
            found[token] = point
    return found


def _lifts(words: TypeWords, query: Query, ends: Ends) -> list[Point]:
    """More for exact names; the longer a type's name, the less one word of it says."""
    if not query.tokens:
        return []
    alike = [Point(word=each, where="called so", points=words.likeness(each, ends[each])) for each in query.phrases]
    return [
        *(each for each in alike if each.points),
        Point(word="", where="length of the name", points=-min(len(words.name), _NAME_AT_MOST)),
    ]


def _types_by_token(types: Mapping[str, TypeWords]) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for code, words in types.items():
        for token in words.answered:
            found.setdefault(token, set()).add(code)
    return {token: frozenset(codes) for token, codes in found.items()}


def _with_every_word(words: TypeWords, query: Query, by_code: frozenset[str], ends: Ends) -> list[Group]:
    named = _named(words, query, by_code)
    rest = tuple(token for token in query.tokens if token not in named)
    values = [Point(word=token, where="value", points=words.worth(token)) for token in rest]
    plain = Group(
        type_code=words.definition.code,
        wanted=(TYPE_MARK + words.definition.code, *rest),
        points=(*named.values(), *values, *_lifts(words, query, ends)),
    )
    also = tuple(token for token, point in named.items() if token in words.values and point.where != "code")
    if not also:
        return [plain]
    lifts = tuple(Point(word=token, where="value too", points=LIFT) for token in also)
    lifted = replace(plain, wanted=(*plain.wanted, *also), points=(*plain.points, *lifts))
    return [lifted, replace(plain, without=also)]


def _with_half_the_words(words: TypeWords, query: Query, by_code: frozenset[str], ends: Ends) -> list[Group]:
    named = _named(words, query, by_code)
    maybe = tuple(token for token in query.tokens if token not in named and words.may_have(token))
    need = max(0, (len(query.tokens) + 1) // 2 - len(named))
    if not named and not maybe:
        return []
    if need > len(maybe) or not query.tokens:
        return []
    having = [Point(word=each.word, where=each.where, points=each.points + EACH_WORD) for each in named.values()]
    group = Group(
        type_code=words.definition.code,
        wanted=(TYPE_MARK + words.definition.code,),
        maybe=maybe,
        need=need,
        told=sum(2 if token in words.values else words.counts(token) for token in maybe),
        points=(*having, *_lifts(words, query, ends)),
    )
    return [group]
