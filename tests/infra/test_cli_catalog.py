"""`dougong catalog import-…`: a file goes to the catalog as it is, and what became of it is told."""

import json
from pathlib import Path
from typing import Any

import pytest

CODES = "/catalog/codes/imports"
DICTIONARIES = "/catalog/dictionaries/imports"
UPLOAD: dict[str, Any] = {
    "id": "upload-1",
    "kind": "CODES",
    "dry_run": False,
    "repeated": False,
    "subject": None,
    "counts": {"rows": 2, "added": 2, "changed": 0, "unchanged": 0},
    "rejected": 0,
    "warned": 0,
    "at": "2026-11-22T04:00:00Z",
    "problems": [],
}
PROBLEM = {"severity": "rejected", "row": "3", "field": "code", "code": "CodeMalformed", "message": "no code of ETIM"}


@pytest.fixture
def codes(tmp_path: Path) -> Path:
    file = tmp_path / "codes.csv"
    file.write_text("system,code,type_code\nETIM,EC000001,PC-SLAB\n", encoding="utf-8")
    return file


def test_a_file_of_codes_goes_up_as_it_is_and_the_counts_come_back(dougong, services, codes):
    services.on("POST", CODES, (200, UPLOAD))
    result = dougong("catalog", "import-codes", str(codes), "--dry-run", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["counts"]["added"] == 2
    (sent,) = services.asked("POST", CODES)
    assert sent.body == codes.read_bytes()
    assert sent.query == {"dry_run": "true", "file_name": "codes.csv"}
    assert sent.headers["content-type"] == "text/csv"


def test_rejected_rows_are_told_by_line_and_exit_code_four(dougong, services, codes):
    services.on("POST", CODES, (200, UPLOAD | {"rejected": 1, "problems": [PROBLEM]}))
    result = dougong("catalog", "import-codes", str(codes))
    assert result.exit_code == 4
    assert "no code of ETIM" in result.stdout
    assert "problems.csv" in result.stdout


def test_a_dictionary_goes_up_and_a_repeated_one_is_told(dougong, services, tmp_path):
    file = tmp_path / "parts.json"
    file.write_text('{"Classes": []}', encoding="utf-8")
    services.on("POST", DICTIONARIES, (200, UPLOAD | {"kind": "DICTIONARY", "repeated": True, "subject": "d-1"}))
    result = dougong("catalog", "import-dictionary", str(file))
    assert result.exit_code == 0, result.output
    assert "taken before" in result.stderr
    assert "d-1" in result.stdout
    assert services.asked("POST", DICTIONARIES)[0].headers["content-type"] == "application/json"


def test_what_the_service_refuses_is_exit_code_one_and_no_file_exit_code_two(dougong, services, codes, tmp_path):
    problem = {"code": "CodeFileRefused", "detail": "The first line names the columns …"}
    services.on("POST", CODES, (422, problem))
    result = dougong("catalog", "import-codes", str(codes))
    assert result.exit_code == 1
    assert "CodeFileRefused" in result.stderr
    assert dougong("catalog", "import-dictionary", str(tmp_path / "none.json")).exit_code == 2
