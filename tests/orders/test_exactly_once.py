"""One intent, one order: repeats, races, lost answers and crashes between reserving and ordering."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text

from shared.identity import Role
from tests.conftest import a_person, once, signed_in
from tests.orders.conftest import CreateWorld, World

ALL = ("baskets", "purchase_orders", "purchase_order_lines", "order_history")


async def test_a_repeat_gets_the_same_answer_and_no_second_order(world: World) -> None:
    basket, key = world.basket(world.line(world.suppliers.offer())), once()

    first = await world.place(basket, key=key)
    second = await world.place(basket, key=key)

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Location"] == first.headers["Location"] == f"/orders/baskets/{first.json()['basket_id']}"
    assert [await world.count(table) for table in ALL] == [1, 1, 1, 1]
    assert world.suppliers.calls == [1]


async def test_a_repeat_is_answered_even_when_it_could_no_longer_be_placed(world: World) -> None:
    basket, key = world.basket(world.line(world.suppliers.offer())), once()
    first = await world.place(basket, key=key)
    closed = {"number": "BJ-2026-07", "name": "x", "status": "CLOSED"}
    headers = signed_in(world.buyer) | {"If-Match": '"1"'}
    await world.http.put(f"/orders/projects/{world.project_id}", json=closed, headers=headers)

    assert (await world.place(basket, key=key)).content == first.content


async def test_the_same_key_for_another_basket_is_refused(world: World) -> None:
    offer, key = world.suppliers.offer(), once()
    await world.place(world.basket(world.line(offer, "1")), key=key)

    answer = await world.place(world.basket(world.line(offer, "2")), key=key)

    assert (answer.status_code, answer.json()["code"]) == (422, "IdempotencyKeyReused")


async def test_the_same_key_for_another_route_is_refused(world: World) -> None:
    key = once()
    await world.place(world.basket(world.line(world.suppliers.offer())), key=key)

    answer = await world.http.post(
        "/orders/projects", json={"number": "X", "name": "X"}, headers=signed_in(world.buyer) | key
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "IdempotencyKeyReused")


async def test_another_company_may_use_the_same_key(world: World) -> None:
    offer, key = world.suppliers.offer(), once()
    await world.place(world.basket(world.line(offer)), key=key)

    world.buyer = a_person(Role.BUYER)
    project = await world.open_project()
    world.project_id, world.delivery_point_id = project["id"], project["delivery_points"][0]["id"]
    answer = await world.place(world.basket(world.line(offer)), key=key)

    assert answer.status_code == 201
    assert await world.count("baskets") == 2


async def test_a_key_is_needed(world: World) -> None:
    answer = await world.http.post("/orders/baskets", json={}, headers=signed_in(world.buyer))

    assert (answer.status_code, answer.json()["code"]) == (400, "IdempotencyKeyMissing")


async def test_sixteen_at_once_with_one_key_make_one_basket(world: World) -> None:
    basket, key = world.basket(world.line(world.suppliers.offer())), once()

    answers = await asyncio.gather(*(world.place(basket, key=key) for _ in range(16)))

    codes = Counter(answer.status_code for answer in answers)
    assert codes[201] >= 1
    assert codes[201] + codes[409] == 16
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"RequestStillRunning"}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert await world.count("baskets") == 1


async def test_two_processes_with_one_key_make_one_basket_and_the_loser_replays(
    world: World, create_world: CreateWorld
) -> None:
    other = create_world(beside=world)
    basket = world.basket(world.line(world.suppliers.offer()), world.line(world.suppliers.offer()))

    for _ in range(8):
        key = once()
        mine, theirs = await asyncio.gather(world.place(basket, key=key), other.place(basket, key=key))
        assert (mine.status_code, theirs.status_code) == (201, 201)
        assert mine.content == theirs.content

    assert await world.count("baskets") == 8
    assert await world.count("purchase_orders") == 16
    assert world.suppliers.released == []


async def test_many_baskets_at_once_each_get_their_own_orders(world: World, create_world: CreateWorld) -> None:
    other = create_world(beside=world)
    offers = [world.suppliers.offer() for _ in range(3)]
    lines = [world.line(offers[place % 3], str(place + 1)) for place in range(7)]

    answers = await asyncio.gather(
        *((world if turn % 2 else other).place(world.basket(*lines, note=str(turn))) for turn in range(60))
    )

    assert {answer.status_code for answer in answers} == {201}
    numbers = [order["number"] for answer in answers for order in answer.json()["orders"]]
    assert len(set(numbers)) == 180
    assert sorted(number[-6:] for number in numbers) == [f"{n:06d}" for n in range(1, 181)]
    assert [await world.count(table) for table in ALL] == [60, 180, 420, 180]
    assert max(world.suppliers.calls) > 1, "one call should carry several baskets"


async def test_a_lost_answer_of_suppliers_ends_in_exactly_one_order(world: World) -> None:
    offer = world.suppliers.offer()
    basket, key = world.basket(world.line(offer, "10")), once()
    world.suppliers.fault = "lost after"

    unknown = await world.place(basket, key=key)

    assert (unknown.status_code, unknown.json()["code"]) == (503, "ReservationUnknown")
    assert int(unknown.headers["Retry-After"]) >= 1
    assert await world.count("baskets") == 0
    stock = offer.stock

    world.suppliers.fault = None
    retried = await world.place(basket, key=key)

    assert retried.status_code == 201
    assert offer.stock == stock, "the retry met its own reservation"
    assert list(world.suppliers.results) == [UUID(retried.json()["basket_id"])]
    assert world.suppliers.released == []


@pytest.mark.parametrize(("fault", "code"), [("lost before", "ReservationUnknown"), ("away", "SuppliersAway")])
async def test_suppliers_that_do_not_answer_leave_nothing_behind(world: World, fault: str, code: str) -> None:
    basket, key = world.basket(world.line(world.suppliers.offer())), once()
    world.suppliers.fault = fault

    answer = await world.place(basket, key=key)
    assert (answer.status_code, answer.json()["code"]) == (503, code)
    assert "Retry-After" in answer.headers

    world.suppliers.fault = None
    assert (await world.place(basket, key=key)).status_code == 201


async def test_another_basket_under_a_key_whose_outcome_is_unknown_is_refused(world: World) -> None:
    offer, key = world.suppliers.offer(), once()
    world.suppliers.fault = "lost after"
    await world.place(world.basket(world.line(offer, "1")), key=key)
    world.suppliers.fault = None

    answer = await world.place(world.basket(world.line(offer, "2")), key=key)

    assert (answer.status_code, answer.json()["code"]) == (422, "IdempotencyKeyReused")


@pytest.mark.parametrize("seconds_left", [-60, 0, 4])
async def test_goods_whose_time_is_up_are_not_ordered(world: World, seconds_left: int) -> None:
    world.suppliers.ttl = timedelta(seconds=seconds_left)
    key = once()

    answer = await world.place(world.basket(world.line(world.suppliers.offer())), key=key)

    assert (answer.status_code, answer.json()["code"]) == (409, "ReservationExpired")
    assert [await world.count(table) for table in (*ALL, "events")] == [0, 0, 0, 0, 0]
    async with world.database.system() as session:
        stored = await session.scalar(
            text("SELECT count(*) FROM idempotency_keys WHERE key = :key"), {"key": key["Idempotency-Key"]}
        )
    assert stored == 0
    assert world.suppliers.released == [], "another process may be ordering them under the same key"


async def test_a_basket_whose_time_is_up_does_not_keep_the_others_out(world: World) -> None:
    offer = world.suppliers.offer()
    world.suppliers.ttl = timedelta(seconds=1)
    late = world.basket(world.line(offer))
    key = once()
    world.suppliers.fault = "lost after"
    await world.place(late, key=key)
    world.suppliers.fault, world.suppliers.ttl = None, timedelta(minutes=10)

    answers = await asyncio.gather(
        world.place(late, key=key), *(world.place(world.basket(world.line(offer))) for _ in range(5))
    )

    assert [answer.status_code for answer in answers] == [409, 201, 201, 201, 201, 201]


async def test_a_failing_release_does_not_hide_the_reason(world: World) -> None:
    offer = world.suppliers.offer(price="999999999999.000000")
    world.suppliers.fault = "away on release"

    answer = await world.place(world.basket(world.line(offer, "99999")))

    assert answer.json()["code"] == "AmountTooLarge"


async def test_a_crash_between_reserving_and_ordering_is_mended_by_a_repeat(
    world: World, create_world: CreateWorld
) -> None:
    offer = world.suppliers.offer()
    basket, key = world.basket(world.line(offer)), once()
    await _close_the_writing_door(world)
    failed = await world.place(basket, key=key)
    assert failed.status_code in {500, 503}
    stock = offer.stock
    assert await world.count("baskets") == 0
    assert world.suppliers.released == [], "the repeat needs the goods"

    await _open_the_writing_door(world)
    restarted = create_world(beside=world)
    answer = await restarted.place(basket, key=key)

    assert answer.status_code == 201
    assert offer.stock == stock
    assert await world.count("baskets") == 1


async def _close_the_writing_door(world: World) -> None:
    await _as_owner(world, "CREATE FUNCTION slam() RETURNS trigger LANGUAGE plpgsql AS "
                    "$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$")  # fmt: skip
    await _as_owner(world, "CREATE TRIGGER slam BEFORE INSERT ON purchase_orders EXECUTE FUNCTION slam()")


async def _open_the_writing_door(world: World) -> None:
    await _as_owner(world, "DROP TRIGGER slam ON purchase_orders")


async def _as_owner(world: World, statement: str) -> None:
    url = world.owner_url
    assert url
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as owner:
        await owner.execute(statement.encode())


async def test_a_key_forgotten_after_a_week_never_orders_again(world: World) -> None:
    basket, key = world.basket(world.line(world.suppliers.offer())), once()
    await world.place(basket, key=key)
    async with world.database.system() as session, session.begin():
        await session.execute(text("DELETE FROM idempotency_keys"))

    answer = await world.place(basket, key=key)

    assert (answer.status_code, answer.json()["code"]) == (422, "IdempotencyKeyReused")
    assert await world.count("baskets") == 1


async def test_answers_about_other_lines_than_asked_for_are_not_believed(world: World) -> None:
    offer, other = world.suppliers.offer(), world.suppliers.offer()
    basket, key = world.basket(world.line(offer)), once()
    world.suppliers.fault = "lost after"
    await world.place(basket, key=key)
    world.suppliers.fault = None
    [(fingerprint, result)] = world.suppliers.results.values()
    line = result.lines[0].model_copy(update={"offer_id": other.id})
    world.suppliers.results[result.reservation_id] = (fingerprint, result.model_copy(update={"lines": [line]}))

    answer = await world.place(basket, key=key)

    assert (answer.status_code, answer.json()["code"]) == (503, "ReservationUnknown")
    assert await world.count("baskets") == 0


async def test_an_unexpected_constraint_stops_one_basket_not_its_batch(world: World) -> None:
    broken, good = world.suppliers.offer(factor="0"), world.suppliers.offer()

    answers = await asyncio.gather(
        *(world.place(world.basket(world.line(offer))) for offer in (good, broken, good, good, broken))
    )

    assert [answer.status_code for answer in answers] == [201, 500, 201, 201, 500]
    assert await world.count("baskets") == 3
