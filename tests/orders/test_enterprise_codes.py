"""The buyer's own material codes on orders: they must mean what is ordered, by mappings that then stay."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.database import transaction
from shared.identity import Role
from shared.ids import new_id
from tests.conftest import a_person, once
from tests.orders.conftest import World
from tests.orders.neighbours import BAR, Offer

CODE = "W-1001"


@pytest.fixture
def bar(world: World) -> Offer:
    return world.suppliers.offer()


def fields_of(answer: Any) -> list[tuple[str, str]]:
    return [(each["field"], each["rule"]) for each in answer.json()["errors"]]


async def test_a_line_keeps_the_code_it_was_ordered_by_and_its_mapping_stays(world: World, bar: Offer):
    owner = new_id()
    world.codes.mean(CODE, BAR, owner=owner)
    basket = await world.placed(world.line(bar, enterprise_code=CODE), world.line(bar, "2"))
    (order,) = basket["orders"]
    assert [line["enterprise_code"] for line in order["lines"]] == [CODE, None]
    assert world.codes.used == [(owner, world.codes.known[CODE][0].mapping_id)]
    assert await world.order(world.buyer, order["id"]) == order
    read = (await world.read(world.buyer, f"/orders/baskets/{basket['basket_id']}")).json()
    assert read["orders"][0]["lines"] == order["lines"]


async def test_the_supplier_does_not_see_it(world: World, bar: Offer):
    world.codes.mean(CODE, BAR)
    basket = await world.placed(world.line(bar, enterprise_code=CODE))
    seller = world.seller(bar)
    seen = await world.read(seller, f"/orders/purchase-orders/{basket['orders'][0]['id']}")
    assert CODE not in seen.text
    assert "enterprise_code" not in seen.json()["lines"][0]
    async with transaction(world.database.app, seller.company) as session:
        assert (await session.scalar(text("SELECT count(*) FROM ordered_codes"))) == 0


async def test_a_code_nobody_mapped_is_refused_and_nothing_is_held(world: World, bar: Offer):
    refused = await world.place(world.basket(world.line(bar), world.line(bar, enterprise_code="W-404")))
    assert (refused.status_code, refused.json()["code"]) == (422, "CodesNotMeant")
    assert fields_of(refused) == [("lines.1.enterprise_code", "CodeNotMapped")]
    assert world.suppliers.calls == []


async def test_a_code_that_means_another_variant_is_refused_and_the_goods_are_let_go(world: World, bar: Offer):
    world.codes.mean(CODE, BAR.replace("20", "25"))
    refused = await world.place(world.basket(world.line(bar, enterprise_code=CODE)))
    assert fields_of(refused) == [("lines.0.enterprise_code", "CodeMeansAnother")]
    assert BAR in refused.json()["errors"][0]["message"]
    assert len(world.suppliers.released) == 1
    assert (world.codes.used, await world.count("purchase_orders")) == ([], 0)


async def test_a_code_of_several_variants_may_name_any_of_them(world: World, bar: Offer):
    world.codes.mean(CODE, BAR.replace("20", "25"), BAR)
    await world.placed(world.line(bar, enterprise_code=CODE))
    ((_, used),) = world.codes.used
    assert used == world.codes.known[CODE][1].mapping_id


async def test_a_mapping_taken_back_at_the_last_moment_orders_nothing(world: World, bar: Offer):
    world.codes.mean(CODE, BAR)
    world.codes.taken_back = True
    refused = await world.place(world.basket(world.line(bar, enterprise_code=CODE)))
    assert (refused.status_code, refused.json()["code"]) == (422, "CodesNotMeant")
    assert (len(world.suppliers.released), await world.count("purchase_orders")) == (1, 0)


async def test_without_catalog_the_same_key_orders_once_it_is_back(world: World, bar: Offer):
    world.codes.mean(CODE, BAR)
    world.codes.away = True
    basket, key = world.basket(world.line(bar, enterprise_code=CODE)), once()
    away = await world.place(basket, key=key)
    assert (away.status_code, away.json()["code"]) == (503, "CatalogAway")
    plain = await world.place(world.basket(world.line(bar)))
    assert plain.status_code == 201, "who names no code does not wait for the catalog"
    world.codes.away = False
    assert (await world.place(basket, key=key)).status_code == 201
    assert (await world.place(basket, key=key)).headers["Idempotency-Replayed"] == "true"
    assert await world.count("ordered_codes") == 1


@pytest.mark.parametrize("change", ["UPDATE ordered_codes SET code = 'x'", "DELETE FROM ordered_codes"])
async def test_what_was_ordered_by_which_code_is_never_rewritten(world: World, bar: Offer, change: str):
    world.codes.mean(CODE, BAR)
    await world.placed(world.line(bar, enterprise_code=CODE))
    with pytest.raises(DBAPIError):
        async with transaction(world.database.system) as session:
            await session.execute(text(change))


async def test_a_colleague_reads_it_and_another_company_does_not(world: World, bar: Offer):
    world.codes.mean(CODE, BAR)
    basket = await world.placed(world.line(bar, enterprise_code=CODE))
    path = f"/orders/purchase-orders/{basket['orders'][0]['id']}"
    colleague = a_person(Role.FINANCE, company_id=world.buyer.company)
    assert (await world.read(colleague, path)).json()["lines"][0]["enterprise_code"] == CODE
    assert (await world.read(a_person(Role.BUYER), path)).status_code == 404
