"""A company's data out of `members`, and the drill that a contractor's whole export puts on record by itself."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.members.data_out import DATA_OUT
from services.members.stages.evidence import drill_done
from shared.data_out.jobs import ExportRunner
from shared.database import Database
from shared.identity import Role
from tests.conftest import a_person, once, signed_in
from tests.members.conftest import World, an_email

DIGESTS = dict.fromkeys(("catalog", "suppliers", "orders"), "ab" * 32)


@pytest.fixture
def runner(database: Database, tmp_path: Path, world: World) -> ExportRunner:
    app = world.http._transport.app  # type: ignore[attr-defined]
    app.state.settings = app.state.settings.model_copy(update={"data_dir": tmp_path})
    return ExportRunner(DATA_OUT, database=database, data_dir=tmp_path, completed=drill_done)


async def exported(world: World, runner: ExportRunner, company: UUID, **body: Any) -> zipfile.ZipFile:
    admin = signed_in(a_person(Role.ADMIN, company_id=company))
    asked = await world.http.post("/members/exports", json=body, headers=admin | once())
    assert asked.status_code == 202, asked.text
    assert await runner.work_one()
    file = await world.http.get(f"/members/exports/{asked.json()['id']}/file", headers=admin)
    assert file.status_code == 200, file.text
    return zipfile.ZipFile(io.BytesIO(file.content))


async def drills(world: World) -> list[dict[str, Any]]:
    found = await world.http.get("/members/gate-evidence", headers=world.as_operator)
    return [each for each in found.json() if each["kind"] == "export_drill"]


async def test_people_and_keys_are_taken_out_and_no_secret_and_nobody_elses(world: World, runner: ExportRunner):
    company, other = await world.company("contractor"), await world.company("supplier")
    email, canary = an_email("mine"), an_email("canary")
    await world.person(company, "buyer", email=email)
    await world.person(other, "supplier_sales", email=canary)

    archive = await exported(world, runner, company)

    whole = "\n".join(archive.read(name).decode() for name in archive.namelist())
    assert email in whole
    assert canary not in whole
    assert str(other) not in whole
    assert "$argon2" not in whole
    assert [json.loads(line)["id"] for line in archive.read("companies.ndjson").splitlines()] == [str(company)]


async def test_a_contractors_whole_export_is_on_record_as_a_drill(world: World, runner: ExportRunner):
    company = await world.company("contractor_group")
    await exported(world, runner, company, with_exports=DIGESTS)
    (drill,) = await drills(world)
    assert drill["state"] == "passed"
    assert "orders sha256:" + "ab" * 32 in drill["reference"]
    assert "members sha256:" in drill["reference"]


async def test_a_part_of_an_export_is_no_drill_and_a_suppliers_neither(world: World, runner: ExportRunner):
    contractor, supplier = await world.company("contractor"), await world.company("supplier")
    await exported(world, runner, contractor)
    await exported(world, runner, contractor, with_exports={"orders": "ab" * 32})
    await exported(world, runner, supplier, with_exports=DIGESTS)
    assert await drills(world) == []


async def test_a_digest_that_is_none_is_refused(world: World, runner: ExportRunner):
    company = await world.company("contractor")
    admin = signed_in(a_person(Role.ADMIN, company_id=company))
    body = {"with_exports": {"orders": "yes"}}
    answer = await world.http.post("/members/exports", json=body, headers=admin | once())
    assert answer.status_code == 422
    assert not await runner.work_one()
