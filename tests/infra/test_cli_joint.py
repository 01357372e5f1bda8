"""`dougong joint …` over HTTP."""

import json
from typing import Any

from tests.infra.conftest import BUYER, FakeServices

PATH = "/orders/joint-notices"


def line(total: str | None, below: str | None) -> dict[str, Any]:
    pool = {"total": total, "at_least": "100", "below": below}
    more = {"type_code": "DOOR-FIRE", "variant_key": None, "unit": "pcs", "groups": 3, "own_quantity": "7.000"}
    return {"line_no": 1, "pool": pool, **more}


NOTICE = {
    "id": "n1",
    "category": "finishes_misc",
    "title": "防火门",
    "region": "110105",
    "month": "2027-03-01",
    "closes_at": "2026-12-31T10:00:00+00:00",
    "status": "OPEN",
    "participants": 3,
    "lines": [line(None, "200")],
}


def test_a_notice_is_opened_with_its_lines(dougong, services: FakeServices):
    services.on("POST", PATH, (201, NOTICE))
    options = (
        "--category",
        "finishes_misc",
        "--region",
        "110105",
        "--month",
        "2027-03",
        "--closes",
        "2026-12-31T18:00",
    )
    lines = ("--line", "DOOR-FIRE:pcs=120", "--line", "DOOR-WOOD:pcs")
    result = dougong("joint", "open", "防火门", *options, *lines, "--as", BUYER)
    assert result.exit_code == 0, result.output
    assert "100 to under 200" in result.stdout
    (sent,) = services.asked("POST", PATH)
    assert (sent.json["month"], sent.json["closes_at"]) == ("2027-03-01", "2026-12-31T18:00:00+08:00")
    assert sent.json["lines"] == [
        {"type_code": "DOOR-FIRE", "unit": "pcs", "quantity": "120"},
        {"type_code": "DOOR-WOOD", "unit": "pcs", "quantity": None},
    ]
    for wrong in (("--line", "DOOR-FIRE"), ("--line", ":pcs")):
        assert dougong("joint", "open", "x", *options, *wrong, "--as", BUYER).exit_code == 2


def test_groups_join_leave_and_read_the_result(dougong, services: FakeServices):
    services.on("POST", f"{PATH}/n1/(participation|withdrawal|cancellation)", (200, NOTICE))
    services.on("GET", f"{PATH}/n1", (200, NOTICE))
    services.on("GET", PATH, (200, [NOTICE]))
    document = {
        "closed_at": "2026-12-31T10:00:00+00:00",
        "participant_ids": ["a", "b", "c"],
        "lines": [line("600", None)],
    }
    services.on("GET", f"{PATH}/n1/result", (200, document))
    assert dougong("joint", "join", "n1", "1=120", "2=5.5", "--as", BUYER).exit_code == 0
    (sent,) = services.asked("POST", f"{PATH}/n1/participation")
    assert sent.json == {"lines": [{"line_no": 1, "quantity": "120"}, {"line_no": 2, "quantity": "5.5"}]}
    assert sent.headers["idempotency-key"]
    assert dougong("joint", "join", "n1", "120", "--as", BUYER).exit_code == 2
    assert dougong("joint", "withdraw", "n1", "--as", BUYER).exit_code == 0
    assert dougong("joint", "cancel", "n1", "--reason", "x", "--as", BUYER).exit_code == 0
    assert "7.000" in dougong("joint", "show", "n1", "--as", BUYER).stdout
    assert json.loads(dougong("joint", "list", "--as", BUYER, "--json").stdout) == [NOTICE]
    assert "600" in dougong("joint", "result", "n1", "--as", BUYER).stdout
