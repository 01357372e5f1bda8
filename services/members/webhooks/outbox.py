"""Taking deliveries that are due, and recording what became of them. At least once, never silently.

An attempt is written down before it is made, under a lease: a worker that is killed leaves a visible attempt without
outcome, and after the lease another sends again, with the same `webhook-id`. Who lost its lease changes nothing any
more but its own line in the log. Needs a system session: no company owns the queue.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.members.webhooks import rules
from services.members.webhooks.rules import DeliveryStatus, DisabledWhy, EndpointStatus
from shared.contracts.members import WebhookEndpointDisabled
from shared.feed import event_type, publish
from shared.ids import new_id

LEASE = timedelta(seconds=60)
"""Far beyond the few seconds an attempt may take: whoever holds it longer is dead."""

# Each endpoint gets its own few places, so that a slow one holds nobody else; which endpoints come first is chance,
# so that no neighbour in the order is always late.
_CLAIM = text(
    """
    WITH waiting AS MATERIALIZED (
        SELECT e.company_id, e.id FROM webhook_endpoints e
        WHERE e.status = 'ENABLED' AND EXISTS (
            SELECT FROM webhook_deliveries w
            WHERE w.company_id = e.company_id AND w.endpoint_id = e.id AND w.status = 'PENDING'
                AND w.next_attempt_at <= :at
        )
        ORDER BY random()
    ), due AS MATERIALIZED (
        SELECT d.company_id, d.id
        FROM waiting e
        CROSS JOIN LATERAL (
            SELECT w.company_id, w.id FROM webhook_deliveries w
            WHERE w.company_id = e.company_id AND w.endpoint_id = e.id AND w.status = 'PENDING'
                AND w.next_attempt_at <= :at
            ORDER BY w.next_attempt_at, w.id
            LIMIT greatest(0, :per_endpoint - (
                SELECT count(*) FROM webhook_deliveries r
                WHERE r.company_id = e.company_id AND r.endpoint_id = e.id AND r.status = 'PENDING'
                    AND r.lease IS NOT NULL AND r.next_attempt_at > :at
            ))
            FOR UPDATE SKIP LOCKED
        ) d
        LIMIT :limit
    ), claimed AS (
        UPDATE webhook_deliveries d
        SET lease = :lease, next_attempt_at = :until, attempts = d.attempts + 1, tries = d.tries + 1
        FROM due
        WHERE d.company_id = due.company_id AND d.id = due.id
        RETURNING d.*
    ), noted AS (
        INSERT INTO webhook_attempts (company_id, delivery_id, number, started_at)
        SELECT company_id, id, attempts, :at FROM claimed
    )
    SELECT c.company_id, c.id, c.endpoint_id, c.type, c.subject_id, c.path, c.told, c.occurred_at, c.attempts,
        c.tries, e.url, e.secret, CASE WHEN e.previous_secret_until > :at THEN e.previous_secret END AS previous_secret
    FROM claimed c JOIN webhook_endpoints e ON e.company_id = c.company_id AND e.id = c.endpoint_id
    """
)

_NOTE = text(
    """
    UPDATE webhook_attempts SET duration_ms = :ms, http_status = :http_status, fault = :fault, answer = :answer
    WHERE company_id = :company_id AND delivery_id = :id AND number = :number
    """
)

_SETTLE = text(
    """
    UPDATE webhook_deliveries
    SET status = :status, next_attempt_at = :next_attempt_at, lease = NULL,
        delivered_at = CASE :status WHEN 'DELIVERED' THEN CAST(:at AS timestamptz) ELSE delivered_at END
    WHERE company_id = :company_id AND id = :id AND lease = :lease
    RETURNING 1
    """
)

_ENDPOINT = text(
    "SELECT status, url, failing_since, last_delivered_at FROM webhook_endpoints "
    "WHERE company_id = :company_id AND id = :endpoint_id FOR UPDATE"
)
_SUCCEEDED = text(
    "UPDATE webhook_endpoints SET failing_since = NULL, last_delivered_at = :at "
    "WHERE company_id = :company_id AND id = :endpoint_id"
)
_FAILED = text(
    "UPDATE webhook_endpoints SET failing_since = coalesce(failing_since, :at) "
    "WHERE company_id = :company_id AND id = :endpoint_id"
)
_DISABLE = text(
    "UPDATE webhook_endpoints SET status = 'DISABLED', disabled_at = :at, disabled_why = :why, version = version + 1 "
    "WHERE company_id = :company_id AND id = :endpoint_id AND status = 'ENABLED' RETURNING 1"
)
_HOLD = text(
    "UPDATE webhook_deliveries SET status = 'HELD', next_attempt_at = NULL, lease = NULL "
    "WHERE company_id = :company_id AND endpoint_id = :endpoint_id AND status = 'PENDING' "
    "AND (lease IS NULL OR next_attempt_at <= :at)"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Claimed:
    """A delivery to attempt now, by whoever holds the lease."""

    lease: UUID
    company_id: UUID
    id: UUID
    endpoint_id: UUID
    number: int
    """Of the attempt, over all replays."""
    tries: int
    """Since it was last begun, with this one."""
    url: str
    secrets: tuple[str, ...]
    type: str
    subject_id: str
    path: str
    told: dict[str, str]
    occurred_at: datetime

    @property
    def key(self) -> dict[str, Any]:
        return {"company_id": self.company_id, "id": self.id, "endpoint_id": self.endpoint_id}


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What an attempt came to: a status, or a fault before one."""

    ms: int
    http_status: int | None = None
    fault: str | None = None
    answer: str | None = None


