"""From a contractor's invitation to an offer that can be ordered: two services, told through the doors everyone uses.

`members` and `suppliers` run in this process over their own databases; the people sign in with the tokens that
`members` signs, and `suppliers` asks `members` over HTTP.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from joserfc.jwk import KeySetSerialization

from services.members.app import create_app as create_members
from services.members.app import own_keys
from services.members.settings import Settings as MembersSettings
from services.suppliers.app import create_app as create_suppliers
from services.suppliers.spaces.jobs import rekey_offers
from shared.clients.members import MembersClient
from shared.clients.transport import FixedToken, ServiceClient
from shared.database import Database
from shared.identity import Role, Scope, TokenVerifier
from shared.ids import new_id
from tests.conftest import CreateDatabase, a_person, a_service, fetch_test_keys, once, signed_in, token_for
from tests.members.conftest import PASSWORD, a_uscc, an_email
from tests.suppliers.onboarding_world import BASIC, IDENTITY, TODAY, pdf
from tests.suppliers.world import REBAR, CatalogDouble, csv_of, settings_for

OPERATOR = a_person(Role.OPERATOR)
UNTIL = (TODAY + timedelta(days=365)).isoformat()


@dataclass
class Town:
    """Both services as their clients meet them."""

    members: httpx.AsyncClient
    suppliers: httpx.AsyncClient
    database: Database
    """Of suppliers."""

    async def call(
        self, method: str, path: str, token: dict[str, str], *, version: int | None = None, **request: Any
    ) -> Any:
        http = self.members if path.startswith("/members") else self.suppliers
        headers = token | once() | request.pop("headers", {})
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        answer = await http.request(method, path, headers=headers, **request)
        assert answer.is_success, answer.text
        return answer.json()

    async def sign_in(self, email: str) -> dict[str, str]:
        answer = await self.members.post("/members/sessions", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    async def contractor(self) -> tuple[str, dict[str, str]]:
        """A new contractor, and a buyer of it, signed in."""
        as_operator = signed_in(OPERATOR)
        body = {"tax_id": {"value": a_uscc()}, "name_zh": "示范建工", "kinds": ["contractor"]}
        company = await self.call("POST", "/members/companies", as_operator, json=body)
        email = an_email()
        person = {"email": email, "name": "李娜", "roles": ["buyer"], "verified": True}
        made = await self.call("POST", f"/members/companies/{company['id']}/people", as_operator, json=person)
        answer = await self.members.put(
            f"/members/people/{made['person_id']}/password", json={"password": PASSWORD}, headers=as_operator
        )
        assert answer.status_code == 204
        return company["id"], await self.sign_in(email)


@pytest.fixture
async def town(
    create_database: CreateDatabase, http_to: Callable[[FastAPI], httpx.AsyncClient], tmp_path: Path
) -> Town:
    kept = create_database("members")

    async def fetch() -> KeySetSerialization:
        own, of_tests = await own_keys(kept)(), await fetch_test_keys()
        return {"keys": [*own["keys"], *of_tests["keys"]]}

    verifier = TokenVerifier(issuer="dougong", fetch_keys=fetch)
    settings = MembersSettings(database_url="", system_database_url="")
    members = http_to(create_members(settings, database=kept, verifier=verifier))
    client = MembersClient(ServiceClient("members", members, FixedToken(token_for(a_service(Scope.COMPANIES_READ)))))
    sold = create_database("suppliers")
    suppliers = create_suppliers(
        settings_for(tmp_path),
        database=sold,
        verifier=verifier,
        members=client,
        catalog=CatalogDouble(),
    )
    return Town(members=members, suppliers=http_to(suppliers), database=sold)


async def reserve(town: Town, offer_id: str, contractor: str) -> dict[str, Any]:
    basket = {
        "reservation_id": str(new_id()),
        "buyer_company_id": contractor,
        "buyer_group_id": contractor,
        "currency": "CNY",
        "region": "310115",
        "lines": [{"line_no": 1, "offer_id": offer_id, "quantity": "2", "unit": "t", "need_by": "2099-01-01"}],
    }
    token = signed_in(a_service(Scope.RESERVATIONS_WRITE))
    answer = await town.call("POST", "/suppliers/reservations", token, json={"baskets": [basket]})
    result: dict[str, Any] = answer["results"][0]
    return result


async def test_a_supplier_comes_in_on_an_invitation_and_sells(town: Town):
    (contractor, buyer), operator = await town.contractor(), signed_in(OPERATOR)
    tax_id = a_uscc()
    rows = csv_of(f"示范钢铁,{tax_id},rebar", "别家,,", header="name,uscc,categories")
    told = await town.call(
        "POST", "/suppliers/invitations/files", buyer, content=rows.encode(), headers={"Content-Type": "text/csv"}
    )
    code = told["invitations"][0]["code"]
    email = an_email()
    company = {"tax_id": {"value": tax_id}, "name_zh": "示范钢铁", "person_name": "王芳"}
    registered = await town.call(
        "POST", "/members/registrations", {}, json={**company, "email": email, "password": PASSWORD}
    )
    admin = await town.sign_in(email)
    home = f"/suppliers/{registered['company']['id']}"
    asked = {"trade": "maker", "categories": ["rebar", "mep"], "invitation_code": code}
    await town.call("POST", f"{home}/application", admin, json=asked)
    for kind in (*BASIC, "production_permit", "lab_report", "ccc"):
        said = {"kind": kind, "issuer": "市监局", "number": kind, "valid_from": "2026-01-01", "file_name": "a.pdf"}
        paper = said | ({"valid_until": UNTIL} if kind == "production_permit" else {})
        await town.call("POST", f"{home}/papers", admin, params=paper, content=pdf())
    await town.call("PUT", f"{home}/identity", admin, json=IDENTITY)
    await town.call("POST", f"{home}/identity/verification", operator, version=1, json={"reason": "Register agrees."})
    listing = csv_of(f"R-1;{REBAR};main;100;3250;0.13;true;t", header=_HEADER)
    await town.call("POST", f"{home}/sync", admin, content=listing.encode(), headers={"Content-Type": "text/csv"})
    (offer,) = await town.call("GET", "/suppliers/offers", admin)
    await _decided(town, home, admin, operator)
    refused = await reserve(town, offer["id"], contractor)
    assert refused["refusals"][0]["code"] == "OfferNotFound", "qualified, but nobody admitted it"
    admission = {"categories": ["rebar"], "reason": "Sample test passed."}
    await town.call("POST", f"{home}/admissions", buyer, json=admission)
    await rekey_offers(town.database, at=datetime.now(UTC))
    assert (await reserve(town, offer["id"], contractor))["outcome"] == "held"
    states = (await town.call("GET", "/suppliers/invitations/funnel", buyer))["states"]
    assert {state: count for state, count in states.items() if count} == {"ADMITTED": 1, "INVITED": 1}


_HEADER = "item_no;variant;stock_point;on_hand;price;tax_rate;tax_inclusive;unit"


async def _decided(town: Town, home: str, admin: dict[str, str], operator: dict[str, str]) -> None:
    """Submitted, taken, and granted in part: rebar alone, as long as its permit holds."""
    approval = {"categories": ["rebar"], "level": "B", "reason": "Papers and register agree."}
    for step, token, body in (
        ("submission", admin, None),
        ("review", operator, None),
        ("approval", operator, approval),
    ):
        version = (await town.call("GET", f"{home}/application", admin))["version"]
        application = await town.call("POST", f"{home}/application/{step}", token, version=version, json=body)
    assert (application["state"], application["until"]) == ("QUALIFIED", UNTIL)
