"""Code mapping's own decisions, without a database: moves, scores, samples, what may stand behind a code."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog.components.taxonomy import read_taxonomy
from services.catalog.mapping.judging import CodeRow, Evidence, Judge, Proposal
from services.catalog.mapping.rules import (
    AUTO_ACCEPT,
    JOB_MOVES,
    REVIEW,
    ROW_MOVES,
    JobState,
    Part,
    Parts,
    Relation,
    ReviewRefusal,
    RowState,
    Signs,
    Stop,
    contradictions,
    is_sampled,
    may_decide,
    parts_refused,
    price_agrees,
    row_state,
)
from services.catalog.mapping.standards import standards_in
from tests.catalog.conftest import definitions, taxonomy_document
from tests.catalog.mapping_world import BAR

shares = st.decimals(0, 1, places=2)
UNITS = {unit.code: unit for unit in read_taxonomy(taxonomy_document()).units}


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(definitions(), UNITS)


def proposed(
    judge: Judge,
    name: str,
    spec: str,
    unit: str,
    evidence: Evidence | None = None,
    *,
    several: bool = False,
    **others: str,
) -> Proposal:
    row = CodeRow(legacy_code="A", name=name, spec=spec, unit=unit, others=others, several=several)
    return judge.proposed(judge.read(row), evidence or Evidence())


def test_the_worked_example_that_is_accepted(judge: Judge):
    """0.45 + 0.22 + 0.15 + 0.15 = 0.97."""
    found = proposed(judge, "钢筋", "三级抗震 Φ20 12米", "吨")
    assert (found.score, found.state, found.relation) == (Decimal("0.97"), RowState.AUTO_ACCEPTED, Relation.EXACT)
    assert found.parts[0]["variant_key"] == BAR


def test_the_worked_example_that_asks_for_attributes(judge: Judge):
    """0.15 + 0.20 + 0.10 + 0.10 = 0.55."""
    found = proposed(judge, "螺纹钢", "20", "根")
    assert (found.score, found.state, found.relation) == (Decimal("0.55"), RowState.UNMATCHED, Relation.BROADER)
    assert found.asks_for == ["grade", "length"]
    assert found.parts == []


def test_the_worked_example_of_a_contradiction_counts_nothing(judge: Judge):
    """HRB400 Φ20 against the variant HRB400E that a supplier offers under the row's item number."""
    evidence = Evidence(items={"S-20": [BAR]})
    found = proposed(judge, "螺纹钢", "HRB400 Φ20 12m", "吨", evidence, supplier_item="S-20")
    other = next(each for each in found.candidates if each["variant_key"] == BAR)
    assert other["score"] == "0.00"
    assert "ContradictingAttribute" in {each["code"] for each in other["reasons"]}
    assert found.state is not RowState.AUTO_ACCEPTED


def test_a_unit_that_never_converts_counts_nothing(judge: Judge):
    found = proposed(judge, "钢筋", "三级抗震 Φ20 12米", "平方米")
    assert (found.score, found.state) == (Decimal("0.00"), RowState.UNMATCHED)
    assert "UnitNotConvertible" in {each["code"] for each in found.candidates[0]["reasons"]}


def test_a_withdrawn_standard_counts_nothing(judge: Judge):
    evidence = Evidence(withdrawn=frozenset({"GB 1499.2-2007"}))
    old = proposed(judge, "钢筋", "三级抗震 Φ20 12米 GB 1499.2-2007", "吨", evidence)
    assert (old.score, old.state) == (Decimal("0.00"), RowState.UNMATCHED)
    new = proposed(judge, "钢筋", "三级抗震 Φ20 12米 GB 1499.2-2024", "吨", evidence)
    assert new.state is RowState.AUTO_ACCEPTED


def test_a_price_far_from_the_median_goes_to_a_person(judge: Judge):
    evidence = Evidence(medians={BAR: Decimal(3300)})
    near = proposed(judge, "钢筋", "三级抗震 Φ20 12米", "吨", evidence, price="3600")
    far = proposed(judge, "钢筋", "三级抗震 Φ20 12米", "吨", evidence, price="33000")
    in_kilograms = proposed(judge, "钢筋", "三级抗震 Φ20 12米", "kg", evidence, price="3.6")
    assert [each.state for each in (near, far, in_kilograms)] == [
        RowState.AUTO_ACCEPTED,
        RowState.NEEDS_REVIEW,
        RowState.AUTO_ACCEPTED,
    ]


@pytest.mark.parametrize(
    ("name", "spec", "unit"),
    [
        ("商品混凝土", "C30/C35 坍落度180", "m3"),
        ("螺纹钢", "HRB400E Φ20/Φ22 12m", "t"),
        ("防火门", "甲级/乙级 钢质 1000×2100 单扇", "樘"),
    ],
)
def test_a_row_that_names_two_things_goes_to_split(judge: Judge, name: str, spec: str, unit: str):
    assert proposed(judge, name, spec, unit).state is RowState.SPLIT_REQUESTED


def test_a_code_with_two_specifications_goes_to_split(judge: Judge):
    assert proposed(judge, "钢筋", "三级抗震 Φ20 12米", "吨", several=True).state is RowState.SPLIT_REQUESTED


