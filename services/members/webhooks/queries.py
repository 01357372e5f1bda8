"""Reading endpoints, deliveries and attempts. Every query names the company; row level security asks again."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.members.webhooks.rules import DeliveryStatus
from services.members.webhooks.tables import WebhookAttempt, WebhookDelivery, WebhookEndpoint


async def endpoint(session: AsyncSession, *, company_id: UUID, endpoint_id: UUID) -> WebhookEndpoint | None:
    """One of a company's endpoints."""
    found = await session.scalars(
        select(WebhookEndpoint).where(
            col(WebhookEndpoint.company_id) == company_id, col(WebhookEndpoint.id) == endpoint_id
        )
    )
    return found.one_or_none()


async def endpoint_for_update(session: AsyncSession, *, company_id: UUID, endpoint_id: UUID) -> WebhookEndpoint | None:
    """The same, its row locked: whatever changes an endpoint or sends to it again locks it first."""
    found = await session.scalars(
        select(WebhookEndpoint)
        .where(col(WebhookEndpoint.company_id) == company_id, col(WebhookEndpoint.id) == endpoint_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found.one_or_none()


async def endpoints_page(
    session: AsyncSession, *, company_id: UUID, limit: int, after: UUID | None
) -> Sequence[WebhookEndpoint]:
    """A company's endpoints, oldest first, one more than `limit`."""
    query = select(WebhookEndpoint).where(col(WebhookEndpoint.company_id) == company_id)
    if after is not None:
        query = query.where(col(WebhookEndpoint.id) > after)
    return (await session.scalars(query.order_by(col(WebhookEndpoint.id)).limit(limit + 1))).all()


async def count_endpoints(session: AsyncSession, *, company_id: UUID) -> int:
    """How many endpoints a company has."""
    counted = await session.scalar(
        select(func.count()).select_from(WebhookEndpoint).where(col(WebhookEndpoint.company_id) == company_id)
    )
    return int(counted or 0)


async def deliveries_page(
    session: AsyncSession,
    *,
    company_id: UUID,
    endpoint_id: UUID,
    status: DeliveryStatus | None,
    since: datetime | None,
    limit: int,
    after: UUID | None,
) -> Sequence[WebhookDelivery]:
    """What was sent or is to be sent to an endpoint, newest first, one more than `limit`."""
    query = select(WebhookDelivery).where(
        col(WebhookDelivery.company_id) == company_id, col(WebhookDelivery.endpoint_id) == endpoint_id
    )
    if status is not None:
        query = query.where(col(WebhookDelivery.status) == status)
    if since is not None:
        query = query.where(col(WebhookDelivery.occurred_at) >= since)
    if after is not None:
        query = query.where(col(WebhookDelivery.id) < after)
    return (await session.scalars(query.order_by(col(WebhookDelivery.id).desc()).limit(limit + 1))).all()


async def delivery(
    session: AsyncSession, *, company_id: UUID, endpoint_id: UUID, delivery_id: UUID, lock: bool = False
) -> WebhookDelivery | None:
    """One delivery to an endpoint; `lock` holds it until the transaction ends."""
    query = select(WebhookDelivery).where(
        col(WebhookDelivery.company_id) == company_id,
        col(WebhookDelivery.endpoint_id) == endpoint_id,
        col(WebhookDelivery.id) == delivery_id,
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(query)).one_or_none()


async def attempts_of(
    session: AsyncSession, *, company_id: UUID, delivery_ids: Sequence[UUID]
) -> Sequence[WebhookAttempt]:
    """Every attempt of these deliveries, in order."""
    found = await session.scalars(
        select(WebhookAttempt)
        .where(col(WebhookAttempt.company_id) == company_id, col(WebhookAttempt.delivery_id).in_(delivery_ids))
        .order_by(col(WebhookAttempt.delivery_id), col(WebhookAttempt.number))
    )
    return found.all()
