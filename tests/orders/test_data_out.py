"""Data out (T11): an export holds everything of the company, nothing of another, and others under pseudonyms."""

import asyncio
import io
import json
import zipfile
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from sqlalchemy import text

from services.orders.data_out import DATA_OUT
from shared.audit.chain import chain_all
from shared.data_out.contents import DataOut, Shaping, Sheet, faults_in
from shared.data_out.jobs import ATTEMPTS_MAX, ExportRunner
from shared.identity import Principal, Role
from shared.ids import new_id
from tests.conftest import a_person, once, signed_in
from tests.orders.conftest import World


@pytest.fixture
def runner(world: World, tmp_path: Path) -> ExportRunner:
    world.app.state.settings = world.app.state.settings.model_copy(update={"data_dir": tmp_path})
    return ExportRunner(DATA_OUT, database=world.database, data_dir=tmp_path)


async def asked(world: World, admin: Principal) -> httpx.Response:
    return await world.http.post("/orders/exports", json={}, headers=signed_in(admin) | once())


async def exported(
    world: World, runner: ExportRunner, admin: Principal
) -> tuple[dict[str, Any], zipfile.ZipFile, bytes]:
    """The export job, its ZIP, and its bytes."""
    answer = await asked(world, admin)
    assert answer.status_code == 202, answer.text
    assert await runner.work_one()
    job = (await world.read(admin, f"/orders/exports/{answer.json()['id']}")).json()
    assert job["state"] == "DONE", job
    file = await world.read(admin, f"/orders/exports/{job['id']}/file")
    assert file.status_code == 200
    return job, zipfile.ZipFile(io.BytesIO(file.content)), file.content


def rows_in(archive: zipfile.ZipFile, table: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in archive.read(f"{table}.ndjson").splitlines()]


def everything_in(archive: zipfile.ZipFile) -> str:
    return "\n".join(archive.read(name).decode() for name in archive.namelist())


def admin_of(company_id: UUID | None) -> Principal:
    return a_person(Role.ADMIN, company_id=company_id)


async def test_an_export_holds_everything_of_the_company_and_nothing_of_another(
    world: World, runner: ExportRunner, tmp_path: Path
):
    offer = world.suppliers.offer()
    mine = await world.placed(world.line(offer, note="my note"), note="my basket")
    other = a_person(Role.BUYER)
    own, world.buyer = world.buyer, other
    theirs = await world.open_project(number="CANARY-1", name="canary project")
    world.project_id, world.delivery_point_id = theirs["id"], theirs["delivery_points"][0]["id"]
    await world.placed(world.line(offer, note="canary note"), note="canary basket")
    await chain_all(world.database.system, service="orders")

    job, archive, content = await exported(world, runner, admin_of(own.company_id))

    whole = everything_in(archive)
    assert "canary" not in whole.lower()
    assert str(other.company_id) not in whole
    assert theirs["id"] not in whole
    order = rows_in(archive, "purchase_orders")[0]
    assert [each["id"] for each in rows_in(archive, "purchase_orders")] == [mine["orders"][0]["id"]]
    assert order["supplier_name"] == offer.supplier_name, "a name stays on the company's own document"
    assert rows_in(archive, "purchase_order_lines")[0]["note"] == "my note"
    assert len(rows_in(archive, "order_history")) == 1
    assert rows_in(archive, "baskets")[0]["note"] == "my basket"
    assert len(rows_in(archive, "projects")) == len(rows_in(archive, "delivery_points")) == 1
    assert {each["name"] for each in job["files"]} | {"manifest.json"} == set(archive.namelist())
    (tmp_path / "fetched.zip").write_bytes(content)
    assert list(faults_in(tmp_path / "fetched.zip")) == []


async def test_other_parties_have_pseudonyms_stable_in_one_export_and_in_no_other(world: World, runner: ExportRunner):
    offer = world.suppliers.offer()
    basket = await world.placed(world.line(offer))
    answered = await world.act(world.seller(offer), basket["orders"][0], "response", {"lines": [], "others": "accept"})
    assert answered.status_code == 200
    admin = admin_of(world.buyer.company_id)
    _, archive, _ = await exported(world, runner, admin)
    names = {
        each["supplier_id"]
        for table in ("purchase_orders", "purchase_order_lines", "order_history")
        for each in rows_in(archive, table)
    }
    (pseudonym,) = names
    assert pseudonym.startswith("party-")
    entries = rows_in(archive, "order_history")
    assert entries[1]["entry"]["actor"]["company_id"] == pseudonym
    assert entries[1]["entry"]["actor"]["name"].startswith("person-")
    assert entries[0]["entry"]["actor"]["id"] == str(world.buyer.subject), "own people keep their ids"
    tables = [name for name in archive.namelist() if name != "audit.ndjson"]
    assert str(offer.supplier_id) not in "".join(archive.read(name).decode() for name in tables)

    _, again, _ = await exported(world, runner, admin)
    assert rows_in(again, "purchase_orders")[0]["supplier_id"] not in names


