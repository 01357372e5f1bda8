"""The story of the README, told to the very processes that `make up` starts.

PostgreSQL, four services and four workers on free ports; the demonstration world; 20,000 rows synchronised; the list
of twenty materials ordered by the first contractor and answered by a supplier; a service killed, then everything
killed; a second start on the same data; a clean stop.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from infra.credentials import Credentials
from infra.instance import ROOT, Instance
from infra.postgres import Server
from infra.supervisor import end_leftovers
from tests.infra.conftest import free_port_base

pytestmark = pytest.mark.journey
BUYER = "buyer@gc-a.example"
OTHER_BUYER = "buyer@gc-b.example"
START_SECONDS_MAX = 150
STOP_SECONDS_MAX = 40
COMMAND_SECONDS_MAX = 300
"""Bounds for a machine that is busy with other things; a quiet one with two cores tells the story in a minute."""


def wait_for(condition: Callable[[], Any], *, seconds: float, what: str) -> Any:
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.1)


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Installation:
    """One installation: started, asked by the command line, stopped."""

    def __init__(self, folder: Path) -> None:
        self.instance = Instance(data_dir=folder / "installation", port_base=free_port_base())
        self.story = folder / "up.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.environment = os.environ | {
            "DOUGONG_DATA_DIR": str(self.instance.data_dir),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "COLUMNS": "200",
        }

    def start(self) -> float:
        """Seconds until it said that it is ready."""
        begun = time.monotonic()
        told = self.told().count("Ready after")
        with self.story.open("ab") as story:
            self.process = subprocess.Popen(
                [
                    sys.executable, "-m", "infra.up", "--port-base", str(self.instance.port_base),
                    "--data-dir", str(self.instance.data_dir),
                ],
                cwd=ROOT, env=self.environment, stdout=story, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

        def ready() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.told()
            return self.told().count("Ready after") > told

        wait_for(ready, seconds=START_SECONDS_MAX, what="the start")
        return time.monotonic() - begun

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(STOP_SECONDS_MAX)
        self.process = None
        return code

    def kill(self) -> None:
        """Kill the starter, then the database server, as a crash would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None
        os.kill(self.postmaster(), signal.SIGKILL)

    def postmaster(self) -> int:
        file = Server(self.instance.data_dir / "postgres").data / "postmaster.pid"
        return int(file.read_text().splitlines()[0])

    def told(self) -> str:
        return self.story.read_text(errors="replace") if self.story.exists() else ""

    def pids(self) -> dict[str, int]:
        return {entry["name"]: entry["pid"] for entry in json.loads(self.instance.processes_file.read_text())}

    def dougong(self, *arguments: str, exit_code: int = 0) -> Any:
        """What a command says for machines."""
        ran = subprocess.run(
            [sys.executable, "-m", "infra.cli", *arguments, "--json"],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False, timeout=COMMAND_SECONDS_MAX,
        )  # fmt: skip
        assert ran.returncode == exit_code, f"{arguments}: {ran.returncode}\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"
        return json.loads(ran.stdout)


@pytest.fixture
def installation() -> Iterator[Installation]:
    """In a folder that others may enter: started by root, the server runs as somebody else."""
    folder = Path(tempfile.mkdtemp(prefix="dougong-journey-"))
    folder.chmod(0o755)
    made = Installation(folder)
    try:
        yield made
    finally:
        if made.process is not None:
            made.process.send_signal(signal.SIGTERM)
            try:
                made.process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                made.process.kill()
        end_leftovers(made.instance.processes_file, say=print)
        Server(made.instance.data_dir / "postgres").stop()
        shutil.rmtree(folder, ignore_errors=True)


def the_story_of_the_readme(installation: Installation, folder: Path) -> None:
    installation.start()
    told = installation.told()
    for service in ("members", "catalog", "suppliers", "orders"):
        assert f"{installation.instance.address(service)}/{service}/docs" in told
    assert BUYER in told
    credentials = Credentials.load(installation.instance.credentials_file)
    assert next(iter(credentials.suppliers.values())).client_secret in told
    every_part_has_its_sign_in(installation, credentials, told)

    files = installation.dougong("demo-files", str(folder))
    synced = installation.dougong("suppliers", "sync", files["prices"], "--mode", "delta")
    assert synced["totals"] == {"accepted": 20_000, "unchanged": 0, "rejected": 0, "zeroed": 0}
    assert len(synced["suppliers"]) >= 10
    again = installation.dougong("suppliers", "sync", files["prices"], "--mode", "delta")
    assert again["totals"]["unchanged"] == 20_000

    sent = datetime.now(UTC)
    wait_for(lambda: caught_up(installation, since=sent), seconds=120, what="the search index")
    installation.dougong("login", BUYER)
    placed = installation.dougong("order", files["materials"], "--project", "BJ-2026-01", "--yes")
    assert sum(len(order["lines"]) for order in placed["placement"]["orders"]) == 20
    assert len(placed["placement"]["orders"]) >= 5
    repeated = installation.dougong("order", files["materials"], "--project", "BJ-2026-01", "--yes")
    assert repeated["placement"]["basket_id"] == placed["placement"]["basket_id"]

    orders = installation.dougong("orders", "list")
    assert {order["number"] for order in orders} == {order["number"] for order in placed["placement"]["orders"]}
    assert installation.dougong("orders", "list", "--as", OTHER_BUYER) == []
    steel = next(order for order in orders if order["supplier"]["tax_id"] == "91320500MA2DEMQ7X8")
    answered = installation.dougong("orders", "accept", steel["number"], "--as", "sales@steel.example")
    assert "cost_code" not in answered["lines"][0]
    shown = installation.dougong("orders", "show", steel["number"])
    assert shown["state"] == "CONFIRMED"
    assert {line["state"] for line in shown["lines"]} == {"CONFIRMED"}


