"""Variants and offers side by side, at the price they have there, of what the caller may see."""

from typing import Any

import httpx

from shared.audience import Audience
from shared.identity import Principal, Role
from shared.ids import new_id
from tests.catalog.conftest import BAR, Market
from tests.conftest import a_person, signed_in

BAR_25 = "RB-HRB|diameter=25,grade=HRB400E,length=12"
CONCRETE = "CN-RMC|impermeability=P6,slump=180,strength=C30"
EPD = {"number": "EPD-7", "programme": "EPD China", "kgco2e": "2600", "valid_until": "2999-12-31"}
PAPER = {"kind": "green_product", "number": "G-1", "issuer": "CTC", "valid_until": None}


async def compare(market: Market, *, as_: Principal | None = None, **params: Any) -> httpx.Response:
    headers = {} if as_ is None else signed_in(as_)
    return await market.http.get("/catalog/compare", params=params, headers=headers)


async def test_properties_prices_carbon_and_papers_stand_side_by_side(market: Market):
    near, far = market.supplier("近"), market.supplier("远")
    await market.offer(near, BAR, price="3300")
    cheaper = await market.offer(
        far, BAR, price="3250", freight=[{"region": "11", "price": "100"}], epd=EPD, certificates=[PAPER]
    )
    await market.offer(near, BAR_25, price="3000", lead_time_days=9)
    await market.follow()
    answer = await compare(
        market,
        as_=market.buyer,
        variant=[BAR, BAR_25],
        offer=cheaper["offer_id"],
        region="110105",
        quantity="10",
        unit="t",
    )
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert [item["landed_per_base_unit"] for item in body["items"]] == ["3300", "3000", "3350"]
    assert [item["offer"]["supplier_name"] for item in body["items"]] == ["近", "近", "远"]
    assert [item["lead_time_days"] for item in body["items"]] == [2, 9, 2]
    assert [item["offers_count"] for item in body["items"]] == [2, 1, 2]
    rows = {row["key"]: row for row in body["properties"]}
    assert (rows["diameter"]["values"], rows["diameter"]["differs"]) == (["20", "25", "20"], True)
    assert not rows["grade"]["differs"]
    typical, _, declared = (item["carbon"] for item in body["items"])
    assert (typical["kgco2e"], typical["kind"]) == ("2340", "type_factor")
    assert typical["source"].startswith("GB/T 51366-2019")
    assert (declared["kgco2e"], declared["kind"], declared["source"]) == ("2600", "epd", "EPD China EPD-7")
    assert body["items"][2]["certificates"][0]["kind"] == "green_product"
    assert body["items"][2]["offer"]["amounts"]["gross"] == "33500.00"


async def test_things_of_other_types_are_compared_and_what_one_does_not_have_is_none(market: Market):
    supplier = market.supplier()
    await market.offer(supplier, BAR)
    await market.offer(supplier, CONCRETE, price="400", currency="USD")
    await market.follow()
    body = (await compare(market, as_=market.buyer, variant=[BAR, CONCRETE])).json()
    rows = {row["key"]: row["values"] for row in body["properties"]}
    assert rows["diameter"] == ["20", None]
    assert rows["slump"] == [None, "180"]
    assert [item["landed_per_base_unit"] for item in body["items"]] == ["3253", None]


async def test_hidden_offers_are_not_there(market: Market):
    supplier, party = market.supplier(), a_person(Role.BUYER)
    assert party.company_id
    hidden = await market.offer(supplier, BAR, audience=Audience.PARTIES, ids=[party.company_id], price="1.01")
    await market.offer(market.supplier(), BAR, price="3300")
    await market.follow()
    answer = await compare(market, as_=market.buyer, offer=hidden["offer_id"])
    absent = await compare(market, as_=market.buyer, offer=str(new_id()))
    for each in (answer, absent):
        assert (each.status_code, each.json()["code"]) == (404, "ComparedNotFound")
        assert each.json()["errors"][0]["field"] == "offer"
    (seen,) = (await compare(market, as_=market.buyer, variant=BAR)).json()["items"]
    assert (seen["offers_count"], seen["landed_per_base_unit"]) == (1, "3300")
    (own,) = (await compare(market, as_=party, variant=BAR)).json()["items"]
    assert (own["offers_count"], own["landed_per_base_unit"]) == (2, "1.01")


async def test_what_cannot_be_compared_is_told(market: Market):
    await market.variant(BAR)
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({}, 422, "NothingToCompare"),
        ({"variant": [BAR, BAR]}, 422, "NothingToCompare"),
        ({"variant": [BAR] * 11}, 422, "MalformedRequest"),
        ({"variant": [BAR], "offer": [str(new_id()) for _ in range(10)]}, 422, "NothingToCompare"),
        ({"variant": "RB-HRB|diameter=20"}, 404, "ComparedNotFound"),
        ({"variant": "'; DROP TABLE x; --"}, 404, "ComparedNotFound"),
        ({"offer": "nonsense"}, 422, "MalformedRequest"),
        ({"variant": BAR, "quantity": "1"}, 422, "QuantityWithoutUnit"),
        ({"variant": BAR, "quantity": "1", "unit": "stone"}, 422, "UnknownUnit"),
    ]
    for params, status, code in cases:
        answer = await compare(market, as_=market.buyer, **params)
        assert (answer.status_code, answer.json()["code"]) == (status, code), params
