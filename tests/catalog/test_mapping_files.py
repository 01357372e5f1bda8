"""Files of material codes as enterprises send them: readable ones are read, broken ones answered clearly."""

import asyncio
import io
import zipfile
from dataclasses import replace
from datetime import datetime
from time import perf_counter
from typing import Any

import pytest
from sqlalchemy import text

from services.catalog.mapping.judging import CodeRow
from services.catalog.mapping.parsing import XLSX_MEDIA
from shared.database import transaction
from shared.identity import Role
from shared.ids import new_id
from tests.catalog.mapping_world import BAR_ROW, HEADER, Mapping, csv_file, workbook
from tests.conftest import a_person, once, signed_in

CODES = ["物料编码", "名称", "规格型号", "单位"]


@pytest.mark.parametrize(
    "body",
    [
        csv_file(BAR_ROW),
        b"\xef\xbb\xbf" + csv_file(BAR_ROW),
        csv_file(BAR_ROW).decode().encode("gb18030"),
        csv_file(BAR_ROW).replace(b",", b"\t"),
        csv_file(BAR_ROW).replace(b"\n", b"\r\n"),
        "某某集团物资编码表,,,\n编制日期 2026-11-01,,,\n存货编码,存货名称,规格及型号,计量单位\n".encode()
        + BAR_ROW.encode(),
        csv_file("Ａ－００１,钢　筋,三级抗震 Φ２０ １２米,吨"),
        csv_file(BAR_ROW.replace("A-001", '"A-001"')),
    ],
    ids=["utf-8", "bom", "gb18030", "tabs", "crlf", "title rows", "full width", "quotes"],
)
async def test_the_same_row_is_read_however_it_is_written(mapping: Mapping, body: bytes):
    job = await mapping.imported(body)
    (row,) = await mapping.rows(job)
    assert (row["legacy_code"], row["state"]) == ("A-001", "AUTO_ACCEPTED")
    assert row["candidates"][0]["variant_key"] == "RB-HRB|diameter=20,grade=HRB400E,length=12"


async def test_a_spreadsheet_is_read_with_its_merged_cells_numbers_and_dates(mapping: Mapping):
    body = workbook(
        [*CODES, "类别", "单价"],
        ["A-1", "钢筋", "HRB400E Φ20 12米", "吨", "", 3253.5],
        [10002, "钢筋", "HRB400E Φ22 12米", "吨", "", "3,253.50"],
        ["A-3", "石子", datetime(2026, 5, 10), "吨", "", "?"],  # noqa: DTZ001 - a cell has no zone
        merged={"E2:E3": "钢材"},
    )
    job = await mapping.imported_sheet(body)
    first, second, third = await mapping.rows(job)
    assert first["others"] == {"category": "钢材", "price": "3253.5"}
    assert (second["legacy_code"], second["others"]) == ("10002", {"category": "钢材", "price": "3253.50"})
    assert "price" not in third["others"]
    assert await mapping.errors(job) == [(4, "price", "NotANumber"), (4, "spec", "DateForText")]


async def test_every_fault_of_a_row_is_told_and_the_good_rows_are_taken(mapping: Mapping):
    header = "物料编码,名称,规格型号,单位,单价"
    bad = f"=cmd|x,,=A1+B1,{'吨' * 40},abc"
    job = await mapping.imported(csv_file(BAR_ROW + ",3253", bad, f"{'x' * 61},#REF!,,,", header=header))
    assert (job["rows_read"], job["rows_taken"], job["rows_rejected"]) == (3, 1, 2)
    assert await mapping.errors(job) == [
        (3, "legacy_code", "Formula"),
        (3, "name", "Missing"),
        (3, "price", "NotANumber"),
        (3, "spec", "Formula"),
        (3, "unit", "TooLong"),
        (4, "legacy_code", "TooLong"),
        (4, "name", "SpreadsheetError"),
    ]
    told = await mapping.get(f"/mapping-jobs/{job['id']}/errors.csv")
    lines = told.text.removeprefix("\ufeff").splitlines()
    assert lines[0] == "row,column,code,severity,text"
    assert lines[1].startswith("3,legacy_code,Formula,rejected,")
    assert len(lines) == 8


async def test_a_file_without_one_good_row_fails_and_says_why_row_by_row(mapping: Mapping):
    job = await mapping.imported(csv_file("=1+1,,,"))
    assert (job["state"], job["problem"]["code"]) == ("FAILED", "NoRowTaken")
    assert (2, "name", "Missing") in await mapping.errors(job)


