"""A company with endpoints, a receiver on this machine, and a clock that a test turns."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import CursorResult, text

from services.members.reactions import REACTIONS
from services.members.webhooks.addresses import Policy
from services.members.webhooks.jobs import Deliverer
from services.members.webhooks.rules import EventType
from services.members.webhooks.sending import Sender
from shared.database import Database, transaction
from shared.feed import Event
from shared.follower import FeedPage, Follower
from shared.ids import new_id
from tests.members.conftest import CreateApp, World, admin_of

OPEN = Policy(open_hosts=frozenset({"127.0.0.1", "receiver.example", "localhost"}))
ALL_TYPES = [each.value for each in EventType]


@dataclass
class Heard:
    """One request that arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


Reply = bytes | Callable[[Heard, asyncio.StreamWriter], Any]


def answer(status: int, body: bytes = b"", *more: str) -> bytes:
    head = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close", *more]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


@dataclass
class Receiver:
    """A server that answers as told: `replies` one after the other, then `reply`."""

    port: int = 0
    heard: list[Heard] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    reply: Reply = field(default_factory=lambda: answer(204))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            heard = Heard(head[0].split(" ")[1], headers, body)
            self.heard.append(heard)
            reply = self.replies.pop(0) if self.replies else self.reply
            if callable(reply):
                await reply(heard, writer)
            else:
                writer.write(reply)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


class ListedFeed:
    """A feed that holds these events."""

    def __init__(self, listed: Sequence[Event]) -> None:
        self.listed = list(listed)

    async def page(self, *, after: str, limit: int, wait: float) -> FeedPage:
        start = next((n for n, event in enumerate(self.listed, 1) if event.position == after), 0)
        shown = self.listed[start : start + limit]
        position = shown[-1].position if shown else after
        return FeedPage(events=shown, position=position, as_of=datetime.now(UTC), caught_up=len(shown) < limit)


@dataclass
class Office:
    """A company's webhooks through the API, and the worker's side of them on a clock of the test's."""

    world: World
    database: Database
    sender: Sender = field(default_factory=lambda: Sender(policy=OPEN))
    now: datetime = field(default_factory=lambda: datetime.now(UTC) + timedelta(seconds=5))
    events: int = 0

    def path(self, company: UUID, rest: str = "") -> str:
        return f"/members/companies/{company}/webhooks{rest}"

    async def post(self, company: UUID, rest: str, body: Any = None, *, as_: Any = None) -> httpx.Response:
        return await self.world.post(self.path(company, rest), body, as_=as_ or admin_of(company))

    async def get(self, company: UUID, rest: str = "", *, as_: Any = None, **params: Any) -> httpx.Response:
        return await self.world.http.get(
            self.path(company, rest), headers=as_ or admin_of(company), params=params or None
        )

    async def endpoint(self, company: UUID, url: str, *types: str) -> dict[str, Any]:
        answered = await self.post(company, "", {"url": url, "event_types": list(types) or ALL_TYPES})
        assert answered.status_code == 201, answered.text
        made: dict[str, Any] = answered.json()
        return made

    async def deliveries(self, company: UUID, endpoint: dict[str, Any], **params: Any) -> list[dict[str, Any]]:
        answered = await self.get(company, f"/{endpoint['id']}/deliveries", **params)
        assert answered.status_code == 200, answered.text
        listed: list[dict[str, Any]] = answered.json()
        return listed

    async def delivery(self, company: UUID, endpoint: dict[str, Any]) -> dict[str, Any]:
        [only] = await self.deliveries(company, endpoint)
        return only

    def event(self, source: str, what: str, data: dict[str, Any], *, subject: str = "x", at: Any = None) -> Event:
        self.events += 1
        return Event(
            id=new_id(),
            source=source,
            type=f"dev.dougong.{source}.{what}.v1",
            subject=subject,
            time=at or self.now,
            data=data,
            position=f"1-{self.events}",
        )

    def order_changed(self, buyer: UUID, supplier: UUID, **more: Any) -> Event:
        order = str(new_id())
        data = {"order_id": order, "buyer_id": str(buyer), "supplier_id": str(supplier), **more}
        return self.event("orders", "order.changed", data, subject=order)

    async def follow(self, *events: Event) -> None:
        """Let the worker follow a feed that holds exactly these."""
        feed = ListedFeed(events)
        source = events[0].source
        follower = Follower(
            source=source, feed=feed, sessions=self.database.system, reactions=REACTIONS[source], page_size=100
        )
        await follower.step()

    @property
    def deliverer(self) -> Deliverer:
        return Deliverer(sessions=self.database.system, sender=self.sender, now=lambda: self.now)

    async def later(self, **wait: float) -> int:
        """Turn the clock and send what is due then."""
        self.now += timedelta(**wait)
        return await self.deliverer.round()

    async def sql(self, statement: str, **values: Any) -> list[Any]:
        async with transaction(self.database.system) as session:
            found = cast("CursorResult[Any]", await session.execute(text(statement), values))
            return list(found.all()) if found.returns_rows else []


@pytest.fixture
def office(create_members: CreateApp, http_to: Callable[[FastAPI], httpx.AsyncClient], database: Database) -> Office:
    app = create_members(webhook_http_hosts=["127.0.0.1", "receiver.example"])
    return Office(World(http=http_to(app)), database)
