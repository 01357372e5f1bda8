"""Starts everything on this machine: `python -m infra.up`, or `make up`.

PostgreSQL, migrations, taxonomy, the four services and their workers as processes of their own, the demonstration
world; then it prints where things are, watches the processes, and stops them in order on Ctrl-C or SIGTERM.
"""

import argparse
import asyncio
import json
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from types import FrameType

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from infra.api import Api, Refused, Unreachable
from infra.commands.console import ExitCode
from infra.credentials import Credentials
from infra.databases import Databases, migrate, open_databases
from infra.foundation import complete, lay_foundation
from infra.instance import DATA_DIR, PORT_BASE, SERVICES, WORKERS, CannotStart, Instance, exclusively
from infra.seed.seeding import seed_demo_world
from infra.supervisor import Child, Supervisor, end_leftovers
from shared import clock


def processes(instance: Instance, databases: Databases, credentials: Credentials) -> list[Child]:
    """The services and their workers, as children to start."""
    children = []
    for service in SERVICES:
        known = credentials.services.get(service)
        client = (known.client_id, known.client_secret) if known else None
        environment = instance.environment(service, databases.urls[service], client=client)
        children.append(
            Child(
                name=service,
                command=instance.serve_command(service),
                environment=environment,
                log=instance.logs / f"{service}.log",
                health=f"{instance.address(service)}/health/ready",
            )
        )
        if service in WORKERS:
            children.append(
                Child(
                    name=f"{service} worker",
                    command=instance.work_command(service),
                    environment=environment,
                    log=instance.logs / f"{service}-worker.log",
                )
            )
    return children


_WIDTH = 112
"""A secret stands on one line, to be copied, however narrow the terminal."""


class Stop:
    """The wish to stop: breaks off the start, ends the watch, and does not disturb the stopping itself."""

    def __init__(self) -> None:
        self.wished = Event()
        self.watching = False

    def on_signal(self, _number: int, _frame: FrameType | None) -> None:
        """A second Ctrl-C changes nothing: it must not leave processes behind."""
        if not self.wished.is_set():
            self.wished.set()
            if not self.watching:
                raise KeyboardInterrupt


def run(instance: Instance, *, demo: bool, stop: Stop, console: Console) -> int:
    """Start, watch until `stop`, stop. Answers the exit code.

    Raises:
        CannotStart: with the one sentence to print.
    """
    begun = time.monotonic()
    say: Callable[[str], None] = console.print
    with exclusively(instance):
        end_leftovers(instance.processes_file, say=say)
        instance.check_ports()
        credentials = Credentials.load(instance.credentials_file)
        complete(credentials)
        credentials.addresses = instance.addresses
        credentials.save(instance.credentials_file)
        say("Starting PostgreSQL …")
        databases = open_databases(instance.data_dir)
        supervisor = None
        try:
            migrate(databases.urls, say=say)
            children = processes(instance, databases, credentials)
            supervisor = Supervisor(children, register=instance.processes_file, say=say)
            say(f"Starting {len(children)} processes …")
            supervisor.start()
            asyncio.run(lay_foundation(databases, credentials, at=clock.now(), say=say))  # while they start
            supervisor.wait_ready()
            if demo:
                _seed(instance, credentials, say=say)
            announce(instance, credentials, console=console)
            say(f"Ready after {time.monotonic() - begun:.1f} s. Ctrl-C stops everything.")
            stop.watching = True
            given_up = supervisor.watch(stop.wished)
        finally:
            say("Stopping …")
            if supervisor is not None:
                supervisor.stop()
            databases.stop()
            say("Stopped.")
    return ExitCode.PARTLY if given_up else ExitCode.DONE


def _seed(instance: Instance, credentials: Credentials, *, say: Callable[[str], None]) -> None:
    api = Api(instance.addresses)
    try:
        seed_demo_world(api, credentials, save=lambda: credentials.save(instance.credentials_file), say=say)
    except (Refused, Unreachable) as problem:
        if isinstance(problem, Refused) and problem.code == "SignInRefused":
            raise CannotStart(
                f"The database knows other passwords than {instance.credentials_file}: put that file back, "
                "or begin anew with `make clean`."
            ) from problem
        fields = "; ".join(f"{error.get('field')}: {error.get('message')}" for error in getattr(problem, "errors", []))
        raise CannotStart(f"The demonstration world cannot be made: {problem} {fields}".rstrip()) from problem
    finally:
        api.close()


def announce(instance: Instance, credentials: Credentials, *, console: Console) -> None:
    """Addresses, sign-ins and keys; on a silenced console one JSON document that says where they are."""
    if console.quiet:
        places = {
            "addresses": instance.addresses,
            "credentials": str(instance.credentials_file),
            "logs": str(instance.logs),
        }
        print(json.dumps(places), flush=True)
        return
    wide = Console(file=console.file, highlight=False, width=max(console.width, _WIDTH))
    people = [*([credentials.operator] if credentials.operator else []), *credentials.people.values()]
    _print_table(
        wide,
        ("service", "address", "documentation"),
        [(name, address, f"{address}/{name}/docs") for name, address in instance.addresses.items()],
    )
    _print_table(
        wide,
        ("sign-in", "password", "roles", "company"),
        [(person.email, person.password, ", ".join(person.roles), person.company) for person in people],
    )
    if credentials.suppliers:
        _print_table(
            wide,
            ("API key of", "client id", "secret"),
            [(key.name, key.client_id, key.client_secret) for key in credentials.suppliers.values()],
        )
    console.print(f"All of it is in {instance.credentials_file}; logs are in {instance.logs}/.")


def _print_table(console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(*columns, box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.up", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--port-base", type=int, default=PORT_BASE, help="members answers on this + 1, orders on + 4")
    parser.add_argument("--data-dir", type=Path, default=DATA_DIR, help="folder of database, keys and logs")
    parser.add_argument("--service-workers", type=int, default=1, help="server processes per service")
    parser.add_argument("--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
    parser.add_argument("--json", action="store_true", help="when ready one JSON document, and nothing else")
    parser.add_argument("--without-demo", action="store_true", help="no demonstration world")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run until a signal; answers the exit code."""
    chosen = _parse(arguments)
    instance = Instance(
        data_dir=chosen.data_dir,
        port_base=chosen.port_base,
        service_workers=chosen.service_workers,
        log_level=chosen.log_level,
    )
    stop = Stop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop.on_signal)
    console = Console(quiet=chosen.json, highlight=False, soft_wrap=not sys.stdout.isatty())
    try:
        return run(instance, demo=not chosen.without_demo, stop=stop, console=console)
    except CannotStart as problem:
        print(f"Dougong cannot start: {problem}", file=sys.stderr)
        return ExitCode.CANNOT_START
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
