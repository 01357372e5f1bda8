"""A service is ready for its first search before it says so, and stays ready when a register changes."""

import asyncio

import pytest
from sqlalchemy import text

from services.catalog.search import knowledge
from shared.database import Database, Sessions, transaction
from tests.catalog.conftest import Market


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> knowledge.Kept:
    """What a process keeps, as at its start."""
    nothing: knowledge.Kept = knowledge.Kept()
    monkeypatch.setattr(knowledge, "_kept", nothing)
    monkeypatch.setattr(knowledge, "_LOOK_EVERY_SECONDS", 0.01)
    return nothing


def registers(kept: knowledge.Kept) -> set[str]:
    return {register for register, _ in kept}


async def test_everything_is_read_before_the_first_search(market: Market, kept: knowledge.Kept):
    async with knowledge.kept_ready(market.database.app):
        read = registers(kept)
        before = dict(kept)
        await market.http.get("/catalog/search", params={"q": "螺纹钢 φ20"})
    assert read == {"component_types", "units", "carbon_factors", "restrictions", "standard_editions"}
    assert dict(kept) == before  # the search found all of it there


async def test_a_changed_register_is_read_again_though_nobody_searches(database: Database, kept: knowledge.Kept):
    async with knowledge.kept_ready(database.app):
        before = {state for register, state in kept if register == "units"}
        async with transaction(database.system) as session:
            await session.execute(text("UPDATE units SET sort = sort + 1"))
        for _ in range(500):
            after = {state for register, state in kept if register == "units"}
            if after != before:
                break
            await asyncio.sleep(0.01)
    assert len(after) == len(before) + 1


async def test_a_start_does_not_fail_for_want_of_a_database(kept: knowledge.Kept):
    nowhere = Database(app_url="postgresql://a@127.0.0.1:9/a", system_url="postgresql://a@127.0.0.1:9/a", pool_size=1)
    sessions: Sessions = nowhere.app
    async with knowledge.kept_ready(sessions):
        await asyncio.sleep(0.05)
    assert not kept
    await nowhere.dispose()
