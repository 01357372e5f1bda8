"""Listings and offers over HTTP: who keeps them, who sees them, what a quote says."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.identity import Role, Scope
from tests.conftest import a_person, an_api_client
from tests.suppliers.world import REBAR, REBAR_25, World, new_items

OFFER = {
    "item_no": "A-1",
    "variant": {"key": REBAR},
    "brand": "沙钢",
    "stock_point": "main",
    "price": "3253.00",
    "tax_inclusive": True,
    "tax_rate": "0.13",
    "unit": "t",
    "lead_time_days": 2,
}
TERMS = {name: OFFER[name] for name in ("stock_point", "price", "tax_inclusive", "tax_rate", "unit")}


async def listed(world: World, **changes):
    answer = await world.call("POST", "/suppliers/offers", world.erp, json={**OFFER, **changes})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def count(world: World, on_hand: str, item_no: str = "A-1", **body):
    path = f"/suppliers/{world.supplier_id}/stock/{item_no}/main"
    return await world.call("PUT", path, world.erp, json={"on_hand": on_hand, **body})


async def test_an_item_is_listed_and_offered(world: World):
    answer = await world.call("POST", "/suppliers/offers", world.erp, json=OFFER)
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    offer = answer.json()
    assert answer.headers["location"] == f"/suppliers/offers/{offer['id']}"
    assert (offer["variant_key"], offer["category"], offer["audience"]) == (REBAR, "rebar", "MEMBERS")
    events = await world.rows("SELECT data FROM events WHERE type LIKE '%offers.changed%'")
    assert events[0]["data"]["offers"][0]["offer_id"] == offer["id"]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"variant": {"key": "XX|a=b"}}, 409, "VariantRefused"),
        ({"variant": None}, 422, "VariantNeeded"),
        ({"unit": "m2"}, 409, "UnitNotConvertible"),
        ({"price": "1.1234567"}, 422, "MalformedRequest"),
        ({"price": 12.5}, 422, "MalformedRequest"),
        ({"price": "-1"}, 422, "MalformedRequest"),
        ({"tax_rate": "13"}, 422, "MalformedRequest"),
        ({"colour": "red"}, 422, "MalformedRequest"),
        ({"audience": "PARTIES"}, 422, "MalformedRequest"),
        ({"item_no": "A\x001"}, 422, "MalformedRequest"),
        ({"min_quantity": "0"}, 422, "MalformedRequest"),
        ({"min_quantity": "0.5", "unit": "piece"}, 422, "TermsContradict"),
        ({"valid_from": "2026-12-01", "valid_until": "2026-11-30"}, 422, "TermsContradict"),
        (
            {"tiers": [{"min_quantity": "10", "price": "9"}, {"min_quantity": "10", "price": "8"}]},
            422,
            "TermsContradict",
        ),
    ],
)
async def test_a_listing_that_makes_no_sense_is_refused(world: World, changes: dict[str, Any], status: int, code: str):
    answer = await world.call("POST", "/suppliers/offers", world.erp, json={**OFFER, **changes})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await world.rows("SELECT 1 FROM items") == []


async def test_an_item_has_one_offer_a_code_and_one_variant(world: World):
    await listed(world)
    same = await world.call("POST", "/suppliers/offers", world.erp, json=OFFER)
    assert same.json()["code"] == "OfferExists"
    other = await world.call(
        "POST", "/suppliers/offers", world.erp, json={**OFFER, "offer_code": "b", "variant": {"key": REBAR_25}}
    )
    assert other.json()["code"] == "ItemIsAnotherVariant"
    assert (await listed(world, offer_code="bulk", variant=None))["variant_key"] == REBAR


async def test_an_offer_is_changed_by_who_saw_its_last_version(world: World):
    offer = await listed(world)
    path = f"/suppliers/offers/{offer['id']}"
    assert (await world.call("PUT", path, world.erp, json=TERMS)).status_code == 428
    changed = await world.call("PUT", path, world.erp, version=1, json={**TERMS, "price": "3300"})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert (await world.call("PUT", path, world.erp, version=1, json=TERMS)).status_code == 412
    withdrawn = await world.call("POST", f"{path}/withdrawal", world.erp, version=2)
    assert withdrawn.json()["status"] == "WITHDRAWN"
    assert (await world.call("PUT", path, world.erp, version=3, json=TERMS)).json()["code"] == "OfferWithdrawn"
    assert (await world.call("GET", path, world.buyer)).status_code == 404
    assert (await world.call("GET", path, world.erp)).status_code == 200


async def test_anothers_offer_cannot_be_changed(world: World):
    offer = await listed(world)
    stranger = an_api_client(Scope.PRICES_WRITE)
    path = f"/suppliers/offers/{offer['id']}"
    assert (await world.call("PUT", path, stranger, version=1, json=TERMS)).status_code == 404
    assert (await world.call("POST", f"{path}/withdrawal", stranger, version=1)).status_code == 404
    counter = an_api_client(Scope.STOCK_WRITE, company_id=world.supplier_id)
    assert (await world.call("PUT", path, counter, version=1, json=TERMS)).status_code == 403


async def test_an_offer_is_seen_by_those_it_is_meant_for(world: World):
    group = uuid4()
    friend = a_person(Role.BUYER, group_id=group)
    cases: list[tuple[dict[str, Any], set[str | None]]] = [
        ({"audience": "PUBLIC"}, {None, "buyer", "friend"}),
        ({"audience": "MEMBERS"}, {"buyer", "friend"}),
        ({"audience": "ORG", "audience_ids": [str(group)]}, {"friend"}),
        ({"audience": "PARTIES", "audience_ids": [str(friend.company_id)]}, {"friend"}),
    ]
    viewers = {None: None, "buyer": world.buyer, "friend": friend}
    for number, (audience, expected) in enumerate(cases):
        offer = await listed(world, item_no=f"A-{number}", **audience)
        path = f"/suppliers/offers/{offer['id']}"
        seen = {name for name, viewer in viewers.items() if (await world.call("GET", path, viewer)).status_code == 200}
        assert seen == expected
        assert (await world.call("GET", path, world.erp)).json()["audience"] == audience["audience"]


async def test_members_see_the_exact_quantity_and_the_public_a_band(world: World):
    offer = await listed(world, audience="PUBLIC")
    await count(world, "120.5")
    path = f"/suppliers/offers/{offer['id']}"
    member, anyone = (await world.call("GET", path, world.buyer)).json(), (await world.call("GET", path, None)).json()
    assert (Decimal(member["available"]), member["band"], member["audience"]) == (Decimal("120.5"), "in", None)
    assert (anyone["available"], anyone["band"]) == (None, "in")


async def test_a_suspended_suppliers_offers_are_not_shown(world: World):
    offer = await listed(world)
    path = f"/suppliers/{world.supplier_id}/suspension"
    assert (await world.call("POST", path, world.operator, version=2, json={"reason": "x"})).status_code == 200
    assert (await world.call("GET", f"/suppliers/offers/{offer['id']}", world.buyer)).status_code == 404
    quote = await world.call(
        "POST",
        "/suppliers/offers/quote",
        world.buyer,
        json={"lines": [{"offer_id": offer["id"], "quantity": "1", "unit": "t"}]},
    )
    assert quote.json()["lines"][0]["reasons"][0]["code"] == "SupplierNotQualified"


async def test_a_quote_prices_by_tier_and_shares_stock_between_lines(world: World):
    offer = await listed(world, tiers=[{"min_quantity": "10", "price": "3000"}])
    await count(world, "15")
    lines = [
        {"offer_id": offer["id"], "quantity": "12.5", "unit": "t"},
        {"offer_id": offer["id"], "quantity": "100", "unit": "piece"},
        {"offer_id": str(uuid4()), "quantity": "1", "unit": "t"},
    ]
    answer = await world.call("POST", "/suppliers/offers/quote", world.buyer, json={"lines": lines[:1], "region": "11"})
    line = answer.json()["lines"][0]
    assert [Decimal(line[name]) for name in ("unit_price", "gross", "net", "tax")] == [
        Decimal(3000), Decimal("37500.00"), Decimal("33185.84"), Decimal("4314.16"),
    ]  # fmt: skip
    assert answer.json()["fits"] is True
    assert Decimal(answer.json()["totals"]["gross"]) == Decimal("37500.00")
    answer = await world.call("POST", "/suppliers/offers/quote", world.buyer, json={"lines": lines})
    reasons = [[reason["code"] for reason in line["reasons"]] for line in answer.json()["lines"]]
    assert reasons == [["InsufficientStock"], ["InsufficientStock"], ["OfferNotFound"]]
    assert Decimal(answer.json()["totals"]["gross"]) == 0


async def test_stock_is_counted_one_by_one(world: World):
    await listed(world)
    assert (await count(world, "5")).json()["available"] == "5.000"
    assert (await count(world, "200", unit="piece")).json()["on_hand"] == "5.928"
    for body, code in [
        ({"on_hand": "1.2345"}, "QuantityTooPrecise"),
        ({"on_hand": "1.5", "unit": "piece"}, "QuantityTooPrecise"),
        ({"on_hand": "1", "unit": "m2"}, "UnitNotConvertible"),
        ({"on_hand": "1", "as_of": "2020-01-01T00:00:00Z"}, "CountIsOlder"),
        ({"on_hand": "1", "as_of": "2099-01-01T00:00:00Z"}, "CountInTheFuture"),
        ({"on_hand": "-1"}, "MalformedRequest"),
    ]:
        assert (await count(world, **body)).json()["code"] == code
    assert (await count(world, "1", item_no="B-1")).json()["code"] == "ItemNotFound"
    await world.reserve("A-1", "5")
    level = (await count(world, "2")).json()
    assert [level[name] for name in ("on_hand", "available", "shortfall", "band")] == ["5.000", "0.000", "3.000", "out"]
    short = await world.call("GET", f"/suppliers/{world.supplier_id}/stock", world.erp, params={"short": True})
    assert [row["item_no"] for row in short.json()] == ["A-1"]


async def test_stock_and_offers_are_read_page_by_page(world: World):
    await world.synced(new_items(*(f"A-{number}" for number in range(5))))
    for path, name in ((f"/suppliers/{world.supplier_id}/stock", "item_no"), ("/suppliers/offers", "item_no")):
        found, address = [], f"{path}?limit=2"
        while address:
            answer = await world.call("GET", address, world.erp)
            found += [row[name] for row in answer.json()]
            address = answer.headers.get("link", "").split(">")[0].lstrip("<")
        assert found == [f"A-{number}" for number in range(5)]
    stranger = an_api_client(Scope.STOCK_WRITE)
    assert (await world.call("GET", f"/suppliers/{world.supplier_id}/stock", stranger)).status_code == 404
    assert (await world.call("GET", "/suppliers/offers", stranger)).json() == []


async def test_racing_listings_and_counts_are_one_each(world: World):
    calls = [world.call("POST", "/suppliers/offers", world.erp, json=OFFER) for _ in range(4)]
    statuses = sorted(answer.status_code for answer in await asyncio.gather(*calls))
    assert statuses == [201, 409, 409, 409]
    counts = await asyncio.gather(*(count(world, str(number), as_of="2026-11-20T00:00:00Z") for number in range(4)))
    assert [answer.status_code for answer in counts] == [200] * 4
    registered = await asyncio.gather(*(world.register(UUID(int=7)) for _ in range(3)))
    assert sorted(answer.status_code for answer in registered) == [201, 409, 409]


async def test_the_description_names_every_route_and_its_refusals(world: World):
    described = (await world.http.get("/suppliers/openapi.json")).json()
    sync = described["paths"]["/suppliers/{supplier_id}/sync"]["put"]
    assert "text/csv" in sync["requestBody"]["content"]
    assert {"200", "202", "404", "409", "413", "415", "422"} <= set(sync["responses"])
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), (method, path)
