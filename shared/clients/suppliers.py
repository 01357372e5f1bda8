"""Calling `suppliers` for what buyers see of offers and whom numbers mean; reservations have their own client."""

from collections.abc import Sequence
from uuid import UUID

from shared.clients.transport import ServiceClient
from shared.contracts.suppliers import (
    QuoteAnswer,
    QuoteLine,
    QuoteRequest,
    SupplierNumbers,
    SupplierResolution,
)

_RESOLVED_AT_ONCE = 2000


class SuppliersClient:
    """Quotes, for the command line; numbers of suppliers, for services."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def quote(
        self, *, lines: Sequence[QuoteLine], region: str | None = None, currency: str = "CNY"
    ) -> QuoteAnswer:
        """What lines would cost now and whether they fit; nothing is held.

        Raises:
            ServiceRefused: MalformedRequest.
            ServiceUnknown, ServiceAway.
        """
        body = QuoteRequest(lines=list(lines), region=region, currency=currency).model_dump(mode="json")
        answer = await self._service.call("POST", "/suppliers/offers/quote", body=body)
        return QuoteAnswer.model_validate_json(answer.content)

    async def resolve(self, *, numbers: Sequence[str]) -> dict[str, UUID | None]:
        """Which supplier each USCC or old registration number means today.

        Raises:
            ServiceUnknown, ServiceAway.
        """
        found: dict[str, UUID | None] = {}
        for first in range(0, len(numbers), _RESOLVED_AT_ONCE):
            body = SupplierNumbers(numbers=list(numbers[first : first + _RESOLVED_AT_ONCE])).model_dump(mode="json")
            answer = await self._service.call("POST", "/suppliers/resolutions", body=body)
            for each in answer.json():
                resolution = SupplierResolution.model_validate(each)
                found[resolution.number] = resolution.supplier_id
        return found
