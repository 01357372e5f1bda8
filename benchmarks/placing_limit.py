"""The limit of benchmark 1: pgbench running the SQL that the product runs for one order."""

from collections.abc import Collection
from dataclasses import dataclass
from statistics import median

import psycopg

from benchmarks.capture import LimitScripts, limit_scripts, statements_logged, writing
from benchmarks.limits import pgbench, pgbench_once_each, pgbench_side_by_side
from benchmarks.load import Plan, run_load
from benchmarks.machine import ended_programs_seconds
from benchmarks.product import Product

_FEWEST = 20
_WRITES = {"suppliers": "INSERT INTO reservations", "orders": "INSERT INTO baskets"}
"""How the transaction of each service is recognised."""


@dataclass(frozen=True, kw_only=True)
class LimitRun:
    """What pgbench reached in one run, in orders a second."""

    reserving: float
    placing: float
    in_turn: float
    at_once: float
    milliseconds: float
    """The medians of both transactions, added."""
    cost: float
    """Milliseconds of processor time an order, of PostgreSQL and pgbench."""

    @property
    def orders(self) -> float:
        """The limit: the harder of the two ways to see it."""
        return max(self.in_turn, self.at_once)


class PlacingLimit:
    """Captures single orders, then runs their SQL on copies of the databases."""

    def __init__(self, running: Product, offer_ids: Collection[str]) -> None:
        self._running = running
        self._offer_ids = offer_ids
        self._scripts: dict[str, dict[str, LimitScripts]] = {}
        self._fetching: dict[tuple[str, str, int], float] = {}
        """Seconds by stock, service and clients."""

        self._beginning: dict[tuple[str, str, int], float] = {}
        """Processor seconds of connecting, preparing and one transaction from every client."""
        with running.paused():
            for service in _WRITES:
                running.copy_for_limit(service)

    def capture(self, stock: str, plan: Plan) -> None:
        """Place the orders of a plan one by one and keep their SQL, with its parameters beside the copied databases.

        Raises:
            RuntimeError: an order was refused, or too few were placed in the time of the plan.
        """
        with statements_logged(self._running) as transactions:
            outcome = run_load(plan, folder=self._running.folder)
        if len(outcome.done) != len(outcome.sent) or len(outcome.done) < _FEWEST:
            raise RuntimeError(f"{len(outcome.done)} of {len(outcome.sent)} orders were placed: {outcome.refusal}")
        self._scripts[stock] = {
            service: limit_scripts(
                self._running,
                writing(transactions, database=service, what=what),
                service=service,
                name=str(len(self._scripts)),
                shared=self._offer_ids,
            )
            for service, what in _WRITES.items()
        }

    def warm_up(self, stock: str, *, clients: int) -> None:
        """Touch the data, and measure what fetching the parameters of one order costs."""
        for service, scripts in self._scripts[stock].items():
            pgbench(scripts.whole, clients=clients, seconds=1)
            used = self._processor_seconds()
            pgbench_once_each(scripts.whole, clients=clients)
            self._beginning[stock, service, clients] = self._processor_seconds() - used
            self._fetching[stock, service, clients] = (
                1 / pgbench(scripts.fetching, clients=clients, seconds=1).per_second
            )

    def run(self, stock: str, *, clients: int, seconds: int) -> LimitRun:
        """Both transactions alone for `seconds` each, then both at once for about as long; net of the fetching.

        Raises:
            RuntimeError: a transaction of pgbench wrote no order.
        """
        scripts = self._scripts[stock]
        fetching = {service: self._fetching[stock, service, clients] for service in scripts}
        alone, cost = {}, 0.0
        for service, each in scripts.items():
            before, used = self._written(service), self._processor_seconds()
            alone[service] = pgbench(each.whole, clients=clients, seconds=seconds)
            used = self._processor_seconds() - used - self._beginning[stock, service, clients]
            cost += 1000 * used / (alone[service].transactions - clients)
            self._check(service, before, alone[service].transactions)
        costs = {service: 1 / limit.per_second - fetching[service] for service, limit in alone.items()}
        in_turn = 1 / sum(costs.values())
        both = pgbench_side_by_side(
            [each.whole for each in scripts.values()], clients=clients, transactions=int(in_turn * seconds)
        )
        return LimitRun(
            reserving=1 / costs["suppliers"],
            placing=1 / costs["orders"],
            in_turn=in_turn,
            at_once=1 / (1 / min(limit.per_second for limit in both) - sum(fetching.values())),
            milliseconds=sum(median(limit.milliseconds) for limit in alone.values()),
            cost=cost,
        )

    def _processor_seconds(self) -> float:
        """Of PostgreSQL and of the programs that have ended."""
        return self._running.processor_seconds()["PostgreSQL"] + ended_programs_seconds()

    def _check(self, service: str, before: int, transactions: int) -> None:
        written = self._written(service) - before
        if written < transactions:
            raise RuntimeError(f"pgbench did {transactions} transactions at {service} and wrote {written} orders.")

    def _written(self, service: str) -> int:
        """Reservations or baskets in the copy."""
        counted = {"suppliers": "SELECT count(*) FROM reservations", "orders": "SELECT count(*) FROM baskets"}
        with psycopg.connect(self._running.limit_urls(service).worker) as connection:
            row = connection.execute(counted[service]).fetchone()
        return int(row[0]) if row else 0
