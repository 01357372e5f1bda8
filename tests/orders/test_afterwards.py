"""What becomes of a placed order: response, decision, cancellation; each with its totals, stock and versions."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from shared.contracts.orders import BuyerOrder, LinesReleased, SupplierOrder
from shared.identity import Role, Scope
from tests.conftest import a_person, an_api_client, once, signed_in
from tests.figures import tells
from tests.orders.conftest import World, steel
from tests.orders.neighbours import Offer

D = Decimal
LATER = (datetime.now(UTC) + timedelta(days=9)).date().isoformat()
YESTERDAY = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()


async def rebar(world: World) -> tuple[Offer, dict[str, Any]]:
    bars = steel(world)
    basket = await world.placed(
        *(world.line(bar, q) for bar, q in zip(bars, ("9.855", "22.625", "27.063"), strict=True))
    )
    return bars[0], basket["orders"][0]


async def released(world: World) -> list[tuple[str, list[tuple[int, str]]]]:
    events = [LinesReleased.model_validate(event) for event in await world.events("lines.released")]
    return [(event.reason, [(line.line_no, str(line.base_quantity)) for line in event.lines]) for event in events]


def states(order: dict[str, Any]) -> list[str]:
    return [line["state"] for line in order["lines"]]


def gross(order: dict[str, Any]) -> str:
    return str(order["totals"]["gross"])


async def ok(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_supplier_accepts_the_whole_order(world: World) -> None:
    offer, order = await rebar(world)

    answered = await ok(await world.act(world.seller(offer), order, "response", {"others": "accept"}))

    assert SupplierOrder.model_validate(answered).state == "CONFIRMED"
    assert (answered["awaits"], answered["version"], gross(answered)) == ([], 2, "196660.10")
    assert await released(world) == []
    [changed] = await world.events("order.changed")
    assert (changed["what"], changed["state"], changed["version"]) == ("answered", "CONFIRMED", 2)
    assert not tells(str(changed), "196660")


async def test_yes_but_and_no_line_by_line(world: World) -> None:
    offer, order = await rebar(world)
    seller = world.seller(offer)
    body = {
        "lines": [
            {"line_no": 1, "answer": "accept"},
            {"line_no": 2, "answer": "change", "quantity": "20", "promised_by": LATER, "reason": "mill stop"},
            {"line_no": 3, "answer": "reject", "reason": "not rolled any more"},
        ]
    }

    answered = await ok(await world.act(seller, order, "response", body))

    assert states(answered) == ["CONFIRMED", "OPEN", "REJECTED"]
    assert (answered["state"], answered["awaits"]) == ("PARTLY_CONFIRMED", ["buyer"])
    assert answered["lines"][1]["pending_change"]["quantity"] == "20"
    assert answered["lines"][1]["quantity"] == "22.625", "nothing changes before the buyer decides"
    assert (answered["lines"][2]["quantity"], answered["lines"][2]["ordered_quantity"]) == ("0", "27.063")
    assert gross(answered) == "107135.70"
    assert await released(world) == [("rejected", [(3, "27.063")])]

    decided = await ok(
        await world.act(world.buyer, answered, "changes/decision", {"lines": [{"line_no": 2, "decision": "accept"}]})
    )

    line = BuyerOrder.model_validate(decided).lines[1]
    assert (line.state, line.quantity, line.ordered_quantity) == ("CONFIRMED", D(20), D("22.625"))
    assert line.promised_by.isoformat() == LATER
    assert (line.gross, line.net, line.tax) == (D("65060.00"), D("57575.22"), D("7484.78"))
    assert (decided["state"], decided["awaits"], gross(decided)) == ("CONFIRMED", [], "98596.57")
    assert await released(world) == [("rejected", [(3, "27.063")]), ("reduced", [(2, "2.625")])]


async def test_a_declined_change_leaves_the_line_open_for_a_new_answer(world: World) -> None:
    offer, order = await rebar(world)
    seller = world.seller(offer)
    later = {"lines": [{"line_no": 1, "answer": "change", "promised_by": LATER}]}
    answered = await ok(await world.act(seller, order, "response", later))

    declined = await ok(await world.act(world.buyer, answered, "changes/decision", {"others": "decline"}))

    assert states(declined) == ["OPEN", "OPEN", "OPEN"]
    assert declined["lines"][0]["pending_change"] is None
    assert declined["awaits"] == ["supplier"]
    accepted = await ok(await world.act(seller, declined, "response", {"others": "accept"}))
    assert accepted["state"] == "CONFIRMED"


async def test_a_new_answer_overtakes_the_one_before(world: World) -> None:
    offer, order = await rebar(world)
    seller = world.seller(offer)
    first = {"lines": [{"line_no": 1, "answer": "change", "quantity": "5"}]}
    second = {"lines": [{"line_no": 1, "answer": "change", "quantity": "7"}]}
    answered = await ok(await world.act(seller, order, "response", first))
    answered = await ok(await world.act(seller, answered, "response", second))
    assert answered["lines"][0]["pending_change"]["quantity"] == "7"

    left = await ok(await world.act(seller, answered, "response", {"others": "accept"}))

    assert states(left) == ["OPEN", "CONFIRMED", "CONFIRMED"], "`others` leaves what waits for the buyer alone"
    assert left["awaits"] == ["buyer"]


@pytest.mark.parametrize(
    ("answer", "status", "field", "rule"),
    [
        ({"answer": "change", "quantity": "9.856"}, 409, "lines.0.quantity", "QuantityRaised"),
        ({"answer": "change", "quantity": "9.855"}, 409, "lines.0.answer", "NothingChanged"),
        ({"answer": "change", "quantity": "1.2345"}, 409, "lines.0.quantity", "QuantityTooPrecise"),
        ({"answer": "change", "promised_by": YESTERDAY}, 409, "lines.0.promised_by", "PromiseInPast"),
        ({"line_no": 4, "answer": "accept"}, 409, "lines.0.line_no", "NoSuchLine"),
        ({"answer": "change"}, 422, "lines.0", "ValueError"),
        ({"answer": "reject"}, 422, "lines.0", "ValueError"),
        ({"answer": "accept", "quantity": "1"}, 422, "lines.0", "ValueError"),
        ({"answer": "change", "quantity": "0"}, 422, "lines.0.quantity", "GreaterThan"),
        ({"answer": "maybe"}, 422, "lines.0.answer", "LiteralError"),
    ],
)
async def test_a_response_that_does_not_fit_changes_nothing(
    world: World, answer: dict[str, Any], status: int, field: str, rule: str
) -> None:
    offer, order = await rebar(world)

    refused = await world.act(world.seller(offer), order, "response", {"lines": [{"line_no": 1, **answer}]})

    assert refused.status_code == status, refused.text
    assert [(error["field"], error["rule"]) for error in refused.json()["errors"]] == [(field, rule)]
    assert await world.order(world.buyer, order["id"]) == order


async def test_one_misfit_refuses_the_whole_response(world: World) -> None:
    offer, order = await rebar(world)
    body = {"lines": [{"line_no": 1, "answer": "accept"}, {"line_no": 2, "answer": "change", "quantity": "99"}]}

    assert (await world.act(world.seller(offer), order, "response", body)).json()["code"] == "ResponseRefused"
    assert states(await world.order(world.buyer, order["id"])) == ["OPEN", "OPEN", "OPEN"]


async def test_an_answered_line_cannot_be_answered_again(world: World) -> None:
    offer, order = await rebar(world)
    seller = world.seller(offer)
    answered = await ok(await world.act(seller, order, "response", {"others": "accept"}))
    reject = {"lines": [{"line_no": 1, "answer": "reject", "reason": "x"}]}

    refused = await world.act(seller, answered, "response", reject)
    assert refused.json()["errors"][0]["rule"] == "LineNotOpen"
    none = await world.act(seller, answered, "response", {"others": "accept"})
    assert (none.status_code, none.json()["code"]) == (409, "ResponseRefused")


async def test_quantities_in_pieces_and_tonnes_release_exact_base_quantities(world: World) -> None:
    bars = world.suppliers.offer(
        unit="piece", unit_decimals=0, price_unit="t", base_unit="t", factor="0.02964", price="3253.00"
    )
    order = (await world.placed(world.line(bars, "800")))["orders"][0]
    assert (order["lines"][0]["base_quantity"], order["lines"][0]["priced_quantity"]) == ("23.712", "23.712")
    seller = world.seller(bars)
    half = {"lines": [{"line_no": 1, "answer": "change", "quantity": "779.5"}]}
    assert (await world.act(seller, order, "response", half)).json()["errors"][0]["rule"] == "QuantityTooPrecise"
    fewer = {"lines": [{"line_no": 1, "answer": "change", "quantity": "780"}]}
    answered = await ok(await world.act(seller, order, "response", fewer))

    decided = await ok(await world.act(world.buyer, answered, "changes/decision", {"others": "accept"}))

    line = decided["lines"][0]
    assert (line["quantity"], line["base_quantity"], line["priced_quantity"]) == ("780", "23.119", "23.119")
    assert line["gross"] == "75206.11"
    cancelled = await ok(await world.act(world.buyer, decided, "cancellation", {"reason": "x"}))
    await ok(await world.act(seller, cancelled, "cancellation/decision", {"others": "accept"}))
    assert await released(world) == [("reduced", [(1, "0.593")]), ("cancelled", [(1, "23.119")])]


async def test_before_confirmation_cancelling_is_free(world: World) -> None:
    offer, order = await rebar(world)
    change = {"lines": [{"line_no": 2, "answer": "change", "quantity": "1"}]}
    answered = await ok(await world.act(world.seller(offer), order, "response", change))

    one = await ok(await world.act(world.buyer, answered, "cancellation", {"lines": [2], "reason": "redesign"}))

    assert (states(one), one["awaits"]) == (["OPEN", "CANCELLED", "OPEN"], ["supplier"])
    assert one["lines"][1]["pending_change"] is None
    rest = await ok(await world.act(world.buyer, one, "cancellation", {"reason": "redesign"}))
    assert (rest["state"], rest["awaits"], gross(rest), rest["totals"]["by_rate"]) == ("CANCELLED", [], "0.00", [])
    assert await released(world) == [("cancelled", [(2, "22.625")]), ("cancelled", [(1, "9.855"), (3, "27.063")])]
    again = await world.act(world.buyer, rest, "cancellation", {"reason": "redesign"})
    assert (again.status_code, again.json()["code"]) == (409, "CancellationRefused")


async def test_after_confirmation_cancelling_needs_the_supplier(world: World) -> None:
    offer, order = await rebar(world)
    seller = world.seller(offer)
    order = await ok(await world.act(seller, order, "response", {"lines": [{"line_no": 1, "answer": "accept"}]}))

    asked = await ok(await world.act(world.buyer, order, "cancellation", {"reason": "redesign"}))

    assert states(asked) == ["CONFIRMED", "CANCELLED", "CANCELLED"]
    assert asked["lines"][0]["pending_change"]["kind"] == "cancellation"
    assert (asked["state"], asked["awaits"]) == ("CONFIRMED", ["supplier"])
    twice = await world.act(world.buyer, asked, "cancellation", {"lines": [1], "reason": "redesign"})
    assert twice.json()["errors"][0]["rule"] == "AlreadyAsked"
    kept = await ok(await world.act(seller, asked, "cancellation/decision", {"others": "decline"}))
    assert (states(kept)[0], kept["awaits"]) == ("CONFIRMED", [])
    asked = await ok(await world.act(world.buyer, kept, "cancellation", {"lines": [1], "reason": "please"}))
    gone = await ok(await world.act(seller, asked, "cancellation/decision", {"others": "accept"}))
    assert (gone["state"], gross(gone)) == ("CANCELLED", "0.00")
    assert (await released(world))[-1] == ("cancelled", [(1, "9.855")])


async def test_lines_that_cannot_be_cancelled_are_named(world: World) -> None:
    offer, order = await rebar(world)
    reject = {"lines": [{"line_no": 2, "answer": "reject", "reason": "x"}]}
    order = await ok(await world.act(world.seller(offer), order, "response", reject))

    answer = await world.act(world.buyer, order, "cancellation", {"lines": [1, 2, 9], "reason": "x"})

    assert [(error["field"], error["rule"]) for error in answer.json()["errors"]] == [
        ("lines.1", "LineNotCancellable"),
        ("lines.2", "NoSuchLine"),
    ]
    assert states(await world.order(world.buyer, order["id"])) == ["OPEN", "REJECTED", "OPEN"]


async def test_there_must_be_something_to_decide(world: World) -> None:
    _, order = await rebar(world)
    one = await world.act(world.buyer, order, "changes/decision", {"lines": [{"line_no": 1, "decision": "accept"}]})
    everything = await world.act(world.buyer, order, "changes/decision", {"others": "accept"})

    assert one.json()["errors"][0]["rule"] == "NothingToDecide"
    assert (everything.status_code, everything.json()["code"]) == (409, "DecisionRefused")


async def test_a_buyer_does_not_answer_its_own_order_and_a_supplier_does_not_cancel_it(world: World) -> None:
    offer, order = await rebar(world)
    both = (Role.BUYER, Role.SUPPLIER_SALES)
    buyer, seller = a_person(*both, company_id=world.buyer.company_id), a_person(*both, company_id=offer.supplier_id)
    nobody = a_person(*both)

    for who, what, body in [
        (buyer, "response", {"others": "accept"}),
        (buyer, "cancellation/decision", {"others": "accept"}),
        (seller, "changes/decision", {"others": "accept"}),
        (seller, "cancellation", {"reason": "x"}),
    ]:
        answer = await world.act(who, order, what, body)
        assert (answer.status_code, answer.json()["code"]) == (403, "OtherSideActs"), what
        stranger = await world.act(nobody, order, what, body)
        assert (stranger.status_code, stranger.json()["code"]) == (404, "OrderNotFound"), what


async def test_a_version_must_be_named_and_be_the_present_one(world: World) -> None:
    offer, order = await rebar(world)
    seller = world.seller(offer)
    url = f"/orders/purchase-orders/{order['id']}/response"

    without = await world.http.post(url, json={"others": "accept"}, headers=signed_in(seller) | once())
    assert (without.status_code, without.json()["code"]) == (428, "VersionNeeded")
    stale = await world.act(seller, order, "response", {"others": "accept"}, version=2)
    assert (stale.status_code, stale.json()["code"]) == (412, "VersionChanged")


async def test_a_repeated_response_is_answered_as_before(world: World) -> None:
    offer, order = await rebar(world)
    url = f"/orders/purchase-orders/{order['id']}/response"
    headers = signed_in(world.seller(offer)) | once() | {"If-Match": '"1"'}

    first = await world.http.post(url, json={"others": "accept"}, headers=headers)
    second = await world.http.post(url, json={"others": "accept"}, headers=headers)

    assert second.content == first.content
    assert second.headers["Idempotency-Replayed"] == "true"
    assert first.headers["ETag"] == second.headers["ETag"] == '"2"'


@pytest.mark.parametrize("turn", range(4))
async def test_of_response_and_cancellation_at_once_one_wins(world: World, turn: int) -> None:
    offer, order = await rebar(world)
    seller = world.seller(offer)
    doings = [
        world.act(seller, order, "response", {"others": "accept"}),
        world.act(world.buyer, order, "cancellation", {"reason": "x"}),
        world.act(seller, order, "response", {"lines": [{"line_no": 1, "answer": "reject", "reason": "x"}]}),
    ]
    answers = await asyncio.gather(*(doings[turn % 3 :] + doings[: turn % 3]))

    assert sorted(answer.status_code for answer in answers) == [200, 412, 412]
    final = await world.order(world.buyer, order["id"])
    assert final["version"] == 2
    checked = await world.read(world.buyer, f"/orders/purchase-orders/{order['id']}/history/verify")
    assert checked.json()["intact"]


async def test_an_erp_answers_with_its_key(world: World) -> None:
    offer, order = await rebar(world)
    erp = an_api_client(Scope.ORDERS_RESPOND, company_id=offer.supplier_id)
    reader = an_api_client(Scope.ORDERS_READ, company_id=offer.supplier_id)
    stock = an_api_client(Scope.STOCK_WRITE, company_id=offer.supplier_id)

    assert (await world.act(reader, order, "response", {"others": "accept"})).status_code == 403
    assert (await world.read(stock, f"/orders/purchase-orders/{order['id']}")).status_code == 403
    assert (await world.order(reader, order["id"]))["state"] == "ISSUED"
    assert (await ok(await world.act(erp, order, "response", {"others": "accept"})))["state"] == "CONFIRMED"


async def test_an_order_that_is_not_there_is_not_found(world: World) -> None:
    for path in ("", "/history", "/history/verify"):
        answer = await world.read(world.buyer, f"/orders/purchase-orders/{uuid4()}{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "OrderNotFound")
