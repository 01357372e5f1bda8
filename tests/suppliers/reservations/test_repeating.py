"""The same id is the same reservation, whatever became of it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from services.suppliers.reservations.jobs import expire_reservations
from shared.clients.reservations import ReservationsClient
from shared.clients.transport import FixedToken, ServiceClient
from shared.contracts.reservations import ReserveBasket
from shared.ids import new_id
from tests.suppliers.reservations.world import RESERVER, a_basket, a_line, release, reserve


async def test_a_repeated_basket_gets_the_same_answer_and_takes_no_more(market, http):
    steel = await market.an_offer()
    basket = a_basket(a_line(steel, "3.5"))
    (first,) = await reserve(http, basket)
    (again,) = await reserve(http, basket)
    assert again == first
    assert await market.reserved(steel) == 3.5


async def test_prices_stay_frozen_in_a_repeated_answer(market, http):
    steel = await market.an_offer()
    basket = a_basket(a_line(steel))
    (first,) = await reserve(http, basket)
    await market.run("UPDATE offers SET price = 1, status = 'WITHDRAWN' WHERE id = :id", id=steel.id)
    (again,) = await reserve(http, basket)
    assert (again["outcome"], again["lines"]) == ("held", first["lines"])


async def test_a_retry_may_come_later_hold_longer_and_write_numbers_another_way(market, http):
    steel = await market.an_offer()
    basket = a_basket(a_line(steel, "3.50"))
    (first,) = await reserve(http, basket)
    later = {
        **basket,
        "at": datetime.now(UTC) + timedelta(minutes=1),
        "ttl_seconds": 900,
        "lines": [{**basket["lines"][0], "quantity": "3.5"}],
    }
    (again,) = await reserve(http, later)
    assert (again["outcome"], again["expires_at"]) == ("held", first["expires_at"])


@pytest.mark.parametrize(
    "change",
    [
        {"buyer_company_id": new_id()},
        {"currency": "EUR"},
        {"region": "310000"},
        {"quantity": "2"},
        {"unit": "kg"},
        {"need_by": "2098-01-01"},
        {"line_no": 9},
        {"offer_id": new_id()},
    ],
)
async def test_an_id_used_for_another_basket_is_refused_and_tells_nothing(market, http, change):
    steel = await market.an_offer()
    basket = a_basket(a_line(steel))
    await reserve(http, basket)
    other = {**basket, **{name: value for name, value in change.items() if name in basket}}
    other["lines"] = [{**basket["lines"][0], **{name: value for name, value in change.items() if name not in basket}}]
    (result,) = await reserve(http, other)
    assert (result["outcome"], result["code"]) == ("refused", "ReservationConflict")
    assert result["lines"] == []
    assert await market.reserved(steel) == 1


async def test_a_refused_basket_leaves_nothing_and_may_be_tried_again(market, http):
    steel = await market.an_offer(on_hand="1")
    basket = a_basket(a_line(steel, "2"))
    (refused,) = await reserve(http, basket)
    assert refused["outcome"] == "refused"
    await market.run("UPDATE stock_levels SET on_hand = 2")
    (held,) = await reserve(http, basket)
    assert held["outcome"] == "held"


async def test_a_consumed_reservation_is_told_as_such(market, http, orders, follower):
    steel = await market.an_offer()
    basket = a_basket(a_line(steel))
    (first,) = await reserve(http, basket)
    orders.placed(basket["reservation_id"])
    await follower.step()
    (again,) = await reserve(http, basket)
    assert (again["outcome"], again["state"], again["lines"]) == ("held", "CONSUMED", first["lines"])


async def test_a_released_reservation_is_told_as_such_and_takes_nothing_again(market, http):
    steel = await market.an_offer()
    basket = a_basket(a_line(steel))
    (first,) = await reserve(http, basket)
    await release(http, basket["reservation_id"])
    (again,) = await reserve(http, basket)
    assert (again["outcome"], again["state"], again["code"]) == ("refused", "RELEASED", "ReservationReleased")
    assert again["lines"] == first["lines"]
    assert await market.reserved(steel) == 0


async def test_an_expired_reservation_is_told_as_such_and_takes_nothing_again(market, http):
    steel = await market.an_offer()
    basket = a_basket(a_line(steel))
    await reserve(http, basket)
    await market.follow()
    assert await expire_reservations(market.database, at=datetime.now(UTC)) == 1
    (again,) = await reserve(http, basket)
    assert (again["outcome"], again["state"], again["code"]) == ("refused", "EXPIRED", "ReservationExpired")
    assert await market.reserved(steel) == 0


async def test_the_client_of_orders_speaks_to_the_routes(market, http: httpx.AsyncClient):
    token = RESERVER["Authorization"].removeprefix("Bearer ")
    client = ReservationsClient(ServiceClient("suppliers", http, FixedToken(token)))
    steel = await market.an_offer(on_hand="5")
    baskets = [ReserveBasket.model_validate(a_basket(a_line(steel, quantity))) for quantity in ("4", "2")]
    held, short = await client.reserve(baskets=baskets)
    assert held.outcome == "held"
    assert (held.lines[0].quantity, len(held.refusals)) == (Decimal(4), 0)
    assert short.outcome == "refused"
    assert short.refusals[0].available == Decimal(1)
    told = await client.release(reservation_ids=[held.reservation_id, short.reservation_id])
    assert [result.state for result in told] == ["RELEASED", None]
