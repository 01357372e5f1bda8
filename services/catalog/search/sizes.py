"""Sizes: numbers joined by ×, as the layouts of a type say what they stand for. Pure."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from services.catalog.components.rules import Kind, Property, TypeDefinition
from services.catalog.search.layouts import LAYOUTS, Layout
from services.catalog.search.striking import ReadLine, accepted

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_EDGE = rf"{_NUMBER}(?:mm2|mm|cm|m(?![a-wyz0-9]))?"
_SIZE = re.compile(rf"(?<![0-9.])({_EDGE}(?:x{_EDGE})+)(?![0-9a-z.])")
_SIZE_AND_WALL = re.compile(
    rf"(?<![0-9.])({_NUMBER}(?:mm)?(?:x{_NUMBER}(?:mm)?)+)\s*(?:壁厚|厚度|厚|δ=?|t=)\s*({_NUMBER})(?:mm)?(?![0-9a-z.])"
)
"""100x100 壁厚5 is 100x100x5."""
_BEFORE_SIZE = re.compile(r"(?:(?<![a-z0-9])[a-z]{1,2}|[φ∠\[])-?$")
Properties = Mapping[str, Property]


def read_sizes(definition: TypeDefinition, properties: Properties, line: ReadLine, known: dict[str, str]) -> None:
    """Numbers joined by ×, as the layouts of the type say; else as the value of one property of choices."""
    for match in (*line.found(_SIZE_AND_WALL), *line.found(_SIZE)):
        if line.text[match.start() : match.end()] != match[0]:
            continue  # taken with its wall
        edges = [*match[1].split("x"), *([match[2]] if match.re is _SIZE_AND_WALL else [])]
        before = _BEFORE_SIZE.search(line.text[: match.start()])
        letters = before[0].rstrip("-") if before else ""
        layouts = [*LAYOUTS.get(definition.code, ()), *_GENERIC]
        tried = (_laid_out(properties, layout, edges, letters, known) for layout in layouts)
        read = next((each for each in tried if each is not None), None) or _whole_choice(
            properties, "x".join(edges), known
        )
        if read:
            known |= read
            line.take(before.start() if before else match.start(), match.end())


_GENERIC: Sequence[Layout] = (
    ("length", "width", "height"),
    ("width", "height"),
    ("length", "width"),
    ("diameter", "length"),
)


def _laid_out(
    properties: Properties, layout: Layout, edges: Sequence[str], letters: str, known: Mapping[str, str]
) -> dict[str, str] | None:
    """The values of a size in one layout; None when it has other numbers, or one of them is not allowed."""
    read: dict[str, str] = {}
    rest = list(edges)
    for slot in layout:
        key, _, count = slot.partition("*")
        some, rest = rest[: int(count or 1)], rest[int(count or 1) :]
        if len(some) < int(count or 1):
            return None
        if key == "_":
            continue
        each = properties.get(key)
        if each is None or (key in known and key != "length"):
            return None
        value = _slot_value(each, some, letters if not read else "", joined=bool(count))
        if value is None or known.get(key, value) != value:
            return None
        read[key] = value
    return read if not rest else None


def _slot_value(each: Property, some: Sequence[str], letters: str, *, joined: bool) -> str | None:
    if joined:
        sizes = [_bare_edge(edge) for edge in some]
        if None in sizes:
            return None
        text = "x".join(size for size in sizes if size is not None)
        text = f"M{text}" if letters == "m" else text
        return accepted(each, text) or _nearly(each, text)
    edge = some[0]
    if each.kind is Kind.ENUM and not each.numeric:
        return accepted(each, f"M{edge}") if letters in {"m", ""} else None
    if re.fullmatch(_NUMBER, edge):
        in_metres = each.unit == "m" and Decimal(edge) >= 100
        return accepted(each, f"{edge}mm" if in_metres else edge)
    return accepted(each, edge)


def _bare_edge(edge: str) -> str | None:
    """A number in millimetres without its unit."""
    number = re.match(_NUMBER, edge)
    if number is None or edge[number.end() :] not in {"", "mm", "mm2"}:
        return None
    return format(Decimal(number[0]).normalize(), "f")


def _nearly(each: Property, text: str) -> str | None:
    """The allowed size with the same numbers: 48x3 is 48x3.0."""
    for value in each.allowed:
        edges = [_bare_edge(edge) for edge in value.split("x")]
        if None not in edges and "x".join(edge or "" for edge in edges) == text:
            return value
    return None


def _whole_choice(properties: Properties, size: str, known: Mapping[str, str]) -> dict[str, str]:
    for each in properties.values():
        if each.key not in known and each.kind is Kind.ENUM and any("x" in value for value in each.allowed):
            value = accepted(each, size) or _nearly(each, size)
            if value is not None:
                return {each.key: value}
    return {}
