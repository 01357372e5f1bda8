"""What an operator does about an event that could not be applied."""

from collections.abc import Callable

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from shared.database import Database, transaction
from shared.http import create_service
from shared.identity import Role, TokenVerifier
from shared.operations import operations_router
from shared.settings import ServiceSettings
from tests.conftest import a_person, once, signed_in
from tests.shared.test_follower import ListedFeed, events, follow_to_the_end, follower, notes, write_down

cured: list[str] = []


async def react(session, said) -> None:
    if cured:
        await write_down(session, [event for event in said if event.data["text"] != "poison"])
    else:
        await write_down(session, said)


@pytest.fixture
async def http(
    database: Database, verifier: TokenVerifier, http_to: Callable[[FastAPI], httpx.AsyncClient]
) -> httpx.AsyncClient:
    cured.clear()
    await follow_to_the_end(follower(database, ListedFeed(events("a", "poison")), react=react, page_size=10))
    app = create_service(
        name="kernel",
        title="Kernel",
        description="",
        settings=ServiceSettings(database_url="", system_database_url=""),
        database=database,
        verifier=verifier,
        routers=[operations_router("kernel", reactions={"other": {"said": react}})],
    )
    return http_to(app)


OPERATOR = signed_in(a_person(Role.OPERATOR))


async def test_a_parked_event_is_seen_without_its_content(http: httpx.AsyncClient):
    (parked,) = (await http.get("/kernel/operations/parked-events", headers=OPERATOR)).json()
    assert (parked["type"], parked["error"]) == ("said", "ValueError: cannot swallow this")
    assert "event" not in parked
    (seen,) = (await http.get("/kernel/operations/followers", headers=OPERATOR)).json()
    assert (seen["source"], seen["parked"]) == ("other", 1)


async def test_a_retry_applies_it_once_its_cause_is_gone(http: httpx.AsyncClient, database: Database):
    (parked,) = (await http.get("/kernel/operations/parked-events", headers=OPERATOR)).json()
    address = f"/kernel/operations/parked-events/{parked['event_id']}/retry"
    still = await http.post(address, headers=OPERATOR | once())
    assert (still.status_code, still.json()["code"]) == (409, "EventStillFails")
    cured.append("yes")
    assert (await http.post(address, headers=OPERATOR | once())).status_code == 204
    assert (await http.post(address, headers=OPERATOR | once())).status_code == 404
    assert await notes(database) == ["a"]


async def test_an_event_that_can_never_apply_is_dismissed_with_a_reason(http: httpx.AsyncClient, database: Database):
    (parked,) = (await http.get("/kernel/operations/parked-events", headers=OPERATOR)).json()
    address = f"/kernel/operations/parked-events/{parked['event_id']}/dismissal"
    assert (await http.post(address, json={"reason": " "}, headers=OPERATOR | once())).status_code == 422
    assert (await http.post(address, json={"reason": "settled"}, headers=OPERATOR | once())).status_code == 204
    assert (await http.get("/kernel/operations/parked-events", headers=OPERATOR)).json() == []
    async with transaction(database.system) as session:
        resolution = await session.scalar(text("SELECT resolution FROM parked_events"))
    assert str(resolution).endswith(": settled")