def test_the_class_in_a_model_speaks_for_or_against_a_candidate(judge: Judge):
    row = CodeRow(
        legacy_code="A", name="钢筋", spec="三级抗震 Φ20 12米", unit="吨", others={"ifc": "IfcReinforcingBar"}
    )
    states = {}
    for types in (["RB-HRB", "RB-COIL"], ["ST-H"], []):
        proposal = judge.proposed(judge.read(row), Evidence(classes={"IfcReinforcingBar": types}))
        codes = {each["code"] for each in proposal.candidates[0]["reasons"]}
        states[tuple(types)] = (proposal.state, codes & {"SameIfcClass", "OtherIfcClass"})
    assert states["RB-HRB", "RB-COIL"] == (RowState.AUTO_ACCEPTED, {"SameIfcClass"})
    assert states[("ST-H",)] == (RowState.NEEDS_REVIEW, {"OtherIfcClass"})
    assert states[()] == (RowState.AUTO_ACCEPTED, set())  # a class that no type has says nothing


def test_a_brand_makes_the_code_narrower_and_not_another_variant(judge: Judge):
    found = proposed(judge, "钢筋", "三级抗震 Φ20 12米", "吨", brand="北河")
    assert (found.relation, found.parts[0]["variant_key"]) == (Relation.NARROWER, BAR)


@given(shares, shares, shares, shares)
def test_a_score_is_between_nothing_and_one_and_a_stop_makes_it_nothing(a: Decimal, b: Decimal, c: Decimal, d: Decimal):
    assert 0 <= Parts(attributes=a, name=b, unit=c, evidence=d).score <= 1
    for stop in Stop:
        assert Parts(attributes=a, name=b, unit=c, evidence=d, stops=[stop]).score == 0


@given(st.decimals(0, 1, places=2), st.booleans(), st.booleans(), st.booleans())
def test_only_what_is_complete_sure_and_single_is_accepted(score: Decimal, complete: bool, doubt: bool, many: bool):
    state = row_state(score, Signs(complete=complete, doubts=["x"] if doubt else [], many_things=many))
    assert (state is RowState.AUTO_ACCEPTED) == (score >= AUTO_ACCEPT and complete and not doubt and not many)
    if state is RowState.UNMATCHED:
        assert score < REVIEW


def test_five_of_a_hundred_are_sampled_the_same_on_every_run():
    drawn = [is_sampled(company="c", file_hash="f", row_no=number) for number in range(20_000)]
    assert drawn == [is_sampled(company="c", file_hash="f", row_no=number) for number in range(20_000)]
    assert 0.04 < sum(drawn) / len(drawn) < 0.06


def test_no_state_leads_nowhere_but_the_last_ones():
    assert {of for of, _ in JOB_MOVES} == set(JobState) - {JobState.FAILED, JobState.CANCELLED, JobState.ROLLED_BACK}
    assert {of for of, _ in ROW_MOVES} == set(RowState) - {RowState.RETIRED}
    assert not any(
        to in {RowState.PROPOSED, RowState.AUTO_ACCEPTED} and of is not RowState.PROPOSED for of, to in ROW_MOVES
    )


@pytest.mark.parametrize(
    ("parts", "split", "refusal"),
    [
        ([], False, ReviewRefusal.VARIANT_MISSING),
        ([("A|x=1", Relation.BROADER, "")], False, ReviewRefusal.BROADER_NEEDS_ATTRIBUTES),
        ([("A|x=1", Relation.EXACT, "")], True, ReviewRefusal.CONDITION_MISSING),
        ([("A|x=1", Relation.EXACT, ""), ("A|x=2", Relation.EXACT, "thick")], False, ReviewRefusal.CONDITION_MISSING),
        ([("A|x=1", Relation.EXACT, "thin"), ("A|x=2", Relation.EXACT, "thin")], False, ReviewRefusal.CONDITION_TWICE),
        ([("A|x=1", Relation.KIT, "")], False, ReviewRefusal.KIT_OF_ONE),
        ([("A|x=1", Relation.KIT, ""), ("A|x=2", Relation.EXACT, "")], False, ReviewRefusal.KIT_OF_ONE),
        ([("A|x=1", Relation.KIT, ""), ("A|x=2", Relation.KIT, "")], False, None),
        ([("A|x=1", Relation.EXACT, "thin"), ("A|x=2", Relation.EXACT, "thick")], False, None),
        ([("A|x=1", Relation.NARROWER, "")], False, None),
    ],
)
def test_one_code_leads_to_many_variants_only_by_a_rule(parts, split, refusal):
    made = [Part(variant_key=key, relation=relation, condition=condition) for key, relation, condition in parts]
    assert parts_refused(made, split=split) is refusal


def test_small_judgements():
    assert price_agrees(Decimal(130), Decimal(100))
    assert not price_agrees(Decimal(131), Decimal(100))
    assert contradictions({"grade": "HRB400", "diameter": "20"}, {"grade": "HRB400E", "diameter": "20"}) == ["grade"]
    assert not may_decide(reviewer="a", importer="a")
    assert standards_in("按GB/T 1499.2-2018 与 JG/T 225—2020") == ["GB/T 1499.2-2018", "JG/T 225-2020"]
