"""Calling `members`."""

from uuid import UUID

from shared.clients.transport import ServiceClient
from shared.contracts.members import CompanyIdentity, SessionAnswer, StageView, SupplierCompanyGiven


class MembersClient:
    """Companies for services, sign-in for the command line."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def company(self, *, company_id: UUID) -> CompanyIdentity:
        """A company's public identity.

        Raises:
            ServiceRefused: CompanyNotFound.
            ServiceUnknown, ServiceAway.
        """
        answer = await self._service.call("GET", f"/members/companies/{company_id}")
        return CompanyIdentity.model_validate_json(answer.content)

    async def take_in_supplier(self, *, tax_id: str, name_zh: str, branch: bool, key: str) -> CompanyIdentity:
        """The company of a USCC, registered now as a supplier if it is new. Harmless to repeat with the same `key`.

        Raises:
            ServiceRefused: TaxIdRefused.
            ServiceUnknown, ServiceAway.
        """
        body = SupplierCompanyGiven(tax_id=tax_id, name_zh=name_zh, branch=branch).model_dump(mode="json")
        answer = await self._service.call(
            "POST", "/members/supplier-companies", body=body, headers={"Idempotency-Key": key}
        )
        return CompanyIdentity.model_validate_json(answer.content)

    async def stages(self, *, group_id: UUID | None = None) -> list[StageView]:
        """Every recorded stage, of one group or all; pairs that are not among them are at S1.

        Raises:
            ServiceUnknown, ServiceAway.
        """
        found: list[StageView] = []
        address: str | None = "/members/stages"
        params: dict[str, str] | None = {"limit": "200", **({} if group_id is None else {"group_id": str(group_id)})}
        while address is not None:
            answer = await self._service.call("GET", address, params=params)
            found += [StageView.model_validate(stage) for stage in answer.json()]
            address, params = answer.links.get("next", {}).get("url"), None
        return found

    async def sign_in(self, *, email: str, password: str, company_id: UUID | None = None) -> SessionAnswer:
        """Sign a person in, for the named company or the first.

        Raises:
            ServiceRefused: SignInRefused, TooManyAttempts, NotAMember, NoActiveMembership.
            ServiceUnknown, ServiceAway.
        """
        body = {"email": email, "password": password, "company_id": company_id}
        answer = await self._service.call("POST", "/members/sessions", body=body)
        return SessionAnswer.model_validate_json(answer.content)

    async def refresh(self, *, refresh_token: str, company_id: UUID | None = None) -> SessionAnswer:
        """Exchange a refresh token, once, for new tokens; an unknown outcome means signing in again.

        Raises:
            ServiceRefused: SessionOver, RefreshTokenReused, NotAMember.
            ServiceUnknown, ServiceAway.
        """
        body = {"refresh_token": refresh_token, "company_id": company_id}
        answer = await self._service.call("POST", "/members/sessions/refresh", body=body)
        return SessionAnswer.model_validate_json(answer.content)
