"""`dougong suppliers sync`: each supplier's rows with its own key, every rejected row named by its line."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.infra.conftest import SUPPLIER_ID, TAX_ID

OTHER = "91110113MA1HNTC0AW"
COUNTS = {"accepted": 2, "unchanged": 0, "rejected": 0, "warned": 0, "zeroed": 0}
JOB: dict[str, Any] = {
    "id": "job-1",
    "state": "COMPLETED",
    "outcome": "unnumbered",
    "gap": None,
    "snapshot_needed": False,
    "counts": COUNTS,
    "progress": {"phase": "done", "bytes_done": 10, "bytes_total": 10, "rows_done": 2},
    "problem": None,
    "problems": [],
}
SYNC = f"/suppliers/{SUPPLIER_ID}/sync"


@pytest.fixture
def price_file(tmp_path: Path) -> Path:
    file = tmp_path / "prices.csv"
    file.write_text(f"supplier_uscc,item_no,price\n{TAX_ID},A-1,3.50\n{TAX_ID},A-2,4.00\n", encoding="utf-8")
    return file


def test_rows_go_to_their_supplier_with_its_own_key_and_without_the_column(dougong, services, price_file):
    services.on("POST", SYNC, (200, JOB))
    result = dougong("suppliers", "sync", str(price_file), "--mode", "full", "--sequence", "7")
    assert result.exit_code == 0, result.output
    (sent,) = services.asked("POST", SYNC)
    assert sent.headers["authorization"] == "Bearer client-token"
    assert sent.headers["content-type"] == "text/csv; charset=utf-8"
    assert sent.body.decode() == "item_no,price\nA-1,3.50\nA-2,4.00\n"
    assert (sent.query["mode"], sent.query["sequence"]) == ("full", "7")


def test_a_long_job_is_waited_for(dougong, services, price_file):
    services.on("POST", SYNC, (202, JOB | {"state": "RUNNING"}))
    services.on("GET", f"/suppliers/{SUPPLIER_ID}/syncs/job-1", (200, JOB))
    result = dougong("suppliers", "sync", str(price_file), "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["totals"] == {"accepted": 2, "unchanged": 0, "rejected": 0, "zeroed": 0}


def test_a_rejected_row_is_named_by_its_line_in_the_file_that_was_given(dougong, services, tmp_path, data_dir):
    known = json.loads((data_dir / "credentials.json").read_text())
    other_id = SUPPLIER_ID[:-1] + "2"
    known["suppliers"][OTHER] = known["suppliers"][TAX_ID] | {"tax_id": OTHER, "company_id": other_id}
    (data_dir / "credentials.json").write_text(json.dumps(known))
    file = tmp_path / "mixed.csv"
    file.write_text(f"item_no,supplier_uscc,price\nA-1,{TAX_ID},1\nB-1,{OTHER},-2\nA-2,{TAX_ID},x\n", encoding="utf-8")
    row = {"row": 3, "severity": "rejected", "item_no": "A-2", "field": "price", "code": "NotANumber", "message": "no"}
    services.on("POST", SYNC, (200, JOB | {"counts": COUNTS | {"accepted": 1, "rejected": 1}, "problems": [row]}))
    services.on("POST", f"/suppliers/{other_id}/sync", (200, JOB | {"counts": COUNTS | {"accepted": 1}}))
    result = dougong("suppliers", "sync", str(file), "--json")
    assert result.exit_code == 4
    report = json.loads(result.stdout)
    assert report["suppliers"][0]["problems"][0]["line"] == 4
    assert report["totals"]["rejected"] == 1


def test_a_file_that_is_refused_as_a_whole_is_exit_code_one(dougong, services, price_file):
    problem = {"code": "UnknownColumn", "detail": "Column 2 is named 'prise'."}
    services.on("POST", SYNC, (422, problem | {"sync": JOB | {"state": "FAILED", "problem": problem}}))
    result = dougong("suppliers", "sync", str(price_file))
    assert result.exit_code == 1
    assert "Column 2 is named 'prise'." in result.stderr


def test_a_late_sequence_number_is_told(dougong, services, price_file):
    services.on("POST", SYNC, (200, JOB | {"state": "SKIPPED", "outcome": "late"}))
    result = dougong("suppliers", "sync", str(price_file), "--sequence", "3")
    assert result.exit_code == 0
    assert "late; nothing was changed" in result.stderr


def test_a_supplier_without_a_key_here_is_refused_before_anything_is_sent(dougong, services, tmp_path):
    file = tmp_path / "prices.csv"
    file.write_text(f"supplier_uscc,item_no,price\n{TAX_ID},A-1,1\n{OTHER},B-1,1\n", encoding="utf-8")
    result = dougong("suppliers", "sync", str(file))
    assert result.exit_code == 2
    assert f"no API key of {OTHER}" in result.stderr
    assert not services.asked("POST", SYNC)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("prices.pdf", b"%PDF", "files are taken"),
        ("prices.csv", b'supplier_uscc,item_no\n"911,A\n', "malformed CSV"),
        ("prices.csv", b"supplier_uscc,item_no\n,A\n", "names no supplier"),
        ("prices.csv", b"supplier_uscc,item_no\n../x,A\n", "names no supplier"),
    ],
)
def test_a_file_that_cannot_be_sent_says_why(dougong, tmp_path, name, content, said):
    file = tmp_path / name
    file.write_bytes(content)
    result = dougong("suppliers", "sync", str(file))
    assert result.exit_code == 2
    assert said in result.stderr


def test_chinese_national_encoding_is_read(dougong, services, tmp_path):
    file = tmp_path / "prices.csv"
    file.write_bytes(f"supplier_uscc,货号,品牌\n{TAX_ID},A-1,北河\n".encode("gb18030"))
    services.on("POST", SYNC, (200, JOB))
    assert dougong("suppliers", "sync", str(file)).exit_code == 0
    assert services.asked("POST", SYNC)[0].body.decode() == "货号,品牌\nA-1,北河\n"


def test_a_file_without_the_column_needs_a_supplier_and_is_sent_as_it_is(dougong, services, tmp_path):
    file = tmp_path / "prices.ndjson"
    file.write_text('{"item_no":"A-1","price":"3.50"}\n')
    services.on("POST", SYNC, (200, JOB))
    assert dougong("suppliers", "sync", str(file), "--supplier", TAX_ID).exit_code == 0
    (sent,) = services.asked("POST", SYNC)
    assert sent.headers["content-type"] == "application/x-ndjson"
    assert sent.body == file.read_bytes()
