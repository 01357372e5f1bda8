"""A contractor with a project, a supplier or two, and the service between them."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from infra.postgres import ServiceUrls
from services.orders.app import create_app
from services.orders.settings import Settings
from shared.database import Database
from shared.identity import Principal, Role, TokenVerifier
from tests.conftest import a_person, once, signed_in
from tests.orders.neighbours import FakeCodes, FakeMembers, FakeNumbers, FakeSuppliers, Offer

NEED_BY = (datetime.now(UTC) + timedelta(days=20)).date().isoformat()


def settings(**changes: Any) -> Settings:
    return Settings(database_url="", system_database_url="", log_level="CRITICAL", **changes)


@dataclass(kw_only=True)
class World:
    """Everything a test of orders needs, and short words for what it does."""

    app: FastAPI
    http: httpx.AsyncClient
    database: Database
    owner_url: str
    suppliers: FakeSuppliers
    members: FakeMembers
    numbers: FakeNumbers
    codes: FakeCodes
    buyer: Principal
    project_id: str = ""
    delivery_point_id: str = ""

    async def open_project(self, **more: Any) -> dict[str, Any]:
        body = {
            "number": "BJ-2026-07",
            "name": "建国路商务楼",
            "delivery_points": [{"name": "Gate 2", "region": "110105", "address": "建国路1号"}],
            **more,
        }
        answer = await self.http.post("/orders/projects", json=body, headers=signed_in(self.buyer) | once())
        assert answer.status_code == 201, answer.text
        opened: dict[str, Any] = answer.json()
        return opened

    def line(self, offer: Offer, quantity: str = "10", **more: Any) -> dict[str, Any]:
        return {"offer_id": str(offer.id), "quantity": quantity, "unit": offer.unit, "need_by": NEED_BY, **more}

    def basket(self, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {
            "project_id": self.project_id,
            "delivery_point_id": self.delivery_point_id,
            "lines": list(lines),
            **more,
        }

    async def place(self, basket: dict[str, Any], *, key: dict[str, str] | None = None) -> httpx.Response:
        headers = signed_in(self.buyer) | (key or once())
        return await self.http.post("/orders/baskets", json=basket, headers=headers)

    async def placed(self, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
        answer = await self.place(self.basket(*lines, **more))
        assert answer.status_code == 201, answer.text
        basket: dict[str, Any] = answer.json()
        return basket

    def seller(self, offer: Offer) -> Principal:
        return a_person(Role.SUPPLIER_SALES, company_id=offer.supplier_id)

    async def act(
        self, who: Principal, order: dict[str, Any], what: str, body: dict[str, Any], *, version: int | None = None
    ) -> httpx.Response:
        seen = order["version"] if version is None else version
        return await self.http.post(
            f"/orders/purchase-orders/{order['id']}/{what}",
            json=body,
            headers=signed_in(who) | once() | {"If-Match": f'"{seen}"'},
        )

    async def read(self, who: Principal, path: str, **params: Any) -> httpx.Response:
        return await self.http.get(path, headers=signed_in(who), params=params or None)

    async def order(self, who: Principal, order_id: str) -> dict[str, Any]:
        answer = await self.read(who, f"/orders/purchase-orders/{order_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def events(self, kind: str) -> list[dict[str, Any]]:
        async with self.database.system() as session:
            rows = await session.execute(
                text("SELECT data FROM events WHERE type = :type ORDER BY txid, seq"),
                {"type": f"dev.dougong.orders.{kind}.v1"},
            )
            return [row.data for row in rows]

    async def count(self, table: str) -> int:
        async with self.database.system() as session:
            counted = await session.scalar(text(f"SELECT count(*) FROM {table}"))
            return int(counted or 0)


CreateWorld = Callable[..., World]


@pytest.fixture
async def create_world(
    service_urls: Callable[[str], ServiceUrls],
    verifier: TokenVerifier,
    http_to: Callable[[FastAPI], httpx.AsyncClient],
    tmp_path: Path,
) -> AsyncIterator[CreateWorld]:
    """A process of the service: over a database of its own, or over another's."""

    databases: list[Database] = []

    def create(*, beside: World | None = None, **changes: Any) -> World:
        if beside is None:
            urls = service_urls("orders")
            owner_url = urls.owner
            database = Database(app_url=urls.app, system_url=urls.worker, pool_size=10)
            databases.append(database)
        else:
            owner_url, database = beside.owner_url, beside.database
        suppliers = beside.suppliers if beside else FakeSuppliers()
        members = FakeMembers()
        numbers = beside.numbers if beside else FakeNumbers()
        codes = beside.codes if beside else FakeCodes()
        app = create_app(
            settings(**{"data_dir": tmp_path, **changes}),
            database=database,
            verifier=verifier,
            reservations=suppliers,
            companies=members,
            suppliers=numbers,
            catalog=codes,
        )
        return World(
            app=app,
            http=http_to(app),
            database=database,
            owner_url=owner_url,
            suppliers=suppliers,
            members=members,
            numbers=numbers,
            codes=codes,
            buyer=beside.buyer if beside else a_person(Role.BUYER),
            project_id=beside.project_id if beside else "",
            delivery_point_id=beside.delivery_point_id if beside else "",
        )

    yield create
    for database in databases:
        await database.dispose()


@pytest.fixture
async def world(create_world: CreateWorld) -> World:
    """A buyer with an active project and one delivery point."""
    made = create_world()
    project = await made.open_project()
    made.project_id, made.delivery_point_id = project["id"], project["delivery_points"][0]["id"]
    return made


def steel(world: World) -> tuple[Offer, Offer, Offer]:
    """The three bars of domain.md 6.1, from one trader, at the unit prices that were computed there."""
    bar = world.suppliers.offer(item_no="R-12", price="3403.00")
    return (
        bar,
        world.suppliers.offer(item_no="R-20", price="3253.00", supplier_id=bar.supplier_id),
        world.suppliers.offer(item_no="R-25", price="3308.00", supplier_id=bar.supplier_id),
    )
