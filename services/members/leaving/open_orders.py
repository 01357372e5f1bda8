"""What a company has open at `orders`, asked with the token of the admin who wants to leave: `members` itself may not
look into anybody's orders."""

from typing import Protocol

import httpx

from shared.clients.transport import FixedToken, ServiceAway, ServiceClient
from shared.contracts.orders import OpenOrders


class OpenOrdersSource(Protocol):
    """Where open orders are known."""

    async def open_orders(self, *, token: str) -> OpenOrders:
        """Raises ServiceRefused, ServiceUnknown, ServiceAway."""
        ...


class OrdersService:
    """Asks `orders`."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def open_orders(self, *, token: str) -> OpenOrders:
        """The open orders of the token's company."""
        answer = await ServiceClient("orders", self._http, FixedToken(token)).call("GET", "/orders/open-orders")
        return OpenOrders.model_validate_json(answer.content)


class NobodyToAsk:
    """Stands where no `orders` is configured: who cannot be asked cannot say that nothing is open."""

    async def open_orders(self, *, token: str) -> OpenOrders:  # noqa: ARG002 - the port's shape
        """Raises ServiceAway."""
        raise ServiceAway("orders cannot be asked what is open.")
