"""Benchmark 2: a supplier's ERP sends stock and price of a million items as one CSV file.

The limit is psql: `\\copy` of the same file into a staging table, an upsert of stock and an update of prices, in key
order, skipping what is equal, in one transaction on a copy of the tables in the same server. The product reads the
file as a stream, judges every row (numbers, units, places, dates, columns it may set, references), keeps what is
wrong with which row, writes in chunks and publishes every change; psql does none of this.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psycopg

from benchmarks.limits import psql
from benchmarks.machine import Memory, mebibytes, watching
from benchmarks.product import Product
from benchmarks.report import Section, Spread, number, table, verdict
from benchmarks.world import SUPPLIERS, VARIANTS, Seller, World, make_seller, multiply, sync

_AIM = 0.8
_TABLES = ("offers", "stock_levels")
_PROCESSES = ("suppliers", "suppliers worker")
_HEADER = "item_no,stock_point,on_hand,price\n"


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How long it may take."""

    runs: int
    rows: int


@dataclass(kw_only=True)
class _Measured:
    """Seconds of every run."""

    changed: list[float] = field(default_factory=list)
    repeated: list[float] = field(default_factory=list)
    limit_changed: list[float] = field(default_factory=list)
    limit_repeated: list[float] = field(default_factory=list)
    memory: list[Memory] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def benchmark(running: Product, world: World, *, effort: Effort) -> Section:
    """Send two files in turn, so that every row of every run is a change; the first once more, when none is."""
    running.say(f"Making a supplier of {effort.rows:,} items …")
    seller = make_seller(running, world.operator, number=SUPPLIERS, copies=1)
    with running.paused():
        multiply(running.admin_of("suppliers"), company_id=seller.company_id, copies=effort.rows // len(VARIANTS))
        running.copy_for_limit("suppliers")
    running.rest("catalog worker")
    files = [_write_file(running, seller, version=version) for version in (1, 2)]
    found = _Measured()
    for turn in range(effort.runs):
        _one_run(running, seller, files[turn % 2], version=turn % 2 + 1, rows=effort.rows, turn=turn, found=found)
        running.say(
            f"  run {turn + 1}: {effort.rows / found.changed[-1]:,.0f} rows/s, "
            f"limit {effort.rows / found.limit_changed[-1]:,.0f}, "
            f"ratio {found.limit_changed[-1] / found.changed[-1]:.2f}"
        )
    running.wake("catalog worker")
    return _section(found, rows=effort.rows, size=files[0].stat().st_size)


def _one_run(
    running: Product, seller: Seller, file: Path, *, version: int, rows: int, turn: int, found: _Measured
) -> None:
    """The file, which changes every row; in the first run once more, when it changes none. Then psql the same."""
    api = running.api.signed_in(seller.tokens)
    times = {"changed": (found.changed, found.limit_changed), "repeated": (found.repeated, found.limit_repeated)}
    kinds = ("changed", "repeated") if turn == 0 else ("changed",)
    for kind in kinds:
        running.settle(*(("suppliers", name) for name in _TABLES))
        with watching(running.process_ids(*_PROCESSES)) as memory:
            begun = time.perf_counter()
            job = sync(api, seller.company_id, file.read_bytes(), key=f"run-{turn}-{kind}")
            times[kind][0].append(time.perf_counter() - begun)
        found.memory.append(memory)
        expected = {"accepted": rows, "unchanged": 0} if kind == "changed" else {"accepted": 0, "unchanged": rows}
        if any(job["counts"][name] != expected[name] for name in expected) or job["counts"]["rejected"]:
            found.faults.append(f"run {turn + 1}, {kind}: {job['counts']}")
    found.faults += _faults(running.urls("suppliers").worker, seller, version=version, turn=turn)
    for kind in kinds:
        running.settle(*(("suppliers_limit", name) for name in _TABLES))
        times[kind][1].append(psql(running.limit_urls("suppliers").worker, _limit_script(seller, file)))
    found.faults += _faults(running.limit_urls("suppliers").worker, seller, version=version, turn=turn)


def _write_file(running: Product, seller: Seller, *, version: int) -> Path:
    """Every item with a count and a price of this version."""
    file = running.folder / f"rows-{version}.csv"
    with psycopg.connect(running.urls("suppliers").worker) as connection:
        items = connection.execute(
            "SELECT item_no, stock_point FROM stock_levels WHERE supplier_id = %s ORDER BY item_no, stock_point",
            [seller.company_id],
        ).fetchall()
    with file.open("w", encoding="utf-8") as stream:
        stream.write(_HEADER)
        stream.writelines(
            f"{item_no},{stock_point},{_on_hand(place, version)},{_price(place, version)}\n"
            for place, (item_no, stock_point) in enumerate(items)
        )
    return file


def _on_hand(place: int, version: int) -> str:
    return f"{1000 * version + place % 997}.25"


def _price(place: int, version: int) -> str:
    return f"{3000 + 100 * version + place % 89}.40"


def _faults(url: str, seller: Seller, *, version: int, turn: int) -> list[str]:
    """Whether every row holds exactly what the file says."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "WITH numbered AS ("
            "  SELECT item_no, stock_point, on_hand, row_number() OVER (ORDER BY item_no, stock_point) - 1 AS place"
            "  FROM stock_levels WHERE supplier_id = %(supplier)s"
            ") SELECT count(*) FROM numbered s LEFT JOIN offers o"
            "  ON o.supplier_id = %(supplier)s AND o.item_no = s.item_no AND o.stock_point = s.stock_point "
            "WHERE s.on_hand <> 1000 * %(version)s + place %% 997 + 0.25 "
            "OR o.price IS DISTINCT FROM 3000 + 100 * %(version)s + place %% 89 + 0.40",
            {"supplier": seller.company_id, "version": version},
        ).fetchone()
    wrong = int(row[0]) if row else -1
    return [f"run {turn + 1}: {wrong} rows are not as the file says"] if wrong else []


def _limit_script(seller: Seller, file: Path) -> str:
    supplier = f"CAST('{seller.company_id}' AS uuid)"
    return f"""
        BEGIN;
        CREATE TEMP TABLE staging (item_no text, stock_point text, on_hand numeric, price numeric) ON COMMIT DROP;
        \\copy staging FROM '{file}' WITH (FORMAT csv, HEADER)
        ANALYZE staging;
        INSERT INTO stock_levels AS s (supplier_id, item_no, stock_point, on_hand, as_of, updated_at)
        SELECT {supplier}, item_no, stock_point, on_hand, now(), now() FROM staging ORDER BY item_no, stock_point
        ON CONFLICT (supplier_id, item_no, stock_point) DO UPDATE
        SET on_hand = excluded.on_hand, as_of = excluded.as_of, updated_at = excluded.updated_at
        WHERE s.on_hand IS DISTINCT FROM excluded.on_hand;
        UPDATE offers o SET price = s.price, version = o.version + 1, updated_at = now()
        FROM (SELECT * FROM staging ORDER BY item_no, stock_point) s
        WHERE o.supplier_id = {supplier} AND o.item_no = s.item_no AND o.stock_point = s.stock_point
          AND o.price IS DISTINCT FROM s.price;
        COMMIT;
    """


def _section(found: _Measured, *, rows: int, size: int) -> Section:
    def line(title: str, product: Sequence[float], limit: Sequence[float], aim: float | None) -> list[str]:
        ratio = median(theirs / ours for ours, theirs in zip(product, limit, strict=True))
        return [
            title,
            Spread.of(product).text(1),
            number(rows / median(product)),
            Spread.of(limit).text(1),
            number(rows / median(limit)),
            f"{ratio:.2f}",
            "" if aim is None else f"{aim:.1f}: {verdict(ratio, aim=aim)}",
        ]

    most = max(found.memory, key=lambda memory: memory.grown)
    return Section(
        title=f"2. Syncing {rows:,} rows of stock and price",
        failures=found.faults,
        parts=[
            table(
                ["file", "product, s", "rows/s", "psql, s", "rows/s", "ratio", "aim"],
                [
                    line("every row changes", found.changed, found.limit_changed, _AIM),
                    line("the same file again", found.repeated, found.limit_repeated, None),
                ],
            ),
            _memory(most, size),
            _EXPLAINED,
        ],
    )


def _memory(most: Memory, size: int) -> str:
    return (
        "Memory of the service and its worker together, sampled ten times a second while a body of "
        f"{mebibytes(size)} went through: {mebibytes(most.before)} before, {mebibytes(most.most)} at most, "
        f"{mebibytes(most.after)} after, in the run in which it grew most."
    )


_EXPLAINED = """\
One PUT of a CSV file over HTTP, until the job says that it is done. The product judges every row, keeps remarks row
by row, commits in chunks and publishes each changed offer and stock level as events; psql copies the same file into a
staging table, then upserts the stock and updates the prices in key order, skipping what is equal, in one transaction
on a copy of the tables, with no judgement and no events. Two files are sent in turn, so every row of every run is a
change of both stock and price. Both tables are vacuumed before each measurement, on both sides. The worker of
`catalog`, which follows these events, rests meanwhile: what it needs is in section 3. After every run each row is
compared with the file."""
