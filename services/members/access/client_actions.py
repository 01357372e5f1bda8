"""API clients: programs of suppliers, and our own services, that sign in with a secret."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.members.access import queries, rules
from services.members.access.rules import SERVICE_SCOPES, ClientKind
from services.members.access.tables import ApiClient
from services.members.circles import queries as circle_queries
from services.members.companies import queries as company_queries
from services.members.companies.tables import Company
from services.members.people.tokens import new_token, token_hash
from shared.clock import business_date
from shared.errors import Conflict, FieldError, NotFound, Unprocessable
from shared.identity import Principal
from shared.ids import new_id

_SECRET_LENGTH_MIN = 32


class ApiClientNotFound(NotFound):
    """The company has no such API client."""


class ScopesNotOfThisCompany(Conflict):
    """A company of these kinds cannot give these scopes; `errors` names them."""


class ExpiryInThePast(Unprocessable):
    """An API client ends in the future."""


class ApiClientRevoked(Conflict):
    """The API client is revoked; create a new one."""


class OAuthRefusal(Exception):  # noqa: N818 - an answer in the words of RFC 6749 5.2
    """The token endpoint says no, with one of the codes the RFC gives."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


@dataclass(frozen=True, kw_only=True)
class SecretShown:
    """An API client and its new secret, which nobody can see again."""

    client: ApiClient
    secret: str


@dataclass(frozen=True, kw_only=True)
class Granted:
    """Whom a token speaks of, and as what."""

    principal: Principal
    scopes: frozenset[str]
    until: datetime | None
    """When the client expires; no token lives longer."""


async def create_client(
    session: AsyncSession,
    *,
    company: Company,
    caller: Principal,
    name: str,
    scopes: list[str],
    expires_at: datetime | None,
    at: datetime,
) -> SecretShown:
    """A new API client of a company.

    Raises:
        ScopesNotOfThisCompany, ExpiryInThePast: see the classes.
    """
    refused = sorted(set(scopes) - rules.allowed_scopes(company.kinds))
    if refused:
        message = f"{company.name} ({', '.join(company.kinds)}) cannot give: {', '.join(refused)}."
        raise ScopesNotOfThisCompany(message, errors=[FieldError(field="scopes", rule="ScopesOfKind", message=message)])
    if expires_at is not None and expires_at <= at:
        message = "expires_at must be in the future."
        raise ExpiryInThePast(message, errors=[FieldError(field="expires_at", rule="Future", message=message)])
    secret = new_token("dgs")
    client = ApiClient(
        id=new_id(),
        client_id=f"dg_{secrets.token_hex(8)}",
        company_id=company.id,
        kind=ClientKind.CLIENT,
        name=name,
        scopes=sorted(set(scopes)),
        secret_hash=token_hash(secret),
        created_at=at,
        created_by=caller.subject,
        expires_at=expires_at,
    )
    session.add(client)
    await session.flush()
    return SecretShown(client=client, secret=secret)


async def rotate_secret(
    session: AsyncSession,
    *,
    company_id: UUID,
    api_client_id: UUID,
    overlap: timedelta,
    at: datetime,
) -> SecretShown:
    """Give a client a new secret; the one before stays good for `overlap`, so that programs can be changed over.

    Raises:
        ApiClientNotFound, ApiClientRevoked: see the classes.
    """
    client = await _client(session, company_id=company_id, api_client_id=api_client_id)
    if client.revoked_at is not None:
        raise ApiClientRevoked("The API client is revoked; create a new one.")
    secret = new_token("dgs")
    client.previous_secret_hash = client.secret_hash if overlap else None
    client.previous_secret_until = at + overlap if overlap else None
    client.secret_hash = token_hash(secret)
    await session.flush()
    return SecretShown(client=client, secret=secret)


