"""Calling `suppliers` for what buyers see of offers; reservations have their own client."""

from collections.abc import Sequence

from shared.clients.transport import ServiceClient
from shared.contracts.suppliers import QuoteAnswer, QuoteLine, QuoteRequest


class SuppliersClient:
    """Quotes, for the command line."""

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
