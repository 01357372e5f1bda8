"""Beginning, refreshing and ending sessions; keys and access tokens."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.members.access import queries, rules
from services.members.access.rules import RefreshOutcome, RefreshState
from services.members.access.signing import new_signing_key, sign
from services.members.access.tables import RefreshToken, Session, SigningKey
from services.members.circles import queries as circle_queries
from services.members.companies import queries as company_queries
from services.members.companies.tables import Company
from services.members.people import queries as people_queries
from services.members.people.rules import PersonStatus
from services.members.people.tables import Membership, Person
from services.members.people.tokens import new_token, token_hash
from shared.clock import business_date
from shared.errors import Forbidden, NotFound, Unauthenticated
from shared.identity import TOKEN_AUDIENCE, Principal, claims_of
from shared.ids import new_id

KEY_STAYS_PUBLISHED = timedelta(hours=2)
"""Longer than an access token may live (an hour) and a verifier's clock may be off."""


class SignInRefused(Unauthenticated):
    """The e-mail address or the password is wrong, or the person is deactivated."""


class NoActiveMembership(Forbidden):
    """The person acts for no company that takes part."""


class NotAMember(NotFound):
    """The person does not act for this company, or there is no such company."""


class SessionOver(Unauthenticated):
    """The refresh token is unknown, over, or of a session that ended; sign in again."""


class RefreshTokenReused(Unauthenticated):
    """The refresh token was used before, so somebody has a copy: the session is ended for both."""


@dataclass(frozen=True, kw_only=True)
class Lifetimes:
    """How long tokens and sessions last."""

    issuer: str
    access: timedelta
    refresh: timedelta
    session: timedelta

    def access_until(self, end: datetime | None, *, at: datetime) -> "Lifetimes":
        """The same, with access tokens issued now ending at `end` at the latest."""
        return self if end is None else replace(self, access=min(self.access, end - at))


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """A person's new tokens, whom they act for and whom they could."""

    access_token: str
    refresh_token: str
    refresh_expires_at: datetime
    person: Person
    chosen: tuple[Membership, Company]
    standing: list[tuple[Membership, Company]]


async def begin_session(
    session: AsyncSession,
    *,
    person_id: UUID,
    password_hash: str,
    company_id: UUID | None,
    lifetimes: Lifetimes,
    at: datetime,
) -> SignedIn:
    """Sign in a person whose password was found right against `password_hash`, for a company or the first.

    Raises:
        SignInRefused: the person or the password changed since the check.
        NoActiveMembership, NotAMember: see the classes.
    """
    person = await people_queries.person_anywhere(session, person_id=person_id)
    credential = await people_queries.credential(session, person_id=person_id)
    if (
        person is None
        or person.status != PersonStatus.ACTIVE
        or credential is None
        or credential.password_hash != password_hash
    ):
        raise SignInRefused("The e-mail address or the password is wrong.")
    standing = await people_queries.standing_memberships_anywhere(session, person_id=person_id, at=at)
    chosen = _chosen(standing, wanted=company_id, fallback=None)
    begun = Session(
        id=new_id(),
        person_id=person_id,
        company_id=chosen[1].id,
        begun_at=at,
        expires_at=at + lifetimes.session,
    )
    session.add(begun)
    await session.flush()
    return await _tokens(
        session, begun=begun, person=person, chosen=chosen, standing=standing, lifetimes=lifetimes, at=at
    )


async def refresh_session(
    session: AsyncSession,
    *,
    refresh_token: str,
    company_id: UUID | None,
    lifetimes: Lifetimes,
    at: datetime,
) -> SignedIn | RefreshTokenReused:
    """Exchange a refresh token for the next one and a new access token.

    Reuse is returned, not raised: ending the session must be committed, and raising would undo it.

    Raises:
        SessionOver, NoActiveMembership, NotAMember: nothing changed; after NotAMember the token is still good.
    """
    found = await queries.refresh_token_for_update(session, token_hash=token_hash(refresh_token))
    if found is None:
        raise SessionOver("The refresh token is not known; sign in again.")
    token, begun = found
    person = await people_queries.person_anywhere(session, person_id=begun.person_id)
    credential = await people_queries.credential(session, person_id=begun.person_id)
    state = RefreshState(
        used_at=token.used_at,
        expires_at=min(token.expires_at, begun.expires_at),
        revoked_at=begun.revoked_at,
        begun_at=begun.begun_at,
        password_changed_at=credential.changed_at if credential else None,
    )
    outcome = rules.judge_refresh(state, at=at)
    if outcome is RefreshOutcome.REUSED:
        _revoke(begun, why="reuse", at=at)
        await session.flush()
        return RefreshTokenReused("This refresh token was used before; the session is ended. Sign in again.")
    if outcome is RefreshOutcome.OVER or person is None or person.status != PersonStatus.ACTIVE:
        raise SessionOver("The session is over; sign in again.")
    standing = await people_queries.standing_memberships_anywhere(session, person_id=person.id, at=at)
    chosen = _chosen(standing, wanted=company_id, fallback=begun.company_id)
    token.used_at = at
    begun.company_id = chosen[1].id
    await session.flush()
    return await _tokens(
        session, begun=begun, person=person, chosen=chosen, standing=standing, lifetimes=lifetimes, at=at
    )


