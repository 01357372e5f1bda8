"""Whatever both sides do in whatever order, the sums, the stock and the history of an order hold."""

import random
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from shared.identity import Principal
from tests.orders.conftest import World

D = Decimal


def supplier_move(dice: random.Random, order: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    asked = [line for line in order["lines"] if (line["pending_change"] or {}).get("kind") == "cancellation"]
    if asked and dice.random() < 0.6:
        return "cancellation/decision", {"others": dice.choice(["accept", "decline"])}
    answers = []
    for line in order["lines"]:
        if line["state"] == "OPEN" and dice.random() < 0.6:
            answer: dict[str, Any] = {"line_no": line["line_no"], "answer": dice.choice(["accept", "change", "reject"])}
            if answer["answer"] == "change":
                answer["quantity"] = str((D(line["quantity"]) * dice.randint(1, 9) / 10).quantize(D("0.001")))
            if answer["answer"] == "reject":
                answer["reason"] = "x"
            answers.append(answer)
    return "response", {"lines": answers, "others": None if answers else "accept"}


def buyer_move(dice: random.Random, order: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    changed = [line for line in order["lines"] if (line["pending_change"] or {}).get("kind") == "response"]
    if changed and dice.random() < 0.7:
        chosen = dice.sample(changed, dice.randint(1, len(changed)))
        decisions = [{"line_no": line["line_no"], "decision": dice.choice(["accept", "decline"])} for line in chosen]
        return "changes/decision", {"lines": decisions}
    numbers = dice.sample([line["line_no"] for line in order["lines"]], 2)
    return "cancellation", {"lines": numbers, "reason": "x"}


async def assert_holds(world: World, order: dict[str, Any], placed: dict[str, Any]) -> None:
    for amount in ("net", "tax", "gross"):
        assert sum(D(line[amount]) for line in order["lines"]) == D(order["totals"][amount])
        assert sum(D(rate[amount]) for rate in order["totals"]["by_rate"]) == D(order["totals"][amount])
    given_back: dict[int, Decimal] = defaultdict(D)
    for event in await world.events("lines.released"):
        for line in event["lines"]:
            given_back[line["line_no"]] += D(line["base_quantity"])
    for line, before in zip(order["lines"], placed["lines"], strict=True):
        assert D(line["base_quantity"]) + given_back[line["line_no"]] == D(before["base_quantity"])
        assert D(line["gross"]) == D(line["net"]) + D(line["tax"])
        frozen = ("unit_price", "ordered_quantity", "offer_id", "tax_rate", "unit_factor")
        assert [line[name] for name in frozen] == [before[name] for name in frozen]
    checked = await world.read(world.buyer, f"/orders/purchase-orders/{order['id']}/history/verify")
    assert checked.json()["intact"], checked.text
    assert checked.json()["length"] == order["version"]


@pytest.mark.parametrize("seed", range(6))
async def test_a_random_walk_keeps_every_sum(world: World, seed: int) -> None:
    dice = random.Random(seed)
    offers = [world.suppliers.offer(price="3403.00", tax_rate="0.13")]
    offers += [
        world.suppliers.offer(price=f"{dice.randint(1, 10**7)}e-4", tax_rate=rate, supplier_id=offers[0].supplier_id)
        for rate in ("0.13", "0.01", "0.09")
    ]
    offers[1].tax_inclusive = False
    lines = [world.line(dice.choice(offers), f"{dice.randint(100, 99999)}e-3") for _ in range(6)]
    placed = (await world.placed(*lines))["orders"][0]
    seller, order = world.seller(offers[0]), placed
    for _ in range(14):
        who: Principal = dice.choice([world.buyer, seller])
        what, body = (buyer_move if who is world.buyer else supplier_move)(dice, order)
        answer = await world.act(who, order, what, body)
        assert answer.status_code in {200, 409}, answer.text
        order = await world.order(world.buyer, placed["id"])
        if answer.status_code == 200:
            await assert_holds(world, order, placed)
    await assert_holds(world, order, placed)
