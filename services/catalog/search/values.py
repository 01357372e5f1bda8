"""The values a text states of a type's identity properties: by word, sign, name, size or unit. Pure.

What was understood is struck out, so a number is taken once. What nobody took is told too: a line with a number that
was not understood may mean something else than what was.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from services.catalog.components.naming import DIAMETERS, NOMINALS
from services.catalog.components.rules import Kind, Property, TypeDefinition
from services.catalog.search.layouts import LABELS, SUFFIXES
from services.catalog.search.marks import read_atlas, read_marks, read_section
from services.catalog.search.sizes import read_sizes
from services.catalog.search.spelling import spelt
from services.catalog.search.striking import ReadLine, accepted
from services.catalog.search.synonyms import VALUE_WORDS
from services.catalog.search.texts import read_open_mark, read_texts, text_patterns

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_MEASURE = re.compile(rf"(?<![0-9a-z.])({_NUMBER})(mm2|mm|cm|m|mpa|kg/m3|g/m2|g|kg|w|k|a|l|c)(?![0-9a-z/])")
_BARE = re.compile(rf"(?<![0-9a-z.φ+]){_NUMBER}(?![0-9a-z.+/%])")
_CJK = "\u3400-\u9fff"
_ROMAN = frozenset({"i", "ii", "iii"})
_GRADE_SIGN = "级类型等品"


@dataclass(frozen=True, kw_only=True, slots=True)
class Values:
    """What a text states of a type."""

    known: dict[str, str]
    unread: tuple[str, ...]
    """Words with digits that no property took."""
    contested: tuple[str, ...]
    """Properties for which the text states two values."""
    listed: tuple[str, ...] = ()
    """Those of them whose values stand side by side."""


class _Reader:
    """What is looked for in every text of one type, prepared once."""

    def __init__(self, definition: TypeDefinition) -> None:
        self.definition = definition
        self.properties = {each.key: each for each in definition.identity}
        self.diameters = DIAMETERS & self.properties.keys()
        self.words: dict[str, list[tuple[str, str]]] = {}
        for each in definition.identity:
            if each.kind is Kind.ENUM and not each.numeric:
                for word, value in _words_of(each).items():
                    self.words.setdefault(word, []).append((each.key, value))
        ordered = sorted((word for word in self.words if word), key=lambda word: (-len(word), word))
        self.pattern = re.compile("|".join(map(_bounded, ordered))) if ordered else None
        self.labels = [
            (
                each,
                re.compile(
                    rf"{_label_pattern(each)}[^0-9a-z{_CJK}]{{0,3}}({_NUMBER})(mm2|mm|cm|mpa|m|g/m2|kg/m3|g|k|w|l)?(?![0-9.a-z])"
                ),
            )
            for each in definition.identity
            if each.is_number
        ]
        self.suffixes = [
            (each, re.compile(rf"(?<![0-9a-z.])({_NUMBER})(mm|cm|m)?\s?(?:{'|'.join(_suffixes(each))})"))
            for each in definition.identity
            if each.is_number and _suffixes(each)
        ]
        self.texts = text_patterns(definition)


def _suffixes(each: Property) -> Sequence[str]:
    """Words behind its number; 宽(厚) says that its width is what others call thick."""
    also = re.search(r"[(（]([\u3400-\u9fff])[)）]", each.name_zh)
    return (*SUFFIXES.get(each.key, ()), *([also[1]] if also else []))


_readers: dict[str, _Reader] = {}


def _reader_of(definition: TypeDefinition) -> _Reader:
    known = _readers.get(definition.code)
    if known is None or known.definition is not definition:
        known = _readers[definition.code] = _Reader(definition)
    return known


def prepare(definition: TypeDefinition) -> None:
    """Make ready what is looked for in every text of a type, so that the first text does not wait for it."""
    _reader_of(definition)


def _words_of(each: Property) -> dict[str, str]:
    """Words with the one value that each names: what several are called tells none of them, and is asked for."""
    named = {spelt(word).strip(): value for word, value in each.aliases.items() if value != "none"}
    called: dict[str, set[str]] = {}
    for value in each.allowed:
        for word in VALUE_WORDS.get((each.key, value), ()):
            called.setdefault(spelt(word).strip(), set()).add(value)
    named |= {word: next(iter(values)) for word, values in called.items()}
    return {word: value for word, value in named.items() if word and len(called.get(word, "1")) == 1}


def _bounded(word: str) -> str:
    """A word as a pattern that finds it only where it stands by itself."""
    escaped = re.escape(word)
    if "\u3400" <= word[0] <= "\u9fff":
        return escaped if len(word) > 1 else rf"(?<![{_CJK}]){escaped}(?![{_CJK}])"
    if word.isdigit():
        return rf"(?<![0-9a-z.]){escaped}\s?[级#号钢](?!抗震)"
    if len(word) == 1 or word in _ROMAN:
        return rf"(?<![0-9a-z.\-]){escaped}(?:\s?[{_GRADE_SIGN}]|(?![0-9a-z.\-{_CJK}]))"
    after = "" if "\u3400" <= word[-1] <= "\u9fff" else r"(?![0-9a-z]|\.[0-9])"
    if word[-1].isdigit() and not word.isalnum():
        after = r"(?:mm)?" + after
    if word.isalpha() and len(word) == 2:
        after = r"(?![a-z])"
    before = r"(?<![0-9a-z])" if word[0].isalpha() else r"(?<![0-9a-z.])"
    return rf"{before}{escaped}{after}"


def _label_pattern(each: Property) -> str:
    labels = {each.name_zh.lower().split(" ")[0].split("(")[0], *LABELS.get(each.key, ())}
    ordered = sorted((label for label in labels if label), key=lambda label: (-len(label), label))
    return (
        "(?:"
        + "|".join(rf"(?<![a-z0-9]){re.escape(label)}" if label[0].isascii() else re.escape(label) for label in ordered)
        + ")"
    )


def read_values(definition: TypeDefinition, text: str, *, given: Mapping[str, str] | None = None) -> Values:
    """What a text states; `given` values stand already."""
    reader, line, known = _reader_of(definition), ReadLine(text), dict(given or {})
    _read_lists(reader, line, known)
    read_marks(definition, reader.properties, line, known)
    _read_words(reader, line, known)
    if line.drawn_grade is not None:
        known.setdefault("grade", line.drawn_grade)
    _read_booleans(reader, line, known)
    read_sizes(definition, reader.properties, line, known)
    if definition.code == "ST-SEC":
        read_section(line, known)
    _read_labels(reader, line, known)
    _read_signs(reader, line, known)
    read_texts(reader.texts, line, known)
    _read_measures(reader, line, known)
    _read_bare_numbers(reader, line, known)
    read_open_mark(definition, line, known)
    read_atlas(definition.code, reader.properties, spelt(text), known)
    return Values(
        known=known,
        unread=line.left(),
        contested=tuple(sorted(line.contested)),
        listed=tuple(sorted(line.listed)),
    )


_LIST = re.compile(
    rf"(?<![0-9.x\-])({_NUMBER})(mm2|mm|m)?((?:\s*/\s*{_NUMBER}(?![0-9a-z.x\-]))*\s*/\s*{_NUMBER})(mm2|mm|m)?(?![0-9a-z.x\-+@])"
)


def _read_lists(reader: _Reader, line: ReadLine, known: dict[str, str]) -> None:
    """Φ16/18/20: growing sizes side by side, each of which one property takes, are several things in one row."""
    for match in line.found(_LIST):
        numbers = [match[1], *(part.strip() for part in match[3].split("/") if part.strip())]
        if any(Decimal(a) >= Decimal(b) for a, b in pairwise(numbers)):
            continue
        unit = match[4] or match[2]
        for each in reader.properties.values():
            if each.kind is not Kind.ENUM or (unit is not None and unit != each.unit):
                continue
            values = [accepted(each, number) for number in numbers]
            if None not in values:
                line.contested.add(each.key)
                line.listed.add(each.key)
                known.setdefault(each.key, values[0] or "")
                line.take(match.start(), match.end())
                break


def _read_words(reader: _Reader, line: ReadLine, known: dict[str, str]) -> None:
    """The allowed values whose words stand in the text; of two for one property the longer word counts."""
    hits = _hits(reader, line, known)
    taken: set[tuple[int, int]] = set()
    for key in reader.properties:
        found = {
            value: (size, [span for span in spans if span not in taken])
            for value, (size, spans) in hits.get(key, {}).items()
        }
        found = {value: hit for value, hit in found.items() if hit[1]}
        if not found:
            continue
        if len(found) > 1:
            line.contested.add(key)
            if _side_by_side(line.text, [span for _, spans in found.values() for span in spans]):
                line.listed.add(key)
        known[key] = max(found, key=lambda value: (found[value][0], found[value][1][-1]))
        for _, spans in found.values():
            for span in spans:
                taken.add(span)
                line.take(*span)


def _hits(
    reader: _Reader, line: ReadLine, known: Mapping[str, str]
) -> dict[str, dict[str, tuple[int, list[tuple[int, int]]]]]:
    """By property and value: the length of its longest word in the text, and where its words stand."""
    hits: dict[str, dict[str, tuple[int, list[tuple[int, int]]]]] = {}
    for match in line.found(reader.pattern) if reader.pattern is not None else ():
        for key, value in _meant(reader, match[0]):
            if key not in known:
                size, spans = hits.setdefault(key, {}).get(value, (0, []))
                hits[key][value] = (max(size, len(match[0])), [*spans, match.span()])
    return hits


_BETWEEN = re.compile(r"\s*(?:/|-|,|和|及|或|与|\+|、|\s)?\s*")


def _side_by_side(text: str, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether two of these stand next to each other with nothing but a separator between."""
    ordered = sorted(spans)
    return any(
        _BETWEEN.fullmatch(text[first[1] : second[0]]) is not None and "/" in text[first[1] : second[0]]
        for first, second in pairwise(ordered)
    )


