"""A sync while orders hold goods and counts come in one by one: no deadlock, and nothing newer is undone."""

import asyncio
from decimal import Decimal
from functools import partial

import psycopg
import pytest
from sqlalchemy import text

from services.suppliers.imports.jobs import _tried
from tests.suppliers.world import World, csv_of, new_items

LOCK = "SELECT 1 FROM stock_levels WHERE item_no = :item_no FOR NO KEY UPDATE"

WAITING = "SELECT count(*) FROM pg_locks WHERE relation = CAST('items' AS regclass) AND NOT granted"


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(("A-2,main,7,", "A-1,main,7,a brand"), id="the first one carefully"),
        pytest.param(("A-2,main,7,", "A-1,main,7,"), id="both quickly"),
        pytest.param(("A-2,main,7,a brand", "A-1,main,7,a brand"), id="both carefully"),
    ],
)
async def test_a_sync_locks_stock_in_the_order_in_which_orders_do(world: World, rows: tuple[str, ...]):
    await world.synced(new_items("A-1", "A-2"))
    async with world.database.system() as session:
        await session.begin()
        await session.execute(text(LOCK), {"item_no": "A-1"})
        syncing = asyncio.create_task(world.sync(csv_of(*rows, header="item_no,stock_point,on_hand,brand")))
        await asyncio.sleep(0.5)
        assert not syncing.done()
        await session.execute(text("SET LOCAL lock_timeout = '300ms'"))
        await session.execute(text(LOCK), {"item_no": "A-2"})
        await session.rollback()
    answer = await syncing
    assert answer.status_code == 200, answer.text
    assert {Decimal(level["on_hand"]) for level in (await world.stock()).values()} == {Decimal(7)}


async def test_a_chunk_that_lost_a_deadlock_is_taken_again(world: World):
    await world.synced(new_items("A-1"))
    lock = "LOCK TABLE items IN SHARE MODE"
    async with world.database.system() as session:
        await session.begin()
        await session.execute(text(lock))
        syncing = asyncio.create_task(world.sync(csv_of("A-1,7,a brand", header="item_no,on_hand,brand")))
        while not (await session.execute(text(WAITING))).scalar_one():  # noqa: ASYNC110 - PostgreSQL tells nobody
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
        # The sync holds the stock level and waits for the items; now it is a circle, which the sync finds first.
        await session.execute(text(LOCK), {"item_no": "A-1"})
        await session.rollback()
    answer = await syncing
    assert answer.status_code == 200, answer.text
    assert Decimal((await world.stock())["A-1", "main"]["on_hand"]) == 7


async def test_only_what_may_pass_is_tried_again():
    tried: list[int] = []

    async def failing(error: Exception) -> None:
        tried.append(1)
        raise error

    for error, times in ((psycopg.errors.DeadlockDetected(), 5), (psycopg.errors.AdminShutdown(), 1)):
        tried.clear()
        with pytest.raises(type(error)):
            await _tried(partial(failing, error))
        assert len(tried) == times


async def test_a_snapshot_does_not_zero_a_newer_count(world: World):
    await world.synced(new_items("A-1", "A-2", "A-3"))
    runner = world.app.state.sync_runner
    take_rows = runner._take_rows

    async def and_meanwhile(*given) -> None:
        await take_rows(*given)
        path = f"/suppliers/{world.supplier_id}/stock/A-2/main"
        answer = await world.call("PUT", path, world.erp, json={"on_hand": "55"})
        assert answer.status_code == 200, answer.text

    runner._take_rows = and_meanwhile
    view = await world.synced(csv_of("A-1,main,5", header="item_no,stock_point,on_hand"), mode="full")
    assert view["counts"]["zeroed"] == 1
    on_hand = {item: Decimal(level["on_hand"]) for (item, _), level in (await world.stock()).items()}
    assert on_hand == {"A-1": 5, "A-2": 55, "A-3": 0}
