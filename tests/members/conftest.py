"""A small world of companies and people, made through the API as an operator would."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from joserfc.jwk import KeySetSerialization
from stdnum.cn import uscc

from services.members.app import create_app, own_keys
from services.members.leaving.open_orders import OpenOrdersSource
from services.members.settings import Settings
from services.members.stages.gate_data import GateData
from shared.database import Database
from shared.identity import Principal, Role, TokenVerifier
from tests.conftest import CreateDatabase, a_person, fetch_test_keys, once, signed_in

if TYPE_CHECKING:
    from tests.members.federation import Federation

PASSWORD = "a kettle on the scaffold"
_serial = count(1)

CreateApp = Callable[..., FastAPI]


def a_uscc() -> str:
    """A USCC nobody has yet, with the right check digit."""
    body = f"91310000MA{next(_serial):07d}"
    return body + uscc.calc_check_digit(body)


def an_email(name: str = "person") -> str:
    return f"{name}{next(_serial)}@company.example"


@pytest.fixture
def database(create_database: CreateDatabase) -> Database:
    return create_database("members")


@pytest.fixture
def create_members(database: Database) -> CreateApp:
    """The service over this test's database; it takes the tests' own tokens beside those it signs."""

    async def fetch() -> KeySetSerialization:
        own, of_tests = await own_keys(database)(), await fetch_test_keys()
        return {"keys": [*own["keys"], *of_tests["keys"]]}

    def create(
        *, gate_data: GateData | None = None, open_orders: OpenOrdersSource | None = None, **settings: Any
    ) -> FastAPI:
        configured = Settings(database_url="", system_database_url="", **settings)
        verifier = TokenVerifier(issuer="dougong", fetch_keys=fetch)
        return create_app(
            configured, database=database, verifier=verifier, gate_data=gate_data, open_orders=open_orders
        )

    return create


@dataclass
class World:
    """The service as a client sees it, and shortcuts through its API."""

    http: httpx.AsyncClient
    operator: Principal = field(default_factory=lambda: a_person(Role.OPERATOR))

    @property
    def as_operator(self) -> dict[str, str]:
        return signed_in(self.operator)

    async def post(self, path: str, body: Any, *, as_: dict[str, str]) -> httpx.Response:
        return await self.http.post(path, json=body, headers={**as_, **once()})

    async def company(self, *kinds: str, **more: Any) -> UUID:
        """A registered company of these kinds."""
        body = {"tax_id": {"value": a_uscc()}, "name_zh": "示范公司", "kinds": kinds or ["contractor"], **more}
        answer = await self.post("/members/companies", body, as_=self.as_operator)
        assert answer.status_code == 201, answer.text
        return UUID(answer.json()["id"])

    async def join(self, company: UUID, email: str, *roles: str) -> UUID:
        """Let somebody act for a company, verified by the operator."""
        body = {"email": email, "name": "李娜", "roles": roles, "verified": True}
        answer = await self.post(f"/members/companies/{company}/people", body, as_=self.as_operator)
        assert answer.status_code == 201, answer.text
        return UUID(answer.json()["person_id"])

    async def person(self, company: UUID, *roles: str, email: str | None = None) -> tuple[UUID, str]:
        """Somebody who acts for a company and can sign in with PASSWORD: id and e-mail address."""
        email = email or an_email()
        person = await self.join(company, email, *roles)
        answer = await self.http.put(
            f"/members/people/{person}/password", json={"password": PASSWORD}, headers=self.as_operator
        )
        assert answer.status_code == 204, answer.text
        return person, email

    async def sign_in(self, email: str, password: str = PASSWORD, **more: Any) -> httpx.Response:
        return await self.http.post("/members/sessions", json={"email": email, "password": password, **more})

    async def refresh(self, token: str, **more: Any) -> httpx.Response:
        return await self.http.post("/members/sessions/refresh", json={"refresh_token": token, **more})


def admin_of(company: UUID) -> dict[str, str]:
    """The headers of a company's admin."""
    return signed_in(a_person(Role.ADMIN, company_id=company))


@pytest.fixture
def world(create_members: CreateApp, http_to: Callable[[FastAPI], httpx.AsyncClient]) -> World:
    return World(http=http_to(create_members()))


@pytest.fixture
def federation(
    create_members: CreateApp, http_to: Callable[[FastAPI], httpx.AsyncClient], database: Database
) -> "Federation":
    from tests.members.federation import Federation, Measured  # it builds on this module

    gate_data = Measured()
    return Federation(World(http=http_to(create_members(gate_data=gate_data))), database, gate_data)
