"""How one component type is talked about.

A `Trade` knows the trade's names for the goods and, for each identity property, how it is said (`Part`). A name or a
mark may hold `{property}` in braces: then the property is said there and not again. Values are canonical texts; `x`
between digits is written `×` and becomes the house's own sign later, as `Φ` does.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

TAXONOMY = Path(__file__).resolve().parents[3] / "infra" / "seed" / "taxonomy.yaml"
_HOLES = re.compile(r"\{([a-z_0-9]+)\}")
Values = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One thing that is said about the goods."""

    keys: tuple[str, ...]
    forms: tuple[str, ...]
    """The usual way first. `{}` is the value of a single key, `{w}` its word, `{key}` any value."""
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Per value, its words: the formal one first, then the site's."""
    kept: bool = False
    """Never left out, because the name would say something else without it."""


@dataclass(frozen=True, kw_only=True)
class Trade:
    """Everything needed to write rows of one type."""

    code: str
    category: str
    names: tuple[str, ...]
    parts: tuple[Part, ...]
    units: tuple[str, ...]
    """Unit code, or `piece:根` with the counting word."""
    marks: tuple[str, ...] = ()
    """Compact marks with braces, said instead of the parts whose keys they hold."""
    draw: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Realistic values of the properties that are no enums; also narrows an enum."""
    optional: tuple[str, ...] = ()
    """Optional identity properties that rows of this trade do state now and then."""
    tells: Mapping[str, str] = field(default_factory=dict)
    """What a mark gives away to who can read it: `type_mark` DBS1-67-3620-31 tells span and width. Where one of these
    is left out the mark is left out with it, or it would not be missing."""
    fit: Callable[[Values, Random], None] | None = None
    """Makes drawn values agree with each other."""
    also: Callable[[Values], Mapping[str, str]] | None = None
    """Further texts for braces, derived from the values: millimetres, abbreviations."""

    def texts(self, values: Mapping[str, str]) -> dict[str, str]:
        """What braces are filled with."""
        spelled = {key: re.sub(r"(?<=\d)x(?=\d)", "×", value) for key, value in values.items()}
        return spelled | dict(self.also(dict(values)) if self.also else {})


def say(key: str, *forms: str) -> Part:
    """A size or a code, said in any of these forms."""
    return Part(keys=(key,), forms=forms)


def dims(keys: str, *forms: str) -> Part:
    """Several values said together."""
    return Part(keys=tuple(keys.split()), forms=forms)


def words(key: str, said: Mapping[str, str], *forms: str, kept: bool = False) -> Part:
    """A value that has words of its own, written `formal|colloquial|colloquial`."""
    split = {value: tuple(text.split("|")) for value, text in said.items()}
    return Part(keys=(key,), forms=forms or ("{w}",), words=split, kept=kept)


def roman(key: str, noun: str, *values: str) -> Part:
    """A class in Roman numerals: Ⅱ类, II类, 二类."""
    signs = {"I": ("Ⅰ", "一"), "II": ("Ⅱ", "二"), "III": ("Ⅲ", "三")}
    chosen = values or tuple(signs)
    return words(key, {each: f"{signs[each][0]}{noun}|{each}{noun}|{signs[each][1]}{noun}" for each in chosen})


def listed(text: str) -> tuple[str, ...]:
    """Values written with spaces between them."""
    return tuple(text.split())


def holes(text: str) -> set[str]:
    """The names in braces."""
    return set(_HOLES.findall(text))


def named_values(trade: Trade, hole: str) -> tuple[str, ...]:
    """The identity properties that a brace says: itself, or those a derived text stands for (`width_mm`)."""
    keys = {each["key"] for each in identity(trade.code)}
    if hole in keys:
        return (hole,)
    base = hole.removesuffix("_mm")
    return tuple(key for key in keys if key == base) or COVERS.get((trade.code, hole), ())


COVERS: dict[tuple[str, str], tuple[str, ...]] = {
    ("ME-CABLE", "full"): ("fire", "model"),
    ("ME-VALVE", "figure"): ("actuator", "end", "pn"),
}
"""What a derived text says that is named after none of its properties."""


@cache
def document() -> dict[str, Any]:
    """The taxonomy we ship."""
    loaded: dict[str, Any] = yaml.safe_load(TAXONOMY.read_text(encoding="utf-8"))
    return loaded


@cache
def entry(code: str) -> dict[str, Any]:
    """One type of it."""
    found: dict[str, Any] = next(each for each in document()["components"] if each["code"] == code)
    return found


def identity(code: str) -> Sequence[dict[str, Any]]:
    """Its identity properties."""
    return [each for each in entry(code)["properties"] if each["identity"]]


def plain(value: object) -> str:
    """An allowed value's canonical text: 1 for 1.0, 0.6 for 0.60; words stay."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def choices(trade: Trade, key: str) -> tuple[str, ...]:
    """What may be drawn for a property."""
    if key in trade.draw:
        return trade.draw[key]
    found = next(each for each in identity(trade.code) if each["key"] == key)
    if found["type"] == "boolean":
        return ("true", "false")
    return tuple(plain(each) for each in found["allowed"])


def required(trade: Trade) -> set[str]:
    """Keys without which there is no variant."""
    return {each["key"] for each in identity(trade.code) if each["required"]}


def key_of(code: str, values: Mapping[str, str]) -> str:
    """The canonical key: type, bar, sorted values."""
    return f"{code}|" + ",".join(f"{key}={values[key]}" for key in sorted(values))


def foreign_units(code: str) -> tuple[str, ...]:
    """Everyday units of dimensions this type has no conversion to; packages are left out, anything comes in those."""
    dimension = {each["code"]: each["dimension"] for each in document()["uoms"]}
    own = {dimension[entry(code)["base_uom"]]} | {dimension[each["uom"]] for each in entry(code)["alt_uoms"]}
    return tuple(each for each in ("t", "m", "m2", "m3", "piece:个") if dimension[each.partition(":")[0]] not in own)
