"""What a second person decides about rows, and what is refused."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from shared.database import transaction
from shared.identity import Role
from tests.catalog.mapping_world import BAR, BAR_ROW, Mapping, csv_file
from tests.conftest import a_person

OPEN_ROW = "A-002,螺纹钢,20,根"
VALVE_ROW = "A-003,蝶阀,DN100 PN16 对夹 蜗轮,套"
VALVE = "ME-VALVE|actuator=gear 蜗轮,dn=100,end=wafer 对夹,pn=16"


async def test_a_reviewer_sees_candidates_with_scores_and_reasons_and_filters_them(mapping: Mapping):
    job = await mapping.imported(csv_file(BAR_ROW, OPEN_ROW, VALVE_ROW))
    (open_,) = await mapping.rows(job, state="UNMATCHED")
    assert (open_["legacy_code"], open_["relation"], open_["score"]) == ("A-002", "broader", "0.55")
    assert open_["asks_for"] == ["grade", "length"]
    assert {each["code"] for each in open_["candidates"][0]["reasons"]} == {"Read", "Missing"}
    assert [row["legacy_code"] for row in await mapping.rows(job, least_score="0.6", below_score="0.95")] == ["A-003"]
    assert [row["legacy_code"] for row in await mapping.rows(job, type_code="RB-HRB")] == ["A-001", "A-002"]


async def test_rows_are_paged_by_cursor(mapping: Mapping):
    sizes = (8, 10, 12, 14, 16, 18, 20)
    job = await mapping.imported(csv_file(*(f"A-{size},钢筋,HRB400E Φ{size} 12m,吨" for size in sizes)))
    params: dict[str, Any] = {"limit": "3"}
    seen, path = [], f"/mapping-jobs/{job['id']}/rows"
    while True:
        page = await mapping.get(path, **params)
        seen += [row["row_no"] for row in page.json()]
        if "next" not in page.links:
            break
        path, params = page.links["next"]["url"].removeprefix("/catalog"), {}
    assert seen == list(range(2, 9))


async def test_the_importer_decides_nothing(mapping: Mapping):
    job = await mapping.imported(csv_file(BAR_ROW))
    decided = await mapping.decide(job, {"row_no": 2, "decision": "confirm"}, as_=mapping.importer)
    assert (decided.status_code, decided.json()["code"]) == (403, "OwnImport")
    accepted = await mapping.post(f"/mapping-jobs/{job['id']}/acceptances", {}, as_=mapping.importer)
    assert accepted.json()["code"] == "OwnImport"


async def test_a_row_is_confirmed_with_the_variant_a_person_names_in_any_spelling(mapping: Mapping):
    job = await mapping.imported(csv_file(OPEN_ROW))
    named = {
        "row_no": 2,
        "decision": "confirm",
        "parts": [{"variant_key": "rb-hrb|grade=hrb400e,length=12m,diameter=Φ20"}],
    }
    answer = await mapping.decide(job, named)
    assert answer.status_code == 200, answer.text
    (row,) = answer.json()
    assert (row["state"], row["parts"][0]["variant_key"]) == ("CONFIRMED", BAR)
    assert row["decided_by"] == str(mapping.reviewer.subject)
    assert (await mapping.approve(job)).status_code == 200
    await mapping.work()
    assert await mapping.meaning("A-002") == [BAR]


@pytest.mark.parametrize(
    ("decision", "rule"),
    [
        ({"row_no": 99, "decision": "confirm"}, "RowNotFound"),
        ({"row_no": 3, "decision": "confirm"}, "VariantMissing"),
        ({"row_no": 2, "decision": "confirm", "parts": [{"variant_key": "XX-YY|a=1"}]}, "VariantKeyWrong"),
        ({"row_no": 2, "decision": "confirm", "parts": [{"variant_key": BAR + ",x=1"}]}, "VariantKeyWrong"),
        (
            {"row_no": 2, "decision": "confirm", "parts": [{"variant_key": BAR.replace("HRB400E", "HRB400")}]},
            "ContradictingAttribute",
        ),
        (
            {"row_no": 2, "decision": "confirm", "parts": [{"variant_key": BAR, "relation": "broader"}]},
            "BroaderNeedsAttributes",
        ),
        (
            {"row_no": 2, "decision": "confirm", "parts": [{"variant_key": BAR}, {"variant_key": VALVE}]},
            "ConditionMissing",
        ),
        ({"row_no": 2, "decision": "confirm", "parts": [{"variant_key": BAR, "relation": "kit"}]}, "KitOfOne"),
    ],
)
async def test_one_wrong_decision_refuses_all_and_is_named(mapping: Mapping, decision: dict[str, Any], rule: str):
    job = await mapping.imported(csv_file(BAR_ROW, OPEN_ROW, VALVE_ROW))
    answer = await mapping.decide(job, {"row_no": 4, "decision": "reject"}, decision)
    assert (answer.status_code, answer.json()["code"]) == (409, "DecisionsRefused")
    assert [each["rule"] for each in answer.json()["errors"]] == [rule]
    assert {row["state"] for row in await mapping.rows(job, legacy_code="A-003")} == {"NEEDS_REVIEW"}


async def test_what_a_row_contradicts_is_confirmed_only_with_a_reason(mapping: Mapping):
    job = await mapping.imported(csv_file(BAR_ROW))
    other = BAR.replace("HRB400E", "HRB400")
    named = {"row_no": 2, "decision": "confirm", "parts": [{"variant_key": other}], "note": "drawing says HRB400"}
    answer = await mapping.decide(job, named)
    assert answer.json()[0]["parts"][0]["variant_key"] == other
    history = (await mapping.get(f"/mapping-jobs/{job['id']}/history", row_no=2)).json()
    assert "drawing says HRB400" in history[-1]["note"]


async def test_one_code_of_two_things_is_published_as_a_split_with_its_conditions(mapping: Mapping):
    job = await mapping.imported(csv_file("A-2,钢筋,HRB400E Φ20 12m,吨", "A-2,钢筋,HRB400E Φ22 12m,吨"))
    bare = await mapping.decide(job, {"row_no": 2, "decision": "confirm"})
    assert bare.json()["errors"][0]["rule"] == "ConditionMissing"
    for same in ("Φ20", "Φ22"):
        decisions = [
            {"row_no": 2, "decision": "confirm", "condition": "Φ20"},
            {"row_no": 3, "decision": "confirm", "condition": same},
        ]
        assert (await mapping.decide(job, *decisions)).status_code == 200
        approved = await mapping.approve(job)
        if same == "Φ20":
            assert approved.json()["code"] == "ConditionsMissing"
    await mapping.work()
    parts = (await mapping.get("/mappings", code="A-2")).json()
    assert [(each["condition"], each["variant_key"]) for each in parts] == [
        ("Φ20", BAR),
        ("Φ22", BAR.replace("20", "22")),
    ]


async def test_a_kit_is_several_variants_with_quantities(mapping: Mapping):
    job = await mapping.imported(csv_file("K-1,蝶阀安装套件,DN100,套"))
    parts = [
        {"variant_key": VALVE, "relation": "kit"},
        {
            "variant_key": "ST-BOLT|class=8.8S,diameter=M16,kind=large hex 大六角头,length=70",
            "relation": "kit",
            "quantity": "8",
        },
    ]
    assert (await mapping.decide(job, {"row_no": 2, "decision": "confirm", "parts": parts})).status_code == 200
    await mapping.approve(job)
    await mapping.work()
    found = (await mapping.get("/mappings", code="K-1")).json()
    assert [(each["relation"], float(each["quantity"])) for each in found] == [("kit", 1.0), ("kit", 8.0)]


async def test_many_proposals_are_confirmed_at_once_and_each_is_in_the_history(mapping: Mapping):
    job = await mapping.imported(csv_file(VALVE_ROW, VALVE_ROW.replace("A-003", "A-004"), OPEN_ROW))
    answer = await mapping.post(
        f"/mapping-jobs/{job['id']}/acceptances", {"least_score": "0.6", "type_code": "ME-VALVE"}
    )
    assert answer.json() == {"confirmed": 2}
    states = {row["legacy_code"]: row["state"] for row in await mapping.rows(job)}
    assert states == {"A-003": "CONFIRMED", "A-004": "CONFIRMED", "A-002": "UNMATCHED"}
    history = (await mapping.get(f"/mapping-jobs/{job['id']}/history")).json()
    assert [each["row_no"] for each in history if each["row_no"] is not None] == [2, 3]


async def test_open_rows_hold_an_approval_back_unless_they_are_left_out(mapping: Mapping):
    job = await mapping.imported(csv_file(BAR_ROW, OPEN_ROW))
    await mapping.accept_sample(job)
    assert (await mapping.approve(job)).json()["code"] == "RowsStillOpen"
    assert (await mapping.approve(job, leave_open=True)).status_code == 200
    await mapping.work()
    assert await mapping.meaning("A-001") == [BAR]
    assert await mapping.meaning("A-002") == []
    late = await mapping.decide(job, {"row_no": 3, "decision": "reject"})
    assert late.json()["code"] == "MappingJobStateWrong"


async def test_a_rejected_row_is_not_published_and_a_new_type_waits(mapping: Mapping):
    job = await mapping.imported(csv_file(BAR_ROW, OPEN_ROW))
    decisions = [{"row_no": 2, "decision": "reject"}, {"row_no": 3, "decision": "new_type", "note": "threaded bar"}]
    assert [row["state"] for row in (await mapping.decide(job, *decisions)).json()] == [
        "REJECTED",
        "NEW_TYPE_REQUESTED",
    ]
    await mapping.approve(job, leave_open=True)
    await mapping.work()
    assert await mapping.meaning("A-001") == []


async def test_a_stranger_gets_404_and_sees_nothing(mapping: Mapping):
    job = await mapping.imported(csv_file(BAR_ROW))
    stranger = a_person(Role.BUYER)
    for path in ("", "/rows", "/errors", "/errors.csv", "/history"):
        answer = await mapping.get(f"/mapping-jobs/{job['id']}{path}", as_=stranger)
        assert (answer.status_code, answer.json()["code"]) == (404, "MappingJobNotFound")
    decided = await mapping.decide(job, {"row_no": 2, "decision": "confirm"}, as_=stranger)
    assert decided.status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"decisions": []},
        {"decisions": [{"row_no": 0, "decision": "confirm"}]},
        {"decisions": [{"row_no": 2, "decision": "perhaps"}]},
        {"decisions": [{"row_no": 2, "decision": "confirm"}, {"row_no": 2, "decision": "reject"}]},
        {"decisions": [{"row_no": 2, "decision": "confirm", "parts": [{"variant_key": BAR, "quantity": "-1"}]}]},
        {"decisions": [{"row_no": 2, "decision": "confirm"}], "more": 1},
    ],
)
async def test_a_malformed_decision_is_refused(mapping: Mapping, body: dict[str, Any]):
    job = await mapping.imported(csv_file(BAR_ROW))
    answer = await mapping.post(f"/mapping-jobs/{job['id']}/decisions", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "MalformedRequest")


async def counted(mapping: Mapping, job: dict[str, Any]) -> dict[str, int]:
    """The rows of an import by state, one by one."""
    async with transaction(mapping.database.system) as session:
        rows = await session.execute(
            text("SELECT state, sampled FROM mapping_rows WHERE job_id = CAST(:id AS uuid)"), {"id": job["id"]}
        )
        found = dict.fromkeys((await mapping.job(job["id"]))["rows"], 0)
        for state, sampled in rows:
            found[state] += 1
            found["sample_open"] += sampled and state == "AUTO_ACCEPTED"
    return found


async def test_the_counts_of_rows_are_those_of_the_rows_whoever_changes_them(mapping: Mapping):
    bars = [
        f"B-{size}-{length},钢筋,HRB400E Φ{size} {length}m,吨" for size in (8, 10, 12, 16, 20, 25) for length in (9, 12)
    ]
    twice = bars[0].replace("Φ8", "Φ28")
    job = await mapping.imported(csv_file(BAR_ROW, OPEN_ROW, VALVE_ROW, *bars, twice))
    before = (await mapping.job(job["id"]))["rows"]
    assert before == await counted(mapping, job)
    assert before["AUTO_ACCEPTED"] >= 5
    assert sum(before.values()) - before["sample_open"] == len(bars) + 4

    second = {"row_no": 4, "decision": "confirm"}
    answers = await asyncio.gather(
        mapping.decide(job, {"row_no": 3, "decision": "reject", "note": "not bought any more"}),
        mapping.decide(job, second),
        mapping.decide(job, {"row_no": 8, "decision": "confirm"}, {"row_no": 9, "decision": "confirm"}),
        mapping.post(f"/mapping-jobs/{job['id']}/acceptances", {"states": ["AUTO_ACCEPTED"], "sampled": True}),
    )
    assert {each.status_code for each in answers} == {200}, [each.text for each in answers]
    decided = (await mapping.job(job["id"]))["rows"]
    assert decided == await counted(mapping, job)
    assert (decided["REJECTED"], decided["sample_open"]) == (1, 0)
    assert decided["CONFIRMED"] >= 3

    assert (await mapping.approve(job, leave_open=True)).status_code == 200
    await mapping.work()
    rolled = await mapping.post(f"/mapping-jobs/{job['id']}/rollback", {"note": "wrong file"})
    assert rolled.status_code == 200, rolled.text
    assert (await mapping.job(job["id"]))["rows"] == await counted(mapping, job)
