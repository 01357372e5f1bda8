"""Calling `catalog`."""

from collections.abc import Sequence
from urllib.parse import quote
from uuid import UUID

from shared.clients.transport import ServiceClient
from shared.contracts.catalog import (
    CODES_AT_MOST,
    MAPPINGS_AT_MOST,
    CodeMeaning,
    CodesToResolve,
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

    async def type_categories(self) -> dict[str, str]:
        """The category of every component type, also of those that were withdrawn.

        Raises:
            ServiceRefused, ServiceUnknown, ServiceAway.
        """
        found: dict[str, str] = {}
        address: str | None = "/catalog/types"
        params: dict[str, str] | None = {"deprecated": "true", "limit": "200"}
        while address is not None:
            answer = await self._service.call("GET", address, params=params)
            found |= {str(each["code"]): str(each["category"]) for each in answer.json()}
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

    async def meanings(
        self, *, company_id: UUID, group_id: UUID | None, codes: Sequence[str]
    ) -> dict[str, list[CodeMeaning]]:
        """What a company's codes mean today by its published mappings; those that mean nothing are left out.

        Raises:
            ServiceUnknown, ServiceAway.
        """
        found: dict[str, list[CodeMeaning]] = {}
        for first in range(0, len(codes), CODES_AT_MOST):
            body = CodesToResolve(
                company_id=company_id, group_id=group_id, codes=list(codes[first : first + CODES_AT_MOST])
            )
            answer = await self._service.call(
                "POST", "/catalog/mappings/resolve", body=body.model_dump(mode="json"), timeout_seconds=60
            )
            for each in answer.json():
                meaning = CodeMeaning.model_validate(each)
                found.setdefault(meaning.code, []).append(meaning)
        return found

    async def mark_used(self, *, company_id: UUID, mapping_ids: Sequence[UUID]) -> None:
        """Note that a live document uses mappings of a company, which then stay. Harmless to repeat.

        Raises:
            ServiceRefused: MappingNotFound, also of one that was rolled back.
            ServiceUnknown, ServiceAway.
        """
        for first in range(0, len(mapping_ids), MAPPINGS_AT_MOST):
            ids = [str(each) for each in mapping_ids[first : first + MAPPINGS_AT_MOST]]
            await self._service.call(
                "POST", "/catalog/mappings/used", body={"company_id": str(company_id), "mapping_ids": ids}
            )
