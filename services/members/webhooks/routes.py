"""HTTP of a company's webhook endpoints. The company's own admin alone: the operator's role does not stand in, or it
could have a member's events sent to itself."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response

from services.members.dependencies import AfterId
from services.members.webhooks import actions, queries
from services.members.webhooks.actions import (
    EndpointIsDisabled,
    EndpointNotFound,
    SecretShown,
    TooManyEndpoints,
    WebhookUrlRefused,
)
from services.members.webhooks.schemas import (
    DeliveryView,
    EndpointChange,
    EndpointGiven,
    EndpointSecret,
    EndpointView,
    SecretRotation,
)
from services.members.webhooks.sending import Sender, UrlRefused
from shared import idempotency
from shared.database import ReadSession, WriteSession
from shared.errors import FieldError, refusals
from shared.http import ExpectedVersion, Now, VersionChanged, VersionNeeded, etag
from shared.http import router as house_router
from shared.identity import NotYours, OwnAdmin, same_company
from shared.paging import CursorInvalid, PageQuery

router = house_router("/members/companies/{company_id}/webhooks", tag="webhooks")


async def _url_checked(request: Request, company_id: UUID, caller: OwnAdmin, body: EndpointGiven) -> None:
    """Resolved and judged before the route's transaction begins, and for no stranger."""
    same_company(caller, company_id, what="The company")
    sender: Sender = request.app.state.webhook_sender
    try:
        await sender.check(body.url)
    except UrlRefused as refused:
        error = FieldError(field="url", rule=refused.fault.rule, message=refused.fault.message)
        raise WebhookUrlRefused(f"url: {refused.fault.message}", errors=[error]) from refused


UrlChecked = Annotated[None, Depends(_url_checked)]
"""Stands before the session in a route's arguments: what is resolved first is asked outside the transaction."""


def _shown_once(shown: SecretShown, request: Request) -> EndpointSecret:
    view = EndpointView.model_validate(shown.endpoint).model_dump()
    redacted = EndpointSecret(**view, secret=None)
    idempotency.store_instead(request, redacted.model_dump_json().encode())
    return EndpointSecret(**view, secret=shown.secret)


@router.post(
    "",
    status_code=201,
    summary="Register a webhook endpoint",
    responses=refusals(NotYours, WebhookUrlRefused, TooManyEndpoints),
)
async def register(
    *,
    company_id: UUID,
    body: EndpointGiven,
    caller: OwnAdmin,
    _: UrlChecked,
    session: WriteSession,
    request: Request,
    response: Response,
    now: Now,
) -> EndpointSecret:
    """Your company is told at this address of what happens from now on, each time by a small signed POST.

    The address is https, on port 443 or 8443, and stands for public addresses only, here and at each delivery. The
    secret is shown this once. **What your receiver does** ([Standard Webhooks](https://www.standardwebhooks.com), with
    a library or by hand):

    1. Take the raw body as it came; `signed = webhook-id + "." + webhook-timestamp + "." + body`.
    2. The key is what follows `whsec_` in the secret, base64-decoded. `webhook-signature` holds one or more
       `v1,<base64>` separated by blanks (two while a secret is changed over); one of them must equal
       HMAC-SHA256(key, signed), compared in constant time.
    3. Refuse a `webhook-timestamp` more than 5 minutes away from your clock: an old message is a replayed one.
    4. Remember each `webhook-id` for a few days and answer 200 at once to one you had: deliveries come at least once,
       in no promised order.
    5. Answer 2xx within 5 seconds, then do the work: read the object at `data.path` with your own access token. The
       message is a hint and never says a price or a quantity.

    ```python
    from standardwebhooks import Webhook
    message = Webhook(secret).verify(raw_body, headers)   # checks the signature and the 5 minutes
    ```

    Anything but 2xx, also a redirect, is tried again after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h. 410
    disables the endpoint, and so do five days without one success; your other endpoints are told by
    `webhook_endpoint.disabled`.
    """
    shown = await actions.register(
        session,
        company_id=company_id,
        url=body.url,
        description=body.description,
        event_types=body.event_types,
        caller=caller,
        at=now,
    )
    response.headers["Location"] = f"/members/companies/{company_id}/webhooks/{shown.endpoint.id}"
    response.headers["ETag"] = etag(shown.endpoint.version)
    return _shown_once(shown, request)


@router.get("", summary="Webhook endpoints", responses=refusals(NotYours, CursorInvalid))
async def list_endpoints(
    *,
    company_id: UUID,
    caller: OwnAdmin,
    session: ReadSession,
    paging: PageQuery,
    after: AfterId,
    response: Response,
) -> list[EndpointView]:
    """Every endpoint of the company with its state: whether it fails, since when, why it is disabled."""
    same_company(caller, company_id, what="The company")
    found = await queries.endpoints_page(session, company_id=company_id, limit=paging.limit, after=after)
    shown = paging.page(found, response, key=lambda endpoint: [endpoint.id])
    return [EndpointView.model_validate(endpoint) for endpoint in shown]


