"""A basket is held whole or not at all, with prices frozen and every reason told."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from shared.contracts.reservations import ReservedLine, ReserveResult
from shared.identity import Role
from shared.ids import new_id
from tests.conftest import a_person, signed_in
from tests.suppliers.reservations.world import RESERVER, a_basket, a_line, release, reserve, reserve_one, today


async def test_a_basket_over_two_suppliers_is_held_with_its_prices_frozen(market, http):
    steel = await market.an_offer(tiers='[{"min_quantity": "10", "price": "3205.50"}]')
    bolts = await market.an_offer(price=Decimal("0.125"), tax_inclusive=False)
    basket = a_basket(a_line(steel, "12.5"), a_line(bolts, "3"))
    (result,) = await reserve(http, basket)
    assert (result["outcome"], result["state"], result["refusals"]) == ("held", "HELD", [])
    first, second = ReserveResult.model_validate(result).lines
    ((name, tax_id),) = await market.run(
        "SELECT name, tax_id FROM suppliers WHERE company_id = :id", id=steel.supplier_id
    )
    ((variant_id,),) = await market.run("SELECT id FROM known_variants")
    assert first == ReservedLine(
        line_no=1,
        offer_id=steel.id,
        supplier_id=steel.supplier_id,
        supplier_name=name,
        supplier_tax_id=tax_id,
        item_no=steel.item_no,
        stock_point="main",
        variant_id=variant_id,
        variant_key="RB-HRB|diameter=20",
        name_zh="螺纹钢",
        name_en="Rebar",
        brand="沙钢",
        spec_hash="ab12",
        quantity=Decimal("12.5"),
        unit="t",
        unit_decimals=3,
        priced_quantity=Decimal("12.5"),
        price_unit="t",
        base_quantity=Decimal("12.500"),
        base_unit="t",
        base_decimals=3,
        unit_factor=Decimal(1),
        unit_price=Decimal("3205.50"),
        currency="CNY",
        tax_rate=Decimal("0.13"),
        tax_inclusive=True,
        lead_time_days=2,
        promised_by=today() + timedelta(days=2),
    )
    assert (second.unit_price, second.tax_inclusive) == (Decimal("0.125"), False)
    assert await market.reserved(steel) == Decimal("12.5")
    assert await market.reserved(bolts) == 3
    assert await market.drift() == []


async def test_another_unit_is_converted_once_to_the_base_unit(market, http):
    steel = await market.an_offer()
    result = await reserve_one(http, a_line(steel, "100", unit="piece"))
    (line,) = ReserveResult.model_validate(result).lines
    assert (line.quantity, line.unit, line.unit_factor) == (Decimal(100), "piece", Decimal("0.02964"))
    assert (line.base_quantity, line.priced_quantity, line.price_unit) == (Decimal("2.964"), Decimal("2.964"), "t")
    assert await market.reserved(steel) == Decimal("2.964")


async def test_lines_on_the_same_stock_are_summed_before_asking(market, http):
    steel = await market.an_offer(on_hand="10")
    result = await reserve_one(http, a_line(steel, "6"), a_line(steel, "5"))
    assert result["outcome"] == "refused"
    assert [(each["line_no"], each["code"], each["available"]) for each in result["refusals"]] == [
        (1, "InsufficientStock", "10.000"),
        (2, "InsufficientStock", "10.000"),
    ]
    held = await reserve_one(http, a_line(steel, "6"), a_line(steel, "4"))
    assert held["outcome"] == "held"
    assert await market.stock(steel) == (10, 10, 0)
    assert await market.drift() == []


async def test_one_short_line_refuses_the_whole_basket_and_takes_nothing(market, http):
    plenty, scarce = await market.an_offer(), await market.an_offer(on_hand="2")
    result = await reserve_one(http, a_line(plenty, "5"), a_line(scarce, "3"))
    assert [(each["line_no"], each["available"]) for each in result["refusals"]] == [(2, "2.000")]
    assert await market.reserved(plenty) == 0
    assert await market.states() == {}


async def test_in_one_call_only_the_baskets_that_are_short_are_refused(market, http):
    steel, other = await market.an_offer(on_hand="10"), await market.an_offer(on_hand="100")
    baskets = [
        a_basket(a_line(steel, "6"), a_line(other)),
        a_basket(a_line(steel, "5"), a_line(other)),
        a_basket(a_line(steel, "4"), a_line(other)),
        a_basket(a_line(other)),
    ]
    results = await reserve(http, *baskets)
    assert [result["outcome"] for result in results] == ["held", "refused", "held", "held"]
    assert results[1]["refusals"][0]["available"] == "4.000"
    assert await market.reserved(steel) == 10
    assert await market.reserved(other) == 3
    assert await market.drift() == []


async def test_made_to_order_takes_no_stock(market, http):
    made = await market.an_offer(on_hand=None)
    result = await reserve_one(http, a_line(made, "5000"))
    assert result["outcome"] == "held"
    assert result["lines"][0]["stock_point"] is None
    assert await market.drift() == []
    assert await release(http, result["reservation_id"]) == ["RELEASED"]


async def test_a_stock_point_that_was_never_counted_has_nothing(market, http):
    steel = await market.an_offer(on_hand=None, stock_point="harbour")
    result = await reserve_one(http, a_line(steel, "1"))
    assert [(each["code"], each["available"]) for each in result["refusals"]] == [("InsufficientStock", "0")]


@pytest.mark.parametrize(
    ("changes", "line", "code", "field"),
    [
        ({"status": "WITHDRAWN"}, {}, "OfferExpired", "offer_id"),
        ({"item_status": "WITHDRAWN"}, {}, "OfferExpired", "offer_id"),
        ({"valid_until": date(2020, 1, 2)}, {}, "OfferExpired", "offer_id"),
        ({"valid_from": date(2090, 1, 1)}, {}, "OfferNotYetValid", "offer_id"),
        ({"regions": ["31"]}, {}, "RegionNotServed", "region"),
        ({"currency": "EUR"}, {}, "CurrencyMismatch", "currency"),
        ({}, {"unit": "m3"}, "UnitNotConvertible", "unit"),
        ({}, {"quantity": "1.2345"}, "QuantityTooPrecise", "quantity"),
        ({}, {"quantity": "1.5", "unit": "piece"}, "QuantityTooPrecise", "quantity"),
        ({"min_quantity": Decimal(5)}, {"quantity": "4"}, "BelowMinimum", "quantity"),
        ({"step_quantity": Decimal(5)}, {"quantity": "12"}, "NotAStepMultiple", "quantity"),
        ({}, {"quantity": "1000.001"}, "InsufficientStock", "quantity"),
        ({"lead_time_days": 30}, {"need_by": today() + timedelta(days=29)}, "NeedByTooEarly", "need_by"),
        ({}, {"need_by": date(2020, 1, 1)}, "NeedByTooEarly", "need_by"),
        (
            {"on_hand": None, "unit": "kt", "unit_factor": Decimal(1000)},
            {"quantity": "1000000000000", "unit": "kt"},
            "QuantityTooLarge",
            "quantity",
        ),
    ],
)
async def test_each_reason_against_a_line_has_its_own_code(market, http, changes, line, code, field):
    offer, good = await market.an_offer(**changes), await market.an_offer()
    result = await reserve_one(http, a_line(good), a_line(offer, **line))
    assert result["outcome"] == "refused"
    assert [(each["line_no"], each["code"], each["field"]) for each in result["refusals"]] == [(2, code, field)]
    assert await market.reserved(good) == 0
    assert await market.states() == {}


async def test_every_reason_of_every_line_is_told_at_once(market, http):
    offer = await market.an_offer(currency="EUR", min_quantity=Decimal(5))
    result = await reserve_one(http, a_line(offer, "1"), a_line(new_id()))
    assert {(each["line_no"], each["code"]) for each in result["refusals"]} == {
        (1, "CurrencyMismatch"),
        (1, "BelowMinimum"),
        (2, "OfferNotFound"),
    }


@pytest.mark.parametrize("status", ["REGISTERED", "SUSPENDED", "EXITED"])
async def test_only_a_qualified_supplier_is_ordered_from(market, http, status):
    offer = await market.an_offer(await market.a_supplier(status=status))
    result = await reserve_one(http, a_line(offer))
    assert [each["code"] for each in result["refusals"]] == ["SupplierNotQualified"]


async def test_an_offer_is_found_only_by_the_buyers_it_is_meant_for(market, http):
    buyer, group, circle = new_id(), new_id(), new_id()
    supplier = await market.a_supplier()
    for_one = await market.an_offer(supplier, audience="PARTIES", audience_keys=[f"company:{buyer}"])
    for_group = await market.an_offer(supplier, audience="ORG", audience_keys=[f"group:{group}"])
    for_circle = await market.an_offer(supplier, audience="CIRCLE", audience_keys=[f"circle:{circle}"])
    basket = (a_line(for_one), a_line(for_group), a_line(for_circle))
    stranger = await reserve_one(http, *basket)
    assert [each["code"] for each in stranger["refusals"]] == ["OfferNotFound"] * 3
    meant = await reserve_one(http, *basket, buyer_company_id=buyer, buyer_group_id=group, buyer_circle_ids=[circle])
    assert meant["outcome"] == "held"
    again = await reserve_one(http, *basket)
    assert again["outcome"] == "refused", "what another buyer saw a moment ago is not shown to this one"


async def test_a_changed_offer_is_noticed_by_the_next_basket(market, http):
    offer = await market.an_offer()
    await reserve_one(http, a_line(offer))
    await market.run("UPDATE offers SET price = 9 WHERE id = :id", id=offer.id)
    cheaper = await reserve_one(http, a_line(offer))
    assert cheaper["lines"][0]["unit_price"] == "9.000000"
    await market.run("UPDATE suppliers SET status = 'SUSPENDED' WHERE company_id = :id", id=offer.supplier_id)
    refused = await reserve_one(http, a_line(offer))
    assert [each["code"] for each in refused["refusals"]] == ["SupplierNotQualified"]


async def test_stock_that_runs_low_and_out_is_told_and_ordinary_orders_are_not(market, http):
    offer = await market.an_offer(on_hand="100")
    for quantity in ("10", "80", "5", "5"):
        assert (await reserve_one(http, a_line(offer, quantity)))["outcome"] == "held"
    rows = await market.run("SELECT type, subject, data FROM events ORDER BY seq")
    assert [
        (row.type, row.subject, row.data["stock"][0]["band"], row.data["stock"][0]["available"]) for row in rows
    ] == [
        ("dev.dougong.suppliers.stock.changed.v1", str(offer.supplier_id), "low", "5.000"),
        ("dev.dougong.suppliers.stock.changed.v1", str(offer.supplier_id), "out", "0.000"),
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"quantity": "0"}, "baskets.0.lines.0.quantity"),
        ({"quantity": "-1"}, "baskets.0.lines.0.quantity"),
        ({"quantity": 1.5}, "baskets.0.lines.0.quantity"),
        ({"quantity": "NaN"}, "baskets.0.lines.0.quantity"),
        ({"unit": ""}, "baskets.0.lines.0.unit"),
        ({"line_no": 0}, "baskets.0.lines.0.line_no"),
        ({"price": "1"}, "baskets.0.lines.0.price"),
    ],
)
async def test_a_malformed_line_is_a_malformed_request(http, change, field):
    basket = a_basket(a_line(new_id()))
    basket["lines"][0] |= change
    answer = await http.post("/suppliers/reservations", json=_plain(basket), headers=RESERVER)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_line_numbers_are_unique_in_a_basket(http):
    basket = a_basket(a_line(new_id()), a_line(new_id()))
    basket["lines"][1]["line_no"] = 1
    answer = await http.post("/suppliers/reservations", json=_plain(basket), headers=RESERVER)
    assert (answer.status_code, answer.json()["code"]) == (422, "MalformedRequest")


async def test_10001_lines_are_too_many(http):
    basket = a_basket(*[a_line(new_id())] * 10_001)
    answer = await http.post("/suppliers/reservations", json=_plain(basket), headers=RESERVER)
    assert answer.status_code == 422


async def test_only_a_service_with_the_right_reserves(http):
    body = _plain(a_basket(a_line(new_id())))
    assert (await http.post("/suppliers/reservations", json=body)).status_code == 401
    buyer = signed_in(a_person(Role.BUYER))
    assert (await http.post("/suppliers/reservations", json=body, headers=buyer)).status_code == 403
    operator = signed_in(a_person(Role.OPERATOR))
    ids = {"reservation_ids": [str(new_id())]}
    assert (await http.post("/suppliers/reservations/release", json=ids, headers=operator)).status_code == 403


async def test_a_large_basket_is_held_in_one_piece(market, http):
    supplier = await market.a_supplier()
    offers = [await market.an_offer(supplier) for _ in range(3)]
    lines = [a_line(offers[number % 3], "0.5") for number in range(3_000)]
    result = await reserve_one(http, *lines)
    assert result["outcome"] == "held"
    assert len(result["lines"]) == 3_000
    assert await market.reserved(offers[0]) == 500


def _plain(basket):
    body = {**basket, "reservation_id": str(basket["reservation_id"])}
    body["buyer_company_id"] = str(basket["buyer_company_id"])
    body["lines"] = [
        {**line, "offer_id": str(line["offer_id"]), "need_by": str(line["need_by"])} for line in basket["lines"]
    ]
    return {"baskets": [body]}
