"""The limits: the same work done by PostgreSQL's own programs, with nothing of ours in between."""

import math
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from infra.postgres import installation
from shared.database import _SESSION_OPTIONS as SESSION_OPTIONS

_TIMEOUT_SECONDS = 180
_OPTIONS = "-c jit=off -c timezone=UTC"
"""For psql; pgbench gets what the services set for their own connections."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Completion:
    """One transaction of pgbench, from its log."""

    client: int
    milliseconds: float
    at: float
    """When it was done, in seconds."""


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What pgbench reached once every client was at work."""

    per_second: float
    milliseconds: Sequence[float]
    """Of every transaction then."""
    transactions: int
    """All of them, also those before."""


def completion(line: str) -> Completion:
    """A line of `pgbench --log`: client, number, duration, script, seconds and microseconds of the clock."""
    client, _, microseconds, _, seconds, rest = line.split()[:6]
    return Completion(client=int(client), milliseconds=int(microseconds) / 1000, at=int(seconds) + int(rest) / 1e6)


def steady(done: Sequence[Completion], *, clients: int) -> Limit | None:
    """The rate once nine in ten clients have done a transaction: connecting and preparing are not the statements' cost.

    None when not so many came so far, or too little followed.
    """
    firsts: dict[int, float] = {}
    for each in done:
        firsts[each.client] = min(each.at, firsts.get(each.client, each.at))
    enough = math.ceil(0.9 * clients)
    if len(firsts) < enough:
        return None
    begun = sorted(firsts.values())[enough - 1]
    later = [each for each in done if each.at > begun]
    if len(later) < clients:
        return None
    return Limit(
        per_second=len(later) / (max(each.at for each in later) - begun),
        milliseconds=[each.milliseconds for each in later],
        transactions=len(done),
    )


@dataclass(frozen=True, kw_only=True)
class Script:
    """One transaction for pgbench, and the database it runs in."""

    url: str
    text: str


def _environment(url: str, options: str) -> dict[str, str]:
    """The address by environment: a password on the command line would be seen by all."""
    parts = urlsplit(url)
    return {
        "PATH": os.environ.get("PATH", ""),
        "PGHOST": parse_qs(parts.query)["host"][0] if parts.query else str(parts.hostname),
        "PGUSER": unquote(str(parts.username)),
        "PGPASSWORD": unquote(str(parts.password)),
        "PGDATABASE": parts.path.lstrip("/"),
        "PGOPTIONS": options,
    }


class _Bench:
    """One pgbench under way."""

    def __init__(self, script: Script, *, folder: Path, clients: int, bound: str) -> None:
        self._folder = folder
        file = folder / "transaction.sql"
        file.write_text(script.text)
        self._process = subprocess.Popen(
            [
                str(installation() / "pgbench"), "--no-vacuum", "--protocol=prepared", f"--client={clients}",
                f"--jobs={min(2, clients)}", f"--file={file}", "--log", f"--log-prefix={folder / 'log'}", bound,
            ],
            env=_environment(script.url, SESSION_OPTIONS),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def wait(self) -> list[Completion]:
        """Raises RuntimeError with what pgbench said when it failed or any transaction did."""
        try:
            said, complained = self._process.communicate(timeout=_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise
        failed = re.search(r"number of failed transactions: (\d+)", said)
        if self._process.returncode != 0 or (failed and failed[1] != "0"):
            raise RuntimeError(f"pgbench failed: {complained[-1000:]} {said[-500:]}")
        lines = (line for log in self._folder.glob("log.*") for line in log.read_text().splitlines())
        return [completion(line) for line in lines]


def pgbench(script: Script, *, clients: int, seconds: int) -> Limit:
    """Run one transaction again and again from `clients` connections, prepared; longer where many have to connect.

    Raises:
        RuntimeError: it failed, or it is so slow that no time is left after all clients have begun.
    """
    for patience in (1, 3, 9):
        with tempfile.TemporaryDirectory(prefix="dougong-pgbench-") as folder:
            bound = f"--time={(seconds + clients // 32) * patience}"
            done = _Bench(script, folder=Path(folder), clients=clients, bound=bound).wait()
        limit = steady(done, clients=clients)
        if limit is not None:
            return limit
    raise RuntimeError(f"pgbench did only {len(done)} transactions from {clients} clients in {seconds * 9} s.")


def pgbench_once_each(script: Script, *, clients: int) -> None:
    """One transaction from every client: connecting and preparing, for the most part."""
    with tempfile.TemporaryDirectory(prefix="dougong-pgbench-") as folder:
        _Bench(script, folder=Path(folder), clients=clients, bound="--transactions=1").wait()


def pgbench_side_by_side(scripts: Sequence[Script], *, clients: int, transactions: int) -> list[Limit]:
    """Run several at once, each `transactions` times in all, but at least eight times from every client."""
    each = max(8, transactions // clients)
    with tempfile.TemporaryDirectory(prefix="dougong-pgbench-") as folder:
        places = [Path(folder) / str(place) for place in range(len(scripts))]
        for place in places:
            place.mkdir()
        running = [
            _Bench(script, folder=place, clients=clients, bound=f"--transactions={each}")
            for script, place in zip(scripts, places, strict=True)
        ]
        limits = [steady(bench.wait(), clients=clients) for bench in running]
    return [limit for limit in limits if limit is not None]


def psql(url: str, script: str, *, timeout: float = 300) -> float:
    """Seconds that psql takes for a script, with starting and connecting.

    Raises:
        RuntimeError: a statement failed.
    """
    begun = time.perf_counter()
    done = subprocess.run(
        [str(installation() / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"],
        env=_environment(url, _OPTIONS),
        input=script,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"psql failed: {done.stderr[-1000:]}")
    return time.perf_counter() - begun
