"""The process beside each service: it goes on after a fault, and stops when told."""

import asyncio
import os
import signal

from shared.worker import Periodic, run_worker


async def test_a_worker_goes_on_after_a_fault_and_stops_on_sigterm():
    turns: list[str] = []
    closed: list[str] = []

    async def work() -> None:
        turns.append("turn")
        if len(turns) == 1:
            message = "the first turn fails"
            raise RuntimeError(message)
        if len(turns) == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    async def close() -> None:
        closed.append("closed")

    periodic = Periodic(name="work", every_seconds=0.01, do=work)
    # It begins by looking through all that the process holds, which is much here.
    await asyncio.wait_for(run_worker(periodic=[periodic], closing=[close]), 60)
    assert turns[:3] == ["turn"] * 3
    assert closed == ["closed"]