async def claim(session: AsyncSession, *, limit: int, per_endpoint: int, at: datetime) -> list[Claimed]:
    """Take up to `limit` deliveries that are due, at most `per_endpoint` of one endpoint under way at once."""
    lease = new_id()
    rows = await session.execute(
        _CLAIM, {"limit": limit, "per_endpoint": per_endpoint, "at": at, "until": at + LEASE, "lease": lease}
    )
    return [
        Claimed(
            lease=lease,
            company_id=row.company_id,
            id=row.id,
            endpoint_id=row.endpoint_id,
            number=row.attempts,
            tries=row.tries,
            url=row.url,
            secrets=tuple(secret for secret in (row.secret, row.previous_secret) if secret is not None),
            type=row.type,
            subject_id=row.subject_id,
            path=row.path,
            told=row.told,
            occurred_at=row.occurred_at,
        )
        for row in rows
    ]


async def record(
    session: AsyncSession,
    *,
    claimed: Claimed,
    outcome: Outcome,
    jitter_per_mille: int,
    failing_limit: timedelta,
    at: datetime,
) -> DeliveryStatus | None:
    """Write down what became of an attempt, and what follows; None when another has the delivery meanwhile."""
    endpoint = (await session.execute(_ENDPOINT, claimed.key)).one_or_none()
    noted = {"ms": outcome.ms, "http_status": outcome.http_status, "fault": outcome.fault, "answer": outcome.answer}
    await session.execute(_NOTE, {**claimed.key, "number": claimed.number, **noted})
    if endpoint is None:
        return None  # it was deleted, and its deliveries with it
    delivered = outcome.fault is None and rules.is_success(outcome.http_status)
    next_at = None
    if delivered:
        status = DeliveryStatus.DELIVERED
    elif endpoint.status != EndpointStatus.ENABLED or outcome.http_status == rules.GONE:
        status = DeliveryStatus.HELD
    else:
        next_at = rules.retry_at(tries=claimed.tries, at=at, jitter_per_mille=jitter_per_mille)
        status = DeliveryStatus.FAILED if next_at is None else DeliveryStatus.PENDING
    settled = await session.execute(
        _SETTLE, {**claimed.key, "lease": claimed.lease, "status": status, "next_attempt_at": next_at, "at": at}
    )
    if settled.one_or_none() is None:
        return None
    if delivered:
        await session.execute(_SUCCEEDED, {**claimed.key, "at": at})
        return status
    await session.execute(_FAILED, {**claimed.key, "at": at})
    why = None
    if outcome.http_status == rules.GONE:
        why = DisabledWhy.GONE
    elif rules.has_failed_too_long(failing_since=endpoint.failing_since, at=at, limit=failing_limit):
        why = DisabledWhy.FAILING
    if why is not None:
        await disable(session, company_id=claimed.company_id, endpoint_id=claimed.endpoint_id, why=why, at=at)
    return status


async def disable(
    session: AsyncSession, *, company_id: UUID, endpoint_id: UUID, why: DisabledWhy, at: datetime
) -> bool:
    """Switch an endpoint off and hold what waits; whether it was on. The company is told at its other endpoints."""
    key = {"company_id": company_id, "endpoint_id": endpoint_id}
    if (await session.execute(_DISABLE, {**key, "why": why, "at": at})).one_or_none() is None:
        return False
    await session.execute(_HOLD, {**key, "at": at})
    await publish(
        session,
        type=event_type("members", "webhook_endpoint.disabled"),
        subject=str(endpoint_id),
        company_id=company_id,
        at=at,
        data=WebhookEndpointDisabled(company_id=company_id, endpoint_id=endpoint_id, why=why),
    )
    return True


async def forget(session: AsyncSession, *, before: datetime, limit: int = 10_000) -> int:
    """Remove deliveries made before a moment, with their attempts, whatever became of them; how many."""
    gone = await session.execute(
        text(
            "DELETE FROM webhook_deliveries d USING ("
            "  SELECT company_id, id FROM webhook_deliveries WHERE created_at < :before AND lease IS NULL LIMIT :limit"
            ") old WHERE d.company_id = old.company_id AND d.id = old.id RETURNING 1"
        ),
        {"before": before, "limit": limit},
    )
    return len(gone.all())
