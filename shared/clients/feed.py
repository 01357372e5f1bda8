"""Reading another service's feed."""

from datetime import datetime
from uuid import UUID

import orjson

from shared.clients.transport import ServiceClient
from shared.feed import Event
from shared.follower import FeedPage


class FeedClient:
    """Pages of one service's feed, over HTTP."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def page(self, *, after: str, limit: int, wait: float) -> FeedPage:
        """The events after a position. Raises ServiceAway, ServiceUnknown, ServiceRefused."""
        answer = await self._service.call(
            "GET",
            f"/{self._service.name}/feed",
            params={"after": after, "limit": limit, "wait": wait},
            timeout_seconds=wait + 10,
        )
        events = [
            Event(
                id=UUID(item["id"]),
                source=self._service.name,
                type=item["type"],
                subject=item["subject"],
                time=datetime.fromisoformat(item["time"]),
                data=item["data"],
                position=item["position"],
            )
            for item in orjson.loads(answer.content)
        ]
        return FeedPage(
            events=events,
            position=answer.headers["Feed-Position"],
            as_of=datetime.fromisoformat(answer.headers["Feed-As-Of"]),
            caught_up=answer.headers["Feed-Caught-Up"] == "true",
        )
