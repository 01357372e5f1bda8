"""T1 and T2: one contractor's contract price is looked for everywhere it must not be.

A buys tiles by an offer that names A alone. Its price, quantity and sum are numbers that occur nowhere else; every GET
route of all four services is then asked with the ids of A's things, by everybody but A and its supplier.
"""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from shared.identity import Principal, Role, Scope
from shared.ids import new_id
from tests.conftest import a_person, a_service, an_api_client
from tests.platform import SERVICE, TILE, Story, admitted, in_one_circle, stocked

PRICE, QUANTITY, SUM = "7391.57", "6211", "45909041.27"
CANARIES = re.compile(r"7[,]?391\.57|(?<![0-9a-f-])6211(?![0-9a-f-])|45[,]?909[,]?041")
QUERIES: list[dict[str, str | int]] = [
    {},
    {"q": "瓷砖 600x600", "sort": "price", "explain": "true", "quantity": "20", "unit": "m2"},
    {"q": "瓷砖", "sort": "price", "facets": "supplier,brand", "limit": 200},
    {"q": "TILE-A"},
    {"sort": "landed_price", "region": "110105", "quantity": "1", "unit": "m2"},
]


async def bought(story: Story) -> dict[str, str]:
    """A's order of the canaries; the ids of everything it touched, as the addresses of routes name them."""
    sales = a_person(Role.SUPPLIER_SALES, company_id=story.supplier)
    terms = {"price": PRICE, "tax_inclusive": True, "tax_rate": "0.13", "unit": "m2", "stock_point": None}
    named = {"audience": "PARTIES", "audience_ids": [str(story.a)]}
    body = {**terms, **named, "item_no": "TILE-A", "variant": {"key": TILE}}
    offer = await story.done("POST", "/suppliers/offers", sales, body)
    await story.rekeyed()
    buyer = story.buyer(story.a)
    point = {"name": "Gate 2", "region": "110105", "address": "建国路1号"}
    opened = {"number": "P-1", "name": "商务楼", "delivery_points": [point]}
    project = await story.done("POST", "/orders/projects", buyer, opened)
    line = {"offer_id": offer["id"], "quantity": QUANTITY, "unit": "m2", "need_by": "2099-01-01"}
    basket = {
        "project_id": project["id"],
        "delivery_point_id": project["delivery_points"][0]["id"],
        "lines": [line],
    }
    placed = await story.done("POST", "/orders/baskets", buyer, basket)
    assert placed["totals"]["gross"] == SUM
    await story.rekeyed()
    order = placed["orders"][0]["id"]
    return {
        "company_id": str(story.a),
        "group_id": str(story.a),
        "supplier_id": str(story.supplier),
        "offer_id": offer["id"],
        "basket_id": placed["basket_id"],
        "order_id": order,
        "purchase_order_id": order,
        "project_id": project["id"],
        "delivery_point_id": project["delivery_points"][0]["id"],
        "point_id": project["delivery_points"][0]["id"],
        "circle_id": str(story.circle or new_id()),
        "reservation_id": placed["basket_id"],
        "category": "finishes_misc",
        "key": TILE,
        "variant_key": TILE,
    }


def others(story: Story) -> dict[str, Principal | None]:
    """Everybody but A and its supplier, in every role there is."""
    roles = [role for role in Role if role is not Role.OPERATOR]
    circles = frozenset({story.circle}) if story.circle else frozenset[UUID]()
    return {
        "rival contractor": a_person(*roles, company_id=story.b, group_id=story.b, circle_ids=circles),
        "another supplier": a_person(Role.SUPPLIER_SALES, Role.SUPPLIER_FINANCE, Role.ADMIN, company_id=new_id()),
        "another supplier's ERP": an_api_client(
            Scope.STOCK_WRITE, Scope.PRICES_WRITE, Scope.ORDERS_READ, Scope.ORDERS_RESPOND, company_id=new_id()
        ),
        "operator": story.operator,
        "a service": a_service(Scope.COMPANIES_READ, Scope.VARIANTS_RESOLVE, Scope.MEASUREMENTS_READ),
        "nobody": None,
    }


