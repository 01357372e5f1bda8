"""The registers of standards and of restricted goods: operators keep them, everybody reads them."""

import asyncio
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.catalog.restrictions.queries import restrictions_for
from services.catalog.restrictions.rules import names
from services.catalog.standards.queries import withdrawn_editions
from shared.database import Database, transaction
from shared.history import first_broken
from shared.identity import Principal, Role
from tests.conftest import a_person, once, signed_in

OLD: dict[str, Any] = {
    "number": "GB/T 1499.2",
    "edition": "2018",
    "title": "热轧带肋钢筋",
    "kind": "recommended",
    "published_on": "2018-02-06",
    "effective_on": "2018-11-01",
    "source": "SAMR 2018 no. 2",
}
BAN: dict[str, Any] = {
    "kind": "banned",
    "type_code": "RB-HRB",
    "properties": {"grade": "HRB400"},
    "regions": ["1101" + "00"],
    "from_on": "2026-07-01",
    "source": "京建发 2026-1",
    "text": "禁止使用",
}
WITHDRAWAL = {"designation": "GB/T1499.2-2018", "withdrawn_on": "2024-09-25", "source": "SAMR 2024 no. 9"}


@dataclass
class Desk:
    """An operator's desk."""

    http: httpx.AsyncClient
    database: Database
    operator: Principal

    async def call(self, method: str, path: str, *, version: int | None = None, **request: Any) -> httpx.Response:
        headers = signed_in(self.operator) | (once() if method == "POST" else {})
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return await self.http.request(method, path, headers=headers, **request)

    async def sent(self, register: str, body: str | bytes, **params: Any) -> dict[str, Any]:
        content = body.encode() if isinstance(body, str) else body
        answer = await self.call("POST", f"/catalog/{register}/imports", content=content, params=params)
        assert answer.status_code == 200, answer.text
        report: dict[str, Any] = answer.json()
        return report

    async def rows(self, query: str) -> list[Any]:
        async with transaction(self.database.system) as session:
            return list((await session.execute(text(query))).all())

    async def told(self, kind: str) -> list[dict[str, Any]]:
        rows = await self.rows(f"SELECT data FROM events WHERE type = 'dev.dougong.catalog.{kind}.changed.v1'")
        return [each for row in rows for each in row.data[f"{kind}s"]]


@pytest.fixture
def desk(http: httpx.AsyncClient, database: Database) -> Desk:
    return Desk(http=http, database=database, operator=a_person(Role.OPERATOR))


async def test_what_the_dictionary_names_is_registered_and_told(desk: Desk):
    edition = (await desk.http.get("/catalog/standards/gb1499.2-2024")).json()
    assert (edition["designation"], edition["status"], edition["version"]) == ("GB 1499.2-2024", "in_force", 1)
    numbers = [each["designation"] for each in await desk.told("standard")]
    assert "GB 1499.2-2024" in numbers
    assert "GB 50243" not in numbers


async def test_a_type_tells_when_an_edition_it_names_is_withdrawn(desk: Desk):
    def named(answer: httpx.Response) -> dict[str, Any]:
        return {each["number"]: each for each in answer.json()["standards"]}["GB 1499.2-2024"]  # type: ignore[no-any-return]

    before = named(await desk.http.get("/catalog/types/RB-HRB"))
    assert (before["withdrawn_on"], before["replaced_by"]) == (None, None)
    (listed,) = (await desk.http.get("/catalog/standards", params={"number": "GB 1499.2"})).json()
    gone = {"designation": "GB 1499.2-2024", "withdrawn_on": "2030-01-01", "replaced_by": "GB 1499.2-2029"}
    told = await desk.call(
        "POST", "/catalog/standards/withdrawals", version=listed["version"], json={**WITHDRAWAL, **gone}
    )
    assert told.status_code == 200, told.text
    after = named(await desk.http.get("/catalog/types/RB-HRB"))
    assert (after["withdrawn_on"], after["replaced_by"]) == ("2030-01-01", "GB 1499.2-2029")