def _cut(body: bytes) -> bytes:
    return body[: len(body) // 2]


def _bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("xl/worksheets/sheet1.xml", b"0" * 60_000_000)
    return out.getvalue()


@pytest.mark.parametrize(
    ("body", "media", "code"),
    [
        (b"", "text/csv", "EmptyFile"),
        (HEADER.encode(), "text/csv", "NoRows"),
        (csv_file("1,2,3", header="a,b,c"), "text/csv", "HeaderNotFound"),
        (csv_file(BAR_ROW, 'A-2,"钢筋'), "text/csv", "FileTruncated"),
        (csv_file(BAR_ROW).rstrip() + b"\nA-2", "text/csv", "FileTruncated"),
        (b"\xff\xfe" + csv_file(BAR_ROW).decode().encode("utf-16-le"), "text/csv", "EncodingNotRead"),
        (csv_file("A\x00,b,c,d"), "text/csv", "NulByte"),
        (csv_file("A," + "x" * 70_000 + ",c,d"), "text/csv", "LineTooLong"),
        (csv_file(BAR_ROW), XLSX_MEDIA, "NotASpreadsheet"),
        (_cut(workbook(CODES, ["A-1", "钢筋", "Φ20", "吨"])), XLSX_MEDIA, "NotASpreadsheet"),
        (workbook(CODES, ["A-1", "钢筋", "Φ20", "吨"]), "text/csv", "NotText"),
        (_bomb(), XLSX_MEDIA, "ZipBomb"),
    ],
)
async def test_what_cannot_be_read_fails_with_a_reason_and_may_be_sent_again(
    mapping: Mapping, body: bytes, media: str, code: str
):
    job = await mapping.imported(body, media=media)
    assert (job["state"], job["problem"]["code"]) == ("FAILED", code)
    again = await mapping.send(body, media=media)
    assert (again.status_code, again.json()["repeated"]) == (202, False)


async def test_a_repeated_file_answers_with_the_import_it_has(mapping: Mapping):
    first = await mapping.send(csv_file(BAR_ROW), file_name="codes.csv")
    second = await mapping.send(csv_file(BAR_ROW), file_name="copy.csv")
    assert (first.status_code, second.status_code) == (202, 200)
    assert (second.json()["id"], second.json()["repeated"]) == (first.json()["id"], True)
    await mapping.work()
    assert (await mapping.send(csv_file(BAR_ROW))).json()["state"] == "IN_REVIEW"
    assert len((await mapping.get("/mapping-jobs")).json()) == 1
    other = a_person(Role.BUYER)
    assert (await mapping.send(csv_file(BAR_ROW), as_=other)).status_code == 202


async def test_the_same_file_twice_at_once_is_one_import_and_two_files_are_two(mapping: Mapping):
    bodies = [csv_file(BAR_ROW), csv_file(BAR_ROW), csv_file("B-1,水泥,P.O 42.5 散装,吨"), csv_file(BAR_ROW)]
    answers = await asyncio.gather(*(mapping.send(body) for body in bodies))
    assert {answer.status_code for answer in answers} <= {200, 202}
    assert len({answer.json()["id"] for answer in answers}) == 2
    await asyncio.gather(mapping.work(), mapping.work())
    assert {job["state"] for job in (await mapping.get("/mapping-jobs")).json()} == {"IN_REVIEW"}


async def test_a_dry_run_stops_before_the_review_and_can_be_sent_on(mapping: Mapping):
    job = await mapping.imported(csv_file(BAR_ROW), dry_run=True)
    assert (job["state"], job["rows"]["AUTO_ACCEPTED"]) == ("MATCHED", 1)
    refused = await mapping.approve(job)
    assert refused.json()["code"] == "MappingJobStateWrong"
    sent_on = await mapping.post(f"/mapping-jobs/{job['id']}/review", None)
    assert sent_on.json()["state"] == "IN_REVIEW"


async def test_a_cancelled_import_is_over_and_the_file_may_come_again(mapping: Mapping):
    sent = await mapping.send(csv_file(BAR_ROW))
    path = f"/mapping-jobs/{sent.json()['id']}/cancellation"
    assert (await mapping.post(path, {"note": "wrong file"})).json()["state"] == "CANCELLED"
    assert (await mapping.post(path, {})).json()["code"] == "MappingJobStateWrong"
    await mapping.work()
    assert (await mapping.job(sent.json()["id"]))["state"] == "CANCELLED"
    assert (await mapping.send(csv_file(BAR_ROW))).status_code == 202


async def test_repeated_rows_go_and_a_code_with_two_meanings_is_marked(mapping: Mapping):
    rows = ["A-1,钢筋,HRB400E Φ20 12m,吨", "A-1,钢筋,HRB400E Φ20 12m,吨", "A-2,钢筋,HRB400E Φ22 12m,吨"]
    job = await mapping.imported(csv_file(*rows, "A-2,钢筋,HRB400E Φ25 12m,吨"))
    assert await mapping.errors(job) == [(3, "legacy_code", "RepeatedRow")]
    found = {row["row_no"]: (row["state"], row["several"]) for row in await mapping.rows(job)}
    assert found[2] == ("AUTO_ACCEPTED", False)
    assert found[4] == found[5] == ("SPLIT_REQUESTED", True)


async def test_a_worker_that_was_killed_is_followed_by_one_that_goes_on(mapping: Mapping):
    sent = await mapping.send(csv_file(BAR_ROW, "B-1,水泥,P.O 42.5 散装,吨"))
    async with transaction(mapping.database.app, mapping.company) as session:
        await session.execute(
            text("UPDATE mapping_jobs SET lease_id = :lease, lease_until = now() - interval '1 second'"),
            {"lease": new_id()},
        )
    await mapping.work()
    assert (await mapping.job(sent.json()["id"]))["state"] == "IN_REVIEW"


@pytest.mark.parametrize(
    ("params", "media", "status", "code"),
    [
        ({}, "application/json", 415, "MappingFileNotRead"),
        ({"company_id": str(new_id())}, "text/csv", 404, "NotYours"),
        ({"dry_run": "perhaps"}, "text/csv", 422, "MalformedRequest"),
    ],
)
async def test_what_is_no_upload_is_refused(
    mapping: Mapping, params: dict[str, Any], media: str, status: int, code: str
):
    answer = await mapping.send(csv_file(BAR_ROW), media=media, **params)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_an_operator_uploads_for_a_company_it_names(mapping: Mapping):
    operator = a_person(Role.OPERATOR)
    unnamed = await mapping.send(csv_file(BAR_ROW), as_=operator)
    assert (unnamed.status_code, unnamed.json()["code"]) == (409, "CompanyMissing")
    sent = await mapping.send(csv_file(BAR_ROW), as_=operator, company_id=str(mapping.company))
    assert sent.json()["company_id"] == str(mapping.company)
    await mapping.work()
    assert (await mapping.job(sent.json()["id"]))["state"] == "IN_REVIEW"


async def test_an_upload_needs_a_key_and_a_group_needs_members(mapping: Mapping):
    headers = {**signed_in(mapping.importer), "Content-Type": "text/csv"}
    keyless = await mapping.http.post("/catalog/mapping-jobs", content=csv_file(BAR_ROW), headers=headers)
    assert keyless.json()["code"] == "IdempotencyKeyMissing"
    alone = await mapping.http.post(
        "/catalog/mapping-jobs?for_group=true",
        content=csv_file(BAR_ROW),
        headers={**signed_in(a_person(Role.BUYER)), **once(), "Content-Type": "text/csv"},
    )
    assert alone.json()["code"] == "GroupMissing"


async def test_a_long_file_is_compared_with_itself_in_time_that_grows_with_its_length(mapping: Mapping):
    """Joined row by row, four thousand rows took minutes; each text is judged once, for whichever code it stands."""
    texts = ("钢筋,三级抗震 Φ20 12米,吨", "钢筋,三级抗震 Φ25 12米,吨", "商品混凝土,C30 P6 坍落度180,m3")
    body = csv_file(*(f"L-{number:05d},{texts[number % 3]}" for number in range(4_000)))
    begun = perf_counter()
    job = await mapping.imported(body, dry_run="true")
    assert (job["state"], job["rows_matched"]) == ("MATCHED", 4_000)
    assert perf_counter() - begun < 60


def test_rows_are_alike_when_their_judgement_cannot_differ():
    row = CodeRow(legacy_code="A", name="钢筋", spec="Φ20  12米", unit="吨")
    assert replace(row, legacy_code="B", spec="Φ２０ 12米").likeness == row.likeness
    for change in ({"spec": "Φ22 12米"}, {"unit": "根"}, {"several": True}, {"others": {"price": "3200"}}):
        assert replace(row, **change).likeness != row.likeness
