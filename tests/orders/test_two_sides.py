"""Who sees what: buyer and supplier their own side of an order, strangers nothing; each wall holds alone."""

from typing import Any

import pytest
from sqlalchemy import text

from shared.database import scope_to
from shared.identity import Principal, Role
from shared.ids import new_id
from tests.conftest import a_person
from tests.orders.conftest import World

ROWS = ("purchase_orders", "purchase_order_lines", "order_history", "line_changes")
BUYERS_OWN = ("baskets", "projects", "delivery_points", "number_counters", "idempotency_keys")


@pytest.fixture
async def order(world: World) -> dict[str, Any]:
    offer = world.suppliers.offer()
    line = world.line(offer, "10", cost_code="SECRET-CODE", note="SECRET-NOTE")
    placed = await world.placed(line, note="SECRET-BASKET", instructions="crane 08:00")
    change = {"lines": [{"line_no": 1, "answer": "change", "quantity": "8"}]}
    answer = await world.act(world.seller(offer), placed["orders"][0], "response", change)
    assert answer.status_code == 200
    return await world.order(world.buyer, placed["orders"][0]["id"])


async def listed(world: World, who: Principal, **params: Any) -> list[str]:
    answer = await world.read(who, "/orders/purchase-orders", **params)
    assert answer.status_code == 200, answer.text
    return [order["id"] for order in answer.json()]


def seller_of(order: dict[str, Any], *roles: Role) -> Principal:
    return a_person(*(roles or (Role.SUPPLIER_SALES,)), company_id=order["supplier"]["company_id"])


async def test_the_supplier_sees_the_order_without_what_is_the_buyers_own(world: World, order: dict[str, Any]) -> None:
    answer = await world.read(seller_of(order), f"/orders/purchase-orders/{order['id']}")

    assert "SECRET" not in answer.text
    theirs = answer.json()
    assert "placed_by" not in theirs
    assert theirs["instructions"] == "crane 08:00"
    assert theirs["totals"] == order["totals"]
    own = {"cost_code", "note", "enterprise_code"}
    assert [{k: v for k, v in line.items() if k not in own} for line in order["lines"]] == theirs["lines"]
    assert order["lines"][0]["cost_code"] == "SECRET-CODE"


async def test_strangers_find_no_orders(world: World, order: dict[str, Any]) -> None:
    for stranger in (a_person(Role.BUYER), a_person(Role.SUPPLIER_SALES), a_person(Role.BUYER, Role.SUPPLIER_SALES)):
        assert await listed(world, stranger) == []
        assert await listed(world, stranger, number=order["number"]) == []
        for path in ("", "/history", "/history/verify"):
            answer = await world.read(stranger, f"/orders/purchase-orders/{order['id']}{path}")
            assert answer.status_code == 404
        assert (await world.read(a_person(Role.BUYER), f"/orders/baskets/{order['basket_id']}")).status_code == 404


async def test_the_supplier_does_not_see_the_basket_nor_the_other_suppliers(world: World) -> None:
    mine, other = world.suppliers.offer(), world.suppliers.offer()
    basket = await world.placed(world.line(mine, "1"), world.line(other, "1"))
    both = a_person(Role.BUYER, Role.SUPPLIER_SALES, company_id=mine.supplier_id)

    assert await listed(world, world.seller(mine)) == [basket["orders"][0]["id"]]
    assert (await world.read(both, f"/orders/baskets/{basket['basket_id']}")).status_code == 404
    assert (await world.read(world.seller(mine), f"/orders/baskets/{basket['basket_id']}")).status_code == 403


async def test_a_party_without_a_role_on_its_side_is_told_so(world: World, order: dict[str, Any]) -> None:
    path = f"/orders/purchase-orders/{order['id']}"
    clerk = a_person(Role.SUPPLIER_SALES, company_id=world.buyer.company_id)
    finance = seller_of(order, Role.SUPPLIER_FINANCE)
    foreign = seller_of(order, Role.BUYER)

    assert (await world.read(clerk, path)).status_code == 403
    assert (await world.read(foreign, path)).status_code == 403
    assert (await world.read(finance, path)).status_code == 200
    assert (await world.read(clerk, "/orders/purchase-orders", side="buyer")).status_code == 403
    assert (await world.read(a_person(Role.OPERATOR), path)).status_code == 403


async def test_lists_are_narrowed_and_paged(world: World) -> None:
    first, second = world.suppliers.offer(), world.suppliers.offer()
    baskets = [await world.placed(world.line(first, "1"), world.line(second, "1")) for _ in range(3)]
    orders = [order for basket in baskets for order in basket["orders"]]
    answered = await world.act(world.seller(first), orders[0], "response", {"others": "accept"})
    assert answered.status_code == 200
    newest_first = sorted((order["id"] for order in orders), reverse=True)

    assert await listed(world, world.buyer) == newest_first
    assert await listed(world, world.buyer, state="CONFIRMED") == [orders[0]["id"]]
    assert orders[0]["id"] not in await listed(world, world.buyer, awaits="supplier")
    assert len(await listed(world, world.buyer, supplier_id=str(first.supplier_id))) == 3
    assert len(await listed(world, world.buyer, basket_id=baskets[1]["basket_id"])) == 2
    assert await listed(world, world.buyer, number=orders[3]["number"]) == [orders[3]["id"]]
    assert await listed(world, world.buyer, project_id=str(new_id())) == []
    assert len(await listed(world, world.seller(second), buyer_id=str(world.buyer.company_id))) == 3

    seen: list[str] = []
    path = "/orders/purchase-orders?limit=4"
    while path:
        page = await world.read(world.buyer, path)
        seen += [order["id"] for order in page.json()]
        path = page.headers.get("Link", "").partition("<")[2].partition(">")[0]
    assert seen == newest_first


@pytest.mark.parametrize(
    ("params", "code"),
    [({"state": "LOST"}, 422), ({"limit": "0"}, 422), ({"limit": "100000"}, 422), ({"cursor": "x"}, 422)],
)
async def test_a_list_asked_for_wrongly_says_so(world: World, params: dict[str, str], code: int) -> None:
    assert (await world.read(world.buyer, "/orders/purchase-orders", **params)).status_code == code


@pytest.mark.parametrize("table", [*ROWS, *BUYERS_OWN])
async def test_the_second_wall_hides_every_row_from_strangers(world: World, order: dict[str, Any], table: str) -> None:
    async def rows(*companies: Any) -> int:
        async with world.database.app() as session:
            await scope_to(session, *companies)
            return int(await session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)

    supplier_id = order["supplier"]["company_id"]
    assert await rows() == 0
    assert await rows(new_id()) == 0
    assert await rows(world.buyer.company_id) >= 1
    supplier_rows = await rows(supplier_id)
    if table in ROWS:
        assert supplier_rows >= 1
    elif table == "idempotency_keys":
        assert supplier_rows == 1, "its own response"
    else:
        assert supplier_rows == 0


@pytest.mark.parametrize("table", [*ROWS, *BUYERS_OWN])
async def test_the_second_wall_keeps_strangers_from_writing(world: World, order: dict[str, Any], table: str) -> None:
    async with world.database.app() as session, session.begin():
        await scope_to(session, new_id())
        if table != "order_history":
            column = "buyer_id" if table != "idempotency_keys" else "scope_id"
            touched = await session.execute(text(f"UPDATE {table} SET {column} = {column} RETURNING 1"))
            assert touched.all() == []