async def test_an_edition_is_registered_withdrawn_and_read_by_everybody(desk: Desk):
    made = await desk.call("POST", "/catalog/standards", json=OLD)
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    assert (await desk.call("POST", "/catalog/standards", json=OLD)).json()["code"] == "EditionExists"
    path = "/catalog/standards/withdrawals"
    assert (await desk.call("POST", path, json=WITHDRAWAL)).status_code == 428
    assert (await desk.call("POST", path, version=7, json=WITHDRAWAL)).status_code == 412
    gone = await desk.call("POST", path, version=1, json={**WITHDRAWAL, "replaced_by": "GB 1499.2-2024"})
    assert (gone.json()["status"], gone.json()["version"]) == ("withdrawn", 2)
    listed = (await desk.http.get("/catalog/standards", params={"number": "GB/T 1499.2", "status": "withdrawn"})).json()
    assert [each["designation"] for each in listed] == ["GB/T 1499.2-2018"]
    before = {"number": "GB/T 1499.2", "on": "2024-09-24"}
    assert (await desk.http.get("/catalog/standards", params=before)).json()[0]["status"] == "in_force"
    assert [each["version"] for each in await desk.told("standard") if each["key"] == "GB/T1499.2-2018"] == [1, 2]
    async with transaction(desk.database.app) as session:
        assert "GB/T1499.2-2018" in await withdrawn_editions(session, on=date(2024, 9, 25))
        assert "GB/T1499.2-2018" not in await withdrawn_editions(session, on=date(2024, 9, 24))
    history = await desk.call("GET", "/catalog/standards/history", params={"designation": "GB/T 1499.2-2018"})
    entries = history.json()
    assert [each["entry"]["decision"] for each in entries] == ["registered", "withdrawn"]
    assert entries[1]["entry"]["by"] == str(desk.operator.subject)
    assert first_broken((each["entry"], bytes.fromhex(each["hash"])) for each in entries) is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"effective_on": "2018-01-01"}, "EditionContradicts"),
        ({"withdrawn_on": "2018-10-31"}, "EditionContradicts"),
        ({"replaced_by": "ＧＢ／Ｔ 1499.2—2018"}, "EditionContradicts"),
        ({"edition": "18"}, "MalformedRequest"),
        ({"kind": "law"}, "MalformedRequest"),
        ({"published_on": "1066-10-14"}, "MalformedRequest"),
        ({"number": "GB\x001"}, "MalformedRequest"),
        ({"number": "ß" * 100}, "EditionContradicts"),
        ({"source": ""}, "MalformedRequest"),
        ({"colour": "red"}, "MalformedRequest"),
    ],
)
async def test_an_edition_that_cannot_be_is_refused(desk: Desk, changes: dict[str, Any], code: str):
    answer = await desk.call("POST", "/catalog/standards", json={**OLD, **changes})
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text


async def test_only_operators_keep_the_registers_and_no_entry_is_removed(desk: Desk):
    other = signed_in(a_person(Role.BUYER)) | once()
    for path, body in (("standards", OLD), ("restrictions", BAN)):
        assert (await desk.http.post(f"/catalog/{path}", json=body, headers=other)).status_code == 403
        assert (await desk.http.post(f"/catalog/{path}", json=body, headers=once())).status_code == 401
    await desk.call("POST", "/catalog/restrictions", json=BAN)
    for role, statement in (
        (desk.database.app, "UPDATE standard_editions SET withdrawn_on = '2026-01-01'"),
        (desk.database.app, "INSERT INTO register_decisions VALUES ('standard', 'x', 1, '{}', '', now())"),
        (desk.database.system, "DELETE FROM standard_editions"),
        (desk.database.system, "DELETE FROM restrictions"),
        (desk.database.system, "UPDATE register_decisions SET entry = '{}'"),
    ):
        with pytest.raises(DBAPIError):
            async with transaction(role) as session:
                await session.execute(text(statement))


async def test_two_operators_at_once_and_one_of_them_reads_again(desk: Desk):
    both = await asyncio.gather(*(desk.call("POST", "/catalog/standards", json=OLD) for _ in range(4)))
    assert sorted(answer.status_code for answer in both) == [201, 409, 409, 409]
    path = "/catalog/standards/withdrawals"
    tries = await asyncio.gather(*(desk.call("POST", path, version=1, json=WITHDRAWAL) for _ in range(4)))
    assert sorted(answer.status_code for answer in tries) == [200, 412, 412, 412]
    entries = await desk.rows("SELECT number FROM register_decisions WHERE subject = 'GB/T1499.2-2018' ORDER BY 1")
    assert [entry.number for entry in entries] == [1, 2]


