"""A company registers itself with its first admin: once, with a tax id that can be, and not without end."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from shared.database import Database, transaction
from tests.members.conftest import PASSWORD, CreateApp, World, a_uscc, an_email


def registration(**changes: Any) -> dict[str, Any]:
    return {
        "tax_id": {"value": a_uscc()},
        "name_zh": "示范钢铁贸易有限公司",
        "person_name": "王芳",
        "email": an_email(),
        "password": PASSWORD,
        **changes,
    }


async def register(world: World, body: dict[str, Any]) -> httpx.Response:
    """Without any token."""
    return await world.http.post("/members/registrations", json=body)


async def test_a_company_registers_itself_and_its_admin_signs_in(world: World):
    body = registration()
    answer = await register(world, body)
    assert answer.status_code == 201, answer.text
    company = answer.json()["company"]
    assert (company["kinds"], company["status"]) == (["supplier"], "ACTIVE")
    session = (await world.sign_in(body["email"])).json()
    assert session["company"] == {
        "id": company["id"],
        "name": body["name_zh"],
        "roles": ["admin", "supplier_sales"],
    }
    colleague = {"email": an_email(), "name": "李娜", "roles": ["supplier_finance"]}
    as_admin = {"Authorization": f"Bearer {session['access_token']}"}
    invited = await world.post(f"/members/companies/{company['id']}/people", colleague, as_=as_admin)
    assert invited.status_code == 201, "it joins others by its own admin"
    operator = {"email": an_email(), "name": "李娜", "roles": ["operator"]}
    refused = await world.post(f"/members/companies/{company['id']}/people", operator, as_=as_admin)
    assert refused.json()["code"] == "RolesNotOfThisCompany"


@pytest.mark.parametrize(
    ("value", "rule", "sentence"),
    [
        ("91320500MA2DEMQ7X9", "CheckDigit", "look for a typing error"),
        ("320500000123456", "OldRegistrationNumber", "old registration number"),
        ("３２０５０００００１２３４５６", "OldRegistrationNumber", "old registration number"),
        ("91320500MA2DEMQ7", "Length", "18 characters"),
        ("91320500MA2DEMQ7XI", "Alphabet", "without I, O"),
    ],
)
async def test_a_number_that_cannot_be_is_refused_clearly(world: World, value: str, rule: str, sentence: str):
    body = registration(tax_id={"value": value})
    answer = await register(world, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "TaxIdRefused")
    assert (answer.json()["errors"][0]["field"], answer.json()["errors"][0]["rule"]) == ("tax_id.value", rule)
    assert sentence in answer.json()["detail"]
    assert (await world.sign_in(body["email"])).status_code == 401, "neither the company nor the person is there"


async def test_a_company_that_takes_part_joins_by_its_own_admin(world: World):
    body = registration()
    first, second = await asyncio.gather(register(world, body), register(world, {**body, "email": an_email()}))
    assert sorted([first.status_code, second.status_code]) == [201, 409]
    again = await register(world, registration(tax_id=body["tax_id"]))
    assert (again.status_code, again.json()["code"]) == (409, "CompanyTakesPart")
    assert "company_id" not in again.json()
    spelt = f" {body['tax_id']['value'].lower()[:8]}-{body['tax_id']['value'][8:]} "
    assert (await register(world, registration(tax_id={"value": spelt}))).json()["code"] == "CompanyTakesPart"


async def test_two_registrations_at_one_moment_make_one_company_and_one_person(world: World, database: Database):
    body = registration()
    answers = await asyncio.gather(*(register(world, body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    async with transaction(database.system) as session:
        for table in ("companies", "people", "memberships", "credentials"):
            assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 1
        assert await session.scalar(text("SELECT count(*) FROM invitations")) == 0


async def test_an_address_that_is_known_shows_its_password(world: World):
    person, email = await world.person(await world.company("supplier"), "admin")
    wrong = await register(world, registration(email=email, password="a different kettle"))
    assert (wrong.status_code, wrong.json()["code"]) == (401, "PasswordWrong")
    right = await register(world, registration(email=email))
    assert (right.status_code, right.json()["person_id"]) == (201, str(person))
    assert len((await world.sign_in(email)).json()["companies"]) == 2


async def test_an_invitation_that_waits_is_not_taken_over(world: World):
    """Whoever registered with the address of somebody invited would own the account that person is about to open."""
    company = await world.company("contractor")
    body = {"email": an_email(), "name": "李娜", "roles": ["buyer"]}
    invited = await world.post(f"/members/companies/{company}/people", body, as_=world.as_operator)
    answer = await register(world, registration(email=body["email"]))
    assert (answer.status_code, answer.json()["code"]) == (409, "AccountNotReady")
    accepted = {"token": invited.json()["invitation_token"], "password": PASSWORD}
    assert (await world.http.post("/members/invitations/accept", json=accepted)).status_code == 200


async def test_a_weak_password_or_no_name_registers_nobody(world: World):
    for changes, code in (
        ({"password": "short"}, "PasswordRefused"),
        ({"name_zh": None}, "CompanyMalformed"),
        ({"email": "not an address"}, "MalformedRequest"),
        ({"kinds": ["operator"]}, "MalformedRequest"),
        ({"roles": ["operator"]}, "MalformedRequest"),
    ):
        body = registration(**changes)
        assert (await register(world, body)).json()["code"] == code
        assert (await register(world, registration(tax_id=body["tax_id"]))).status_code == 201


async def test_registrations_of_one_network_are_counted(
    create_members: CreateApp, http_to: Callable[[FastAPI], httpx.AsyncClient]
):
    world = World(http=http_to(create_members(registrations_per_network=3)))
    statuses = [(await register(world, registration(tax_id={"value": "x"}))).status_code for _ in range(3)]
    assert statuses == [422, 422, 422]
    answer = await register(world, registration())
    assert (answer.status_code, answer.json()["code"]) == (429, "TooManyAttempts")
    assert 0 < int(answer.headers["retry-after"]) <= 900
