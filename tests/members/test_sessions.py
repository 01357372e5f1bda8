"""Sign-in, refresh with reuse detection, two companies, sign-out, keys and throttling."""

import asyncio
from collections.abc import Callable

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI
from joserfc import jws, jwt
from joserfc.jwk import KeySet
from sqlalchemy import text

from services.members.app import own_keys
from services.members.people.passwords import Passwords
from shared.database import Database, transaction
from shared.identity import ALGORITHM, Role, TokenVerifier
from tests.conftest import a_person, signed_in, token_for
from tests.members.conftest import PASSWORD, CreateApp, World, a_uscc, admin_of, an_email


def bearer(session: dict[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {session['access_token']}"}


async def test_a_signed_in_person_is_known_to_every_service_by_the_token_alone(world: World, database: Database):
    group, company = await world.company("contractor_group"), await world.company(name_zh="第一建筑公司")
    await world.post(
        f"/members/companies/{company}/links",
        {"parent_id": str(group), "valid_from": "2026-01-01"},
        as_=world.as_operator,
    )
    person, email = await world.person(company, "requester", "buyer")
    signed = (await world.sign_in(email)).json()
    elsewhere = TokenVerifier(issuer="dougong", fetch_keys=own_keys(database))
    principal = await elsewhere.verify(signed["access_token"])
    assert (principal.subject, principal.kind, principal.name) == (person, "person", "李娜")
    assert (principal.company_id, principal.company_name) == (company, "第一建筑公司")
    assert principal.group_id == group
    assert principal.roles == {Role.REQUESTER, Role.BUYER}
    assert signed["expires_in"] == 600


async def test_tokens_verify_by_the_published_keys_and_name_theirs(world: World):
    company = await world.company()
    _, email = await world.person(company, "buyer")
    signed = (await world.sign_in(email)).json()
    published = await world.http.get("/members/jwks.json")
    assert published.headers["Cache-Control"] == "public, max-age=60"
    keys = published.json()
    assert [set(key) for key in keys["keys"]] == [{"kty", "crv", "x", "kid", "use", "alg"}]
    decoded = jwt.decode(signed["access_token"], KeySet.import_key_set(keys), algorithms=[ALGORITHM])
    assert decoded.header["kid"] == keys["keys"][0]["kid"]
    claims = decoded.claims
    assert (claims["iss"], claims["aud"], claims["exp"] - claims["iat"]) == ("dougong", "dougong", 600)


async def test_unknown_address_and_wrong_password_look_the_same(world: World):
    company = await world.company()
    _, email = await world.person(company, "buyer")
    wrong, unknown = await world.sign_in(email, "not the password"), await world.sign_in(an_email())
    assert wrong.status_code == unknown.status_code == 401
    strange = {"request_id"}
    assert {k: v for k, v in wrong.json().items() if k not in strange} == {
        k: v for k, v in unknown.json().items() if k not in strange
    }
    assert wrong.json()["code"] == "SignInRefused"


async def test_an_unknown_address_costs_a_password_check_too():
    class Counted(Passwords):
        checks = 0

        def _verify(self, stored: str, password: str) -> bool:
            self.checks += 1
            return super()._verify(stored, password)

    passwords = Counted(at_once=1)
    assert not await passwords.check(password=PASSWORD, stored=None)
    assert passwords.checks == 1


async def test_hashes_are_argon2id_with_the_parameters_we_chose():
    passwords = Passwords(at_once=1)
    made = await passwords.hash(PASSWORD)
    assert made.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not passwords.is_outdated(made)
    assert passwords.is_outdated(made.replace("t=2", "t=1"))
    assert await passwords.check(password=PASSWORD, stored=made)
    assert await passwords.check(password=PASSWORD.replace("a", "ａ"), stored=made), "full-width is the same"


async def test_a_person_of_two_companies_chooses_at_sign_in_and_at_refresh(world: World):
    buyer_side, supplier_side = await world.company("contractor"), await world.company("supplier")
    _, email = await world.person(buyer_side, "buyer")
    await world.join(supplier_side, email, "supplier_sales")
    first = (await world.sign_in(email)).json()
    assert first["company"]["id"] == str(buyer_side)
    second = (await world.refresh(first["refresh_token"], company_id=str(supplier_side))).json()
    assert (second["company"]["id"], second["company"]["roles"]) == (str(supplier_side), ["supplier_sales"])
    third = (await world.refresh(second["refresh_token"])).json()
    assert third["company"]["id"] == str(supplier_side), "a refresh keeps the company"
    foreign = await world.refresh(third["refresh_token"], company_id=str(await world.company()))
    assert (foreign.status_code, foreign.json()["code"]) == (404, "NotAMember")
    assert (await world.refresh(third["refresh_token"])).status_code == 201, "the token was not used up"


async def test_a_refresh_token_used_twice_ends_the_session(world: World):
    company = await world.company()
    _, email = await world.person(company, "buyer")
    first = (await world.sign_in(email)).json()
    second = (await world.refresh(first["refresh_token"])).json()
    stolen = await world.refresh(first["refresh_token"])
    assert (stolen.status_code, stolen.json()["code"]) == (401, "RefreshTokenReused")
    after = await world.refresh(second["refresh_token"])
    assert (after.status_code, after.json()["code"]) == (401, "SessionOver")
    other = (await world.sign_in(email)).json()
    assert (await world.refresh(other["refresh_token"])).status_code == 201, "other sessions go on"


async def test_of_two_refreshes_at_one_moment_one_wins_and_the_session_ends(world: World):
    company = await world.company()
    _, email = await world.person(company, "buyer")
    first = (await world.sign_in(email)).json()
    answers = await asyncio.gather(*(world.refresh(first["refresh_token"]) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 401, 401, 401, 401]
    winner = next(answer for answer in answers if answer.status_code == 201).json()
    assert (await world.refresh(winner["refresh_token"])).json()["code"] == "SessionOver"


async def test_who_signed_out_cannot_refresh(world: World):
    company = await world.company()
    _, email = await world.person(company, "buyer")
    here, elsewhere = (await world.sign_in(email)).json(), (await world.sign_in(email)).json()
    out = await world.http.delete("/members/sessions/current", headers=bearer(here))
    assert out.status_code == 204
    assert (await world.refresh(here["refresh_token"])).json()["code"] == "SessionOver"
    assert (await world.refresh(elsewhere["refresh_token"])).status_code == 201
    other_kind = await world.http.delete("/members/sessions/current", headers=signed_in(a_person(Role.BUYER)))
    assert other_kind.status_code == 204, "a token of no session has nothing to end"


async def test_nobody_ends_a_session_of_another(world: World):
    company = await world.company()
    _, email = await world.person(company, "buyer")
    signed = (await world.sign_in(email)).json()
    sid = jws.extract_compact(signed["access_token"].encode()).payload.decode().partition('"sid":"')[2][:36]
    stranger = a_person(Role.BUYER)
    headers = {"Authorization": f"Bearer {token_for(stranger, sid=sid)}"}
    assert (await world.http.delete("/members/sessions/current", headers=headers)).status_code == 204
    assert (await world.refresh(signed["refresh_token"])).status_code == 201


async def test_sessions_and_refresh_tokens_end_with_time(world: World, database: Database):
    company = await world.company()
    _, email = await world.person(company, "buyer")
    for statement in (
        "UPDATE refresh_tokens SET expires_at = now()",
        "UPDATE sessions SET begun_at = begun_at - interval '1 day', expires_at = now()",
    ):
        signed = (await world.sign_in(email)).json()
        async with transaction(database.system) as session:
            await session.execute(text(statement))
        assert (await world.refresh(signed["refresh_token"])).json()["code"] == "SessionOver"
    assert (await world.refresh("dgr_never-issued")).json()["code"] == "SessionOver"


async def test_people_of_a_suspended_company_cannot_sign_in_for_it(world: World):
    company = await world.company()
    _, email = await world.person(company, "buyer")
    signed = (await world.sign_in(email)).json()
    headers = {**world.as_operator, "If-Match": '"1"'}
    await world.http.patch(f"/members/companies/{company}", json={"status": "SUSPENDED"}, headers=headers)
    assert (await world.sign_in(email)).json()["code"] == "NoActiveMembership"
    assert (await world.refresh(signed["refresh_token"])).json()["code"] == "NoActiveMembership"


async def test_what_is_kept_of_a_refresh_token_cannot_be_used(world: World, database: Database):
    company = await world.company()
    _, email = await world.person(company, "buyer")
    signed = (await world.sign_in(email)).json()
    async with transaction(database.system) as session:
        [stored] = list(await session.scalars(text("SELECT encode(token_hash, 'hex') FROM refresh_tokens")))
    assert signed["refresh_token"] not in stored
    assert (await world.refresh(stored)).status_code == 401


async def test_a_new_signing_key_signs_while_the_old_one_is_still_published(world: World):
    company = await world.company()
    _, email = await world.person(company, "buyer")
    before = (await world.sign_in(email)).json()
    old = (await world.http.get("/members/jwks.json")).json()["keys"][0]["kid"]
    assert (await world.post("/members/signing-keys/rotate", {}, as_=admin_of(company))).status_code == 403
    rotated = await world.post("/members/signing-keys/rotate", {}, as_=world.as_operator)
    keys = (await world.http.get("/members/jwks.json")).json()
    assert [key["kid"] for key in keys["keys"]] == [rotated.json()["kid"], old]
    after = (await world.sign_in(email)).json()
    for session, kid in ((before, old), (after, rotated.json()["kid"])):
        decoded = jwt.decode(session["access_token"], KeySet.import_key_set(keys), algorithms=[ALGORITHM])
        assert decoded.header["kid"] == kid


async def test_the_first_key_is_made_once_also_by_many_at_one_moment(world: World):
    answers = await asyncio.gather(*(world.http.get("/members/jwks.json") for _ in range(6)))
    assert len({answer.text for answer in answers}) == 1
    assert len(answers[0].json()["keys"]) == 1


class TestThrottle:
    """Too many wrong passwords."""

    def app(self, create_members: CreateApp, http_to: Callable[[FastAPI], httpx.AsyncClient], **limits: int) -> World:
        return World(http=http_to(create_members(**limits)))

    async def test_an_account_is_closed_for_a_while_known_or_not(self, create_members, http_to):
        world = self.app(create_members, http_to, attempts_per_account=3)
        company = await world.company()
        _, email = await world.person(company, "buyer")
        for address in (email, an_email("nobody")):
            statuses = [(await world.sign_in(address, "wrong password")).status_code for _ in range(4)]
            assert statuses == [401, 401, 401, 429]
            closed = await world.sign_in(address)
            assert (closed.status_code, closed.json()["code"]) == (429, "TooManyAttempts")
            assert 0 < int(closed.headers["Retry-After"]) <= 900
            assert closed.headers["content-type"] == "application/problem+json"

    async def test_the_account_opens_again_when_the_window_is_over(self, create_members, http_to, database):
        world = self.app(create_members, http_to, attempts_per_account=1)
        company = await world.company()
        _, email = await world.person(company, "buyer")
        assert (await world.sign_in(email, "wrong password")).status_code == 401
        assert (await world.sign_in(email)).status_code == 429
        async with transaction(database.system) as session:
            await session.execute(text("UPDATE attempts SET window_start = window_start - interval '15 minutes'"))
        assert (await world.sign_in(email)).status_code == 201

    async def test_a_network_is_closed_over_many_accounts(self, create_members, http_to):
        world = self.app(create_members, http_to, attempts_per_network=5)
        statuses = [(await world.sign_in(an_email())).status_code for _ in range(7)]
        assert statuses == [401] * 5 + [429] * 2

    async def test_right_passwords_are_not_counted(self, create_members, http_to):
        world = self.app(create_members, http_to, attempts_per_account=2, attempts_per_network=2)
        company = await world.company()
        _, email = await world.person(company, "buyer")
        for _ in range(4):
            assert (await world.sign_in(email)).status_code == 201

    async def test_a_thousand_at_one_moment_pass_no_more_than_the_limit(self, create_members, http_to):
        world = self.app(create_members, http_to, attempts_per_account=3)
        company = await world.company()
        _, email = await world.person(company, "buyer")
        answers = await asyncio.gather(*(world.sign_in(email, f"wrong password {n}") for n in range(12)))
        assert sorted(answer.status_code for answer in answers) == [401] * 3 + [429] * 9

    async def test_guessing_the_present_password_is_counted_too(self, create_members, http_to):
        world = self.app(create_members, http_to, attempts_per_account=2)
        company = await world.company()
        _, email = await world.person(company, "buyer")
        headers = bearer((await world.sign_in(email)).json())
        body = {"current_password": "wrong password", "new_password": "a new kettle, a new day"}
        statuses = [
            (await world.http.put("/members/me/password", json=body, headers=headers)).status_code for _ in range(3)
        ]
        assert statuses == [401, 401, 429]

    async def test_no_address_of_a_stranger_is_kept(self, world: World, database: Database):
        await world.sign_in("somebody@elsewhere.example")
        async with transaction(database.system) as session:
            keys = list(await session.scalars(text("SELECT key FROM attempts ORDER BY key")))
        assert [key.partition(":")[0] for key in keys] == ["account", "network"]
        assert not any("somebody" in key for key in keys)


async def test_sign_in_needs_no_idempotency_key_but_every_other_post_does(world: World):
    company = await world.company()
    for path, body in (
        ("/members/companies", {"tax_id": {"value": a_uscc()}, "name_zh": "公司", "kinds": ["supplier"]}),
        (f"/members/companies/{company}/api-clients", {"name": "ERP", "scopes": ["stock:write"]}),
        (f"/members/companies/{company}/people", {"email": an_email(), "name": "王伟", "roles": ["buyer"]}),
        (f"/members/companies/{company}/links", {"parent_id": str(company), "valid_from": "2026-01-01"}),
        ("/members/signing-keys/rotate", {}),
    ):
        answer = await world.http.post(path, json=body, headers=world.as_operator)
        assert (answer.status_code, answer.json()["code"]) == (400, "IdempotencyKeyMissing"), path


async def test_an_outdated_hash_is_replaced_at_sign_in_without_ending_the_session(world: World, database: Database):
    company = await world.company()
    person, email = await world.person(company, "buyer")
    older = (await world.sign_in(email)).json()
    weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    async with transaction(database.system) as session:
        await session.execute(
            text("UPDATE credentials SET password_hash = :hash WHERE person_id = :id"), {"hash": weak, "id": person}
        )
    newer = (await world.sign_in(email)).json()
    async with transaction(database.system) as session:
        stored = await session.scalar(text("SELECT password_hash FROM credentials"))
    assert stored is not None
    assert "m=19456" in stored
    for session_begun in (older, newer):
        assert (await world.refresh(session_begun["refresh_token"])).status_code == 201
