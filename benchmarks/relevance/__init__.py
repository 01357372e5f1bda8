"""Whether the search shows what a buyer meant: judged queries, and the figure a ranking gets from them.

`queries.yaml` holds what contractors type and how good an answer each kind of variant would be. The judgements name
types and canonical identity values, not rows, so they hold for any catalog that is made from the seed taxonomy.

A benchmark asks the search for each query, grades the variants it gets with `JudgedQuery.grade`, grades all variants
of the catalog the same way, and gives both to `ndcg`.
"""

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

FILE = Path(__file__).parent / "queries.yaml"
BEST = 3
"""The grade of just what was asked; 2 is near, 1 is related, 0 is noise."""


class QueryClass(StrEnum):
    """What makes a query hard; figures are told by class, because an average hides the class that fails."""

    EXACT = "exact"
    """A type with its values, as on a material list."""
    TYPE = "type"
    """The name of a type, or the greater part of it."""
    SYNONYM = "synonym"
    """A word of the trade that the catalog's names do not hold."""
    TYPO = "typo"
    """A wrong character of the same sound or shape, a misspelt English word."""
    CODE = "code"
    """A type code, an IFC class, the number of a standard, a model."""
    MIXED = "mixed"
    """Chinese and English in one query."""
    VAGUE = "vague"
    """A family or a purpose: several types are right."""
    SIZE = "size"
    """A size or a strength alone, or one that carries the query."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """Variants of this type with all of these values have this grade."""

    type_code: str
    properties: Mapping[str, str]
    """By key, as canonical text: `20`, never `20.0` or `20mm`."""
    grade: int

    def covers(self, type_code: str, properties: Mapping[str, str]) -> bool:
        return type_code == self.type_code and all(properties.get(key) == text for key, text in self.properties.items())


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedQuery:
    """What somebody types, and what should come of it."""

    id: str
    text: str
    query_class: QueryClass
    judged: tuple[Judgement, ...]

    def grade(self, type_code: str, properties: Mapping[str, str]) -> int:
        """How good an answer a variant is, 0 to 3: the best of the judgements that cover it."""
        return max((each.grade for each in self.judged if each.covers(type_code, properties)), default=0)


class _StrictLoader(yaml.SafeLoader):
    """YAML that refuses a key given twice: the second would silently win, and the query mean something else."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        if len(set(keys)) != len(keys):
            raise ValueError(f"line {node.start_mark.line + 1}: a key is given twice among {', '.join(map(str, keys))}")
        return super().construct_mapping(node, deep=deep)


def load(file: Path = FILE) -> tuple[JudgedQuery, ...]:
    """The judged queries, in the order of the file.

    Raises:
        ValueError: anything is missing, unknown, twice, or of another kind; the sentence names the query.
    """
    document = yaml.load(file.read_text(encoding="utf-8"), Loader=_StrictLoader)
    if not isinstance(document, list):
        raise ValueError(f"{file.name} is a list of queries")  # noqa: TRY004
    queries = tuple(_query(entry, place) for place, entry in enumerate(document, start=1))
    _once((each.id for each in queries), what="id")
    _once((each.text for each in queries), what="text")
    return queries


def _once(words: Iterable[str], *, what: str) -> None:
    seen: set[str] = set()
    for word in words:
        if word in seen:
            raise ValueError(f"the {what} {word!r} is given twice")
        seen.add(word)


def _query(entry: object, place: int) -> JudgedQuery:
    where = f"query number {place}"
    members = _members(entry, required={"id", "text", "class", "judged"}, where=where)
    where = f"query {_text(members['id'], where)}"
    entries = members["judged"]
    if not isinstance(entries, list) or not entries:
        raise ValueError(f"{where}: judged is a list of at least one judgement")
    judged = tuple(_judgement(each, where) for each in entries)
    _once((f"{each.type_code}|{sorted(each.properties.items())}" for each in judged), what=f"judgement of {where}")
    if max(each.grade for each in judged) != BEST:
        raise ValueError(f"{where}: nothing is just what was asked; a query needs a judgement of grade {BEST}")
    return JudgedQuery(
        id=_text(members["id"], where),
        text=_text(members["text"], where),
        query_class=QueryClass(_text(members["class"], where)),
        judged=judged,
    )


def _judgement(entry: object, where: str) -> Judgement:
    members = _members(entry, required={"type", "grade"}, optional=frozenset({"properties"}), where=where)
    grade = members["grade"]
    if isinstance(grade, bool) or not isinstance(grade, int) or not 1 <= grade <= BEST:
        raise ValueError(f"{where}: a grade is 1 to {BEST}, not {grade!r}; leave out what is not relevant")
    properties = members.get("properties", {})
    if not isinstance(properties, dict) or ("properties" in members and not properties):
        raise ValueError(f"{where}: properties are named values, at least one if given")
    values = {_text(key, where): _text(value, where) for key, value in properties.items()}
    return Judgement(type_code=_text(members["type"], where), properties=MappingProxyType(values), grade=grade)


def _members(
    entry: object, *, required: set[str], optional: frozenset[str] = frozenset(), where: str
) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise ValueError(f"{where}: {entry!r} is no mapping")  # noqa: TRY004
    missing, unknown = required - entry.keys(), entry.keys() - required - optional
    if missing or unknown:
        names = ", ".join(sorted(map(str, missing | unknown)))
        raise ValueError(f"{where}: missing or unknown members: {names}")
    return entry


def _text(given: object, where: str) -> str:
    if not isinstance(given, str) or not given or given != given.strip():
        raise ValueError(f"{where}: {given!r} is no text without spaces around it; quote numbers")
    return given


def ndcg(grades: Sequence[int], ideal: Sequence[int], at: int = 10) -> float:
    """How near a ranking's first page is to the best first page there could be, 0 to 1.

    The normalised discounted cumulative gain: a hit gains 2^grade - 1, divided by log2 of its place plus one.

    Args:
        grades: of the variants shown, first to last.
        ideal: of all variants there are, in any order; the best page is made of the highest of them.
        at: how many hits a page shows.

    Raises:
        ValueError: no variant is relevant, so no ranking is better than another; or the ranking shows more than
            there is, as when a variant is shown twice.
    """
    if at < 1 or any(grade < 0 for grade in (*grades, *ideal)):
        raise ValueError("a page shows at least one hit, and no grade is below 0")
    best = _gain(heapq.nlargest(at, ideal))
    if not best:
        raise ValueError("no variant is relevant: there is nothing to rank")
    share = _gain(grades[:at]) / best
    if share > 1 + 1e-9:
        raise ValueError("the ranking shows more than there is; is a variant shown twice?")
    return min(share, 1.0)


def _gain(grades: Sequence[int]) -> float:
    return sum((2**grade - 1) / math.log2(place + 1) for place, grade in enumerate(grades, start=1))
