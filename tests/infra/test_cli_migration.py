"""`dougong migrate-platform`: who does what in which order, and what the report says."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.infra.conftest import BUYER

SUPPLIERS, BLACKLIST, CODES = "/suppliers/supplier-imports", "/suppliers/blacklist-imports", "/catalog/mapping-jobs"
OPERATOR = "operator@dougong.example"
JOB: dict[str, Any] = {
    "id": "i1",
    "state": "MATCHED",
    "rows_read": 5,
    "rows_rejected": 1,
    "rows_published": 0,
    "rows": {"READY": {"NEW": 2, "MERGED": 1}, "WAITING": {"CANDIDATE": 1}},
    "remarks": {"UsccCheckDigit": 1},
    "problem": None,
    "repeated": False,
}
GROUP = "0190f0f0-0000-7000-8000-00000000000a"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "export"
    made.mkdir()
    (made / "suppliers.csv").write_text("name,uscc\nA,1\n", encoding="utf-8")
    return made


class Service:
    """An import that moves as it is told to."""

    def __init__(self, services: Any, address: str, **changes: Any) -> None:
        self.job = JOB | changes
        services.on("POST", address, lambda _: (202, self.job))
        services.on("GET", f"{address}/i1", lambda _: (200, self.job))
        services.on("POST", f"{address}/i1/review", self._to("IN_REVIEW"))
        services.on("POST", f"{address}/i1/approval", self._to("PUBLISHED", rows_published=3))
        services.on("GET", f"{address}/i1/errors.csv", (200, "row,column,code,severity,text\n2,uscc,X,rejected,no"))

    def _to(self, state: str, **changes: Any) -> Any:
        def move(_: Any) -> tuple[int, Any]:
            self.job = self.job | {"state": state} | changes
            return 200, self.job

        return move


@pytest.fixture
def members(services: Any) -> None:
    services.on("GET", "/members/me", (200, {"company": {"id": GROUP, "name": "京垣建设", "roles": []}}))
    services.on("GET", f"/members/companies/{GROUP}", (200, {"group_id": GROUP}))
    services.on("GET", "/suppliers/relations/summary", (200, {"suppliers": 3, "sound_share": "0.6667"}))
    spend = [{"category": "rebar", "mapped": "80.00", "total": "90.00"}, {"category": None, "total": "10.00"}]
    services.on("GET", "/orders/price-history/spend", (200, spend))


def test_a_file_goes_dry_then_for_real_and_the_report_says_what_became_of_it(dougong, services, members, folder):
    Service(services, SUPPLIERS)
    result = dougong("migrate-platform", str(folder), "--as", BUYER, "--second", OPERATOR, "--json")
    assert result.exit_code == 4, result.output
    asked = [(each.method, each.path.removeprefix(SUPPLIERS)) for each in services.heard if SUPPLIERS in each.path]
    assert asked == [
        ("POST", ""),
        ("GET", "/i1"),
        ("POST", "/i1/review"),
        ("GET", "/i1"),
        ("POST", "/i1/approval"),
        ("GET", "/i1"),
        ("GET", "/i1/errors.csv"),
    ]
    (sent,) = services.asked("POST", SUPPLIERS)
    assert (sent.query["dry_run"], sent.body) == ("true", (folder / "suppliers.csv").read_bytes())
    report = json.loads(result.stdout)
    (file,) = report["files"]
    assert file["figures"] == {"read": 5, "mapped": 2, "merged": 1, "staged": 0, "refused": 1, "waiting": 1}
    assert (file["state"], file["published"], file["reasons"]) == ("PUBLISHED", 3, {"UsccCheckDigit": 1})
    assert Path(file["errors"]).read_text(encoding="utf-8").endswith("2,uscc,X,rejected,no\n")
    gates = {gate["gate"]: gate["measured"] for gate in report["gates"][0]["gates"]}
    assert (gates["mapped_spend"], gates["valid_suppliers"], gates["export_drill"]) == ("0.8000", "0.6667", None)
    written = (folder / "report" / "report.md").read_text(encoding="utf-8")
    assert "| export_drill | once | not measured | not checked |" in written


def test_without_a_second_person_nothing_is_approved(dougong, services, members, folder):
    Service(services, SUPPLIERS)
    result = dougong("migrate-platform", str(folder), "--as", BUYER)
    assert (result.exit_code, "second person" in result.output) == (4, True)
    assert services.asked("POST", f"{SUPPLIERS}/i1/approval") == []
    same = dougong("migrate-platform", str(folder), "--as", BUYER, "--second", BUYER)
    assert (same.exit_code, "somebody else" in same.output) == (2, True)


def test_a_dry_run_goes_no_further(dougong, services, members, folder):
    Service(services, SUPPLIERS)
    result = dougong("migrate-platform", str(folder), "--as", BUYER, "--second", OPERATOR, "--dry-run")
    assert (result.exit_code, "MATCHED" in result.output) == (4, True)
    assert services.asked("POST", f"{SUPPLIERS}/i1/review") == []


def test_what_is_published_already_is_left_alone(dougong, services, members, folder):
    rows = {"READY": {"NEW": 5}}
    Service(services, SUPPLIERS, state="PUBLISHED", repeated=True, rows=rows, rows_rejected=0, rows_published=5)
    result = dougong("migrate-platform", str(folder), "--as", BUYER, "--second", OPERATOR, "--json")
    assert result.exit_code == 0, result.output
    assert [each.path for each in services.heard if each.method == "POST" and "imports" in each.path] == [SUPPLIERS]


def test_rows_drawn_for_a_look_are_confirmed_only_when_the_second_person_says_so(dougong, services, members, tmp_path):
    folder = tmp_path / "codes"
    folder.mkdir()
    (folder / "materials.csv").write_text("物料编码,名称\nA,钢筋\n", encoding="utf-8")
    rows = {"AUTO_ACCEPTED": 4, "UNMATCHED": 1, "sample_open": 2}
    service = Service(services, CODES, rows=rows, remarks=None)
    services.on("POST", f"{CODES}/i1/acceptances", (200, {"confirmed": 2}))
    waiting = dougong("migrate-platform", str(folder), "--as", BUYER, "--second", OPERATOR)
    assert "2 rows drawn" in waiting.output
    assert (services.asked("POST", f"{CODES}/i1/acceptances"), service.job["state"]) == ([], "IN_REVIEW")
    done = dougong("migrate-platform", str(folder), "--as", BUYER, "--second", OPERATOR, "--accept-sample", "--json")
    assert (service.job["state"], json.loads(done.stdout)["files"][0]["reasons"]) == ("PUBLISHED", {"X": 1})
    (confirmed,) = services.asked("POST", f"{CODES}/i1/acceptances")
    assert confirmed.json["sampled"] is True


def test_a_refusal_to_approve_is_told_and_the_other_files_go_on(dougong, services, members, folder):
    Service(services, SUPPLIERS)
    Service(services, BLACKLIST)
    (folder / "blacklist.csv").write_text("uscc\n1\n", encoding="utf-8")
    services.on("POST", f"{SUPPLIERS}/i1/approval", (403, {"code": "OwnImport", "detail": "You uploaded this file."}))
    result = dougong("migrate-platform", str(folder), "--as", BUYER, "--second", OPERATOR, "--json")
    files = json.loads(result.stdout)["files"]
    assert [(each["kind"], each["state"]) for each in files] == [("suppliers", "IN_REVIEW"), ("blacklist", "PUBLISHED")]
    assert files[0]["stopped"] == "OwnImport: You uploaded this file."


def test_a_service_that_is_busy_is_sent_the_file_again(dougong, services, members, folder):
    service = Service(services, SUPPLIERS)
    busy = iter([(503, {"code": "DatabaseBusy", "detail": "Try again."})])
    services.on("POST", SUPPLIERS, lambda _: next(busy, (202, service.job)))
    result = dougong("migrate-platform", str(folder), "--as", BUYER, "--second", OPERATOR)
    assert ("PUBLISHED" in result.output, len(services.asked("POST", SUPPLIERS))) == (True, 2), result.output


def test_a_file_that_cannot_be_taken_ends_with_code_1(dougong, services, members, folder):
    problem = {"code": "OtherTenantNamed", "detail": "Row 3 names another.", "row": 3}
    Service(services, SUPPLIERS, state="FAILED", problem=problem, rows={})
    result = dougong("migrate-platform", str(folder), "--as", BUYER, "--second", OPERATOR)
    assert (result.exit_code, "OtherTenantNamed" in result.output) == (1, True)


def test_the_gates_are_those_that_members_checked_where_a_stage_change_is_drafted(dougong, services, members, folder):
    Service(services, SUPPLIERS)
    changes = f"/members/companies/{GROUP}/stages/rebar/changes"
    change = {"id": "c1", "status": "DRAFT", "version": 1, "gates": None}
    gates = [
        {"gate": "mapped_spend", "required": ">= 0.8", "measured": "0.9630", "passed": True},
        {"gate": "export_drill", "required": "once", "measured": None, "passed": False},
    ]
    services.on("GET", changes, (200, [change]))
    services.on("POST", f"{changes}/c1/gates", (200, change | {"status": "GATES_CHECKED", "gates": gates}))
    result = dougong(
        "migrate-platform", str(folder), "--as", BUYER, "--second", OPERATOR, "--admin", OPERATOR, "--json"
    )
    (category,) = json.loads(result.stdout)["gates"]
    assert (category["source"], category["gates"]) == ("members", gates)
    shown = (folder / "report" / "report.md").read_text(encoding="utf-8")
    assert "| export_drill | once | not measured | no |" in shown


def test_a_folder_without_any_of_the_files_is_wrong_usage(dougong, tmp_path):
    assert dougong("migrate-platform", str(tmp_path), "--as", BUYER).exit_code == 2


def test_agreements_are_not_sent_before_the_suppliers_they_name_are_published(dougong, services, members, folder):
    service = Service(services, SUPPLIERS)
    (folder / "agreements.csv").write_text("合同编号\nA-1\n", encoding="utf-8")
    services.on("POST", f"{SUPPLIERS}/i1/approval", (403, {"code": "OwnImport", "detail": "You uploaded this file."}))
    result = dougong("migrate-platform", str(folder), "--as", BUYER, "--second", OPERATOR)
    assert (result.exit_code, service.job["state"]) == (4, "IN_REVIEW")
    assert "not sent yet: it needs what suppliers.csv will publish" in result.output
    assert [each.path for each in services.heard if each.method == "POST" and "agreement" in each.path] == []
