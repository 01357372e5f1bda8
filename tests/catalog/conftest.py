"""The catalog with the taxonomy we ship, and a small market told to it as `suppliers` would tell it."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
import yaml
from fastapi import FastAPI

from services.catalog.app import create_app
from services.catalog.components.jobs import load_taxonomy
from services.catalog.components.rules import TypeDefinition
from services.catalog.components.taxonomy import definition_from, read_taxonomy
from services.catalog.reactions import REACTIONS
from services.catalog.settings import Settings
from shared.audience import Audience, audience_keys
from shared.contracts.suppliers import OFFERS_CHANGED, STOCK_CHANGED, SUPPLIER_CHANGED
from shared.database import Database
from shared.feed import Event
from shared.follower import FeedPage, Follower
from shared.identity import Principal, Role, TokenVerifier
from shared.ids import new_id
from tests.catalog.mapping_world import Mapping
from tests.conftest import AS_FILES, TestServer, a_person, signed_in

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 11, 22, 4, tzinfo=UTC)
BAR = "RB-HRB|diameter=20,grade=HRB400E,length=12"
_numbers = count(1)


@cache
def taxonomy_document() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "infra" / "seed" / "taxonomy.yaml").read_text(encoding="utf-8"))
    return document


@cache
def definitions() -> dict[str, TypeDefinition]:
    """Every type we ship, as the rules use it."""
    entries = read_taxonomy(taxonomy_document()).types
    return {entry.code: definition_from(entry.definition, version=1) for entry in entries}


@pytest.fixture(scope="session")
def stocked_template(postgres: TestServer, template: Callable[[str], str]) -> str:
    """A template database of the catalog that holds the taxonomy."""
    name = f"template_catalog_stocked_{os.getpid()}"
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template("catalog")}" OWNER catalog_owner {AS_FILES}')
    urls = postgres.service_urls("catalog", name)

    async def load() -> None:
        database = Database(app_url=urls.app, system_url=urls.worker, pool_size=1)
        await load_taxonomy(database.system, document=taxonomy_document(), at=AT)
        await database.dispose()

    asyncio.run(load())
    return name


@pytest.fixture
def stocked_clone(postgres: TestServer, stocked_template: str) -> Iterator[str]:
    name = f"test_catalog_stocked_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{stocked_template}" OWNER catalog_owner {AS_FILES}')
    yield name
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def database(postgres: TestServer, stocked_clone: str) -> AsyncIterator[Database]:
    urls = postgres.service_urls("catalog", stocked_clone)
    made = Database(app_url=urls.app, system_url=urls.worker, pool_size=12)
    yield made
    await made.dispose()


@pytest.fixture
def http(
    database: Database,
    verifier: TokenVerifier,
    http_to: Callable[[FastAPI], httpx.AsyncClient],
    tmp_path: Path,
) -> httpx.AsyncClient:
    """The service as a client sees it."""
    settings = Settings(database_url="", system_database_url="", data_dir=tmp_path)
    return http_to(create_app(settings, database=database, verifier=verifier))


@pytest.fixture
def mapping(http: httpx.AsyncClient, database: Database, tmp_path: Path) -> Mapping:
    return Mapping(http=http, database=database, folder=tmp_path / "mappings")


class ListedFeed:
    """The feed of `suppliers`, from a list."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def tell(self, kind: str, data: dict[str, Any], *, position: str | None = None) -> Event:
        event = Event(
            id=new_id(),
            source="suppliers",
            type=kind,
            subject="test",
            time=AT,
            data=data,
            position=position or f"{len(self.events) + 10}-{len(self.events) + 10}",
        )
        self.events.append(event)
        return event

    async def page(self, *, after: str, limit: int, wait: float) -> FeedPage:
        start = next((n for n, each in enumerate(self.events, 1) if each.position == after), 0)
        shown = self.events[start : start + limit]
        position = shown[-1].position if shown else after
        return FeedPage(events=shown, position=position, as_of=AT, caught_up=len(shown) < limit)


