"""Holding goods at `suppliers`: one call carries the baskets that arrived while the call before was under way."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from services.orders.purchase_orders.rules import LINES_AT_MOST
from shared.batching import GroupCommit
from shared.clients.transport import ServiceRefused
from shared.contracts.reservations import BASKETS_AT_MOST, ReserveResultPlain
from shared.errors import Unavailable
from shared.logs import log

Wanted = Mapping[str, Any]
"""One basket of `shared.contracts.reservations.ReserveBasket`, as JSON."""


class Reservations(Protocol):
    """What `suppliers` does for us; `shared.clients.reservations.ReservationsClient`, or a fake."""

    async def reserve_plain(self, *, baskets: Sequence[Wanted], timeout_seconds: float) -> list[ReserveResultPlain]:
        """Raises ServiceUnknown, ServiceAway, ServiceRefused."""
        ...

    async def release(self, *, reservation_ids: Sequence[UUID]) -> Any:
        """Raises ServiceUnknown, ServiceAway."""
        ...


class Reserving:
    """One per process."""

    def __init__(self, reservations: Reservations, *, timeout_seconds: float, baskets_at_once: int) -> None:
        self._reservations = reservations
        self._timeout_seconds = timeout_seconds
        self._baskets: GroupCommit[Wanted, ReserveResultPlain] = GroupCommit(
            self._flush, max_batch=min(baskets_at_once, BASKETS_AT_MOST)
        )

    async def hold(self, basket: Wanted) -> ReserveResultPlain:
        """Hold a basket's goods, all or none. Repeated under the same id it is the same reservation.

        Raises:
            ServiceUnknown, ServiceAway, ServiceRefused.
        """
        return await self._baskets.submit(basket)

    async def let_go(self, reservation_id: UUID) -> None:
        """Give back what certainly no order took; a failure is logged, for the hold then expires by itself."""
        try:
            await self._reservations.release(reservation_ids=[reservation_id])
        except (Unavailable, ServiceRefused) as error:
            log.warning("reservation_not_released", reservation_id=str(reservation_id), error=error.code)

    async def _flush(self, baskets: Sequence[Wanted]) -> Sequence[ReserveResultPlain | Exception]:
        results: list[ReserveResultPlain | Exception] = []
        for part in _portions(baskets):
            results += await self._reserve(part)
        return results

    async def _reserve(self, baskets: Sequence[Wanted]) -> Sequence[ReserveResultPlain | Exception]:
        try:
            results = await self._reservations.reserve_plain(baskets=baskets, timeout_seconds=self._timeout_seconds)
        except Unavailable as error:
            return [error] * len(baskets)
        except ServiceRefused as error:
            if len(baskets) == 1:
                return [error]
            # One basket that `suppliers` cannot read must not refuse the others.
            return [result for basket in baskets for result in await self._reserve([basket])]
        return results


def _portions(baskets: Sequence[Wanted]) -> list[list[Wanted]]:
    """Calls of at most as many lines as `suppliers` takes at once."""
    portions: list[list[Wanted]] = []
    room = 0
    for basket in baskets:
        size = len(basket["lines"])
        if size > room:
            portions.append([])
            room = LINES_AT_MOST
        portions[-1].append(basket)
        room -= size
    return portions
