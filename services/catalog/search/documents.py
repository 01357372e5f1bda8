"""The tokens under which a variant is found, and the words for its type. Pure."""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from services.catalog.components.naming import DIAMETERS
from services.catalog.components.rules import Kind, Property, TypeDefinition, halves
from services.catalog.search.synonyms import TYPE_WORDS, VALUE_WORDS
from services.catalog.search.words import chunks, indexed, is_chinese, phrase

_SIZED = re.compile(r"([a-zA-Z]?[0-9]+)[0-9.]*x")
"""Found by its beginnings too: 75x35 as 75, M10x100 as M10."""
_BRACKETS = re.compile(r"[()（）/,]")
_LENGTHS = {"mm": 1000, "cm": 100, "m": 1}


TYPE_MARK = "@"
"""Before a type's code among the tokens of its variants; no text yields a token with it."""


def variant_tokens(definition: TypeDefinition, values: Mapping[str, str]) -> frozenset[str]:
    """What a variant is found by beyond the words for its type: its values in every way they are written, its type,
    and its properties as facets ask for them."""
    tokens = {TYPE_MARK + definition.code}
    for each in definition.identity:
        if each.key in values:
            prefix = values.get(definition.prefixes.get(each.key, ""), "")
            tokens |= value_tokens(each, values[each.key], prefix=prefix)
            tokens.add(facet_token(each.key, values[each.key]))
    return frozenset(tokens)


def facet_token(key: str, value: str) -> str:
    """A property and its value; no text yields a token with `=`."""
    return f"{key}={value}"


def type_words(definition: TypeDefinition) -> tuple[frozenset[str], frozenset[str]]:
    """The tokens of a type's names, and the phrases by which it is called."""
    names = (definition.name_zh, definition.name_en)
    words = TYPE_WORDS.get(definition.code, ())
    parts = [part for each in names for part in _BRACKETS.split(each)]
    phrases = {phrase(each) for each in (*names, *parts, *words)} - {""}
    phrases |= {chunk for each in names for chunk in chunks(each) if len(chunk) > 2 and is_chinese(chunk)}
    return frozenset(token for each in names for token in indexed(each)), frozenset(phrases)


def value_tokens(each: Property, value: str, *, prefix: str = "") -> frozenset[str]:
    """Every way to write a value: `20`, `20mm`, `φ20`, `DN100`, `3.6m` for 3600 mm, `螺纹` for 直螺纹."""
    is_boolean = each.kind is Kind.BOOLEAN
    names = f"{each.name_zh} {each.name_en}" if is_boolean else ""
    return _tokens(_Told(each.key, each.unit, each.is_number, is_boolean, names), value, prefix)


class _Told(NamedTuple):
    """What the tokens of a property's value depend on."""

    key: str
    unit: str | None
    is_number: bool
    is_boolean: bool
    names: str


# Two hundred thousand variants are made of a few thousand values.
@lru_cache(maxsize=100_000)
def _tokens(each: _Told, value: str, prefix: str) -> frozenset[str]:
    if each.is_boolean:
        return indexed(each.names) if value == "true" else frozenset()
    if value == "none":
        return frozenset()
    words = {value, *halves(value), *VALUE_WORDS.get((each.key, value), ())}
    if each.unit:
        words |= {value + each.unit}
    if each.is_number:
        words |= _lengths(each, value)
        words |= {f"φ{value}", f"d{value}"} if each.key in DIAMETERS else set()
        words |= {f"{each.key}{value}"} if len(each.key) <= 2 else set()
        words |= {f"de{value}"} if each.key == "dn" else set()
    elif (size := _SIZED.match(value)) is not None:
        edges = value.split("x")
        words |= {"x".join(edges[:count]) for count in range(1 if len(size[1]) > 1 else 2, len(edges) + 1)}
        words |= {letters + value for letters in (prefix, prefix[:1])} if prefix else set()
        words |= {letters + "x".join(edges[:2]) for letters in (prefix, prefix[:1])} if prefix else set()
    return frozenset(token for word in words for token in indexed(word))


def _lengths(each: _Told, value: str) -> set[str]:
    """The same length in millimetres and metres."""
    if each.unit not in _LENGTHS:
        return set()
    metres = Decimal(value) / _LENGTHS[each.unit]
    return {f"{format((metres * scale).normalize(), 'f')}{unit}" for unit, scale in _LENGTHS.items()}
