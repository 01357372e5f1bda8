"""HTTP of a company's API clients."""

from datetime import timedelta
from uuid import UUID

from fastapi import Request, Response

from services.members.access import client_actions, queries
from services.members.access.client_actions import (
    ApiClientNotFound,
    ApiClientRevoked,
    ExpiryInThePast,
    ScopesNotOfThisCompany,
    SecretShown,
)
from services.members.access.schemas import ApiClientGiven, ApiClientSecret, ApiClientView, Rotation
from services.members.companies.actions import CompanyNotFound, administered
from services.members.dependencies import AfterId
from shared import idempotency
from shared.database import ReadSession, WriteSession
from shared.errors import refusals
from shared.http import Now
from shared.http import router as house_router
from shared.identity import CompanyAdmin, NotYours
from shared.paging import CursorInvalid, PageQuery

router = house_router("/members/companies/{company_id}/api-clients", tag="api clients")


def _shown_once(shown: SecretShown, request: Request) -> ApiClientSecret:
    view = ApiClientView.model_validate(shown.client).model_dump()
    redacted = ApiClientSecret(**view, client_secret=None)
    idempotency.store_instead(request, redacted.model_dump_json().encode())
    return ApiClientSecret(**view, client_secret=shown.secret)


@router.post(
    "",
    status_code=201,
    summary="Create an API client",
    responses=refusals(NotYours, CompanyNotFound, ScopesNotOfThisCompany, ExpiryInThePast),
)
async def create_client(
    *,
    company_id: UUID,
    body: ApiClientGiven,
    caller: CompanyAdmin,
    session: WriteSession,
    request: Request,
    response: Response,
    now: Now,
) -> ApiClientSecret:
    """The secret is shown this once; only its hash is kept, and a replayed answer does not repeat it."""
    company = await administered(session, caller=caller, company_id=company_id)
    shown = await client_actions.create_client(
        session,
        company=company,
        caller=caller,
        name=body.name,
        scopes=[scope.value for scope in body.scopes],
        expires_at=body.expires_at,
        at=now,
    )
    response.headers["Location"] = f"/members/companies/{company_id}/api-clients/{shown.client.id}"
    return _shown_once(shown, request)


@router.get("", summary="API clients", responses=refusals(NotYours, CompanyNotFound, CursorInvalid))
async def list_clients(
    *,
    company_id: UUID,
    caller: CompanyAdmin,
    session: ReadSession,
    paging: PageQuery,
    after: AfterId,
    response: Response,
) -> list[ApiClientView]:
    """Every API client of the company, revoked ones too, with its scopes and last use."""
    await administered(session, caller=caller, company_id=company_id)
    found = await queries.api_clients_page(
        session,
        company_id=company_id,
        limit=paging.limit,
        after=after,
    )
    shown = paging.page(found, response, key=lambda client: [client.id])
    return [ApiClientView.model_validate(client) for client in shown]


@router.post(
    "/{api_client_id}/rotate",
    status_code=201,
    summary="Give an API client a new secret",
    responses=refusals(NotYours, CompanyNotFound, ApiClientNotFound, ApiClientRevoked),
)
async def rotate_secret(
    *,
    company_id: UUID,
    api_client_id: UUID,
    body: Rotation,
    caller: CompanyAdmin,
    session: WriteSession,
    request: Request,
    now: Now,
) -> ApiClientSecret:
    """The secret before ends at once, or after `overlap_seconds`."""
    await administered(session, caller=caller, company_id=company_id)
    shown = await client_actions.rotate_secret(
        session,
        company_id=company_id,
        api_client_id=api_client_id,
        overlap=timedelta(seconds=body.overlap_seconds),
        at=now,
    )
    return _shown_once(shown, request)


@router.delete(
    "/{api_client_id}",
    status_code=204,
    summary="Revoke an API client",
    responses=refusals(NotYours, CompanyNotFound, ApiClientNotFound),
)
async def revoke_client(
    company_id: UUID,
    api_client_id: UUID,
    caller: CompanyAdmin,
    session: WriteSession,
    now: Now,
) -> None:
    """It gets no token any more; one it holds ends within ten minutes. Revoking twice changes nothing."""
    await administered(session, caller=caller, company_id=company_id)
    await client_actions.revoke_client(session, company_id=company_id, api_client_id=api_client_id, at=now)