async def test_a_supplier_takes_its_orders_without_what_is_the_buyers_own(world: World, runner: ExportRunner):
    offer = world.suppliers.offer()
    await world.placed(world.line(offer, note="secret note", cost_code="SECRET-1"), note="secret basket")
    _, archive, _ = await exported(world, runner, admin_of(offer.supplier_id))
    assert "secret" not in everything_in(archive).lower()
    assert len(rows_in(archive, "purchase_order_lines")) == 1
    assert "placed_by" not in rows_in(archive, "purchase_orders")[0]
    assert rows_in(archive, "purchase_orders")[0]["supplier_id"] == str(offer.supplier_id)
    assert rows_in(archive, "purchase_orders")[0]["buyer_id"].startswith("party-")
    assert rows_in(archive, "baskets") == rows_in(archive, "projects") == []


async def test_the_wall_holds_without_any_condition(world: World, tmp_path: Path):
    """Row level security alone keeps the rows of others out."""
    offer = world.suppliers.offer()
    await world.placed(world.line(offer))
    careless = DataOut(
        service="orders",
        sheets={table: Sheet(owners=sheet.owners, where="true") for table, sheet in DATA_OUT.sheets.items()},
        left_out={},
    )
    world.app.state.settings = world.app.state.settings.model_copy(update={"data_dir": tmp_path})
    runner = ExportRunner(careless, database=world.database, data_dir=tmp_path)
    _, archive, _ = await exported(world, runner, a_person(Role.ADMIN))
    filled = [name for name in archive.namelist() if name.endswith(".ndjson") and rows_in(archive, name[:-7])]
    assert filled == ["data_exports.ndjson", "audit.ndjson"], "its own export, and an empty log"


