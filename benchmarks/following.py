"""Benchmark 3: from a commit in one service to its effect in another.

PostgreSQL keeps the moment at which each transaction committed (`track_commit_timestamp`). An event's row names the
transaction that published it; the row it changed names the one that applied it. So the lag of every single event is
known afterwards, and nothing looks on while it runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg

from benchmarks.placing import Placing
from benchmarks.product import Product, wait_until
from benchmarks.report import Section, Spread, number, percentile, table
from benchmarks.world import Seller, World, sync

_CATCH_UP_SECONDS = 120.0
_EPOCH = "CAST(extract(epoch FROM pg_xact_commit_timestamp({0})) AS double precision)"


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How long it may take."""

    runs: int
    load_seconds: float
    backlog: int
    """Orders placed while the follower is stopped."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """One event: when it was committed and when its effect was, in seconds."""

    committed: float
    applied: float
    rows: int = 1
    """What it told of: one basket, or so many offers and stock levels."""

    @property
    def milliseconds(self) -> float:
        return (self.applied - self.committed) * 1000


@dataclass(kw_only=True)
class _Lags:
    """One load over its runs."""

    per_second: list[float] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)


def committed_so_far(running: Product, *, service: str) -> int:
    """A transaction id of the service's database below that of every later event."""
    with psycopg.connect(running.urls(service).worker) as connection:
        row = connection.execute("SELECT CAST(CAST(pg_current_xact_id() AS text) AS bigint)").fetchone()
    assert row is not None
    return int(row[0])


def consumed(running: Product, *, since: int) -> list[Passage]:
    """Every basket placed after `since`: from its commit at `orders` to that of its reservation at `suppliers`."""
    with psycopg.connect(running.urls("orders").worker) as orders:
        placed = orders.execute(
            f"SELECT data ->> 'reservation_id', {_EPOCH.format('CAST(txid AS xid)')} FROM events "
            "WHERE type = 'dev.dougong.orders.basket.placed.v1' AND txid > CAST(CAST(%s AS text) AS xid8)",
            [since],
        ).fetchall()
    with psycopg.connect(running.urls("suppliers").worker) as suppliers:
        applied: dict[str, float] = dict(
            suppliers.execute(
                f"SELECT CAST(id AS text), {_EPOCH.format('xmin')} FROM reservations "
                "WHERE state = 'CONSUMED' AND id = ANY (CAST(%s AS uuid[]))",
                [[reservation_id for reservation_id, _ in placed]],
            ).fetchall()
        )
    return [Passage(committed=at, applied=applied[reservation_id]) for reservation_id, at in placed]


def indexed(running: Product, *, since: int, supplier_id: str | None = None) -> list[Passage]:
    """Every event of offers or stock after `since`: from its commit at `suppliers` to that of the rows of the search.

    Each of these rows names the number of the event that it is from; an offer that of its newest price, which a change
    of its terms is too. With a supplier, its rows alone: numbers of a made world stand for no event.
    """
    with psycopg.connect(running.urls("suppliers").worker) as suppliers:
        published: dict[int, float] = dict(
            suppliers.execute(
                f"SELECT seq, {_EPOCH.format('CAST(txid AS xid)')} FROM events "
                "WHERE txid > CAST(CAST(%s AS text) AS xid8)",
                [since],
            ).fetchall()
        )
    with psycopg.connect(running.urls("catalog").worker) as catalog:
        applied = [
            row
            for table_name, number_of in (("search_offers", "price_seq"), ("search_stock", "seq"))
            for row in catalog.execute(
                f"SELECT {number_of}, max({_EPOCH.format('xmin')}), count(*) FROM {table_name} "
                f"WHERE {number_of} = ANY (%s) AND supplier_id = coalesce(CAST(%s AS uuid), supplier_id) GROUP BY 1",
                [list(published), supplier_id],
            )
        ]
    return [Passage(committed=published[seq], applied=at, rows=rows) for seq, at, rows in applied]


def wait_consumed(running: Product) -> float:
    """Seconds until no reservation waits for its order to be heard of."""
    with psycopg.connect(running.urls("suppliers").worker, autocommit=True) as suppliers:
        return wait_until(
            lambda: suppliers.execute("SELECT FROM reservations WHERE state = 'HELD' LIMIT 1").fetchone() is None,
            what="suppliers has followed orders",
            timeout=_CATCH_UP_SECONDS,
        )


def backlog_rate(passages: Sequence[Passage]) -> float:
    """Events a second, from the end of the first page applied to the end of the last.

    Raises:
        ValueError: all came in one page.
    """
    pages = sorted({passage.applied for passage in passages})
    if len(pages) < 2:
        raise ValueError("One page tells no rate.")
    later = sum(passage.applied > pages[0] for passage in passages)
    return later / (pages[-1] - pages[0])


class _Sellers:
    """All suppliers send all their rows, changed; `catalog` follows."""

    def __init__(self, running: Product, world: World) -> None:
        self._running = running
        self._world = world
        self._turn = 0

    def run(self) -> list[Passage]:
        """What became of every event, from the first row sent to the last one found by a search."""
        self._turn += 1
        since = committed_so_far(self._running, service="suppliers")
        for seller in self._world.sellers:
            api = self._running.api.signed_in(seller.tokens)
            sync(api, seller.company_id, self._rows(seller), key=f"following-{self._turn}")
        self._wait()
        return indexed(self._running, since=since)

    def _rows(self, seller: Seller) -> bytes:
        """A new count and a new lead time of every item: so each event tells whole offers, not prices alone."""
        with psycopg.connect(self._running.urls("suppliers").worker) as connection:
            items = connection.execute(
                "SELECT item_no, stock_point, CAST(on_hand AS bigint) + 1 FROM stock_levels "
                "WHERE supplier_id = %s ORDER BY 1, 2",
                [seller.company_id],
            ).fetchall()
        lines = [f"{item_no},{point},{on_hand},{self._turn % 5 + 1}" for item_no, point, on_hand in items]
        return "\n".join(["item_no,stock_point,on_hand,lead_time_days", *lines, ""]).encode()

    def _wait(self) -> None:
        with (
            psycopg.connect(self._running.urls("suppliers").worker, autocommit=True) as suppliers,
            psycopg.connect(self._running.urls("catalog").worker, autocommit=True) as catalog,
        ):
            last = place_of(
                suppliers, "SELECT txid || '-' || seq FROM events ORDER BY events.txid DESC, seq DESC LIMIT 1"
            )
            wait_until(
                lambda: place_of(catalog, "SELECT position FROM follower_cursors WHERE source = 'suppliers'") >= last,
                what="catalog has followed suppliers",
                timeout=_CATCH_UP_SECONDS,
            )


