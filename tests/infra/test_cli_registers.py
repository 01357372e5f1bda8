"""`dougong catalog …`: the registers from the command line."""

import json
from pathlib import Path
from typing import Any

from tests.infra.conftest import FakeServices

EDITION = {
    "designation": "GB/T 1499.2-2018",
    "title": "热轧带肋钢筋",
    "status": "withdrawn",
    "effective_on": "2018-11-01",
    "withdrawn_on": "2024-09-25",
    "replaced_by": "GB 1499.2-2024",
}
REPORT = {"dry_run": False, "created": 1, "changed": 0, "unchanged": 2, "rejected": 0, "problems": []}


def test_editions_are_listed_for_anybody(dougong, services: FakeServices):
    services.on("GET", "/catalog/standards", (200, [EDITION]))
    result = dougong("catalog", "standards", "list", "1499.2", "--status", "withdrawn", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)[0]["replaced_by"] == "GB 1499.2-2024"
    (asked,) = services.asked("GET", "/catalog/standards")
    assert (asked.query["q"], asked.query["status"]) == ("1499.2", "withdrawn")
    assert "authorization" not in asked.headers


def test_an_edition_is_withdrawn_in_the_version_that_was_read(dougong, services: FakeServices):
    services.on("GET", "/catalog/standards/.*", (200, EDITION, {"ETag": '"3"'}))
    services.on("POST", "/catalog/standards/withdrawals", (200, EDITION))
    arguments = ("--on", "2024-09-25", "--source", "SAMR 2024 no. 9", "--replaced-by", "GB 1499.2-2024")
    result = dougong("catalog", "standards", "withdraw", "GB/T 1499.2-2018", *arguments)
    assert result.exit_code == 0, result.output
    (sent,) = services.asked("POST", "/catalog/standards/withdrawals")
    assert sent.headers["if-match"] == '"3"'
    assert sent.headers["idempotency-key"]
    assert json.loads(sent.body)["withdrawn_on"] == "2024-09-25"
    assert dougong("catalog", "standards", "withdraw", "X", "--on", "soon", "--source", "x").exit_code == 2


def test_a_file_with_bad_rows_is_done_in_part(dougong, services: FakeServices, tmp_path: Path):
    file = tmp_path / "standards.csv"
    file.write_text("标准号,标准名称,来源\nGB/T 1-2020,一,x\n", encoding="utf-8")
    problem = {"row": 3, "field": "title", "code": "Required", "message": "its title must be said"}
    services.on("POST", "/catalog/standards/imports", (200, REPORT | {"rejected": 1, "problems": [problem]}))
    result = dougong("catalog", "standards", "import", str(file), "--dry-run")
    assert result.exit_code == 4
    assert "its title must be said" in result.stdout
    (sent,) = services.asked("POST", "/catalog/standards/imports")
    assert (sent.query["dry_run"], sent.body) == ("true", file.read_bytes())
    assert dougong("catalog", "standards", "import", str(tmp_path / "none.csv")).exit_code == 2


def test_restrictions_are_imported_and_asked_for_a_place(dougong, services: FakeServices, tmp_path: Path):
    file = tmp_path / "banned.csv"
    file.write_text("限制类型,构件类型\n", encoding="utf-8")
    services.on("POST", "/catalog/restrictions/imports", (200, REPORT))
    assert dougong("catalog", "restrictions", "import", str(file)).exit_code == 0
    entry: dict[str, Any] = {
        "kind": "banned",
        "type_code": "RB-HRB",
        "properties": {"grade": "HRB400"},
        "regions": [],
        "from_on": "2026-07-01",
        "until_on": None,
        "source": "公告",
        "text": "禁止使用",
    }
    services.on("GET", "/catalog/restrictions/in-force", (200, [entry]))
    result = dougong("catalog", "restrictions", "list", "--region", "110105")
    assert result.exit_code == 0, result.output
    assert "the whole country" in result.stdout
