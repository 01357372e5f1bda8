"""Is everything exact after a run? Asked of the databases, not of the services.

A figure of a run that lost an order or miscounted stock is worth nothing.
"""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass

import httpx
import psycopg

from benchmarks.load import HOST, Outcome, Plan, key_of, token_of
from benchmarks.product import Product

_REPLAYS = 20

_WRONG_STOCK = """
    SELECT count(*)
    FROM (SELECT * FROM stock_levels WHERE reserved <> 0) s
    FULL JOIN (
        SELECT l.supplier_id, l.item_no, l.stock_point, sum(l.base_quantity - l.released_quantity) AS live
        FROM reservation_lines l JOIN reservations r ON r.id = l.reservation_id
        WHERE r.state IN ('HELD', 'CONSUMED') AND l.stock_point IS NOT NULL
        GROUP BY l.supplier_id, l.item_no, l.stock_point
    ) l USING (supplier_id, item_no, stock_point)
    WHERE s.reserved IS DISTINCT FROM coalesce(l.live, 0) OR s.reserved < 0 OR s.reserved > s.on_hand
    """


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What both databases hold at one moment."""

    keys: int
    baskets: int
    orders: int
    lines: int
    ordered: str
    """Base quantity on all order lines."""
    held: str
    """Base quantity in all live reservations."""
    wrong_stock: int


def read_ledger(running: Product, *, prefix: str) -> Ledger:
    """Count; `prefix` is that of the run's idempotency keys."""
    with psycopg.connect(running.urls("orders").worker) as orders:
        keys = _one(orders, "SELECT count(*) FROM idempotency_keys WHERE starts_with(key, %s)", prefix + "-")
        baskets = _one(orders, "SELECT count(*) FROM baskets")
        placed = _one(orders, "SELECT count(*) FROM purchase_orders")
        lines, ordered = orders.execute(
            "SELECT count(*), coalesce(sum(base_quantity), 0) FROM purchase_order_lines"
        ).fetchone() or (0, 0)
    with psycopg.connect(running.urls("suppliers").worker) as suppliers:
        held = suppliers.execute(
            "SELECT coalesce(sum(l.base_quantity - l.released_quantity), 0) FROM reservation_lines l "
            "JOIN reservations r ON r.id = l.reservation_id WHERE r.state IN ('HELD', 'CONSUMED')"
        ).fetchone()
        wrong = _one(suppliers, _WRONG_STOCK)
    return Ledger(
        keys=keys,
        baskets=baskets,
        orders=placed,
        lines=lines,
        ordered=str(ordered),
        held=str(held[0] if held else 0),
        wrong_stock=wrong,
    )


def _one(connection: psycopg.Connection, statement: str, *values: str) -> int:
    row = connection.execute(statement, values or None).fetchone()
    return int(row[0]) if row else 0


def faults(running: Product, *, plan: Plan, outcome: Outcome, before: Ledger, suppliers: int, lines: int) -> list[str]:
    """Everything that is not exact after a run, as sentences; nothing when all is well."""
    done = len(outcome.done)
    after = read_ledger(running, prefix=plan.key_prefix)
    found = []
    if done != len(outcome.sent):
        found.append(
            f"{len(outcome.sent) - done} of {len(outcome.sent)} requests were not answered 201: {outcome.refusal}"
        )
    expected = {
        "idempotency keys": (after.keys, done),
        "baskets": (after.baskets - before.baskets, done),
        "purchase orders": (after.orders - before.orders, done * suppliers),
        "order lines": (after.lines - before.lines, done * lines),
    }
    found += [
        f"{there} new {what} for {wanted} expected" for what, (there, wanted) in expected.items() if there != wanted
    ]
    if after.ordered != after.held:
        found.append(f"orders hold {after.ordered} t, reservations {after.held} t")
    if after.wrong_stock:
        found.append(f"{after.wrong_stock} stock levels do not equal their reservations or went below zero")
    return found + _replay_faults(plan, outcome)


def _replay_faults(plan: Plan, outcome: Outcome) -> list[str]:
    """Send some requests again under their keys: the same answers must come, marked as repeated."""
    bodies = plan.bodies.read_bytes().splitlines()
    sample = random.sample(outcome.done, min(_REPLAYS, len(outcome.done)))
    found = []
    with httpx.Client(base_url=f"http://{HOST}:{plan.port}", trust_env=False, timeout=30) as client:
        for sent in sample:
            answer = client.post(
                plan.path,
                content=bodies[sent.number % len(bodies)],
                headers={
                    "Authorization": f"Bearer {token_of(plan, sent.number)}",
                    "Content-Type": "application/json",
                    "Idempotency-Key": key_of(plan, sent.number),
                },
            )
            same = hashlib.sha256(answer.content).hexdigest() == sent.digest
            if answer.status_code != 201 or not same or answer.headers.get("Idempotency-Replayed") != "true":
                found.append(
                    f"a repeated request was answered {answer.status_code}, {'the same' if same else 'otherwise'}"
                )
    return found


def in_words(found: Sequence[str]) -> str:
    """For a table."""
    return "exact" if not found else f"{len(found)} faults"
