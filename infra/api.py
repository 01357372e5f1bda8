"""The product's own HTTP API, as the command line and the seeding use it: plain calls, plain refusals."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from ssl import PROTOCOL_TLS_CLIENT, SSLContext
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx

_RETRIED = (httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.BAD_GATEWAY, httpx.codes.GATEWAY_TIMEOUT)
_ATTEMPTS = 5
_LONGEST_PAUSE_SECONDS = 10.0


class Refused(Exception):  # noqa: N818 - it is an answer, not a fault
    """A service answered no; carries its problem+json."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.problem = dict(problem)
        self.code = str(problem.get("code", ""))
        self.detail = str(problem.get("detail") or problem.get("title") or f"HTTP {status}")
        self.errors: list[dict[str, Any]] = list(problem.get("errors") or [])
        super().__init__(self.detail)


class Unreachable(Exception):  # noqa: N818 - its text is the sentence the user reads
    """A service does not answer at its address."""

    def __init__(self, service: str, address: str, why: str) -> None:
        self.service = service
        super().__init__(f"{service} does not answer at {address} ({why}). Is it running? `dougong up` starts it.")


class TokenSource(Protocol):
    """Gives an access token; asked again with `renew` when one was refused."""

    def token(self, *, renew: bool = False) -> str: ...


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: httpx.Headers = field(repr=False)
    body: Any


class Api:
    """All four services, told apart by the first part of the path: `/orders/baskets` goes to orders."""

    def __init__(
        self,
        addresses: Mapping[str, str],
        *,
        tokens: TokenSource | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.addresses = dict(addresses)
        self._tokens = tokens
        parts = [urlsplit(address) for address in addresses.values()]
        local = all(part.hostname in {"127.0.0.1", "localhost"} for part in parts)
        encrypted = any(part.scheme == "https" for part in parts)
        self._client = httpx.Client(
            timeout=httpx.Timeout(60.0, connect=5.0),
            trust_env=not local,
            verify=True
            if encrypted
            else SSLContext(PROTOCOL_TLS_CLIENT),  # reading the authorities takes longer than a whole call
            transport=transport,
        )

    def signed_in(self, tokens: TokenSource) -> "Api":
        """The same services for another caller, over the same connections."""
        other = object.__new__(Api)
        other.addresses, other._tokens, other._client = self.addresses, tokens, self._client
        return other

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, **params: Any) -> Answer:
        """Read one thing."""
        return self.call("GET", path, params={name: value for name, value in params.items() if value is not None})

    def pages(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        """Read a list to its end, following `Link: rel=next`."""
        answer = self.get(path, **params)
        while True:
            yield from answer.body if isinstance(answer.body, list) else answer.body["items"]
            following = httpx.Response(200, headers=answer.headers).links.get("next", {}).get("url")
            if not following:
                return
            parts = urlsplit(following)
            answer = self.call("GET", f"{parts.path}?{parts.query}")

    def post(self, path: str, body: Any = None, *, key: str | None = None, version: str | None = None) -> Answer:
        """Do something once: the key makes a repetition harmless."""
        headers = {}
        if key is not None:
            headers["Idempotency-Key"] = key
        if version is not None:
            headers["If-Match"] = version
        return self.call("POST", path, json=body, headers=headers)

    def download(self, path: str, into: Path, /, **params: Any) -> httpx.Headers:
        """Write an answer to a file as it comes, through a file beside it: `into` is whole or not there.

        Raises:
            Refused, Unreachable: as `call`.
        """
        service = path.split("/")[1]
        headers = {} if self._tokens is None else {"Authorization": f"Bearer {self._tokens.token()}"}
        wanted = {name: value for name, value in params.items() if value is not None}
        fresh = into.with_name(f"{into.name}.part")
        try:
            with self._client.stream("GET", self.addresses[service] + path, params=wanted, headers=headers) as response:
                if not response.is_success:
                    response.read()
                    _answer(response)
                with fresh.open("wb") as file:
                    for chunk in response.iter_bytes():
                        file.write(chunk)
        except httpx.TransportError as problem:
            raise Unreachable(service, self.addresses[service], str(problem) or type(problem).__name__) from problem
        fresh.replace(into)
        return response.headers

    def is_ready(self, service: str) -> bool | None:
        """Whether a service can work now; None when it does not answer."""
        try:
            return self._client.get(f"{self.addresses[service]}/health/ready", timeout=5.0).is_success
        except httpx.TransportError:
            return None

    def call(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **request: Any,
    ) -> Answer:
        """One call, repeated while a service is busy or lost when repeating it is harmless.

        Raises:
            Refused: the service answered no.
            Unreachable: no answer.
        """
        service = path.split("/")[1]
        address = self.addresses[service]
        asked = dict(headers or {})
        again = method in {"GET", "PUT"} or "Idempotency-Key" in asked
        again = again and "content" not in request
        if timeout is not None:
            request["timeout"] = timeout
        renewed = False
        for attempt in range(1, _ATTEMPTS + 1):
            if self._tokens is not None:
                asked["Authorization"] = f"Bearer {self._tokens.token()}"
            try:
                response = self._client.request(method, address + path, headers=asked, **request)
            except httpx.TransportError as problem:
                if not again or attempt == _ATTEMPTS or isinstance(problem, httpx.ConnectError):
                    raise Unreachable(service, address, str(problem) or type(problem).__name__) from problem
                time.sleep(0.2 * 2**attempt)
                continue
            if response.status_code == httpx.codes.UNAUTHORIZED and self._tokens and not renewed and again:
                self._tokens.token(renew=True)
                renewed = True
                continue
            if response.status_code in _RETRIED and again and attempt < _ATTEMPTS:
                time.sleep(_pause(response, attempt))
                continue
            return _answer(response)
        raise AssertionError


def _pause(response: httpx.Response, attempt: int) -> float:
    asked = response.headers.get("Retry-After", "")
    seconds = float(asked) if asked.isdigit() else 0.2 * 2**attempt
    return min(seconds, _LONGEST_PAUSE_SECONDS)


def _answer(response: httpx.Response) -> Answer:
    kind = response.headers.get("Content-Type", "")
    body = response.json() if "json" in kind and response.content else response.text
    if response.is_success:
        return Answer(response.status_code, response.headers, body)
    if isinstance(body, dict):
        raise Refused(response.status_code, body)
    raise Refused(response.status_code, {"title": response.reason_phrase, "detail": str(body)[:500]})
