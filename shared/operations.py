"""What an operator sees of a service's followers, and can do about a parked event."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.fields import Answer, Body, Name
from shared.database import SystemSession
from shared.errors import Conflict, NotFound, refusals
from shared.follower import Reaction, event_from
from shared.http import Now
from shared.http import router as house_router
from shared.identity import Operator
from shared.logs import told
from shared.paging import PageQuery


class NoSuchParkedEvent(NotFound):
    """No parked event has this id."""


class EventStillFails(Conflict):
    """The event was tried again and still cannot be applied; `detail` says why."""


class Dismissal(Body):
    """Why an event is put aside."""

    reason: Name = Field(examples=["Order PO-2026-000123 was cancelled by telephone."])


class FollowerView(Answer):
    """Where this service stands in another's feed."""

    source: str
    position: str
    caught_up_to: datetime | None
    lag_seconds: float | None
    parked: int


class ParkedEventView(Answer):
    """An event that could not be applied, and why."""

    source: str
    event_id: UUID
    type: str
    subject: str
    error: str
    attempts: int
    parked_at: datetime


def operations_router(service: str, *, reactions: Mapping[str, Mapping[str, Reaction]]) -> APIRouter:
    """The operators' pages of one service; `reactions` by source, as its worker follows them."""
    router = house_router(f"/{service}/operations", tag="operations")

    @router.get("/followers", summary="Feeds this service follows, and how far behind it is")
    async def followers(_: Operator, session: SystemSession, now: Now) -> list[FollowerView]:
        rows = await session.execute(
            text(
                "SELECT c.source, c.position, c.caught_up_to, count(p.event_id) AS parked "
                "FROM follower_cursors c "
                "LEFT JOIN parked_events p ON p.source = c.source AND p.resolved_at IS NULL "
                "GROUP BY c.source ORDER BY c.source"
            )
        )
        return [
            FollowerView(
                source=row.source,
                position=row.position,
                caught_up_to=row.caught_up_to,
                lag_seconds=None
                if row.caught_up_to is None
                else max(0.0, round((now - row.caught_up_to).total_seconds(), 3)),
                parked=row.parked,
            )
            for row in rows
        ]

    @router.get("/parked-events", summary="Events that could not be applied")
    async def parked_events(
        _: Operator, session: SystemSession, paging: PageQuery, response: Response
    ) -> list[ParkedEventView]:
        after = paging.after_as(UUID)
        rows = await session.execute(
            text(
                "SELECT source, event_id, type, subject, error, attempts, parked_at FROM parked_events "
                "WHERE resolved_at IS NULL AND (CAST(:after AS uuid) IS NULL OR event_id > CAST(:after AS uuid)) "
                "ORDER BY event_id LIMIT :limit"
            ),
            {"after": after[0] if after else None, "limit": paging.limit + 1},
        )
        shown = paging.page(rows.all(), response, key=lambda row: [row.event_id])
        return [ParkedEventView.model_validate(row) for row in shown]

    _add_retry(router, reactions)
    _add_dismissal(router)
    return router


async def _parked(session: AsyncSession, event_id: UUID) -> Any:
    found = await session.execute(
        text("SELECT source, event FROM parked_events WHERE event_id = :id AND resolved_at IS NULL FOR UPDATE"),
        {"id": event_id},
    )
    row = found.one_or_none()
    if row is None:
        raise NoSuchParkedEvent(f"No parked event has the id {event_id}.")
    return row


async def _resolve(session: AsyncSession, event_id: UUID, *, resolution: str, at: datetime) -> None:
    await session.execute(
        text("UPDATE parked_events SET resolved_at = :at, resolution = :resolution WHERE event_id = :id"),
        {"at": at, "resolution": resolution, "id": event_id},
    )


def _add_retry(router: APIRouter, reactions: Mapping[str, Mapping[str, Reaction]]) -> None:
    @router.post(
        "/parked-events/{event_id}/retry",
        summary="Apply a parked event again",
        status_code=204,
        responses=refusals(NoSuchParkedEvent, EventStillFails),
    )
    async def retry(event_id: UUID, caller: Operator, session: SystemSession, now: Now) -> None:
        row = await _parked(session, event_id)
        event = event_from(row.event)
        reaction = reactions.get(row.source, {}).get(event.type)
        try:
            if reaction is not None:
                async with session.begin_nested():
                    await reaction(session, [event])
        except Exception as error:
            raise EventStillFails(told(error)) from error
        await _resolve(session, event_id, resolution=f"applied by {caller.subject}", at=now)


def _add_dismissal(router: APIRouter) -> None:
    @router.post(
        "/parked-events/{event_id}/dismissal",
        summary="Put a parked event aside for good",
        status_code=204,
        responses=refusals(NoSuchParkedEvent),
    )
    async def dismiss(event_id: UUID, body: Dismissal, caller: Operator, session: SystemSession, now: Now) -> None:
        """For an event that can never apply and whose matter was settled by people; the reason is kept."""
        await _parked(session, event_id)
        await _resolve(session, event_id, resolution=f"dismissed by {caller.subject}: {body.reason}", at=now)
