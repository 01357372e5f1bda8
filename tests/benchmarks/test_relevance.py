"""The judged queries can be answered by variants of the taxonomy, and grades and gains are computed as stated."""

import math
from collections import Counter
from typing import Any

import pytest
import yaml

from benchmarks.relevance import (
    Judgement,
    Query,
    QueryClass,
    RelevanceError,
    blind_queries,
    dcg,
    development_queries,
    grade,
    ideal_dcg,
    ndcg,
    queries,
    read_queries,
)
from services.catalog.components.rules import PropertyError, canonical_value, identity_of
from tests.catalog.conftest import a_valid_choice, definitions

BAR = Query(
    id="bar",
    text="HRB400E 20",
    kind=QueryClass.EXACT_VARIANT,
    judgements=(
        Judgement(types=frozenset({"RB-HRB"}), properties={"diameter": ("20",)}, grade=1),
        Judgement(types=frozenset({"RB-HRB"}), properties={"diameter": ("20",), "grade": ("HRB400E",)}, grade=3),
        Judgement(types=frozenset({"ST-H", "ST-RHS"}), properties={"spec": ("400x200x*", "50x50x3")}, grade=2),
    ),
)
ENTRY: dict[str, Any] = {
    "id": "x",
    "query": "螺纹",
    "class": "type",
    "judgements": [{"match": {"type": "RB-HRB"}, "grade": 3}],
}


@pytest.mark.parametrize(
    ("type_code", "properties", "expected"),
    [
        ("RB-HRB", {"diameter": "20", "grade": "HRB400E", "length": "9"}, 3),
        ("RB-HRB", {"diameter": "20", "grade": "HRB500", "length": "9"}, 1),
        ("RB-HRB", {"diameter": "22", "grade": "HRB400E", "length": "9"}, 0),
        ("RB-COIL", {"diameter": "20", "grade": "HRB400E"}, 0),
        ("ST-H", {"spec": "400x200x8x13"}, 2),
        ("ST-H", {"spec": "400x2000x8x13"}, 0),
        ("ST-RHS", {"spec": "50x50x3"}, 2),
        ("ST-RHS", {"spec": "50x50x3.5"}, 0),
        ("ST-H", {}, 0),
    ],
)
def test_a_variant_has_the_highest_grade_of_the_sets_it_is_in(type_code, properties, expected):
    assert grade(BAR, type_code, properties) == expected


def test_gains_are_discounted_by_place():
    assert dcg([]) == 0
    assert dcg([3]) == 7
    assert dcg([3, 2, 0, 1]) == pytest.approx(7 + 3 / math.log2(3) + 1 / math.log2(5))


def test_the_ideal_is_the_best_page_of_the_population():
    assert ideal_dcg([0, 1, 3, 2]) == dcg([3, 2, 1, 0])
    assert ideal_dcg([3] * 50) == dcg([3] * 10)
    assert ideal_dcg([1, 3], at=1) == 7


def test_a_ranking_scores_its_share_of_the_ideal():
    population = [0, 0, 3, 2, 1]
    assert ndcg([3, 2, 1], population=population) == pytest.approx(1)
    assert ndcg([1, 2, 3], population=population) == pytest.approx(dcg([1, 2, 3]) / dcg([3, 2, 1]))
    assert ndcg([], population=population) == 0
    assert ndcg([0, 0], population=[0, 0]) is None
    assert ndcg([0] * 10 + [3], population=[3]) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"class": "guess"},
        {"query": " "},
        {"query": 20},
        {"extra": 1},
        {"region": 31},
        {"judgements": []},
        {"judgements": [{"match": {"type": "RB-HRB"}, "grade": 2}]},
        {"judgements": [{"match": {"type": "RB-HRB"}, "grade": 4}]},
        {"judgements": [{"match": {"type": "RB-HRB"}, "grade": True}]},
        {"judgements": [{"match": {}, "grade": 3}]},
        {"judgements": [{"match": {"type": []}, "grade": 3}]},
        {"judgements": [{"match": {"type": "RB-HRB", "properties": {}}, "grade": 3}]},
        {"judgements": [{"match": {"type": "RB-HRB", "properties": {"diameter": None}}, "grade": 3}]},
        {"judgements": [{"match": {"type": "RB-HRB", "brand": "x"}, "grade": 3}]},
        {"facets": {"type": "RB-HRB"}},
        {"class": "facet"},
        {"class": "facet", "facets": {"colour": "red"}},
    ],
)
def test_a_query_that_breaks_the_format_is_refused(change):
    assert len(read_queries({"queries": [ENTRY]})) == 1
    with pytest.raises(RelevanceError):
        read_queries({"queries": [ENTRY | change]})


