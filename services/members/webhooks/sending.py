"""One attempt: resolve, judge every address found, connect to one of those, sign, send, read a little of the answer.

The name is resolved here and the connection goes to the address that was judged, so that a name which answers
differently the next moment (DNS rebinding) reaches nothing. TLS still proves the name. Nothing else is followed: no
redirect, no proxy of the environment, no cookie, no compressed answer.
"""

import asyncio
import functools
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from ssl import SSLContext, create_default_context

import httpx
import orjson
from standardwebhooks import Webhook

from services.members.webhooks.addresses import Fault, Policy, Target, read_url, resolved_fault
from services.members.webhooks.outbox import Claimed, Outcome

ATTEMPT_SECONDS = 5.0
ANSWER_BYTES = 2048
ADDRESSES_TRIED = 3
_AGENT = "Dougong-Webhooks/1"

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host; none when it has none."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """By the system's resolver; IPv4 first, which every network carries."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return []
    addresses = dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found)
    return sorted(addresses, key=lambda address: ":" in address)


@functools.cache
def _authorities() -> SSLContext:
    """Read once, and only where something is sent."""
    return create_default_context()


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """A target and the addresses it may be called at."""

    target: Target
    addresses: Sequence[str]


class UrlRefused(Exception):  # noqa: N818 - an answer, not a fault
    """The address is not one we call."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Sends webhooks under one policy."""

    policy: Policy = field(default_factory=Policy)
    resolve: Resolve = resolve
    tls: SSLContext | None = None
    """What proves a receiver's name; none: the authorities of the system."""
    attempt_seconds: float = ATTEMPT_SECONDS

    async def check(self, url: str) -> Checked:
        """Raises UrlRefused."""
        target = read_url(url, self.policy)
        if isinstance(target, Fault):
            raise UrlRefused(target)
        literal = target.literal
        try:
            async with asyncio.timeout(self.attempt_seconds):
                found = [str(literal)] if literal is not None else await self.resolve(target.host, target.port)
        except TimeoutError:
            found = []
        fault = resolved_fault(target, found, self.policy)
        if fault is not None:
            raise UrlRefused(fault)
        return Checked(target=target, addresses=found)

    async def send(self, claimed: Claimed, *, at: datetime) -> Outcome:
        """Make the attempt; whatever goes wrong is its outcome."""
        loop = asyncio.get_running_loop()
        begun = loop.time()

        def outcome(**known: int | str | None) -> Outcome:
            return Outcome(ms=int((loop.time() - begun) * 1000), **known)  # type: ignore[arg-type]

        try:
            async with asyncio.timeout(self.attempt_seconds):
                checked = await self.check(claimed.url)
                status, answer = await self._post(checked, claimed, at=at)
        except UrlRefused as refused:
            return outcome(fault=f"{refused.fault.rule}: {refused.fault.message}")
        except TimeoutError:
            return outcome(fault=f"No complete answer within {self.attempt_seconds:g} s.")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return outcome(fault=f"No answer: {type(error).__name__}.")
        if 300 <= status < 400:
            return outcome(http_status=status, answer=answer, fault=f"Answered {status}; redirects are not followed.")
        return outcome(http_status=status, answer=answer)

    async def _post(self, checked: Checked, claimed: Claimed, *, at: datetime) -> tuple[int, str]:
        target, body = checked.target, message(claimed)
        host = f"[{target.host}]" if ":" in target.host else target.host
        usual = target.port == (443 if target.scheme == "https" else 80)
        headers = {
            "Host": host if usual else f"{host}:{target.port}",
            "Content-Type": "application/json",
            "User-Agent": _AGENT,
            "Accept-Encoding": "identity",
            **signed_headers(claimed, body, at=at),
        }
        # A client of its own for each attempt: no connection, cookie or certificate of one receiver meets another.
        async with httpx.AsyncClient(
            verify=self.tls or _authorities(), trust_env=False, follow_redirects=False, timeout=self.attempt_seconds
        ) as client:
            for place, address in enumerate(checked.addresses[:ADDRESSES_TRIED], start=1):
                try:
                    return await self._exchange(client, target, address, headers=headers, body=body)
                except (httpx.ConnectError, httpx.ConnectTimeout):
                    if place == min(len(checked.addresses), ADDRESSES_TRIED):
                        raise
        raise AssertionError

    async def _exchange(
        self, client: httpx.AsyncClient, target: Target, address: str, *, headers: dict[str, str], body: bytes
    ) -> tuple[int, str]:
        literal = f"[{address}]" if ip_address(address).version == 6 else address
        kept = bytearray()
        async with client.stream(
            "POST",
            f"{target.scheme}://{literal}:{target.port}{target.path}",
            content=body,
            headers=headers,
            extensions={"sni_hostname": target.host},
        ) as answer:
            async for part in answer.aiter_raw():
                kept += part
                if len(kept) >= ANSWER_BYTES:
                    break
        told = bytes(kept[:ANSWER_BYTES]).decode(errors="replace").replace("\x00", "�")
        return answer.status_code, told


def message(claimed: Claimed) -> bytes:
    """The body: what happened, to what, when, and where to read more. The same for every attempt."""
    return orjson.dumps(
        {
            "id": str(claimed.id),
            "type": claimed.type,
            "timestamp": claimed.occurred_at.isoformat(),
            "data": {
                "subject_id": claimed.subject_id,
                "path": claimed.path,
                "company_id": str(claimed.company_id),
                **claimed.told,
            },
        }
    )


def signed_headers(claimed: Claimed, body: bytes, *, at: datetime) -> dict[str, str]:
    """The three headers of Standard Webhooks; while a secret is being changed over both sign."""
    webhook_id = str(claimed.id)
    signatures = [Webhook(secret).sign(webhook_id, at, body.decode()) for secret in claimed.secrets]
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