FILE = (
    "标准号,标准名称,性质,发布日期,实施日期,废止日期,代替标准,来源\n"
    "GB/T 1499.2-2018,热轧带肋钢筋,推荐性,2018/2/6,2018年11月1日,２０２４.9.25,GB 1499.2-2024,公告\n"
    "GB 1499.2-2024,,,,2024-09-25,,,\n"
    "GB/T 1-20,,,,,,,\n"
    "GB/T 2-2020,二,法律,,,,,公告\n"
    "GB/T 3-2020,三,推荐,2020-02-30,,,,公告\n"
    "GB/T 4-2020,四,推荐,2020-02-03,2020-01-01,,,公告\n"
    ",五,推荐,,,,,公告\n"
    "gb/t1499.2-2018,again,推荐,,,,,公告\n"
)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
async def test_a_file_of_editions_names_each_bad_row_and_twice_is_once(desk: Desk, encoding: str):
    body = FILE.encode(encoding)
    tried = await desk.sent("standards", body, dry_run=True)
    assert (tried["created"], tried["changed"], tried["rejected"]) == (1, 1, 6)
    assert (await desk.http.get("/catalog/standards/GB/T 1499.2-2018")).status_code == 404
    report = await desk.sent("standards", body)
    assert {**report, "dry_run": True} == tried
    assert [(each["row"], each["field"], each["code"]) for each in report["problems"]] == [
        (4, "title", "Required"),
        (5, "kind", "NotAllowed"),
        (6, "published_on", "NotADate"),
        (7, "effective_on", "EffectiveBeforePublished"),
        (8, "designation", "Required"),
        (9, "designation", "StandsTwice"),
    ]
    old = (await desk.http.get("/catalog/standards/GB/T 1499.2-2018")).json()
    assert (old["withdrawn_on"], old["effective_on"], old["kind"]) == ("2024-09-25", "2018-11-01", "recommended")
    new = (await desk.http.get("/catalog/standards/GB 1499.2-2024")).json()
    assert (new["effective_on"], new["title"] != "") == ("2024-09-25", True)
    events = len(await desk.told("standard"))
    again = await desk.sent("standards", body)
    assert (again["created"], again["changed"], again["unchanged"]) == (0, 0, 2)
    assert len(await desk.told("standard")) == events


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\x00",
        "标准号\n".encode(),
        b"designation,colour\nx,y\n",
        b"title\nx\n",
        b'designation,title\n"x,y\n',
        b"designation,title\nx\n",
        b"designation,title\nx,a\x01b\n",
        b"designation,title\n" + b"x,y\n" * 5001,
        b"designation,title\nx," + b"y" * 3000 + b"\n",
    ],
)
async def test_a_file_that_cannot_be_read_changes_nothing(desk: Desk, body: bytes):
    answer = await desk.call("POST", "/catalog/standards/imports", content=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "RegisterFileRefused"), answer.text
    assert answer.json()["errors"]


async def test_a_file_that_is_too_large_is_refused(desk: Desk):
    answer = await desk.call("POST", "/catalog/standards/imports", content=b"x" * (4 * 1024 * 1024 + 1))
    assert answer.status_code == 413


async def test_two_files_at_once_make_each_edition_once(desk: Desk):
    body = "designation,title,source\n" + "".join(f"GB/T 9{n:03}-2020,title,test\n" for n in range(200))
    reports = await asyncio.gather(*(desk.sent("standards", body) for _ in range(3)))
    assert sorted((each["created"], each["unchanged"]) for each in reports) == [(0, 200), (0, 200), (200, 0)]
    assert len([each for each in await desk.told("standard") if each["number"].startswith("GB/T 9")]) >= 200


async def test_a_restriction_holds_at_its_places_from_its_day_on(desk: Desk):
    made = await desk.call("POST", "/catalog/restrictions", json=BAN)
    assert made.status_code == 201, made.text
    assert (await desk.call("POST", "/catalog/restrictions", json={**BAN, "text": "other words"})).status_code == 409
    for region, on, found in (
        ("110105", "2026-07-01", 1),
        ("110105", "2026-06-30", 0),
        ("110200", "2026-07-01", 0),
        (None, "2026-07-01", 0),
    ):
        params = {"on": on} | ({} if region is None else {"region": region})
        assert len((await desk.http.get("/catalog/restrictions/in-force", params=params)).json()) == found
    async with transaction(desk.database.app) as session:
        (row,) = await restrictions_for(session, on=date(2026, 7, 1), region="110105", type_codes=["RB-HRB"])
    assert names(entry_properties=row.properties, properties={"grade": "HRB400", "diameter": "20"})
    assert not names(entry_properties=row.properties, properties={"grade": "HRB400E"})
    path = f"/catalog/restrictions/{made.json()['id']}"
    ended = await desk.call("PUT", path, version=1, json={"until_on": "2026-07-02", "text": "至 7 月 2 日"})
    assert (ended.status_code, ended.json()["version"]) == (200, 2)
    assert (await desk.http.get("/catalog/restrictions", params={"on": "2026-07-03"})).json() == []
    assert [each["version"] for each in await desk.told("restriction")] == [1, 2]
    assert len((await desk.call("GET", f"{path}/history")).json()) == 2


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"type_code": "XX-NONE"}, "type_code", "UnknownType"),
        ({"properties": {"grade": "HRB999"}}, "properties.grade", "ValueNotAllowed"),
        ({"properties": {"colour": "red"}}, "properties.colour", "UnknownProperty"),
        ({"until_on": "2026-06-30"}, "until_on", "EndsBeforeItBegins"),
        ({"regions": ["11", "110000"]}, "regions", "RegionTwice"),
    ],
)
async def test_a_restriction_that_names_nothing_of_the_catalog_is_refused(
    desk: Desk, changes: dict[str, Any], field: str, rule: str
):
    answer = await desk.call("POST", "/catalog/restrictions", json={**BAN, **changes})
    assert (answer.status_code, answer.json()["code"]) == (422, "RestrictionContradicts")
    assert (answer.json()["errors"][0]["field"], answer.json()["errors"][0]["rule"]) == (field, rule)


