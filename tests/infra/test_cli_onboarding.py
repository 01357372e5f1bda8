"""`dougong suppliers invite … approve`: thin over the routes; each sends what was typed, and says what came of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from tests.infra.conftest import BUYER, SUPPLIER_ID, TAX_ID, FakeServices

Run = Callable[..., Result]
HOME = f"/suppliers/{SUPPLIER_ID}"
APPLICATION: dict[str, Any] = {
    "state": "DOCUMENTS_SUBMITTED",
    "categories": ["mep", "rebar"],
    "regions": ["31"],
    "trade": "maker",
    "reason": "",
    "reviewer_name": None,
    "findings": [],
    "version": 4,
    "granted": [],
    "level": None,
    "until": None,
}
PAPER = {"id": "p-1", "kind": "ccc", "number": "1", "valid_until": None, "state": "given", "reason": None}


@pytest.fixture(autouse=True)
def _known(services: FakeServices) -> None:
    services.on("GET", "/members/me", (200, {"company": {"id": SUPPLIER_ID, "name": "钢铁贸易", "roles": ["admin"]}}))
    services.on("GET", "/members/companies", (200, [{"id": SUPPLIER_ID}]))
    services.on("GET", f"{HOME}/application", (200, APPLICATION))
    services.on("GET", f"{HOME}/papers", (200, [PAPER | {"replaced_by": None}]))


def test_a_file_of_invitations_is_sent_and_its_bad_rows_are_told(dougong: Run, services: FakeServices, tmp_path: Path):
    file = tmp_path / "suppliers.csv"
    file.write_text("name,uscc\n钢铁,x\n", encoding="utf-8")
    told = {
        "repeated": False,
        "invited": 1,
        "rejected": 1,
        "invitations": [{"row": 2, "id": "i", "company_name": "钢铁", "email": None, "code": "dgs_secret"}],
        "problems": [{"row": 3, "column": "tax_id", "code": "CheckDigit", "text": "look for a typing error"}],
    }
    services.on("POST", "/suppliers/invitations/files", (200, told))
    result = dougong("suppliers", "invite", str(file), "--as", BUYER)
    assert result.exit_code == 4, result.output
    assert "dgs_secret" in result.output
    assert "look for a typing error" in result.output
    (sent,) = services.asked("POST", "/suppliers/invitations/files")
    assert (sent.headers["content-type"], sent.body.decode()) == ("text/csv", "name,uscc\n钢铁,x\n")
    assert sent.headers["idempotency-key"]


def test_one_supplier_is_invited_by_name(dougong: Run, services: FakeServices):
    made = {"company_name": "钢铁", "code": "dgs_1", "expires_at": "2026-12-25T00:00:00Z"}
    services.on("POST", "/suppliers/invitations", (201, made))
    options = ("--name", "钢铁", "--tax-id", TAX_ID, "--category", "rebar", "--as", BUYER)
    assert "dgs_1" in dougong("suppliers", "invite", *options).output
    (sent,) = services.asked("POST", "/suppliers/invitations")
    assert sent.json == {"name": "钢铁", "tax_id": TAX_ID, "email": None, "categories": ["rebar"]}
    assert dougong("suppliers", "invite", "--as", BUYER).exit_code == 2


def test_the_funnel_is_a_table(dougong: Run, services: FakeServices):
    told = {"total": 3, "states": {"INVITED": 2, "QUALIFIED": 1}}
    services.on("GET", "/suppliers/invitations/funnel", (200, told))
    assert "QUALIFIED" in dougong("suppliers", "funnel", "--as", BUYER).output
    assert json.loads(dougong("suppliers", "funnel", "--as", BUYER, "--json").stdout) == told


def test_a_company_registers_without_signing_in(dougong: Run, services: FakeServices):
    services.on("POST", "/members/registrations", (201, {"company": {"name": "钢铁"}}))
    options = ("--person", "王芳", "--email", "w@steel.example", "--password", "a kettle on the scaffold")
    assert dougong("suppliers", "register", TAX_ID, "钢铁", *options).exit_code == 0
    (sent,) = services.asked("POST", "/members/registrations")
    assert "authorization" not in sent.headers
    assert sent.json["tax_id"] == {"value": TAX_ID}


def test_a_paper_is_handed_in_as_it_is(dougong: Run, services: FakeServices, tmp_path: Path):
    file = tmp_path / "licence.pdf"
    file.write_bytes(b"%PDF-1.7 ...")
    services.on("POST", f"{HOME}/papers", (201, PAPER))
    options = ("--kind", "ccc", "--issuer", "CQC", "--number", "1", "--from", "2026-01-01", "--category", "mep")
    result = dougong("suppliers", "hand-in", str(file), *options, "--as", BUYER)
    assert result.exit_code == 0, result.output
    (sent,) = services.asked("POST", f"{HOME}/papers")
    assert sent.body == b"%PDF-1.7 ..."
    assert sent.query == {
        "kind": "ccc",
        "issuer": "CQC",
        "number": "1",
        "valid_from": "2026-01-01",
        "category": "mep",
        "file_name": "licence.pdf",
    }


def test_a_refused_paper_is_exit_code_one(dougong: Run, services: FakeServices, tmp_path: Path):
    file = tmp_path / "licence.pdf"
    file.write_bytes(b"%PDF")
    services.on("POST", f"{HOME}/papers", (422, {"code": "PdfJavaScript", "detail": "The PDF holds JavaScript."}))
    options = ("--kind", "ccc", "--issuer", "CQC", "--number", "1", "--from", "2026-01-01")
    result = dougong("suppliers", "hand-in", str(file), *options, "--as", BUYER)
    assert result.exit_code == 1
    assert "PdfJavaScript" in result.stderr


def test_what_is_missing_is_shown(dougong: Run, services: FakeServices):
    standing = {
        "supplier": {"name": "钢铁", "tax_id": TAX_ID, "status": "REGISTERED"},
        "identity": None,
        "application": APPLICATION,
        "missing": {"rebar": ["lab_report"]},
        "ended": {"mep": "2026-11-01"},
    }
    services.on("GET", f"{HOME}/onboarding", (200, standing))
    result = dougong("suppliers", "papers", "--as", BUYER)
    assert result.exit_code == 0, result.output
    for text in ("identity: not given", "lab_report", "a needed paper ended on 2026-11-01", "p-1"):
        assert text in result.output + result.stderr


def test_identity_numbers_are_asked_for_and_not_typed_in_the_open(dougong: Run, services: FakeServices):
    told = {
        "representative_name": "王芳",
        "document_masked": "****002X",
        "account_masked": "****2233",
        "state": "GIVEN",
    }
    services.on("PUT", f"{HOME}/identity", (200, told))
    options = ("--representative", "王芳", "--bank", "工行", "--account-name", "钢铁", "--as", BUYER)
    result = dougong("suppliers", "identity", *options, stdin="11010519491231002X\n6222020200112233\n")
    assert result.exit_code == 0, result.output
    assert "11010519491231002X" not in result.output
    (sent,) = services.asked("PUT", f"{HOME}/identity")
    assert sent.json["document_number"] == "11010519491231002X"


@pytest.mark.parametrize(
    ("command", "step", "body"),
    [
        (("submit", "--as", BUYER), "submission", None),
        (("review", TAX_ID), "review", None),
        (
            ("return", TAX_ID, "--reason", "See it.", "--paper", "p-1=Page two is missing."),
            "return",
            {"reason": "See it.", "papers": {"p-1": "Page two is missing."}},
        ),
        (
            ("approve", TAX_ID, "--reason", "Good.", "--level", "B", "--category", "rebar", "--until", "2027-01-31"),
            "approval",
            {"reason": "Good.", "level": "B", "categories": ["rebar"], "regions": ["31"], "until": "2027-01-31"},
        ),
        (
            ("approve", TAX_ID, "--reason", "Good.", "--level", "A"),
            "approval",
            {"reason": "Good.", "level": "A", "categories": ["mep", "rebar"], "regions": ["31"], "until": None},
        ),
        (("reject", TAX_ID, "--reason", "Forged."), "rejection", {"reason": "Forged."}),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_a_step_names_the_version_it_saw(
    dougong: Run, services: FakeServices, command: tuple[str, ...], step: str, body: dict[str, Any] | None
):
    services.on("POST", f"{HOME}/application/{step}", (200, APPLICATION))
    result = dougong("suppliers", *command)
    assert result.exit_code == 0, result.output
    (sent,) = services.asked("POST", f"{HOME}/application/{step}")
    assert sent.headers["if-match"] == '"4"'
    assert sent.headers["idempotency-key"]
    assert (sent.json if sent.body else None) == body


def test_wrong_usage_is_exit_code_two(dougong: Run):
    assert dougong("suppliers", "return", TAX_ID, "--reason", "x", "--paper", "p-1").exit_code == 2
    assert dougong("suppliers", "approve", TAX_ID, "--reason", "x", "--level", "A", "--until", "soon").exit_code == 2


def test_operators_see_who_waits_and_look_at_papers(dougong: Run, services: FakeServices):
    waiting = {
        "tax_id": TAX_ID,
        "supplier_name": "钢铁",
        "categories": ["rebar"],
        "waiting_since": "2026-11-25T04:00:00Z",
    }
    services.on("GET", "/suppliers/applications", (200, [waiting]))
    services.on("GET", "/suppliers/identities", (200, []))
    assert TAX_ID in dougong("suppliers", "queue").output
    services.on("GET", f"{HOME}/identity", (200, {"version": 3}))
    seen = {"representative_name": "王芳", "document_masked": "****002X", "state": "VERIFIED", "due_on": "2027-05-25"}
    services.on("POST", f"{HOME}/identity/verification", (200, seen))
    assert "2027-05-25" in dougong("suppliers", "verify", TAX_ID, "--reason", "Register agrees.").output
    assert services.asked("POST", f"{HOME}/identity/verification")[0].headers["if-match"] == '"3"'
    services.on("POST", f"{HOME}/papers/p-1/check", (200, PAPER | {"state": "refused"}))
    assert "refused" in dougong("suppliers", "check", TAX_ID, "p-1", "--refuse", "No seal.").output
    (sent,) = services.asked("POST", f"{HOME}/papers/p-1/check")
    assert sent.json == {"outcome": "refused", "reason": "No seal."}


def test_what_was_found_is_to_be_replaced_only_while_the_application_is_returned(dougong: Run, services: FakeServices):
    found = {"findings": [{"paper_id": "p-1", "reason": "page 2 missing"}], "reason": "See the paper."}
    services.on("POST", f"{HOME}/application/submission", (200, APPLICATION | found))
    assert "To be replaced" not in dougong("suppliers", "submit", "--as", BUYER).output
    services.on("POST", f"{HOME}/application/submission", (200, APPLICATION | found | {"state": "RETURNED"}))
    assert "page 2 missing" in dougong("suppliers", "submit", "--as", BUYER).output
