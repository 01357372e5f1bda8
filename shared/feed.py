"""Events: published as rows of the business transaction, served as an HTTP feed (CloudEvents 1.0 in batches).

Order must not skip an event whose transaction commits late. So events are ordered by (transaction id, sequence)
and served only below the oldest transaction still running (`pg_snapshot_xmin`): whatever a follower has passed
can never appear behind it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.database import Database
from shared.errors import Unprocessable, refusals
from shared.http import router as house_router
from shared.identity import FeedReader
from shared.ids import new_id

START = "0-0"
BATCH_MEDIA_TYPE = "application/cloudevents-batch+json"
_POLL_SECONDS = 0.05


class PositionInvalid(Unprocessable):
    """`after` is not a position of this feed; take it from Feed-Position, or 0-0 for the beginning."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One fact of another service, as its feed tells it."""

    id: UUID
    source: str
    type: str
    subject: str
    time: datetime
    data: Mapping[str, Any]
    position: str


def event_type(service: str, what: str) -> str:
    """The CloudEvents type of a fact: `dev.dougong.<service>.<noun>.<past-verb>.v1`."""
    return f"dev.dougong.{service}.{what}.v1"


async def publish(
    session: AsyncSession,
    *,
    type: str,  # noqa: A002 - the CloudEvents name
    subject: str,
    data: BaseModel | Mapping[str, Any],
    at: datetime,
    company_id: UUID | None = None,
) -> None:
    """Write an event into the caller's transaction: it happened exactly when that commits."""
    body = data.model_dump(mode="json") if isinstance(data, BaseModel) else data
    await session.execute(
        text(
            "INSERT INTO events (id, type, subject, company_id, time, data) "
            "VALUES (:id, :type, :subject, :company_id, :time, CAST(:data AS jsonb))"
        ),
        {
            "id": new_id(),
            "type": type,
            "subject": subject,
            "company_id": company_id,
            "time": at,
            "data": orjson.dumps(body, default=str).decode(),
        },
    )


_PAGE = text(
    """
    SELECT txid::text || '-' || seq::text AS position, id, type, subject, time, data
    FROM events
    WHERE (txid, seq) > (CAST(CAST(:txid AS text) AS xid8), :seq)
      AND txid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY txid, seq
    LIMIT :limit
    """
)


_MORE = text("SELECT EXISTS (SELECT FROM events WHERE (txid, seq) > (CAST(CAST(:txid AS text) AS xid8), :seq))")


def parse_position(position: str) -> tuple[int, int]:
    """Raises PositionInvalid."""
    txid, _, seq = position.partition("-")
    if not (txid.isascii() and txid.isdigit() and seq.isascii() and seq.isdigit()):
        raise PositionInvalid(f"{position!r} is not a position of this feed.")
    numbers = (int(txid), int(seq))
    if max(numbers) >= 2**63:
        raise PositionInvalid(f"{position!r} is not a position of this feed.")
    return numbers


async def _page(database: Database, *, after: str, limit: int) -> tuple[Sequence[Any], datetime]:
    txid, seq = parse_position(after)
    async with database.system() as session, session.begin():
        # The clock is read before the page; see `_is_caught_up`.
        as_of = await session.scalar(text("SELECT clock_timestamp()"))
        rows = (await session.execute(_PAGE, {"txid": str(txid), "seq": seq, "limit": limit})).all()
    assert as_of is not None  # noqa: S101
    return rows, as_of


async def _is_caught_up(database: Database, *, at: str) -> bool:
    """Whether nothing is committed behind a position, so that a page read before now was complete as of its clock.

    A short page alone does not say so: an event that is committed stays back while any older transaction of the
    server still runs, and another service may rely on having seen it (a reservation must not expire then).
    """
    txid, seq = parse_position(at)
    async with database.system() as session, session.begin():
        return not await session.scalar(_MORE, {"txid": str(txid), "seq": seq})


_NEWEST = text(
    "SELECT txid::text AS txid, seq FROM events WHERE txid < pg_snapshot_xmin(pg_current_snapshot()) "
    "ORDER BY txid DESC, seq DESC LIMIT 1"
)


class _Newest:
    """Asks for all who wait, and cheaply: an idle service is asked by each of its followers all the time."""

    def __init__(self, database: Database) -> None:
        self._engine = database.system_engine
        self._asking: asyncio.Task[tuple[int, int]] | None = None

    async def next(self) -> tuple[int, int]:
        """The newest event that may be served, a moment from now."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)  # who waits goes away alone

    async def _ask(self) -> tuple[int, int]:
        await asyncio.sleep(_POLL_SECONDS)
        async with self._engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            row = (await connection.execute(_NEWEST)).one_or_none()
        return (0, 0) if row is None else (int(row.txid), int(row.seq))


def _newest_of(request: Request) -> _Newest:
    state = request.app.state
    if not hasattr(state, "newest_event"):
        state.newest_event = _Newest(state.database)
    found: _Newest = state.newest_event
    return found


def _cloud_event(service: str, row: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(row.id),
        "source": f"/{service}",
        "type": row.type,
        "subject": row.subject,
        "time": row.time.isoformat(),
        "datacontenttype": "application/json",
        "position": row.position,
        "data": row.data,
    }


def feed_router(service: str) -> APIRouter:
    """`GET /<service>/feed`: this service's events, for other services."""
    router = house_router(f"/{service}", tag="feed")

    @router.get(
        "/feed",
        summary="Follow this service's events",
        responses=refusals(PositionInvalid),
        openapi_extra={
            "responses": {"200": {"content": {BATCH_MEDIA_TYPE: {"schema": {"type": "array"}}}}},
        },
    )
    async def follow(
        request: Request,
        _: FeedReader,
        after: Annotated[str, Query(description="The last Feed-Position received; 0-0 from the start.")] = START,
        limit: Annotated[int, Query(ge=1, le=5000)] = 500,
        wait: Annotated[float, Query(ge=0, le=30, description="Seconds to wait for a first event.")] = 0,
    ) -> Response:
        """Events in order after a position, as a CloudEvents batch; waits up to `wait` seconds for the first.

        `Feed-Position` is where to go on; `Feed-Caught-Up: true` says that there was nothing more at `Feed-As-Of`.
        """
        database: Database = request.app.state.database
        deadline = asyncio.get_running_loop().time() + wait
        rows, as_of = await _page(database, after=after, limit=limit)
        if not rows and wait:
            newest, place = _newest_of(request), parse_position(after)
            while asyncio.get_running_loop().time() < deadline and await newest.next() <= place:
                pass
            rows, as_of = await _page(database, after=after, limit=limit)
        position = rows[-1].position if rows else after
        caught_up = len(rows) < limit and await _is_caught_up(database, at=position)
        return Response(
            orjson.dumps([_cloud_event(service, row) for row in rows]),
            media_type=BATCH_MEDIA_TYPE,
            headers={
                "Feed-Position": position,
                "Feed-As-Of": as_of.isoformat(),
                "Feed-Caught-Up": "true" if caught_up else "false",
            },
        )

    return router
