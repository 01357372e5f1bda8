"""Starts the processes, watches them, stops them: each in a group of its own, known by its id."""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import httpx
import psutil

from infra.instance import ROOT, CannotStart

GRACE_SECONDS = 15.0
STEADY_SECONDS = 60.0
"""A process that ran so long before it died may be started once more."""
_LOG_LIMIT_BYTES = 20_000_000
_TAIL_LINES = 60
_PR_SET_PDEATHSIG = 1


@dataclass(kw_only=True)
class Child:
    """One process of ours."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    log: Path
    health: str | None = None
    """The address that answers 200 once it can work."""
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    log_begins: int = 0
    """Where in the log this start began."""
    restarts: int = 0
    given_up: bool = False

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def last_words(self, lines: int = 3) -> str:
        """What it said last since it was started, complaints before the server's own progress notes."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as stream:
            stream.seek(self.log_begins)
            said = [line.decode(errors="replace").strip() for line in deque(stream, _TAIL_LINES)]
        told = [line for line in said if line and not line.startswith("[INFO]")] or [line for line in said if line]
        return " / ".join(told[-lines:])


class Supervisor:
    """The processes of one installation. `say` tells the person at the terminal."""

    def __init__(self, children: Sequence[Child], *, register: Path, say: Callable[[str], None]) -> None:
        self.children = list(children)
        self._register = register
        self._say = say

    def start(self) -> None:
        """Start every child and note its process id, so that a later run can find what a killed one left."""
        for child in self.children:
            self._launch(child)

    def _launch(self, child: Child) -> None:
        child.log.parent.mkdir(parents=True, exist_ok=True)
        if child.log.exists() and child.log.stat().st_size > _LOG_LIMIT_BYTES:
            child.log.replace(child.log.with_suffix(".log.1"))
        with child.log.open("ab") as log:
            child.log_begins = log.tell()
            child.process = subprocess.Popen(
                list(child.command),
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - it calls into the kernel and takes no lock
                env={**os.environ, **child.environment},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches this process alone, which then stops them in order
            )
        child.started_at = time.monotonic()
        self._note()

    def _note(self) -> None:
        known = []
        for child in self.children:
            if child.process is not None and child.alive:
                try:
                    born = psutil.Process(child.process.pid).create_time()
                except psutil.Error:
                    continue
                known.append({"name": child.name, "pid": child.process.pid, "born": born})
        whole = self._register.with_suffix(".new")
        whole.write_text(json.dumps(known))
        whole.replace(self._register)  # who reads it meets the old list or the new one, never half of one

    def wait_ready(self, *, timeout: float = 90.0) -> None:
        """Return when every child that has a health address answers there.

        Raises:
            CannotStart: one died or stays silent; with the end of its log.
        """
        deadline = time.monotonic() + timeout
        waiting = [child for child in self.children if child.health]
        with httpx.Client(timeout=2.0, trust_env=False) as client:
            while waiting:
                for child in self.children:
                    if not child.alive:
                        raise CannotStart(
                            f"{child.name} ended while starting: {child.last_words()} (all of it: {child.log})"
                        )
                if time.monotonic() > deadline:
                    names = ", ".join(child.name for child in waiting)
                    raise CannotStart(f"Not ready after {timeout:.0f} s: {names}. Logs: {waiting[0].log.parent}")
                waiting = [child for child in waiting if not _answers(client, str(child.health))]
                if waiting:
                    time.sleep(0.1)

    def watch(self, stop: Event) -> int:
        """Until told to stop, restart a child that dies once; answers how many were given up."""
        while not stop.wait(0.5):
            for child in self.children:
                if not child.alive and not child.given_up:
                    self._died(child)
        return sum(child.given_up for child in self.children)

    def _died(self, child: Child) -> None:
        assert child.process is not None  # noqa: S101
        how = _ending(child.process.returncode)
        _end_group(child.process.pid, signal.SIGKILL)  # a server's own workers may outlive it and hold the port
        steady = time.monotonic() - child.started_at > STEADY_SECONDS
        if child.restarts and not steady:
            child.given_up = True
            self._say(f"{child.name} {how} again and stays down: {child.last_words(1)} (log: {child.log})")
            self._note()
            return
        child.restarts += 1
        self._say(f"{child.name} {how}; starting it again (log: {child.log}).")
        self._launch(child)

    def stop(self) -> None:
        """Ask all to end, wait, end by force what is left."""
        for child in reversed(self.children):
            if child.process is not None and child.alive:
                child.process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for child in self.children:
            if child.process is None:
                continue
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._say(f"{child.name} does not end by itself; ending it by force.")
            _end_group(child.process.pid, signal.SIGKILL)
            child.process.wait()
        self._register.unlink(missing_ok=True)


def _die_with_parent() -> None:
    """In the child: end when the starter is killed without a word (Linux; elsewhere the next run sees to it)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def end_leftovers(register: Path, *, say: Callable[[str], None]) -> None:
    """End what an earlier run left behind when it was killed; a number given to a newer process is left alone."""
    if not register.exists():
        return
    for entry in json.loads(register.read_text() or "[]"):
        try:
            process = psutil.Process(entry["pid"])
            if abs(process.create_time() - entry["born"]) > 1:
                continue
            say(f"Ending {entry['name']} (process {entry['pid']}), left by a run that was killed.")
            process.terminate()
            psutil.wait_procs([process], timeout=GRACE_SECONDS)
        except psutil.NoSuchProcess:
            pass
        _end_group(entry["pid"], signal.SIGKILL)
    register.unlink()


def _end_group(leader: int, how: signal.Signals) -> None:
    """Signal what still lives of a group that we opened (its id is its leader's)."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, how)


def _answers(client: httpx.Client, address: str) -> bool:
    try:
        return client.get(address).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
