"""Following another service: its events take effect here exactly once, in order.

The place in the feed is stored in the same transaction as the effect. A page is applied in one transaction; when
that fails it is applied event by event, and an event that cannot be applied is parked with its error, where an
operator sees it and can retry it, while the others go on. Faults that pass by themselves are waited out, not parked.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from typing import Protocol
from uuid import UUID

import orjson
import psycopg
from prometheus_client import Counter, Gauge
from sqlalchemy import text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock
from shared.database import Sessions
from shared.errors import Unavailable
from shared.feed import START, Event
from shared.logs import log, told

Reaction = Callable[[AsyncSession, Sequence[Event]], Awaitable[None]]
"""Applies a run of consecutive events of one type in the session's transaction."""

APPLIED = Counter("dougong_events_applied_total", "Events applied", ["source"])
PARKED = Counter("dougong_events_parked_total", "Events parked with an error", ["source"])
LAG = Gauge("dougong_follower_lag_seconds", "How far behind the source this follower is", ["source"])

_PASSING = (InterfaceError, psycopg.InterfaceError, Unavailable, ConnectionError, TimeoutError)
_NOT_PASSING_STATES = ("57014", "54")
"""A statement that takes too long, or exceeds a limit, does so again: its event is parked, not waited for."""


def _passes(error: Exception) -> bool:
    """Whether a fault is one of the moment, not of the event."""
    if isinstance(error, OperationalError | psycopg.OperationalError):
        state = getattr(getattr(error, "orig", error), "sqlstate", None) or ""
        return not state.startswith(_NOT_PASSING_STATES)
    return isinstance(error, _PASSING)


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedPage:
    """One answer of a feed."""

    events: Sequence[Event]
    position: str
    as_of: datetime
    caught_up: bool


class FeedSource(Protocol):
    """Where pages come from: `shared.clients.feed.FeedClient`, or a list in a test."""

    async def page(self, *, after: str, limit: int, wait: float) -> FeedPage:
        """Raises Unavailable when the source does not answer."""
        ...


class Follower:
    """Applies one source's feed to this service."""

    def __init__(
        self,
        *,
        source: str,
        feed: FeedSource,
        sessions: Sessions,
        reactions: Mapping[str, Reaction],
        page_size: int = 500,
    ) -> None:
        self.source = source
        self._feed = feed
        self._sessions = sessions
        self._reactions = reactions
        self._page_size = page_size

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until told to stop; a source or database that is away is tried again with growing patience."""
        patience = 0.1
        while not stop.is_set():
            step = asyncio.ensure_future(self.step(wait=5))
            stopping = asyncio.ensure_future(stop.wait())
            await asyncio.wait({step, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if not step.done():
                step.cancel()
            try:
                await step
            except asyncio.CancelledError:
                return
            except Exception as error:  # noqa: BLE001 - a follower outlives every fault, and says so
                log.warning("feed_away", source=self.source, error=told(error))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), patience)
                patience = min(patience * 2, 10)
            else:
                patience = 0.1

    async def step(self, *, wait: float = 0) -> int:
        """Take one page and apply it; how many events it held."""
        async with self._sessions() as session, session.begin():
            after = await _position(session, self.source)
        page = await self._feed.page(after=after, limit=self._page_size, wait=wait)
        try:
            async with self._sessions() as session, session.begin():
                await self._move(session, after=after, page=page)
                await self._apply(session, page.events)
        except Exception as error:
            if _passes(error):
                raise
            log.warning("feed_page_failed", source=self.source, error=told(error))
            await self._apply_one_by_one(after=after, page=page)
        APPLIED.labels(self.source).inc(len(page.events))
        behind = page.as_of - (page.events[-1].time if page.events and not page.caught_up else page.as_of)
        LAG.labels(self.source).set(behind.total_seconds())
        return len(page.events)

    async def _move(self, session: AsyncSession, *, after: str, page: FeedPage) -> None:
        """Store the new place first: two followers of one source exclude each other here."""
        at = clock.now()
        moved = await session.execute(
            text(
                "INSERT INTO follower_cursors (source, position, caught_up_to, updated_at) "
                "VALUES (:source, :position, :caught_up_to, :at) "
                "ON CONFLICT (source) DO UPDATE SET position = excluded.position, "
                "caught_up_to = coalesce(excluded.caught_up_to, follower_cursors.caught_up_to), "
                "updated_at = excluded.updated_at "
                "WHERE follower_cursors.position = :after RETURNING 1"
            ),
            {
                "source": self.source,
                "position": page.position,
                "caught_up_to": page.as_of if page.caught_up else None,
                "at": at,
                "after": after,
            },
        )
        if moved.one_or_none() is None:
            raise Unavailable(f"Another follower of {self.source} has moved on from {after}.")

    async def _apply(self, session: AsyncSession, events: Sequence[Event]) -> None:
        for kind, run in groupby(events, key=lambda event: event.type):
            reaction = self._reactions.get(kind)
            if reaction is not None:
                await reaction(session, list(run))

    async def _apply_one_by_one(self, *, after: str, page: FeedPage) -> None:
        async with self._sessions() as session, session.begin():
            await self._move(session, after=after, page=page)
            for event in page.events:
                try:
                    async with session.begin_nested():
                        await self._apply(session, [event])
                except Exception as error:
                    if _passes(error):
                        raise
                    await _park(session, event, error)


async def _position(session: AsyncSession, source: str) -> str:
    position = await session.scalar(
        text("SELECT position FROM follower_cursors WHERE source = :source"), {"source": source}
    )
    return str(position or START)


def event_json(event: Event) -> str:
    """An event as it is kept while parked."""
    return orjson.dumps(asdict(event), default=dict).decode()


def event_from(stored: Mapping[str, object]) -> Event:
    """A parked event again."""
    fields = json.loads(orjson.dumps(stored))
    return Event(**{**fields, "id": UUID(fields["id"]), "time": datetime.fromisoformat(fields["time"])})


async def _park(session: AsyncSession, event: Event, error: Exception) -> None:
    PARKED.labels(event.source).inc()
    log.error("event_parked", source=event.source, event_id=str(event.id), type=event.type, exc_info=error)
    await session.execute(
        text(
            "INSERT INTO parked_events (source, event_id, type, subject, event, error, parked_at) "
            "VALUES (:source, :id, :type, :subject, CAST(:event AS jsonb), :error, :at) "
            "ON CONFLICT (source, event_id) DO UPDATE SET error = excluded.error, "
            "attempts = parked_events.attempts + 1, resolved_at = NULL, resolution = NULL"
        ),
        {
            "source": event.source,
            "id": event.id,
            "type": event.type,
            "subject": event.subject,
            "event": event_json(event),
            "error": told(error),
            "at": clock.now(),
        },
    )
