"""How far the search is behind while a supplier sends a file: part of benchmark 4.

From the commit of an event at `suppliers` to that of the rows of the search at `catalog`, told by PostgreSQL's own
record of commit times for every event (see `following`). The first file changes stock and lead time of every item, so
that each event tells whole offers, the second stock and price, so that it tells prices alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import psycopg

from benchmarks.following import Passage, committed_so_far, indexed, place_of
from benchmarks.product import Product, wait_until
from benchmarks.report import number, percentile, table
from benchmarks.world import SUPPLIERS, VARIANTS, Seller, World, make_seller, multiply, sync

_CATCH_UP_SECONDS = 1_800.0
_FILES = ("lead_time_days", "price")


@dataclass(frozen=True, kw_only=True, slots=True)
class Lag:
    """One file, followed."""

    what: str
    rows: int
    seconds: float
    """From the first event's commit to the last effect's."""
    milliseconds: Sequence[float]
    """Of each event."""


def lag_under_sync(running: Product, world: World, *, rows: int) -> list[Lag]:
    """A new supplier sends both files, `rows` rows each, while the worker of `catalog` follows."""
    running.say(f"Making a supplier of {rows:,} items, to be followed while it sends them …")
    seller = make_seller(running, world.operator, number=SUPPLIERS + 1, copies=1)
    with running.paused():
        multiply(running.admin_of("suppliers"), company_id=seller.company_id, copies=max(1, rows // len(VARIANTS)))
    if "catalog worker" in running.resting:
        running.wake("catalog worker")
    _caught_up(running)
    return [_follow(running, seller, what=what, turn=turn) for turn, what in enumerate(_FILES, 1)]


def _follow(running: Product, seller: Seller, *, what: str, turn: int) -> Lag:
    since = committed_so_far(running, service="suppliers")
    lines = _lines(running, seller, what=what, turn=turn)
    sync(running.api.signed_in(seller.tokens), seller.company_id, lines, key=f"lag-{what}")
    _caught_up(running)
    passages: Sequence[Passage] = indexed(running, since=since, supplier_id=str(seller.company_id))
    lag = Lag(
        what=what,
        rows=sum(passage.rows for passage in passages),
        seconds=max(each.applied for each in passages) - min(each.committed for each in passages),
        milliseconds=[each.milliseconds for each in passages],
    )
    running.say(
        f"  {what}: {lag.rows / lag.seconds:,.0f} rows/s, lag p50 {median(lag.milliseconds):,.0f} ms, "
        f"at most {max(lag.milliseconds):,.0f} ms"
    )
    return lag


def _lines(running: Product, seller: Seller, *, what: str, turn: int) -> bytes:
    """A new count of every item, and a new lead time or price."""
    with psycopg.connect(running.urls("suppliers").worker) as connection:
        items = connection.execute(
            "SELECT item_no, stock_point, CAST(on_hand AS bigint) + 1 FROM stock_levels "
            "WHERE supplier_id = %s ORDER BY 1, 2",
            [seller.company_id],
        ).fetchall()
    change = (lambda _: turn + 20) if what == "lead_time_days" else (lambda place: f"{2000 + place % 89}.40")
    lines = [f"{item_no},{point},{on_hand},{change(place)}" for place, (item_no, point, on_hand) in enumerate(items)]
    return "\n".join([f"item_no,stock_point,on_hand,{what}", *lines, ""]).encode()


def _caught_up(running: Product) -> None:
    with (
        psycopg.connect(running.urls("suppliers").worker, autocommit=True) as suppliers,
        psycopg.connect(running.urls("catalog").worker, autocommit=True) as catalog,
    ):
        last = place_of(suppliers, "SELECT txid || '-' || seq FROM events ORDER BY events.txid DESC, seq DESC LIMIT 1")
        wait_until(
            lambda: place_of(catalog, "SELECT position FROM follower_cursors WHERE source = 'suppliers'") >= last,
            what="catalog has followed suppliers",
            timeout=_CATCH_UP_SECONDS,
        )


def lag_table(lags: Sequence[Lag]) -> str:
    """As a part of the section."""
    return table(
        ["lag of the search under a running sync", "rows told", "rows/s", "lag p50 ms", "p99 ms", "at most ms"],
        [
            [
                f"every row changes stock and {lag.what.replace('_', ' ')}",
                number(lag.rows),
                number(lag.rows / lag.seconds),
                number(percentile(lag.milliseconds, 0.5)),
                number(percentile(lag.milliseconds, 0.99)),
                number(max(lag.milliseconds)),
            ]
            for lag in lags
        ],
    )
