"""Lines move only along the legal moves, headers follow from their lines, and the database holds both to it."""

from collections.abc import Callable
from decimal import Decimal
from itertools import product

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.postgres import ServiceUrls
from services.orders.purchase_orders.rules import (
    LINE_MOVES,
    VOID,
    ChangeKind,
    LineState,
    OrderState,
    may_move,
    order_state,
    waiting,
)
from shared.ids import new_id

MOVES = sorted(LINE_MOVES)

ORDER_MOVES = frozenset(
    {
        (OrderState.ISSUED, OrderState.PARTLY_CONFIRMED),
        (OrderState.ISSUED, OrderState.CONFIRMED),
        (OrderState.ISSUED, OrderState.REJECTED),
        (OrderState.ISSUED, OrderState.CANCELLED),
        (OrderState.PARTLY_CONFIRMED, OrderState.ISSUED),
        (OrderState.PARTLY_CONFIRMED, OrderState.CONFIRMED),
        (OrderState.PARTLY_CONFIRMED, OrderState.IN_PROGRESS),
        (OrderState.CONFIRMED, OrderState.IN_PROGRESS),
        (OrderState.CONFIRMED, OrderState.CANCELLED),
        (OrderState.IN_PROGRESS, OrderState.PARTLY_CONFIRMED),
        (OrderState.IN_PROGRESS, OrderState.CONFIRMED),
        (OrderState.IN_PROGRESS, OrderState.ISSUED),
        (OrderState.IN_PROGRESS, OrderState.CANCELLED),
        (OrderState.IN_PROGRESS, OrderState.COMPLETED),
        (OrderState.COMPLETED, OrderState.CLOSED),
        (OrderState.IN_PROGRESS, OrderState.CLOSED),
    }
)
"""What a header may do between one change of its lines and the next. An order falls back to an earlier state
only when the lines that carried it further are cancelled by agreement."""


def test_every_state_can_be_reached_and_only_three_are_final() -> None:
    reached = {LineState.OPEN}
    while more := {new for old, new in LINE_MOVES if old in reached} - reached:
        reached |= more

    assert reached == set(LineState)
    assert set(LineState) - {old for old, _ in LINE_MOVES} == {LineState.CLOSED, *VOID}


@given(count=st.integers(1, 5), choices=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 100)), max_size=30))
def test_no_walk_of_lines_moves_a_header_illegally(count: int, choices: list[tuple[int, int]]) -> None:
    lines = [LineState.OPEN] * count
    before = order_state(lines)
    assert before is OrderState.ISSUED
    for place, choice in choices:
        line = place % count
        legal = [new for old, new in MOVES if old is lines[line]]
        if not legal:
            continue
        lines[line] = legal[choice % len(legal)]
        after = order_state(lines)
        assert after == before or (before, after) in ORDER_MOVES, (before, after, lines)
        before = after


def test_every_header_move_really_occurs() -> None:
    seen = set()
    for lines in product(LineState, repeat=3):
        for place, (old, new) in product(range(3), MOVES):
            if lines[place] is old:
                after = [*lines[:place], new, *lines[place + 1 :]]
                if (move := (order_state(lines), order_state(after)))[0] != move[1]:
                    seen.add(move)

    assert seen == ORDER_MOVES


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        ("OPEN OPEN", "ISSUED"),
        ("OPEN REJECTED", "ISSUED"),
        ("OPEN CONFIRMED", "PARTLY_CONFIRMED"),
        ("CONFIRMED CANCELLED", "CONFIRMED"),
        ("REJECTED REJECTED", "REJECTED"),
        ("CANCELLED REJECTED", "CANCELLED"),
        ("CONFIRMED SHIPPED", "IN_PROGRESS"),
        ("RECEIVED SHORT_CLOSED", "COMPLETED"),
        ("CLOSED CLOSED CANCELLED", "CLOSED"),
    ],
)
def test_the_header_follows_from_its_lines(lines: str, state: str) -> None:
    assert order_state([LineState(line) for line in lines.split()]) == state


