"""What a company does with its endpoints: register, change, change the secret, switch off and on, remove, test, send
again."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.members.companies import queries as company_queries
from services.members.webhooks import queries, rules
from services.members.webhooks.rules import (
    ENDPOINTS_AT_MOST,
    PING,
    DeliveryStatus,
    DisabledWhy,
    EndpointStatus,
    EventType,
)
from services.members.webhooks.tables import WebhookDelivery, WebhookEndpoint
from shared.errors import Conflict, NotFound, Unprocessable
from shared.http import check_version
from shared.identity import Principal
from shared.ids import new_id

_SECRET_BYTES = 32
"""Standard Webhooks asks for 24 to 64 random bytes."""


class WebhookUrlRefused(Unprocessable):
    """The address is not one this installation calls; `errors` names the rule."""


class EndpointNotFound(NotFound):
    """The company has no such endpoint."""


class DeliveryNotFound(NotFound):
    """The endpoint has no such delivery, or it is older than what is kept."""


class TooManyEndpoints(Conflict):
    """A company has at most twenty endpoints."""


class EndpointIsDisabled(Conflict):
    """Nothing is sent to a disabled endpoint; enable it first."""


@dataclass(frozen=True, kw_only=True)
class SecretShown:
    """An endpoint and its new secret, which nobody can see again."""

    endpoint: WebhookEndpoint
    secret: str


async def register(
    session: AsyncSession,
    *,
    company_id: UUID,
    url: str,
    description: str,
    event_types: Sequence[EventType],
    caller: Principal,
    at: datetime,
) -> SecretShown:
    """A new endpoint; its address was checked before the transaction began. It is told of what happens from now on.

    Raises:
        TooManyEndpoints: see the class.
    """
    await company_queries.company_for_update(session, company_id=company_id)  # two at once count one after the other
    if await queries.count_endpoints(session, company_id=company_id) >= ENDPOINTS_AT_MOST:
        raise TooManyEndpoints(f"A company has at most {ENDPOINTS_AT_MOST} endpoints; remove one first.")
    secret = _new_secret()
    endpoint = WebhookEndpoint(
        company_id=company_id,
        id=new_id(),
        url=url,
        description=description,
        event_types=_stored(event_types),
        secret=secret,
        created_at=at,
        created_by=caller.subject,
    )
    session.add(endpoint)
    await session.flush()
    return SecretShown(endpoint=endpoint, secret=secret)


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def _stored(event_types: Sequence[EventType]) -> list[str]:
    return sorted({event_type.value for event_type in event_types})


async def change(
    session: AsyncSession,
    *,
    company_id: UUID,
    endpoint_id: UUID,
    expected_version: int,
    description: str | None,
    event_types: Sequence[EventType] | None,
) -> WebhookEndpoint:
    """Other event types, another description. Another address is another endpoint, with its own secret.

    Raises:
        EndpointNotFound, VersionChanged: see the classes.
    """
    endpoint = await _endpoint(session, company_id=company_id, endpoint_id=endpoint_id)
    check_version(expected=expected_version, actual=endpoint.version)
    if description is not None:
        endpoint.description = description
    if event_types is not None:
        endpoint.event_types = _stored(event_types)
    endpoint.version += 1
    await session.flush()
    return endpoint


async def rotate(
    session: AsyncSession, *, company_id: UUID, endpoint_id: UUID, overlap: timedelta, at: datetime
) -> SecretShown:
    """A new secret; for `overlap` the one before signs too, so that the receiver can change over.

    Raises:
        EndpointNotFound: see the class.
    """
    endpoint = await _endpoint(session, company_id=company_id, endpoint_id=endpoint_id)
    endpoint.previous_secret = endpoint.secret if overlap else None
    endpoint.previous_secret_until = at + overlap if overlap else None
    endpoint.secret = _new_secret()
    endpoint.version += 1
    await session.flush()
    return SecretShown(endpoint=endpoint, secret=endpoint.secret)


async def disable(session: AsyncSession, *, company_id: UUID, endpoint_id: UUID, at: datetime) -> WebhookEndpoint:
    """Send nothing more; what happens meanwhile is held. Disabling twice changes nothing.

    Raises:
        EndpointNotFound: see the class.
    """
    endpoint = await _endpoint(session, company_id=company_id, endpoint_id=endpoint_id)
    if endpoint.status == EndpointStatus.ENABLED:
        endpoint.status, endpoint.disabled_at = EndpointStatus.DISABLED, at
        endpoint.disabled_why = DisabledWhy.COMPANY
        endpoint.version += 1
        await session.flush()
        await session.execute(
            text(
                "UPDATE webhook_deliveries SET status = 'HELD', next_attempt_at = NULL "
                "WHERE company_id = :company_id AND endpoint_id = :endpoint_id AND status = 'PENDING' AND lease IS NULL"
            ),
            {"company_id": company_id, "endpoint_id": endpoint_id},
        )
    return endpoint


async def enable(session: AsyncSession, *, company_id: UUID, endpoint_id: UUID) -> WebhookEndpoint:
    """Send what happens from now on; what was held waits for a replay. Enabling twice changes nothing.

    Raises:
        EndpointNotFound: see the class.
    """
    endpoint = await _endpoint(session, company_id=company_id, endpoint_id=endpoint_id)
    if endpoint.status == EndpointStatus.DISABLED:
        endpoint.status, endpoint.disabled_at, endpoint.disabled_why = EndpointStatus.ENABLED, None, None
        endpoint.failing_since = None
        endpoint.version += 1
        await session.flush()
    return endpoint


async def remove(session: AsyncSession, *, company_id: UUID, endpoint_id: UUID) -> None:
    """Remove an endpoint with its deliveries and their log.

    Raises:
        EndpointNotFound: see the class.
    """
    await _endpoint(session, company_id=company_id, endpoint_id=endpoint_id)
    await session.execute(
        delete(WebhookEndpoint).where(
            col(WebhookEndpoint.company_id) == company_id, col(WebhookEndpoint.id) == endpoint_id
        )
    )


async def ping(session: AsyncSession, *, company_id: UUID, endpoint_id: UUID, at: datetime) -> WebhookDelivery:
    """Send a test message, with the same signature, retries and log as any other.

    Raises:
        EndpointNotFound, EndpointIsDisabled: see the classes.
    """
    endpoint = await _endpoint(session, company_id=company_id, endpoint_id=endpoint_id)
    _check_enabled(endpoint)
    delivery = WebhookDelivery(
        company_id=company_id,
        id=new_id(),
        endpoint_id=endpoint_id,
        event_id=new_id(),
        type=PING,
        subject_id=str(endpoint_id),
        path=f"/members/companies/{company_id}/webhooks/{endpoint_id}",
        told={},
        occurred_at=at,
        created_at=at,
        next_attempt_at=at,
    )
    session.add(delivery)
    await session.flush()
    return delivery


async def replay(
    session: AsyncSession, *, company_id: UUID, endpoint_id: UUID, delivery_id: UUID, at: datetime
) -> WebhookDelivery:
    """Send one delivery again, with the same `webhook-id`; one that is under way stays as it is.

    Raises:
        EndpointNotFound, DeliveryNotFound, EndpointIsDisabled: see the classes.
    """
    endpoint = await _endpoint(session, company_id=company_id, endpoint_id=endpoint_id)
    delivery = await queries.delivery(
        session, company_id=company_id, endpoint_id=endpoint_id, delivery_id=delivery_id, lock=True
    )
    if delivery is None:
        raise DeliveryNotFound("The endpoint has no such delivery, or it is older than what is kept.")
    _check_enabled(endpoint)
    if rules.may_replay(status=DeliveryStatus(delivery.status), endpoint=EndpointStatus(endpoint.status)):
        delivery.status, delivery.next_attempt_at, delivery.tries = DeliveryStatus.PENDING, at, 0
        await session.flush()
    return delivery


_REPLAY_SINCE = text(
    """
    UPDATE webhook_deliveries SET status = 'PENDING', next_attempt_at = :at, tries = 0
    WHERE company_id = :company_id AND endpoint_id = :endpoint_id AND occurred_at >= :since
        AND status = ANY (CAST(:statuses AS text[]))
    RETURNING 1
    """
)


async def replay_since(
    session: AsyncSession,
    *,
    company_id: UUID,
    endpoint_id: UUID,
    since: datetime,
    delivered_too: bool,
    at: datetime,
) -> int:
    """Send again what failed or was held since a moment, or everything; how many.

    Raises:
        EndpointNotFound, EndpointIsDisabled: see the classes.
    """
    _check_enabled(await _endpoint(session, company_id=company_id, endpoint_id=endpoint_id))
    statuses = [DeliveryStatus.FAILED.value, DeliveryStatus.HELD.value]
    if delivered_too:
        statuses.append(DeliveryStatus.DELIVERED.value)
    begun = await session.execute(
        _REPLAY_SINCE,
        {"company_id": company_id, "endpoint_id": endpoint_id, "since": since, "statuses": statuses, "at": at},
    )
    return len(begun.all())


async def _endpoint(session: AsyncSession, *, company_id: UUID, endpoint_id: UUID) -> WebhookEndpoint:
    endpoint = await queries.endpoint_for_update(session, company_id=company_id, endpoint_id=endpoint_id)
    if endpoint is None:
        raise EndpointNotFound("The company has no such endpoint.")
    return endpoint


def _check_enabled(endpoint: WebhookEndpoint) -> None:
    if endpoint.status != EndpointStatus.ENABLED:
        raise EndpointIsDisabled(f"The endpoint is disabled ({endpoint.disabled_why}); enable it first.")
