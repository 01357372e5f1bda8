"""Benchmark 4: the search over 200,000 variants and 1,000,000 offers of 2,000 suppliers.

The limit is pgbench running the statements that the product runs for the same searches, taken from the server's log,
on a copy of the same database.
"""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from benchmarks.capture import UUID_TEXT, limit_scripts, statements_logged, writing
from benchmarks.catalog_world import (
    CatalogWorld,
    MadeVariant,
    Scale,
    definitions_in,
)
from benchmarks.lagging import lag_table, lag_under_sync
from benchmarks.limits import Limit, pgbench
from benchmarks.load import Outcome, Plan, run_load
from benchmarks.policy import PolicyCost, policy_cost, policy_table
from benchmarks.product import Product
from benchmarks.rebuilding import rebuild_table, rebuilt_index
from benchmarks.report import Section, number, percentile, table
from benchmarks.world import World
from services.catalog.components.rules import TypeDefinition, halves
from services.catalog.search.synonyms import TYPE_WORDS

_CLIENTS = 8
_AIM = 2.0
_HITS = 20
_PAGE = 500
"""The far page: `_PAGE * _HITS` hits are passed before it."""


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How large and how long."""

    scale: Scale
    seconds: float
    searches: int
    """Different ones."""
    synced: int
    """Rows of the file that is followed while it is sent."""
    larger: bool = False
    """The searches at ten times the size too; filling that takes an hour and some 15 GB."""


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """One kind of request."""

    name: str
    addresses: Sequence[str]
    clients: int = _CLIENTS


@dataclass(kw_only=True)
class _Measured:
    """What became of each kind."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


