"""Following `suppliers`: exactly the state it told last, however often, in whatever order, from wherever."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from services.catalog.reactions import REACTIONS
from services.catalog.search.actions import _keep_newest
from services.catalog.search.jobs import rebuild_index
from shared.audience import Audience
from shared.contracts.suppliers import OFFERS_CHANGED, STOCK_CHANGED
from shared.database import Database, transaction
from shared.ids import new_id
from tests.catalog.conftest import AT, BAR, Market, offer_state
from tests.conftest import TestServer

TABLES = ("search_suppliers", "search_offers", "search_stock", "search_variants")


async def state(database: Database) -> dict[str, list[Any]]:
    """Everything the read model holds."""
    async with transaction(database.system) as session:
        return {
            table: [tuple(row) for row in await session.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2"))]
            for table in TABLES
        }


async def a_busy_day(market: Market) -> None:
    """Offers that change, stock that moves, a supplier that is suspended and comes back."""
    first, second = market.supplier("甲"), market.supplier("乙")
    offers = [await market.offer(first, f"RB-HRB|diameter={d},grade=HRB400E,length=12") for d in (12, 16, 20, 25)]
    await market.offer(second, BAR, price="3200")
    for price in ("3100", "3150", "3175"):
        changed = [{**offer, "price": price} for offer in offers]
        market.feed.tell(OFFERS_CHANGED, {"supplier_id": str(first), "offers": changed})
    market.stock(first, offers[0]["item_no"], "3")
    market.supplier("乙", supplier_id=second, status="SUSPENDED", version=2)
    withdrawn = {**offers[3], "status": "WITHDRAWN"}
    market.feed.tell(OFFERS_CHANGED, {"supplier_id": str(first), "offers": [withdrawn]})
    market.stock(first, offers[0]["item_no"], "0", as_of=AT + timedelta(hours=1))
    market.supplier("乙新", supplier_id=second, version=3)


async def test_the_last_state_told_is_the_state_held(market: Market):
    await a_busy_day(market)
    await market.follow()
    hits = {hit["variant"]["key"]: hit for hit in await market.hits()}
    assert sorted(hits) == [f"RB-HRB|diameter={d},grade=HRB400E,length=12" for d in (12, 16, 20)]
    assert hits[BAR]["offers_count"] == 2
    assert {offer["unit_price"] for hit in hits.values() for offer in hit["offers"]} == {"3175", "3200"}
    assert {offer["supplier_name"] for offer in hits[BAR]["offers"]} == {"甲", "乙新"}
    (low,) = hits["RB-HRB|diameter=12,grade=HRB400E,length=12"]["offers"]
    assert low["stock"] == {
        "stock_point": "main", "band": "out", "available": "0", "as_of": "2026-11-22T05:00:00Z",
    }  # fmt: skip


async def test_any_page_size_a_restart_and_a_rebuild_end_in_the_same_state(market: Market, database: Database):
    await a_busy_day(market)
    await market.follow()
    whole = await state(database)
    for page_size in (1, 3):
        await rebuild_index(database.system)
        assert all(not rows for rows in (await state(database)).values())
        await market.follow(page_size=page_size)
        assert await state(database) == whole
    async with transaction(database.system) as session:
        await session.execute(text("DELETE FROM follower_cursors"))
    await market.follow()
    assert await state(database) == whole


async def test_an_event_that_comes_late_changes_nothing(market: Market, database: Database):
    supplier = market.supplier()
    offer = await market.offer(supplier, BAR, price="3100")
    newer = {**offer, "price": "3300"}
    market.feed.tell(OFFERS_CHANGED, {"supplier_id": str(supplier), "offers": [newer]}, position="500-500")
    market.stock(supplier, offer["item_no"], "7")
    await market.follow()
    before = await state(database)
    async with transaction(database.system) as session:
        for event in reversed(market.feed.events):
            await REACTIONS["suppliers"][event.type](session, [event])
    assert await state(database) == before
    assert (await market.hits())[0]["price_from"] == "3300"


async def test_the_newest_state_in_one_page_wins_though_told_twice(market: Market):
    supplier = market.supplier()
    offer = await market.offer(supplier, BAR, price="3100")
    twice = [{**offer, "price": "3200"}, {**offer, "price": "3300"}]
    market.feed.tell(OFFERS_CHANGED, {"supplier_id": str(supplier), "offers": twice})
    await market.follow()
    assert (await market.hits())[0]["price_from"] == "3300"


@given(st.permutations([1, 2, 9, 10, 100]))
def test_of_several_states_the_newest_is_kept_in_any_order(numbers):
    rows: dict[str, dict[str, Any]] = {}
    for seq in numbers:
        _keep_newest(rows, "offer", {"seq": seq})
    assert rows["offer"] == {"seq": 100}


@pytest.mark.parametrize(
    "poison",
    [
        {"offers": [{"offer_id": "x"}]},
        {"supplier_id": "not an id", "offers": []},
        {"supplier_id": str(new_id()), "offers": "many"},
    ],
)
async def test_a_poison_event_is_parked_and_the_others_take_effect(market: Market, database: Database, poison):
    supplier = market.supplier()
    await market.offer(supplier, BAR)
    market.feed.tell(OFFERS_CHANGED, poison)
    await market.offer(supplier, "RB-COIL|diameter=8,grade=HRB400E")
    await market.follow()
    assert len(await market.keys()) == 2
    async with transaction(database.system) as session:
        parked = (await session.execute(text("SELECT type, error FROM parked_events"))).one()
    assert parked.type == OFFERS_CHANGED
    assert "EventMalformedError" in parked.error


async def test_what_the_database_forbids_is_parked_too(market: Market, database: Database):
    supplier = market.supplier()
    offer = await market.offer(supplier, BAR)
    market.feed.tell(OFFERS_CHANGED, {"supplier_id": str(supplier), "offers": [{**offer, "price": "-1"}]})
    level = {
        "item_no": offer["item_no"], "stock_point": "main", "on_hand": "-1", "available": "-1", "band": "in",
        "as_of": AT.isoformat(),
    }  # fmt: skip
    market.feed.tell(STOCK_CHANGED, {"supplier_id": str(supplier), "stock": [level]})
    await market.follow()
    async with transaction(database.system) as session:
        assert await session.scalar(text("SELECT count(*) FROM parked_events")) == 2
    assert (await market.hits())[0]["price_from"] == "3253"


async def test_an_offer_of_a_variant_nobody_knows_is_kept_and_shown_to_nobody(market: Market, database: Database):
    supplier = market.supplier()
    known = await market.variant(BAR)
    ghost = offer_state(supplier, {**known, "id": str(new_id())}, audience=Audience.PUBLIC)
    market.feed.tell(OFFERS_CHANGED, {"supplier_id": str(supplier), "offers": [ghost]})
    await market.follow()
    assert await market.keys() == []
    assert len((await state(database))["search_offers"]) == 1


async def test_five_hundred_offers_in_one_event_are_taken_at_once(market: Market):
    supplier = market.supplier()
    variant = await market.variant(BAR)
    offers = [offer_state(supplier, variant, price=str(3000 + n)) for n in range(500)]
    market.feed.tell(OFFERS_CHANGED, {"supplier_id": str(supplier), "offers": offers})
    await market.follow()
    (hit,) = await market.hits(offers=50)
    assert (hit["offers_count"], len(hit["offers"]), hit["price_from"]) == (500, 50, "3000")


@pytest.mark.parametrize("index", ["ix_search_variants_tokens", "ix_search_variants_properties"])
async def test_new_variants_do_not_wait_beside_the_index(
    market: Market, postgres: TestServer, stocked_clone: str, index: str
):
    """Every search would look through them one by one; cleaning what is clean removes no page."""
    supplier = market.supplier()
    for diameter in (12, 16, 20):
        await market.offer(supplier, f"RB-HRB|diameter={diameter},grade=HRB400E,length=12")
    await market.follow()
    owner = postgres.service_urls("catalog", stocked_clone).owner
    with psycopg.connect(owner, autocommit=True) as connection:
        assert connection.execute("SELECT gin_clean_pending_list(%s::regclass)", [index]).fetchone() == (0,)
