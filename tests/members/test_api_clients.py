"""API clients: made by the company's admin, secret shown once, tokens by OAuth2 client credentials."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from infra.instance import CLIENT_SCOPES
from services.members.access import jobs
from services.members.app import own_keys
from shared.clients.transport import TokenSource
from shared.database import Database, transaction
from shared.identity import Role, Scope, TokenVerifier
from shared.ids import new_id
from tests.conftest import a_person, once, signed_in
from tests.members.conftest import CreateApp, World, admin_of

FORM = {"grant_type": "client_credentials"}


async def a_client(world: World, company: UUID, *scopes: str, **more) -> dict[str, Any]:
    body = {"name": "ERP", "scopes": scopes or ["stock:write", "orders:read"], **more}
    answer = await world.post(f"/members/companies/{company}/api-clients", body, as_=admin_of(company))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def ask(world: World, client: dict[str, Any], **more) -> httpx.Response:
    form = {**FORM, "client_id": client["client_id"], "client_secret": client["client_secret"], **more}
    return await world.http.post("/members/token", data=form)


async def test_a_suppliers_program_gets_a_token_for_its_company(world: World, database: Database):
    company = await world.company("supplier", name_zh="钢材贸易公司")
    client = await a_client(world, company)
    answer = await ask(world, client)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 600, "orders:read stock:write")
    principal = await TokenVerifier(issuer="dougong", fetch_keys=own_keys(database)).verify(body["access_token"])
    assert (principal.kind, principal.company_id, principal.company_name) == ("client", company, "钢材贸易公司")
    assert principal.subject == UUID(client["id"])
    assert principal.scopes == {Scope.STOCK_WRITE, Scope.ORDERS_READ}
    assert principal.roles == frozenset()


async def test_basic_authentication_works_too(world: World):
    client = await a_client(world, await world.company("supplier"))
    pair = f"{quote_plus(client['client_id'])}:{quote_plus(client['client_secret'])}"
    headers = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    answer = await world.http.post("/members/token", data=FORM, headers=headers)
    assert answer.status_code == 200
    both = {**FORM, "client_secret": client["client_secret"]}
    assert (await world.http.post("/members/token", data=both, headers=headers)).json()["error"] == "invalid_request"


async def test_a_token_may_hold_fewer_scopes_than_the_client_never_more(world: World):
    client = await a_client(world, await world.company("supplier"))
    assert (await ask(world, client, scope="orders:read")).json()["scope"] == "orders:read"
    refused = await ask(world, client, scope="orders:read prices:write")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")


@pytest.mark.parametrize(
    ("sent", "status", "error"),
    [
        ({"data": {}}, 400, "invalid_request"),
        ({"data": {"grant_type": "password"}}, 400, "unsupported_grant_type"),
        ({"data": FORM}, 401, "invalid_client"),
        ({"data": {**FORM, "client_id": "dg_x", "client_secret": "y"}}, 401, "invalid_client"),
        ({"data": {**FORM, "client_id": "dg\x00", "client_secret": "y"}}, 400, "invalid_request"),
        ({"json": FORM}, 400, "invalid_request"),
        (
            {"content": b"grant_type=a&grant_type=b", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
            400,
            "invalid_request",
        ),
        ({"data": FORM, "headers": {"Authorization": "Basic !!!"}}, 401, "invalid_client"),
        ({"data": FORM, "headers": {"Authorization": "Basic eHh4"}}, 401, "invalid_client"),
    ],
)
async def test_refusals_speak_the_words_of_the_rfc(world: World, sent, status, error):
    answer = await world.http.post("/members/token", **sent)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["content-type"] == "application/json"
    if status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Basic")


async def test_a_form_too_large_is_refused(world: World):
    answer = await world.http.post("/members/token", data={**FORM, "client_secret": "x" * 20_000})
    assert answer.status_code == 413


async def test_the_secret_is_shown_once_and_kept_nowhere(world: World, database: Database):
    company = await world.company("supplier")
    headers = {**admin_of(company), **once()}
    body = {"name": "ERP", "scopes": ["stock:write"]}
    path = f"/members/companies/{company}/api-clients"
    first, again = [await world.http.post(path, json=body, headers=headers) for _ in range(2)]
    secret = first.json()["client_secret"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == {**first.json(), "client_secret": None}
    listed = await world.http.get(path, headers=admin_of(company))
    assert len(listed.json()) == 1
    assert secret not in listed.text
    async with transaction(database.system) as session:
        for table in ("api_clients", "idempotency_keys", "events"):
            rows = await session.execute(text(f"SELECT to_jsonb(t) AS row FROM {table} t"))
            assert not any(secret in str(row.row) for row in rows)
        bodies = await session.scalars(text("SELECT convert_from(body, 'UTF8') FROM idempotency_keys"))
        assert not any(secret in stored for stored in bodies)


async def test_last_use_is_visible(world: World):
    company = await world.company("supplier")
    client = await a_client(world, company)
    path = f"/members/companies/{company}/api-clients"
    assert (await world.http.get(path, headers=admin_of(company))).json()[0]["last_used_at"] is None
    await ask(world, client)
    assert (await world.http.get(path, headers=admin_of(company))).json()[0]["last_used_at"] is not None


async def test_no_token_outlives_its_client(world: World, database: Database):
    company = await world.company("supplier")
    client = await a_client(world, company, expires_at=(datetime.now(UTC) + timedelta(seconds=90)).isoformat())
    answer = await ask(world, client)
    assert 0 < answer.json()["expires_in"] <= 90
    claims = answer.json()["access_token"].split(".")[1]
    told = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    async with transaction(database.system) as session:
        ends = await session.scalar(text("SELECT expires_at FROM api_clients"))
    assert told["exp"] <= ends.timestamp() < told["exp"] + 2


async def test_a_revoked_client_is_refused(world: World):
    company = await world.company("supplier")
    client = await a_client(world, company)
    path = f"/members/companies/{company}/api-clients/{client['id']}"
    for _ in range(2):
        assert (await world.http.delete(path, headers=admin_of(company))).status_code == 204
    refused = await ask(world, client)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    rotated = await world.post(f"{path}/rotate", {}, as_=admin_of(company))
    assert (rotated.status_code, rotated.json()["code"]) == (409, "ApiClientRevoked")


async def test_a_rotated_secret_replaces_the_old_one_at_once_or_after_an_overlap(world: World, database: Database):
    company = await world.company("supplier")
    client = await a_client(world, company)
    path = f"/members/companies/{company}/api-clients/{client['id']}/rotate"
    fresh = (await world.post(path, {}, as_=admin_of(company))).json()
    assert (await ask(world, client)).status_code == 401
    assert (await ask(world, fresh)).status_code == 200
    fresher = (await world.post(path, {"overlap_seconds": 60}, as_=admin_of(company))).json()
    assert (await ask(world, fresh)).status_code == 200
    assert (await ask(world, fresher)).status_code == 200
    async with transaction(database.system) as session:
        await session.execute(text("UPDATE api_clients SET previous_secret_until = now()"))
    assert (await ask(world, fresh)).status_code == 401


async def test_a_client_ends_on_its_day(world: World, database: Database):
    company = await world.company("supplier")
    client = await a_client(world, company, expires_at=(datetime.now(UTC) + timedelta(days=1)).isoformat())
    assert (await ask(world, client)).status_code == 200
    async with transaction(database.system) as session:
        await session.execute(text("UPDATE api_clients SET expires_at = now()"))
    assert (await ask(world, client)).status_code == 401
    body = {"name": "ERP", "scopes": ["stock:write"], "expires_at": "2020-01-01T00:00:00Z"}
    late = await world.post(f"/members/companies/{company}/api-clients", body, as_=admin_of(company))
    assert (late.status_code, late.json()["code"]) == (422, "ExpiryInThePast")


@pytest.mark.parametrize(("kind", "scope"), [("contractor", "stock:write"), ("supplier", "feed:read")])
async def test_a_company_gives_only_the_scopes_of_its_kind(world: World, kind, scope):
    company = await world.company(kind)
    body = {"name": "ERP", "scopes": [scope]}
    refused = await world.post(f"/members/companies/{company}/api-clients", body, as_=admin_of(company))
    assert (refused.status_code, refused.json()["code"]) == (409, "ScopesNotOfThisCompany")


async def test_the_clients_of_a_suspended_or_changed_company_are_refused(world: World):
    company = await world.company("supplier")
    client = await a_client(world, company)
    path = f"/members/companies/{company}"
    await world.http.patch(path, json={"kinds": ["contractor"]}, headers={**world.as_operator, "If-Match": '"1"'})
    assert (await ask(world, client)).json()["error"] == "invalid_scope"
    await world.http.patch(path, json={"status": "SUSPENDED"}, headers={**world.as_operator, "If-Match": '"2"'})
    assert (await ask(world, client)).json()["error"] == "invalid_client"


async def test_another_companys_clients_do_not_exist(world: World):
    mine, other = await world.company("supplier"), await world.company("supplier")
    client = await a_client(world, mine)
    path = f"/members/companies/{mine}/api-clients"
    stranger, clerk = admin_of(other), signed_in(a_person(Role.SUPPLIER_SALES, company_id=mine))
    assert (await world.http.get(path, headers=stranger)).status_code == 404
    assert (await world.http.delete(f"{path}/{client['id']}", headers=stranger)).status_code == 404
    assert (await world.post(f"{path}/{client['id']}/rotate", {}, as_=stranger)).status_code == 404
    assert (await world.post(path, {"name": "x", "scopes": ["stock:write"]}, as_=stranger)).status_code == 404
    elsewhere = f"/members/companies/{other}/api-clients/{client['id']}"
    assert (await world.http.delete(elsewhere, headers=stranger)).json()["code"] == "ApiClientNotFound"
    assert (await world.http.get(path, headers=clerk)).status_code == 403
    assert (await world.http.get(path)).status_code == 401
    assert (await world.http.get(path, headers=world.as_operator)).status_code == 200
    assert (await ask(world, client)).status_code == 200


async def test_the_app_sees_the_clients_in_scope_and_never_a_services(world: World, database: Database):
    mine, other = await world.company("supplier"), await world.company("supplier")
    client = await a_client(world, mine)
    await a_client(world, other)
    await a_service_client(database)
    async with transaction(database.app, mine) as session:
        assert [str(i) for i in await session.scalars(text("SELECT id FROM api_clients"))] == [client["id"]]


async def test_wrong_secrets_are_throttled_by_network_right_ones_never(
    create_members: CreateApp, http_to: Callable[[FastAPI], httpx.AsyncClient]
):
    world = World(http=http_to(create_members(attempts_per_network=2)))
    client = await a_client(world, await world.company("supplier"))
    wrong = {**client, "client_secret": "dgs_wrong"}
    assert [(await ask(world, wrong)).status_code for _ in range(3)] == [401, 401, 429]
    throttled = await ask(world, wrong)
    assert throttled.json()["error"] == "too_many_requests"
    assert int(throttled.headers["Retry-After"]) > 0
    assert (await ask(world, client)).status_code == 200


SECRET = "a service's secret of at least 32 characters"


async def a_service_client(database: Database, secret: str = SECRET, scopes=("companies:read", "feed:read")) -> None:
    await jobs.ensure_service_client(
        database.system,
        client_id="orders",
        client_secret=secret,
        name="orders",
        scopes=scopes,
        at=datetime.now(UTC),
    )


async def test_a_service_is_made_known_by_a_job_and_gets_its_token(world: World, database: Database):
    for _ in range(2):
        await a_service_client(database)
    source = TokenSource(world.http, client_id="orders", client_secret=SECRET)
    verifier = TokenVerifier(issuer="dougong", fetch_keys=own_keys(database))
    principal = await verifier.verify(await source.token())
    assert (principal.kind, principal.name, principal.company_id) == ("service", "orders", None)
    assert principal.scopes == {Scope.COMPANIES_READ, Scope.FEED_READ}
    feed = await world.http.get("/members/feed", headers={"Authorization": f"Bearer {await source.token()}"})
    assert feed.status_code == 200


@pytest.mark.parametrize("service", sorted(CLIENT_SCOPES))
async def test_every_service_may_have_the_scopes_it_is_set_up_with(world: World, database: Database, service: str):
    await a_service_client(database, scopes=CLIENT_SCOPES[service])
    granted = await ask(world, {"client_id": "orders", "client_secret": SECRET})
    assert granted.json()["scope"] == " ".join(sorted(map(str, CLIENT_SCOPES[service])))


async def test_the_job_brings_a_services_secret_up_to_date(world: World, database: Database):
    await a_service_client(database)
    await a_service_client(database, secret=SECRET[::-1])
    old, new = ({"client_id": "orders", "client_secret": s} for s in (SECRET, SECRET[::-1]))
    assert (await ask(world, old)).status_code == 401
    assert (await ask(world, new)).status_code == 200


async def test_the_job_refuses_short_secrets_and_scopes_not_of_services(database: Database):
    with pytest.raises(ValueError, match="at least 32"):
        await a_service_client(database, secret="short")
    with pytest.raises(ValueError, match="stock:write"):
        await a_service_client(database, scopes=["stock:write"])


async def test_the_database_refuses_a_client_with_scopes_of_services(world: World, database: Database):
    company = await world.company("supplier")
    with pytest.raises(DBAPIError, match="ck_api_clients_scopes"):
        async with transaction(database.system) as session:
            await session.execute(
                text(
                    "INSERT INTO api_clients (id, client_id, company_id, kind, name, scopes, secret_hash, created_at)"
                    " VALUES (:id, 'x', :company, 'client', 'x', '{feed:read}', decode(repeat('00', 32), 'hex'), now())"
                ),
                {"id": new_id(), "company": company},
            )
