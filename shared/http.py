"""What every service's HTTP side shares: the app, its errors, its manners."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Annotated, Any

import orjson
import psycopg
from fastapi import APIRouter, Depends, FastAPI, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from shared import clock, idempotency
from shared.audit import entries as audit
from shared.audit.refusals import Bound, record_refusal
from shared.database import Database
from shared.errors import (
    PROBLEM_JSON,
    Conflict,
    FieldError,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    Refusal,
    TooLarge,
    Unavailable,
    Unprocessable,
    problem_of,
    refusals,
)
from shared.identity import (
    RightMissing,
    TokenInvalid,
    TokenMissing,
    Verifier,
)
from shared.logs import configure_logs, log, told
from shared.memory import settle
from shared.middleware import BodyTooLarge, Manners
from shared.settings import ServiceSettings

Responses = dict[int | str, dict[str, Any]]


class MalformedRequest(Unprocessable):
    """The body, path or query does not have the shape this route takes; `errors` names each field and rule."""


class NoSuchRoute(NotFound):
    """There is nothing at this address."""


class MethodNotAllowed(Refusal):
    """This address does not take this method."""

    status = 405
    title = "Method not allowed"


class DatabaseBusy(Unavailable):
    """The database does not answer in time; repeat with the same Idempotency-Key."""


class ConcurrentChange(Conflict):
    """Another request changed the same rows at the same moment; repeat with the same Idempotency-Key."""


class VersionChanged(PreconditionFailed):
    """If-Match names another version than the present one: read it again, then decide."""


class VersionNeeded(PreconditionRequired):
    """Send `If-Match` with the ETag you last read."""


class HouseRoute(APIRoute):
    """A route that stores its answer under the request's Idempotency-Key, or replays a stored one.

    A command also leaves its entry in the audit log, in the same transaction.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                response = await handle(request)
            except idempotency.Replay as replay:
                return replay.response
            await idempotency.finish(request, response)
            await audit.finish(request, response)
            return response

        return handler


ALWAYS = (MalformedRequest, TokenMissing, TokenInvalid, RightMissing, DatabaseBusy)


class HouseRouter(APIRouter):
    """A router whose routes describe their own refusals beside those that every route may give."""

    def add_api_route(
        self, path: str, endpoint: Callable[..., Any], *, responses: Responses | None = None, **options: Any
    ) -> None:
        own = dict(responses or {})
        for status, common in refusals(*ALWAYS).items():
            examples = common["content"][PROBLEM_JSON]["examples"]
            if status in own:
                named = own[status].get("content", {}).get(PROBLEM_JSON, {}).get("examples", {})
                own[status] = {**common, "content": {PROBLEM_JSON: {"examples": {**examples, **named}}}}
            else:
                own[status] = common
        super().add_api_route(path, endpoint, responses=own, **options)


def router(prefix: str, *, tag: str) -> APIRouter:
    """A step's router."""
    return HouseRouter(prefix=prefix, tags=[tag], route_class=HouseRoute)


async def _now() -> datetime:
    return clock.now()


Now = Annotated[datetime, Depends(_now)]


async def _expected_version(if_match: Annotated[str | None, Header(examples=['"3"'])] = None) -> int:
    if if_match is None:
        raise VersionNeeded('Send If-Match with the ETag you last read, e.g. If-Match: "3".')
    digits = if_match.strip().removeprefix("W/").strip('"')
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise VersionChanged(f"If-Match {if_match} is not a version of this object.")
    return int(digits)


ExpectedVersion = Annotated[int, Depends(_expected_version)]


def check_version(*, expected: int, actual: int) -> None:
    """Raises VersionChanged when the object is no longer at the version the caller saw."""
    if expected != actual:
        raise VersionChanged(f'You saw version "{expected}"; it is now "{actual}". Read it again, then decide.')


def etag(version: int) -> str:
    """The ETag of a version."""
    return f'"{version}"'


