"""Companies through the API: registered once, renamed with memory, shown as far as the caller may see."""

import asyncio
import base64
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import text

from shared.contracts.members import CompanyIdentity
from shared.database import Database, transaction
from shared.identity import Role, Scope
from shared.ids import new_id
from tests.conftest import a_person, a_service, once, signed_in
from tests.members.conftest import World, a_uscc, admin_of

GOOD = "91110000MA4GCAL01D"


def registration(value: str = GOOD, **more):
    return {"tax_id": {"value": value}, "name_zh": "示范建工集团有限公司", "kinds": ["contractor"], **more}


async def events(database: Database, type_end: str) -> list[dict[str, Any]]:
    async with transaction(database.system) as session:
        rows = await session.execute(
            text("SELECT data FROM events WHERE type = :type ORDER BY txid, seq"),
            {"type": f"dev.dougong.members.{type_end}.v1"},
        )
        return [row.data for row in rows]


async def test_a_company_is_registered_under_its_tax_id_in_one_spelling(world: World, database: Database):
    answer = await world.post("/members/companies", registration("９１１１００００ ma4gcal01d"), as_=world.as_operator)
    assert answer.status_code == 201
    body = answer.json()
    assert body["tax_id"] == {"scheme": "USCC", "country": "CN", "value": GOOD}
    assert answer.headers["Location"] == f"/members/companies/{body['id']}"
    assert answer.headers["ETag"] == '"1"'
    assert body["group_id"] == body["id"]
    [event] = await events(database, "company.registered")
    assert event["tax_id"]["value"] == GOOD


async def test_a_wrong_check_digit_names_the_field_and_the_rule(world: World):
    answer = await world.post("/members/companies", registration(GOOD[:-1] + "E"), as_=world.as_operator)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "TaxIdRefused"
    assert [(e["field"], e["rule"]) for e in problem["errors"]] == [("tax_id.value", "CheckDigit")]


@pytest.mark.parametrize(
    ("more", "code", "field"),
    [
        ({"kinds": ["branch"]}, "CompanyMalformed", "kinds"),
        ({"kinds": []}, "MalformedRequest", "kinds"),
        ({"kinds": ["dragon"]}, "MalformedRequest", "kinds.0"),
        ({"name_zh": None}, "CompanyMalformed", "name_zh"),
        ({"size_class": "large"}, "CompanyMalformed", "size_declared_on"),
        ({"colour": "red"}, "MalformedRequest", "colour"),
        ({"name_zh": "a\u0000b"}, "MalformedRequest", "name_zh"),
    ],
)
async def test_what_does_not_fit_together_is_refused_by_name(world: World, more, code, field):
    answer = await world.post("/members/companies", registration(**more), as_=world.as_operator)
    assert answer.status_code == 422
    assert (answer.json()["code"], answer.json()["errors"][0]["field"]) == (code, field)


async def test_the_same_tax_id_is_refused_and_names_who_has_it(world: World):
    first = await world.post("/members/companies", registration(), as_=world.as_operator)
    again = await world.post("/members/companies", registration(name_zh="别名"), as_=world.as_operator)
    assert again.status_code == 409
    assert again.json()["code"] == "CompanyAlreadyRegistered"
    assert again.json()["company_id"] == first.json()["id"]


