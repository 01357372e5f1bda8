"""Endpoints through the API: registering, changing, secrets, switching off and on, and other companies' walls."""

import json
import zipfile
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.members.data_out import DATA_OUT
from services.members.webhooks.rules import ENDPOINTS_AT_MOST
from shared.data_out.jobs import ExportRunner
from shared.database import transaction
from shared.identity import Role
from tests.conftest import a_person, once, signed_in
from tests.members.conftest import admin_of
from tests.members.webhooks.conftest import Office, Receiver

URL = "http://127.0.0.1:9/hook"


async def test_the_secret_is_shown_once_also_when_the_request_is_repeated(office: Office):
    company = await office.world.company("supplier")
    body = {"url": URL, "event_types": ["order.placed"], "description": "ERP"}
    headers = {**admin_of(company), **once()}
    first = await office.world.http.post(office.path(company), json=body, headers=headers)
    again = await office.world.http.post(office.path(company), json=body, headers=headers)
    assert first.json()["secret"].startswith("whsec_")
    assert (again.status_code, again.json()["secret"], again.json()["id"]) == (201, None, first.json()["id"])
    listed = (await office.get(company)).json()
    assert [(each["url"], each["status"], "secret" in each) for each in listed] == [(URL, "ENABLED", False)]


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("http://169.254.169.254/latest", "Https"),
        ("https://127.0.0.1/", None),
        ("https://10.0.0.1/", "PublicAddress"),
        ("https://user:secret@example.com/", "NoCredentials"),
        ("https://0x7f.1/", "PlainAddress"),
        ("https://nowhere.invalid/", "HostKnown"),
    ],
)
async def test_an_address_is_judged_when_it_is_registered(office: Office, url: str, rule: str | None):
    company = await office.world.company("supplier")
    answer = await office.post(company, "", {"url": url, "event_types": ["order.placed"]})
    if rule is None:
        assert answer.status_code == 201
        return
    assert (answer.status_code, answer.json()["code"]) == (422, "WebhookUrlRefused")
    assert [(error["field"], error["rule"]) for error in answer.json()["errors"]] == [("url", rule)]
    assert (await office.get(company)).json() == []


@pytest.mark.parametrize("types", [[], ["order.paid"], ["webhook.ping"]])
async def test_only_known_events_are_asked_for(office: Office, types: list[str]):
    company = await office.world.company("supplier")
    answer = await office.post(company, "", {"url": URL, "event_types": types})
    assert (answer.status_code, answer.json()["code"]) == (422, "MalformedRequest")


