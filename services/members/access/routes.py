"""HTTP of sessions, the token endpoint and the public keys."""

from datetime import timedelta

from fastapi import Request, Response

from services.members.access import actions, client_actions
from services.members.access.actions import (
    Lifetimes,
    NoActiveMembership,
    NotAMember,
    RefreshTokenReused,
    SessionOver,
    SignedIn,
    SignInRefused,
)
from services.members.access.client_actions import OAuthRefusal
from services.members.access.oauth import OPENAPI, client_request, refusal_response
from services.members.access.schemas import KeySetView, Refresh, SignIn, SigningKeyView
from services.members.access.signing import session_named_in
from services.members.dependencies import Configured, Network, PasswordChecks, SystemSessions
from services.members.people import attempts
from services.members.people import queries as people_queries
from services.members.people.actions import renew_hash
from services.members.people.attempts import TooManyAttempts, account_key, network_key
from services.members.people.routes import choice_of
from services.members.settings import Settings
from shared import idempotency
from shared.contracts.members import SessionAnswer, TokenAnswer
from shared.database import SystemSession, transaction
from shared.errors import refusals
from shared.http import Now
from shared.http import router as house_router
from shared.identity import Caller, Credentials, Operator, Visitor

router = house_router("/members", tag="access")


def _lifetimes(settings: Settings) -> Lifetimes:
    return Lifetimes(
        issuer=settings.issuer,
        access=timedelta(seconds=settings.access_token_seconds),
        refresh=timedelta(days=settings.refresh_token_days),
        session=timedelta(days=settings.session_days),
    )


def _answer(signed_in: SignedIn, settings: Settings) -> SessionAnswer:
    return SessionAnswer(
        access_token=signed_in.access_token,
        expires_in=settings.access_token_seconds,
        refresh_token=signed_in.refresh_token,
        refresh_expires_at=signed_in.refresh_expires_at,
        person_id=signed_in.person.id,
        name=signed_in.person.name,
        company=choice_of(*signed_in.chosen),
        companies=[choice_of(*pair) for pair in signed_in.standing],
    )


@router.post(
    "/sessions",
    status_code=201,
    summary="Sign in",
    responses=refusals(SignInRefused, NoActiveMembership, NotAMember, TooManyAttempts),
    openapi_extra=idempotency.EXEMPT,
)
async def sign_in(
    *,
    body: SignIn,
    _: Visitor,
    sessions: SystemSessions,
    passwords: PasswordChecks,
    settings: Configured,
    network: Network,
    now: Now,
) -> SessionAnswer:
    """An access token for ten minutes and a refresh token for the next one.

    Wrong passwords are counted by account and by network; past the limit the answer is 429 with `Retry-After`,
    whether the account exists or not.
    """
    account = account_key(body.email)
    limits = {account: settings.account_limit, network_key(network): settings.network_limit}
    async with transaction(sessions) as session:
        await attempts.count(session, limits=limits, at=now)
    async with transaction(sessions) as session:
        person = await people_queries.person_by_email_anywhere(session, email=body.email)
        credential = await people_queries.credential(session, person_id=person.id) if person else None
    stored = credential.password_hash if credential else None
    given = body.password.get_secret_value()
    right = await passwords.check(password=given, stored=stored)
    if not right or person is None or stored is None:
        raise SignInRefused("The e-mail address or the password is wrong.")
    fresh_hash = await passwords.hash(given) if passwords.is_outdated(stored) else None
    async with transaction(sessions) as session:
        await attempts.take_back(session, account=account, network=network_key(network))
    async with transaction(sessions) as session:
        signed_in = await actions.begin_session(
            session,
            person_id=person.id,
            password_hash=stored,
            company_id=body.company_id,
            lifetimes=_lifetimes(settings),
            at=now,
        )
        if fresh_hash is not None:
            await renew_hash(session, person_id=person.id, password_hash=fresh_hash)
    return _answer(signed_in, settings)


