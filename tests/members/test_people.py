"""People: invited, proven by token and password, given roles their company may give, and taken out again."""

import asyncio
import json

import pytest
from sqlalchemy import text

from shared.database import Database, transaction
from shared.identity import Role, Scope
from shared.ids import new_id
from tests.conftest import a_person, an_api_client, once, signed_in
from tests.members.conftest import PASSWORD, World, admin_of, an_email


def an_invitation(address: str, *roles: str, **more):
    return {"email": address, "name": "王伟", "roles": roles or ["buyer"], **more}


async def accept(world: World, token: str, password: str = PASSWORD):
    return await world.http.post("/members/invitations/accept", json={"token": token, "password": password})


async def test_an_invited_person_chooses_a_password_and_can_sign_in(world: World):
    company, email = await world.company(), an_email()
    invited = await world.post(
        f"/members/companies/{company}/people", an_invitation(f" {email.upper()} "), as_=admin_of(company)
    )
    assert invited.status_code == 201
    body = invited.json()
    assert (body["email"], body["status"], body["name"]) == (email, "INVITED", None)
    assert (await world.sign_in(email)).status_code == 401
    assert (await accept(world, body["invitation_token"])).json()["company_id"] == str(company)
    signed = await world.sign_in(email)
    assert signed.json()["company"]["roles"] == ["buyer"]
    assert (await accept(world, body["invitation_token"])).status_code == 404


async def test_a_replayed_invitation_does_not_repeat_the_token(world: World, database: Database):
    company = await world.company()
    headers = {**admin_of(company), **once()}
    body = an_invitation(an_email())
    first, again = [
        await world.http.post(f"/members/companies/{company}/people", json=body, headers=headers) for _ in range(2)
    ]
    assert first.json()["invitation_token"].startswith("dgi_")
    assert again.json() == {**first.json(), "invitation_token": None}
    async with transaction(database.system) as session:
        stored = await session.scalars(text("SELECT convert_from(body, 'UTF8') FROM idempotency_keys"))
        assert not any("dgi_" in answer for answer in stored)


async def test_a_person_known_already_joins_a_second_company_with_token_and_own_password(world: World):
    first, second = await world.company(), await world.company("supplier")
    person, email = await world.person(first, "buyer")
    invited = (
        await world.post(
            f"/members/companies/{second}/people",
            an_invitation(email, "supplier_sales"),
            as_=admin_of(second),
        )
    ).json()
    assert invited["person_id"] == str(person)
    assert invited["name"] is None, "an invitation does not tell who is behind an address"
    wrong = await accept(world, invited["invitation_token"], "not the password")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "PasswordWrong")
    assert (await world.sign_in(email, company_id=str(second))).status_code == 404
    assert (await accept(world, invited["invitation_token"])).status_code == 200
    signed = (await world.sign_in(email, company_id=str(second))).json()
    assert signed["company"] == {"id": str(second), "name": "示范公司", "roles": ["supplier_sales"]}
    assert [choice["id"] for choice in signed["companies"]] == [str(first), str(second)]


async def test_an_account_opened_in_a_strangers_name_gets_nothing_from_a_later_invitation(world: World):
    """The squatter knows the account's password but never sees the token that the second company hands over."""
    squatter, honest = await world.company(), await world.company()
    email = an_email("victim")
    squatted = (
        await world.post(f"/members/companies/{squatter}/people", an_invitation(email), as_=admin_of(squatter))
    ).json()
    await accept(world, squatted["invitation_token"])
    await world.post(f"/members/companies/{honest}/people", an_invitation(email), as_=admin_of(honest))
    signed = (await world.sign_in(email)).json()
    assert [choice["id"] for choice in signed["companies"]] == [str(squatter)]
    assert (await world.sign_in(email, company_id=str(honest))).status_code == 404


