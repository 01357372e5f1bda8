"""One plain ASGI layer around every service: request id, access log, metrics, size limit, security headers.

A `BaseHTTPMiddleware` would cost more than the rest of a small request together, so this is none.
"""

import re
import time
from contextvars import ContextVar
from uuid import uuid4

import orjson
from prometheus_client import Counter, Histogram
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import PROBLEM_JSON, Refusal, problem_of
from shared.logs import log

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request being served; calls to other services carry it on."""

_SENT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]

REQUESTS = Counter("dougong_http_requests_total", "Requests by route and status", ["service", "route", "status"])
SECONDS = Histogram(
    "dougong_http_request_seconds",
    "Time to answer",
    ["service", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
)


class BodyTooLarge(HTTPException):
    """The request's body exceeds the limit. FastAPI lets an HTTPException pass while it reads a body."""

    def __init__(self, limit: int) -> None:
        super().__init__(413, f"The body is larger than the {limit} bytes this route takes.")


class InternalFault(Refusal):
    """A fault on our side; the request id finds it in the logs."""

    status = 500
    title = "Internal fault"


def _fault(scope: Scope, identifier: str) -> Response:
    refusal = InternalFault("A fault on our side; the request id finds it in the logs.")
    body = problem_of(refusal, instance=scope["path"], request_id=identifier)
    return Response(orjson.dumps(body), refusal.status, media_type=PROBLEM_JSON)


class Manners:
    """See the module. A route may raise its own limit with `openapi_extra={"x-body-limit": bytes}`."""

    def __init__(self, app: ASGIApp, *, service: str, body_limit_bytes: int) -> None:
        self.app = app
        self.service = service
        self.body_limit_bytes = body_limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        identifier = _request_id(scope)
        token = request_id.set(identifier)
        scope.setdefault("state", {})["request_id"] = identifier
        started = time.perf_counter()
        status, started_answer = 500, False

        async def send_with_headers(message: Message) -> None:
            nonlocal status, started_answer
            if message["type"] == "http.response.start":
                status, started_answer = message["status"], True
                headers = message["headers"] = list(message.get("headers", ()))
                headers.append((b"x-request-id", identifier.encode()))
                present = {name for name, _ in headers}
                headers.extend(pair for pair in _SECURITY_HEADERS if pair[0] not in present)
            await send(message)

        try:
            await self.app(scope, self._limited(scope, receive), send_with_headers)
        except Exception as error:
            log.error("internal_fault", request_id=identifier, path=scope["path"], exc_info=error)
            if started_answer:
                raise
            await _fault(scope, identifier)(scope, receive, send_with_headers)
        finally:
            request_id.reset(token)
            self._record(scope, identifier, status, time.perf_counter() - started)

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        received = 0
        declared = next((int(v) for k, v in scope["headers"] if k == b"content-length" and v.isdigit()), 0)

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                limit = self._limit(scope)
                if received > limit or declared > limit:
                    raise BodyTooLarge(limit)
            return message

        return limited

    def _limit(self, scope: Scope) -> int:
        extra = getattr(scope.get("route"), "openapi_extra", None) or {}
        return int(extra.get("x-body-limit", self.body_limit_bytes))

    def _record(self, scope: Scope, identifier: str, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unmatched")
        REQUESTS.labels(self.service, route, str(status)).inc()
        SECONDS.labels(self.service, route).observe(seconds)
        if not scope["path"].startswith(("/health", "/metrics")):
            principal = scope.get("state", {}).get("principal")
            log.info(
                "request",
                request_id=identifier,
                method=scope["method"],
                path=scope["path"],
                status=status,
                ms=round(seconds * 1000, 1),
                caller=str(principal.subject) if principal else None,
            )


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            sent = value.decode("latin-1")
            if _SENT_ID.fullmatch(sent):
                return str(sent)
    return uuid4().hex
