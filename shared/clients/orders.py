"""Calling `orders`: for the command line, with a person's or a supplier's token."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from shared.clients.transport import ServiceClient
from shared.contracts.orders import (
    BasketBody,
    BasketPlacement,
    BuyerOrder,
    CancellationBody,
    DecisionBody,
    HistoryView,
    OrderSummary,
    OrdersUnderWay,
    ResponseBody,
    SupplierOrder,
)
from shared.contracts.projects import (
    DeliveryPointBody,
    DeliveryPointView,
    NewProjectBody,
    ProjectView,
    ProjectWithPoints,
)

_ORDER: TypeAdapter[BuyerOrder | SupplierOrder] = TypeAdapter(BuyerOrder | SupplierOrder)
_ORDERS = TypeAdapter(list[OrderSummary])
_PROJECTS = TypeAdapter(list[ProjectView])


class OrdersClient:
    """Every method raises ServiceRefused with the problem's code, ServiceUnknown or ServiceAway.

    `key` is the Idempotency-Key: after ServiceUnknown or ServiceAway call again with the same one.
    """

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def open_project(self, *, body: NewProjectBody, key: str) -> ProjectWithPoints:
        """Open a project with its first delivery points."""
        answer = await self._post("/orders/projects", body.model_dump(mode="json"), key=key)
        return ProjectWithPoints.model_validate_json(answer)

    async def projects(self, *, status: str | None = None, text: str | None = None) -> list[ProjectView]:
        """The newest 200 projects of the caller's company."""
        params = _given({"status": status, "text": text, "limit": 200})
        answer = await self._service.call("GET", "/orders/projects", params=params)
        return _PROJECTS.validate_json(answer.content)

    async def project(self, *, project_id: UUID) -> ProjectWithPoints:
        """A project with its delivery points."""
        answer = await self._service.call("GET", f"/orders/projects/{project_id}")
        return ProjectWithPoints.model_validate_json(answer.content)

    async def add_delivery_point(self, *, project_id: UUID, body: DeliveryPointBody, key: str) -> DeliveryPointView:
        """Add a place to deliver to."""
        path = f"/orders/projects/{project_id}/delivery-points"
        return DeliveryPointView.model_validate_json(await self._post(path, body.model_dump(mode="json"), key=key))

    async def place(self, *, body: BasketBody, key: str, timeout_seconds: float = 60) -> BasketPlacement:
        """Order a basket. A refusal (BasketRefused) tells every reason of every line in `problem["errors"]`."""
        answer = await self._post(
            "/orders/baskets", body.model_dump(mode="json"), key=key, timeout_seconds=timeout_seconds
        )
        return BasketPlacement.model_validate_json(answer)

    async def basket(self, *, basket_id: UUID) -> BasketPlacement:
        """A basket as it stands now."""
        answer = await self._service.call("GET", f"/orders/baskets/{basket_id}")
        return BasketPlacement.model_validate_json(answer.content)

    async def orders(self, *, limit: int = 50, **narrowed: str | UUID | None) -> list[OrderSummary]:
        """The newest orders; `narrowed` as the route takes it: side, state, awaits, number, project_id, …"""
        answer = await self._service.call("GET", "/orders/purchase-orders", params=_given({"limit": limit, **narrowed}))
        return _ORDERS.validate_json(answer.content)

    async def order(self, *, order_id: UUID) -> BuyerOrder | SupplierOrder:
        """An order as the caller's side sees it."""
        answer = await self._service.call("GET", f"/orders/purchase-orders/{order_id}")
        return _ORDER.validate_json(answer.content)

    async def history(self, *, order_id: UUID) -> HistoryView:
        """An order's history and whether it holds."""
        answer = await self._service.call("GET", f"/orders/purchase-orders/{order_id}/history")
        return HistoryView.model_validate_json(answer.content)

    async def respond(self, *, order_id: UUID, version: int, body: ResponseBody, key: str) -> SupplierOrder:
        """Answer an order as its supplier."""
        return SupplierOrder.model_validate_json(await self._act(order_id, "response", body, version=version, key=key))

    async def decide_changes(self, *, order_id: UUID, version: int, body: DecisionBody, key: str) -> BuyerOrder:
        """Accept or decline a supplier's changes."""
        answer = await self._act(order_id, "changes/decision", body, version=version, key=key)
        return BuyerOrder.model_validate_json(answer)

    async def cancel(self, *, order_id: UUID, version: int, body: CancellationBody, key: str) -> BuyerOrder:
        """Cancel lines or the whole order."""
        return BuyerOrder.model_validate_json(await self._act(order_id, "cancellation", body, version=version, key=key))

    async def decide_cancellation(self, *, order_id: UUID, version: int, body: DecisionBody, key: str) -> SupplierOrder:
        """Agree or not to a cancellation, as the supplier."""
        answer = await self._act(order_id, "cancellation/decision", body, version=version, key=key)
        return SupplierOrder.model_validate_json(answer)

    async def _act(
        self,
        order_id: UUID,
        what: str,
        body: ResponseBody | DecisionBody | CancellationBody,
        *,
        version: int,
        key: str,
    ) -> bytes:
        path = f"/orders/purchase-orders/{order_id}/{what}"
        return await self._post(path, body.model_dump(mode="json"), key=key, headers={"If-Match": f'"{version}"'})

    async def _post(
        self,
        path: str,
        body: Any,
        *,
        key: str,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float | None = None,
    ) -> bytes:
        answer = await self._service.call(
            "POST",
            path,
            body=body,
            headers={"Idempotency-Key": key, **(headers or {})},
            timeout_seconds=timeout_seconds,
        )
        return answer.content


def _given(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: str(value) for name, value in params.items() if value is not None}


class OpenOrdersClient:
    """What `orders` says to a service about the orders at a supplier: how many are open, nothing else."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def open_orders(self, *, supplier_id: UUID) -> int:
        """How many orders at a supplier are under way, of all buyers together.

        Raises:
            ServiceUnknown, ServiceAway.
        """
        answer = await self._service.call("GET", f"/orders/open-orders/{supplier_id}")
        return OrdersUnderWay.model_validate_json(answer.content).orders