def addresses(story: Story, known: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Every GET address of every service; what a pattern asks for is A's where there is such a thing."""
    for service, http in story.doors.http.items():
        document = http._transport.app.openapi()  # type: ignore[attr-defined]
        for path, methods in document["paths"].items():
            if "get" in methods:
                yield service, re.sub(r"\{([^}]+)\}", lambda found: known.get(found[1], str(new_id())), path)


async def test_no_route_tells_anybody_elses_price(story: Story):
    await stocked(story)
    await admitted(story)
    await in_one_circle(story)
    known = await bought(story)
    assert (await story.done("GET", f"/orders/purchase-orders/{known['order_id']}", story.buyer(story.a)))["lines"]
    told = []
    for name, who in others(story).items():
        for service, path in addresses(story, known):
            answer = await story.asked(service, path, who)
            assert answer.status_code < 500, (name, path, answer.text)
            if CANARIES.search(answer.text) or CANARIES.search(str(answer.headers)):
                told.append((name, path))
        for query in QUERIES:
            for path in ("/catalog/search", "/catalog/suggest", "/catalog/compare"):
                asked = {**query, "variant": TILE, "offer": known["offer_id"]} if path.endswith("compare") else query
                answer = await story.asked("catalog", path, who, params=asked)
                told += [(name, path)] if CANARIES.search(answer.text) else []
    assert not told


async def test_no_refusal_tells_it(story: Story):
    await stocked(story)
    await admitted(story)
    known = await bought(story)
    rival = story.buyer(story.b)
    quote = {"lines": [{"offer_id": known["offer_id"], "quantity": "20", "unit": "m2"}]}
    told = [
        await story.call("POST", "/suppliers/offers/quote", rival, quote),
        await story.call("POST", f"/orders/purchase-orders/{known['order_id']}/cancellation", rival, {"reason": "x"}),
        await story.call("POST", f"/orders/purchase-orders/{known['order_id']}/response", rival, {"others": "accept"}),
        await story.call("POST", "/orders/case-files", rival, {"owner_id": str(story.a), "reason": "x", "days": 3}),
    ]
    assert not [answer.text for answer in told if CANARIES.search(answer.text)]


async def rows_with(story: Story, service: str, number: str) -> set[str]:
    """The tables of a service's database in which a number stands, whatever its column."""
    async with story.databases[service].system() as session:
        tables = await session.scalars(
            text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        )
        found = set()
        for table in tables.all():
            counted = await session.scalar(
                text(f'SELECT count(*) FROM "{table}" AS t WHERE to_jsonb(t)::text LIKE :number'),
                {"number": f"%{number}%"},
            )
            found |= {table} if counted else set()
    return found


async def test_contract_amounts_stand_in_orders_alone(story: Story):
    """What was agreed is no other service's to keep: not in an index, an event, a log."""
    await stocked(story)
    await admitted(story)
    await bought(story)
    assert await rows_with(story, "orders", SUM)
    for service in ("members", "catalog", "suppliers"):
        found = await rows_with(story, service, SUM)
        assert not found, service
    assert not await rows_with(story, "members", PRICE)


async def test_an_operator_reads_it_in_a_case_file_that_the_owner_sees(story: Story):
    await stocked(story)
    await admitted(story)
    known = await bought(story)
    opened = {"owner_id": str(story.a), "reason": "Complaint 17", "days": 3}
    answer = await story.call("POST", "/orders/case-files", story.operator, opened)
    assert answer.status_code == 201, answer.text
    case = answer.json()["id"]
    looked = await story.call("GET", f"/orders/case-files/{case}/purchase-orders/{known['order_id']}", story.operator)
    assert CANARIES.search(looked.text)
    looks = await story.done("GET", f"/orders/case-files/{case}/looks", story.admin(story.a))
    assert known["order_id"] in str(looks)
    assert not CANARIES.search(str(looks))


@pytest.mark.parametrize("service", ["members", "catalog", "suppliers"])
async def test_the_feeds_of_others_do_not_carry_it(story: Story, service: str):
    await stocked(story)
    await admitted(story)
    await bought(story)
    feed: list[dict[str, Any]] = await story.done("GET", f"/{service}/feed", SERVICE, params={"limit": 500})
    assert SUM not in str(feed)
