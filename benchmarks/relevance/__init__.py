"""What contractors type, and how good each variant is as an answer: the measure of search.

`queries.yaml` beside this file holds the queries and says how they were judged; `blind.yaml` holds as many kinds of
queries that nobody may tune on, so that the first figure can be told from having learned it by heart;
`development.yaml` holds queries written apart from both, to find what to improve next. Nothing here knows the search: a
ranking is measured by grading what it returned and what it could have returned.

    graded = [grade(query, variant.type_code, variant.properties) for variant in hits]
    score = ndcg(graded, population=[grade(query, ...) for every variant of the index])
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

QUERIES = Path(__file__).with_name("queries.yaml")
BLIND = Path(__file__).with_name("blind.yaml")
DEVELOPMENT = Path(__file__).with_name("development.yaml")
BEST = 3
PAGE = 10
"""Hits on the first page: the 10 of nDCG@10."""
_QUERY_MEMBERS = {"id", "query", "class", "region", "facets", "judgements"}
_FACET_MEMBERS = {"type", "category", "properties"}


class RelevanceError(ValueError):
    """The file of queries breaks its own format; the text names the query."""


class QueryClass(StrEnum):
    """How the words were chosen; figures are reported per class."""

    EXACT_VARIANT = "exact-variant"
    """Everything, or nearly so, that makes the variant."""
    PARTIAL_SPEC = "partial-spec"
    TYPE = "type"
    """The official name of a type."""
    SYNONYM = "synonym"
    """A word of the trade that is not the official one."""
    ABBREVIATION = "abbreviation"
    TYPO = "typo"
    CODE = "code"
    STANDARD = "standard"
    ENGLISH = "english"
    MIXED_LANGUAGE = "mixed-language"
    UNIT = "unit"
    """A size in another unit or with its unit spelled out."""
    FULL_WIDTH = "full-width"
    PARTIAL_WORD = "partial-word"
    VAGUE = "vague"
    """A word for several types."""
    NATURAL = "natural"
    """More words than needed: quantities, purposes, whole phrases."""
    FACET = "facet"
    """Plain words, narrowed by facets."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """A set of variants and how good each of them is as an answer."""

    types: frozenset[str]
    properties: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Per property the canonical values that fit; `400x200x*` fits every text that begins so."""
    grade: int

    def holds_for(self, type_code: str, properties: Mapping[str, str]) -> bool:
        """Whether a variant is in the set."""
        if type_code not in self.types:
            return False
        return all(key in properties and _fits(properties[key], values) for key, values in self.properties.items())


@dataclass(frozen=True, kw_only=True, slots=True)
class Facets:
    """Filters that are set beside the words; the judgements are about what passes them."""

    type_code: str | None = None
    category: str | None = None
    properties: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """What somebody typed, and the answer."""

    id: str
    text: str
    kind: QueryClass
    judgements: tuple[Judgement, ...]
    region: str | None = None
    """Where it is to be delivered; no judgement depends on it."""
    facets: Facets | None = None


def grade(query: Query, type_code: str, properties: Mapping[str, str]) -> int:
    """How good a variant is as an answer: 3 asked for, 2 would do, 1 worth showing below, 0 of no use.

    `properties` are the canonical identity values of the variant.
    """
    return max((each.grade for each in query.judgements if each.holds_for(type_code, properties)), default=0)


def dcg(grades: Sequence[int]) -> float:
    """Discounted cumulative gain of grades in the order shown: a grade g at place p gives (2^g - 1) / log2(p + 1)."""
    return sum(((1 << each) - 1) / math.log2(place + 1) for place, each in enumerate(grades, start=1))


def ideal_dcg(population: Iterable[int], *, at: int = PAGE) -> float:
    """The most that any ranking of these variants can reach on its first page."""
    return dcg(sorted(population, reverse=True)[:at])


def ndcg(ranked: Sequence[int], *, population: Iterable[int], at: int = PAGE) -> float | None:
    """The share of the ideal that a ranking reaches; None when nothing in the population is of any use.

    `population` are the grades of all variants of the index, those that were found included. No result at all scores
    0 where there was something to find.
    """
    ideal = ideal_dcg(population, at=at)
    return dcg(ranked[:at]) / ideal if ideal else None


@cache
def queries() -> tuple[Query, ...]:
    """The judged queries, in the order of the file.

    Raises:
        RelevanceError: the file breaks its format.
    """
    return read_queries(yaml.safe_load(QUERIES.read_text(encoding="utf-8")))


