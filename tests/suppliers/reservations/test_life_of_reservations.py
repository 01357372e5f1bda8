"""Any story of holding, ordering, giving back and expiring leaves stock and reservations in agreement.

Hypothesis writes the stories; a model of a few lines says what must have come out; the database is real.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.suppliers.reservations.jobs import expire_reservations
from shared.follower import Follower
from tests.suppliers.reservations.world import AnOffer, Market, OrdersFeed, a_basket, a_line, release, reserve

ON_HAND = ("10", "25")

BASKETS = st.lists(st.tuples(st.integers(0, 1), st.integers(1, 9)), min_size=1, max_size=3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("reserve"), BASKETS),
        st.tuples(st.just("again"), st.integers(0, 5)),
        st.tuples(st.just("place"), st.integers(0, 5)),
        st.tuples(st.just("release"), st.integers(0, 5)),
        st.tuples(st.just("give back"), st.tuples(st.integers(0, 5), st.integers(0, 2), st.integers(1, 9))),
        st.tuples(st.just("expire"), st.none()),
        st.tuples(st.just("restart the follower"), st.none()),
    ),
    max_size=14,
)


@dataclass
class Told:
    """The model of one reservation."""

    basket: dict[str, Any]
    lines: list[tuple[int, int]]
    state: str = "HELD"
    came_back: list[int] = field(default_factory=list)

    def live(self, offer: int) -> int:
        if self.state not in ("HELD", "CONSUMED"):
            return 0
        return sum(q - back for (o, q), back in zip(self.lines, self.came_back, strict=True) if o == offer)


class Story:
    def __init__(self, market: Market, http, offers: list[AnOffer]) -> None:
        self.market, self.http, self.offers = market, http, offers
        self.orders = OrdersFeed()
        self.told: list[Told] = []
        from services.suppliers.reactions import REACTIONS

        self.follower = Follower(
            source="orders", feed=self.orders, sessions=market.database.system, reactions=REACTIONS["orders"]
        )

    def live(self, offer: int) -> int:
        return sum(each.live(offer) for each in self.told)

    async def tell(self, step: str, what) -> None:
        if step == "reserve":
            await self.reserve(what)
        elif step == "expire":
            await self.market.follow()
            held = [each for each in self.told if each.state == "HELD"]
            assert await expire_reservations(self.market.database, at=datetime.now(UTC)) == len(held)
            for each in held:
                each.state = "EXPIRED"
        elif step == "restart the follower":
            await self.market.run("DELETE FROM follower_cursors WHERE source = 'orders'")
            while await self.follower.step():
                pass
        else:
            number, *rest = what if isinstance(what, tuple) else (what,)
            if number < len(self.told):
                await getattr(self, step.replace(" ", "_"))(self.told[number], *rest)

    async def reserve(self, lines: list[tuple[int, int]]) -> None:
        basket = a_basket(*(a_line(self.offers[offer], str(quantity)) for offer, quantity in lines))
        fits = all(
            self.live(offer) + sum(q for o, q in lines if o == offer) <= int(ON_HAND[offer])
            for offer in {offer for offer, _ in lines}
        )
        (result,) = await reserve(self.http, basket)
        assert (result["outcome"] == "held") == fits
        if fits:
            self.told.append(Told(basket, lines, came_back=[0] * len(lines)))

    async def again(self, each: Told) -> None:
        (result,) = await reserve(self.http, each.basket)
        assert result["state"] == each.state

    async def place(self, each: Told) -> None:
        if each.state not in ("HELD", "CONSUMED"):
            return
        self.orders.placed(each.basket["reservation_id"])
        await self.follower.step()
        each.state = "CONSUMED"

    async def release(self, each: Told) -> None:
        if each.state == "HELD":
            each.state = "RELEASED"
        assert await release(self.http, each.basket["reservation_id"]) == [each.state]

    async def give_back(self, each: Told, line: int, quantity: int) -> None:
        if each.state != "CONSUMED" or line >= len(each.lines):
            return
        offer, held = each.lines[line]
        possible = min(quantity, held - each.came_back[line])
        if possible:
            self.orders.released(each.basket["reservation_id"], self.offers[offer], (line + 1, str(possible)))
            await self.follower.step()
            each.came_back[line] += possible

    async def check(self) -> None:
        for number, offer in enumerate(self.offers):
            assert await self.market.stock(offer) == (Decimal(ON_HAND[number]), Decimal(self.live(number)), Decimal(0))
        assert await self.market.drift() == []
        states = await self.market.states()
        assert {each.basket["reservation_id"]: each.state for each in self.told}.items() <= states.items()
        assert await self.market.run("SELECT error FROM parked_events") == []


async def test_every_story_leaves_stock_and_reservations_in_agreement(market, http):
    supplier = await market.a_supplier()
    loop = asyncio.get_running_loop()

    async def live_through(steps) -> None:
        await market.run("DELETE FROM follower_cursors")
        story = Story(market, http, [await market.an_offer(supplier, on_hand=each) for each in ON_HAND])
        try:
            for step, what in steps:
                await story.tell(step, what)
            await story.check()
        finally:
            await _let_go(market, http)

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(steps=STEPS)
    def stories(steps) -> None:
        asyncio.run_coroutine_threadsafe(live_through(steps), loop).result(60)

    await asyncio.to_thread(stories)


async def _let_go(market: Market, http) -> None:
    """What one story holds must not expire in the next one."""
    held: list[UUID] = [id_ for id_, state in (await market.states()).items() if state == "HELD"]
    if held:
        await release(http, *held)
