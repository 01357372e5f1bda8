"""Benchmark 1: place orders of 20 lines over 3 suppliers.

Everything is included: HTTP, token, Idempotency-Key, reservation at `suppliers`, tax, events, hash chain, and the
followers that work beside. The limit is pgbench running the SQL of the two transactions that write.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from statistics import median

from benchmarks.baskets import LINES, SUPPLIERS_PER_ORDER, offers_of, write_baskets
from benchmarks.checks import faults, read_ledger
from benchmarks.load import Outcome, Plan, run_load
from benchmarks.placing_limit import LimitRun, PlacingLimit
from benchmarks.product import Product
from benchmarks.report import Section, Spread, number, percentile, table, verdict
from benchmarks.world import World

_PATH = "/orders/baskets"
_MOST = 20_000
_HOT = {"spread": False, "one hot item": True}
_runs = count(1)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One row of the table."""

    stock: str
    clients: int
    aim: float | None = None
    """Of the limit."""


CASES = (
    Case(stock="spread", clients=1),
    Case(stock="spread", clients=16, aim=0.4),
    Case(stock="spread", clients=64, aim=0.8),
    Case(stock="one hot item", clients=1),
    Case(stock="one hot item", clients=16),
    Case(stock="one hot item", clients=64, aim=1.0),
)


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How long it may take."""

    runs: int
    load_seconds: float
    limit_seconds: int
    captured: int
    warm_up_seconds: float
    cases: Sequence[Case] = CASES


@dataclass(kw_only=True)
class _Measured:
    """One case over its runs."""

    outcomes: list[Outcome] = field(default_factory=list)
    costs: list[dict[str, float]] = field(default_factory=list)
    """Milliseconds of processor time an order, by kind of process."""
    limits: list[LimitRun] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The median of the runs' ratios, each to the limit measured right after it."""
        return median(
            outcome.per_second / limit.orders for outcome, limit in zip(self.outcomes, self.limits, strict=True)
        )


class Placing:
    """Places orders in a world, as often and as hard as asked."""

    def __init__(self, running: Product, world: World) -> None:
        self.last_cost: dict[str, float] = {}
        """Of the run before, by kind of process."""
        self._running = running
        self._world = world
        self._offers = offers_of(running, world)
        self.baskets = {
            stock: write_baskets(world, self._offers, hot=hot, file=running.folder / f"baskets-{place}")
            for place, (stock, hot) in enumerate(_HOT.items())
        }

    @property
    def offer_ids(self) -> set[str]:
        """All that may be ordered."""
        return {offer for own in self._offers.values() for offer in own}

    def plan(self, *, stock: str, clients: int, seconds: float, most: int = _MOST) -> Plan:
        """A run with keys of its own."""
        return Plan(
            port=self._running.instance.port("orders"),
            path=_PATH,
            tokens=[buyer.tokens.token() for buyer in self._world.buyers],
            key_prefix=f"run{next(_runs)}",
            bodies=self.baskets[stock],
            connections=clients,
            seconds=seconds,
            most=most,
        )

    def place(self, plan: Plan) -> tuple[Outcome, list[str]]:
        """Run it, then see whether everything is exact."""
        before = read_ledger(self._running, prefix=plan.key_prefix)
        used = self._running.processor_seconds()
        outcome = run_load(plan, folder=self._running.folder)
        self.last_cost = _cost(used, self._running.processor_seconds(), outcome)
        self._running.check_alive()
        found = faults(
            self._running, plan=plan, outcome=outcome, before=before, suppliers=SUPPLIERS_PER_ORDER, lines=LINES
        )
        return outcome, found


def _cost(before: dict[str, float], after: dict[str, float], outcome: Outcome) -> dict[str, float]:
    """Milliseconds of processor time an order, by kind of process."""
    seconds = {kind: after[kind] - before[kind] for kind in after} | {"load generator": outcome.processor_seconds}
    return {kind: value * 1000 / max(1, len(outcome.done)) for kind, value in seconds.items()}


def benchmark(running: Product, world: World, *, effort: Effort) -> Section:
    """Measure every case, run by run in turn, so that the noise of the machine meets product and limit alike."""
    placing = Placing(running, world)
    limit = PlacingLimit(running, placing.offer_ids)
    running.say(f"Warming up; then up to {effort.captured} orders of each kind one by one, to see their SQL …")
    placing.place(placing.plan(stock="spread", clients=64, seconds=effort.warm_up_seconds))
    for stock in _HOT:
        limit.capture(stock, placing.plan(stock=stock, clients=1, seconds=20, most=effort.captured))
    for case in effort.cases:
        limit.warm_up(case.stock, clients=case.clients)
    measured = {case: _Measured() for case in effort.cases}
    for turn in range(1, effort.runs + 1):
        for case, found in measured.items():
            running.settle()
            outcome, wrong = placing.place(
                placing.plan(stock=case.stock, clients=case.clients, seconds=effort.load_seconds)
            )
            found.outcomes.append(outcome)
            found.costs.append(placing.last_cost)
            found.faults += [f"{case.stock}, {case.clients} clients: {fault}" for fault in wrong]
            found.limits.append(limit.run(case.stock, clients=case.clients, seconds=effort.limit_seconds))
            running.say(_progress(turn, case, found))
    return _section(measured)