@cache
def blind_queries() -> tuple[Query, ...]:
    """The judged queries that nothing was tuned on.

    Raises:
        RelevanceError: the file breaks its format.
    """
    return read_queries(yaml.safe_load(BLIND.read_text(encoding="utf-8")))


@cache
def development_queries() -> tuple[Query, ...]:
    """The judged queries to improve the search on.

    Raises:
        RelevanceError: the file breaks its format.
    """
    return read_queries(yaml.safe_load(DEVELOPMENT.read_text(encoding="utf-8")))


def read_queries(document: object) -> tuple[Query, ...]:
    """The queries of a parsed document.

    Raises:
        RelevanceError: with the first query that breaks the format.
    """
    if not isinstance(document, dict) or set(document) != {"queries"} or not isinstance(document["queries"], list):
        raise RelevanceError("The document is one list named queries.")
    found = tuple(_query(each) for each in document["queries"])
    for counted in (Counter(each.id for each in found), Counter(f"{each.text} {each.facets}" for each in found)):
        twice = [each for each, times in counted.items() if times > 1]
        if twice:
            raise RelevanceError(f"Twice in the file: {', '.join(twice)}")
    return found


def _query(entry: object) -> Query:
    if not isinstance(entry, dict) or not {"id", "query", "class", "judgements"} <= set(entry) <= _QUERY_MEMBERS:
        raise RelevanceError(f"{entry!r:.80} has not the members of a query.")
    name, text, region = entry["id"], entry["query"], entry.get("region")
    if not isinstance(name, str) or not isinstance(text, str) or not text.strip() or not isinstance(region, str | None):
        raise RelevanceError(f"{name}: id, query and region are text.")
    if entry["class"] not in set(QueryClass):
        raise RelevanceError(f"{name}: {entry['class']!r} is no class.")
    if not isinstance(entry["judgements"], list):
        raise RelevanceError(f"{name}: judgements are a list.")
    judgements = tuple(_judgement(name, each) for each in entry["judgements"])
    if BEST not in {each.grade for each in judgements}:
        raise RelevanceError(f"{name}: no judgement has grade {BEST}.")
    facets = _facets(name, entry["facets"]) if "facets" in entry else None
    kind = QueryClass(entry["class"])
    if (kind is QueryClass.FACET) != (facets is not None):
        raise RelevanceError(f"{name}: facets and the class facet belong together.")
    return Query(id=name, text=text, kind=kind, judgements=judgements, region=region, facets=facets)


def _judgement(name: str, entry: object) -> Judgement:
    if not isinstance(entry, dict) or set(entry) != {"match", "grade"} or not isinstance(entry["match"], dict):
        raise RelevanceError(f"{name}: a judgement is a match and a grade.")
    match, given = entry["match"], entry["grade"]
    if isinstance(given, bool) or given not in range(1, BEST + 1):
        raise RelevanceError(f"{name}: {given!r} is no grade.")
    if not {"type"} <= set(match) <= {"type", "properties"}:
        raise RelevanceError(f"{name}: a match is a type and, where needed, properties.")
    types = frozenset(_several(name, match["type"]))
    return Judgement(types=types, properties=_properties(name, match.get("properties")), grade=given)


def _facets(name: str, entry: object) -> Facets:
    if not isinstance(entry, dict) or not entry or not set(entry) <= _FACET_MEMBERS:
        raise RelevanceError(f"{name}: facets are a type, a category, properties.")
    return Facets(
        type_code=entry.get("type"),
        category=entry.get("category"),
        properties=_properties(name, entry.get("properties")),
    )


def _properties(name: str, entry: object) -> dict[str, tuple[str, ...]]:
    if entry is None:
        return {}
    if not isinstance(entry, dict) or not entry:
        raise RelevanceError(f"{name}: properties are named values, at least one.")
    return {str(key): _several(name, value) for key, value in entry.items()}


def _several(name: str, entry: Any) -> tuple[str, ...]:
    values = tuple(_text(name, each) for each in (entry if isinstance(entry, list) else [entry]))
    if not values:
        raise RelevanceError(f"{name}: an empty list fits nothing.")
    return values


def _text(name: str, value: object) -> str:
    """YAML's 20, 2.5 and true as the canonical texts that variants carry."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"{value:g}"
        case str() if value.strip():
            return value
    raise RelevanceError(f"{name}: {value!r} is no value.")


def _fits(value: str, patterns: Iterable[str]) -> bool:
    return any(value.startswith(each[:-1]) if each.endswith("*") else value == each for each in patterns)