async def test_a_company_has_at_most_twenty(office: Office):
    company = await office.world.company("supplier")
    for _ in range(ENDPOINTS_AT_MOST):
        await office.endpoint(company, URL)
    answer = await office.post(company, "", {"url": URL, "event_types": ["order.placed"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "TooManyEndpoints")


async def test_types_and_description_change_in_the_version_that_was_read(office: Office):
    company = await office.world.company("supplier")
    made = await office.endpoint(company, URL, "order.placed")
    path = office.path(company, f"/{made['id']}")
    body = {"event_types": ["supplier.changed"], "description": "two"}
    changed = await office.world.http.patch(path, json=body, headers={**admin_of(company), "If-Match": '"1"'})
    assert (changed.json()["event_types"], changed.headers["etag"]) == (["supplier.changed"], '"2"')
    stale = await office.world.http.patch(path, json=body, headers={**admin_of(company), "If-Match": '"1"'})
    assert stale.status_code == 412
    moved = await office.world.http.patch(
        path, json={"url": "https://8.8.8.8/"}, headers={**admin_of(company), "If-Match": '"2"'}
    )
    assert moved.status_code == 422, "another address is another endpoint"


async def test_strangers_operators_and_others_of_the_company_are_kept_out(office: Office):
    company, other = await office.world.company("supplier"), await office.world.company("contractor")
    made = await office.endpoint(company, URL)
    await office.post(company, f"/{made['id']}/ping")
    delivery = await office.delivery(company, made)
    reads = ["", f"/{made['id']}", f"/{made['id']}/deliveries", f"/{made['id']}/deliveries/{delivery['id']}"]
    writes = [
        f"/{made['id']}/{verb}" for verb in ("disablement", "enablement", "ping", f"deliveries/{delivery['id']}/replay")
    ]
    stranger = admin_of(other)
    operator = signed_in(a_person(Role.OPERATOR, Role.ADMIN, company_id=other))
    for who in (stranger, operator):
        for rest in reads:
            assert (await office.get(company, rest, as_=who)).status_code == 404, rest
        for rest in writes:
            assert (await office.post(company, rest, as_=who)).status_code == 404, rest
    salesperson = signed_in(a_person(Role.SUPPLIER_SALES, company_id=company))
    assert (await office.get(company, as_=salesperson)).status_code == 403
    # Under its own address the other company sees nothing of it either, whatever id it names.
    for rest in reads[1:]:
        assert (await office.get(other, rest)).status_code == 404, rest
    for rest in writes:
        assert (await office.post(other, rest)).status_code == 404, rest
    assert (await office.get(company, f"/{made['id']}")).json()["status"] == "ENABLED"


@pytest.mark.parametrize(
    "table", ["webhook_endpoints", "webhook_deliveries", "webhook_attempts", "qualified_suppliers"]
)
async def test_the_second_wall_hides_other_companies_rows(office: Office, receiver: Receiver, table: str):
    company, other = await office.world.company("supplier"), await office.world.company("supplier")
    made = await office.endpoint(company, receiver.url)
    await office.post(company, f"/{made['id']}/ping")
    await office.later(seconds=1)
    await office.sql("INSERT INTO qualified_suppliers VALUES (:company, '{x}')", company=company)
    async with transaction(office.database.app, other) as session:
        assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 0
    async with transaction(office.database.app, company) as session:
        seen = await session.scalar(text(f"SELECT count(*) FROM {table}"))
    assert seen == (0 if table == "qualified_suppliers" else 1)


async def test_the_database_refuses_what_the_rules_refuse(office: Office):
    company = await office.world.company("supplier")
    await office.endpoint(company, URL)
    for wrong in (
        "url = 'ftp://x'",
        "event_types = '{}'",
        "secret = 'plain'",
        "previous_secret = 'whsec_x'",
        "status = 'DISABLED'",
        "status = 'DISABLED', disabled_at = now(), disabled_why = 'mood'",
        "disabled_at = now(), disabled_why = 'gone'",
    ):
        with pytest.raises(DBAPIError, match="violates check constraint"):
            await office.sql(f"UPDATE webhook_endpoints SET {wrong}")


async def test_a_removed_endpoint_takes_its_deliveries_along(office: Office):
    company = await office.world.company("supplier")
    made = await office.endpoint(company, URL)
    await office.post(company, f"/{made['id']}/ping")
    path = office.path(company, f"/{made['id']}")
    assert (await office.world.http.delete(path, headers=admin_of(company))).status_code == 204
    assert (await office.world.http.delete(path, headers=admin_of(company))).status_code == 404
    assert await office.sql("SELECT 1 FROM webhook_deliveries") == []


async def test_what_is_not_there_is_not_found(office: Office):
    company = await office.world.company("supplier")
    made = await office.endpoint(company, URL)
    for rest in (f"/{uuid4()}/ping", f"/{uuid4()}/rotation", f"/{made['id']}/deliveries/{uuid4()}/replay"):
        body: dict[str, int] | None = {} if rest.endswith("rotation") else None
        assert (await office.post(company, rest, body)).status_code == 404, rest


def test_the_description_tells_every_message(office: Office):
    described = office.world.http._transport.app.openapi()["webhooks"]  # type: ignore[attr-defined]
    assert {"order.placed", "stage.announced", "webhook.ping", "webhook_endpoint.disabled"} <= set(described)
    operation = described["order.placed"]["post"]
    assert {each["name"] for each in operation["parameters"]} == {
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    }
    assert operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/Message")


async def test_an_export_has_endpoints_and_deliveries_without_secrets_or_others(office: Office, tmp_path: Path):
    buyer, supplier = await office.world.company("contractor"), await office.world.company("supplier")
    endpoint = await office.endpoint(buyer, "http://127.0.0.1:9/own")
    theirs = await office.endpoint(supplier, "http://127.0.0.1:9/canary")
    await office.follow(office.order_changed(buyer, supplier))
    runner = ExportRunner(DATA_OUT, database=office.database, data_dir=tmp_path)
    asked = await office.world.post("/members/exports", {}, as_=admin_of(buyer))
    assert asked.status_code == 202, asked.text
    assert await runner.work_one()
    [file] = (tmp_path / "exports").iterdir()
    archive = zipfile.ZipFile(file)
    whole = "\n".join(archive.read(name).decode() for name in archive.namelist())
    assert [json.loads(archive.read("webhook_endpoints.ndjson"))["id"]] == [endpoint["id"]]
    assert len(archive.read("webhook_deliveries.ndjson").splitlines()) == 1
    assert endpoint["secret"] not in whole
    assert theirs["secret"] not in whole
    assert "canary" not in whole
    assert str(supplier) not in whole
