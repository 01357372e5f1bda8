"""A reservation ends once: consumed, released or expired; what was consumed comes back line by line, once."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from services.suppliers.reservations.jobs import expire_reservations
from services.suppliers.reservations.queries import lock_reservations
from shared.database import transaction
from shared.identity import Role
from shared.ids import new_id
from tests.conftest import a_person, once, signed_in
from tests.suppliers.reservations.world import OrdersFeed, a_line, release, reserve_one

OPERATOR = signed_in(a_person(Role.OPERATOR))


def now() -> datetime:
    return datetime.now(UTC)


async def parked(market):
    return [row.error for row in await market.run("SELECT error FROM parked_events WHERE resolved_at IS NULL")]


async def test_released_goods_are_there_again_once(market, http):
    steel = await market.an_offer()
    held = await reserve_one(http, a_line(steel, "3"))
    assert await release(http, held["reservation_id"], new_id()) == ["RELEASED", None]
    assert await release(http, held["reservation_id"]) == ["RELEASED"]
    assert await market.stock(steel) == (1000, 0, 0)


async def test_a_release_at_the_same_time_gives_back_once(market, create_process):
    steel = await market.an_offer()
    processes = [create_process(), create_process()]
    held = await reserve_one(processes[0], a_line(steel, "3"))
    other = await reserve_one(processes[0], a_line(steel, "4"))
    await asyncio.gather(*(release(processes[number % 2], held["reservation_id"]) for number in range(6)))
    assert await market.reserved(steel) == 4
    assert (await market.states())[held_id(other)] == "HELD"


async def test_what_an_order_took_is_not_released(market, http, orders, follower):
    steel = await market.an_offer()
    held = await reserve_one(http, a_line(steel, "3"))
    orders.placed(held["reservation_id"])
    await follower.step()
    assert await release(http, held["reservation_id"]) == ["CONSUMED"]
    assert await market.reserved(steel) == 3


async def test_what_an_order_took_does_not_expire(market, http, orders, follower):
    steel = await market.an_offer()
    held = await reserve_one(http, a_line(steel, "3"))
    orders.placed(held["reservation_id"])
    await follower.step()
    await market.follow()
    assert await expire_reservations(market.database, at=now()) == 0
    assert await market.reserved(steel) == 3


async def test_nothing_expires_before_orders_was_ever_followed(market, http):
    steel = await market.an_offer()
    await reserve_one(http, a_line(steel, "3"), ttl_seconds=30)
    assert await expire_reservations(market.database, at=now() + timedelta(days=1)) == 0
    assert await market.reserved(steel) == 3


async def test_expiry_waits_for_the_follower_and_not_for_the_clock(market, http):
    steel = await market.an_offer()
    held = await reserve_one(http, a_line(steel, "3"))
    expires_at = datetime.fromisoformat(held["expires_at"])
    await market.caught_up(expires_at + timedelta(seconds=30))
    assert await expire_reservations(market.database, at=now() + timedelta(days=1)) == 0
    await market.caught_up(expires_at + timedelta(seconds=30, milliseconds=1))
    assert await expire_reservations(market.database, at=now()) == 1
    assert await market.stock(steel) == (1000, 0, 0)
    assert await expire_reservations(market.database, at=now()) == 0


async def test_a_basket_whose_event_is_parked_does_not_expire(market, http, orders, follower):
    steel = await market.an_offer()
    held = await reserve_one(http, a_line(steel, "3"))
    event = orders.placed(held["reservation_id"])
    event.data["placed_at"] = "never"
    await follower.step()
    assert len(await parked(market)) == 1
    await market.follow()
    assert await expire_reservations(market.database, at=now()) == 0
    assert await market.states() == {held_id(held): "HELD"}


async def test_many_expire_in_bounded_batches_over_several_workers(market, http):
    steel = await market.an_offer()
    for _ in range(3):
        await asyncio.gather(*(reserve_one(http, a_line(steel)) for _ in range(20)))
    await market.follow()
    assert await expire_reservations(market.database, at=now(), batch=7, batches_at_most=2) == 14
    done = await asyncio.gather(*(expire_reservations(market.database, at=now(), batch=5) for _ in range(3)))
    assert sum(done) == 46
    assert await market.stock(steel) == (1000, 0, 0)
    assert set((await market.states()).values()) == {"EXPIRED"}


async def test_expiry_leaves_a_reservation_that_somebody_works_on(market, http):
    steel = await market.an_offer()
    held = await reserve_one(http, a_line(steel))
    await market.follow()
    async with transaction(market.database.system) as session:
        await lock_reservations(session, reservation_ids=[held_id(held)])
        assert await expire_reservations(market.database, at=now()) == 0
    assert await expire_reservations(market.database, at=now()) == 1


@pytest.mark.parametrize("round_", range(5))
async def test_consuming_and_expiring_at_once_ends_in_one_of_them(market, http, round_):
    """By construction expiry never comes first; should it, the event is parked where an operator sees it."""
    steel = await market.an_offer()
    held = [await reserve_one(http, a_line(steel)) for _ in range(4)]
    await market.follow()
    orders = OrdersFeed()
    for each in held:
        orders.placed(each["reservation_id"])
    from services.suppliers.reactions import REACTIONS
    from shared.follower import Follower

    follower = Follower(source="elsewhere", feed=orders, sessions=market.database.system, reactions=REACTIONS["orders"])
    await asyncio.gather(follower.step(), expire_reservations(market.database, at=now()))
    states = list((await market.states()).values())
    assert len(await parked(market)) == states.count("EXPIRED")
    assert await market.reserved(steel) == states.count("CONSUMED")
    assert set(states) <= {"CONSUMED", "EXPIRED"}
    assert await market.drift() == []


async def test_an_order_on_an_expired_reservation_is_parked_and_does_not_stop_the_others(
    market, http, orders, follower
):
    steel = await market.an_offer()
    lost = await reserve_one(http, a_line(steel))
    await market.follow()
    await expire_reservations(market.database, at=now())
    good = await reserve_one(http, a_line(steel))
    orders.placed(lost["reservation_id"])
    orders.placed(good["reservation_id"])
    orders.placed(new_id())
    await follower.step()
    assert sorted(error.partition(":")[0] for error in await parked(market)) == [
        "ReservationLost",
        "ReservationUnknown",
    ]
    assert await market.states() == {held_id(lost): "EXPIRED", held_id(good): "CONSUMED"}
    answer = await http.get("/suppliers/operations/parked-events", headers=OPERATOR)
    (event,) = [each for each in answer.json() if each["error"].startswith("ReservationLost")]
    retry = await http.post(
        f"/suppliers/operations/parked-events/{event['event_id']}/retry", headers={**OPERATOR, **once()}
    )
    assert (retry.status_code, retry.json()["code"]) == (409, "EventStillFails")


async def test_lines_come_back_in_parts_and_never_more_than_they_hold(market, http, orders, follower):
    steel, bolts = await market.an_offer(), await market.an_offer()
    held = await reserve_one(http, a_line(steel, "10"), a_line(bolts, "5"), a_line(steel, "1"))
    orders.placed(held["reservation_id"])
    orders.released(held["reservation_id"], steel, (1, "4"), (3, "1"))
    orders.released(held["reservation_id"], bolts, (2, "2.5"))
    orders.released(held["reservation_id"], steel, (1, "2"), (1, "1.5"))
    await follower.step()
    assert await parked(market) == []
    assert await market.reserved(steel) == 2.5
    assert await market.reserved(bolts) == 2.5
    orders.released(held["reservation_id"], steel, (1, "2.501"))
    orders.released(held["reservation_id"], steel, (2, "1"))
    orders.released(held["reservation_id"], steel, (1, "2.5"))
    orders.released(held["reservation_id"], steel, (1, "0.001"))
    await follower.step()
    assert [error.partition(":")[0] for error in await parked(market)] == ["ReleasedTooMuch"] * 3
    assert await market.stock(steel) == (1000, 0, 0)
    assert await market.drift() == []


async def test_lines_of_what_no_order_took_do_not_come_back(market, http, orders, follower):
    steel = await market.an_offer()
    held = await reserve_one(http, a_line(steel, "10"))
    orders.released(held["reservation_id"], steel, (1, "4"))
    orders.released(new_id(), steel, (1, "4"))
    await follower.step()
    assert sorted(error.partition(":")[0] for error in await parked(market)) == ["NotConsumed", "ReservationUnknown"]
    assert await market.reserved(steel) == 10


async def test_a_made_to_order_line_comes_back_to_no_stock(market, http, orders, follower):
    made = await market.an_offer(on_hand=None)
    held = await reserve_one(http, a_line(made, "10"))
    orders.placed(held["reservation_id"])
    orders.released(held["reservation_id"], made, (1, "10"))
    await follower.step()
    assert await parked(market) == []
    assert await market.run("SELECT released_quantity FROM reservation_lines") == [(10,)]


async def test_a_follower_restarted_from_zero_ends_in_the_same_state(market, http, orders, follower):
    steel = await market.an_offer()
    first = await reserve_one(http, a_line(steel, "10"))
    second = await reserve_one(http, a_line(steel, "20"))
    orders.placed(first["reservation_id"])
    orders.released(first["reservation_id"], steel, (1, "4"))
    orders.placed(second["reservation_id"])
    orders.released(second["reservation_id"], steel, (1, "20"))
    orders.released(first["reservation_id"], steel, (1, "1"))
    await follower.step()
    tables = ("reservations", "reservation_lines", "reservation_releases", "stock_levels")
    once_followed = [await market.run(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in tables[:3]]
    stock = await market.stock(steel)
    assert stock == (1000, 5, 0)
    for _ in range(2):
        await market.run("DELETE FROM follower_cursors")
        assert await follower.step() == 5
    assert [await market.run(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in tables[:3]] == once_followed
    assert await market.stock(steel) == stock
    assert await parked(market) == []


async def test_goods_given_back_first_cover_what_the_supplier_lacks(market, http):
    steel = await market.an_offer(on_hand="8")
    held = await reserve_one(http, a_line(steel, "8"))
    kept = await reserve_one(http, a_line(steel, "1"))
    assert kept["outcome"] == "refused"
    # The supplier's count says 5: on hand stays at what is reserved, three are missing.
    await market.run("UPDATE stock_levels SET on_hand = 8, shortfall = 3")
    await release(http, held["reservation_id"])
    assert await market.stock(steel) == (5, 0, 0)


async def test_a_part_given_back_lessens_the_shortfall(market, http, orders, follower):
    steel = await market.an_offer(on_hand="8")
    held = await reserve_one(http, a_line(steel, "8"))
    orders.placed(held["reservation_id"])
    await follower.step()
    await market.run("UPDATE stock_levels SET on_hand = 8, shortfall = 3")
    orders.released(held["reservation_id"], steel, (1, "2"))
    await follower.step()
    assert await market.stock(steel) == (6, 6, 1)
    orders.released(held["reservation_id"], steel, (1, "2"))
    await follower.step()
    assert await market.stock(steel) == (5, 4, 0)


async def test_stock_that_comes_back_is_told_when_buyers_see_more(market, http):
    steel = await market.an_offer(on_hand="10")
    held = await reserve_one(http, a_line(steel, "10"))
    await release(http, held["reservation_id"])
    rows = await market.run("SELECT data FROM events ORDER BY seq")
    assert [row.data["stock"][0]["band"] for row in rows] == ["out", "in"]


async def test_drift_is_shown_to_operators(market, http):
    steel = await market.an_offer()
    await reserve_one(http, a_line(steel, "3"))
    answer = await http.get("/suppliers/operations/stock-drift", headers=OPERATOR)
    assert (answer.status_code, answer.json()) == (200, [])
    await market.run("UPDATE stock_levels SET reserved = 4")
    answer = await http.get("/suppliers/operations/stock-drift", headers=OPERATOR)
    assert answer.json() == [
        {
            "supplier_id": str(steel.supplier_id),
            "item_no": steel.item_no,
            "stock_point": "main",
            "reserved": "4.000",
            "live": "3.000",
        }
    ]
    assert (await http.get("/suppliers/operations/stock-drift")).status_code == 401
    buyer = signed_in(a_person(Role.BUYER))
    assert (await http.get("/suppliers/operations/stock-drift", headers=buyer)).status_code == 403


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE reservations SET state = 'HELD'",
        "UPDATE reservations SET state = 'EXPIRED'",
        "UPDATE reservations SET state = 'LOST'",
        "DELETE FROM reservations",
        "UPDATE reservation_lines SET released_quantity = 0",
        "UPDATE reservation_lines SET released_quantity = 3.001",
        "UPDATE reservation_lines SET base_quantity = 5",
        "UPDATE reservation_lines SET released_quantity = -1",
        "DELETE FROM reservation_lines",
        "UPDATE reservation_releases SET base_quantity = 9",
        "DELETE FROM reservation_releases",
    ],
)
async def test_the_database_lets_nothing_go_back(market, http, orders, follower, statement):
    steel = await market.an_offer()
    held = await reserve_one(http, a_line(steel, "3"))
    orders.placed(held["reservation_id"])
    orders.released(held["reservation_id"], steel, (1, "1"))
    await follower.step()
    with pytest.raises(DBAPIError):
        await market.run(statement)
    assert await market.drift() == []


def held_id(result):
    from uuid import UUID

    return UUID(result["reservation_id"])