def json_response(content: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer for hot paths: encoded once, no response model. Decimals must be text already."""
    return Response(orjson.dumps(content, default=str), status, headers, media_type="application/json")


def problem_response(request: Request, refusal: Refusal) -> Response:
    """A refusal as problem+json."""
    headers = dict(refusal.headers)
    if isinstance(refusal, Unavailable):
        headers.setdefault("Retry-After", "1")
    if refusal.status == 401:
        headers.setdefault("WWW-Authenticate", "Bearer")
    body = problem_of(refusal, instance=request.url.path, request_id=getattr(request.state, "request_id", None))
    return Response(orjson.dumps(body, default=str), refusal.status, headers, media_type=PROBLEM_JSON)


def _field(location: Sequence[str | int]) -> str:
    parts = [str(part) for part in location]
    if parts and parts[0] in {"body", "query", "path", "header"}:
        parts = parts[1:] or parts
    return ".".join(parts)


_RULES = {"missing": "Required", "extra_forbidden": "UnknownField", "json_invalid": "InvalidJson"}


def _malformed(error: RequestValidationError) -> MalformedRequest:
    errors: list[FieldError] = []
    for problem in error.errors()[:200]:
        kind = str(problem["type"])
        rule = _RULES.get(kind) or "".join(part.capitalize() for part in kind.split("_"))
        message = str(problem["msg"]).removeprefix("Value error, ")
        if kind in {"too_short", "too_long"} and isinstance(problem.get("input"), str):
            message = message.replace("items", "characters").replace(" item ", " character ")
        field = "body" if kind == "json_invalid" else _field(problem["loc"])
        if kind == "model_attributes_type" and isinstance(problem.get("input"), bytes):
            rule, message = "JsonExpected", "send JSON with the header Content-Type: application/json"
        told_error = FieldError(field=field, rule=rule, message=message)
        if told_error not in errors:  # a dependency that reads the body too would tell everything twice
            errors.append(told_error)
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return MalformedRequest(f"{first.field}: {first.message}{more}", errors=errors)


_TRY_AGAIN_STATES = frozenset({"40001", "40P01", "55P03"})
_BUSY_STATES = frozenset({"57014", "57P01", "57P02", "57P03", "53300", "25P03", "25P04"})


def _database_refusal(error: Exception) -> Refusal | None:
    """What a database error means to the caller; None for a fault of ours."""
    cause = getattr(error, "orig", None) or error
    state = getattr(cause, "sqlstate", None)
    if state in _TRY_AGAIN_STATES:
        return ConcurrentChange("Another request changed the same rows at the same moment; try again.")
    if isinstance(cause, psycopg.DataError):
        return MalformedRequest("A value is not one that can be stored: too large, too long or with a NUL character.")
    if isinstance(error, PoolTimeout) or getattr(error, "connection_invalidated", False) or state in _BUSY_STATES:
        return DatabaseBusy("The database does not answer in time; try again.")
    if state is None and isinstance(cause, psycopg.OperationalError):
        return DatabaseBusy("The database cannot be reached; try again.")
    return None


def add_problem_handlers(app: FastAPI) -> None:
    """Every error leaves as problem+json."""

    async def on_refusal(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)  # noqa: S101
        await record_refusal(request, error)
        return problem_response(request, error)

    async def on_malformed(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        malformed = _malformed(error)
        await record_refusal(request, malformed)
        return problem_response(request, malformed)

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        headers = dict(error.headers or {})
        if error.status_code == 404:
            refusal: Refusal = NoSuchRoute("There is nothing at this address.", headers=headers)
        elif error.status_code == 405:
            refusal = MethodNotAllowed(f"{request.method} is not taken here.", headers=headers)
        else:
            unreadable = FieldError(field="body", rule="InvalidJson", message=str(error.detail))
            refusal = MalformedRequest(f"body: {error.detail}", errors=[unreadable], headers=headers)
        return problem_response(request, refusal)

    async def on_too_large(request: Request, error: Exception) -> Response:
        assert isinstance(error, BodyTooLarge)  # noqa: S101
        too_large = TooLarge(str(error.detail))
        await record_refusal(request, too_large)
        return problem_response(request, too_large)

    async def on_database(request: Request, error: Exception) -> Response:
        refusal = _database_refusal(error)
        if refusal is None:
            raise error
        log.warning("database_error", error=told(error), code=refusal.code)
        return problem_response(request, refusal)

    app.add_exception_handler(Refusal, on_refusal)
    app.add_exception_handler(RequestValidationError, on_malformed)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(BodyTooLarge, on_too_large)
    app.add_exception_handler(DBAPIError, on_database)
    app.add_exception_handler(PoolTimeout, on_database)
    app.add_exception_handler(psycopg.Error, on_database)


def _health(app: FastAPI, database: Database) -> None:
    @app.get("/health/live", tags=["health"], summary="The process runs")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get(
        "/health/ready",
        tags=["health"],
        summary="The service can do its work",
        responses=refusals(DatabaseBusy),
    )
    async def ready() -> dict[str, str]:
        try:
            await database.ping()
        except (DBAPIError, PoolTimeout, OSError) as error:
            raise DatabaseBusy("The database does not answer.") from error
        return {"status": "ready"}

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def create_service(
    *,
    name: str,
    title: str,
    description: str,
    settings: ServiceSettings,
    database: Database,
    verifier: Verifier,
    routers: Sequence[APIRouter],
    closing: Sequence[Callable[[], Awaitable[None]]] = (),
    beside: Sequence[Callable[[], AbstractAsyncContextManager[None]]] = (),
) -> FastAPI:
    """One service's app: its routers under the manners all share. `closing` is called at shutdown; what stands
    `beside` is entered before the first request and left after the last."""
    configure_logs(service=name, level=settings.log_level)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(database.dispose)
            for close in closing:
                stack.push_async_callback(close)
            await database.check()
            for enter in beside:
                await stack.enter_async_context(enter())
            settle()
            yield

    app = FastAPI(
        title=title,
        description=description,
        version="1",
        lifespan=lifespan,
        openapi_url=f"/{name}/openapi.json",
        docs_url=f"/{name}/docs",
        redoc_url=None,
    )
    # The routes as they were built with their module. `include_router` would build each once more for every app, and
    # look for the right one twice in every request. They stand behind the description and its page, which a route
    # such as `/suppliers/{supplier_id}` would otherwise take for itself.
    app.router.routes.extend(route for part in routers for route in part.routes)
    app.state.database = database
    app.state.verifier = verifier
    app.state.settings = settings
    app.state.audit_bound = Bound()
    app.router.redirect_slashes = False
    add_problem_handlers(app)
    _health(app, database)
    app.add_middleware(Manners, service=name, body_limit_bytes=settings.body_limit_bytes)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=[
            "Authorization",
            "Content-Type",
            "Idempotency-Key",
            "If-Match",
            "Prefer",
            "X-Request-Id",
        ],
        expose_headers=["ETag", "Link", "Location", "Retry-After", "X-Request-Id", idempotency.REPLAYED],
    )
    return app
