"""HTTP of what was sent to a company's endpoints, and of sending it again."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from pydantic import AwareDatetime
from sqlalchemy.ext.asyncio import AsyncSession

from services.members.dependencies import AfterId
from services.members.webhooks import actions, queries
from services.members.webhooks.actions import DeliveryNotFound, EndpointIsDisabled, EndpointNotFound
from services.members.webhooks.rules import DeliveryStatus
from services.members.webhooks.schemas import AttemptView, DeliveryLog, DeliveryView, Replay, Replayed
from shared.database import ReadSession, WriteSession
from shared.errors import refusals
from shared.http import Now
from shared.http import router as house_router
from shared.identity import NotYours, OwnAdmin, same_company
from shared.paging import CursorInvalid, PageQuery

router = house_router("/members/companies/{company_id}/webhooks/{endpoint_id}", tag="webhooks")


async def _check_endpoint(session: AsyncSession, *, company_id: UUID, endpoint_id: UUID) -> None:
    if await queries.endpoint(session, company_id=company_id, endpoint_id=endpoint_id) is None:
        raise EndpointNotFound("The company has no such endpoint.")


@router.get("/deliveries", summary="Deliveries", responses=refusals(NotYours, EndpointNotFound, CursorInvalid))
async def list_deliveries(
    *,
    company_id: UUID,
    endpoint_id: UUID,
    caller: OwnAdmin,
    session: ReadSession,
    paging: PageQuery,
    after: AfterId,
    response: Response,
    status: DeliveryStatus | None = None,
    since: Annotated[AwareDatetime | None, Query(description="Only of what happened from then on.")] = None,
) -> list[DeliveryLog]:
    """Newest first, each with the log of its attempts: status, milliseconds, first 2 kB of the answer. Kept 30 days."""
    same_company(caller, company_id, what="The company")
    await _check_endpoint(session, company_id=company_id, endpoint_id=endpoint_id)
    found = await queries.deliveries_page(
        session,
        company_id=company_id,
        endpoint_id=endpoint_id,
        status=status,
        since=since,
        limit=paging.limit,
        after=after,
    )
    shown = paging.page(found, response, key=lambda delivery: [delivery.id])
    attempts = await queries.attempts_of(
        session, company_id=company_id, delivery_ids=[delivery.id for delivery in shown]
    )
    return [
        DeliveryLog(
            **DeliveryView.model_validate(delivery).model_dump(),
            log=[AttemptView.model_validate(attempt) for attempt in attempts if attempt.delivery_id == delivery.id],
        )
        for delivery in shown
    ]


@router.get(
    "/deliveries/{delivery_id}",
    summary="A delivery with its attempts",
    responses=refusals(NotYours, DeliveryNotFound),
)
async def read_delivery(
    company_id: UUID, endpoint_id: UUID, delivery_id: UUID, caller: OwnAdmin, session: ReadSession
) -> DeliveryLog:
    """One message and every attempt to deliver it."""
    same_company(caller, company_id, what="The company")
    delivery = await queries.delivery(session, company_id=company_id, endpoint_id=endpoint_id, delivery_id=delivery_id)
    if delivery is None:
        raise DeliveryNotFound("The endpoint has no such delivery, or it is older than what is kept.")
    attempts = await queries.attempts_of(session, company_id=company_id, delivery_ids=[delivery_id])
    return DeliveryLog(
        **DeliveryView.model_validate(delivery).model_dump(),
        log=[AttemptView.model_validate(attempt) for attempt in attempts],
    )


@router.post(
    "/deliveries/{delivery_id}/replay",
    status_code=202,
    summary="Send a message again",
    responses=refusals(NotYours, EndpointNotFound, DeliveryNotFound, EndpointIsDisabled),
)
async def replay_delivery(
    *, company_id: UUID, endpoint_id: UUID, delivery_id: UUID, caller: OwnAdmin, session: WriteSession, now: Now
) -> DeliveryView:
    """With the same `webhook-id`, so a receiver that had it drops it. One that waits for a retry stays as it is."""
    same_company(caller, company_id, what="The company")
    return DeliveryView.model_validate(
        await actions.replay(session, company_id=company_id, endpoint_id=endpoint_id, delivery_id=delivery_id, at=now)
    )


@router.post(
    "/replay",
    status_code=202,
    summary="Send messages again since a moment",
    responses=refusals(NotYours, EndpointNotFound, EndpointIsDisabled),
)
async def replay_since(
    *, company_id: UUID, endpoint_id: UUID, body: Replay, caller: OwnAdmin, session: WriteSession, now: Now
) -> Replayed:
    """What failed or was held, or with `delivered_too` everything, each with its own `webhook-id`."""
    same_company(caller, company_id, what="The company")
    begun = await actions.replay_since(
        session,
        company_id=company_id,
        endpoint_id=endpoint_id,
        since=body.since,
        delivered_too=body.delivered_too,
        at=now,
    )
    return Replayed(begun=begun)