@dataclass
class Market:
    """Suppliers and their offers, told to the catalog through its follower."""

    http: httpx.AsyncClient
    database: Database
    feed: ListedFeed = field(default_factory=ListedFeed)
    buyer: Principal = field(default_factory=lambda: a_person(Role.BUYER, group_id=new_id()))

    async def follow(self, page_size: int = 500) -> None:
        follower = Follower(
            source="suppliers",
            feed=self.feed,
            sessions=self.database.system,
            reactions=REACTIONS["suppliers"],
            page_size=page_size,
        )
        while await follower.step():
            pass

    async def variant(self, key: str) -> dict[str, Any]:
        """A variant, used by somebody."""
        answer = await self.http.post(
            "/catalog/variants/resolve", json={"variants": [{"key": key}]}, headers=signed_in(self.buyer)
        )
        result: dict[str, Any] = answer.json()["results"][0]
        assert "variant" in result, result
        variant: dict[str, Any] = result["variant"]
        return variant

    def supplier(self, name: str = "北河钢铁", *, supplier_id: UUID | None = None, **changes: Any) -> UUID:
        """A supplier qualified for everything, everywhere."""
        supplier_id = supplier_id or new_id()
        data = {
            "supplier_id": str(supplier_id),
            "name": name,
            "tax_id": "91320500MA2DEMQ7X8",
            "status": "QUALIFIED",
            "categories": sorted({each.category for each in definitions().values()}),
            "regions": [],
            "qualified_until": None,
            "version": 1,
            **changes,
        }
        self.feed.tell(SUPPLIER_CHANGED, data)
        return supplier_id

    async def offer(
        self,
        supplier_id: UUID,
        key: str = BAR,
        *,
        audience: Audience = Audience.MEMBERS,
        ids: Sequence[UUID] = (),
        available: str | None = "100",
        position: str | None = None,
        **changes: Any,
    ) -> dict[str, Any]:
        """An offer of a variant, in stock unless `available` is None (made to order)."""
        variant = await self.variant(key)
        state = offer_state(supplier_id, variant, audience=audience, ids=ids, **changes)
        state["stock_point"] = None if available is None else changes.get("stock_point", "main")
        self.feed.tell(OFFERS_CHANGED, {"supplier_id": str(supplier_id), "offers": [state]}, position=position)
        if available is not None:
            self.stock(supplier_id, state["item_no"], available)
        return state

    def stock(self, supplier_id: UUID, item_no: str, available: str, *, as_of: datetime = AT) -> None:
        band = "out" if Decimal(available) == 0 else "low" if Decimal(available) < 10 else "in"
        level = {
            "item_no": item_no,
            "stock_point": "main",
            "on_hand": available,
            "available": available,
            "band": band,
            "as_of": as_of.isoformat(),
        }
        self.feed.tell(STOCK_CHANGED, {"supplier_id": str(supplier_id), "stock": [level]})

    async def search(self, *, as_: Principal | None = None, **params: Any) -> httpx.Response:
        headers = {} if as_ is None else signed_in(as_)
        return await self.http.get("/catalog/search", params=params, headers=headers)

    async def hits(self, *, as_: Principal | None = None, **params: Any) -> list[dict[str, Any]]:
        answer = await self.search(as_=as_ or self.buyer, **params)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def keys(self, *, as_: Principal | None = None, **params: Any) -> list[str]:
        """Of the hits that are all that was asked."""
        return [hit["variant"]["key"] for hit in await self.hits(as_=as_, **params) if not hit["near"]]

    async def match(self, *lines: dict[str, Any], as_: Principal | None = None, **more: Any) -> list[dict[str, Any]]:
        answer = await self.http.post(
            "/catalog/match", json={"lines": lines, **more}, headers=signed_in(as_ or self.buyer)
        )
        assert answer.status_code == 200, answer.text
        matched: list[dict[str, Any]] = answer.json()["lines"]
        return matched


def offer_state(
    supplier_id: UUID,
    variant: dict[str, Any],
    *,
    audience: Audience = Audience.MEMBERS,
    ids: Sequence[UUID] = (),
    **changes: Any,
) -> dict[str, Any]:
    """One offer as `suppliers` tells it."""
    number = next(_numbers)
    return {
        "offer_id": str(new_id()),
        "supplier_id": str(supplier_id),
        "item_no": f"ITEM-{number}",
        "variant_id": variant["id"],
        "variant_key": variant["key"],
        "type_code": variant["type_code"],
        "category": variant["category"],
        "brand": "北河",
        "price": "3253.00",
        "currency": "CNY",
        "tax_inclusive": True,
        "tax_rate": "0.13",
        "unit": variant["base_unit"],
        "unit_factor": "1",
        "base_unit": variant["base_unit"],
        "min_quantity": None,
        "step_quantity": None,
        "lead_time_days": 2,
        "regions": [],
        "valid_from": "2026-01-01",
        "valid_until": (date(2026, 1, 1) + timedelta(days=3650)).isoformat(),
        "audience_keys": sorted(audience_keys(audience, ids, owner=supplier_id)),
        "tiers": [],
        "status": "ACTIVE",
        "stock_point": "main",
        **changes,
    }


@pytest.fixture
def market(http: httpx.AsyncClient, database: Database) -> Market:
    return Market(http=http, database=database)


def a_valid_value(definition: TypeDefinition, key: str) -> str:
    """Some value that the property takes."""
    each = next(each for each in definition.properties if each.key == key)
    if each.allowed:
        return each.allowed[0]
    if each.is_number:
        lowest = each.minimum if each.minimum is not None else Decimal(1)
        return str(lowest if lowest > 0 else each.maximum or 1)
    return {"boolean": "true", "date": "2026-11-22"}.get(each.kind, "1-1")


def a_valid_choice(definition: TypeDefinition, *, every: bool = True) -> dict[str, str]:
    """Identity values that make a variant; with `every` the optional ones too."""
    return {each.key: a_valid_value(definition, each.key) for each in definition.identity if every or each.required}
