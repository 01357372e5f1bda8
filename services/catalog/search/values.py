"""The values a text states of a type's identity properties: by sign, by name, by word, by size, by unit. Pure.

A number is taken once. What nobody took is told too: a line with a number that was not understood may mean
something else than what was.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from services.catalog.components.naming import DIAMETERS, NOMINALS
from services.catalog.components.rules import Kind, Property, PropertyError, TypeDefinition, canonical_value
from services.catalog.search.synonyms import VALUE_WORDS
from services.catalog.search.words import chunks, folded

_MEASURE = re.compile(r"([0-9]+(?:\.[0-9]+)?)(mm2|mm|cm|m|mpa|kg/m3|g/m2|g|kg|w|k|a|l|c)?")
_SIZE = re.compile(r"([a-z]{0,2})([0-9]+(?:\.[0-9]+)?(?:x[0-9]+(?:\.[0-9]+)?)+)(?:mm2|mm)?")
_CORES = re.compile(r"([0-9]+x[0-9]+(?:\.[0-9]+)?(?:\+[0-9]+x[0-9]+(?:\.[0-9]+)?)*)(?:mm2)?")
_EDGES: Mapping[int, Sequence[tuple[str, ...]]] = {
    2: (("width", "height"), ("length", "width"), ("od", "t"), ("diameter", "length")),
    3: (("length", "width", "height"), ("thickness", "width", "length"), ("length", "width", "thickness")),
}
"""The properties a size's numbers stand for, by how many they are."""
_SECTIONS: Mapping[tuple[str, str], int] = {
    ("ST-H", "spec"): 4,
    ("ST-RHS", "spec"): 3,
    ("FS-TUBE", "spec"): 2,
    ("ME-DUCT", "section"): 2,
    ("WL-BRICK", "size"): 3,
    ("WL-STUD", "section"): 2,
}
"""Text properties that are a size of so many numbers."""


class _Line:
    """A text while its values are being read; a number is taken once."""

    def __init__(self, text: str) -> None:
        self.folded = folded(text)
        self.chunks = chunks(text)
        self.taken: set[int] = set()
        self.contested: set[str] = set()

    def free(self) -> list[tuple[int, str]]:
        return [(place, chunk) for place, chunk in enumerate(self.chunks) if place not in self.taken]


@dataclass(frozen=True, kw_only=True, slots=True)
class Values:
    """What a text states of a type."""

    known: dict[str, str]
    unread: tuple[str, ...]
    """Words with digits that no property took."""
    contested: tuple[str, ...]
    """Properties for which the text states two values."""


def read_values(definition: TypeDefinition, text: str, *, given: Mapping[str, str] | None = None) -> Values:
    """What a text states; `given` values stand already."""
    line, known = _Line(text), dict(given or {})
    for each in definition.identity:
        if each.key not in known and (value := _named_value(definition, each, line)) is not None:
            known[each.key] = value
    _read_sizes(definition, line, known)
    _read_measures(definition, line, known)
    _read_bare_numbers(definition, line, known)
    unread = tuple(chunk for _, chunk in line.free() if any(character.isdigit() for character in chunk))
    return Values(known=known, unread=unread, contested=tuple(sorted(line.contested)))


def _accepted(each: Property, given: str) -> str | None:
    try:
        return canonical_value(given, of=each)
    except PropertyError:
        return None


def _named_value(definition: TypeDefinition, each: Property, line: _Line) -> str | None:
    """A value that the text marks as this property's: by a sign, by the property's name, by being one of its words."""
    if each.is_number:
        return _signed_number(each, line) or _labelled_number(each, line)
    if each.kind is Kind.ENUM:
        return _word_value(each, line)
    if each.kind is Kind.BOOLEAN:
        said = each.name_zh in line.folded and f"不{each.name_zh}" not in line.folded
        return "true" if said and each.name_zh not in definition.name_zh else None
    return None


def _signed_number(each: Property, line: _Line) -> str | None:
    signs = ("φ",) if each.key in DIAMETERS else ("dn", "de") if each.key in NOMINALS and each.key == "dn" else ()
    signs = ("pn",) if each.key == "pn" else signs
    for place, chunk in line.free():
        for sign in signs:
            if chunk.startswith(sign) and (value := _accepted(each, chunk.removeprefix(sign))) is not None:
                line.taken.add(place)
                return value
    return None


def _labelled_number(each: Property, line: _Line) -> str | None:
    """`坍落度180`, `厚度:60mm`."""
    if each.name_zh.lower() not in line.folded:
        return None
    label = re.escape(each.name_zh.lower())
    found = re.search(rf"{label}[^0-9a-z\u3400-\u9fff]{{0,3}}([0-9]+(?:\.[0-9]+)?)(mm|cm|m)?(?![0-9a-z.])", line.folded)
    if found is None or (value := _accepted(each, found[1] + (found[2] or ""))) is None:
        return None
    for place, chunk in line.free():
        if chunk == found[1] + (found[2] or ""):
            line.taken.add(place)
            break
    return value


