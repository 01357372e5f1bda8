"""The product under test: a private instance in a folder of its own, on free ports, ended and removed afterwards."""

import asyncio
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from benchmarks.machine import processor_seconds
from infra.api import Api
from infra.credentials import Credentials
from infra.databases import Databases, migrate, open_databases
from infra.foundation import complete, lay_foundation
from infra.instance import CannotStart, Instance
from infra.postgres import ServiceUrls
from infra.supervisor import Child, Supervisor
from infra.up import processes
from shared import clock

Say = Callable[[str], None]
_PORTS = range(20_000, 32_000, 10)
"""Below those that the system hands out to clients: a port must stay ours while a service is restarted."""
_FOLLOWING = ("catalog worker", "suppliers worker")
"""Workers that a benchmark stops and starts by themselves."""


@dataclass(frozen=True, kw_only=True)
class Product:
    """A running instance."""

    instance: Instance
    databases: Databases
    credentials: Credentials
    services: Supervisor
    workers: dict[str, Supervisor]
    """Those of `_FOLLOWING`, each alone."""
    api: Api
    say: Say
    resting: set[str] = field(default_factory=set)
    """Workers that were stopped on purpose."""

    @property
    def folder(self) -> Path:
        """A place for files; it goes with the instance."""
        return self.instance.data_dir

    @property
    def admin_url(self) -> str:
        """As superuser: settings, checkpoints, copies."""
        return self.databases.admin_url

    def admin_of(self, database: str) -> str:
        """The superuser's way into a database."""
        return _other(self.admin_url, database)

    def urls(self, service: str) -> ServiceUrls:
        """A service's database."""
        return self.databases.urls[service]

    def limit_urls(self, service: str) -> ServiceUrls:
        """The copy of a service's database that the limit is measured in (`copy_for_limit`)."""
        urls = self.urls(service)
        owner, app, worker = (_other(url, f"{service}_limit") for url in (urls.owner, urls.app, urls.worker))
        return ServiceUrls(owner=owner, app=app, worker=worker)

    def process_ids(self, *names: str) -> list[int]:
        """Of the children of these names, those that run."""
        children = [*self.services.children, *(child for one in self.workers.values() for child in one.children)]
        return [child.process.pid for child in children if child.name in names and child.process is not None]

    def start(self) -> None:
        """Start all processes and wait until they answer."""
        for supervisor in (self.services, *self.workers.values()):
            supervisor.start()
        self.services.wait_ready()

    def stop(self) -> None:
        """Stop all processes; the database goes on."""
        for supervisor in (*self.workers.values(), self.services):
            supervisor.stop()

    def rest(self, worker: str) -> None:
        """Stop one worker."""
        self.resting.add(worker)
        self.workers[worker].stop()

    def wake(self, worker: str) -> None:
        """Start it again."""
        self.workers[worker].start()
        self.resting.discard(worker)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing of ours runs inside the block."""
        self.stop()
        yield
        self.start()

    def processor_seconds(self) -> dict[str, float]:
        """Processor time so far, by kind of process."""
        assert self.databases.server is not None
        postmaster = int((self.databases.server.data / "postmaster.pid").read_text().split()[0])
        everyone = [child.name for child in self.services.children] + list(self.workers)
        others = [name for name in everyone if name not in {"orders", "suppliers"}]
        return {
            "orders": processor_seconds(self.process_ids("orders")),
            "suppliers": processor_seconds(self.process_ids("suppliers")),
            "others": processor_seconds(self.process_ids(*others)),
            "PostgreSQL": processor_seconds([postmaster]),
        }

    def copy_for_limit(self, service: str) -> None:
        """Copy a service's database as it is now; only while paused, for nobody may be connected to it."""
        copy = sql.Identifier(f"{service}_limit")
        with psycopg.connect(self.admin_url, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(copy))
            admin.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY file_copy").format(
                    copy, sql.Identifier(service), sql.Identifier(f"{service}_owner")
                )
            )

    def settle(self, *tables: tuple[str, str]) -> None:
        """Vacuum `(database, table)` and checkpoint, so that no run pays for the one before it."""
        for database, table in tables:
            with psycopg.connect(self.admin_of(database), autocommit=True) as connection:
                connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(table)))
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")

    def check_alive(self) -> None:
        """Raises RuntimeError when a process has died: its figures would be those of a broken product."""
        awake = (worker for name, worker in self.workers.items() if name not in self.resting)
        for one in (self.services, *awake):
            for child in one.children:
                if not child.alive:
                    raise RuntimeError(f"{child.name} has died: {child.last_words()} ({child.log})")


def _other(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def _free_instance(folder: Path) -> Instance:
    """An instance on four free ports.

    Raises:
        CannotStart: none found.
    """
    for base in random.sample(_PORTS, 20):
        instance = Instance(data_dir=folder, port_base=base)
        try:
            instance.check_ports()
        except CannotStart:
            continue
        return instance
    raise CannotStart("Twenty places were tried and everywhere a port is taken.")


_OBSERVED = {
    "track_commit_timestamp": "on",
    "logging_collector": "on",
    "log_destination": "jsonlog",
    "log_directory": "statements",
    "log_filename": "log",
    "log_rotation_size": "0",
    "log_rotation_age": "0",
}


def _make_observable(databases: Databases) -> None:
    """Let the server remember when each transaction committed (`following` asks for it), and keep its log as data

    (`capture` reads it). Statements are logged only while captured.
    """
    with psycopg.connect(databases.admin_url, autocommit=True) as admin:
        for name, value in _OBSERVED.items():
            admin.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
    assert databases.server is not None
    databases.server.stop()
    databases.server.start()


@contextmanager
def running_product(*, say: Say) -> Iterator[Product]:
    """Start everything, hand it over, stop everything and remove the folder.

    Raises:
        CannotStart: with the one sentence to print.
    """
    folder = Path(tempfile.mkdtemp(prefix="dougong-bench-"))
    folder.chmod(0o755)  # the server may run as another user
    databases: Databases | None = None
    running: Product | None = None
    try:
        instance = _free_instance(folder)
        credentials = Credentials(addresses=instance.addresses)
        complete(credentials, environment={})
        databases = open_databases(folder, environment={})
        _make_observable(databases)
        migrate(databases.urls, say=say)
        asyncio.run(lay_foundation(databases, credentials, at=clock.now(), say=say))
        services, workers = _supervisors(processes(instance, databases, credentials), folder=folder, say=say)
        running = Product(
            instance=instance,
            databases=databases,
            credentials=credentials,
            services=services,
            workers=workers,
            api=Api(instance.addresses),
            say=say,
        )
        running.start()
        yield running
    finally:
        say("Stopping …")
        if running is not None:
            running.stop()
        if databases is not None:
            databases.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _supervisors(children: Sequence[Child], *, folder: Path, say: Say) -> tuple[Supervisor, dict[str, Supervisor]]:
    services = Supervisor(
        [child for child in children if child.name not in _FOLLOWING], register=folder / "processes.json", say=say
    )
    workers = {
        child.name: Supervisor([child], register=folder / f"{child.name.replace(' ', '-')}.json", say=say)
        for child in children
        if child.name in _FOLLOWING
    }
    return services, workers


def wait_until(reached: Callable[[], bool], *, what: str, timeout: float, every: float = 0.05) -> float:
    """Seconds until it is so.

    Raises:
        TimeoutError: it is not so in time.
    """
    begun = time.monotonic()
    while not reached():
        if time.monotonic() - begun > timeout:
            raise TimeoutError(f"Not after {timeout:.0f} s: {what}.")
        time.sleep(every)
    return time.monotonic() - begun
