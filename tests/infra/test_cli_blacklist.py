"""`dougong blacklist` and `dougong scores`: thin over the API, each on the entry as it stands."""

import json
from typing import Any

from tests.infra.conftest import BUYER, SUPPLIER_ID, TAX_ID

ENTRY: dict[str, Any] = {
    "id": "e-1",
    "owner_id": SUPPLIER_ID,
    "source": None,
    "subject_name": "示范钢铁",
    "level": "NO_NEW_ORDER",
    "reason_class": "QUALITY",
    "reason": "three batches failed",
    "evidence": "QA-17",
    "evidence_sha256": None,
    "expires_on": "2027-01-01",
    "status": "ACTIVE",
}
TERMS = ("--level", "no_new_order", "--reason-class", "quality", "--reason", "three batches failed")
PROOF = ("--evidence", "QA-17", "--until", "2027-01-01")


def test_add_sends_the_entry_and_an_official_one_to_its_own_place(dougong, services):
    services.on("POST", "/suppliers/blacklist/(official-)?entries", (201, ENTRY))
    result = dougong("blacklist", "add", TAX_ID, *TERMS, *PROOF, "--category", "rebar", "--as", BUYER)
    assert result.exit_code == 0, result.output
    (sent,) = services.asked("POST", "/suppliers/blacklist/entries")
    assert (sent.json["tax_id"], sent.json["level"], sent.json["categories"]) == (TAX_ID, "NO_NEW_ORDER", ["rebar"])
    assert sent.headers["idempotency-key"]
    result = dougong("blacklist", "add", TAX_ID, *TERMS, *PROOF, "--official", "court list", "--as", BUYER)
    assert result.exit_code == 0, result.output
    (sent,) = services.asked("POST", "/suppliers/blacklist/official-entries")
    assert sent.json["source"] == "court list"


def test_the_id_number_of_a_person_is_asked_for_and_not_shown(dougong, services):
    services.on("POST", "/suppliers/blacklist/entries", (201, ENTRY | {"subject_name": "张**"}))
    line = ("blacklist", "add", *TERMS, *PROOF, "--representative", "张三丰", "--as", BUYER)
    result = dougong(*line, stdin="11010519491231002X\n")
    assert result.exit_code == 0, result.output
    (sent,) = services.asked("POST", "/suppliers/blacklist/entries")
    assert sent.json["representative"] == {"name": "张三丰", "id_number": "11010519491231002X"}
    assert "11010519491231002X" not in result.output
    both = dougong("blacklist", "add", TAX_ID, *TERMS, *PROOF, "--representative", "张三丰", "--as", BUYER)
    assert both.exit_code == 2


def test_lift_asks_first_and_a_second_person_decides_on_what_stands(dougong, services):
    services.on("GET", "/suppliers/blacklist/entries/e-1", (200, ENTRY, {"ETag": '"7"'}))
    services.on("POST", "/suppliers/blacklist/entries/e-1/(lifting|decision)", (200, {"entry": ENTRY, "applied": True}))
    assert dougong("blacklist", "lift", "e-1", "--why", "made good", "--as", BUYER).exit_code == 0
    (asked,) = services.asked("POST", "/suppliers/blacklist/entries/e-1/lifting")
    assert (asked.json, asked.headers["if-match"]) == ({"why": "made good"}, '"7"')
    assert dougong("blacklist", "lift", "e-1", "--approve", "--as", BUYER).exit_code == 0
    (decided,) = services.asked("POST", "/suppliers/blacklist/entries/e-1/decision")
    assert decided.json["decision"] == "approve"
    assert dougong("blacklist", "lift", "e-1", "--as", BUYER).exit_code == 2


def test_a_refusal_is_told_by_its_name(dougong, services):
    services.on("GET", "/suppliers/blacklist/entries/e-1", (200, ENTRY, {"ETag": '"7"'}))
    problem = {"code": "SecondPersonNeeded", "detail": "You asked for this yourself."}
    services.on("POST", "/suppliers/blacklist/entries/e-1/decision", (403, problem))
    result = dougong("blacklist", "lift", "e-1", "--approve", "--as", BUYER)
    assert result.exit_code == 1
    assert "SecondPersonNeeded: You asked for this yourself." in result.stderr