@router.get("/{endpoint_id}", summary="A webhook endpoint", responses=refusals(NotYours, EndpointNotFound))
async def read_endpoint(
    company_id: UUID, endpoint_id: UUID, caller: OwnAdmin, session: ReadSession, response: Response
) -> EndpointView:
    """One endpoint; the ETag is its version."""
    same_company(caller, company_id, what="The company")
    endpoint = await queries.endpoint(session, company_id=company_id, endpoint_id=endpoint_id)
    if endpoint is None:
        raise EndpointNotFound("The company has no such endpoint.")
    response.headers["ETag"] = etag(endpoint.version)
    return EndpointView.model_validate(endpoint)


@router.patch(
    "/{endpoint_id}",
    summary="Change a webhook endpoint",
    responses=refusals(NotYours, EndpointNotFound, VersionChanged, VersionNeeded),
)
async def change_endpoint(
    *,
    company_id: UUID,
    endpoint_id: UUID,
    body: EndpointChange,
    caller: OwnAdmin,
    expected: ExpectedVersion,
    session: WriteSession,
    response: Response,
) -> EndpointView:
    """Other event types or another description. Another address is a new endpoint with a secret of its own."""
    same_company(caller, company_id, what="The company")
    endpoint = await actions.change(
        session,
        company_id=company_id,
        endpoint_id=endpoint_id,
        expected_version=expected,
        description=body.description,
        event_types=body.event_types,
    )
    response.headers["ETag"] = etag(endpoint.version)
    return EndpointView.model_validate(endpoint)


@router.post(
    "/{endpoint_id}/rotation",
    status_code=201,
    summary="Give a webhook endpoint a new secret",
    responses=refusals(NotYours, EndpointNotFound),
)
async def rotate_secret(
    *,
    company_id: UUID,
    endpoint_id: UUID,
    body: SecretRotation,
    caller: OwnAdmin,
    session: WriteSession,
    request: Request,
    now: Now,
) -> EndpointSecret:
    """Both secrets sign for `overlap_seconds` (a day unless said); with 0 the one before ends at once."""
    same_company(caller, company_id, what="The company")
    shown = await actions.rotate(
        session,
        company_id=company_id,
        endpoint_id=endpoint_id,
        overlap=timedelta(seconds=body.overlap_seconds),
        at=now,
    )
    return _shown_once(shown, request)


@router.post(
    "/{endpoint_id}/disablement", summary="Disable a webhook endpoint", responses=refusals(NotYours, EndpointNotFound)
)
async def disable_endpoint(
    company_id: UUID, endpoint_id: UUID, caller: OwnAdmin, session: WriteSession, now: Now
) -> EndpointView:
    """Nothing more is sent. What happens meanwhile is held for 30 days and sent by a replay once it is enabled."""
    same_company(caller, company_id, what="The company")
    return EndpointView.model_validate(
        await actions.disable(session, company_id=company_id, endpoint_id=endpoint_id, at=now)
    )


@router.post(
    "/{endpoint_id}/enablement", summary="Enable a webhook endpoint", responses=refusals(NotYours, EndpointNotFound)
)
async def enable_endpoint(company_id: UUID, endpoint_id: UUID, caller: OwnAdmin, session: WriteSession) -> EndpointView:
    """What happens from now on is sent. What was held is not sent by itself: replay it from the moment you choose."""
    same_company(caller, company_id, what="The company")
    return EndpointView.model_validate(await actions.enable(session, company_id=company_id, endpoint_id=endpoint_id))


@router.delete(
    "/{endpoint_id}",
    status_code=204,
    summary="Remove a webhook endpoint",
    responses=refusals(NotYours, EndpointNotFound),
)
async def remove_endpoint(company_id: UUID, endpoint_id: UUID, caller: OwnAdmin, session: WriteSession) -> None:
    """With everything that was or was to be sent to it."""
    same_company(caller, company_id, what="The company")
    await actions.remove(session, company_id=company_id, endpoint_id=endpoint_id)


@router.post(
    "/{endpoint_id}/ping",
    status_code=202,
    summary="Send a test message",
    responses=refusals(NotYours, EndpointNotFound, EndpointIsDisabled),
)
async def ping_endpoint(
    company_id: UUID, endpoint_id: UUID, caller: OwnAdmin, session: WriteSession, now: Now
) -> DeliveryView:
    """A `webhook.ping`, signed, retried and logged like any other message; its delivery tells how it went."""
    same_company(caller, company_id, what="The company")
    return DeliveryView.model_validate(
        await actions.ping(session, company_id=company_id, endpoint_id=endpoint_id, at=now)
    )
