"""The background work of webhooks: sending what is due, and forgetting what is old."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.members.webhooks import outbox
from services.members.webhooks.outbox import Claimed
from services.members.webhooks.sending import Sender
from shared import clock
from shared.database import Sessions, transaction
from shared.logs import log, told

_POLL_SECONDS = 1.0
_AFTER_A_FAULT_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Deliverer:
    """Sends what is due, some at once. Any number of workers may do it beside each other."""

    sessions: Sessions
    sender: Sender
    at_once: int = 16
    per_endpoint: int = 4
    failing_limit: timedelta = timedelta(days=5)
    now: Callable[[], datetime] = clock.now

    async def claim(self, *, limit: int) -> list[Claimed]:
        """Take what is due."""
        async with transaction(self.sessions) as session:
            return await outbox.claim(session, limit=limit, per_endpoint=self.per_endpoint, at=self.now())

    async def attempt(self, claimed: Claimed) -> None:
        """Send one delivery and record what became of it. No transaction is open while it is sent."""
        outcome = await self.sender.send(claimed, at=self.now())
        async with transaction(self.sessions) as session:
            status = await outbox.record(
                session,
                claimed=claimed,
                outcome=outcome,
                jitter_per_mille=secrets.randbelow(1000),
                failing_limit=self.failing_limit,
                at=self.now(),
            )
        log.info(
            "webhook_attempt",
            delivery_id=str(claimed.id),
            number=claimed.number,
            http_status=outcome.http_status,
            fault=outcome.fault,
            status=status,
        )

    async def round(self) -> int:
        """Send what is due now and wait for it; how many."""
        claimed = await self.claim(limit=self.at_once)
        await asyncio.gather(*(self.attempt(each) for each in claimed))
        return len(claimed)

    async def run(self, stop: asyncio.Event) -> None:
        """Keep sending until told to stop, then let what is under way finish."""
        running: set[asyncio.Task[None]] = set()
        stopping = asyncio.create_task(stop.wait())
        while not stop.is_set():
            pause = _POLL_SECONDS
            try:
                free = self.at_once - len(running)
                running |= {
                    asyncio.create_task(self.attempt(claimed))
                    for claimed in (await self.claim(limit=free) if free else ())
                }
            except Exception as error:  # noqa: BLE001 - the database may be away for a while; the log keeps why
                log.warning("webhooks_not_claimed", error=told(error))
                pause = _AFTER_A_FAULT_SECONDS
            done, _ = await asyncio.wait({stopping, *running}, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            for task in done & running:
                running.discard(task)
                if (fault := task.exception()) is not None:  # the lease ends by itself, and it is sent again
                    log.error("webhook_not_recorded", error=told(fault))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(outbox.LEASE.total_seconds()):
                await asyncio.gather(*running, return_exceptions=True)


async def forget_old(sessions: Sessions, *, kept: timedelta, at: datetime) -> int:
    """Remove deliveries older than `kept`; how many."""
    forgotten = 0
    while True:
        async with transaction(sessions) as session:
            some = await outbox.forget(session, before=at - kept)
        forgotten += some
        if not some:
            return forgotten
