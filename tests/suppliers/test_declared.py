"""What an offer declares beside its price: edition, freight, certificates, EPD; by API, by file, and what it costs."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.suppliers.offers.rules import Surcharge, freight_to
from shared.identity import Scope
from shared.ids import new_id
from tests.conftest import a_service, signed_in
from tests.suppliers.test_offers import OFFER, TERMS
from tests.suppliers.world import World, csv_of, new_items

DECLARED: dict[str, Any] = {
    "standard": "GB 1499.2-2024",
    "freight": [
        {"region": "12", "price": "35.00"},
        {"region": "110100", "price": "20"},
        {"region": "11", "price": "28"},
    ],
    "certificates": [
        {"kind": "test_report", "number": "R-1", "issuer": "国检", "valid_until": None},
        {"kind": "production_permit", "number": "XK05-001", "issuer": "SAMR", "valid_until": "2028-06-30"},
    ],
    "epd": {"number": "EPD-1", "programme": "EPD China", "kgco2e": "2310.50", "valid_until": "2029-12-31"},
}
SHOWN = {
    "standard": "GB 1499.2-2024",
    "freight": [
        {"region": "11", "price": "28"},
        {"region": "110100", "price": "20"},
        {"region": "12", "price": "35"},
    ],
    "certificates": [DECLARED["certificates"][1], DECLARED["certificates"][0]],
    "epd": {"number": "EPD-1", "programme": "EPD China", "kgco2e": "2310.5", "valid_until": "2029-12-31"},
}
HEADER = "item_no,standard,freight,certificates,epd"
ROW = (
    "A-1,ＧＢ  1499.2—2024,12=35.00；110100=20;11=28,"
    "test_report:R-1:国检;production_permit:XK05-001:SAMR:2028-06-30,EPD-1:EPD China:2310.50:2029-12-31"
)


def declared(offer: dict[str, Any]) -> dict[str, Any]:
    return {name: offer[name] for name in SHOWN}


async def last_event(world: World) -> dict[str, Any]:
    rows = await world.rows("SELECT data FROM events WHERE type LIKE '%offers.changed%' ORDER BY time DESC LIMIT 1")
    state: dict[str, Any] = rows[0]["data"]["offers"][0]
    return state


async def test_an_offer_declares_by_the_api_and_all_hear_of_it(world: World):
    answer = await world.call("POST", "/suppliers/offers", world.erp, json={**OFFER, **DECLARED})
    assert answer.status_code == 201, answer.text
    assert declared(answer.json()) == SHOWN
    assert declared(await last_event(world)) == SHOWN
    path = f"/suppliers/offers/{answer.json()['id']}"
    assert declared((await world.call("GET", path, world.buyer)).json()) == SHOWN
    emptied = await world.call("PUT", path, world.erp, version=1, json=TERMS)
    nothing: dict[str, Any] = {"standard": None, "freight": [], "certificates": [], "epd": None}
    assert declared(emptied.json()) == nothing
    assert declared(await last_event(world)) == nothing


async def test_a_file_declares_the_same_and_the_same_again_changes_nothing(world: World):
    await world.synced(new_items("A-1"))
    first = await world.synced(csv_of(ROW, header=HEADER))
    assert first["counts"]["accepted"] == 1, first
    offers = await world.offers()
    assert declared(offers["A-1", "default"]) == SHOWN
    assert declared(await last_event(world)) == SHOWN
    as_json = {"item_no": "A-1", **DECLARED}
    as_texts = dict(zip(HEADER.split(","), ROW.split(","), strict=True))
    for again in (as_json, as_texts, {**as_json, "freight": {"11": "28.0", "110100": "20", "12": 35}}):
        view = await world.synced(json.dumps(again) + "\n", kind="application/x-ndjson")
        assert (view["counts"]["unchanged"], view["problems"]) == (1, [])
    repriced = await world.synced(csv_of(ROW + ",3251", header=HEADER + ",price"))
    assert repriced["counts"]["accepted"] == 1
    assert declared((await world.offers())["A-1", "default"]) == SHOWN


async def test_a_row_without_these_columns_leaves_them_and_none_takes_them_away(world: World):
    await world.synced(new_items("A-1"))
    await world.synced(csv_of(ROW, header=HEADER))
    await world.synced(csv_of("A-1,3300,5", header="item_no,price,lead_time_days"))
    await world.synced(csv_of("A-1,,,,", header=HEADER))
    assert declared((await world.offers())["A-1", "default"]) == SHOWN
    assert declared(await last_event(world)) == SHOWN
    view = await world.synced(csv_of("A-1,none,无,none,none", header=HEADER))
    assert view["counts"]["accepted"] == 1
    left = (await world.offers())["A-1", "default"]
    assert declared(left) == {"standard": None, "freight": [], "certificates": [], "epd": None}
    assert (await world.synced(csv_of("A-1,none,none,none,none", header=HEADER)))["counts"]["unchanged"] == 1


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("freight", "11"),
        ("freight", "11=x"),
        ("freight", "11=-1"),
        ("freight", "1=5"),
        ("freight", "11=1;110000=2"),
        ("freight", "11=1.1234567"),
        ("certificates", "iso9002:1:TUV:2028-01-01"),
        ("certificates", "ccc:1"),
        ("certificates", "ccc:1:CQC:2028-02-30"),
        ("certificates", "ccc:1:CQC;ccc:1:CQC"),
        ("epd", "EPD-1:EPD China:0:2029-12-31"),
        ("epd", "EPD-1:EPD China:12"),
        ("epd", "12"),
        ("standard", "x" * 101),
    ],
)
async def test_a_cell_that_cannot_be_read_rejects_its_row_only(world: World, column: str, cell: str):
    await world.synced(new_items("A-1", "B-1"))
    view = await world.synced(csv_of(f"A-1,{cell},9", "B-1,,9", header=f"item_no,{column},lead_time_days"))
    assert (view["counts"]["rejected"], view["counts"]["accepted"]) == (1, 1)
    assert view["problems"][0]["field"] == column
    offers = await world.offers()
    assert (offers["A-1", "default"]["lead_time_days"], offers["B-1", "default"]["lead_time_days"]) == (0, 9)


@pytest.mark.parametrize(
    "changes",
    [
        {"freight": [{"region": "11", "price": 28.5}]},
        {"freight": [{"region": "11", "price": "1"}, {"region": "110000", "price": "2"}]},
        {"freight": [{"region": f"{number:06}", "price": "1"} for number in range(501)]},
        {"freight": [{"region": "11", "price": "NaN"}]},
        {"certificates": [{"kind": "ccc", "number": str(number), "issuer": "CQC"} for number in range(21)]},
        {"certificates": [{"kind": "vde", "number": "1", "issuer": "VDE"}]},
        {"certificates": [{"kind": "ccc", "number": "1\x00", "issuer": "CQC"}]},
        {"epd": {"number": "1", "programme": "x", "kgco2e": "-1", "valid_until": "2029-12-31"}},
        {"epd": {"number": "1", "programme": "x", "kgco2e": "1", "valid_until": "9999-12-31"}},
        {"standard": " "},
        {"standard": "GB\x001"},
    ],
)
async def test_the_api_refuses_what_cannot_be_declared(world: World, changes: dict[str, Any]):
    answer = await world.call("POST", "/suppliers/offers", world.erp, json={**OFFER, **changes})
    assert (answer.status_code, answer.json()["code"]) == (422, "MalformedRequest")
    assert next(iter(changes)) in json.dumps(answer.json()["errors"])


async def reserved(world: World, offer_id: str, *, region: str, quantity: str = "2") -> dict[str, Any]:
    line = {"line_no": 1, "offer_id": offer_id, "quantity": quantity, "unit": "t", "need_by": "2099-01-01"}
    basket = {"reservation_id": str(new_id()), "buyer_company_id": str(new_id()), "currency": "CNY"}
    answer = await world.http.post(
        "/suppliers/reservations",
        json={"baskets": [{**basket, "region": region, "lines": [line]}]},
        headers=signed_in(a_service(Scope.RESERVATIONS_WRITE)),
    )
    result: dict[str, Any] = answer.json()["results"][0]
    return result


async def test_quote_and_reservation_land_the_price_at_the_place_of_delivery(world: World):
    made = await world.call(
        "POST",
        "/suppliers/offers",
        world.erp,
        json={**OFFER, **DECLARED, "stock_point": None, "tiers": [{"min_quantity": "10", "price": "3200"}]},
    )
    offer_id = made.json()["id"]
    for region, quantity, landed, freight in (
        ("110105", "2", "3273", "20"),
        ("110200", "2", "3281", "28"),
        ("120101", "12", "3235", "35"),
        ("330100", "12", "3200", "0"),
    ):
        line = {"offer_id": offer_id, "quantity": quantity, "unit": "t"}
        body = {"lines": [line], "region": region}
        quoted = (await world.call("POST", "/suppliers/offers/quote", world.buyer, json=body)).json()["lines"][0]
        assert (Decimal(quoted["unit_price"]), Decimal(quoted["freight"])) == (Decimal(landed), Decimal(freight))
        assert Decimal(quoted["gross"]) == Decimal(landed) * Decimal(quantity)
        held = await reserved(world, offer_id, region=region, quantity=quantity)
        assert Decimal(held["lines"][0]["unit_price"]) == Decimal(landed), held
    await world.call("PUT", f"/suppliers/offers/{offer_id}", world.erp, version=1, json={**TERMS, "stock_point": None})
    assert Decimal((await reserved(world, offer_id, region="110105"))["lines"][0]["unit_price"]) == Decimal(3253)


async def test_a_price_that_only_fits_without_its_freight_is_refused_not_broken(world: World):
    terms = {**OFFER, "stock_point": None, "price": "999999999999", "freight": [{"region": "11", "price": "1"}]}
    offer_id = (await world.call("POST", "/suppliers/offers", world.erp, json=terms)).json()["id"]
    assert (await reserved(world, offer_id, region="110105"))["refusals"][0]["code"] == "PriceTooLarge"
    assert (await reserved(world, offer_id, region="330105", quantity="1"))["outcome"] == "held"


REGIONS = st.sampled_from(["11", "110000", "1101", "110100", "110105", "12", "120000", "33", "330100", "330106"])


@given(st.dictionaries(REGIONS.filter(lambda region: len(region) != 4), st.integers(0, 99)), REGIONS)
def test_no_smaller_region_that_holds_the_place_is_passed_over(freight: dict[str, int], place: str):
    def head(region: str) -> str:
        return region.rstrip("0") if region[:2] != region else region

    entries = [Surcharge(region=region, price=Decimal(price)) for region, price in freight.items()]
    got = freight_to(freight=entries, region=place)
    holding = [region for region in freight if place.startswith(head(region))]
    if not holding:
        assert got == 0
    else:
        longest = max(len(head(region)) for region in holding)
        assert got in {freight[region] for region in holding if len(head(region)) == longest}


def test_the_file_header_may_be_chinese():
    from services.suppliers.imports.rules import columns_of

    assert columns_of(["物料编码", "执行标准", "运费", "证书", "EPD"]) == HEADER.split(",")
