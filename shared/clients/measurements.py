"""Calling `orders` and `suppliers` for what the gates of stage changes need measured."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.clients.transport import ServiceClient
from shared.contracts.measurements import MappedSpend, SupplierQuality, VisibilityCounts


class SpendClient:
    """Shares of spend, from `orders`."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def mapped_spend(
        self, *, group_id: UUID, category: str, company_ids: Sequence[UUID], type_codes: Sequence[str], at: datetime
    ) -> MappedSpend:
        """The share of a group's spend that stands on lines with a standard variant.

        Raises:
            ServiceUnknown, ServiceAway, ServiceRefused.
        """
        answer = await self._service.call(
            "GET",
            "/orders/measurements/mapped-spend",
            params={
                "group_id": str(group_id),
                "category": category,
                "company_id": [str(each) for each in company_ids],
                "type_code": list(type_codes),
                "at": at.isoformat(),
            },
        )
        return MappedSpend.model_validate_json(answer.content)


class QualityClient:
    """Suppliers counted, from `suppliers`."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def supplier_quality(self, *, group_id: UUID, category: str, at: datetime) -> SupplierQuality:
        """How many of the suppliers a group admitted for a category are in order.

        Raises:
            ServiceUnknown, ServiceAway, ServiceRefused.
        """
        answer = await self._service.call(
            "GET",
            "/suppliers/measurements/supplier-quality",
            params={"group_id": str(group_id), "category": category, "at": at.isoformat()},
        )
        return SupplierQuality.model_validate_json(answer.content)

    async def visibility(
        self, *, group_id: UUID, category: str, stage: str, circle_id: UUID | None, circle_group_ids: Sequence[UUID]
    ) -> VisibilityCounts:
        """What a stage would open or close, counted over the offers there are.

        Raises:
            ServiceUnknown, ServiceAway, ServiceRefused.
        """
        params: dict[str, str | list[str]] = {"group_id": str(group_id), "category": category, "stage": stage}
        if circle_id is not None:
            params |= {"circle_id": str(circle_id), "circle_group_id": [str(each) for each in circle_group_ids]}
        answer = await self._service.call("GET", "/suppliers/measurements/visibility", params=params)
        return VisibilityCounts.model_validate_json(answer.content)
