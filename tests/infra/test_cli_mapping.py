"""`dougong catalog`: codes sent, reviewed, approved and looked up from the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.infra.conftest import BUYER

JOB: dict[str, Any] = {
    "id": "job-1",
    "state": "IN_REVIEW",
    "dry_run": False,
    "file_name": "codes.csv",
    "rows_read": 2,
    "rows_taken": 2,
    "rows_rejected": 0,
    "rows_published": 0,
    "rows": {"AUTO_ACCEPTED": 2, "NEEDS_REVIEW": 0, "sample_open": 0},
    "warnings": [],
    "problem": None,
    "repeated": False,
}
PATH = "/catalog/mapping-jobs"


@pytest.fixture
def codes(tmp_path: Path) -> Path:
    file = tmp_path / "codes.csv"
    file.write_text("物料编码,名称,规格型号,单位\nA-1,钢筋,三级抗震 Φ20 12米,吨\n", encoding="utf-8")
    return file


def test_a_file_is_sent_and_waited_for(dougong, services, codes):
    services.on("POST", PATH, (202, JOB | {"state": "UPLOADED", "rows": None}))
    states = iter(["UPLOADED", "VALIDATED", "IN_REVIEW"])
    services.on("GET", f"{PATH}/job-1", lambda _: (200, JOB | {"state": next(states)}))
    result = dougong("catalog", "map", str(codes), "--dry-run", "--as", BUYER, "--json")
    assert result.exit_code == 0, result.output
    (sent,) = services.asked("POST", PATH)
    assert (sent.headers["content-type"], sent.query["dry_run"], sent.query["file_name"]) == (
        "text/csv",
        "true",
        "codes.csv",
    )
    assert sent.headers["idempotency-key"]
    assert sent.body == codes.read_bytes()
    assert json.loads(result.stdout)["state"] == "IN_REVIEW"


def test_rows_that_wait_for_a_person_end_with_code_4_and_a_refused_file_with_1(dougong, services, codes):
    services.on("POST", PATH, (202, JOB))
    services.on("GET", f"{PATH}/job-1", (200, JOB | {"rows": {"NEEDS_REVIEW": 3}}))
    assert dougong("catalog", "map", str(codes), "--as", BUYER).exit_code == 4
    problem = {"code": "FileTruncated", "detail": "The file ends in the middle of row 2.", "row": 2}
    services.on("GET", f"{PATH}/job-1", (200, JOB | {"state": "FAILED", "problem": problem}))
    refused = dougong("catalog", "map", str(codes), "--as", BUYER)
    assert refused.exit_code == 1
    assert "FileTruncated" in refused.output


def test_what_is_no_such_file_is_wrong_usage(dougong, tmp_path):
    assert dougong("catalog", "map", str(tmp_path / "no.csv"), "--as", BUYER).exit_code == 2
    (tmp_path / "codes.pdf").write_bytes(b"%PDF")
    assert dougong("catalog", "map", str(tmp_path / "codes.pdf"), "--as", BUYER).exit_code == 2


def test_an_import_is_approved_and_a_code_looked_up(dougong, services):
    services.on("POST", f"{PATH}/job-1/acceptances", (200, {"confirmed": 7}))
    assert "7 rows" in dougong("catalog", "accept", "job-1", "--sampled", "--as", BUYER).output
    services.on("POST", f"{PATH}/job-1/approval", (200, JOB | {"state": "APPROVED"}))
    services.on("GET", f"{PATH}/job-1", (200, JOB | {"state": "PUBLISHED", "rows_published": 2}))
    approved = dougong("catalog", "approve", "job-1", "--leave-open", "--as", BUYER)
    assert (approved.exit_code, "2 mappings published" in approved.output) == (0, True)
    assert services.asked("POST", f"{PATH}/job-1/approval")[0].json == {"leave_open": True}
    row = {
        "variant_key": "RB-HRB|x",
        "relation": "exact",
        "condition": "",
        "quantity": "1",
        "version": 1,
        "valid_from": "2026-11-25",
    }
    services.on("GET", "/catalog/mappings", (200, [row]))
    found = dougong("catalog", "code", "A-1", "--as", BUYER)
    assert "RB-HRB|x" in found.output


def test_an_import_is_shown_with_its_open_rows_and_errors(dougong, services):
    row = {
        "row_no": 3, "legacy_code": "A-2", "name": "螺纹钢", "spec": "20", "state": "UNMATCHED", "score": "0.55",
        "candidates": [{"variant_key": None, "type_code": "RB-HRB"}], "asks_for": ["grade", "length"],
    }  # fmt: skip
    drawn = row | {"row_no": 9, "legacy_code": "A-9", "state": "AUTO_ACCEPTED", "asks_for": []}
    services.on("GET", f"{PATH}/job-1", (200, JOB))
    services.on("GET", f"{PATH}/job-1/rows", lambda asked: (200, [drawn if "sampled" in asked.query else row]))
    services.on(
        "GET", f"{PATH}/job-1/errors", (200, [{"row": 4, "column": "name", "code": "Missing", "text": "empty"}])
    )
    shown = dougong("catalog", "review", "job-1", "--as", BUYER, "--json")
    assert json.loads(shown.stdout)["rows"][0]["asks_for"] == ["grade", "length"]
    assert [each["row_no"] for each in json.loads(shown.stdout)["sampled"]] == [9]
    table = dougong("catalog", "review", "job-1", "--as", BUYER).output
    assert "A-9" in table.partition("accept --sampled")[2]  # else nobody sees what `approve` waits for
    services.on("GET", PATH, (200, [JOB]))
    assert "job-1" in dougong("catalog", "mappings", "--as", BUYER).output


def test_one_row_is_decided_with_its_variants(dougong, services):
    row = {
        "row_no": 3, "legacy_code": "A-2", "name": "螺纹钢", "spec": "20", "state": "CONFIRMED", "score": "0.55",
        "candidates": [], "asks_for": [],
    }  # fmt: skip
    services.on("POST", f"{PATH}/job-1/decisions", (200, [row]))
    plain = dougong("catalog", "decide", "job-1", "3", "confirm", "--note", "seen", "--as", BUYER)
    assert (plain.exit_code, "CONFIRMED" in plain.output) == (0, True), plain.output
    cases = ("--variant", "A|x", "--condition", "Φ20", "--variant", "A|y", "--condition", "Φ25")
    dougong("catalog", "decide", "job-1", "3", "split", *cases, "--as", BUYER)
    kit = ("--variant", "A|x", "--quantity", "2", "--variant", "B|z", "--quantity", "1")
    dougong("catalog", "decide", "job-1", "4", "confirm", *kit, "--as", BUYER)
    first, second, third = (asked.json["decisions"] for asked in services.asked("POST", f"{PATH}/job-1/decisions"))
    assert first == [{"row_no": 3, "decision": "confirm", "note": "seen"}]
    assert second[0]["parts"] == [
        {"variant_key": "A|x", "condition": "Φ20"}, {"variant_key": "A|y", "condition": "Φ25"},
    ]  # fmt: skip
    assert third[0]["parts"] == [
        {"variant_key": "A|x", "relation": "kit", "quantity": "2"},
        {"variant_key": "B|z", "relation": "kit", "quantity": "1"},
    ]


@pytest.mark.parametrize(
    "wrong", [("--condition", "Φ20"), ("--variant", "A|x", "--variant", "A|y", "--condition", "Φ20")]
)
def test_conditions_without_their_variants_are_wrong_usage(dougong, services, wrong: tuple[str, ...]):
    assert dougong("catalog", "decide", "job-1", "3", "split", *wrong, "--as", BUYER).exit_code == 2
    assert not services.asked("POST", f"{PATH}/job-1/decisions")


@pytest.mark.parametrize(
    ("command", "step", "state"),
    [
        ("roll-back", "rollback", "ROLLED_BACK"),
        ("cancel", "cancellation", "CANCELLED"),
        ("send-on", "review", "IN_REVIEW"),
    ],
)
def test_an_import_is_taken_a_step_on_or_back(dougong, services, command: str, step: str, state: str):
    services.on("POST", f"{PATH}/job-1/{step}", (200, JOB | {"state": state}))
    done = dougong("catalog", command, "job-1", "--as", BUYER, "--json")
    assert json.loads(done.stdout)["state"] == state, done.output