async def test_a_new_invitation_voids_the_one_before(world: World):
    company, email = await world.company(), an_email()
    first = (
        await world.post(f"/members/companies/{company}/people", an_invitation(email), as_=admin_of(company))
    ).json()
    again = await world.post(
        f"/members/companies/{company}/people/{first['person_id']}/invitation", {}, as_=admin_of(company)
    )
    assert (await accept(world, first["invitation_token"])).json()["code"] == "InvitationInvalid"
    assert (await accept(world, again.json()["invitation_token"])).status_code == 200
    late = await world.post(
        f"/members/companies/{company}/people/{first['person_id']}/invitation", {}, as_=admin_of(company)
    )
    assert (late.status_code, late.json()["code"]) == (409, "AlreadyAccepted")


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaa"])
async def test_a_weak_password_is_refused_and_the_invitation_stays(world: World, password):
    company = await world.company()
    invited = (
        await world.post(f"/members/companies/{company}/people", an_invitation(an_email()), as_=admin_of(company))
    ).json()
    refused = await accept(world, invited["invitation_token"], password)
    assert (refused.status_code, refused.json()["code"]) == (422, "PasswordRefused")
    assert refused.json()["errors"][0]["field"] == "password"
    assert (await accept(world, invited["invitation_token"])).status_code == 200


async def test_an_invitation_ends_by_itself(world: World, database: Database):
    company = await world.company()
    invited = (
        await world.post(f"/members/companies/{company}/people", an_invitation(an_email()), as_=admin_of(company))
    ).json()
    async with transaction(database.system) as session:
        await session.execute(text("UPDATE invitations SET expires_at = now()"))
    assert (await accept(world, invited["invitation_token"])).status_code == 404


async def test_a_company_gives_only_the_roles_of_its_kind(world: World):
    supplier = await world.company("supplier")
    refused = await world.post(
        f"/members/companies/{supplier}/people", an_invitation(an_email(), "buyer"), as_=admin_of(supplier)
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "RolesNotOfThisCompany")
    assert refused.json()["errors"][0]["field"] == "roles"


async def test_nobody_but_an_operator_makes_operators_or_vouches(world: World):
    company = await world.company("operator", "contractor")
    for body in (an_invitation(an_email(), "operator"), an_invitation(an_email(), verified=True)):
        refused = await world.post(f"/members/companies/{company}/people", body, as_=admin_of(company))
        assert (refused.status_code, refused.json()["code"]) == (403, "OperatorNeeded")
    by_operator = await world.post(
        f"/members/companies/{company}/people", an_invitation(an_email(), "operator"), as_=world.as_operator
    )
    assert by_operator.status_code == 201


