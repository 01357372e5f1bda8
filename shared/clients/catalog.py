"""Calling `catalog`."""

from collections.abc import Sequence
from urllib.parse import quote

from shared.clients.transport import ServiceClient
from shared.contracts.catalog import (
    ResolveAnswer,
    ResolveRequest,
    VariantReference,
    VariantResult,
    VariantSnapshot,
)


class CatalogClient:
    """Variants, for services that copy them."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def resolve(
        self, *, references: Sequence[VariantReference], timeout_seconds: float = 30
    ) -> list[VariantResult]:
        """Find variants, and make those that are not there yet; the results in the order asked, at most 5,000.

        Harmless to repeat: a variant is made once.

        Raises:
            ServiceRefused: MalformedRequest.
            ServiceUnknown, ServiceAway.
        """
        body = ResolveRequest(variants=list(references)).model_dump(mode="json", exclude_none=True)
        answer = await self._service.call(
            "POST", "/catalog/variants/resolve", body=body, timeout_seconds=timeout_seconds
        )
        return ResolveAnswer.model_validate_json(answer.content).results

    async def type_codes(self, *, category: str) -> list[str]:
        """The component types of a category, also those that were withdrawn.

        Raises:
            ServiceRefused: UnknownCategory.
            ServiceUnknown, ServiceAway.
        """
        found: list[str] = []
        address: str | None = "/catalog/types"
        params: dict[str, str] | None = {"category": category, "deprecated": "true", "limit": "200"}
        while address is not None:
            answer = await self._service.call("GET", address, params=params)
            found += [str(each["code"]) for each in answer.json()]
            address, params = answer.links.get("next", {}).get("url"), None
        return found

    async def variant(self, *, key: str) -> VariantSnapshot:
        """One variant that somebody has used before.

        Raises:
            ServiceRefused: VariantNotFound.
            ServiceUnknown, ServiceAway.
        """
        answer = await self._service.call("GET", f"/catalog/variants/{quote(key, safe='')}")
        return VariantSnapshot.model_validate_json(answer.content)