def place_of(connection: psycopg.Connection, statement: str) -> tuple[int, int]:
    """A place in a feed, to be compared."""
    row = connection.execute(statement).fetchone()
    txid, _, seq = str(row[0] if row else "0-0").partition("-")
    return int(txid), int(seq)


def benchmark(running: Product, world: World, *, effort: Effort) -> Section:
    """Follow under load, then work off a backlog; then the same for `catalog`."""
    placing = Placing(running, world)
    sellers = _Sellers(running, world)
    under_load = {clients: _Lags() for clients in _CLIENTS}
    rates: list[float] = []
    syncs: list[list[Passage]] = []
    faults: list[str] = []
    sellers.run()  # the search learns of all offers; from now on it is changes
    for turn in range(1, effort.runs + 1):
        for clients, lags in under_load.items():
            faults += _under_load(running, placing, clients, lags, seconds=effort.load_seconds)
        rates.append(_backlog(running, placing, orders=effort.backlog))
        syncs.append(sellers.run())
        running.say(
            f"  run {turn}: lag p99 {percentile(under_load[64].milliseconds, 0.99):,.0f} ms at 64 clients, "
            f"{rates[-1]:,.0f} events/s from a backlog, catalog {_rows_rate(syncs[-1]):,.0f} rows/s"
        )
    return Section(
        title="3. Following feeds: from commit to applied",
        failures=faults,
        parts=[_lag_table(under_load), _rate_table(rates), _catalog_table(syncs), _EXPLAINED],
    )


def _under_load(running: Product, placing: Placing, clients: int, lags: _Lags, *, seconds: float) -> list[str]:
    since = committed_so_far(running, service="orders")
    outcome, wrong = placing.place(placing.plan(stock="spread", clients=clients, seconds=seconds))
    wait_consumed(running)
    passages = consumed(running, since=since)
    lags.per_second.append(outcome.per_second)
    lags.milliseconds += [passage.milliseconds for passage in passages]
    if len(passages) != len(outcome.done):
        wrong.append(f"{len(outcome.done)} orders, {len(passages)} events of them")
    return wrong


def _backlog(running: Product, placing: Placing, *, orders: int) -> float:
    """Orders are placed while `suppliers` does not follow; then it does."""
    running.rest("suppliers worker")
    since = committed_so_far(running, service="orders")
    placing.place(placing.plan(stock="spread", clients=64, seconds=60, most=orders))
    running.wake("suppliers worker")
    wait_consumed(running)
    return backlog_rate(consumed(running, since=since))


def _rows_rate(passages: Sequence[Passage]) -> float:
    """Rows a second, from the first commit of an event to the last commit of an effect."""
    span = max(passage.applied for passage in passages) - min(passage.committed for passage in passages)
    return sum(passage.rows for passage in passages) / span


def _lag_table(under_load: dict[int, _Lags]) -> str:
    return table(
        ["suppliers following orders", "events/s", "lag p50 ms", "lag p99 ms"],
        [
            [
                f"under the load of {clients} clients",
                Spread.of(lags.per_second).text(),
                number(percentile(lags.milliseconds, 0.5)),
                number(percentile(lags.milliseconds, 0.99)),
            ]
            for clients, lags in under_load.items()
        ],
    )


def _rate_table(rates: Sequence[float]) -> str:
    return table(
        ["from a backlog", "events/s"],
        [["suppliers following orders (one event: a basket of 20 lines)", Spread.of(rates).text()]],
    )


def _catalog_table(syncs: Sequence[Sequence[Passage]]) -> str:
    lags = [passage.milliseconds for passages in syncs for passage in passages]
    rows = sum(passage.rows for passage in syncs[0])
    return table(
        ["catalog following suppliers", "events", "rows/s", "lag p50 ms", "lag p99 ms"],
        [
            [
                f"while 20 suppliers sync {rows:,} offers and stock levels",
                number(len(syncs[0])),
                Spread.of([_rows_rate(passages) for passages in syncs]).text(),
                number(percentile(lags, 0.5)),
                number(percentile(lags, 0.99)),
            ]
        ],
    )


_CLIENTS = (16, 64)

_EXPLAINED = """\
The lag is the time between two commits: that of the order with its event at `orders`, and that of the follower's
transaction at `suppliers` which consumed the reservation and moved the follower's place in the feed; likewise from
the commit of a sync's chunk at `suppliers` to that of the rows of the search at `catalog`. PostgreSQL's own record of
commit times gives both for every event of every run; nothing is polled while it runs. The load is that of section 1
(spread stock), on the same cores. From a backlog: orders are placed while the worker of `suppliers` is stopped, then
it is started; events a second from the commit of its first page to that of its last. One event of a sync tells of up
to 500 offers or stock levels; rows a second count from the first event's commit to the last effect's, with the syncs
themselves running meanwhile."""
