"""`dougong order`: what fits is shown, what does not is explained, and nothing is ordered twice by accident."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.infra.conftest import BUYER, FakeServices, Heard

PROJECT = {"id": "p-1", "number": "BJ-2026-01", "name": "朝阳科创园 3 号楼", "status": "ACTIVE"}
POINT = {"id": "d-1", "name": "东门料场", "region": "110105", "active": True}
AMOUNTS = {"net": "2878.76", "tax": "374.24", "gross": "3253.00"}


def offered(offer_id: str) -> dict[str, Any]:
    return {"offer_id": offer_id, "fits": True, "misfits": [], **AMOUNTS}


def matched(line: int, *offers: str) -> dict[str, Any]:
    candidate = {
        "variant_key": f"RB-HRB|line={line}",
        "name_zh": "热轧带肋钢筋",
        "reasons": [],
        "offers": [offered(offer) for offer in offers],
    }
    return {"line": line, "status": "matched", "unit": "t", "candidates": [candidate], "problems": []}


def unmatched(line: int) -> dict[str, Any]:
    problem = {"code": "NotRead", "detail": "No component has this name.", "property": None}
    return {"line": line, "status": "unmatched", "unit": "t", "candidates": [], "problems": [problem]}


def quoted(line: dict[str, Any], *, fits: bool = True) -> dict[str, Any]:
    return {
        "offer_id": line["offer_id"],
        "fits": fits,
        "reasons": [] if fits else [{"code": "InsufficientStock", "detail": "3 t are left.", "field": "quantity"}],
        "supplier_id": "s-1",
        "supplier_name": "钢铁贸易",
        "brand": "北河",
        "unit_price": "3253.000000",
        "price_unit": "t",
        "promised_by": "2026-12-01",
        **AMOUNTS,
    }


def placed(request: Heard) -> tuple[int, dict[str, Any]]:
    order = {
        "number": "PO-2026-000001",
        "state": "ISSUED",
        "awaits": ["supplier"],
        "supplier": {"name": "钢铁贸易"},
        "project": {"name": PROJECT["name"]},
        "currency": "CNY",
        "totals": AMOUNTS,
        "placed_at": "2026-11-22T08:00:00Z",
        "lines": request.json["lines"],
    }
    return 201, {"basket_id": "b-1", "orders": [order], "totals": AMOUNTS}


@pytest.fixture
def shop(services: FakeServices) -> FakeServices:
    """A project, and one fitting offer for every line."""
    services.on("GET", "/orders/projects", (200, [PROJECT]))
    services.on("GET", "/orders/projects/p-1", (200, PROJECT | {"delivery_points": [POINT]}))
    services.on(
        "POST",
        "/catalog/match",
        lambda asked: (200, {"lines": [matched(n, f"o-{n}") for n in range(len(asked.json["lines"]))]}),
    )
    services.on(
        "POST",
        "/suppliers/offers/quote",
        lambda asked: (200, {"lines": [quoted(line) for line in asked.json["lines"]]}),
    )
    services.on("POST", "/orders/baskets", placed)
    return services


@pytest.fixture
def material_list(tmp_path: Path) -> Path:
    file = tmp_path / "list.csv"
    file.write_text(
        "编码,名称,规格,数量,单位,需用日期,成本科目\n"
        "RB-HRB,钢筋,公称直径=20,1.000,吨,+14,钢筋\n"
        ",钢筋,公称直径=25,2.5,吨,+14,钢筋\n",
        encoding="utf-8",
    )
    return file


def test_the_lines_are_matched_quoted_shown_and_ordered_when_confirmed(dougong, shop, material_list):
    result = dougong("order", str(material_list), "--as", BUYER, stdin="y\n")
    assert result.exit_code == 0, result.output
    (asked,) = shop.asked("POST", "/catalog/match")
    assert asked.json["region"] == "110105"
    assert asked.json["lines"][0]["properties"] == {"公称直径": "20"}
    assert "code" not in asked.json["lines"][1]
    (basket,) = shop.asked("POST", "/orders/baskets")
    assert [line["offer_id"] for line in basket.json["lines"]] == ["o-0", "o-1"]
    assert basket.json["lines"][0]["cost_code"] == "钢筋"
    assert basket.json["delivery_point_id"] == "d-1"
    assert "3253.00/t" in result.stdout
    assert "6506.00" in result.stdout, "the total of the supplier"
    assert "PO-2026-000001" in result.stdout


def test_without_a_yes_nothing_is_ordered(dougong, shop, material_list):
    result = dougong("order", str(material_list), "--as", BUYER, stdin="n\n")
    assert result.exit_code == 0
    assert not shop.asked("POST", "/orders/baskets")


def test_the_same_list_carries_the_same_key_and_again_another(dougong, shop, material_list):
    for extra in ([], [], ["--again"]):
        assert dougong("order", str(material_list), "--as", BUYER, "--yes", *extra).exit_code == 0
    first, second, third = (basket.headers["idempotency-key"] for basket in shop.asked("POST", "/orders/baskets"))
    assert first == second
    assert third != first


def test_a_list_that_changed_since_it_was_ordered_is_told_how_to_go_on(dougong, shop, material_list):
    problem = {"code": "IdempotencyKeyReused", "detail": "This Idempotency-Key was used for another request."}
    shop.on("POST", "/orders/baskets", (422, problem))
    result = dougong("order", str(material_list), "--as", BUYER, "--yes")
    assert result.exit_code == 1
    assert "--again orders it once more" in result.stderr


def test_a_line_without_an_offer_stops_the_order_and_says_why(dougong, shop, material_list):
    shop.on("POST", "/catalog/match", (200, {"lines": [matched(0, "o-0"), unmatched(1)]}))
    result = dougong("order", str(material_list), "--as", BUYER, "--yes")
    assert result.exit_code == 4
    assert "No component has this name." in result.stdout
    assert "nothing is ordered" in result.stderr
    assert not shop.asked("POST", "/orders/baskets")


def test_partial_orders_what_fits_and_says_so_by_its_exit_code(dougong, shop, material_list):
    shop.on("POST", "/catalog/match", (200, {"lines": [matched(0, "o-0"), unmatched(1)]}))
    result = dougong("order", str(material_list), "--as", BUYER, "--yes", "--partial", "--json")
    assert result.exit_code == 4
    assert len(json.loads(result.stdout)["placement"]["orders"]) == 1
    assert len(shop.asked("POST", "/orders/baskets")[0].json["lines"]) == 1


def test_an_offer_the_quote_refuses_gives_way_to_the_next(dougong, shop, material_list):
    shop.on("POST", "/catalog/match", (200, {"lines": [matched(0, "o-0", "o-9"), matched(1, "o-1")]}))
    shop.on(
        "POST",
        "/suppliers/offers/quote",
        lambda asked: (
            200,
            {"lines": [quoted(line, fits=line["offer_id"] != "o-0") for line in asked.json["lines"]]},
        ),
    )
    result = dougong("order", str(material_list), "--as", BUYER, "--dry-run", "--json")
    assert result.exit_code == 0
    assert [line["offer"]["offer_id"] for line in json.loads(result.stdout)["lines"]] == ["o-9", "o-1"]


def test_a_basket_refused_at_the_last_moment_names_its_lines(dougong, shop, material_list):
    errors = [{"field": "lines.1.quantity", "rule": "InsufficientStock", "message": "2 t are left"}]
    shop.on(
        "POST", "/orders/baskets", (409, {"code": "BasketRefused", "detail": "1 line is refused.", "errors": errors})
    )
    result = dougong("order", str(material_list), "--as", BUYER, "--yes")
    assert result.exit_code == 1
    assert "lines.1.quantity: 2 t are left" in result.stderr


def test_several_projects_need_one_to_be_named(dougong, shop, material_list):
    shop.on("GET", "/orders/projects", (200, [PROJECT, PROJECT | {"id": "p-2", "number": "BJ-2026-02"}]))
    result = dougong("order", str(material_list), "--as", BUYER, "--yes")
    assert result.exit_code == 2
    assert "BJ-2026-01, BJ-2026-02" in result.stderr
    assert dougong("order", str(material_list), "--as", BUYER, "--yes", "--project", "BJ-2026-01").exit_code == 0


def test_a_list_that_cannot_be_read_is_wrong_usage(dougong, shop, tmp_path):
    file = tmp_path / "list.csv"
    file.write_text("编码,数量,单位,需用日期\nRB-HRB,-1,吨,+14\n", encoding="utf-8")
    result = dougong("order", str(file), "--as", BUYER, "--yes")
    assert result.exit_code == 2
    assert "line 2: the quantity -1 is not above zero" in result.stderr


def test_a_busy_service_is_asked_again_with_the_same_key(dougong, shop, material_list):
    answers = iter([(503, {"code": "ReservationUnknown", "detail": "repeat"}, {"Retry-After": "0"})])
    shop.on("POST", "/orders/baskets", lambda request: next(answers, None) or placed(request))
    assert dougong("order", str(material_list), "--as", BUYER, "--yes").exit_code == 0
    keys = [basket.headers["idempotency-key"] for basket in shop.asked("POST", "/orders/baskets")]
    assert len(keys) == 2
    assert len(set(keys)) == 1
