"""On what it was measured: the machine, the versions, and how much memory our processes take."""

import os
import platform
import resource
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil
import psycopg

_PACKAGES = ("fastapi", "granian", "uvloop", "SQLAlchemy", "psycopg", "pydantic", "orjson", "aiohttp")
_SAMPLE_SECONDS = 0.1
_SETTINGS = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size")


def processor() -> str:
    """The processor's name as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def machine_facts(admin_url: str) -> dict[str, str]:
    """What a reader needs to judge the figures."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        settings = {name: str(admin.execute(f"SHOW {name}").fetchone()[0]) for name in _SETTINGS}  # type: ignore[index]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "machine": f"{cores} cores of {processor()}, {psutil.virtual_memory().total / 2**30:.0f} GiB, "
        f"{platform.system()} {platform.release()}; the load generator and PostgreSQL share these cores",
        "Python": f"{platform.python_version()}; " + ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
        "PostgreSQL": ", ".join(f"{name}={value}" for name, value in settings.items()),
    }


@dataclass(kw_only=True)
class Memory:
    """Resident memory of some processes together, in bytes."""

    before: int
    most: int = 0
    after: int = 0

    @property
    def grown(self) -> int:
        """How much more than before it ever was."""
        return self.most - self.before


def mebibytes(size: int) -> str:
    """As text."""
    return f"{size / 2**20:,.0f} MiB"


def resident(roots: Sequence[int]) -> int:
    """Resident bytes of these processes and all they started."""
    total = 0
    for root in roots:
        try:
            process = psutil.Process(root)
            family = [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
        for member in family:
            try:
                total += member.memory_info().rss
            except psutil.NoSuchProcess:
                continue
    return total


def processor_seconds(roots: Sequence[int]) -> float:
    """Processor time of these processes and all they started, also of those that have ended."""
    total = 0.0
    for root in roots:
        try:
            process = psutil.Process(root)
            family = [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
        for member in family:
            try:
                times = member.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system + times.children_user + times.children_system
    return total


def ended_programs_seconds() -> float:
    """Processor time of the programs that this process ran to their end."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextmanager
def watching(roots: Sequence[int]) -> Iterator[Memory]:
    """Sample the memory of these processes ten times a second while the block runs."""
    seen = Memory(before=resident(roots))
    stop = threading.Event()

    def sample() -> None:
        while not stop.wait(_SAMPLE_SECONDS):
            seen.most = max(seen.most, resident(roots))

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()
        seen.after = resident(roots)
        seen.most = max(seen.most, seen.after)
