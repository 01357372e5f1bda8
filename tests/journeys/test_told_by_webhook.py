"""An order and a joint purchase, told by webhook to those they concern: two services follow each other's feeds.

Both services run in this process over their own databases; the receiver is a server on this machine. The order's
price and quantity are canaries: they are looked for in everything that was sent and in every table of `members`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from standardwebhooks import Webhook

from services.members.reactions import REACTIONS as MEMBERS_REACTIONS
from services.members.webhooks.jobs import Deliverer
from services.members.webhooks.sending import Sender
from services.orders.app import create_app as create_orders
from services.orders.reactions import REACTIONS as ORDERS_REACTIONS
from shared.clients.feed import FeedClient
from shared.clients.transport import FixedToken, ServiceClient
from shared.database import Database, transaction
from shared.follower import Follower
from shared.identity import Principal, Role, Scope, TokenVerifier
from tests.conftest import CreateDatabase, a_person, a_service, once, signed_in, token_for
from tests.figures import tells
from tests.members.conftest import CreateApp, World, create_members, database
from tests.members.federation import CATEGORY, Federation, Measured
from tests.members.webhooks.conftest import OPEN, Office, Receiver, receiver
from tests.orders.conftest import NEED_BY, settings
from tests.orders.neighbours import FakeCodes, FakeMembers, FakeNumbers, FakeSuppliers
from tests.orders.sourcing.conftest import month_after

__all__ = ["create_members", "database", "receiver"]
PRICE, QUANTITY = "31415.926535", "27182.818"


@dataclass
class Story:
    """Both services, and what is told between them and to the outside."""

    office: Office
    federation: Federation
    orders: httpx.AsyncClient
    orders_database: Database
    suppliers: FakeSuppliers

    def follower(self, source: str, *, at: str) -> Follower:
        http = {"orders": self.orders, "members": self.office.world.http}[source]
        service = ServiceClient(source, http, FixedToken(token_for(a_service(Scope.FEED_READ))))
        reactions = {"members": MEMBERS_REACTIONS, "orders": ORDERS_REACTIONS}[at]
        database = {"members": self.office.database, "orders": self.orders_database}[at]
        return Follower(source=source, feed=FeedClient(service), sessions=database.system, reactions=reactions[source])

    async def told(self) -> None:
        """Each worker follows what it follows, and what is due is sent."""
        for source, at in (("members", "orders"), ("members", "members"), ("orders", "members")):
            follower = self.follower(source, at=at)
            while await follower.step(wait=0.5):
                pass
        await Deliverer(sessions=self.office.database.system, sender=Sender(policy=OPEN)).round()

    async def as_(self, who: Principal, method: str, path: str, body: Any = None) -> httpx.Response:
        return await self.orders.request(method, path, json=body, headers=signed_in(who) | once())


@pytest.fixture
def story(
    create_members: CreateApp,
    database: Database,
    create_database: CreateDatabase,
    verifier: TokenVerifier,
    http_to: Callable[[FastAPI], httpx.AsyncClient],
) -> Story:
    gate_data = Measured()
    members = create_members(gate_data=gate_data, webhook_http_hosts=["127.0.0.1"])
    world = World(http=http_to(members))
    orders_database, suppliers = create_database("orders"), FakeSuppliers()
    orders = create_orders(
        settings(),
        database=orders_database,
        verifier=verifier,
        reservations=suppliers,
        companies=FakeMembers(),
        suppliers=FakeNumbers(),
        catalog=FakeCodes(),
    )
    office = Office(world, database)
    return Story(office, Federation(world, database, gate_data), http_to(orders), orders_database, suppliers)


async def placed(story: Story, buyer: Principal, supplier: UUID) -> str:
    """The id of an order over canaries."""
    project = {
        "number": "BJ-1",
        "name": "商务楼",
        "delivery_points": [{"name": "Gate 2", "region": "110105", "address": "建国路1号"}],
    }
    opened = (await story.as_(buyer, "POST", "/orders/projects", project)).json()
    offer = story.suppliers.offer(supplier_id=supplier, price=PRICE)
    basket = {
        "project_id": opened["id"],
        "delivery_point_id": opened["delivery_points"][0]["id"],
        "lines": [{"offer_id": str(offer.id), "quantity": QUANTITY, "unit": offer.unit, "need_by": NEED_BY}],
    }
    answer = await story.as_(buyer, "POST", "/orders/baskets", basket)
    assert answer.status_code == 201, answer.text
    assert PRICE in answer.text, "the canary sings where it may"
    order_id: str = answer.json()["orders"][0]["id"]
    return order_id


async def everything_in(database: Database) -> str:
    """Every row of every table."""
    async with transaction(database.system) as session:
        tables = await session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        rows: list[str] = []
        for table in tables.all():
            if table != "alembic_version":
                rows += (await session.scalars(text(f'SELECT CAST(t AS text) FROM "{table}" t'))).all()
    return "\n".join(rows)


async def test_an_order_is_told_to_its_two_parties_who_read_it_with_their_own_rights(story: Story, receiver: Receiver):
    office = story.office
    buyer_id, supplier_id, other_id = [
        await office.world.company(kind) for kind in ("contractor", "supplier", "supplier")
    ]
    endpoints = {each: await office.endpoint(each, receiver.url) for each in (buyer_id, supplier_id, other_id)}
    buyer = a_person(Role.BUYER, company_id=buyer_id, group_id=buyer_id)
    seller = a_person(Role.SUPPLIER_SALES, company_id=supplier_id)
    order_id = await placed(story, buyer, supplier_id)
    await story.told()

    assert len(receiver.heard) == 2
    for who, company in ((buyer, buyer_id), (seller, supplier_id)):
        [heard] = [each for each in receiver.heard if str(company).encode() in each.body]
        message = Webhook(endpoints[company]["secret"]).verify(heard.body, heard.headers)
        assert (message["type"], message["data"]["subject_id"]) == ("order.placed", order_id)
        read = await story.as_(who, "GET", message["data"]["path"])
        assert (read.status_code, read.json()["id"]) == (200, order_id)
    told = "".join(f"{each.headers}{each.body!r}" for each in receiver.heard) + await everything_in(office.database)
    assert order_id in told
    for canary in (PRICE, QUANTITY, PRICE.partition(".")[0]):
        assert not tells(told, canary)


async def test_a_joint_notice_reaches_the_circle_and_nobody_else(story: Story, receiver: Receiver):
    office, federation = story.office, story.federation
    first, second, outside = [await federation.group() for _ in range(3)]
    circle = await federation.circle(first, second)
    await federation.all_evidence()
    await federation.opened(first, circle)
    for group in (first, second, outside):
        await office.endpoint(group, f"{receiver.url}/{group}", "joint_notice.opened", "joint_notice.changed")
    await story.told()
    assert receiver.heard == []

    buyers = {
        group: a_person(Role.BUYER, company_id=group, group_id=group, circle_ids=frozenset(circles))
        for group, circles in ((first, {circle}), (second, {circle}), (outside, set[UUID]()))
    }
    notice = {
        "category": CATEGORY,
        "title": "防火门",
        "region": "110105",
        "month": month_after(200),
        "closes_at": (datetime.now(UTC) + timedelta(days=365)).isoformat(),
        "lines": [{"type_code": "DOOR-FIRE", "unit": "pcs", "quantity": QUANTITY}],
    }
    too_late = await story.as_(buyers[first], "POST", "/orders/joint-notices", notice)
    assert too_late.json()["code"] == "DatesDoNotFit"
    notice["closes_at"] = datetime.fromisoformat(f"{month_after(60)}T00:00:00+00:00").isoformat()
    opened = await story.as_(buyers[first], "POST", "/orders/joint-notices", notice)
    assert opened.status_code == 201, opened.text
    await story.told()
    assert sorted(each.path for each in receiver.heard) == sorted(f"/hook/{group}" for group in (first, second))
    assert all(QUANTITY.encode() not in each.body for each in receiver.heard)
    path = f"/orders/joint-notices/{opened.json()['id']}"
    assert (await story.as_(buyers[second], "GET", path)).status_code == 200
    assert (await story.as_(buyers[outside], "GET", path)).status_code == 404
    assert QUANTITY not in await everything_in(office.database)