def _meant(reader: _Reader, word: str) -> list[tuple[str, str]]:
    meant = reader.words.get(word)
    if meant is None:
        meant = reader.words.get(word.removesuffix("mm").rstrip(_GRADE_SIGN + "#号钢").strip(), [])
    return meant


def _read_booleans(reader: _Reader, line: ReadLine, known: dict[str, str]) -> None:
    for each in reader.properties.values():
        if each.kind is not Kind.BOOLEAN or each.key in known:
            continue
        word = each.name_zh
        if re.search(rf"[不非未无]{word}", line.text) or (
            each.key == "zinc" and re.search(r"黑管|黑铁管|焊黑|\(黑\)", line.text)
        ):
            known[each.key] = "false"
        elif word in line.text and word not in reader.definition.name_zh.split("(")[0]:
            known[each.key] = "true"


_SIGNS: Mapping[str, re.Pattern[str]] = {
    sign: re.compile(rf"(?<![a-z0-9]){sign}\s?({_NUMBER})(?![0-9.])") for sign in ("φ", "dn", "de", "pn")
}


def _read_signs(reader: _Reader, line: ReadLine, known: dict[str, str]) -> None:
    """Φ20, DN100, De25, PN16; two different ones for one property make it contested."""
    for each in reader.properties.values():
        if each.key == "pn":
            signs: tuple[str, ...] = ("pn",)
        elif each.key in NOMINALS:
            signs = ("dn", "de", "φ")
        elif each.key in DIAMETERS or each.key == "od":
            signs = ("φ",)
        else:
            continue
        for sign in signs:
            for match in line.found(_SIGNS[sign]):
                value = accepted(each, match[1])
                if value is None:
                    continue
                if known.get(each.key, value) != value:
                    if len(reader.diameters) > 1:
                        continue
                    line.contested.add(each.key)
                    line.listed.add(each.key)
                known.setdefault(each.key, value)
                line.take(match.start(), match.end())


