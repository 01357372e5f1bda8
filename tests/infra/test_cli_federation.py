"""`dougong circles`, `stages`, `admissions` and `consents`, through HTTP."""

import json
from typing import Any

import pytest

from tests.infra.conftest import BUYER, SUPPLIER_ID, TAX_ID, FakeServices

GROUP = "0190f0f0-0000-7000-8000-0000000000aa"
CIRCLE = "0190f0f0-0000-7000-8000-0000000000cc"
CHANGE: dict[str, Any] = {
    "id": "c1",
    "category": "finishes_misc",
    "from_stage": "S1",
    "to_stage": "S2",
    "status": "DRAFT",
    "gates": None,
    "tenant_approved_at": None,
    "operator_approved_at": None,
    "effective_from": None,
    "end_reason": None,
}
GATES = [{"gate": "mapped_spend", "passed": False, "required": ">= 0.8", "measured": None}]
STAGES = f"/members/companies/{GROUP}/stages"
ADMISSION = {
    "id": "a1", "supplier_id": SUPPLIER_ID, "group_id": GROUP, "category": "rebar", "status": "ADMITTED", "grade": "A",
    "until": None,
}  # fmt: skip


@pytest.fixture
def known(services: FakeServices) -> FakeServices:
    services.on("GET", "/members/me", (200, {"name": "李梅", "company": {"id": GROUP, "name": "A", "roles": []}}))
    identities = [{"id": SUPPLIER_ID, "name": "钢铁贸易"}, {"id": GROUP, "name": "京垣建设"}]
    services.on("GET", "/members/companies/identities", (200, identities))
    services.on("GET", f"{STAGES}/finishes_misc/changes", (200, [{**CHANGE, "status": "REVERTED"}, CHANGE]))
    return services


def test_a_circle_is_founded_and_a_group_invited_by_tax_id(dougong, known: FakeServices):
    circle = {"id": CIRCLE, "name": "圈", "status": "ACTIVE"}
    known.on("POST", f"/members/companies/{GROUP}/circles", (201, circle))
    standing = {"status": "INVITED", "agreed_ids": [GROUP]}
    known.on("POST", f"/members/companies/{GROUP}/circles/{CIRCLE}/invitations", (201, standing))
    created = dougong("circles", "create", "圈", "--as", BUYER)
    assert created.exit_code == 0, created.output
    joined = dougong("circles", "join", CIRCLE, TAX_ID, "--as", BUYER)
    assert joined.exit_code == 0, joined.output
    (sent,) = known.asked("POST", f"/members/companies/{GROUP}/circles/{CIRCLE}/invitations")
    assert sent.json == {"group_id": SUPPLIER_ID}
    assert sent.headers["idempotency-key"]


def test_gates_that_fail_end_with_their_own_code(dougong, known: FakeServices):
    known.on("POST", f"{STAGES}/finishes_misc/changes/c1/gates", (200, {**CHANGE, "gates": GATES}))
    checked = dougong("stages", "check", "finishes_misc", "--as", BUYER)
    assert checked.exit_code == 4, checked.output
    assert "not measured" in checked.output
    good = [{**GATES[0], "passed": True, "measured": "0.97"}]
    known.on("POST", f"{STAGES}/finishes_misc/changes/c1/gates", (200, {**CHANGE, "gates": good}))
    assert dougong("stages", "check", "finishes_misc", "--as", BUYER).exit_code == 0


def test_an_operator_approves_for_the_group_it_names(dougong, known: FakeServices):
    known.on("POST", f"{STAGES}/finishes_misc/changes/c1/approvals/.*", (200, CHANGE))
    assert dougong("stages", "approve", "finishes_misc", "--as", BUYER).exit_code == 0
    assert dougong("stages", "approve", "finishes_misc", "--group", GROUP, "--as", BUYER).exit_code == 0
    sides = [request.path.rpartition("/")[2] for request in known.asked("POST", ".*/approvals/.*")]
    assert sides == ["tenant", "operator"]


def test_where_no_change_is_under_way_there_is_nothing_to_announce(dougong, known: FakeServices):
    known.on("GET", f"{STAGES}/finishes_misc/changes", (200, [{**CHANGE, "status": "EFFECTIVE"}]))
    assert dougong("stages", "announce", "finishes_misc", "--as", BUYER).exit_code == 2
    known.on("POST", f"{STAGES}/finishes_misc/changes/c1/reversal", (200, {**CHANGE, "status": "REVERTED"}))
    assert dougong("stages", "revert", "finishes_misc", "--reason", "市场反馈不佳", "--as", BUYER).exit_code == 0
    assert dougong("stages", "announce", "finishes_misc", "--from", "soon", "--as", BUYER).exit_code == 2


def test_evidence_is_put_on_record_by_the_operator(dougong, known: FakeServices):
    known.on("POST", "/members/gate-evidence", (201, {"kind": "export_drill", "state": "passed", "on": "2026-10-01"}))
    words = ("stages", "evidence", "export_drill", "passed", "--reference", "run 7", "--on", "2026-10-01")
    assert dougong(*words).exit_code == 0
    (sent,) = known.asked("POST", "/members/gate-evidence")
    assert (sent.json["state"], sent.json["group_id"], sent.json["on"]) == ("passed", None, "2026-10-01")