def _chosen(
    standing: list[tuple[Membership, Company]], *, wanted: UUID | None, fallback: UUID | None
) -> tuple[Membership, Company]:
    """Where to act: the company asked for; else the one of before, if it still stands; else the first."""
    if not standing:
        raise NoActiveMembership("You act for no company that takes part; ask your company's admin.")
    by_company = {company.id: (membership, company) for membership, company in standing}
    if wanted is not None:
        if wanted not in by_company:
            raise NotAMember("You do not act for this company.")
        return by_company[wanted]
    return by_company.get(fallback, standing[0]) if fallback else standing[0]


async def _tokens(
    session: AsyncSession,
    *,
    begun: Session,
    person: Person,
    chosen: tuple[Membership, Company],
    standing: list[tuple[Membership, Company]],
    lifetimes: Lifetimes,
    at: datetime,
) -> SignedIn:
    membership, company = chosen
    refresh_token = new_token("dgr")
    expires_at = min(at + lifetimes.refresh, begun.expires_at)
    session.add(
        RefreshToken(token_hash=token_hash(refresh_token), session_id=begun.id, issued_at=at, expires_at=expires_at)
    )
    principal = Principal(
        subject=person.id,
        kind="person",
        name=person.name,
        company_id=company.id,
        company_name=company.name,
        group_id=await company_queries.group_of(session, company_id=company.id, on=business_date(at)),
        circle_ids=await circle_queries.circle_ids_anywhere(session, company_id=company.id, at=at),
        roles=frozenset(membership.roles),
    )
    access_token = await issue(session, principal=principal, lifetimes=lifetimes, at=at, more={"sid": str(begun.id)})
    return SignedIn(
        access_token=access_token,
        refresh_token=refresh_token,
        refresh_expires_at=expires_at,
        person=person,
        chosen=chosen,
        standing=standing,
    )


async def end_session(session: AsyncSession, *, session_id: UUID, person_id: UUID, at: datetime) -> None:
    """Sign out; a session that is over already stays over."""
    begun = await queries.session_for_update(session, session_id=session_id, person_id=person_id)
    if begun is not None:
        _revoke(begun, why="sign-out", at=at)
        await session.flush()


def _revoke(begun: Session, *, why: str, at: datetime) -> None:
    if begun.revoked_at is None:
        begun.revoked_at = at
        begun.revoked_why = why


async def issue(
    session: AsyncSession,
    *,
    principal: Principal,
    lifetimes: Lifetimes,
    at: datetime,
    more: Mapping[str, Any] | None = None,
) -> str:
    """A signed access token for a caller."""
    claims = {
        "iss": lifetimes.issuer,
        "aud": TOKEN_AUDIENCE,
        "iat": int(at.timestamp()),
        "exp": int((at + lifetimes.access).timestamp()),
        "jti": new_id().hex,
        **claims_of(principal),
        **(more or {}),
    }
    return sign(claims, key=await signing_key(session, at=at))


async def signing_key(session: AsyncSession, *, at: datetime) -> SigningKey:
    """The key that signs now; the first is made when first needed, once also under many at the same moment."""
    key = await queries.current_signing_key(session)
    if key is None:
        await queries.lock_signing_keys(session)
        key = await queries.current_signing_key(session)
    if key is None:
        key = new_signing_key(at=at)
        session.add(key)
        await session.flush()
    return key


async def rotate_signing_key(session: AsyncSession, *, older_than: datetime, at: datetime) -> SigningKey:
    """Retire the key when it was made before `older_than` and sign with a new one from here on.

    The retired key stays published until the last token it signed has ended.
    """
    await queries.lock_signing_keys(session)
    key = await signing_key(session, at=at)
    if key.created_at >= older_than:
        return key
    key.retired_at = at
    key.published_until = at + KEY_STAYS_PUBLISHED
    await session.flush()
    successor = new_signing_key(at=at)
    session.add(successor)
    await session.flush()
    return successor


async def published_keys(session: AsyncSession, *, at: datetime) -> dict[str, list[dict[str, Any]]]:
    """The public keys by which tokens are verified, as a JSON Web Key Set (RFC 7517).

    Never empty: a verifier that fetched an empty set would refuse the first tokens until it asks again.
    """
    await signing_key(session, at=at)
    keys = await queries.published_signing_keys(session, at=at)
    return {"keys": [key.public_jwk for key in keys]}


async def prune(session: AsyncSession, *, at: datetime) -> None:
    """Forget what can no longer be used. Used refresh tokens stay as long as their session, to notice reuse."""
    for statement in (
        "DELETE FROM sessions WHERE expires_at < :at",
        "DELETE FROM signing_keys WHERE published_until < :at",
        "DELETE FROM invitations WHERE expires_at < :at",
    ):
        await session.execute(text(statement), {"at": at})
