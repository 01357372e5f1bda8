"""An order's history: complete, readable by both sides, and proof against quiet corrections."""

from typing import Any

import psycopg
import pytest

from shared.contracts.orders import HistoryView
from shared.history import chain_hash
from tests.orders.conftest import World


@pytest.fixture
async def order(world: World) -> dict[str, Any]:
    """Placed, answered with a change, decided."""
    offer = world.suppliers.offer()
    placed = (await world.placed(world.line(offer, "10"), world.line(offer, "5", note="第5层")))["orders"][0]
    change = {"lines": [{"line_no": 1, "answer": "change", "quantity": "8"}], "others": "accept", "note": "好"}
    answered = (await world.act(world.seller(offer), placed, "response", change)).json()
    decided = await world.act(world.buyer, answered, "changes/decision", {"others": "accept"})
    assert decided.status_code == 200, decided.text
    found: dict[str, Any] = decided.json()
    return found


async def history(world: World, order: dict[str, Any]) -> HistoryView:
    answer = await world.read(world.buyer, f"/orders/purchase-orders/{order['id']}/history")
    assert answer.status_code == 200, answer.text
    return HistoryView.model_validate(answer.json())


def as_owner(world: World, *statements: str) -> None:
    """What somebody with the owner's password could do."""
    with psycopg.connect(world.owner_url, autocommit=True) as owner:
        for table in ("order_history", "purchase_orders", "purchase_order_lines", "line_changes"):
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL".encode())
            owner.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY".encode())
        for statement in statements:
            owner.execute(statement.encode())


async def test_every_step_is_told_with_who_when_and_the_old_amounts(world: World, order: dict[str, Any]) -> None:
    told = await history(world, order)

    assert (told.intact, told.length, told.fault) == (True, 3, None)
    assert [entry.entry["what"] for entry in told.entries] == ["placed", "answered", "decided"]
    placed, answered, decided = (entry.entry for entry in told.entries)
    assert placed["totals"]["gross"] == "48795.00"
    assert placed["actor"]["id"] == str(world.buyer.subject)
    assert answered["detail"]["note"] == "好"
    assert answered["detail"]["lines"][0]["proposed"]["quantity"] == "8"
    assert decided["detail"]["lines"][0]["changed"]["quantity"] == ["10", "8"]
    assert decided["detail"]["lines"][0]["changed"]["gross"] == ["32530.00", "26024.00"]
    assert decided["totals"]["gross"] == "42289.00"
    assert told.head == told.entries[-1].hash


async def test_anybody_can_verify_the_chain_with_sha256_alone(world: World, order: dict[str, Any]) -> None:
    previous = None
    for entry in (await history(world, order)).entries:
        assert chain_hash(previous, entry.entry).hex() == entry.hash
        previous = bytes.fromhex(entry.hash)


async def test_both_sides_read_the_same_history_and_it_holds_nothing_internal(world: World) -> None:
    offer = world.suppliers.offer()
    line = world.line(offer, "1", cost_code="SECRET-CODE", note="SECRET-NOTE")
    placed = (await world.placed(line, note="SECRET-BASKET"))["orders"][0]
    answered = await world.act(world.seller(offer), placed, "response", {"others": "accept"})
    path = f"/orders/purchase-orders/{placed['id']}/history"

    mine = await world.read(world.buyer, path)
    theirs = await world.read(world.seller(offer), path)

    assert mine.json() == theirs.json()
    assert "SECRET" not in theirs.text + answered.text


@pytest.mark.parametrize(
    ("tampering", "broken_at"),
    [
        ("UPDATE order_history SET entry = jsonb_set(entry, '{totals,gross}', '\"1.00\"') WHERE seq = 1", 1),
        ("UPDATE order_history SET entry = jsonb_set(entry, '{actor,name}', '\"x\"') WHERE seq = 2", 2),
        ("UPDATE order_history SET hash = decode(repeat('00', 32), 'hex') WHERE seq = 3", 3),
        ("DELETE FROM order_history WHERE seq = 1", 1),
        ("DELETE FROM order_history WHERE seq = 2", 2),
        ("DELETE FROM order_history WHERE seq = 3", 3),
        ("DELETE FROM order_history WHERE true", 1),
        ("UPDATE purchase_orders SET history_hash = decode(repeat('00', 32), 'hex')", 4),
        ("UPDATE purchase_orders SET history_length = 2", None),
        ("UPDATE purchase_orders SET gross = gross + 1, net = net + 1", None),
        ("UPDATE purchase_orders SET supplier_name = 'another'", None),
        ("UPDATE purchase_orders SET delivery = jsonb_set(delivery, '{address}', '\"elsewhere\"')", None),
        ("UPDATE purchase_order_lines SET unit_price = 1 WHERE line_no = 1", None),
        ("UPDATE purchase_order_lines SET promised_by = promised_by + 30 WHERE line_no = 2", None),
        ("UPDATE purchase_order_lines SET state = 'SHIPPED' WHERE line_no = 2", None),
        ("DELETE FROM purchase_order_lines WHERE line_no = 2", None),
        (
            (
                "INSERT INTO line_changes SELECT buyer_id, order_id, gen_random_uuid(), supplier_id, 2, kind, "
                "'PROPOSED', quantity, promised_by, reason, proposed_by, proposed_at FROM line_changes"
            ),
            None,
        ),
    ],
)
async def test_a_quiet_correction_shows(
    world: World, order: dict[str, Any], tampering: str, broken_at: int | None
) -> None:
    as_owner(world, tampering)

    answer = await world.read(world.buyer, f"/orders/purchase-orders/{order['id']}/history/verify")

    assert answer.json()["intact"] is False
    assert answer.json()["fault"]
    if broken_at is not None:
        assert answer.json()["broken_at"] == broken_at


async def test_entries_of_one_order_do_not_pass_for_anothers(world: World, order: dict[str, Any]) -> None:
    other = (await world.placed(world.line(world.suppliers.offer(), "10")))["orders"][0]
    as_owner(
        world,
        "UPDATE order_history t SET entry = s.entry, hash = s.hash FROM order_history s "
        f"WHERE t.order_id = '{other['id']}' AND s.order_id = '{order['id']}' AND s.seq = 1 AND t.seq = 1",
        f"UPDATE purchase_orders SET history_hash = (SELECT hash FROM order_history WHERE order_id = '{other['id']}') "
        f"WHERE id = '{other['id']}'",
    )

    assert not (await history(world, other)).intact
    assert (await history(world, order)).intact
