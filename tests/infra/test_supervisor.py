"""Processes are started, watched, restarted once, and all gone afterwards; what stands in the way is one sentence."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from infra.instance import HOST, AlreadyRunning, CannotStart, Instance, exclusively
from infra.supervisor import Child, Supervisor, end_leftovers
from tests.infra.conftest import free_port_base

SLEEP = "import time; time.sleep(60)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
)


class Story:
    """What the person at the terminal was told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, line: str) -> None:
        self.lines.append(line)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def wait_for(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture
def create_supervisor(tmp_path: Path, story: Story) -> Iterator[Callable[..., Supervisor]]:
    made: list[Supervisor] = []

    def create(*programs: str, health: str | None = None) -> Supervisor:
        children = [
            Child(
                name=f"child {number}",
                command=[sys.executable, "-c", program],
                environment={},
                log=tmp_path / f"{number}.log",
                health=health,
            )
            for number, program in enumerate(programs)
        ]
        supervisor = Supervisor(children, register=tmp_path / "processes.json", say=story)
        made.append(supervisor)
        return supervisor

    yield create
    for supervisor in made:
        supervisor.stop()


def pid_of(child: Child) -> int:
    assert child.process is not None
    return child.process.pid


def test_all_processes_are_gone_after_stop_and_none_is_registered(create_supervisor, tmp_path):
    supervisor = create_supervisor(SLEEP, SLEEP)
    supervisor.start()
    pids = [pid_of(child) for child in supervisor.children]
    assert {entry["pid"] for entry in json.loads((tmp_path / "processes.json").read_text())} == set(pids)
    supervisor.stop()
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert not (tmp_path / "processes.json").exists()


def test_a_process_that_dies_is_started_again_and_the_second_death_is_told(create_supervisor, story):
    supervisor = create_supervisor(SLEEP, "print('no such table: prices'); raise SystemExit(3)")
    supervisor.start()
    healthy = pid_of(supervisor.children[0])
    stop, given_up = threading.Event(), []
    watching = threading.Thread(target=lambda: given_up.append(supervisor.watch(stop)))
    watching.start()
    try:
        wait_for(lambda: supervisor.children[1].given_up)
    finally:
        stop.set()
        watching.join()
    assert given_up == [1]
    assert "child 1 ended with exit code 3; starting it again" in story.text
    assert "child 1 ended with exit code 3 again and stays down: no such table: prices" in story.text
    assert pid_of(supervisor.children[0]) == healthy


def test_a_killed_process_comes_back_under_another_number(create_supervisor, story):
    supervisor = create_supervisor(SLEEP)
    supervisor.start()
    first = pid_of(supervisor.children[0])
    stop = threading.Event()
    watching = threading.Thread(target=supervisor.watch, args=(stop,))
    watching.start()
    try:
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: supervisor.children[0].alive and pid_of(supervisor.children[0]) != first)
    finally:
        stop.set()
        watching.join()
    assert "was ended by SIGKILL; starting it again" in story.text


def test_a_process_that_ends_while_starting_is_reported_with_its_last_words(create_supervisor):
    supervisor = create_supervisor("raise SystemExit('settings are missing')", health="http://127.0.0.1:9/health/ready")
    supervisor.start()
    with pytest.raises(CannotStart, match="child 0 ended while starting: settings are missing"):
        supervisor.wait_ready(timeout=20)


def test_what_a_killed_run_left_is_ended_and_a_reused_number_is_left_alone(tmp_path, story):
    left = subprocess.Popen([sys.executable, "-c", SLEEP], start_new_session=True)
    stranger = subprocess.Popen([sys.executable, "-c", SLEEP], start_new_session=True)
    register = tmp_path / "processes.json"
    try:
        born = psutil.Process(left.pid).create_time()
        register.write_text(
            json.dumps(
                [
                    {"name": "orders", "pid": left.pid, "born": born},
                    {"name": "catalog", "pid": stranger.pid, "born": born - 3600},
                ]
            )
        )
        end_leftovers(register, say=story)
        left.wait(5)
        assert stranger.poll() is None
        assert "Ending orders" in story.text
        assert not register.exists()
    finally:
        for process in (left, stranger):
            process.kill()
            process.wait()


def test_a_taken_port_is_one_sentence_with_the_way_out():
    instance = Instance(port_base=free_port_base())
    port = instance.port("suppliers")
    with socket.socket() as taken:
        taken.bind((HOST, port))
        taken.listen()
        with pytest.raises(
            CannotStart, match=rf"^Port {port}, meant for suppliers, is taken.*--port-base \d+"
        ) as caught:
            instance.check_ports()
    assert "\n" not in str(caught.value)


def test_two_runs_from_one_folder_are_refused(tmp_path):
    instance = Instance(data_dir=tmp_path)
    with (
        exclusively(instance),
        pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"),
        exclusively(instance),
    ):
        pass
    with exclusively(instance):
        pass
