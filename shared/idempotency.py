"""Idempotency-Key on every POST: the same request twice has one effect and one answer (design.md rule 3).

The key, a hash of the request and the answer are stored in the business transaction, so they stand or fall
together with the effect. The same key with another request is refused (422); while the first is still running,
409. Refusals are not stored: nothing happened, and the next try is judged afresh.
"""

import hashlib
from datetime import timedelta
from uuid import UUID

import orjson
from fastapi import Request, Response
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.errors import Conflict, Unprocessable
from shared.identity import Principal

MAX_KEY_LENGTH = 200
KEPT_FOR = timedelta(days=7)
REPLAYED = "Idempotency-Replayed"
_KEPT_HEADERS = ("content-type", "location", "etag", "link")


class IdempotencyKeyMissing(Unprocessable):
    """Every POST needs an `Idempotency-Key` header: any text of at most 200 characters that names the intent."""

    status = 400


class IdempotencyKeyReused(Unprocessable):
    """This Idempotency-Key was used for another request."""


class RequestStillRunning(Conflict):
    """A request with this Idempotency-Key is running; ask again in a moment."""


class Replay(Exception):  # noqa: N818 - not an error: the answer is known already
    """The request was answered before; `response` is that answer."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def key_of(request: Request) -> str:
    """The request's key.

    Raises:
        IdempotencyKeyMissing: none, or one that cannot be stored.
    """
    key = request.headers.get("idempotency-key", "").strip()
    if not key or len(key) > MAX_KEY_LENGTH or not key.isprintable():
        raise IdempotencyKeyMissing(
            "Send an Idempotency-Key header (1-200 printable characters) that names what you want done once."
        )
    return key


def hash_of(request: Request, body: bytes) -> bytes:
    """What makes two requests the same: method, path, query and body."""
    line = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return hashlib.sha256(line + body).digest()


def replayed(*, status: int, headers: dict[str, str], body: bytes) -> Response:
    """A stored answer as a response that says it is one."""
    return Response(content=body, status_code=status, headers={**headers, REPLAYED: "true"})


def kept_headers(response: Response) -> dict[str, str]:
    """The headers of an answer that a replay repeats."""
    return {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}


EXEMPT = {"x-idempotency": "exempt"}
"""`openapi_extra` of the few POST routes that are safe to repeat without a key."""


def is_exempt(request: Request) -> bool:
    """Whether the route says that it needs no key."""
    extra = getattr(request.scope["route"], "openapi_extra", None) or {}
    return extra.get("x-idempotency") == "exempt"


class _Pending:
    """A key whose effect is under way in an open transaction."""

    def __init__(self, session: AsyncSession, scope_id: UUID, key: str, route: str, request_hash: bytes) -> None:
        self.session = session
        self.row = {"scope_id": scope_id, "key": key, "route": route, "request_hash": request_hash}


async def begin(session: AsyncSession, *, request: Request, principal: Principal | None) -> None:
    """Claim the request's key in this transaction.

    Raises:
        Replay: it was answered before.
        IdempotencyKeyMissing, IdempotencyKeyReused, RequestStillRunning: see the classes.
    """
    if request.method != "POST" or principal is None or is_exempt(request):
        return
    key = key_of(request)
    route = f"POST {request.scope['route'].path}"
    request_hash = hash_of(request, await request.body())
    scope_id = principal.scope_id
    claimed = await session.scalar(
        text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"{scope_id}:{key}"}
    )
    if not claimed:
        raise RequestStillRunning("A request with this Idempotency-Key is still running; ask again in a moment.")
    found = await session.execute(
        text(
            "SELECT route, request_hash, status, headers, body FROM idempotency_keys "
            "WHERE scope_id = :scope_id AND key = :key"
        ),
        {"scope_id": scope_id, "key": key},
    )
    row = found.one_or_none()
    if row is not None:
        check_same(stored=bytes(row.request_hash), now=request_hash)
        raise Replay(replayed(status=row.status, headers=row.headers, body=bytes(row.body)))
    request.state.idempotency = _Pending(session, scope_id, key, route, request_hash)


def check_same(*, stored: bytes, now: bytes) -> None:
    """Raises IdempotencyKeyReused when the stored request is another one."""
    if stored != now:
        raise IdempotencyKeyReused("This Idempotency-Key was used for another request; use a new key for a new intent.")


async def finish(request: Request, response: Response) -> None:
    """Store the answer in the transaction that holds its effect."""
    pending: _Pending | None = getattr(request.state, "idempotency", None)
    if pending is None:
        return
    stored = getattr(request.state, "stored_body", None)
    await pending.session.execute(
        text(
            "INSERT INTO idempotency_keys (scope_id, key, route, request_hash, status, headers, body) "
            "VALUES (:scope_id, :key, :route, :request_hash, :status, CAST(:headers AS jsonb), :body)"
        ),
        {
            **pending.row,
            "status": response.status_code,
            "headers": orjson.dumps(kept_headers(response)).decode(),
            "body": response.body if stored is None else stored,
        },
    )


def store_instead(request: Request, body: bytes) -> None:
    """Keep `body` for replays instead of the answer, which holds a secret shown once."""
    request.state.stored_body = body


async def prune(session: AsyncSession) -> int:
    """Forget keys older than `KEPT_FOR`; how many were forgotten."""
    pruned = await session.execute(
        text("DELETE FROM idempotency_keys WHERE created_at < now() - CAST(:kept AS interval) RETURNING 1"),
        {"kept": f"{KEPT_FOR.days} days"},
    )
    return len(pruned.all())
