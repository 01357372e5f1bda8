"""Goods that come back while the supplier's own count is short: the statement does what the pure rule says."""

from decimal import Decimal

import pytest

from services.suppliers.inventory.rules import after_release, counted
from tests.suppliers.reservations.world import a_line, release, reserve_one


@pytest.mark.parametrize(("reported", "kept", "released"), [(0, 0, 5), (0, 3, 5), (4, 3, 5), (6, 3, 5), (8, 3, 5)])
async def test_what_comes_back_covers_a_shortfall_first(market, http, reported, kept, released):
    steel = await market.an_offer(on_hand="10")
    if kept:
        await reserve_one(http, a_line(steel, str(kept)))
    ending = await reserve_one(http, a_line(steel, str(released)))
    now = counted(reported=Decimal(reported), reserved=Decimal(kept + released))
    await market.run(
        "UPDATE stock_levels SET on_hand = :on_hand, shortfall = :shortfall WHERE supplier_id = :id",
        on_hand=now.on_hand,
        shortfall=now.shortfall,
        id=steel.supplier_id,
    )
    await release(http, ending["reservation_id"])
    later = after_release(counted_before=now, reserved_after=Decimal(kept))
    assert await market.stock(steel) == (later.on_hand, kept, later.shortfall)
