"""A feed says that a follower has caught up only when nothing that is committed was held back."""

import asyncio
from collections.abc import Callable

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from shared import clock
from shared.database import Database, transaction
from shared.feed import feed_router, publish
from shared.http import create_service
from shared.identity import Scope, TokenVerifier
from shared.settings import ServiceSettings
from tests.conftest import a_service, signed_in

READER = signed_in(a_service(Scope.FEED_READ))


@pytest.fixture
def http(
    database: Database, verifier: TokenVerifier, http_to: Callable[[FastAPI], httpx.AsyncClient]
) -> httpx.AsyncClient:
    app = create_service(
        name="kernel",
        title="kernel",
        description="",
        settings=ServiceSettings(database_url="", system_database_url=""),
        database=database,
        verifier=verifier,
        routers=[feed_router("kernel")],
    )
    return http_to(app)


async def say(database: Database, word: str) -> None:
    async with transaction(database.system) as session:
        await publish(session, type="said", subject=word, data={}, at=clock.now())


async def read(http: httpx.AsyncClient) -> tuple[list[str], str]:
    answer = await http.get("/kernel/feed", headers=READER)
    return [event["subject"] for event in answer.json()], answer.headers["Feed-Caught-Up"]


async def test_an_event_held_back_by_an_older_transaction_is_not_yet_caught_up_with(database, http):
    await say(database, "before")
    async with database.system() as older, older.begin():
        await older.execute(text("SELECT pg_current_xact_id()"))
        await say(database, "held back")
        assert await read(http) == (["before"], "false")
    assert await read(http) == (["before", "held back"], "true")


async def test_an_older_transaction_that_holds_nothing_back_does_not_matter(database, http):
    async with database.system() as older, older.begin():
        await older.execute(text("SELECT pg_current_xact_id()"))
        assert await read(http) == ([], "true")


async def wait_for(http: httpx.AsyncClient, *, after: str = "0-0", seconds: float = 10) -> list[str]:
    answer = await http.get("/kernel/feed", headers=READER, params={"after": after, "wait": seconds})
    return [event["subject"] for event in answer.json()]


async def test_all_who_wait_hear_at_once_and_who_leaves_disturbs_nobody(database, http):
    waiting = [asyncio.create_task(wait_for(http)) for _ in range(3)]
    leaving = asyncio.create_task(wait_for(http))
    await asyncio.sleep(0.2)
    leaving.cancel()
    begun = asyncio.get_running_loop().time()
    await say(database, "now")
    assert await asyncio.gather(*waiting) == [["now"]] * 3
    assert asyncio.get_running_loop().time() - begun < 5, "long before they would have stopped waiting"


async def test_who_waits_for_what_is_held_back_gets_it_when_it_may_be_served(database, http):
    async with database.system() as older, older.begin():
        await older.execute(text("SELECT pg_current_xact_id()"))
        await say(database, "held back")
        waiting = asyncio.create_task(wait_for(http))
        await asyncio.sleep(0.3)
        assert not waiting.done()
    assert await waiting == ["held back"]


async def test_who_waits_in_vain_is_told_so_when_the_time_is_over(database, http):
    await say(database, "before")
    position = (await http.get("/kernel/feed", headers=READER)).headers["Feed-Position"]
    answer = await http.get("/kernel/feed", headers=READER, params={"after": position, "wait": 0.2})
    assert (answer.json(), answer.headers["Feed-Caught-Up"]) == ([], "true")