def every_part_has_its_sign_in(installation: Installation, credentials: Credentials, told: str) -> None:
    """Two operators, two who may decide for the first contractor, and a supplier's admin: printed, and let in."""
    operators = [
        each.email for each in (credentials.operator, *credentials.people.values()) if each and "operator" in each.roles
    ]
    deciding = [
        each.email
        for each in credentials.people.values()
        if each.email.endswith("@gc-a.example") and "admin" in each.roles
    ]
    assert (len(operators), len(deciding)) == (2, 2)
    assert all(email in told for email in (*operators, *deciding, "admin@steel.example"))
    for email in operators:
        installation.dougong("suppliers", "queue", "--as", email)
    for email in deciding:
        installation.dougong("stages", "list", "--as", email)
        installation.dougong("blacklist", "list", "--as", email)
    for words in (("webhooks", "list"), ("consents", "list"), ("suppliers", "papers")):
        installation.dougong(*words, "--as", "admin@steel.example")


def caught_up(installation: Installation, *, since: datetime) -> bool:
    """Whether every follower has applied what had happened at that moment; who has nothing to do looks every 5 s."""
    ran = subprocess.run(
        [sys.executable, "-m", "infra.cli", "status", "--json"],
        cwd=ROOT, env=installation.environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    report = json.loads(ran.stdout)
    assert not report.get("parked_events"), report["parked_events"]
    feeds = report.get("feeds", [])
    looked = [feed["caught_up_to"] for feed in feeds]
    return bool(feeds) and all(at is not None and datetime.fromisoformat(at) >= since for at in looked)


def the_search_is_emptied_and_fills_itself_again(installation: Installation) -> None:
    before = found_by_the_buyer(installation)
    assert len(before) == 50
    emptied = datetime.now(UTC)
    assert installation.dougong("rebuild-search") == {"rebuilding": "search"}
    wait_for(lambda: caught_up(installation, since=emptied), seconds=120, what="the search index, again")
    assert found_by_the_buyer(installation) == before


def found_by_the_buyer(installation: Installation) -> list[tuple[str, int, str]]:
    """The cheapest variants, with how many offer them."""
    person = Credentials.load(installation.instance.credentials_file).people[BUYER]
    addresses = installation.instance.addresses
    signed_in = httpx.post(
        f"{addresses['members']}/members/sessions", json={"email": person.email, "password": person.password}
    ).json()
    answer = httpx.get(
        f"{addresses['catalog']}/catalog/search",
        params={"sort": "price", "limit": 50},
        headers={"Authorization": f"Bearer {signed_in['access_token']}"},
    )
    assert answer.status_code == 200, answer.text
    return [(hit["variant"]["key"], hit["offers_count"], hit["price_from"]) for hit in answer.json()["items"]]


def a_service_that_is_killed_comes_back_and_knows_everything(installation: Installation) -> None:
    first = installation.pids()["orders"]
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: installation.pids().get("orders") not in {None, first}, seconds=20, what="a new process")

    def ready() -> bool:
        try:
            return httpx.get(f"{installation.instance.address('orders')}/health/ready", timeout=2).is_success
        except httpx.TransportError:
            return False

    wait_for(ready, seconds=30, what="orders")
    assert "orders was ended by SIGKILL; starting it again" in installation.told()
    assert installation.dougong("orders", "list")


def after_everything_was_killed_a_second_start_finds_it_all_again(installation: Installation) -> None:
    """The starter and the database server are killed without a word; services and workers are left to themselves."""
    credentials = installation.instance.credentials_file.read_bytes()
    orders = installation.dougong("orders", "list")
    left = set(installation.pids().values())
    installation.kill()
    installation.start()
    assert not [pid for pid in left if runs(pid)]
    assert installation.instance.credentials_file.read_bytes() == credentials
    assert installation.dougong("orders", "list") == orders


def ctrl_c_stops_every_process_and_the_database(installation: Installation) -> None:
    pids = set(installation.pids().values())
    pids |= {child.pid for pid in pids for child in psutil.Process(pid).children(recursive=True)}
    pids.add(installation.postmaster())
    assert installation.stop() == 0
    wait_for(lambda: not any(runs(pid) for pid in pids), seconds=10, what="the last process to go")
    assert not installation.instance.processes_file.exists()
    assert installation.told().rstrip().endswith("Stopped.")


def test_what_make_up_starts_tells_the_whole_story_and_survives_being_killed(
    installation: Installation, tmp_path: Path
):
    """One test of five chapters: each goes on where the one before ended."""
    the_story_of_the_readme(installation, tmp_path)
    the_search_is_emptied_and_fills_itself_again(installation)
    a_service_that_is_killed_comes_back_and_knows_everything(installation)
    after_everything_was_killed_a_second_start_finds_it_all_again(installation)
    ctrl_c_stops_every_process_and_the_database(installation)