async def test_only_the_companys_admin_asks_for_and_fetches_it(world: World, runner: ExportRunner):
    admin = admin_of(world.buyer.company_id)
    job, _, _ = await exported(world, runner, admin)
    for role in set(Role) - {Role.ADMIN}:
        someone = a_person(role, company_id=world.buyer.company_id)
        assert (await asked(world, someone)).status_code == 403
        assert (await world.read(someone, f"/orders/exports/{job['id']}/file")).status_code == 403
    stranger = a_person(Role.ADMIN)
    for path in ("", "/file"):
        answer = await world.read(stranger, f"/orders/exports/{job['id']}{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "ExportNotFound")
    assert (await world.read(stranger, "/orders/exports")).json() == []


async def test_one_export_at_a_time(world: World, runner: ExportRunner):
    admin = admin_of(world.buyer.company_id)
    answers = await asyncio.gather(*(asked(world, admin) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]
    first = next(answer.json()["id"] for answer in answers if answer.status_code == 202)
    refused = next(answer.json() for answer in answers if answer.status_code == 409)
    assert (refused["code"], refused["export_id"]) == ("ExportUnderWay", first)
    not_yet = await world.read(admin, f"/orders/exports/{first}/file")
    assert not_yet.json()["code"] == "ExportNotReady"
    assert await runner.work_one()
    assert not await runner.work_one()
    assert (await asked(world, admin)).status_code == 202


async def test_an_export_that_fails_is_tried_again_and_then_told(world: World, tmp_path: Path):
    broken = DataOut(service="orders", sheets={"projects": Sheet(owners=("no_such_column",))}, left_out={})
    runner = ExportRunner(broken, database=world.database, data_dir=tmp_path)
    admin = admin_of(world.buyer.company_id)
    export_id = (await asked(world, admin)).json()["id"]
    for _ in range(ATTEMPTS_MAX):
        with pytest.raises(Exception, match="no_such_column"):
            await runner.work_one()
    assert not await runner.work_one()
    job = (await world.read(admin, f"/orders/exports/{export_id}")).json()
    assert job["state"] == "FAILED"
    assert job["problem"]
    assert list((tmp_path / "exports").iterdir()) == []


async def test_a_worker_that_died_is_taken_over_and_cannot_finish_late(world: World, runner: ExportRunner):
    admin = admin_of(world.buyer.company_id)
    export_id = (await asked(world, admin)).json()["id"]
    with psycopg.connect(world.owner_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE data_exports NO FORCE ROW LEVEL SECURITY")
        connection.execute(
            "UPDATE data_exports SET state = 'RUNNING', attempts = 1, lease_id = gen_random_uuid(), "
            "lease_until = now() - interval '1 second'"
        )
    assert await runner.work_one()
    assert (await world.read(admin, f"/orders/exports/{export_id}")).json()["state"] == "DONE"


async def test_a_file_is_forgotten_after_its_days(world: World, runner: ExportRunner, tmp_path: Path):
    admin = admin_of(world.buyer.company_id)
    job, _, _ = await exported(world, runner, admin)
    assert await runner.sweep() == 0
    with psycopg.connect(world.owner_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE data_exports NO FORCE ROW LEVEL SECURITY")
        connection.execute("UPDATE data_exports SET finished_at = finished_at - interval '8 days'")
    assert await runner.sweep() == 1
    assert list((tmp_path / "exports").iterdir()) == []
    answer = await world.read(admin, f"/orders/exports/{job['id']}/file")
    assert (answer.status_code, answer.json()["code"]) == (409, "ExportNotReady")


async def test_an_export_leaves_its_traces(world: World, runner: ExportRunner):
    admin = admin_of(world.buyer.company_id)
    job, _, _ = await exported(world, runner, admin)
    assert [event["export_id"] for event in await world.events("data.exported")] == [job["id"]]
    await chain_all(world.database.system, service="orders")
    acts = [each["act"] for each in (await world.read(admin, "/orders/audit/entries")).json()]
    assert acts[:2] == ["export finished", "POST /orders/exports"]


@pytest.mark.parametrize("what", ["changed", "missing", "added", "cut off", "no zip"])
async def test_a_file_that_was_touched_does_not_verify(world: World, runner: ExportRunner, tmp_path: Path, what: str):
    await chain_all(world.database.system, service="orders")
    _, archive, content = await exported(world, runner, admin_of(world.buyer.company_id))
    file = tmp_path / "touched.zip"
    if what in {"cut off", "no zip"}:
        file.write_bytes(content[:-40] if what == "cut off" else b"PK?")
    else:
        with zipfile.ZipFile(file, "w") as touched:
            for name in archive.namelist():
                if what == "missing" and name == "projects.ndjson":
                    continue
                body = archive.read(name)
                changed = what == "changed" and name == "projects.ndjson"
                touched.writestr(name, body.replace("建国路".encode(), "建国门".encode()) if changed else body)
            if what == "added":
                touched.writestr("more.ndjson", "{}\n")
    assert list(faults_in(file))


def test_what_only_the_own_company_knows_stays_and_the_rest_is_replaced():
    own, other, person = new_id(), new_id(), new_id()
    shaping = Shaping(company_id=own, key=b"k")
    sheet = Sheet(owners=("buyer_id",), parties=("ids",), people={"by": "buyer_id"})
    document = {"deep": [{"supplier_id": str(other)}, str(other), {"note": "kept"}]}
    line = json.loads(
        shaping.line({"buyer_id": own, "ids": [own, other], "by": person, "entry": document, "none": None}, sheet)
    )
    assert line["buyer_id"] == line["ids"][0] == str(own)
    assert line["by"] == str(person)
    pseudonym = line["ids"][1]
    assert line["entry"] == {"deep": [{"supplier_id": pseudonym}, pseudonym, {"note": "kept"}]}
    theirs = json.loads(shaping.line({"buyer_id": other, "ids": None, "by": person}, sheet))
    assert theirs["by"].startswith("person-")
    assert theirs["ids"] is None


def test_an_id_is_replaced_wherever_it_stands_in_a_row_also_before_the_member_that_names_it():
    own, other = new_id(), new_id()
    shaping = Shaping(company_id=own, key=b"k")
    row = {
        "company_id": own,
        "path": f"/members/companies/{other}/stages",
        "told": {"group_id": str(other), "to": "S2"},
    }
    line = json.loads(shaping.line({**row, "stage": "S2"}, Sheet(owners=("company_id",))))
    pseudonym = line["told"]["group_id"]
    assert line["path"] == f"/members/companies/{pseudonym}/stages"
    assert (line["told"]["to"], line["stage"], line["company_id"]) == ("S2", "S2", str(own))


async def test_more_rows_than_a_portion_all_arrive(world: World, runner: ExportRunner):
    company = world.buyer.company_id
    async with world.database.system() as session, session.begin():
        await session.execute(
            text(
                "INSERT INTO projects "
                "(buyer_id, id, number, name, status, version, created_by, created_at, updated_at) "
                "SELECT :company, gen_random_uuid(), 'N' || n, 'x', 'ACTIVE', 1, :company, now(), now() "
                "FROM generate_series(1, 2600) n"
            ),
            {"company": company},
        )
    job, archive, _ = await exported(world, runner, admin_of(company))
    assert len(rows_in(archive, "projects")) == 2601
    assert next(each["rows"] for each in job["files"] if each["name"] == "projects.ndjson") == 2601
