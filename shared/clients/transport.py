"""How services reach each other: one HTTP client a process, the service's own token, failures told apart.

ServiceRefused      the other side said no: a problem with a code
ServiceUnknown      no answer came back: it may or may not have happened
ServiceAway         it certainly did not happen: no connection, or a 503 before any effect
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import httpx
import orjson
from httpx_aiohttp import HttpxAiohttpClient

from shared.errors import Refusal, Unavailable
from shared.middleware import request_id
from shared.settings import ServiceSettings

_TIMEOUT = httpx.Timeout(10.0, connect=2.0)
_RENEW_BEFORE_SECONDS = 60.0


class ServiceRefused(Refusal):
    """Another service refused; its code, status and problem are kept."""

    status = 502
    title = "Refused by another service"

    def __init__(self, problem: Mapping[str, Any], *, http_status: int) -> None:
        super().__init__(str(problem.get("detail", "Another service refused.")))
        self.problem = problem
        self.problem_code = str(problem.get("code", ""))
        self.http_status = http_status


class ServiceUnknown(Unavailable):
    """Another service did not answer in time; it may or may not have acted."""


class ServiceAway(Unavailable):
    """Another service cannot be reached now; nothing was done."""


class TokenSource:
    """This service's own access token, renewed before it ends (OAuth2 client credentials, RFC 6749 4.4)."""

    def __init__(self, http: httpx.AsyncClient, *, client_id: str, client_secret: str) -> None:
        self._http = http
        self._form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": client_secret,
        }
        self._token = ""
        self._ends_at = float("-inf")
        self._renewing = asyncio.Lock()

    async def token(self) -> str:
        """Raises ServiceAway, ServiceRefused."""
        if time.monotonic() < self._ends_at:
            return self._token
        async with self._renewing:
            if time.monotonic() >= self._ends_at:
                await self._renew()
        return self._token

    async def _renew(self) -> None:
        try:
            answer = await self._http.post("/members/token", data=self._form)
        except httpx.HTTPError as error:
            raise ServiceAway("members does not answer.") from error
        if answer.status_code != httpx.codes.OK:
            raise ServiceAway(f"members did not issue a token to this service ({answer.status_code}).")
        body = answer.json()
        self._token = body["access_token"]
        self._ends_at = time.monotonic() + float(body["expires_in"]) - _RENEW_BEFORE_SECONDS


class FixedToken:
    """A token that is known already, for tests and the command line."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self) -> str:
        return self._token


def http_client(base_url: str, *, timeout: httpx.Timeout = _TIMEOUT) -> httpx.AsyncClient:
    """One per process and service; httpx over aiohttp, which carries four times the calls of httpx's own."""
    return HttpxAiohttpClient(base_url=base_url, timeout=timeout, trust_env=False)


class ServiceClient:
    """Calls one other service."""

    def __init__(self, name: str, http: httpx.AsyncClient, tokens: TokenSource | FixedToken | None) -> None:
        self.name = name
        self.http = http
        self._tokens = tokens

    async def aclose(self) -> None:
        await self.http.aclose()

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float | None = None,
    ) -> httpx.Response:
        """One call.

        Raises:
            ServiceRefused, ServiceUnknown, ServiceAway: see the module.
        """
        sent = {"Content-Type": "application/json", **(headers or {})}
        if self._tokens is not None:
            sent["Authorization"] = f"Bearer {await self._tokens.token()}"
        if (identifier := request_id.get()) is not None:
            sent["X-Request-Id"] = identifier
        timeout = httpx.USE_CLIENT_DEFAULT if timeout_seconds is None else httpx.Timeout(timeout_seconds, connect=2.0)
        content = None if body is None else orjson.dumps(body, default=str)
        try:
            answer = await self.http.request(
                method, path, content=content, params=params, headers=sent, timeout=timeout
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise ServiceAway(f"{self.name} cannot be reached.") from error
        except httpx.HTTPError as error:
            raise ServiceUnknown(f"{self.name} did not answer in time.") from error
        if answer.is_success:
            return answer
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise ServiceUnknown(f"{self.name} failed ({answer.status_code}).")
        raise ServiceRefused(_problem(answer), http_status=answer.status_code)


def _problem(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        problem = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return {"code": "Unreadable", "detail": answer.text[:300]}
    return problem if isinstance(problem, dict) else {"code": "Unreadable"}


class Neighbours:
    """The HTTP clients and token of one service process."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._urls = {
            "members": settings.members_url,
            "catalog": settings.catalog_url,
            "suppliers": settings.suppliers_url,
            "orders": settings.orders_url,
        }
        self._clients: dict[str, httpx.AsyncClient] = {}
        self.tokens = TokenSource(
            self._http("members"), client_id=settings.client_id, client_secret=settings.client_secret
        )

    def _http(self, name: str) -> httpx.AsyncClient:
        if name not in self._clients:
            self._clients[name] = http_client(self._urls[name])
        return self._clients[name]

    def client(self, name: str) -> ServiceClient:
        """A client of another service, with this service's token."""
        return ServiceClient(name, self._http(name), self.tokens)

    async def fetch_keys(self) -> Any:
        """The public keys that verify access tokens. Raises ServiceAway."""
        answer = await ServiceClient("members", self._http("members"), None).call("GET", "/members/jwks.json")
        return answer.json()

    async def aclose(self) -> None:
        for client in self._clients.values():
            await client.aclose()