class _Searching:
    """A running catalog over a made world."""

    def __init__(self, running: Product, world: World, effort: Effort) -> None:
        self.running = running
        self._buyers = world.buyers
        self._api = running.api.signed_in(world.buyers[0].tokens)
        self._effort = effort
        self.definitions = definitions_in(running.admin_of("catalog"))

    def fill(self, scale: Scale) -> CatalogWorld:
        self.running.say(f"Filling the index with {scale.offers:,} offers of {scale.variants:,} variants …")
        begun = time.monotonic()
        made = CatalogWorld(self.running.admin_of("catalog"), scale)
        made.fill()
        self.running.say(f"  {len(made.variants):,} variants in {time.monotonic() - begun:,.0f} s")
        return made

    def run(self, kind: _Kind, found: _Measured) -> Outcome:
        outcome = self.load(kind, seconds=self._effort.seconds)
        found.outcomes[kind.name] = outcome
        wrong = len(outcome.sent) - len(outcome.read)
        if wrong or not outcome.sent:
            found.failures.append(f"{kind.name}: {wrong} of {len(outcome.sent)} failed: {outcome.refusal}")
        times = [each.milliseconds for each in outcome.read] or [0.0]
        self.running.say(
            f"  {kind.name}: p50 {percentile(times, 0.5):,.1f} ms, p99 {percentile(times, 0.99):,.1f} ms, "
            f"{len(times) / outcome.seconds:,.0f}/s"
        )
        return outcome

    def load(self, kind: _Kind, *, seconds: float, most: int = 10**6) -> Outcome:
        file = self.running.folder / "addresses.txt"
        file.write_text("\n".join(kind.addresses))
        plan = Plan(
            port=self.running.instance.port_base + 2,
            method="GET",
            tokens=[buyer.tokens.token() for buyer in self._buyers],
            bodies=file,
            connections=kind.clients,
            seconds=seconds,
            most=most,
        )
        return run_load(plan, folder=self.running.folder)

    def next_address(self, address: str) -> str | None:
        """Where the page after this one is, as its Link header says."""
        link = self._api.call("GET", address).headers.get("Link")
        return None if link is None else link[1 : link.index(">")]

    def limit(self, kind: _Kind, *, seconds: int) -> tuple[Limit, PolicyCost]:
        """The same searches by pgbench, on a copy; and what the policy adds to them there."""
        self.load(kind, seconds=3)
        with statements_logged(self.running) as transactions:
            self.load(_Kind(name=kind.name, addresses=kind.addresses, clients=1), seconds=30, most=200)
        usual = writing(transactions, database="catalog", what="search_variants")
        with self.running.paused():
            self.running.copy_for_limit("catalog")
        shared = {
            id_
            for each in usual
            for statement in each.statements
            for value in statement.values
            for id_ in UUID_TEXT.findall(value or "")
        }
        scripts = limit_scripts(self.running, usual, service="catalog", name="search", shared=shared)
        pgbench(scripts.whole, clients=_CLIENTS, seconds=2)
        limit = pgbench(scripts.whole, clients=_CLIENTS, seconds=seconds)
        return limit, policy_cost(self.running, scripts.whole, clients=_CLIENTS, seconds=max(3, seconds // 2))


def searches(
    variants: Sequence[MadeVariant], definitions: Mapping[str, TypeDefinition], *, many: int
) -> list[dict[str, str]]:
    """Words for a type and one of its values, and two facets, of variants drawn at random: each finds something."""
    dice = random.Random(7)
    found: list[dict[str, str]] = []
    while len(found) < many:
        made = dice.choice(variants)
        definition = definitions[made.type_code]
        told = [each.key for each in definition.identity if each.allowed and each.key in made.values]
        if len(told) < 3:
            continue
        first, second, third = dice.sample(told, 3)
        called = dice.choice([*TYPE_WORDS.get(made.type_code, ()), definition.name_zh])
        word = halves(made.values[first])[1]
        facets = {f"p.{key}": made.values[key] for key in (second, third)}
        found.append({"q": f"{called} {word}"[:200], **facets, "limit": str(_HITS), "offers": "3"})
    return found


def _address(path: str, query: Mapping[str, str]) -> str:
    return f"/catalog/{path}?{urlencode(query)}"


def _kinds(made: CatalogWorld, searching: _Searching, effort: Effort) -> list[_Kind]:
    """Every kind of request, from the same searches."""
    asked = searches(made.variants, searching.definitions, many=effort.searches)
    types = sorted({each.type_code for each in made.variants})
    narrow = [_address("search", each) for each in asked]
    landed = {"quantity": "20", "region": "110105", "sort": "price"}
    units = {code: each.base_unit for code, each in searching.definitions.items()}
    typed = [dict(each)["q"][: 2 + place % 6] for place, each in enumerate(asked)]
    page = {"limit": str(_HITS), "offers": "3"}
    return [
        _Kind(name="text, two facets, audience", addresses=narrow),
        _Kind(
            name="the same with counts of three facets",
            addresses=[_address("search", {**each, "facets": f"{list(each)[1][2:]},supplier,type"}) for each in asked],
        ),
        _Kind(name="suggest", addresses=[_address("suggest", {"q": each}) for each in typed]),
        _Kind(
            name="a whole type by landed price",
            addresses=[_address("search", {**page, **landed, "type": code, "unit": units[code]}) for code in types],
        ),
        _Kind(name="everything by relevance", addresses=[_address("search", page)]),
        _Kind(name="everything by price", addresses=[_address("search", {**page, "sort": "price"})]),
        _Kind(
            name="everything by landed price",
            addresses=[_address("search", {**page, **landed, "unit": "m"})],
            clients=2,
        ),
        _Kind(name="counts over everything", addresses=[_address("search", {**page, "facets": "category"})], clients=2),
    ]


def _pages(searching: _Searching, found: _Measured, *, sort: str) -> None:
    """Page 2 and a far page of one search, reached by the links; each then asked for again and again."""
    address = _address("search", {"limit": str(_HITS), "offers": "3", "sort": sort})
    reached: dict[int, str] = {}
    for page in range(1, _PAGE + 1):
        if page in {2, _PAGE}:
            reached[page] = address
        following = searching.next_address(address)
        if following is None:
            break
        address = following
    for page, at in reached.items():
        searching.run(_Kind(name=f"page {page} of everything by {sort}", addresses=[at], clients=1), found)


def benchmark(running: Product, world: World, *, effort: Effort) -> Section:
    """A tenth of the world, then the whole of it."""
    running.rest("catalog worker")
    searching = _Searching(running, world, effort)
    small = effort.scale.times(0.1)
    found_small, found = _Measured(), _Measured()
    made = searching.fill(small)
    for kind in _kinds(made, searching, effort):
        searching.run(kind, found_small)
    made = searching.fill(effort.scale)
    kinds = _kinds(made, searching, effort)
    for kind in kinds:
        searching.run(kind, found)
    for sort in ("relevance", "price"):
        _pages(searching, found, sort=sort)
    sizes = made.size_per_offer()
    limit, cost = searching.limit(kinds[0], seconds=max(3, int(effort.seconds)))
    searching.load(kinds[0], seconds=effort.seconds)  # the copy took the place of these pages in memory
    again = searching.run(kinds[0], found)
    running.say(f"  pgbench {limit.per_second:,.0f}/s, HTTP {len(again.read) / again.seconds:,.0f}/s")
    rebuilt = rebuilt_index(running)
    lags = lag_under_sync(running, world, rows=effort.synced)
    growth = [_grown(searching, effort)] if effort.larger else []
    return Section(
        title="4. Search",
        failures=[*found_small.failures, *found.failures, *(fault for each in growth for fault in each[1].failures)],
        parts=[
            _limit_table(again, limit),
            policy_table(cost, over_http=len(again.read) / again.seconds),
            _kind_table(found_small, found, small, effort.scale),
            *(_kind_table(found, each, effort.scale, scale) for scale, each in growth),
            _size_table(sizes),
            lag_table(lags),
            rebuild_table(rebuilt),
            _EXPLAINED,
        ],
    )


def _grown(searching: _Searching, effort: Effort) -> tuple[Scale, _Measured]:
    """The same searches at ten times the size."""
    scale, found = effort.scale.times(10), _Measured()
    made = searching.fill(scale)
    for kind in _kinds(made, searching, effort):
        searching.run(kind, found)
    return scale, found


def _limit_table(outcome: Outcome, limit: Limit) -> str:
    times = [each.milliseconds for each in outcome.read]
    per_second = len(times) / outcome.seconds
    ratio = limit.per_second / per_second
    return table(
        [f"text, two facets, audience; {_CLIENTS} clients", "searches/s", "p50 ms", "p99 ms"],
        [
            ["HTTP", number(per_second), number(percentile(times, 0.5), 1), number(percentile(times, 0.99), 1)],
            [
                "pgbench, the same statements",
                number(limit.per_second),
                number(percentile(limit.milliseconds, 0.5), 1),
                number(percentile(limit.milliseconds, 0.99), 1),
            ],
            [f"pgbench / HTTP (aim below {number(_AIM)})", number(ratio, 2), "", ""],
        ],
    )


def _kind_table(small: _Measured, large: _Measured, less: Scale, more: Scale) -> str:
    rows = []
    for name, outcome in large.outcomes.items():
        times = [each.milliseconds for each in outcome.read] or [0.0]
        before = small.outcomes.get(name)
        then = [each.milliseconds for each in before.read] if before is not None and before.read else None
        rows.append(
            [
                name,
                number(len(times) / outcome.seconds),
                number(percentile(times, 0.5), 1),
                number(percentile(times, 0.99), 1),
                "" if then is None else number(percentile(then, 0.5), 1),
                "" if then is None else number(percentile(then, 0.99), 1),
            ]
        )
    columns = ["request", f"at {more.offers:,} offers: /s", "p50 ms", "p99 ms", f"at {less.offers:,}: p50 ms", "p99 ms"]
    return table(columns, rows)


def _size_table(sizes: Mapping[str, float]) -> str:
    indexes = sum(size for name, size in sizes.items() if not name.startswith("search_"))
    rows = [[name, number(size)] for name, size in sizes.items() if size >= 1]
    return table(["bytes on disk per offer", ""], [["indexes together", number(indexes)], *rows])


_EXPLAINED = """\
A search names a type by a name or everyday word, one of its values, and two facets; every address is of a variant that
is there. A page has 20 hits with three offers each. The audience keys are those of sixteen buyers who see seven in
ten offers. The policy's cost is that of the same statements with and without it where both find the same. pgbench
runs every statement of the same requests, prepared, on a copy of the database. Page 500 is reached
by the Link headers and then asked for again and again by one client, like page 2. With
`DOUGONG_BENCH_LARGER=1` the same is asked at ten times this size (10,000,000 offers), which takes an hour to be made.
An index is rebuilt by telling every offer anew through the reactions that follow the feed, 50,000 in a transaction;
beside it the same rows copied within the database by two statements.
The lag is the time between two commits, that of a sync's event at `suppliers` and that of the rows of the search, for
every event of the file; the same two cores do both."""