def test_silence_is_not_consent_and_a_change_waits_for_the_buyer() -> None:
    assert waiting([(LineState.OPEN, None)]).supplier
    assert not waiting([(LineState.OPEN, ChangeKind.RESPONSE)]).supplier
    assert waiting([(LineState.OPEN, ChangeKind.RESPONSE)]).buyer
    assert waiting([(LineState.CONFIRMED, ChangeKind.CANCELLATION)]).supplier
    nobody = waiting([(LineState.CONFIRMED, None), (LineState.REJECTED, None)])
    assert (nobody.supplier, nobody.buyer) == (False, False)


NEW_LINE = """
    INSERT INTO purchase_order_lines (
        buyer_id, order_id, line_no, supplier_id, offer_id, item_no, variant_id, variant_key, name_zh, name_en,
        spec_hash, ordered_quantity, quantity, unit, unit_decimals, priced_quantity, price_unit,
        ordered_base_quantity, base_quantity, base_unit, base_decimals, unit_factor, unit_price, tax_rate,
        tax_inclusive, net, tax, gross, need_by, promised_by, state
    ) VALUES (
        %(id)s, %(id)s, %(line_no)s, %(id)s, %(id)s, 'x', %(id)s, 'x', 'x', 'x', 'x', 10, %(quantity)s, 't', 3,
        %(quantity)s, 't', 10, %(quantity)s, 't', 3, 1, 1, 0.13, true, 1, 1, 2, now(), now(), %(state)s
    )
"""


def test_the_database_knows_the_same_moves(service_urls: Callable[[str], ServiceUrls]) -> None:
    with psycopg.connect(service_urls("orders").worker, autocommit=True) as connection:
        for old, new in product(LineState, repeat=2):
            order_id = new_id()
            quantity = 0 if old in VOID else 10
            row = {"id": order_id, "line_no": 1, "quantity": quantity, "state": old}
            connection.execute(NEW_LINE.encode(), row)
            kept = 0 if new in VOID else quantity
            try:
                connection.execute(
                    "UPDATE purchase_order_lines SET state = %s, quantity = %s, base_quantity = %s WHERE order_id = %s",
                    (new, kept, kept, order_id),
                )
                moved = True
            except psycopg.errors.CheckViolation:
                moved = False
            assert moved == (old == new or may_move(old, new)), (old, new)


@pytest.mark.parametrize(
    "change",
    [
        "quantity = 11, base_quantity = 11",
        "quantity = -1",
        "quantity = 0, base_quantity = 0",
        "base_quantity = 0",
        "gross = 3",
        "state = 'LOST'",
        "unit_price = 2",
        "tax_rate = 0.09",
        "unit_factor = 2",
        "ordered_quantity = 20",
        "variant_key = 'y'",
        "offer_id = order_id, supplier_id = gen_random_uuid()",
    ],
)
def test_the_database_refuses_what_must_not_change(service_urls: Callable[[str], ServiceUrls], change: str) -> None:
    with psycopg.connect(service_urls("orders").worker, autocommit=True) as connection:
        row = {"id": new_id(), "line_no": 1, "quantity": Decimal(10), "state": "OPEN"}
        connection.execute(NEW_LINE.encode(), row)
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(f"UPDATE purchase_order_lines SET {change}".encode())


def test_a_decided_change_stays_decided(service_urls: Callable[[str], ServiceUrls]) -> None:
    with psycopg.connect(service_urls("orders").worker, autocommit=True) as connection:
        row = {"id": new_id()}
        insert = (
            "INSERT INTO line_changes (buyer_id, order_id, id, supplier_id, line_no, kind, state, proposed_by, "
            "proposed_at) VALUES (%(id)s, %(id)s, gen_random_uuid(), %(id)s, 1, 'cancellation', 'PROPOSED', %(id)s, "
            "now())"
        )
        connection.execute(insert.encode(), row)
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute(insert.encode(), row)
        connection.execute("UPDATE line_changes SET state = 'REJECTED', decided_at = now()")
        connection.execute(insert.encode(), row)
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute("UPDATE line_changes SET state = 'ACCEPTED' WHERE state = 'REJECTED'")