def _word_value(each: Property, line: _Line) -> str | None:
    """The allowed value whose longest word stands in the text; none when two values are named equally."""
    if each.numeric:
        return None
    words = dict(each.aliases)
    for value in each.allowed:
        words |= dict.fromkeys(VALUE_WORDS.get((each.key, value), ()), value)
    lengths: dict[str, int] = {}
    for word, value in words.items():
        if value != "none" and _stands(_spelt(word), line):
            lengths[value] = max(lengths.get(value, 0), len(word))
    longest = [value for value in lengths if lengths[value] == max(lengths.values(), default=0)]
    if len(longest) != 1:
        line.contested |= {each.key} if longest else set()
        return None
    line.taken |= {place for place, chunk in enumerate(line.chunks) if words.get(chunk) == longest[0]}
    return longest[0]


@lru_cache(maxsize=10_000)
def _spelt(word: str) -> str:
    return folded(word).strip()


def _stands(word: str, line: _Line) -> bool:
    """Whether a word stands in the text by itself: HRB400 does not stand in HRB400E, nor I in anything but `I级`."""
    if not word or word not in line.folded:
        return False
    if "\u3400" <= word[0] <= "\u9fff":
        return len(word) > 1 and word in line.folded
    if len(word) == 1 or word in {"ii", "iii"}:
        return re.search(rf"(?<![a-z0-9]){re.escape(word)}\s?[级类型]", line.folded) is not None
    if word in line.chunks:
        return True
    if word.isalpha():
        heads = [re.match(r"[a-z]+(?=[0-9])", chunk) for chunk in line.chunks]
        return len(word) == 2 and any(head is not None and head[0] == word for head in heads)
    return re.search(rf"(?<![a-z0-9.]){re.escape(word)}(?![a-z0-9.])", line.folded) is not None


def _read_sizes(definition: TypeDefinition, line: _Line, known: dict[str, str]) -> None:
    properties = {each.key: each for each in definition.identity}
    for place, chunk in line.free():
        if "cores" in properties and "cores" not in known and (found := _CORES.fullmatch(chunk)):
            known["cores"] = found[1]
            line.taken.add(place)
        elif size := _SIZE.fullmatch(chunk):
            edges = size[2].split("x")
            if size[1] == "m" and len(edges) == 2:
                edges = [f"M{edges[0]}", edges[1]]
            read = _whole_size(definition, size[2], len(edges), known) or _edges(properties, edges, known)
            if read:
                known |= read
                line.taken.add(place)


def _whole_size(definition: TypeDefinition, size: str, count: int, known: Mapping[str, str]) -> dict[str, str]:
    """The size as the value of one property."""
    for each in definition.identity:
        if each.key in known:
            continue
        as_text = _SECTIONS.get((definition.code, each.key)) == count
        as_choice = each.kind is Kind.ENUM and not each.numeric and any("x" in value for value in each.allowed)
        if (as_text or as_choice) and (value := _accepted(each, size)) is not None:
            return {each.key: value}
    return {}


def _edges(properties: Mapping[str, Property], edges: Sequence[str], known: Mapping[str, str]) -> dict[str, str]:
    """The size's numbers as the values of several properties."""
    for keys in _EDGES.get(len(edges), ()):
        if all(key in properties and key not in known for key in keys):
            values = {key: _edge(properties[key], edge) for key, edge in zip(keys, edges, strict=True)}
            if None not in values.values():
                return {key: value for key, value in values.items() if value is not None}
    return {}


def _edge(each: Property, edge: str) -> str | None:
    """Sizes are written in millimetres, also for properties counted in metres."""
    return _accepted(each, f"{edge}mm" if each.unit == "m" else edge)


def _read_measures(definition: TypeDefinition, line: _Line, known: dict[str, str]) -> None:
    """Numbers with a unit, where only one open property can mean it."""
    for place, chunk in line.free():
        found = _MEASURE.fullmatch(chunk)
        if found is None or found[2] is None:
            continue
        unit = "MPa" if found[2] == "mpa" else found[2].upper() if found[2] in {"w", "k", "a", "l", "c"} else found[2]
        takers = {
            each.key: value
            for each in definition.identity
            if each.is_number and each.key not in known and (value := _accepted(each, found[1] + unit)) is not None
        }
        exact = {key: value for key, value in takers.items() if _unit_of(definition, key) == unit}
        for choice in (exact, takers):
            if len(choice) == 1:
                known |= choice
                line.taken.add(place)
                break


def _unit_of(definition: TypeDefinition, key: str) -> str | None:
    return next(each.unit for each in definition.identity if each.key == key)


def _read_bare_numbers(definition: TypeDefinition, line: _Line, known: dict[str, str]) -> None:
    """Numbers alone, where only one open property of few choices can mean it."""
    for place, chunk in line.free():
        found = _MEASURE.fullmatch(chunk)
        if found is None or found[2] is not None:
            continue
        takers = {
            each.key: value
            for each in definition.identity
            if each.numeric and each.key not in known and (value := _accepted(each, chunk)) is not None
        }
        if len(takers) == 1:
            known |= takers
            line.taken.add(place)
