"""The process beside each service: it follows feeds and does periodic work until it is told to stop."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from shared.follower import Follower
from shared.logs import log
from shared.memory import settle

Loop = Callable[[asyncio.Event], Awaitable[None]]
"""Something that runs until the event is set."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Periodic:
    """Work done again and again, each time in its own transaction."""

    name: str
    every_seconds: float
    do: Callable[[], Awaitable[object]]

    async def run(self, stop: asyncio.Event) -> None:
        """Do it until told to stop; a fault is logged and the next turn tried."""
        while not stop.is_set():
            try:
                await self.do()
            except Exception as error:  # noqa: BLE001 - the next turn may succeed; the log keeps the fault
                log.error("periodic_failed", work=self.name, exc_info=error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self.every_seconds)


async def run_worker(
    *,
    followers: Sequence[Follower] = (),
    periodic: Sequence[Periodic] = (),
    loops: Sequence[Loop] = (),
    closing: Sequence[Callable[[], Awaitable[None]]] = (),
) -> None:
    """Run everything until SIGTERM or SIGINT, then close in order."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    runs: list[Loop] = [*(each.run for each in followers), *(each.run for each in periodic), *loops]
    settle()
    log.info("worker_started", parts=len(runs))
    try:
        async with asyncio.TaskGroup() as group:
            for run in runs:
                group.create_task(_run(run, stop))
    finally:
        for close in closing:
            await close()
        log.info("worker_stopped")


async def _run(run: Loop, stop: asyncio.Event) -> None:
    await run(stop)
