"""Imports that are cut short, raced, cancelled, sent as a spreadsheet or in another encoding."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from shared import clock
from shared.database import transaction
from shared.identity import Role
from shared.ids import new_id
from shared.importing import store
from shared.importing.files import XLSX_MEDIA
from shared.importing.runner import ImportRunner
from shared.importing.store import Lease
from tests.catalog.mapping_world import workbook
from tests.conftest import a_person, signed_in
from tests.legacy_imports import Legacy, a_uscc, csv_of
from tests.suppliers.test_supplier_imports import HEADER, row
from tests.suppliers.world import World

FILE = csv_of(HEADER, row("甲有限公司", a_uscc(1)))


@pytest.fixture
def legacy(empty_world: World) -> Legacy:
    return Legacy(
        http=empty_world.http, runner=empty_world.app.state.import_runner, prefix="/suppliers/supplier-imports"
    )


async def test_a_worker_that_dies_is_followed_by_another_when_its_lease_ends(legacy: Legacy, empty_world: World):
    await legacy.send(FILE)
    dead = Lease(id=new_id(), seconds=60)
    async with transaction(empty_world.database.system) as session:
        assert await store.claim_next(session, lease=dead, now=clock.now()) is not None
    assert not await legacy.runner.run_next()
    await empty_world.execute("UPDATE legacy_imports SET lease_until = now() - interval '1 second'")
    assert await legacy.runner.run_next()
    (job,) = (await legacy.get("")).json()
    assert job["state"] == "IN_REVIEW"


async def test_two_workers_take_an_import_once(legacy: Legacy, empty_world: World):
    job = await legacy.imported(csv_of(HEADER, *(row(f"第{n}有限公司", a_uscc(n)) for n in range(1, 8))))
    await legacy.post(f"/{job['id']}/approval")
    twin = ImportRunner(
        database=empty_world.database, folder=legacy.runner.folder, kinds=list(legacy.runner.kinds.values())
    )
    worked = await asyncio.gather(legacy.runner.run_next(), twin.run_next())
    assert sorted(worked) == [False, True]
    assert len(empty_world.members.taken_in) == 7
    assert (await legacy.job(job["id"]))["state"] == "PUBLISHED"


async def test_an_import_that_fails_again_and_again_is_given_up(legacy: Legacy, empty_world: World):
    await legacy.send(FILE)
    await empty_world.execute("UPDATE legacy_imports SET attempts = 9")
    await legacy.work()
    (job,) = (await legacy.get("")).json()
    assert (job["state"], job["problem"]["code"]) == ("FAILED", "GaveUp")
    again = await legacy.imported(FILE)
    assert (again["state"], again["id"] != job["id"]) == ("IN_REVIEW", True)


async def test_a_cancelled_import_leaves_nothing_and_the_file_may_come_again(legacy: Legacy, empty_world: World):
    job = await legacy.imported(FILE)
    cancelled = await legacy.post(f"/{job['id']}/cancellation", {"note": "Wrong file."}, as_=legacy.importer)
    assert cancelled.json()["state"] == "CANCELLED"
    assert (await legacy.post(f"/{job['id']}/approval")).json()["code"] == "ImportStateWrong"
    assert await empty_world.rows("SELECT 1 FROM suppliers") == []
    assert (await legacy.imported(FILE))["id"] != job["id"]


async def test_the_same_file_sent_twice_at_once_is_one_import(legacy: Legacy):
    answers = await asyncio.gather(*(legacy.send(FILE) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 202]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_a_spreadsheet_with_a_title_and_merged_cells_is_read_as_it_is_seen(legacy: Legacy):
    sheet = workbook(
        ["供应商名录", "", "", ""],
        ["供应商名称", "统一社会信用代码", "供应商等级", "备注"],
        ["甲有限公司", a_uscc(1), "", ""],
        ["乙有限公司", a_uscc(2), "", ""],
        merged={"C3:C4": "A级"},
    )
    job = await legacy.published(sheet, media=XLSX_MEDIA)
    assert (job["rows"], job["warnings"]) == ({"READY": {"NEW": 2}}, ["Columns that are not read: 备注."])
    rows = await legacy.rows(job)
    assert [each["cells"]["grade"] for each in rows] == ["A级", "A级"]


async def test_an_old_encoding_is_read_and_told(legacy: Legacy):
    job = await legacy.imported(FILE.decode().encode("gb18030"))
    assert (await legacy.outcomes(job), job["warnings"][0]) == (
        {2: "NEW"},
        "The file was read as GB18030; UTF-8 is safer.",
    )


@pytest.mark.parametrize(
    ("body", "media", "code"),
    [
        (b"", "text/csv", "EmptyFile"),
        (b"a,b\n1,2\n", "text/csv", "HeaderNotFound"),
        (HEADER.encode() + b"\n", "text/csv", "NoRows"),
        (HEADER.encode() + '\n"甲'.encode(), "text/csv", "FileTruncated"),
        (b"PK\x03\x04nonsense", XLSX_MEDIA, "NotASpreadsheet"),
        (csv_of(HEADER, row("甲有限公司", "1")), "text/csv", "NoRowTaken"),
    ],
)
async def test_what_cannot_be_read_fails_by_name(legacy: Legacy, body: bytes, media: str, code: str):
    job = await legacy.imported(body, media=media)
    assert (job["state"], job["problem"]["code"]) == ("FAILED", code)


async def test_what_is_no_table_or_is_too_large_or_comes_without_a_key_is_refused(legacy: Legacy):
    assert (await legacy.send(b"%PDF", media="application/pdf")).json()["code"] == "ImportFileNotRead"
    headers = {**signed_in(legacy.importer), "Content-Type": "text/csv"}
    unkeyed = await legacy.http.post(legacy.prefix, content=FILE, headers=headers)
    assert unkeyed.json()["code"] == "IdempotencyKeyMissing"
    huge = {**headers, "Idempotency-Key": "k", "Content-Length": str(2 * 1024**3)}
    refused = await legacy.http.post(legacy.prefix, content=b"x", headers=huge)
    assert refused.status_code == 413


@pytest.mark.parametrize("role", [Role.REQUESTER, Role.FINANCE, Role.SUPPLIER_SALES, Role.OPERATOR])
async def test_who_may_not_buy_does_not_import(legacy: Legacy, role: Role):
    person: Any = a_person(role, company_id=legacy.importer.company_id)
    assert (await legacy.send(FILE, as_=person)).status_code == 403


async def test_history_and_rows_are_not_rewritten(legacy: Legacy, empty_world: World):
    job = await legacy.published(FILE)
    history = (await legacy.get(f"/{job['id']}/history")).json()
    assert [each["after"] for each in history] == [
        "UPLOADED",
        "PARSED",
        "VALIDATED",
        "MATCHED",
        "IN_REVIEW",
        "APPROVED",
        "PUBLISHED",
    ]
    async with transaction(empty_world.database.system) as session:
        kept = await session.scalar(text("SELECT count(*) FROM legacy_import_history"))
    assert kept == 7