def _progress(turn: int, case: Case, found: _Measured) -> str:
    outcome, limit = found.outcomes[-1], found.limits[-1]
    return (
        f"  run {turn}, {case.stock}, {case.clients} clients: {outcome.per_second:,.0f} orders/s, "
        f"limit {limit.orders:,.0f}, ratio {outcome.per_second / limit.orders:.2f}"
    )


def _section(measured: dict[Case, _Measured]) -> Section:
    rows, limits = [], []
    for case, found in measured.items():
        title = [case.stock, str(case.clients)]
        times = [sent.milliseconds for outcome in found.outcomes for sent in outcome.done]
        rows.append(
            [
                *title,
                Spread.of([outcome.per_second for outcome in found.outcomes]).text(),
                number(percentile(times, 0.5), 1),
                number(percentile(times, 0.99), 1),
                Spread.of([limit.orders for limit in found.limits]).text(),
                f"{found.ratio:.2f}",
                "" if case.aim is None else f"{case.aim:.1f}: {verdict(found.ratio, aim=case.aim)}",
            ]
        )
        limits.append(
            [
                *title,
                *(
                    Spread.of([getattr(limit, kind) for limit in found.limits]).text()
                    for kind in ("reserving", "placing", "in_turn", "at_once")
                ),
                number(median(limit.milliseconds for limit in found.limits), 1),
            ]
        )
    done = sum(len(outcome.done) for found in measured.values() for outcome in found.outcomes)
    wrong = [fault for found in measured.values() for fault in found.faults]
    return Section(
        title="1. Placing orders of 20 lines over 3 suppliers",
        failures=wrong,
        parts=[
            table(
                ["stock", "clients", "orders/s", "p50 ms", "p99 ms", "limit, orders/s", "ratio", "aim"], rows, left=1
            ),
            _INCLUDED,
            table(
                [
                    "stock", "clients", "reserving/s", "placing/s", "in turn, orders/s", "both at once, orders/s",
                    "p50 ms",
                ],
                limits,
            ),
            _LIMIT,
            _cost_table(measured),
            f"{done:,} orders were placed in the measured runs. "
            + ("After every run all was exact." if not wrong else "Not all was exact, see above."),
            _CHECKED,
        ],
    )  # fmt: skip


def _cost_table(measured: dict[Case, _Measured]) -> str:
    kinds = ("orders", "suppliers", "others", "PostgreSQL", "load generator")
    rows = []
    for case, found in measured.items():
        costs = [median(cost[kind] for cost in found.costs) for kind in kinds]
        limit = median(limit.cost for limit in found.limits)
        figures = (*costs, sum(costs), limit, limit / sum(costs))
        rows.append([case.stock, str(case.clients), *(number(figure, 2) for figure in figures)])
    columns = [
        "`orders`",
        "`suppliers`",
        "the other processes",
        "PostgreSQL",
        "load generator",
        "sum",
        "limit",
        "ratio",
    ]
    return f"{_COST}\n\n" + table(["stock", "clients", *columns], rows)


_COST = """\
Processor time of one order in milliseconds, for the product by process, and for the limit (PostgreSQL and pgbench,
without connecting and preparing); their ratio depends less on what else the machine is doing:"""

_INCLUDED = """\
Figures are medians of the runs (lowest-highest); p50 and p99 are of all requests of all runs; the ratio is the median
of the ratios of single runs. Included: HTTP, the token's check, Idempotency-Key with the stored answer, reservation
at `suppliers` over HTTP, tax by line and sums, numbers, events, the hash chain, row level security, access logs, and
the followers that consume the reservations meanwhile. Stock is spread over 20,000 offers of 20 suppliers; "one hot
item" is in every order, beside 19 other lines. Sixteen contractors order in turn; each
has its own series of order numbers."""

_LIMIT = """\
The limit: pgbench, prepared statements, one order per transaction, on copies of the two databases on the same server,
right after each run of the product. The statements are those the product ran for single orders, taken from the
server's log with their parameters: the transaction that reserves, and the one that places. What the product reads
outside these two (offers' versions, the project, the idempotency key's lookup where it is one) is not counted against
pgbench. Each pgbench transaction fetches the parameters of one of the captured orders and gives it fresh ids; that
fetch is measured alone and taken off; so are connecting and preparing: the rate counts from the moment at which nine
in ten clients have done a transaction. *In turn*: both transactions one after the other, 1/(1/a + 1/b). *Both at
once*: two pgbench side by side, the same number of transactions each, until both are done. The larger counts."""

_CHECKED = """\
Checked after every run, in the databases: as many idempotency keys, baskets, orders and lines as 201 answers ask for;
the quantity on all orders equals the quantity in live reservations; `reserved` of every stock level equals the sum of
its reservation lines and lies between zero and what is on hand. Twenty requests are sent again under their keys: the
answers are the same, byte by byte, and marked as repeated."""