@router.post(
    "/sessions/refresh",
    status_code=201,
    summary="Get the next tokens",
    responses=refusals(SessionOver, RefreshTokenReused, NoActiveMembership, NotAMember),
    openapi_extra=idempotency.EXEMPT,
)
async def refresh(body: Refresh, _: Visitor, sessions: SystemSessions, settings: Configured, now: Now) -> SessionAnswer:
    """A refresh token is good for one use. Used twice, also by two requests at the same moment, it shows that
    somebody has a copy: the whole session is ended. `company_id` changes whom the person acts for.
    Send no Authorization header with it: an access token that is over would be refused first."""
    async with transaction(sessions) as session:
        outcome = await actions.refresh_session(
            session,
            refresh_token=body.refresh_token,
            company_id=body.company_id,
            lifetimes=_lifetimes(settings),
            at=now,
        )
    if isinstance(outcome, RefreshTokenReused):
        raise outcome
    return _answer(outcome, settings)


@router.delete("/sessions/current", status_code=204, summary="Sign out")
async def sign_out(caller: Caller, credentials: Credentials, session: SystemSession, now: Now) -> None:
    """Ends the session the access token was issued in: no refresh any more. The access token itself, which other
    services verify offline, ends by itself within ten minutes."""
    session_id = session_named_in(credentials.credentials) if credentials else None
    if session_id is not None:
        await actions.end_session(session, session_id=session_id, person_id=caller.subject, at=now)


@router.post(
    "/token",
    summary="Token for an API client",
    response_model=TokenAnswer,
    openapi_extra={**idempotency.EXEMPT, **OPENAPI},
)
async def token(
    request: Request, _: Visitor, sessions: SystemSessions, settings: Configured, network: Network, now: Now
) -> Response:
    """OAuth2 client credentials (RFC 6749 4.4): `client_id` and `client_secret` by HTTP Basic or in the form.
    The token ends after `expires_in` seconds, never later than the client itself.

    Refusals have the RFC's own shape: `{"error": "invalid_client", "error_description": "…"}`.
    """
    try:
        asked = await client_request(request)
        async with transaction(sessions) as session:
            granted = await client_actions.grant(
                session, client_id=asked.client_id, secret=asked.client_secret, requested=asked.scopes, at=now
            )
            lifetimes = _lifetimes(settings).access_until(granted.until, at=now)
            access_token = await actions.issue(session, principal=granted.principal, lifetimes=lifetimes, at=now)
    except OAuthRefusal as refusal:
        if refusal.error == "invalid_client":
            try:
                async with transaction(sessions) as session:
                    limits = {network_key(network): settings.network_limit}
                    await attempts.count(session, limits=limits, at=now)
            except TooManyAttempts as throttled:
                return refusal_response(OAuthRefusal("too_many_requests", throttled.detail), headers=throttled.headers)
        return refusal_response(refusal)
    answer = TokenAnswer(
        access_token=access_token,
        expires_in=int(lifetimes.access.total_seconds()),
        scope=" ".join(sorted(granted.scopes)),
    )
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    return Response(answer.model_dump_json(), 200, headers, media_type="application/json")


@router.get("/jwks.json", summary="Keys that verify access tokens")
async def jwks(_: Visitor, session: SystemSession, now: Now, response: Response) -> KeySetView:
    """Fetch them again when a token names a key that is not among them."""
    response.headers["Cache-Control"] = "public, max-age=60"
    return KeySetView.model_validate(await actions.published_keys(session, at=now))


@router.post("/signing-keys/rotate", status_code=201, summary="Sign with a new key")
async def rotate_signing_key(_: Operator, session: SystemSession, now: Now) -> SigningKeyView:
    """The key before stays published until its last token has ended. The worker does this every thirty days."""
    key = await actions.rotate_signing_key(session, older_than=now, at=now)
    return SigningKeyView(kid=key.kid, created_at=key.created_at)
