"""A price list changes prices in the index and nothing else, in whatever order its events are applied at last."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from shared.contracts.suppliers import OFFERS_CHANGED, OFFERS_REPRICED
from shared.database import transaction
from shared.ids import new_id
from tests.catalog.conftest import BAR, Market


async def offers_shown(market: Market) -> list[dict[str, Any]]:
    return [offer for hit in await market.hits(q="HRB400E 20") for offer in hit["offers"]]


def reprice(market: Market, supplier_id: UUID, prices: dict[str, str], *, position: str | None = None) -> None:
    data = {"supplier_id": str(supplier_id), "prices": prices}
    market.feed.tell(OFFERS_REPRICED, data, position=position)


async def test_a_new_price_is_shown_and_the_terms_stay(market: Market):
    supplier = market.supplier()
    await market.offer(supplier, BAR, price="3200")
    await market.follow()
    (before,) = await offers_shown(market)
    reprice(market, supplier, {before["offer_id"]: "3333.33"})
    await market.follow()
    (after,) = await offers_shown(market)
    assert Decimal(after["unit_price"]) == Decimal("3333.33")
    prices = {"unit_price", "landed_price", "list_price", "comparable_price"}
    assert {name for name in after if after[name] != before[name]} == prices


async def test_terms_that_arrive_late_do_not_bring_an_older_price_back(market: Market):
    supplier = market.supplier()
    state = await market.offer(supplier, BAR, price="3200", position="50-50")
    await market.follow()
    reprice(market, supplier, {state["offer_id"]: "3333.33"}, position="60-60")
    late = {**state, "lead_time_days": 21}
    market.feed.tell(OFFERS_CHANGED, {"supplier_id": str(supplier), "offers": [late]}, position="55-55")
    await market.follow()
    (offer,) = await offers_shown(market)
    assert (Decimal(offer["unit_price"]), offer["lead_time_days"]) == (Decimal("3333.33"), 21)
    reprice(market, supplier, {state["offer_id"]: "3111.11"}, position="57-57")
    await market.follow()
    (offer,) = await offers_shown(market)
    assert Decimal(offer["unit_price"]) == Decimal("3333.33"), "a price of before the last one, after later terms"


async def test_a_price_for_an_offer_the_index_does_not_hold_is_parked(market: Market):
    supplier = market.supplier()
    reprice(market, supplier, {str(new_id()): "1"})
    await market.follow()
    async with transaction(market.database.system) as session:
        parked = (await session.execute(text("SELECT error FROM parked_events"))).scalars().all()
    assert parked == ["OffersNotIndexedError: 1 of 1 repriced offers are not in the index."]


async def test_a_change_made_later_wins_though_its_transaction_began_earlier(market: Market):
    """The feed is ordered by transaction; one that began first may have changed the row last."""
    supplier = market.supplier()
    state = await market.offer(supplier, BAR, price="3200", position="50-50")
    reprice(market, supplier, {state["offer_id"]: "77"}, position="60-80")
    reprice(market, supplier, {state["offer_id"]: "3"}, position="61-70")
    await market.follow()
    (offer,) = await offers_shown(market)
    assert Decimal(offer["unit_price"]) == 77