async def revoke_client(session: AsyncSession, *, company_id: UUID, api_client_id: UUID, at: datetime) -> None:
    """From now on the client gets no token; one it holds ends within its ten minutes.

    Raises:
        ApiClientNotFound: see the class.
    """
    client = await _client(session, company_id=company_id, api_client_id=api_client_id)
    if client.revoked_at is None:
        client.revoked_at = at
        await session.flush()


async def _client(session: AsyncSession, *, company_id: UUID, api_client_id: UUID) -> ApiClient:
    client = await queries.api_client_for_update(session, company_id=company_id, api_client_id=api_client_id)
    if client is None:
        raise ApiClientNotFound("The company has no such API client.")
    return client


async def grant(
    session: AsyncSession, *, client_id: str, secret: str, requested: list[str] | None, at: datetime
) -> Granted:
    """Check a client's secret and say what its token may hold.

    Raises:
        OAuthRefusal: invalid_client for whatever is wrong with the client, invalid_scope for too wide a wish.
    """
    unknown = OAuthRefusal("invalid_client", "The client is unknown, its secret wrong, or it may not sign in.")
    client = await queries.api_client_anywhere(session, client_id=client_id)
    if client is None or not _secret_holds(client, secret=secret, at=at):
        raise unknown
    if client.revoked_at is not None or (client.expires_at is not None and client.expires_at <= at):
        raise unknown
    company = None
    allowed = SERVICE_SCOPES
    if client.company_id is not None:
        company = await company_queries.company(session, company_id=client.company_id)
        if company is None or not company.takes_part:
            raise unknown
        allowed = rules.allowed_scopes(company.kinds)
    scopes = rules.granted_scopes(requested=requested, held=client.scopes, allowed=allowed)
    if scopes is None:
        raise OAuthRefusal("invalid_scope", "The client does not hold all scopes asked for.")
    client.last_used_at = at
    await session.flush()
    principal = await _principal(session, client, company, scopes, at)
    return Granted(principal=principal, scopes=scopes, until=client.expires_at)


async def _principal(
    session: AsyncSession, client: ApiClient, company: Company | None, scopes: frozenset[str], at: datetime
) -> Principal:
    if company is None:
        return Principal(subject=client.id, kind="service", name=client.name, scopes=scopes)
    return Principal(
        subject=client.id,
        kind="client",
        name=client.name,
        company_id=company.id,
        company_name=company.name,
        group_id=await company_queries.group_of(session, company_id=company.id, on=business_date(at)),
        circle_ids=await circle_queries.circle_ids_anywhere(session, company_id=company.id, at=at),
        scopes=scopes,
    )


def _secret_holds(client: ApiClient, *, secret: str, at: datetime) -> bool:
    given = token_hash(secret)
    if hmac.compare_digest(given, client.secret_hash):
        return True
    until = client.previous_secret_until
    return (
        client.previous_secret_hash is not None
        and until is not None
        and at < until
        and hmac.compare_digest(given, client.previous_secret_hash)
    )


async def ensure_service_client(
    session: AsyncSession, *, client_id: str, client_secret: str, name: str, scopes: list[str], at: datetime
) -> None:
    """Make one of our own services known, or bring its secret and scopes up to date.

    Raises:
        ValueError: the secret is short, or a scope is not one for services.
    """
    if len(client_secret) < _SECRET_LENGTH_MIN:
        raise ValueError(f"A service's secret has at least {_SECRET_LENGTH_MIN} random characters.")
    wrong = sorted(set(scopes) - SERVICE_SCOPES)
    if wrong or not scopes:
        raise ValueError(f"Not scopes of a service: {wrong}.")
    row = {"name": name, "scopes": sorted(set(scopes)), "secret_hash": token_hash(client_secret)}
    await session.execute(
        insert(ApiClient)
        .values(id=new_id(), client_id=client_id, kind=ClientKind.SERVICE, created_at=at, **row)
        .on_conflict_do_update(index_elements=["client_id"], set_=row, where=col(ApiClient.kind) == ClientKind.SERVICE)
    )
