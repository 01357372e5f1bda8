"""`dougong audit`: heads, files, and verification that needs no service."""

import json
from pathlib import Path

import pytest

from infra.postgres import SERVICES
from shared.audit.files import EMPTY, Head, closing_line, entry_line, head_line, link

OWNER = "0190f0f0-0000-7000-8000-000000000001"


@pytest.fixture
def whole(tmp_path: Path) -> tuple[Path, list[Head]]:
    """A file of three entries, and the head after each."""
    heads, lines = [EMPTY], [head_line(service="orders", owner_id=OWNER, before=EMPTY)]
    for number in (1, 2, 3):
        entry = {"act": f"POST /orders/{number}"}
        digest = link(bytes.fromhex(heads[-1].hash), entry, service="orders", owner_id=OWNER, number=number)
        lines.append(entry_line(entry, service="orders", owner_id=OWNER, number=number, digest=digest))
        heads.append(Head(number=number, hash=digest.hex()))
    file = tmp_path / "audit-orders.ndjson"
    file.write_bytes(b"".join([*lines, closing_line(heads[-1])]))
    return file, heads


def test_a_whole_file_verifies_without_any_service(dougong, services, whole):
    file, heads = whole
    result = dougong("audit", "verify", str(file), "--head", str(heads[3]), "--json")
    assert result.exit_code == 0, result.stderr
    verdict = json.loads(result.stdout)[0]
    assert (verdict["intact"], verdict["entries"], verdict["head"]) == (True, 3, str(heads[3]))
    assert services.heard == []


def test_the_first_broken_entry_is_named(dougong, whole):
    file, _ = whole
    file.write_bytes(file.read_bytes().replace(b"/orders/2", b"/orders/9"))
    result = dougong("audit", "verify", str(file))
    assert result.exit_code == 1
    assert "entry 2 is changed" in result.stderr


def test_a_file_cut_off_shows_by_the_head_noted_elsewhere(dougong, whole):
    file, heads = whole
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:3], closing_line(heads[2])]))
    assert dougong("audit", "verify", str(file)).exit_code == 0
    result = dougong("audit", "verify", str(file), "--head", str(heads[3]))
    assert result.exit_code == 1
    assert "entry 3 is truncated" in result.stderr


def test_a_head_that_is_none_is_wrong_usage(dougong, whole):
    file, _ = whole
    assert dougong("audit", "verify", str(file), "--head", "3:xyz").exit_code == 2
    assert dougong("audit", "verify", str(file), str(file), "--head", "3:" + "0" * 64).exit_code == 2
    assert dougong("audit", "verify", str(file.with_name("none.ndjson"))).exit_code == 2


def test_heads_of_all_services_are_printed_to_be_noted(dougong, services):
    for service in SERVICES:
        head = {"service": service, "owner_id": OWNER, "number": 3, "hash": "ab" * 32, "at": "2026-11-22T08:00:00Z"}
        services.on("GET", f"/{service}/audit/head", (200, head))
    result = dougong("audit", "head", "--as", "buyer@gc-a.example", "--json")
    assert result.exit_code == 0, result.stderr
    assert [each["head"] for each in json.loads(result.stdout)] == ["3:" + "ab" * 32] * 4


def test_an_export_that_is_refused_leaves_no_file(dougong, services, tmp_path):
    problem = {"code": "RightMissing", "detail": "This needs one of: admin.", "status": 403}
    services.on("GET", "/orders/audit/export", (403, problem))
    folder = tmp_path / "files"
    result = dougong("audit", "export", str(folder), "--service", "orders", "--as", "buyer@gc-a.example")
    assert result.exit_code == 1
    assert "RightMissing" in result.stderr
    assert list(folder.iterdir()) == []