async def test_one_person_joins_a_company_once_also_at_one_moment(world: World):
    company, body = await world.company(), an_invitation(an_email())
    answers = await asyncio.gather(
        *(world.post(f"/members/companies/{company}/people", body, as_=admin_of(company)) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


async def test_strangers_get_404_members_without_the_right_403(world: World):
    mine, other = await world.company(), await world.company()
    person, _ = await world.person(mine, "buyer")
    member = signed_in(a_person(Role.BUYER, company_id=mine))
    paths = [f"/members/companies/{mine}/people", f"/members/companies/{mine}/people/{person}"]
    assert (await world.http.get(paths[0], headers=member)).status_code == 403
    assert (await world.http.get(paths[0], headers=admin_of(other))).status_code == 404
    assert (await world.post(paths[0], an_invitation(an_email()), as_=admin_of(other))).status_code == 404
    changed = await world.http.patch(
        paths[1], json={"roles": ["admin"]}, headers={**admin_of(other), "If-Match": '"1"'}
    )
    assert changed.status_code == 404
    assert (await world.http.delete(paths[1], headers=admin_of(other))).status_code == 404
    elsewhere = f"/members/companies/{other}/people/{person}"
    assert (await world.http.delete(elsewhere, headers=admin_of(other))).json()["code"] == "PersonNotFound"
    assert (await world.http.get(paths[0])).status_code == 401


async def test_people_are_listed_page_by_page_with_those_who_left_on_wish(world: World):
    company = await world.company()
    people = [(await world.person(company, "buyer"))[0] for _ in range(3)]
    await world.http.delete(f"/members/companies/{company}/people/{people[0]}", headers=admin_of(company))
    listed = await world.http.get(f"/members/companies/{company}/people?limit=1", headers=admin_of(company))
    following = await world.http.get(listed.links["next"]["url"], headers=admin_of(company))
    assert [row["person_id"] for row in [*listed.json(), *following.json()]] == [str(p) for p in people[1:]]
    assert "next" not in following.links
    every = await world.http.get(f"/members/companies/{company}/people?ended=true", headers=admin_of(company))
    assert [row["person_id"] for row in every.json()] == [str(p) for p in people]


async def test_changed_roles_come_with_the_next_token(world: World):
    company = await world.company()
    person, email = await world.person(company, "requester")
    signed = (await world.sign_in(email)).json()
    path = f"/members/companies/{company}/people/{person}"
    assert (await world.http.patch(path, json={"roles": ["buyer"]}, headers=admin_of(company))).status_code == 428
    headers = {**admin_of(company), "If-Match": '"1"'}
    changed = await world.http.patch(path, json={"roles": ["buyer", "approver"]}, headers=headers)
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    stale = await world.http.patch(path, json={"roles": ["buyer"]}, headers=headers)
    assert stale.status_code == 412
    refreshed = (await world.refresh(signed["refresh_token"])).json()
    assert refreshed["company"]["roles"] == ["approver", "buyer"]


async def test_who_left_a_company_acts_on_for_the_other(world: World, database: Database):
    first, second = await world.company(), await world.company()
    person, email = await world.person(first, "buyer")
    await world.join(second, email, "buyer")
    signed = (await world.sign_in(email)).json()
    assert signed["company"]["id"] == str(first)
    await world.http.delete(f"/members/companies/{first}/people/{person}", headers=admin_of(first))
    refreshed = (await world.refresh(signed["refresh_token"])).json()
    assert refreshed["company"]["id"] == str(second)
    assert [choice["id"] for choice in refreshed["companies"]] == [str(second)]
    assert (await world.join(first, email, "buyer")) == person
    async with transaction(database.system) as session:
        rows = await session.execute(
            text("SELECT data FROM events WHERE type = 'dev.dougong.members.membership.changed.v1' ORDER BY txid")
        )
        told = [(row.data["company_id"], row.data["valid_until"] is None) for row in rows]
    assert told == [(str(first), True), (str(second), True), (str(first), False), (str(first), True)]


async def test_who_left_every_company_cannot_sign_in(world: World):
    company = await world.company()
    person, email = await world.person(company, "buyer")
    signed = (await world.sign_in(email)).json()
    await world.http.delete(f"/members/companies/{company}/people/{person}", headers=admin_of(company))
    for answer in (await world.sign_in(email), await world.refresh(signed["refresh_token"])):
        assert (answer.status_code, answer.json()["code"]) == (403, "NoActiveMembership")


async def test_a_membership_of_the_future_gives_nothing_yet(world: World):
    company = await world.company()
    body = an_invitation(an_email(), verified=True, valid_from="2126-01-01T00:00:00Z")
    person = (await world.post(f"/members/companies/{company}/people", body, as_=world.as_operator)).json()["person_id"]
    await world.http.put(f"/members/people/{person}/password", json={"password": PASSWORD}, headers=world.as_operator)
    assert (await world.sign_in(body["email"])).json()["code"] == "NoActiveMembership"
    past = an_invitation(an_email(), valid_from="2026-01-02T00:00:00Z", valid_until="2026-01-01T00:00:00Z")
    refused = await world.post(f"/members/companies/{company}/people", past, as_=world.as_operator)
    assert refused.json()["code"] == "MembershipPeriodReversed"


async def test_a_deactivated_person_is_out_until_let_in_again(world: World):
    company = await world.company()
    person, email = await world.person(company, "buyer")
    signed = (await world.sign_in(email)).json()
    path = f"/members/people/{person}/status"
    assert (await world.http.put(path, json={"status": "ACTIVE"}, headers=admin_of(company))).status_code == 403
    await world.http.put(path, json={"status": "DEACTIVATED"}, headers=world.as_operator)
    assert (await world.sign_in(email)).json()["code"] == "SignInRefused"
    assert (await world.refresh(signed["refresh_token"])).json()["code"] == "SessionOver"
    await world.http.put(path, json={"status": "ACTIVE"}, headers=world.as_operator)
    assert (await world.sign_in(email)).status_code == 201


async def test_a_changed_password_ends_every_session(world: World):
    company = await world.company()
    _, email = await world.person(company, "buyer")
    here, elsewhere = (await world.sign_in(email)).json(), (await world.sign_in(email)).json()
    headers = {"Authorization": f"Bearer {here['access_token']}"}
    body = {"current_password": "wrong password", "new_password": "a new kettle, a new day"}
    wrong = await world.http.put("/members/me/password", json=body, headers=headers)
    assert (wrong.status_code, wrong.json()["code"]) == (401, "PasswordWrong")
    weak = {"current_password": PASSWORD, "new_password": email}
    assert (await world.http.put("/members/me/password", json=weak, headers=headers)).status_code == 422
    body["current_password"] = PASSWORD
    assert (await world.http.put("/members/me/password", json=body, headers=headers)).status_code == 204
    for session in (here, elsewhere):
        assert (await world.refresh(session["refresh_token"])).json()["code"] == "SessionOver"
    assert (await world.sign_in(email)).status_code == 401
    assert (await world.sign_in(email, body["new_password"])).status_code == 201


async def test_only_the_operator_gives_a_person_a_new_password(world: World):
    company = await world.company()
    person, _ = await world.person(company, "buyer")
    path, body = f"/members/people/{person}/password", {"password": "another long password"}
    assert (await world.http.put(path, json=body, headers=admin_of(company))).status_code == 403
    unknown = f"/members/people/{new_id()}/password"
    assert (await world.http.put(unknown, json=body, headers=world.as_operator)).status_code == 404


async def test_me_tells_who_the_token_speaks_of(world: World):
    first, second = await world.company(), await world.company()
    person, email = await world.person(first, "buyer")
    await world.join(second, email, "approver")
    signed = (await world.sign_in(email)).json()
    me = await world.http.get("/members/me", headers={"Authorization": f"Bearer {signed['access_token']}"})
    body = me.json()
    assert (body["id"], body["email"], body["kind"]) == (str(person), email, "person")
    assert body["company"]["id"] == str(first)
    assert [choice["id"] for choice in body["companies"]] == [str(first), str(second)]
    client = await world.http.get("/members/me", headers=signed_in(an_api_client(Scope.STOCK_WRITE)))
    assert (client.json()["kind"], client.json()["scopes"]) == ("client", ["stock:write"])
    assert (await world.http.get("/members/me")).status_code == 401


async def test_passwords_are_never_repeated_in_answers(world: World):
    answer = await world.http.post("/members/sessions", json={"email": "not an address", "password": "hunter2-hunter2"})
    assert answer.status_code == 422
    assert "hunter2" not in answer.text


@pytest.mark.parametrize(
    "more",
    [
        {"email": "\ud800@company.example"},
        {"email": "a\x00@company.example"},
        {"name": "a\x00b"},
        {"name": "\ud800"},
        {"roles": []},
        {"roles": ["king"]},
        {"valid_from": "0001-01-01T00:00:00+14:00"},
        {"valid_until": "2027-01-01T00:00:00"},
    ],
)
async def test_what_cannot_be_stored_is_malformed(world: World, more):
    company = await world.company()
    body = json.dumps(an_invitation(an_email(), **more))
    answer = await world.http.post(
        f"/members/companies/{company}/people",
        content=body,
        headers={**admin_of(company), **once(), "Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "MalformedRequest")
