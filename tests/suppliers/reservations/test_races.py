"""Many buyers, several processes, the same goods: nothing is sold twice and nobody waits in a circle."""

import asyncio
import random
from collections import Counter
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from shared.database import scope_to
from shared.ids import new_id
from tests.suppliers.reservations.world import a_basket, a_line, all_at_once, release, reserve, reserve_one


async def test_32_buyers_race_for_the_last_ten_over_two_processes_and_ten_win(market, create_process):
    steel = await market.an_offer(on_hand="10")
    processes = [create_process(), create_process()]

    async def buy(number: int):
        return await reserve_one(processes[number % 2], a_line(steel))

    results = await all_at_once(buy, times=32)
    assert Counter(result["outcome"] for result in results) == {"held": 10, "refused": 22}
    refusals = [refusal for result in results for refusal in result.get("refusals", ())]
    assert {(refusal["code"], refusal["available"]) for refusal in refusals} == {("InsufficientStock", "0.000")}
    assert await market.stock(steel) == (10, 10, 0)
    assert await market.drift() == []


async def test_32_buyers_in_one_process_race_for_the_last_ten_and_ten_win(market, http):
    steel = await market.an_offer(on_hand="10")
    results = await all_at_once(lambda _: reserve_one(http, a_line(steel)), times=32)
    assert Counter(result["outcome"] for result in results) == {"held": 10, "refused": 22}
    assert await market.stock(steel) == (10, 10, 0)


async def test_the_same_reservation_sent_many_times_at_once_takes_stock_once(market, create_process):
    steel = await market.an_offer()
    basket = a_basket(a_line(steel, "3"), a_line(steel, "4"))
    processes = [create_process() for _ in range(3)]
    answers = await all_at_once(lambda number: reserve(processes[number % 3], basket), times=12)
    assert all(answer == answers[0] for answer in answers)
    assert answers[0][0]["outcome"] == "held"
    assert await market.reserved(steel) == 7
    assert await market.drift() == []


async def test_one_id_for_two_baskets_at_once_is_held_for_one_of_them(market, create_process):
    steel, other = await market.an_offer(), await market.an_offer()
    reservation_id = new_id()
    baskets = [
        a_basket(a_line(steel, "3"), reservation_id=reservation_id),
        a_basket(a_line(other, "5"), reservation_id=reservation_id),
    ]
    processes = [create_process(), create_process()]
    answers = await all_at_once(lambda number: reserve(processes[number % 2], baskets[number % 2]), times=8)
    outcomes = Counter((answer[0]["outcome"], answer[0].get("code")) for answer in answers)
    assert outcomes == {("held", None): 4, ("refused", "ReservationConflict"): 4}
    assert sorted([await market.reserved(steel), await market.reserved(other)]) in ([0, 3], [0, 5])
    assert await market.drift() == []


async def test_one_id_for_two_baskets_in_one_call_is_held_for_the_first(market, http):
    steel = await market.an_offer()
    reservation_id = new_id()
    buyer = new_id()
    first = a_basket(a_line(steel, "3"), reservation_id=reservation_id, buyer_company_id=buyer)
    second = a_basket(a_line(steel, "4"), reservation_id=reservation_id, buyer_company_id=buyer)
    results = await reserve(http, first, second, first)
    assert [(result["outcome"], result.get("code")) for result in results] == [
        ("held", None),
        ("refused", "ReservationConflict"),
        ("held", None),
    ]
    assert await market.reserved(steel) == 3


async def test_a_hundred_random_baskets_with_lines_in_any_order_never_wait_in_a_circle(market, create_process):
    supplier_ids = [await market.a_supplier() for _ in range(2)]
    offers = [await market.an_offer(supplier_ids[number % 2], on_hand="60") for number in range(12)]
    processes = [create_process() for _ in range(3)]
    chance = random.Random(20261122)
    baskets = [a_basket(*(a_line(offer) for offer in chance.choices(offers, k=8))) for _ in range(100)]

    async def hold_and_perhaps_let_go(number: int):
        http = processes[number % 3]
        (result,) = await reserve(http, baskets[number])
        if result["outcome"] == "held" and number % 4 == 0:
            await release(http, result["reservation_id"])
        return result["outcome"]

    outcomes = Counter(await all_at_once(hold_and_perhaps_let_go, times=100))
    assert outcomes["held"] > 50
    ((deadlocks,),) = await market.run("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    assert deadlocks == 0
    assert await market.drift() == []
    assert max([await market.reserved(offer) for offer in offers]) <= 60


async def test_a_deadlock_made_by_somebody_else_is_overcome(market, http):
    """Another transaction that locks against the order: whoever is told to give way tries again."""
    steel, other = await market.an_offer(item_no="A"), await market.an_offer(item_no="B")
    first, second = sorted([steel, other], key=lambda offer: (offer.supplier_id, offer.item_no))
    lock = text("SELECT FROM stock_levels WHERE supplier_id = :id FOR UPDATE")
    async with market.database.system() as session, session.begin():
        await session.execute(lock, {"id": second.supplier_id})
        asking = asyncio.create_task(reserve_one(http, a_line(steel), a_line(other)))
        await asyncio.sleep(0.3)
        assert await market.run("SELECT FROM pg_locks WHERE NOT granted"), "the desk waits for the second row"
        await session.execute(lock, {"id": first.supplier_id})
    assert (await asking)["outcome"] == "held"
    assert await market.drift() == []


async def test_the_database_refuses_to_oversell_even_when_asked_to(market):
    steel = await market.an_offer(on_hand="10")
    for change in ("reserved = 11", "reserved = -1"):
        with pytest.raises(IntegrityError):
            await market.run(f"UPDATE stock_levels SET {change} WHERE supplier_id = :id", id=steel.supplier_id)


async def test_the_app_sees_only_the_reservations_of_its_scope(market, http):
    steel = await market.an_offer()
    result = await reserve_one(http, a_line(steel))
    for table, scope in (("reservations", new_id()), ("reservation_lines", new_id())):
        async with market.database.app() as session, session.begin():
            await scope_to(session, scope)
            assert (await session.execute(text(f"SELECT FROM {table}"))).all() == []
    async with market.database.app() as session, session.begin():
        await scope_to(session, steel.supplier_id)
        rows = (await session.execute(text("SELECT reservation_id, base_quantity FROM reservation_lines"))).all()
    assert [(str(row.reservation_id), row.base_quantity) for row in rows] == [(result["reservation_id"], Decimal(1))]
