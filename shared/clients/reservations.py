"""Calling `suppliers` to hold goods and let them go."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from shared.clients.transport import ServiceClient
from shared.contracts.reservations import (
    ReleaseAnswer,
    ReleaseRequest,
    ReleaseResult,
    ReserveAnswer,
    ReserveBasket,
    ReserveRequest,
    ReserveResult,
    ReserveResultPlain,
)


class ReservationsClient:
    """Reservations of `suppliers`, for `orders`."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def reserve(self, *, baskets: Sequence[ReserveBasket], timeout_seconds: float = 10) -> list[ReserveResult]:
        """Hold each basket whole or not at all; the results in the order asked.

        After ServiceUnknown ask again with the same reservation ids: what was held is told, not held twice.
        What nobody asks about again expires by itself.

        Raises:
            ServiceRefused: MalformedRequest.
            ServiceUnknown, ServiceAway.
        """
        body = ReserveRequest(baskets=list(baskets)).model_dump(mode="json")
        answer = await self._service.call("POST", "/suppliers/reservations", body=body, timeout_seconds=timeout_seconds)
        return ReserveAnswer.model_validate_json(answer.content).results

    async def reserve_plain(
        self, *, baskets: Sequence[Mapping[str, Any]], timeout_seconds: float = 10
    ) -> list[ReserveResultPlain]:
        """As `reserve`, with baskets and results as JSON says them: for placing orders, where models cost too much.

        Raises: as `reserve`.
        """
        answer = await self._service.call(
            "POST", "/suppliers/reservations", body={"baskets": baskets}, timeout_seconds=timeout_seconds
        )
        results: list[ReserveResultPlain] = orjson.loads(answer.content)["results"]
        return results

    async def release(self, *, reservation_ids: Sequence[UUID]) -> list[ReleaseResult]:
        """Let go what no order took; harmless when it is gone already, and for what an order has taken.

        Raises:
            ServiceUnknown, ServiceAway: they expire by themselves.
        """
        body = ReleaseRequest(reservation_ids=list(reservation_ids)).model_dump(mode="json")
        answer = await self._service.call("POST", "/suppliers/reservations/release", body=body)
        return ReleaseAnswer.model_validate_json(answer.content).results
