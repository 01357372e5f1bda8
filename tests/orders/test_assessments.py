"""What an order tells of its supplier: times, bands and outcomes, and no amount."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from services.orders.purchase_orders.assessing import weight_class
from shared.contracts.assessments import OrderAssessed
from tests.orders.conftest import World
from tests.orders.test_afterwards import LATER, rebar

SOONER = (datetime.now(UTC) + timedelta(days=60)).date().isoformat()


async def told(world: World) -> list[OrderAssessed]:
    return [OrderAssessed.model_validate(each) for each in await world.events("order.assessed")]


async def test_an_answer_is_told_line_by_line_without_an_amount(world: World):
    offer, order = await rebar(world)
    body = {
        "lines": [
            {"line_no": 1, "answer": "accept"},
            {"line_no": 2, "answer": "change", "quantity": "20", "promised_by": SOONER},
            {"line_no": 3, "answer": "reject", "reason": "sold out"},
        ]
    }
    answered = (await world.act(world.seller(offer), order, "response", body)).json()
    decision = {"lines": [{"line_no": 2, "decision": "accept"}]}
    assert (await world.act(world.buyer, answered, "changes/decision", decision)).status_code == 200
    first, second = await told(world)
    assert [line.outcome for line in first.lines] == ["confirmed", "open", "rejected"]
    assert [line.outcome for line in second.lines] == ["confirmed", "confirmed", "rejected"]
    assert [line.in_full for line in second.lines] == [True, False, False]
    assert second.lines[1].promised_by > second.lines[1].need_by
    assert (second.answered_at, second.weight_class) == (first.answered_at, 3)
    assert (second.buyer_group_id, second.supplier_id) == (world.buyer.company_id, offer.supplier_id)
    plain = str(await world.events("order.assessed"))
    for amount in ("196660", "3253", "174035", "22.625", "price", "net"):
        assert amount not in plain


@pytest.mark.parametrize(("hours", "outcome"), [(1, "cancelled"), (80, "unanswered")])
async def test_what_the_buyer_takes_back_is_its_own_doing_unless_it_waited_too_long(
    world: World, hours: int, outcome: str
):
    _, order = await rebar(world)
    async with world.database.system() as session, session.begin():
        await session.execute(
            text("UPDATE purchase_orders SET placed_at = placed_at - make_interval(hours => :hours)"), {"hours": hours}
        )
    assert (await world.act(world.buyer, order, "cancellation", {"reason": "no answer"})).status_code == 200
    [only] = await told(world)
    assert {line.outcome for line in only.lines} == {outcome}
    assert only.answered_at is None


@pytest.mark.parametrize(
    ("gross", "currency", "band"),
    [
        ("0", "CNY", 1),
        ("9999.99", "CNY", 1),
        ("10000", "CNY", 2),
        ("1000000", "CNY", 4),
        ("99999999999", "CNY", 5),
        ("99999999999", "USD", 1),
    ],
)
def test_the_size_of_an_order_is_a_band(gross: str, currency: str, band: int):
    assert weight_class(Decimal(gross), currency=currency) == band


async def test_a_changed_day_alone_keeps_the_line_in_full(world: World):
    offer, order = await rebar(world)
    body: dict[str, Any] = {"lines": [{"line_no": 1, "answer": "change", "promised_by": LATER}]}
    answered = (await world.act(world.seller(offer), order, "response", body)).json()
    await world.act(world.buyer, answered, "changes/decision", {"others": "accept"})
    line = (await told(world))[-1].lines[0]
    assert (line.outcome, line.in_full, line.promised_by <= line.need_by) == ("confirmed", True, True)