def test_a_supplier_lists_appeals_and_is_answered(dougong, services):
    services.on("GET", "/suppliers/blacklist/about-us", (200, [ENTRY]))
    result = dougong("blacklist", "list", "--about-us", "--as", BUYER)
    assert "three batches failed" in result.stdout
    appeal = {"id": "a-1", "status": "OPEN", "filed_at": "2026-11-22T08:00:00Z"}
    services.on("POST", "/suppliers/blacklist/entries/e-1/appeals", (201, appeal))
    result = dougong("blacklist", "appeal", "e-1", "--text", "mixed up", "--as", BUYER, "--json")
    assert json.loads(result.stdout)["id"] == "a-1"
    services.on("GET", "/suppliers/blacklist/entries/e-1", (200, ENTRY, {"ETag": '"7"'}))
    services.on("POST", "/suppliers/blacklist/entries/e-1/appeals/a-1/answer", (200, appeal | {"status": "GRANTED"}))
    result = dougong("blacklist", "answer", "e-1", "a-1", "--grant", "--text", "right", "--as", BUYER)
    assert "GRANTED" in result.stdout


def test_scores_of_a_supplier_named_by_its_tax_id(dougong, services):
    score = {
        "group_id": "g-1",
        "category": "rebar",
        "overall": None,
        "orders": 3,
        "dimensions": {"acceptance": None, "quality": None},
    }
    scored = score | {"category": "precast", "overall": "87.50", "dimensions": {"acceptance": "90.00", "quality": None}}
    services.on("GET", "/suppliers", (200, [{"company_id": SUPPLIER_ID, "tax_id": TAX_ID}]))
    services.on("GET", f"/suppliers/scores/of/{SUPPLIER_ID}", (200, {"own": [score, scored], "circle": []}))
    result = dougong("scores", "show", "--supplier", TAX_ID, "--as", BUYER)
    assert result.exit_code == 0, result.output
    for text in ("new", "87.50", "90.00", "acceptance"):
        assert text in result.stdout
    assert "quality" not in result.stdout, "no data takes no column"
    assert dougong("scores", "show", "--supplier", "91110000MA4GCAL01D", "--as", BUYER).exit_code == 2


def test_a_supplier_reads_the_inputs_and_appeals(dougong, services):
    given = {
        "order_number": "PO-2026-000123",
        "order_id": "o-1",
        "group_id": "g-1",
        "placed_at": "2026-11-22T08:00:00Z",
        "answered_at": None,
        "lines": [{"outcome": "rejected"}],
        "excluded_reason": None,
    }
    services.on("GET", "/suppliers/scores/inputs", (200, [given]))
    services.on("POST", "/suppliers/scores/appeals", (201, {"id": "a-1", "status": "PENDING"}))
    result = dougong("scores", "inputs", "--category", "rebar", "--as", BUYER)
    assert "PO-2026-000123" in result.stdout
    line = ("scores", "appeal", "o-1", "--group", "g-1", "--category", "rebar", "--text", "gate closed")
    assert "PENDING" in dougong(*line, "--as", BUYER).stdout
    (sent,) = services.asked("POST", "/suppliers/scores/appeals")
    assert (sent.json["order_id"], sent.json["group_id"]) == ("o-1", "g-1")


def test_a_supplier_reads_what_was_written_about_it_and_replies(dougong, services):
    supplier = "01930000-0000-7000-8000-000000000007"
    written = {
        "id": "e-1", "dated_on": "2026-04-01", "category": "rebar", "dimension": "service", "score": "10.00",
        "reason": "Driver was rude.", "reply": None, "replied_at": None,
    }  # fmt: skip
    services.on("GET", f"/suppliers/scores/of/{supplier}/evaluations", (200, [written]))
    assert "Driver was rude." in dougong("scores", "evaluations", supplier, "--as", BUYER).output
    services.on("POST", "/suppliers/scores/evaluations/e-1/reply", (201, written | {"reply": "He was new."}))
    said = dougong("scores", "reply", "e-1", "--text", "He was new.", "--as", BUYER)
    assert said.exit_code == 0, said.output
    assert services.asked("POST", "/suppliers/scores/evaluations/e-1/reply")[0].json == {"text": "He was new."}
