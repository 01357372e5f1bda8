"""Starting, migrating, seeding, and the demonstration files.

What these need (SQLAlchemy, the services themselves) is imported when it is used: the other commands start without.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.commands.console import DataDir, JsonFlag, Out, failing_well
from infra.credentials import Credentials
from infra.instance import DATA_DIR, PORT_BASE, AlreadyRunning, Instance, exclusively
from shared import clock

if TYPE_CHECKING:
    from infra.databases import Databases

app = typer.Typer()
PortBase = Annotated[int, typer.Option("--port-base", help="members answers on this + 1, … orders on + 4.")]


@app.command()
def up(
    *,
    port_base: PortBase = PORT_BASE,
    data_dir: DataDir = DATA_DIR,
    service_workers: Annotated[int, typer.Option(help="Server processes per service.")] = 1,
    without_demo: Annotated[bool, typer.Option("--without-demo", help="No demonstration world.")] = False,
    json: JsonFlag = False,
) -> None:
    """Start everything on this machine; Ctrl-C stops it."""
    from infra import up as starting

    arguments = [f"--port-base={port_base}", f"--data-dir={data_dir}", f"--service-workers={service_workers}"]
    flags = {"--without-demo": without_demo, "--json": json}
    sys.exit(starting.main([*arguments, *(flag for flag, wanted in flags.items() if wanted)]))


@app.command()
def migrate(*, data_dir: DataDir = DATA_DIR, json: JsonFlag = False) -> None:
    """Create roles and databases that are missing and bring every schema to its newest version."""
    from infra import databases

    out = Out(json=json)
    with failing_well(out):
        with _opened(data_dir) as opened:
            databases.migrate(opened.urls, say=out.say)
        out.say("Every schema is at its newest version.")
        out.result({"migrated": list(opened.urls)})


@app.command(name="rebuild-search")
def rebuild_search(*, data_dir: DataDir = DATA_DIR, json: JsonFlag = False) -> None:
    """Empty the index of the search; the catalog's worker fills it again from what suppliers ever told.

    Until it has caught up (`dougong status`) the search finds less. Orders, prices and stock are not touched.
    """
    from services.catalog.search.jobs import rebuild_index
    from shared.database import Database

    async def emptied(url: str) -> None:
        database = Database(app_url=url, system_url=url, pool_size=1)
        await rebuild_index(database.system)
        await database.dispose()

    out = Out(json=json)
    with failing_well(out):
        with _opened(data_dir) as opened:
            asyncio.run(emptied(opened.urls["catalog"].worker))
        out.say("The index is empty; the running worker of the catalog fills it again.")
        out.result({"rebuilding": "search"})


@app.command()
def seed(
    *,
    without_demo: Annotated[
        bool, typer.Option("--without-demo", help="Only taxonomy, service clients and operator; needs no service.")
    ] = False,
    port_base: PortBase = PORT_BASE,
    data_dir: DataDir = DATA_DIR,
    json: JsonFlag = False,
) -> None:
    """Load the taxonomy, introduce services and operator; then tell the demonstration world to running services."""
    from infra import foundation
    from infra.seed.seeding import seed_demo_world

    out = Out(json=json)
    instance = Instance(data_dir=data_dir, port_base=port_base)
    with failing_well(out):
        credentials = Credentials.load(instance.credentials_file)
        if foundation.complete(credentials):
            credentials.save(instance.credentials_file)
        with _opened(data_dir) as opened:
            asyncio.run(foundation.lay_foundation(opened, credentials, at=clock.now(), say=out.say))
        if not without_demo:
            api = out.open(credentials.addresses or instance.addresses)
            seed_demo_world(api, credentials, save=lambda: credentials.save(instance.credentials_file), say=out.say)
        out.say("Seeded.")
        out.result({"seeded": ["foundation", *([] if without_demo else ["demonstration world"])]})


@app.command(name="demo-files")
def demo_files_(
    folder: Annotated[Path, typer.Argument(help="Where to write them.")],
    *,
    rows: Annotated[int, typer.Option(min=100, help="Rows of the price and stock file.")] = 20_000,
    json: JsonFlag = False,
) -> None:
    """Write a price and stock file of 20,000 rows from twelve suppliers, and a material list it can serve."""
    from infra.seed import demo_files

    out = Out(json=json)
    with failing_well(out):
        day = clock.business_date(clock.now())
        with out.console.status(f"Writing {rows} rows …"):
            written = demo_files.write_demo_files(folder, day=day, count=rows)
        for what, file in written.items():
            out.say(f"{what}: {file}")
        out.result({what: str(file) for what, file in written.items()})


@contextmanager
def _opened(data_dir: Path) -> "Iterator[Databases]":
    """The databases; the embedded server is stopped afterwards unless `dougong up` is running on it."""
    from infra import databases

    try:
        with exclusively(Instance(data_dir=data_dir)):
            opened = databases.open_databases(data_dir)
            try:
                yield opened
            finally:
                opened.stop()
    except AlreadyRunning:
        yield databases.open_databases(data_dir)
