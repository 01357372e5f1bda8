"""A supplier is put on a contractor's blacklist while an order runs, appeals, is taken off; and gets its score.

`suppliers` and `orders` run in this process over their own databases, reserve over HTTP, and follow each other's real
feeds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.orders.app import create_app
from services.orders.reactions import REACTIONS as ORDERS_FOLLOWS
from services.suppliers.reactions import REACTIONS as SUPPLIERS_FOLLOWS
from services.suppliers.scores.jobs import compute_scores
from shared import clock
from shared.clients.feed import FeedClient
from shared.clients.reservations import ReservationsClient
from shared.clients.transport import FixedToken, ServiceClient
from shared.database import Database
from shared.follower import Follower
from shared.identity import Scope, TokenVerifier
from tests.conftest import CreateDatabase, a_service, once, signed_in, token_for
from tests.figures import tells
from tests.orders.conftest import settings
from tests.orders.neighbours import FakeCodes, FakeMembers, FakeNumbers
from tests.suppliers.blacklist_world import LISTS, Lists, day
from tests.suppliers.world import CatalogDouble, MembersDouble, World, app_over, settings_for


def _service(name: str, http: httpx.AsyncClient, *scopes: Scope) -> ServiceClient:
    return ServiceClient(name, http, FixedToken(token_for(a_service(*scopes), expires_in=3600)))


@dataclass
class Story:
    """A contractor's people, a supplier's seller, and both services."""

    lists: Lists
    orders: httpx.AsyncClient
    orders_follow: Follower
    suppliers_follow: Follower
    project: dict[str, Any]

    async def told(self) -> None:
        for follower in (self.orders_follow, self.suppliers_follow):
            while await follower.step():
                pass

    async def place(self) -> httpx.Response:
        body = {
            "project_id": self.project["id"],
            "delivery_point_id": self.project["delivery_points"][0]["id"],
            "lines": [{"offer_id": self.lists.offer_id, "quantity": "5", "unit": "t", "need_by": day(60)}],
        }
        headers = signed_in(self.lists.buyer) | once()
        return await self.orders.post("/orders/baskets", json=body, headers=headers)

    async def placed(self) -> dict[str, Any]:
        answer = await self.place()
        assert answer.status_code == 201, answer.text
        order: dict[str, Any] = answer.json()["orders"][0]
        return order

    async def answer(self, order: dict[str, Any]) -> httpx.Response:
        headers = signed_in(self.lists.seller) | once() | {"If-Match": f'"{order["version"]}"'}
        path = f"/orders/purchase-orders/{order['id']}/response"
        return await self.orders.post(path, json={"others": "accept"}, headers=headers)

    async def seen(self, order: dict[str, Any]) -> dict[str, Any]:
        answer = await self.orders.get(f"/orders/purchase-orders/{order['id']}", headers=signed_in(self.lists.buyer))
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
async def story(
    create_database: CreateDatabase,
    verifier: TokenVerifier,
    http_to: Callable[[FastAPI], httpx.AsyncClient],
    tmp_path: Path,
) -> Story:
    kept: Database = create_database("suppliers")
    catalog, members = CatalogDouble(), MembersDouble()
    app = app_over(kept, verifier, settings_for(tmp_path), catalog=catalog, members=members)
    world = World(app=app, http=http_to(app), database=kept, folder=tmp_path, catalog=catalog, members=members)
    assert (await world.register()).status_code == 201
    assert (await world.qualify()).status_code == 200
    await world.open_market()
    lists = Lists(world)
    await lists.an_offer()
    placed: Database = create_database("orders")
    orders = http_to(
        create_app(
            settings(),
            database=placed,
            verifier=verifier,
            reservations=ReservationsClient(_service("suppliers", world.http, Scope.RESERVATIONS_WRITE)),
            companies=FakeMembers(),
            suppliers=FakeNumbers(),
            catalog=FakeCodes(),
        )
    )
    project = await orders.post(
        "/orders/projects",
        json={
            "number": "BJ-1",
            "name": "建国路商务楼",
            "delivery_points": [{"name": "Gate 2", "region": "110105", "address": "建国路1号"}],
        },
        headers=signed_in(lists.buyer) | once(),
    )
    assert project.status_code == 201, project.text
    return Story(
        lists=lists,
        orders=orders,
        orders_follow=Follower(
            source="suppliers",
            feed=FeedClient(_service("suppliers", world.http, Scope.FEED_READ)),
            sessions=placed.system,
            reactions=ORDERS_FOLLOWS["suppliers"],
        ),
        suppliers_follow=Follower(
            source="orders",
            feed=FeedClient(_service("orders", orders, Scope.FEED_READ)),
            sessions=kept.system,
            reactions=SUPPLIERS_FOLLOWS["orders"],
        ),
        project=project.json(),
    )


async def test_a_listed_supplier_gets_no_order_and_its_running_one_waits_until_the_appeal_is_granted(story: Story):
    lists = story.lists
    running = await story.placed()
    entry = await lists.put_on(level="STOP_DELIVERY", reason_class="SAFETY", categories=["rebar"])
    refused = await story.place()
    assert (refused.status_code, refused.json()["code"]) == (409, "BasketRefused")
    [error] = refused.json()["errors"]
    assert (error["field"], error["rule"]) == ("lines.0.offer_id", "SupplierBlacklisted")
    assert "SECRET" not in refused.text
    await story.told()
    stopped = await story.seen(running)
    assert (stopped["delivery_stop"]["reason_class"], stopped["state"]) == ("SAFETY", "ISSUED")
    assert (await story.answer(running)).json()["code"] == "DeliveryStopped"
    appeal = await lists.post(f"/entries/{entry['id']}/appeals", lists.seller, {"text": "The crane was not ours."})
    body = {"decision": "grant", "answer": "Indeed it was not."}
    granted = await lists.act(entry, f"appeals/{appeal.json()['id']}/answer", lists.second, **body)
    assert granted.json()["status"] == "GRANTED"
    await story.told()
    assert "delivery_stop" not in await story.seen(running)
    assert (await story.answer(running)).status_code == 200
    assert (await story.place()).status_code == 201


async def test_an_entry_for_another_project_leaves_this_one_alone(story: Story):
    await story.lists.put_on(project_ids=[story.project["id"]])
    assert (await story.place()).json()["errors"][0]["rule"] == "SupplierBlacklisted"
    [entry] = (await story.lists.world.call("GET", f"{LISTS}/entries", story.lists.buyer)).json()
    await story.lists.lift(entry)
    await story.lists.put_on(project_ids=["01930000-0000-7000-8000-000000000001"])
    assert (await story.place()).status_code == 201


async def test_five_answered_orders_are_a_score_that_both_sides_read(story: Story):
    for _ in range(5):
        assert (await story.answer(await story.placed())).status_code == 200
    await story.told()
    await compute_scores(story.lists.world.database, at=clock.now())
    world, lists = story.lists.world, story.lists
    found = await world.call("GET", f"/suppliers/scores/of/{world.supplier_id}", lists.buyer)
    [score] = found.json()["own"]
    assert (score["category"], score["status"], score["overall"]) == ("rebar", "SCORED", "100.00")
    assert (await world.call("GET", "/suppliers/scores/mine", lists.seller)).json() == [score]
    inputs = await world.call("GET", "/suppliers/scores/inputs?category=rebar", lists.seller)
    assert {each["weight_class"] for each in inputs.json()} == {2}
    assert not tells(inputs.text + found.text, "16252"), "five tonnes at 3250.50"
