"""Placing a basket: what the buyer gets, what is written, and what is refused."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from shared.clients.transport import ServiceAway, ServiceRefused, ServiceUnknown
from shared.contracts.orders import BasketPlaced, BasketPlacement, BuyerOrder
from shared.identity import Role
from tests.conftest import a_person, once, signed_in
from tests.figures import tells
from tests.orders.conftest import NEED_BY, World, steel

D = Decimal


async def test_the_rebar_order_is_right_to_the_cent(world: World) -> None:
    bars = steel(world)

    basket = await world.placed(
        *(world.line(bar, q) for bar, q in zip(bars, ("9.855", "22.625", "27.063"), strict=True))
    )

    order = BasketPlacement.model_validate(basket).orders[0]
    assert [(line.gross, line.net, line.tax) for line in order.lines] == [
        (D("33536.57"), D("29678.38"), D("3858.19")),
        (D("73599.13"), D("65131.97"), D("8467.16")),
        (D("89524.40"), D("79225.13"), D("10299.27")),
    ]
    totals = order.totals
    assert (totals.gross, totals.net, totals.tax) == (D("196660.10"), D("174035.48"), D("22624.62"))
    assert [rate.tax_rate for rate in totals.by_rate] == [D("0.13")]


async def test_one_order_for_each_supplier_under_one_basket(world: World) -> None:
    trader, factory = world.suppliers.offer(), world.suppliers.offer(tax_rate="0.01", price="2.68")

    basket = await world.placed(
        world.line(trader, "1"), world.line(factory, "100"), world.line(trader, "2.5"), note="urgent"
    )

    first, second = basket["orders"]
    year = datetime.now(UTC).year
    assert [first["number"], second["number"]] == [f"PO-{year}-000001", f"PO-{year}-000002"]
    assert [line["line_no"] for line in first["lines"]] == [1, 3]
    assert [line["line_no"] for line in second["lines"]] == [2]
    assert [rate["tax_rate"] for rate in basket["totals"]["by_rate"]] == ["0.01", "0.13"]
    assert D(basket["totals"]["gross"]) == D(first["totals"]["gross"]) + D(second["totals"]["gross"])
    assert first["state"] == "ISSUED"
    assert first["awaits"] == ["supplier"]
    assert first["buyer"]["tax_id"] == "91110000MA4GCAL01D"
    assert first["delivery"]["region"] == "110105"


async def test_what_was_answered_is_what_is_read_afterwards(world: World) -> None:
    offer = world.suppliers.offer()
    basket = await world.placed(world.line(offer, "1.5", cost_code='a"b\\c', note="第5层 {x,y}"), instructions="NULL")

    read = await world.order(world.buyer, basket["orders"][0]["id"])
    assert read == basket["orders"][0]
    assert BuyerOrder.model_validate(read).lines[0].note == "第5层 {x,y}"
    again = await world.read(world.buyer, f"/orders/baskets/{basket['basket_id']}")
    assert again.json() == basket


@pytest.mark.parametrize("note", ["", "NULL", '"', "\\", "{,}", "a\nb\tc", "😀 第5层", "' OR 1=1 --"])
async def test_any_text_comes_back_as_it_went_in(world: World, note: str) -> None:
    offer = world.suppliers.offer(name_zh=f"螺纹{note}钢")

    basket = await world.placed(world.line(offer, "1", note=note), note=note, instructions=note)

    assert basket["orders"][0]["lines"][0]["note"] == note.strip()
    assert await world.order(world.buyer, basket["orders"][0]["id"]) == basket["orders"][0]


async def test_exclusive_prices_get_their_tax_added(world: World) -> None:
    offer = world.suppliers.offer(price="10.335", tax_inclusive=False)

    basket = await world.placed(world.line(offer, "3"))

    totals = basket["orders"][0]["totals"]
    assert (totals["net"], totals["tax"], totals["gross"]) == ("31.01", "4.03", "35.04")


async def test_the_event_names_reservation_and_lines_and_no_price(world: World) -> None:
    offer = world.suppliers.offer(price="3253.00")
    basket = await world.placed(world.line(offer, "1"), world.line(offer, "2"))

    [event] = await world.events("basket.placed")

    placed = BasketPlaced.model_validate(event)
    assert str(placed.basket_id) == str(placed.reservation_id) == basket["basket_id"]
    assert [line.line_no for line in placed.orders[0].lines] == [1, 2]
    assert str(placed.orders[0].supplier_id) == str(offer.supplier_id)
    assert not tells(str(event), "3253")


async def test_numbers_go_on_and_are_each_buyers_own(world: World) -> None:
    offer = world.suppliers.offer()
    numbers = [(await world.placed(world.line(offer, "1")))["orders"][0]["number"] for _ in range(3)]
    assert [number[-6:] for number in numbers] == ["000001", "000002", "000003"]

    world.buyer = a_person(Role.BUYER)
    project = await world.open_project()
    world.project_id, world.delivery_point_id = project["id"], project["delivery_points"][0]["id"]
    assert (await world.placed(world.line(offer, "1")))["orders"][0]["number"].endswith("000001")


async def test_every_reason_of_every_refused_line_is_told_and_nothing_is_ordered(world: World) -> None:
    short, dollars, good = (
        world.suppliers.offer(stock=D(5)),
        world.suppliers.offer(currency="USD"),
        world.suppliers.offer(),
    )
    ghost = {**world.line(good), "offer_id": str(uuid4())}

    answer = await world.place(world.basket(world.line(good), world.line(short, "6"), world.line(dollars), ghost))

    assert answer.status_code == 409
    problem = answer.json()
    assert problem["code"] == "BasketRefused"
    assert [(error["field"], error["rule"]) for error in problem["errors"]] == [
        ("lines.1.quantity", "InsufficientStock"),
        ("lines.2.offer_id", "CurrencyMismatch"),
        ("lines.3.offer_id", "OfferNotFound"),
    ]
    for table in ("baskets", "purchase_orders", "purchase_order_lines", "events", "idempotency_keys", "order_history"):
        expected = 1 if table == "idempotency_keys" else 0
        assert await world.count(table) == expected, table


async def test_a_refused_basket_may_be_placed_again_with_the_same_key(world: World) -> None:
    offer = world.suppliers.offer(stock=D(5))
    key = once()
    assert (await world.place(world.basket(world.line(offer, "6")), key=key)).status_code == 409

    offer.stock = D(6)

    assert (await world.place(world.basket(world.line(offer, "6")), key=key)).status_code == 201


YESTERDAY = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"quantity": "0"}, "lines.0.quantity", "GreaterThan"),
        ({"quantity": "-1"}, "lines.0.quantity", "GreaterThan"),
        ({"quantity": "1.2345"}, "lines.0.quantity", "QuantityTooPrecise"),
        ({"quantity": 1.5}, "lines.0.quantity", "ValueError"),
        ({"quantity": "NaN"}, "lines.0.quantity", "FiniteNumber"),
        ({"quantity": "1e30"}, "lines.0.quantity", "DecimalMaxDigits"),
        ({"quantity": "999999999999999000"}, "lines.0.quantity", "LessThan"),
        ({"need_by": YESTERDAY}, "lines.0.need_by", "NeedByInPast"),
        ({"need_by": "soon"}, "lines.0.need_by", "DateFromDatetimeParsing"),
        ({"offer_id": "x"}, "lines.0.offer_id", "UuidParsing"),
        ({"unit": ""}, "lines.0.unit", "StringTooShort"),
        ({"price": "1.00"}, "lines.0.price", "UnknownField"),
        ({"cost_code": "a\x00b"}, "lines.0.cost_code", "StringPatternMismatch"),
    ],
)
async def test_a_malformed_line_is_named(world: World, change: dict[str, Any], field: str, rule: str) -> None:
    offer = world.suppliers.offer()

    answer = await world.place(world.basket({**world.line(offer), **change}))

    assert answer.status_code == 422, answer.text
    assert [(error["field"], error["rule"]) for error in answer.json()["errors"]] == [(field, rule)]
    assert world.suppliers.calls == []


async def test_the_largest_quantity_has_room_in_its_column(world: World) -> None:
    offer = world.suppliers.offer(price="0", stock=D(10) ** 16)

    basket = await world.placed(world.line(offer, "999999999999999.999"))

    assert basket["orders"][0]["lines"][0]["quantity"] == "999999999999999.999"


async def test_a_basket_that_suppliers_cannot_read_is_refused_and_may_be_placed_again(world: World) -> None:
    offer = world.suppliers.offer(unreadable=True)
    basket, key = world.basket(world.line(offer)), once()

    answer = await world.place(basket, key=key)

    assert (answer.status_code, answer.json()["code"]) == (409, "BasketRefused")
    assert "cannot be read" in answer.json()["detail"]
    offer.unreadable = False
    assert (await world.place(basket, key=key)).status_code == 201


@pytest.mark.parametrize(
    "fault",
    [
        ServiceAway("members cannot be reached."),
        ServiceUnknown("members did not answer in time."),
        ServiceRefused({"code": "CompanyNotFound", "detail": "No."}, http_status=404),
    ],
)
async def test_a_buyer_that_members_does_not_name_orders_nothing_and_repeats(world: World, fault: Exception) -> None:
    basket, key = world.basket(world.line(world.suppliers.offer())), once()
    world.members.fault = fault

    answer = await world.place(basket, key=key)

    assert (answer.status_code, answer.json()["code"]) == (503, "MembersAway")
    assert answer.headers["retry-after"]
    assert world.suppliers.calls == []
    world.members.fault = None
    assert (await world.place(basket, key=key)).status_code == 201


async def test_ten_thousand_lines_are_one_basket(world: World) -> None:
    offer = world.suppliers.offer(price="1.35")

    basket = await world.placed(*[world.line(offer, "2")] * 10_000)

    assert basket["totals"]["gross"] == "27000.00"
    assert await world.count("purchase_order_lines") == 10_000


async def test_ten_thousand_and_one_lines_are_too_many(world: World) -> None:
    answer = await world.place(world.basket(*[world.line(world.suppliers.offer())] * 10_001))

    assert answer.status_code == 422
    assert answer.json()["code"] == "TooManyLines"
    assert answer.json()["limit"] == 10_000


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"lines": []}', b"\xff\xfe", b'"text"'])
async def test_a_body_that_is_no_basket_is_malformed(world: World, body: bytes) -> None:
    answer = await world.http.post("/orders/baskets", content=body, headers=signed_in(world.buyer) | once())

    assert answer.status_code == 422
    assert answer.json()["code"] == "MalformedRequest"


async def test_orders_go_only_to_an_active_delivery_point_of_an_active_project_of_ones_own(world: World) -> None:
    line = world.line(world.suppliers.offer())
    other = await world.open_project(number="B-2")

    async def code(**change: Any) -> tuple[int, str]:
        answer = await world.place(world.basket(line, **change))
        return answer.status_code, answer.json().get("code", "")

    assert await code(project_id=str(uuid4())) == (404, "ProjectNotFound")
    assert await code(delivery_point_id=str(uuid4())) == (404, "DeliveryPointNotFound")
    assert await code(project_id=other["id"]) == (404, "DeliveryPointNotFound")

    point = f"/orders/projects/{world.project_id}/delivery-points/{world.delivery_point_id}"
    gone = {"name": "Gate 2", "region": "110105", "address": "x", "active": False}
    headers = signed_in(world.buyer) | {"If-Match": '"1"'}
    assert (await world.http.put(point, json=gone, headers=headers)).status_code == 200
    assert await code() == (409, "DeliveryPointClosed")

    hold = {"number": "BJ-2026-07", "name": "x", "status": "ON_HOLD"}
    project = f"/orders/projects/{world.project_id}"
    assert (await world.http.put(project, json=hold, headers=headers)).status_code == 200
    assert await code() == (409, "ProjectNotActive")

    stranger = a_person(Role.BUYER)
    answer = await world.http.post("/orders/baskets", json=world.basket(line), headers=signed_in(stranger) | once())
    assert (answer.status_code, answer.json()["code"]) == (404, "ProjectNotFound")


@pytest.mark.parametrize("role", [Role.REQUESTER, Role.APPROVER, Role.FINANCE, Role.SUPPLIER_SALES, Role.OPERATOR])
async def test_only_buyers_place_orders(world: World, role: Role) -> None:
    person = a_person(role, company_id=world.buyer.company_id)
    answer = await world.http.post(
        "/orders/baskets", json=world.basket(world.line(world.suppliers.offer())), headers=signed_in(person) | once()
    )

    assert (answer.status_code, answer.json()["code"]) == (403, "RightMissing")


async def test_an_amount_beyond_sixteen_digits_is_refused_and_its_goods_let_go(world: World) -> None:
    offer = world.suppliers.offer(price="999999999999.000000", stock=D("1e15"))

    answer = await world.place(world.basket(world.line(offer, "1"), world.line(offer, "99999")))

    assert (answer.status_code, answer.json()["code"]) == (409, "AmountTooLarge")
    assert answer.json()["errors"][0]["field"] == "lines.1.quantity"
    assert len(world.suppliers.released) == 1
    assert await world.count("purchase_orders") == 0


async def test_the_buyers_name_is_asked_once_and_kept_a_little_while(world: World) -> None:
    line = world.line(world.suppliers.offer(), "1", need_by=NEED_BY)
    for _ in range(3):
        await world.placed(line)

    assert world.members.calls == 1
