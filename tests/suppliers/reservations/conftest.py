"""One market a test; apps over it."""

from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from fastapi import FastAPI

from infra.postgres import ServiceUrls
from services.suppliers.reactions import REACTIONS
from shared.database import Database
from shared.follower import Follower
from shared.identity import TokenVerifier
from tests.suppliers.reservations.world import Market, OrdersFeed, app_over


@pytest.fixture
def urls(service_urls: Callable[[str], ServiceUrls]) -> ServiceUrls:
    return service_urls("suppliers")


@pytest.fixture
async def create_process(
    urls: ServiceUrls, verifier: TokenVerifier, http_to: Callable[[FastAPI], httpx.AsyncClient]
) -> AsyncIterator[Callable[[], httpx.AsyncClient]]:
    """A client of another process of the service: the same database, but its own pools and group commit."""
    made: list[Database] = []

    def create() -> httpx.AsyncClient:
        database = Database(app_url=urls.app, system_url=urls.worker, pool_size=5)
        made.append(database)
        return http_to(app_over(database, verifier))

    yield create
    for database in made:
        await database.dispose()


@pytest.fixture
def http(create_process: Callable[[], httpx.AsyncClient]) -> httpx.AsyncClient:
    return create_process()


@pytest.fixture
async def market(urls: ServiceUrls) -> AsyncIterator[Market]:
    database = Database(app_url=urls.app, system_url=urls.worker, pool_size=5)
    yield Market(database)
    await database.dispose()


@pytest.fixture
def orders() -> OrdersFeed:
    return OrdersFeed()


@pytest.fixture
def follower(market: Market, orders: OrdersFeed) -> Follower:
    return Follower(source="orders", feed=orders, sessions=market.database.system, reactions=REACTIONS["orders"])