async def test_registered_by_many_at_one_moment_it_exists_once(world: World, database: Database):
    answers = await asyncio.gather(
        *(world.post("/members/companies", registration(), as_=world.as_operator) for _ in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert len(await events(database, "company.registered")) == 1


async def test_the_same_request_twice_is_one_registration_with_one_answer(world: World):
    headers = {**world.as_operator, **once()}
    first = await world.http.post("/members/companies", json=registration(), headers=headers)
    again = await world.http.post("/members/companies", json=registration(), headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.json() == again.json()


async def test_only_the_operator_registers(world: World):
    admin = signed_in(a_person(Role.ADMIN, Role.BUYER))
    assert (await world.post("/members/companies", registration(), as_=admin)).status_code == 403
    assert (await world.post("/members/companies", registration(), as_={})).status_code == 401


async def test_strangers_and_services_see_the_public_identity_the_company_itself_its_record(world: World):
    company = await world.company("contractor", size_class="large", size_declared_on="2026-01-01")
    path = f"/members/companies/{company}"
    stranger = (await world.http.get(path, headers=signed_in(a_person(Role.BUYER)))).json()
    service = (await world.http.get(path, headers=signed_in(a_service(Scope.COMPANIES_READ)))).json()
    own = await world.http.get(path, headers=signed_in(a_person(Role.BUYER, company_id=company)))
    assert stranger == service
    assert set(stranger) == {
        "id",
        "name",
        "name_zh",
        "name_en",
        "tax_id",
        "kinds",
        "status",
        "affiliated_with_operator",
    }
    assert own.json()["size_class"] == "large"
    assert own.headers["ETag"] == '"1"'
    assert (await world.http.get(path)).status_code == 401


async def test_an_unknown_company_is_not_found(world: World):
    answer = await world.http.get(f"/members/companies/{new_id()}", headers=world.as_operator)
    assert (answer.status_code, answer.json()["code"]) == (404, "CompanyNotFound")


async def test_a_renamed_company_keeps_its_former_name(world: World, database: Database):
    company = await world.company()
    path = f"/members/companies/{company}"
    answer = await world.http.patch(
        path, json={"name_zh": "新名称公司"}, headers={**world.as_operator, "If-Match": '"1"'}
    )
    assert answer.status_code == 200
    assert answer.json()["name"] == "新名称公司"
    assert [former["name_zh"] for former in answer.json()["former_names"]] == ["示范公司"]
    [event] = await events(database, "company.renamed")
    assert (event["former_name_zh"], event["name_zh"]) == ("示范公司", "新名称公司")
    assert not await events(database, "company.changed")


async def test_of_two_who_change_a_company_the_second_must_look_again(world: World):
    path = f"/members/companies/{await world.company()}"
    first = {**world.as_operator, "If-Match": '"1"'}
    assert (await world.http.patch(path, json={"name_en": "First"}, headers=first)).status_code == 200
    second = await world.http.patch(path, json={"name_en": "Second"}, headers=first)
    assert (second.status_code, second.json()["code"]) == (412, "VersionChanged")
    blind = await world.http.patch(path, json={"name_en": "Third"}, headers=world.as_operator)
    assert blind.status_code == 428


async def test_a_closed_company_stays_closed(world: World):
    path = f"/members/companies/{await world.company()}"
    headers = {**world.as_operator, "If-Match": '"1"'}
    assert (await world.http.patch(path, json={"status": "CLOSED"}, headers=headers)).status_code == 200
    headers["If-Match"] = '"2"'
    answer = await world.http.patch(path, json={"status": "ACTIVE"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "StatusMoveRefused")


async def test_a_company_declares_its_own_size_and_nobody_elses(world: World):
    company, other = await world.company(), await world.company()
    body = {"size_class": "small", "size_declared_on": "2026-03-01"}
    headers = {**admin_of(company), "If-Match": '"1"'}
    own = await world.http.put(f"/members/companies/{company}/size", json=body, headers=headers)
    assert own.json()["size_class"] == "small"
    foreign = await world.http.put(f"/members/companies/{other}/size", json=body, headers=headers)
    assert (foreign.status_code, foreign.json()["code"]) == (404, "NotYours")


async def test_the_operator_pages_through_all_companies(world: World):
    made = {str(await world.company("supplier")) for _ in range(5)}
    await world.company("contractor")
    seen: list[str] = []
    address: str | None = "/members/companies?kind=supplier&limit=2"
    while address:
        answer = await world.http.get(address, headers=world.as_operator)
        assert answer.status_code == 200
        seen += [company["id"] for company in answer.json()]
        address = answer.links["next"]["url"] if "next" in answer.links else None
    assert len(seen) == 5
    assert set(seen) == made


async def test_a_company_is_found_by_any_spelling_of_its_tax_id_and_by_part_of_its_name(world: World):
    value = a_uscc()
    answer = await world.post("/members/companies", registration(value, name_zh="百分号%公司"), as_=world.as_operator)
    await world.company()
    company = answer.json()["id"]
    for query in ({"tax_id": f" {value.lower()} "}, {"name": "百分号%"}):
        found = await world.http.get("/members/companies", params=query, headers=world.as_operator)
        assert [c["id"] for c in found.json()] == [company]


@pytest.mark.parametrize(
    "query",
    [
        {"name": "\x00"},
        {"tax_id": "\x00"},
        {"name": ""},
        {"limit": "0"},
        {"limit": "201"},
        {"cursor": "damaged"},
        {"cursor": "WyJhIiwgMV0"},
        {"kind": "dragon"},
    ],
)
async def test_a_query_that_cannot_be_asked_is_malformed(world: World, query):
    answer = await world.http.get("/members/companies", params=query, headers=world.as_operator)
    assert answer.status_code == 422, answer.text


async def test_a_forged_cursor_is_refused(world: World):
    for _ in range(2):
        await world.company()
    listed = await world.http.get("/members/companies?limit=1", headers=world.as_operator)
    cursor = listed.links["next"]["url"].partition("cursor=")[2]
    fingerprint, _ = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    for key in ([], ["x"], [1], [str(new_id()), 2]):
        forged = base64.urlsafe_b64encode(orjson.dumps([fingerprint, *key])).decode()
        answer = await world.http.get(f"/members/companies?limit=1&cursor={forged}", headers=world.as_operator)
        assert (answer.status_code, answer.json()["code"]) == (422, "CursorInvalid")


class TestLinks:
    """Groups and branches."""

    async def link(self, world: World, child: UUID, parent: UUID, start="2026-01-01", **more):
        body = {"parent_id": str(parent), "valid_from": start, **more}
        return await world.post(f"/members/companies/{child}/links", body, as_=world.as_operator)

    async def test_the_group_is_the_top_of_the_chain(self, world: World):
        group, entity = await world.company("contractor_group"), await world.company()
        branch = await world.company("branch", "contractor")
        assert (await self.link(world, entity, group)).status_code == 201
        assert (await self.link(world, branch, entity, kind="branch")).status_code == 201
        record = await world.http.get(f"/members/companies/{branch}", headers=admin_of(branch))
        assert record.json()["group_id"] == str(group)

    async def test_a_cycle_is_refused(self, world: World):
        a, b, c = [await world.company() for _ in range(3)]
        assert (await self.link(world, a, b)).status_code == 201
        assert (await self.link(world, b, c)).status_code == 201
        answer = await self.link(world, c, a)
        assert (answer.status_code, answer.json()["code"]) == (409, "LinkClosesCycle")
        assert (await self.link(world, c, c)).json()["code"] == "LinkClosesCycle"

    async def test_two_links_that_would_close_a_cycle_together_do_not_both_pass(self, world: World):
        a, b = await world.company(), await world.company()
        answers = await asyncio.gather(self.link(world, a, b), self.link(world, b, a))
        assert sorted(answer.status_code for answer in answers) == [201, 409]

    async def test_a_company_stands_under_one_parent_at_a_time(self, world: World):
        child, first, second = [await world.company() for _ in range(3)]
        link = (await self.link(world, child, first)).json()
        answer = await self.link(world, child, second, "2026-06-01")
        assert (answer.status_code, answer.json()["code"]) == (409, "AlreadyUnderParent")
        end = f"/members/companies/{child}/links/{link['id']}/end"
        ended = await world.post(end, {"valid_until": "2026-06-01"}, as_=world.as_operator)
        assert ended.json()["valid_until"] == "2026-06-01"
        assert (await self.link(world, child, second, "2026-06-01")).status_code == 201
        again = await world.post(end, {"valid_until": "2026-07-01"}, as_=world.as_operator)
        assert again.json()["code"] == "LinkAlreadyEnded"

    async def test_what_cannot_be_linked_is_refused(self, world: World):
        child, parent = await world.company(), await world.company()
        assert (await self.link(world, child, new_id())).json()["code"] == "NoSuchParent"
        assert (await self.link(world, new_id(), parent)).json()["code"] == "CompanyNotFound"
        assert (await self.link(world, child, parent, kind="branch")).json()["code"] == "NotABranch"
        reversed_ = await self.link(world, child, parent, valid_until="2025-01-01")
        assert (reversed_.status_code, reversed_.json()["code"]) == (422, "PeriodReversed")

    async def test_links_are_shown_to_the_companys_admin_alone(self, world: World):
        child, parent = await world.company(), await world.company()
        await self.link(world, child, parent)
        for company in (child, parent):
            shown = await world.http.get(f"/members/companies/{company}/links", headers=admin_of(company))
            assert [(link["child_id"], link["parent_id"]) for link in shown.json()] == [(str(child), str(parent))]
        stranger = await world.http.get(f"/members/companies/{child}/links", headers=admin_of(parent))
        assert stranger.status_code == 404


async def test_every_caller_learns_who_companies_are_by_id_or_exact_tax_id(world: World):
    number = a_uscc()
    body = {"tax_id": {"value": number}, "name_zh": "示范钢铁", "kinds": ["supplier"]}
    made = await world.post("/members/companies", body, as_=world.as_operator)
    seller, other, unnamed = UUID(made.json()["id"]), await world.company("contractor"), await world.company("lab")
    stranger = signed_in(a_person(Role.BUYER, company_id=other))

    async def known(**params: Any) -> list[str]:
        answer = await world.http.get("/members/companies/identities", params=params, headers=stranger)
        assert answer.status_code == 200, answer.text
        assert all(set(each) == set(CompanyIdentity.model_fields) for each in answer.json()), "the public part alone"
        return [each["id"] for each in answer.json()]

    assert await known(id=[str(seller), str(other), str(new_id())]) == sorted([str(seller), str(other)])
    assert await known(tax_id=number.lower()) == [str(seller)]
    assert await known() == []
    assert await known(tax_id=number[:-1]) == []
    assert str(unnamed) not in await known(id=[str(seller)], tax_id=number)
    too_many = {"id": [str(new_id()) for _ in range(101)]}
    answer = await world.http.get("/members/companies/identities", params=too_many, headers=stranger)
    assert answer.status_code == 422
    assert (await world.http.get("/members/companies/identities", params={"tax_id": number})).status_code == 401
