"""Benchmark 5: an enterprise's material codes mapped to variants: how well, and how fast.

Quality is measured on rows written apart from the matcher, from other words than its own (`tests.catalog.enterprise`),
each with its truth. Speed is that of the match stage of a job in the worker, from its history; beside it the same
judging in one process with no database, which is its limit on one core.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from benchmarks.mapping_quality import Quality, code_rows, judged, quality_of
from benchmarks.product import Product
from benchmarks.report import Section, number, table, verdict
from benchmarks.world import World
from infra.api import Api
from services.catalog.components.taxonomy import definition_from, read_taxonomy
from services.catalog.mapping.judging import Evidence, Judge
from tests.catalog.enterprise.files import as_csv
from tests.catalog.enterprise_rows import SEED, rows

PRECISION_AIM, RECALL_AIM = 0.99, 0.85
_TAXONOMY = Path(__file__).parent.parent / "infra" / "seed" / "taxonomy.yaml"
_POLL_SECONDS = 0.5
_LIMIT_ROWS = 1_000


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How many rows the job has."""

    rows: int


@cache
def judge() -> Judge:
    """The matcher over the taxonomy we ship."""
    taxonomy = read_taxonomy(yaml.safe_load(_TAXONOMY.read_text(encoding="utf-8")))
    definitions = {entry.code: definition_from(entry.definition, version=1) for entry in taxonomy.types}
    return Judge(definitions, {unit.code: unit for unit in taxonomy.units})


def benchmark(running: Product, world: World, *, effort: Effort) -> Section:
    """Judge rows of known truth, then let the worker match a file of many."""
    running.say("Judging rows of known truth …")
    quality = quality_of(judged(judge(), rows()))
    running.say(f"  precision {quality.precision:.4f}, recall {quality.recall:.4f}")
    limit = _limit()
    running.say(f"Matching a file of {effort.rows:,} rows …")
    job, seconds = _matched(running.api.signed_in(world.buyers[0].tokens), effort.rows)
    rate = job["rows_matched"] / seconds
    running.say(f"  {rate:,.0f} rows/s, limit {limit:,.0f}")
    return Section(
        title="5. Mapping enterprises' material codes",
        failures=[*_missed(quality), *_unfinished(job, effort.rows)],
        parts=[
            _quality_table(quality),
            table(
                ["match stage", "rows", "product, s", "rows/s", "one process without a database, rows/s", "ratio"],
                [
                    [
                        "in the worker",
                        number(job["rows_matched"]),
                        number(seconds, 1),
                        number(rate),
                        number(limit),
                        f"{rate / limit:.2f}",
                    ]
                ],
            ),
            _EXPLAINED,
        ],
    )


def _limit() -> float:
    """Rows a second, in this process alone."""
    some, nothing = code_rows(rows()[:_LIMIT_ROWS]), Evidence()
    begun = time.perf_counter()
    for row in some:
        judge().proposed(judge().read(row), nothing)
    return len(some) / (time.perf_counter() - begun)


def _matched(api: Api, count: int) -> tuple[dict[str, Any], float]:
    """The job when it is matched, and how long its match stage took."""
    sent = api.call(
        "POST",
        "/catalog/mapping-jobs",
        params={"dry_run": "true", "file_name": "benchmark.csv"},
        headers={"Content-Type": "text/csv", "Idempotency-Key": f"mapping-{count}"},
        content=as_csv(rows(SEED + 1, count=count), chinese_header=True),
        timeout=600,
    ).body
    path = f"/catalog/mapping-jobs/{sent['id']}"
    job: dict[str, Any] = sent
    while job["state"] in {"UPLOADED", "PARSED", "VALIDATED"}:
        time.sleep(_POLL_SECONDS)
        job = api.call("GET", path).body
    moments = {each["after"]: datetime.fromisoformat(each["at"]) for each in api.call("GET", f"{path}/history").body}
    return job, (moments["MATCHED"] - moments["VALIDATED"]).total_seconds()


def _unfinished(job: dict[str, Any], count: int) -> Sequence[str]:
    if job["state"] != "MATCHED" or job["rows_matched"] != job["rows_taken"] or job["rows_read"] != count:
        return [f"the job ended as {job['state']} with {job['rows_matched']} of {count} rows matched"]
    return []


def _missed(quality: Quality) -> Sequence[str]:
    return [] if quality.precision >= PRECISION_AIM else [f"precision at auto-accept is {quality.precision:.4f}"]


def _quality_table(quality: Quality) -> str:
    return table(
        ["measure", "rows", "of", "share", "aim"],
        [
            [
                "precision at auto-accept",
                number(quality.accepted_right),
                number(quality.accepted),
                f"{quality.precision:.4f}",
                f"{PRECISION_AIM}: {verdict(quality.precision, aim=PRECISION_AIM)}",
            ],
            [
                "recall (accepted, or proposed with the right candidate first)",
                number(quality.found),
                number(quality.exact),
                f"{quality.recall:.4f}",
                f"{RECALL_AIM}: {verdict(quality.recall, aim=RECALL_AIM)}",
            ],
            [
                "recall of auto-accept alone",
                number(quality.accepted_right),
                number(quality.exact),
                f"{quality.accepted_recall:.4f}",
                "",
            ],
            _share("incomplete rows asked for exactly what is missing", quality.asked_rightly, quality.broader),
            _share("rows in a unit of another dimension stopped", quality.stopped, quality.unit),
            _share("rows of several things sent to split", quality.split_rightly, quality.split),
        ],
    )


def _share(title: str, right: int, of: int) -> list[str]:
    return [title, number(right), number(of), f"{right / of:.4f}", ""]


_EXPLAINED = """\
The rows were written by rules of their own, apart from the matcher, and the matcher was first run on them when both
were done: precision 0.9705, recall 0.6904, auto-accept alone 0.5713. What it then missed on another seed of the same
generator was used to improve the reading, so the figures above say how well it reads this manner of writing, not
every manner. Rows are judged by their own text alone: no prices and no supplier items help."""