async def test_a_file_of_restrictions_is_taken_row_by_row_and_twice_is_once(desk: Desk):
    body = (
        "限制类型,构件类型,属性,地区,生效日期,失效日期,文件,条文\n"
        "禁止,RB-HRB,grade=HRB400;diameter=Φ20,11;12,2026-07-01,,公告,禁止使用\n"
        "限制,rb-hrb,,,2026/7/1,2027/7/1,公告,限制使用\n"
        '禁止,RB-HRB,"diameter=20,grade=HRB400",12 110000,2026-07-01,,公告,the same\n'
        "禁止,XX-NONE,,,2026-07-01,,公告,x\n"
        "禁止,RB-HRB,grade,,2026-07-01,,公告,x\n"
        "禁止,RB-HRB,,1101,2026-07-01,,公告,x\n"
        "禁止,RB-HRB,,,,,公告,x\n"
    )
    tried = await desk.sent("restrictions", body, dry_run=True)
    report = await desk.sent("restrictions", body)
    assert {**tried, "dry_run": False} == report
    assert (report["created"], report["rejected"]) == (2, 5)
    assert [(each["row"], each["code"]) for each in report["problems"]] == [
        (4, "StandsTwice"),
        (5, "UnknownType"),
        (6, "NotReadable"),
        (7, "NotARegion"),
        (8, "Required"),
    ]
    again = await desk.sent("restrictions", body.replace("限制使用", "限制使用(修订)"))
    assert (again["created"], again["changed"], again["unchanged"]) == (0, 1, 1)
    texts = {each["text"] for each in (await desk.http.get("/catalog/restrictions")).json()}
    assert texts == {"禁止使用", "限制使用(修订)"}


async def test_who_withdrew_an_edition_does_not_open_it_again_alone(desk: Desk):
    assert (await desk.call("POST", "/catalog/standards", json=OLD)).status_code == 201
    path, entry = "/catalog/standards/withdrawals", "/catalog/standards/GB/T 1499.2-2018"
    assert (await desk.call("POST", path, version=1, json=WITHDRAWAL)).json()["status"] == "withdrawn"
    later = {**WITHDRAWAL, "withdrawn_on": "2099-01-01"}
    for refused in (
        await desk.call("POST", path, version=2, json=later),
        await desk.call("PUT", entry, version=2, json=OLD),
    ):
        assert (refused.status_code, refused.json()["code"]) == (403, "SecondPersonReopens"), refused.text
        assert refused.json()["errors"][0]["field"] == "withdrawn_on"
    file = "designation,withdrawn_on\nGB/T 1499.2-2018,2099-01-01\n"
    report = await desk.sent("standards", file)
    assert [each["code"] for each in report["problems"]] == ["SecondPersonReopens"]
    sooner = {**WITHDRAWAL, "withdrawn_on": "2024-09-01"}
    assert (await desk.call("POST", path, version=2, json=sooner)).json()["status"] == "withdrawn"
    first, desk.operator = desk.operator, a_person(Role.OPERATOR)
    other = await desk.call("PUT", entry, version=3, json={**OLD, "title": "T", "withdrawn_on": "2024-09-01"})
    assert other.status_code == 200, other.text
    second, desk.operator = desk.operator, first
    assert (await desk.call("POST", path, version=4, json=later)).json()["code"] == "SecondPersonReopens"
    desk.operator = second
    opened = await desk.call("POST", path, version=4, json=later)
    assert (opened.status_code, opened.json()["status"]) == (200, "in_force"), "by another operator"


async def test_a_withdrawal_that_is_yet_to_come_is_put_off_by_who_set_it(desk: Desk):
    assert (await desk.call("POST", "/catalog/standards", json=OLD)).status_code == 201
    path = "/catalog/standards/withdrawals"
    for version, day in enumerate(("2098-01-01", "2099-01-01"), start=1):
        answer = await desk.call("POST", path, version=version, json={**WITHDRAWAL, "withdrawn_on": day})
        assert answer.status_code == 200, answer.text