def test_the_report_says_what_opens_to_whom(dougong, known: FakeServices):
    reach = {"offers_opened": 7, "suppliers_opened": 2, "offers_closed": 0, "suppliers_closed": 0}
    told = {
        "category": "finishes_misc",
        "from_stage": "S1",
        "to_stage": "S2",
        "lines": [{"kind": "listing", "before": "the group itself", "after": "the groups of the circle"}],
        "live": {"suppliers": 2, "offers": 7, "viewers": [{"viewer": "蜀筑工程", **reach}]},
    }
    known.on("GET", f"{STAGES}/finishes_misc/changes/c1/report", (200, told))
    shown = dougong("stages", "report", "finishes_misc", "--as", BUYER)
    assert shown.exit_code == 0, shown.output
    assert "蜀筑工程" in shown.output


def test_a_supplier_is_admitted_with_its_evidence(dougong, known: FakeServices):
    known.on("POST", f"/suppliers/{SUPPLIER_ID}/admissions", (201, [ADMISSION]))
    words = ("admissions", "grant", TAX_ID, "--category", "rebar", "--reason", "Passed.", "--as", BUYER)
    evidence = ("--evidence", "site_visit:2026-10-01:R 7")
    granted = dougong(*words, *evidence, "--grade", "A")
    assert granted.exit_code == 0, granted.output
    (sent,) = known.asked("POST", f"/suppliers/{SUPPLIER_ID}/admissions")
    assert sent.json["evidence"] == [{"kind": "site_visit", "on": "2026-10-01", "reference": "R 7"}]
    assert (sent.json["group_id"], sent.json["grade"], sent.json["relies_on"]) == (None, "A", None)
    for wrong in (("--evidence", "site_visit"), ("--until", "soon"), ("--relies-on", "a9")):
        assert dougong(*words, *wrong).exit_code == 2


def test_an_admission_is_suspended_in_the_version_that_was_read(dougong, known: FakeServices):
    known.on("GET", "/suppliers/admissions/a1", (200, ADMISSION, {"ETag": '"4"'}))
    known.on("POST", "/suppliers/admissions/a1/suspension", (200, {**ADMISSION, "status": "SUSPENDED"}))
    done = dougong("admissions", "suspend", "a1", "--reason", "Late twice.", "--as", BUYER)
    assert done.exit_code == 0, done.output
    (sent,) = known.asked("POST", "/suppliers/admissions/a1/suspension")
    assert sent.headers["if-match"] == '"4"'


def test_a_consent_says_to_whom(dougong, known: FakeServices):
    made = {"id": "k1", "until": "2027-06-30"}
    known.on("POST", "/suppliers/consents", (201, made))
    words = ("consents", "record", "--what", "profile", "--until", "2027-06-30", "--as", BUYER)
    assert dougong(*words).exit_code == 2
    assert dougong(*words, "--group", GROUP, "--members").exit_code == 2
    assert dougong(*words, "--group", GROUP).exit_code == 0
    assert dougong(*words, "--members").exit_code == 0
    audiences = [request.json["audience"] for request in known.asked("POST", "/suppliers/consents")]
    assert audiences == ["ORG", "MEMBERS"]


def test_lists_show_names_and_the_ids_that_commands_take(dougong, known: FakeServices):
    known.on("GET", "/suppliers/admissions", (200, [ADMISSION]))
    consents = [
        {"id": "k1", "what": ["profile"], "audience": "ORG", "to_id": GROUP, "until": "2027-06-30", "revoked_at": None},
        {"id": "k2", "what": ["profile"], "audience": "MEMBERS", "to_id": None, "until": "2027-06-30",
         "revoked_at": "2026-10-01T01:00:00Z"},
    ]  # fmt: skip
    known.on("GET", "/suppliers/consents", (200, consents))
    circles = [{"id": CIRCLE, "name": "联合采购圈", "status": "ACTIVE", "lead_id": GROUP}]
    known.on("GET", f"/members/companies/{GROUP}/circles", (200, circles))
    known.on("GET", f"/members/companies/{GROUP}/circles/{CIRCLE}", (200, circles[0]))
    stage = {"category": "rebar", "stage": "S2", "circle_id": CIRCLE, "since": "2026-10-01T01:00:00Z"}
    known.on("GET", STAGES, (200, [{**stage, "fallen_gates": ["mapped_spend"]}]))
    for words, shown in (
        (("admissions", "list"), ("钢铁贸易", "京垣建设", "a1")),
        (("consents", "list"), ("京垣建设", "every member", "k1", "2026-10-01 09:00")),
        (("circles", "list"), ("联合采购圈", "京垣建设", CIRCLE)),
        (("stages", "list"), ("联合采购圈", "mapped_spend")),
    ):
        listed = dougong(*words, "--as", BUYER)
        assert listed.exit_code == 0, listed.output
        assert not [text for text in shown if text not in listed.output], listed.output
        assert SUPPLIER_ID not in listed.output
    asked = known.asked("GET", "/members/companies/identities")
    assert len(asked) == 3, "the names of a table are asked for at once"


def test_a_narrow_terminal_folds_names_and_never_an_id(dougong, known: FakeServices, monkeypatch: pytest.MonkeyPatch):
    ids = [f"0190f0f0-0000-7000-8000-00000000{number:04d}" for number in range(3)]
    known.on("GET", "/suppliers/admissions", (200, [{**ADMISSION, "id": each} for each in ids]))
    monkeypatch.setenv("COLUMNS", "60")
    listed = dougong("admissions", "list", "--as", BUYER)
    assert listed.exit_code == 0, listed.output
    assert [each for each in ids if each in listed.output] == ids, listed.output


def test_json_keeps_ids_beside_which_no_name_is_asked_for_twice(dougong, known: FakeServices):
    known.on("GET", "/suppliers/admissions", (200, [ADMISSION, ADMISSION]))
    listed = dougong("admissions", "list", "--as", BUYER, "--json")
    assert [each["supplier_id"] for each in json.loads(listed.stdout)] == [SUPPLIER_ID] * 2