@pytest.mark.parametrize("document", [None, [], {"queries": {}}, {"queries": [ENTRY], "more": 1}, {"queries": ["x"]}])
def test_another_document_is_refused(document):
    with pytest.raises(RelevanceError):
        read_queries(document)


@pytest.mark.parametrize("second", [{**ENTRY, "query": "other"}, {**ENTRY, "id": "y"}])
def test_ids_and_questions_are_unique(second):
    with pytest.raises(RelevanceError):
        read_queries({"queries": [ENTRY, second]})


def test_yaml_numbers_become_canonical_texts():
    text = "{type: ME-WIRE, properties: {section: [2.5, 4, 10.0], colour: red, zinc: true}}"
    entry = ENTRY | {"judgements": [{"match": yaml.safe_load(text), "grade": 3}]}
    judgement = read_queries({"queries": [entry]})[0].judgements[0]
    assert judgement.properties == {"section": ("2.5", "4", "10"), "colour": ("red",), "zinc": ("true",)}


SETS = {"tuned": queries(), "development": development_queries(), "blind": blind_queries()}
every_set = pytest.mark.parametrize("asked", SETS.values(), ids=SETS)


@every_set
def test_there_are_enough_queries_of_every_class(asked):
    counted = Counter(query.kind for query in asked)
    assert len(asked) >= 160
    assert set(counted) == set(QueryClass)
    assert min(counted.values()) >= 2


def test_the_blind_set_asks_nothing_that_was_tuned_on():
    seen = [*queries(), *development_queries()]
    assert not {query.text for query in seen} & {query.text for query in blind_queries()}
    assert not {query.id for query in seen} & {query.id for query in blind_queries()}


@every_set
def test_every_type_and_so_every_category_is_asked_for(asked):
    best = {code for query in asked for each in query.judgements if each.grade == 3 for code in each.types}
    assert best == set(definitions())
    assert len({definitions()[code].category for code in best}) == 11


@every_set
def test_judgements_speak_of_the_taxonomy(asked):
    for judgement in (each for query in asked for each in query.judgements):
        for code in judgement.types:
            known = {each.key: each for each in definitions()[code].identity}
            for key, values in judgement.properties.items():
                for value in (each for each in values if not each.endswith("*")):
                    assert canonical_value(value, of=known[key]) == value


@every_set
def test_some_variant_of_the_taxonomy_is_the_answer(asked):
    for query in asked:
        assert all(grade(query, code, values) == 3 for code, values in _answers(query)), query.text


@every_set
def test_a_lower_grade_adds_variants_of_its_own(asked):
    """A set that lies wholly inside better ones says nothing: each judgement is some variant's highest."""
    for query, judgement in ((one, each) for one in asked for each in one.judgements):
        own = [
            grade(query, code, {**a_valid_choice(definitions()[code]), **_first(judgement), **other})
            for code in judgement.types
            for other in _others(code, judgement)
        ]
        assert judgement.grade in own, (query.text, judgement)


@every_set
def test_facets_leave_the_answers(asked):
    for query in (each for each in asked if each.facets):
        assert query.facets is not None
        for judgement in query.judgements:
            assert query.facets.type_code in {None, *judgement.types}
            assert dict(query.facets.properties).items() <= dict(judgement.properties).items()
            categories = {definitions()[code].category for code in judgement.types}
            assert query.facets.category in {None, *categories}


def _first(judgement: Judgement) -> dict[str, str]:
    return {key: values[0].replace("*", "1x1") for key, values in judgement.properties.items()}


def _answers(query: Query) -> list[tuple[str, dict[str, str]]]:
    """For every best judgement a variant that the product's own rules take."""
    found = []
    for judgement in (each for each in query.judgements if each.grade == 3):
        for code in judgement.types:
            values, faults = identity_of(
                definitions()[code], {**a_valid_choice(definitions()[code]), **_first(judgement)}
            )
            assert faults == [], (query.text, faults)
            found.append((code, values))
    return found


def _others(code: str, judgement: Judgement) -> list[dict[str, str]]:
    """One property at a time, and all at once, at values a judgement does not name."""
    changes = []
    for each in definitions()[code].identity:
        if each.key in judgement.properties:
            continue
        options = list(each.allowed) or ["999991", "x9"]
        for option in options:
            try:
                changes.append({each.key: canonical_value(option, of=each)})
            except PropertyError:
                changes.append({each.key: option})
    everything = {key: value for change in changes for key, value in change.items()}
    return [{}, everything, *changes]
