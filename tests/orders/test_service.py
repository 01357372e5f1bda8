"""The service as a whole: feed, worker, OpenAPI, and the clients others call it with."""

from uuid import UUID

import httpx
import orjson
import pytest
from sqlalchemy import text

from services.orders.worker import prune_keys
from shared.clients.orders import OrdersClient
from shared.clients.transport import FixedToken, ServiceClient, ServiceRefused
from shared.contracts.orders import (
    BASKET_PLACED,
    LINES_AT_MOST,
    BasketBody,
    BuyerOrder,
    CancellationBody,
    DecisionBody,
    LineAnswer,
    ResponseBody,
    SupplierOrder,
)
from shared.contracts.projects import DeliveryPointBody, NewProjectBody
from shared.contracts.reservations import LINES_AT_MOST as RESERVED_AT_MOST
from shared.contracts.reservations import ReservedLine, ReservedLinePlain
from shared.identity import Principal, Scope
from shared.ids import new_id
from tests.conftest import a_service, once, signed_in, token_for
from tests.figures import tells
from tests.orders.conftest import World


def client(world: World, who: Principal) -> OrdersClient:
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app=world.app), base_url="http://orders")
    return OrdersClient(ServiceClient("orders", http, FixedToken(token_for(who))))


async def test_others_follow_the_orders_feed(world: World) -> None:
    basket = await world.placed(world.line(world.suppliers.offer(price="3253.00"), "1"))

    answer = await world.http.get("/orders/feed", headers=signed_in(a_service(Scope.FEED_READ)))

    [event] = answer.json()
    assert (event["type"], event["source"]) == (BASKET_PLACED, "/orders")
    assert event["data"]["basket_id"] == basket["basket_id"]
    assert not tells(answer.text, "3253")
    assert (await world.http.get("/orders/feed", headers=signed_in(world.buyer))).status_code == 403


async def test_keys_are_forgotten_after_a_week(world: World) -> None:
    offer = world.suppliers.offer()
    old, young = once(), once()
    for key in (old, young):
        await world.place(world.basket(world.line(offer)), key=key)
    async with world.database.system() as session, session.begin():
        await session.execute(
            text("UPDATE idempotency_keys SET created_at = now() - interval '8 days' WHERE key = :key"),
            {"key": old["Idempotency-Key"]},
        )

    assert await prune_keys(world.database) == 1
    again = await world.place(world.basket(world.line(offer)), key=young)
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_the_typed_client_tells_the_whole_story(world: World) -> None:
    offer = world.suppliers.offer()
    buyer, seller = client(world, world.buyer), client(world, world.seller(offer))
    project = await buyer.open_project(body=NewProjectBody(number="C-1", name="C"), key="open")
    point = await buyer.add_delivery_point(
        project_id=project.id, body=DeliveryPointBody(name="Gate", region="110105", address="x"), key="point"
    )
    assert (await buyer.projects(text="C-1"))[0].id == project.id
    assert (await buyer.project(project_id=project.id)).delivery_points == [point]
    line = {"offer_id": offer.id, "quantity": "10", "unit": "t", "need_by": "2099-01-01"}
    body = BasketBody.model_validate({"project_id": project.id, "delivery_point_id": point.id, "lines": [line, line]})

    basket = await buyer.place(body=body, key="order")
    assert await buyer.place(body=body, key="order") == basket
    order_id = basket.orders[0].id
    response = ResponseBody(lines=[LineAnswer(line_no=1, answer="change", quantity="8")], others="accept")
    answered = await seller.respond(order_id=order_id, version=1, body=response, key="answer")
    assert isinstance(answered, SupplierOrder)
    decided = await buyer.decide_changes(order_id=order_id, version=2, body=DecisionBody(others="accept"), key="decide")
    assert decided.state == "CONFIRMED"
    await buyer.cancel(order_id=order_id, version=3, body=CancellationBody(lines=[2], reason="x"), key="cancel")
    await seller.decide_cancellation(order_id=order_id, version=4, body=DecisionBody(others="accept"), key="agree")

    assert isinstance(await buyer.order(order_id=order_id), BuyerOrder)
    assert [order.number for order in await seller.orders(state="CONFIRMED")] == [basket.orders[0].number]
    assert (await buyer.basket(basket_id=basket.basket_id)).orders[0].version == 5
    history = await seller.history(order_id=order_id)
    assert (history.intact, history.length) == (True, 5)


async def test_the_typed_client_hands_a_refusal_on(world: World) -> None:
    body = BasketBody.model_validate(world.basket({**world.line(world.suppliers.offer()), "offer_id": str(new_id())}))
    with pytest.raises(ServiceRefused) as raised:
        await client(world, world.buyer).place(body=body, key="k")

    refused = raised.value
    assert (refused.http_status, refused.problem_code) == (409, "BasketRefused")
    assert refused.problem["errors"][0]["field"] == "lines.0.offer_id"


async def test_openapi_has_examples_and_the_refusals_of_every_route(world: World) -> None:
    document = (await world.http.get("/orders/openapi.json")).json()

    assert document["openapi"].startswith("3.1")
    place = document["paths"]["/orders/baskets"]["post"]
    assert place["requestBody"]["content"]["application/json"]["example"]["lines"]
    schema = place["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"]["lines"]["items"]["properties"]["quantity"]
    assert "$ref" not in orjson.dumps(schema).decode()
    examples = place["responses"]["409"]["content"]["application/problem+json"]["examples"]
    assert {"BasketRefused", "ReservationExpired", "RequestStillRunning"} <= examples.keys()
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            if path.startswith("/orders/"):
                assert route["summary"], (path, method)
                assert route.get("description") or "feed" in path or "operations" in path, (path, method)
                assert "422" in route["responses"], (path, method)


def test_the_plain_line_is_the_typed_one() -> None:
    assert set(ReservedLinePlain.__annotations__) == set(ReservedLine.model_fields)
    assert LINES_AT_MOST == RESERVED_AT_MOST


async def test_basket_ids_follow_from_company_and_key(world: World) -> None:
    offer, key = world.suppliers.offer(), once()
    answer = await world.place(world.basket(world.line(offer)), key=key)

    [(reservation_id, _)] = world.suppliers.results.items()
    assert UUID(answer.json()["basket_id"]) == reservation_id
    assert reservation_id.version == 5
