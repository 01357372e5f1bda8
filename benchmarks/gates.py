"""Benchmark 7: what the gates of fifty contractor groups ask of live data, at a million order lines.

One basket is placed through the product; copies of its rows under other groups, numbers and days make the rest. The
measurements are asked over HTTP as `members` asks them before it judges a gate; the limit is the same statement sent by
a bare driver, one group after the other.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID, uuid5

import orjson
import psycopg

from benchmarks.baskets import LINES, offers_of, write_baskets
from benchmarks.product import Product
from benchmarks.report import Section, Spread, number, table
from benchmarks.world import World
from infra.api import Api
from infra.signin import ClientTokens

GROUPS = 50
_NAMES = UUID("0190aaaa-0000-7000-8000-000000000007")
_CATEGORY = "rebar"
_TYPE = "RB-HRB"


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much there is to look at."""

    lines: int
    runs: int


_COPY_ORDERS = """
    INSERT INTO purchase_orders ({columns})
    SELECT {values}
    FROM purchase_orders o
    CROSS JOIN unnest(%(groups)s::uuid[]) AS g (id)
    CROSS JOIN generate_series(1, %(each)s::integer) AS n
    WHERE o.basket_id = %(basket)s
"""
_OF_ORDER = {
    "buyer_id": "g.id",
    "buyer_group_id": "g.id",
    "id": "CAST(md5(CAST(g.id AS text) || n || o.id) AS uuid)",
    "number": "'PO-B-' || n || '-' || o.number",
    "placed_at": "now() - make_interval(mins => n %% 120000)",
}
_COPY_LINES = """
    INSERT INTO purchase_order_lines ({columns})
    SELECT {values}
    FROM purchase_orders p
    JOIN purchase_order_lines o ON o.buyer_id = p.buyer_id AND o.order_id = p.id
    CROSS JOIN unnest(%(groups)s::uuid[]) AS g (id)
    CROSS JOIN generate_series(1, %(each)s::integer) AS n
    WHERE p.basket_id = %(basket)s
"""
_OF_LINE = {"buyer_id": "g.id", "order_id": "CAST(md5(CAST(g.id AS text) || n || p.id) AS uuid)"}
_BARE = """
    SELECT coalesce(sum(l.gross), 0), coalesce(sum(l.gross) FILTER (WHERE l.variant_key <> ''), 0)
    FROM purchase_orders o
    JOIN purchase_order_lines l ON l.buyer_id = o.buyer_id AND l.order_id = o.id
    WHERE o.buyer_id = %s AND o.placed_at > now() - interval '90 days' AND o.currency = 'CNY'
      AND split_part(l.variant_key, '|', 1) = %s
"""


def benchmark(running: Product, world: World, *, effort: Effort) -> Section:
    """Fill, then ask for every group what the gates of one category ask."""
    groups = [uuid5(_NAMES, str(place)) for place in range(GROUPS)]
    lines = _fill(running, world, groups, lines=effort.lines)
    asker = running.api.signed_in(ClientTokens(running.api, running.credentials.services["members"]))
    over_http, bare, each = [], [], []
    for _ in range(effort.runs):
        times = [_timed(partial(_measure, asker, group)) for group in groups]
        over_http.append(sum(times))
        each += times
        with psycopg.connect(running.urls("orders").worker) as connection:
            begun = time.perf_counter()
            for group in groups:
                connection.execute(_BARE, [group, _TYPE]).fetchall()
            bare.append(time.perf_counter() - begun)
    ours, limit = Spread.of(over_http), Spread.of(bare)
    rows = [
        ["all measurements of 50 groups, over HTTP", ours.text(2), number(1000 * Spread.of(each).middle, 1)],
        ["the spend of 50 groups, bare statement", limit.text(2), number(1000 * limit.middle / GROUPS, 1)],
        ["HTTP / bare", number(ours.middle / limit.middle, 2), ""],
    ]
    facts = f"{lines:,} order lines of {GROUPS} groups; spend of 90 days and quality of suppliers, one category."
    return Section(title="7. Gates", parts=[facts, table(["", "seconds", "ms a group"], rows)])


def _fill(running: Product, world: World, groups: list[UUID], *, lines: int) -> int:
    running.say(f"Making {lines:,} order lines of {GROUPS} groups …")
    file = write_baskets(world, offers_of(running, world), hot=False, file=running.folder / "gate-baskets.ndjson")
    with file.open("rb") as stream:
        body = orjson.loads(stream.readline())
    buyer = running.api.signed_in(world.buyers[0].tokens)
    placed = buyer.post("/orders/baskets", body, key="gates").body
    values: dict[str, Any] = {
        "groups": groups,
        "basket": placed["basket_id"],
        "each": max(1, lines // GROUPS // LINES),
    }
    with running.paused(), psycopg.connect(running.admin_of("orders"), autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")  # no triggers: the rows are copies
        admin.execute(_copying(admin, "purchase_order_lines", _COPY_LINES, _OF_LINE), values)
        admin.execute(_copying(admin, "purchase_orders", _COPY_ORDERS, _OF_ORDER), values)
        admin.execute("ANALYZE")
        counted = admin.execute("SELECT count(*) FROM purchase_order_lines").fetchone()
    assert counted is not None
    return int(counted[0])


def _copying(admin: psycopg.Connection, table_name: str, statement: str, changed: Mapping[str, str]) -> bytes:
    """The statement with all columns of a table, copied but for those that are another in each copy."""
    rows = admin.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = CAST(%s AS regclass) AND attnum > 0 AND NOT attisdropped "
        "AND attgenerated = '' ORDER BY attnum",
        [table_name],
    ).fetchall()
    names = [str(row[0]) for row in rows]
    values = [changed.get(name, f'o."{name}"') for name in names]
    quoted = ", ".join(f'"{name}"' for name in names)
    return statement.format(columns=quoted, values=", ".join(values)).encode()


def _measure(asker: Api, group: UUID) -> None:
    asker.get(
        "/orders/measurements/mapped-spend", group_id=str(group), company_id=str(group), category=_CATEGORY,
        type_code=_TYPE,
    )  # fmt: skip
    asker.get("/suppliers/measurements/supplier-quality", group_id=str(group), category=_CATEGORY)


def _timed(act: Callable[[], None]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun
