"""Reading sessions, API clients and keys.

Sessions and keys are closed to the app's role: these queries work in a system session. API clients are scoped by
the company named and by row level security; `…_anywhere` belongs to the token endpoint.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.members.access.tables import ApiClient, RefreshToken, Session, SigningKey


async def refresh_token_for_update(session: AsyncSession, *, token_hash: bytes) -> tuple[RefreshToken, Session] | None:
    """A refresh token and its session, both rows locked: of two uses at one moment the second sees the first."""
    rows = await session.execute(
        select(RefreshToken, Session)
        .join(Session, col(Session.id) == col(RefreshToken.session_id))
        .where(col(RefreshToken.token_hash) == token_hash)
        .with_for_update()
    )
    row = rows.one_or_none()
    return None if row is None else (row[0], row[1])


async def session_for_update(session: AsyncSession, *, session_id: UUID, person_id: UUID) -> Session | None:
    """A person's own session, the row locked."""
    found = await session.scalars(
        select(Session).where(col(Session.id) == session_id, col(Session.person_id) == person_id).with_for_update()
    )
    return found.one_or_none()


async def current_signing_key(session: AsyncSession) -> SigningKey | None:
    """The key that signs now."""
    found = await session.scalars(select(SigningKey).where(col(SigningKey.retired_at).is_(None)))
    return found.one_or_none()


async def published_signing_keys(session: AsyncSession, *, at: datetime) -> Sequence[SigningKey]:
    """The current key and those whose tokens may still be about, newest first."""
    found = await session.scalars(
        select(SigningKey)
        .where(col(SigningKey.published_until).is_(None) | (col(SigningKey.published_until) > at))
        .order_by(col(SigningKey.created_at).desc())
    )
    return found.all()


async def lock_signing_keys(session: AsyncSession) -> None:
    """One change of keys at a time."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('members.signing_keys', 0))"))


async def api_clients_page(
    session: AsyncSession, *, company_id: UUID, limit: int, after: UUID | None
) -> Sequence[ApiClient]:
    """The company's API clients, also revoked ones, oldest first, one more than `limit`."""
    query = (
        select(ApiClient).where(col(ApiClient.company_id) == company_id).order_by(col(ApiClient.id)).limit(limit + 1)
    )
    if after is not None:
        query = query.where(col(ApiClient.id) > after)
    return (await session.scalars(query)).all()


async def api_client_for_update(session: AsyncSession, *, company_id: UUID, api_client_id: UUID) -> ApiClient | None:
    """One of the company's API clients, the row locked."""
    found = await session.scalars(
        select(ApiClient)
        .where(col(ApiClient.company_id) == company_id, col(ApiClient.id) == api_client_id)
        .with_for_update()
    )
    return found.one_or_none()


async def api_client_anywhere(session: AsyncSession, *, client_id: str) -> ApiClient | None:
    """The API client that calls itself so."""
    return (await session.scalars(select(ApiClient).where(col(ApiClient.client_id) == client_id))).one_or_none()
