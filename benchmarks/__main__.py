"""`python -m benchmarks [orders] [feed] [gates] [mapping] [sync] [search] [relevance] [--quick] [--output FILE]`.

`make bench` runs all of them.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import following, gates, judging, mapping, placing, searching, syncing
from benchmarks.catalog_world import Scale
from benchmarks.machine import machine_facts
from benchmarks.product import Product, running_product
from benchmarks.report import Section, bullets, page
from benchmarks.world import World, make_world
from infra.instance import CannotStart
from shared import clock

RESULTS = Path(__file__).parent / "RESULTS.md"

_QUICK_CASES = tuple(case for case in placing.CASES if case.stock == "spread" or case.clients == 64)

Benchmark = Callable[[Product, World, bool], Section]

_QUICK_EFFORT = placing.Effort(
    runs=3, load_seconds=1.5, limit_seconds=1, captured=300, warm_up_seconds=3, cases=_QUICK_CASES
)
_FULL_EFFORT = placing.Effort(runs=5, load_seconds=3, limit_seconds=1, captured=1_000, warm_up_seconds=8)


def _orders(running: Product, world: World, quick: bool) -> Section:
    return placing.benchmark(running, world, effort=_QUICK_EFFORT if quick else _FULL_EFFORT)


def _feed(running: Product, world: World, quick: bool) -> Section:
    runs, seconds, backlog = (3, 1, 1_100) if quick else (5, 2, 1_500)
    effort = following.Effort(runs=runs, load_seconds=seconds, backlog=backlog)
    return following.benchmark(running, world, effort=effort)


def _sync(running: Product, world: World, quick: bool) -> Section:
    effort = syncing.Effort(runs=3, rows=50_000) if quick else syncing.Effort(runs=5, rows=1_000_000)
    return syncing.benchmark(running, world, effort=effort)


def _larger() -> bool:
    """Whether the search is to be measured at ten times the size too."""
    return os.environ.get("DOUGONG_BENCH_LARGER") == "1"


def _search(running: Product, world: World, quick: bool) -> Section:
    scale = Scale(variants=20_000, suppliers=200) if quick else Scale(variants=200_000, suppliers=2_000)
    seconds, searches, synced = (3, 500, 50_000) if quick else (8, 2_000, 1_000_000)
    effort = searching.Effort(scale=scale, seconds=seconds, searches=searches, synced=synced, larger=_larger())
    return searching.benchmark(running, world, effort=effort)


def _mapping(running: Product, world: World, quick: bool) -> Section:
    return mapping.benchmark(running, world, effort=mapping.Effort(rows=4_000 if quick else 40_000))


def _relevance(running: Product, world: World, quick: bool) -> Section:  # noqa: ARG001 - it is quick
    return judging.benchmark(running, world)


def _gates(running: Product, world: World, quick: bool) -> Section:
    effort = gates.Effort(lines=100_000, runs=2) if quick else gates.Effort(lines=1_000_000, runs=3)
    return gates.benchmark(running, world, effort=effort)


BENCHMARKS: dict[str, Benchmark] = {
    "orders": _orders,
    "feed": _feed,
    "gates": _gates,
    "mapping": _mapping,
    "sync": _sync,
    "search": _search,
    "relevance": _relevance,
}
"""In the order in which they run: the last three fill the database."""


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what we claim about speed.")
    parser.add_argument("which", nargs="*", metavar="BENCHMARK", help=f"{', '.join(BENCHMARKS)}; none: all")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs: below two minutes")
    parser.add_argument("--output", type=Path, help=f"the page to write; of all benchmarks together {RESULTS.name}")
    chosen = parser.parse_args(arguments)
    if unknown := sorted(set(chosen.which) - BENCHMARKS.keys()):
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    return chosen


def run(names: Sequence[str], *, quick: bool) -> tuple[str, bool]:
    """The page, and whether everything was exact."""
    begun = time.monotonic()
    with running_product(say=_say) as running:
        facts = machine_facts(running.admin_url)
        world = make_world(running)
        sections = []
        for name in names:
            _say(f"Benchmark: {name}")
            sections.append(BENCHMARKS[name](running, world, quick))
            running.check_alive()
    facts["measured"] = f"{clock.now():%Y-%m-%d %H:%M} UTC in {(time.monotonic() - begun) / 60:.1f} minutes" + (
        ", quick (fewer and shorter runs)" if quick else ""
    )
    sections.sort(key=lambda section: section.title)
    intro = f"{_INTRO}\n\n{bullets(facts)}"
    return page(title="Benchmarks", intro=intro, sections=sections), not any(s.failures for s in sections)


_INTRO = """\
Written by `make bench` (`make bench ARGS=--quick` for a first impression); each figure stands beside its limit,
measured in the same run on the same server. Judge the ratios: the machine is shared and its speed varies. Nothing of
the durability is turned off. The processes are those of `make up`: one server process and one worker per service."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when all was exact, 1 when not, 5 when nothing could be started."""
    chosen = _parse(arguments)
    names = [name for name in BENCHMARKS if not chosen.which or name in chosen.which]
    try:
        text, exact = run(names, quick=chosen.quick)
    except CannotStart as problem:
        print(f"The benchmarks cannot start: {problem}", file=sys.stderr)
        return 5
    output = chosen.output or (None if chosen.which else RESULTS)
    if output is None:
        print(text)
    else:
        output.write_text(text, encoding="utf-8")
        _say(f"Written to {output}.")
    return 0 if exact else 1


if __name__ == "__main__":
    sys.exit(main())
