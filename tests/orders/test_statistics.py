"""Metrics and price statistics, through the API, over orders that were really placed."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from services.orders.reactions import REACTIONS
from services.orders.statistics.jobs import make_price_statistics
from shared.contracts.members import STAGE_CHANGED
from shared.database import transaction
from shared.feed import Event
from shared.identity import Principal, Role
from shared.ids import new_id
from tests.conftest import a_person, signed_in
from tests.figures import tells
from tests.orders.conftest import World

VARIANT = "RB-HRB|diameter=20,grade=HRB400E,length=12"
JULY = datetime(2026, 7, 15, 4, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 25, 4, tzinfo=UTC)
TOO_EARLY = datetime(2026, 10, 31, 4, tzinfo=UTC)


@dataclass
class Market:
    """Contractor groups that buy the same bar."""

    world: World
    groups: list[UUID] = field(default_factory=list)

    async def opened(self, group: UUID, *, stage: str = "S3", circle: UUID | None = None, at: datetime = JUNE) -> None:
        """`members` tells that a group opened the category."""
        data = {
            "group_id": str(group),
            "category": "rebar",
            "stage": stage,
            "circle_id": None if circle is None else str(circle),
            "before_stage": "S1",
            "before_circle_id": None,
            "change_id": str(new_id()),
            "what": "effective",
        }
        event = Event(
            id=new_id(), source="members", type=STAGE_CHANGED, subject="x", time=at, data=data, position="1-1"
        )
        async with transaction(self.world.database.system) as session:
            await REACTIONS["members"][STAGE_CHANGED](session, [event])

    async def buys(self, *, price: str = "3390.00", quantity: str = "10", group: UUID | None = None) -> UUID:
        """A group orders in July; prices hold 13 % tax, so 3390.00 is 3,000 net."""
        group = group or new_id()
        self.groups.append(group)
        self.world.buyer = a_person(Role.BUYER, company_id=group, group_id=group)
        project = await self.world.open_project()
        self.world.project_id = project["id"]
        self.world.delivery_point_id = project["delivery_points"][0]["id"]
        offer = self.world.suppliers.offer(price=price)
        await self.world.placed(self.world.line(offer, quantity))
        with psycopg.connect(self.world.owner_url) as owner:
            owner.execute("ALTER TABLE purchase_orders NO FORCE ROW LEVEL SECURITY")
            owner.execute("UPDATE purchase_orders SET placed_at = %s WHERE buyer_id = %s", (JULY, group))
            owner.execute("ALTER TABLE purchase_orders FORCE ROW LEVEL SECURITY")
        return group

    async def five(self, *, circle: UUID | None = None) -> None:
        for _ in range(5):
            group = await self.buys()
            await self.opened(group, stage="S3" if circle is None else "S2", circle=circle)

    async def made(self, at: datetime = NOVEMBER) -> int:
        async def categories() -> dict[str, str]:
            return {"RB-HRB": "rebar"}

        return await make_price_statistics(self.world.database, categories=categories, at=at)

    async def asked(self, *, as_: Principal | None = None, month: str = "2026-07", **more: str) -> list[dict[str, Any]]:
        params = {"variant_key": VARIANT, "region": "11", "month": month, **more}
        headers = {} if as_ is None else signed_in(as_)
        answer = await self.world.http.get("/orders/price-statistics", params=params, headers=headers)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found

    async def states(self, **more: Any) -> list[str]:
        return [each["state"] for each in await self.asked(**more)]


@pytest.fixture
def market(world: World) -> Market:
    return Market(world)


async def test_a_price_is_told_once_five_groups_of_the_open_market_bought(market: Market):
    await market.five()
    assert await market.made() == 1
    (told,) = await market.asked()
    assert (told["state"], told["pool"], told["price"], told["groups"]) == ("told", "market", "3000", "5-9")
    assert (told["spread"], told["unit"], told["currency"]) == ("below 2 %", "t", "CNY")


async def test_whatever_is_missing_the_answer_is_the_same(market: Market):
    for _ in range(4):
        await market.opened(await market.buys())
    await market.made()
    nothing_bought = await market.asked(month="2026-06")
    too_few = await market.asked()
    other_place = await market.asked(region="44")
    same = [[{k: v for k, v in each.items() if k not in {"month", "region"}} for each in answer]
            for answer in (nothing_bought, too_few, other_place)]  # fmt: skip
    assert same[0] == same[1] == same[2]
    assert too_few[0]["state"] == "not_enough_data"


async def test_a_group_that_bought_more_than_a_quarter_hides_the_price(market: Market):
    await market.five()
    await market.opened(await market.buys(quantity="30"))
    await market.made()
    assert await market.states() == ["not_enough_data"]


async def test_nothing_is_told_before_three_months_have_passed(market: Market):
    await market.five()
    assert await market.made(TOO_EARLY) == 0
    assert await market.states() == ["not_enough_data"]


async def test_a_month_is_made_once_so_that_no_later_order_can_be_seen_in_the_difference(market: Market):
    await market.five()
    await market.made()
    before = await market.asked()
    await market.opened(await market.buys(price="9999.00"))
    assert await market.made() == 0
    assert await market.asked() == before


async def test_two_workers_at_once_make_a_month_once(market: Market):
    await market.five()
    assert sum(await asyncio.gather(market.made(), market.made())) == 1


async def test_private_orders_and_those_of_groups_that_closed_again_are_in_no_statistic(market: Market):
    await market.five()
    await market.opened(market.groups[0], stage="S1", at=NOVEMBER)
    await market.buys()
    await market.made()
    assert await market.states() == ["not_enough_data"]


async def test_what_was_ordered_before_the_category_was_open_stays_private(market: Market):
    for _ in range(5):
        await market.opened(await market.buys(), at=NOVEMBER)
    await market.made()
    assert await market.states() == ["not_enough_data"]


async def test_the_figures_of_a_circle_are_for_its_members(market: Market):
    circle = new_id()
    await market.five(circle=circle)
    await market.made()
    inside = a_person(Role.BUYER, circle_ids=frozenset({circle}))
    outside = a_person(Role.BUYER, circle_ids=frozenset({new_id()}))
    assert await market.states(as_=inside) == ["told"]
    assert await market.states(as_=outside) == ["not_enough_data"]
    assert await market.states() == ["not_enough_data"]


async def test_statistics_are_never_changed(market: Market):
    await market.five()
    await market.made()
    with psycopg.connect(market.world.owner_url) as owner, pytest.raises(psycopg.errors.IntegrityConstraintViolation):
        owner.execute("UPDATE price_statistics SET price = 1")


async def metrics_of(market: Market, caller: Principal, path: str = "/orders/metrics") -> httpx.Response:
    params = {"from_month": "2026-07", "until_month": "2026-07"}
    return await market.world.http.get(path, params=params, headers=signed_in(caller))


def figures(answer: httpx.Response, metric: str) -> dict[tuple[str, str | None, str | None], str]:
    assert answer.status_code == 200, answer.text
    return {
        (each["name"], each["category"], each["stage"]): each["value"]
        for each in answer.json()
        if each["metric"] == metric
    }


async def test_a_group_sees_its_own_figures_and_no_amount(market: Market):
    group = await market.buys()
    await market.opened(group)
    await market.buys(price="7777.77")
    answer = await metrics_of(market, a_person(Role.FINANCE, company_id=group, group_id=group))
    assert figures(answer, "M1") == {
        ("standardised spend", None, None): "1.0000",
        ("standardised spend", "rebar", None): "1.0000",
        ("standardised spend", "rebar", "S3"): "1.0000",
    }
    assert figures(answer, "M8")["concentration of suppliers", "rebar", "S3"] == "1.0000"
    assert figures(answer, "M6") == {
        ("order answer time", None, None): None,
        ("answered by API", None, None): None,
    }
    assert not tells(answer.text, "30000")
    assert not tells(answer.text, "7777")


async def test_the_platform_sees_how_much_the_largest_group_spends(market: Market):
    for quantity in ("30", "10"):
        await market.buys(quantity=quantity)
    answer = await metrics_of(market, a_person(Role.OPERATOR), "/orders/metrics/platform")
    assert figures(answer, "M8")["spend of the largest group", None, None] == "0.7500"
    assert figures(answer, "M2")["shared suppliers", None, None] == "0.0000"
    without = {each["metric"]: each["reason"] for each in answer.json() if each["value"] is None}
    assert "goods receipts" in without["M5"]


@pytest.mark.parametrize(("begin", "end"), [("2026-07", "2026-06"), ("2020-01", "2026-07")])
async def test_months_in_disorder_and_too_many_are_refused(market: Market, begin: str, end: str):
    answer = await market.world.http.get(
        "/orders/metrics", params={"from_month": begin, "until_month": end}, headers=signed_in(a_person(Role.BUYER))
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "MonthsReversed")


async def test_only_operators_see_the_platform_and_suppliers_see_nothing(market: Market):
    assert (await metrics_of(market, a_person(Role.BUYER), "/orders/metrics/platform")).status_code == 403
    assert (await metrics_of(market, a_person(Role.SUPPLIER_SALES))).status_code == 403