def _read_labels(reader: _Reader, line: ReadLine, known: dict[str, str]) -> None:
    """`坍落度180`, `厚度:60mm`, `δ=0.75`, `70系列`."""
    for patterns in (reader.labels, reader.suffixes):
        for each, pattern in patterns:
            if each.key in known:
                continue
            for match in line.found(pattern):
                unit = match[2] or ""
                value = _with_unit(each, match[1], unit)
                if value is not None:
                    known[each.key] = value
                    line.take(match.start(), match.end())
                    break


def _with_unit(each: Property, number: str, unit: str) -> str | None:
    if not unit and each.unit == "m" and Decimal(number) >= 100:
        unit = "mm"
    if unit == "g" and each.unit == "g/m2":
        unit = "g/m2"
    shown = "MPa" if unit == "mpa" else unit.upper() if unit in {"w", "k", "a", "l", "c"} else unit
    return accepted(each, number + shown)


def _read_measures(reader: _Reader, line: ReadLine, known: dict[str, str]) -> None:
    """Numbers with a unit, where only one open property can mean it."""
    for match in line.found(_MEASURE):
        unit = match[2]
        takers = {
            each.key: value
            for each in reader.properties.values()
            if each.is_number and each.key not in known and (value := _with_unit(each, match[1], unit)) is not None
        }
        exact = {key: value for key, value in takers.items() if (reader.properties[key].unit or "").lower() == unit}
        for choice in (exact, takers):
            if len(choice) == 1:
                known |= choice
                line.take(match.start(), match.end())
                break


def _read_bare_numbers(reader: _Reader, line: ReadLine, known: dict[str, str]) -> None:
    """Numbers alone, where only one open property of few choices can mean it."""
    for match in line.found(_BARE):
        takers = {
            each.key: value
            for each in reader.properties.values()
            if each.numeric and each.key not in known and (value := accepted(each, match[0])) is not None
        }
        if len(takers) == 1:
            known |= takers
            line.take(match.start(), match.end())
