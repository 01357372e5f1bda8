"""Codes of every system: added, retired, imported from a CSV; never deleted, and never of a wrong shape."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.catalog.classification.importing import ROWS_AT_MOST
from services.catalog.classification.rules import CodeFault, code_row
from services.catalog.components.jobs import load_taxonomy
from shared.database import Database, transaction
from shared.identity import Role
from tests.catalog.conftest import AT
from tests.catalog.test_publishing import changed_document
from tests.conftest import a_person, once, signed_in

OPERATOR = a_person(Role.OPERATOR)
SLAB = {"system": "GB/T 51269", "edition": "2017", "code": "30-13.10.10", "type_code": "PC-SLAB"}


@pytest.fixture
def operator(http: httpx.AsyncClient) -> httpx.AsyncClient:
    http.headers.update(signed_in(OPERATOR))
    return http


async def add(operator: httpx.AsyncClient, **changes: str) -> httpx.Response:
    return await operator.post("/catalog/codes", json=SLAB | changes, headers=once())


async def upload(operator: httpx.AsyncClient, content: str | bytes, **params: Any) -> httpx.Response:
    body = content.encode() if isinstance(content, str) else content
    return await operator.post(
        "/catalog/codes/imports", content=body, params=params, headers={"Content-Type": "text/csv"}
    )


async def found(http: httpx.AsyncClient, code: str, **params: str) -> list[str]:
    return [each["type_code"] for each in (await http.get("/catalog/codes", params={"code": code, **params})).json()]


async def test_a_code_of_any_system_finds_the_component_and_the_component_lists_it(operator):
    assert (await add(operator)).status_code == 201
    assert (await add(operator, system="ccI", edition="1.0", code="L-SAB", relation="also")).json()["system"] == "CCI"
    assert (await add(operator, system="UNSPSC", edition="", code="30111500")).status_code == 201
    assert await found(operator, "30-13.10.10", system="gb/t 51269") == ["PC-SLAB"]
    assert await found(operator, "l-sab", system="CCI", edition="1.0") == ["PC-SLAB"]
    assert await found(operator, "L-SAB", system="CCI", edition="2.0") == []
    assert await found(operator, "30111500", system="UNSPSC", edition="26") == ["PC-SLAB"]
    listed = (await operator.get("/catalog/types/PC-SLAB")).json()["codes"]
    assert {(each["system"], each["code"]) for each in listed} >= {
        ("GB/T 51269", "30-13.10.10"), ("CCI", "L-SAB"), ("UNSPSC", "30111500"), ("DOUGONG", "PC-SLAB"),
    }  # fmt: skip


async def test_who_added_and_retired_a_code_is_kept(operator):
    await add(operator)
    await add(operator)
    body = SLAB | {"reason": "wrong level"}
    assert (await operator.post("/catalog/codes/retirements", json=body, headers=once())).status_code == 200
    assert await found(operator, SLAB["code"]) == []
    again = await operator.post("/catalog/codes/retirements", json=body, headers=once())
    assert (again.status_code, again.json()["code"]) == (404, "CodeNotFound")
    await add(operator)
    assert await found(operator, SLAB["code"]) == ["PC-SLAB"]
    events = (await operator.get("/catalog/codes/events", params={"type": "PC-SLAB"})).json()
    assert [each["action"] for each in events if each["code"] == SLAB["code"]] == ["CHANGED", "RETIRED", "ADDED"]
    assert {each["by_name"] for each in events[:3]} == {OPERATOR.name}
    assert events[1]["reason"] == "wrong level"


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"system": "ISBN"}, "system", "UnknownCodeSystem"),
        ({"code": "30-13.10"}, "code", "CodeMalformed"),
        ({"code": "30-13.10.10.1"}, "code", "CodeMalformed"),
        ({"code": "30-13.10.10\u0663"}, "code", "CodeMalformed"),
        ({"type_code": "XX-NONE"}, "type_code", "UnknownType"),
        ({"system": "DOUGONG", "code": "PC-SLAB2"}, "system", "OwnCodesAreFixed"),
        ({"system": "IFC", "edition": "", "code": "Slab"}, "code", "CodeMalformed"),
        ({"code": "   "}, "code", "Required"),
    ],
)
async def test_a_code_that_cannot_be_is_refused_with_field_and_rule(operator, change, field, rule):
    answer = await add(operator, **change)
    assert (answer.status_code, answer.json()["code"]) == (422, "CodeRefused")
    assert [(each["field"], each["rule"]) for each in answer.json()["errors"]] == [(field, rule)]


async def test_what_a_type_itself_names_is_not_retired_beside_it(operator):
    body = {"system": "IFC", "code": "IfcSlab.FLOOR", "type_code": "PC-SLAB", "reason": "no"}
    answer = await operator.post("/catalog/codes/retirements", json=body, headers=once())
    assert (answer.status_code, answer.json()["code"]) == (409, "CodeOfTheDictionary")


async def test_a_new_version_of_a_type_retires_the_codes_it_no_longer_names_and_keeps_the_operators(operator, database):
    await add(operator, type_code="RB-HRB")
    changed = changed_document(ifc={"class": "IfcBar", "predefined_type": None, "also": []})
    await load_taxonomy(database.system, document=changed, at=AT)
    codes = {each["code"] for each in (await operator.get("/catalog/types/RB-HRB")).json()["codes"]}
    assert codes == {"RB-HRB", "IfcBar", "01", SLAB["code"]}
    assert "RB-HRB" not in await found(operator, "IfcReinforcingBar.MAIN")
    async with transaction(database.system) as session:
        kept = await session.scalar(text("SELECT count(*) FROM classification_codes WHERE retired_at IS NOT NULL"))
    assert kept == 3


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM classification_codes WHERE type_code = 'PC-SLAB'",
        "UPDATE classification_codes SET code = 'Slab' WHERE system = 'IFC' AND type_code = 'PC-SLAB'",
        "UPDATE classification_codes SET origin = 'OPERATOR' WHERE type_code = 'PC-SLAB'",
        "UPDATE classification_code_events SET by_name = 'nobody'",
        "DELETE FROM code_systems WHERE code = 'IFC'",
        (
            "INSERT INTO classification_codes (system, edition, code, type_code, relation, origin, added_at) "
            "VALUES ('GB/T 51269', '', '30-13', 'PC-SLAB', 'primary', 'DICTIONARY', now())"
        ),
        (
            "INSERT INTO classification_codes (system, edition, code, type_code, relation, origin, added_at) "
            "SELECT system, edition, lower(code), type_code, relation, origin, added_at FROM classification_codes "
            "WHERE system = 'IFC'"
        ),
    ],
)
async def test_the_database_itself_keeps_codes_and_their_shape(database: Database, statement):
    with pytest.raises(DBAPIError):
        async with transaction(database.system) as session:
            await session.execute(text(statement))


async def test_a_new_code_system_takes_only_codes_of_its_shape(operator):
    body = {"code": "SfB", "name_zh": "SfB", "name_en": "SfB", "licence_note": "codes only", "pattern": r"^\(\d\d\)$"}
    assert (await operator.post("/catalog/code-systems", json=body, headers=once())).status_code == 201
    assert (await add(operator, system="sfb", code="(23)")).status_code == 201
    assert (await add(operator, system="SfB", code="23")).json()["errors"][0]["rule"] == "CodeMalformed"
    again = await operator.post("/catalog/code-systems", json=body | {"code": "SFB"}, headers=once())
    assert (again.status_code, again.json()["code"]) == (409, "CodeSystemExists")
    for pattern in ("(", r"(a*)\1", "(?=a)"):
        bad = await operator.post(
            "/catalog/code-systems", json=body | {"code": "X", "pattern": pattern}, headers=once()
        )
        assert (bad.status_code, bad.json()["code"]) == (422, "PatternMalformed")


CSV = (
    "system,edition,code,type_code,relation\n"
    "GB/T 51269,2017,30-13.10.10,PC-SLAB,primary\n"
    "UNSPSC,,30111500,pc-slab,\n"
    "UNSPSC,,3011,PC-SLAB,primary\n"
    "ISBN,,3,PC-SLAB,primary\n"
    ",,,,\n"
    "ETIM,9,EC000001,XX-NONE,also\n"
    "unspsc,,30111500,PC-SLAB,also\n"
    "ETIM,9,,PC-SLAB,also\n"
    "ETIM,9,EC000002,PC-SLAB,maybe\n"
)


async def test_a_csv_takes_the_good_rows_and_tells_the_bad_ones_by_line(operator):
    dry = (await upload(operator, CSV, dry_run=True)).json()
    assert (dry["dry_run"], dry["counts"]) == (True, {"rows": 8, "added": 2, "changed": 0, "unchanged": 0})
    assert await found(operator, "30111500") == []
    done = (await upload(operator, CSV, file_name="codes.csv")).json()
    assert (done["repeated"], done["counts"], done["rejected"]) == (False, dry["counts"], 6)
    assert [(each["row"], each["field"], each["code"]) for each in done["problems"]] == [
        ("4", "code", "CodeMalformed"), ("5", "system", "UnknownCodeSystem"), ("7", "type_code", "UnknownType"),
        ("8", "code", "DuplicateRow"), ("9", "code", "Required"), ("10", "relation", "UnknownRelation"),
    ]  # fmt: skip
    assert await found(operator, "30111500") == ["PC-SLAB"]
    lines = (await operator.get(f"/catalog/uploads/{done['id']}/problems.csv")).text.splitlines()
    assert len(lines) == 7
    assert lines[1].startswith("4,rejected,code,CodeMalformed,")
    again = (await upload(operator, CSV)).json()
    assert (again["repeated"], again["id"]) == (True, done["id"])
    listed = (await operator.get("/catalog/uploads", params={"kind": "CODES"})).json()
    assert [(each["dry_run"], each["file_name"]) for each in listed] == [(False, "codes.csv"), (True, None)]


async def test_a_csv_in_chinese_national_encoding_is_read(operator):
    system = {"code": "企业码", "name_zh": "企业码", "name_en": "house codes", "licence_note": "ours"}
    await operator.post("/catalog/code-systems", json=system, headers=once())
    body = "system,code,type_code\n企业码,钢筋-01,RB-HRB\n".encode("gb18030")
    assert (await upload(operator, body)).json()["counts"]["added"] == 1
    assert await found(operator, "钢筋-01") == ["RB-HRB"]


@pytest.mark.parametrize(
    "content",
    [
        b"system;code\n",
        b"system,code\n",
        b"system,code,type_code,price\n",
        b"system,code,type_code\nIFC,\x00,x\n",
        b'system,code,type_code\n"IFC,x\n',
        b"",
        b"\xff\xfe\x00\x81",
        b"system,code,type_code\n" + b"A,b,c\n" * (ROWS_AT_MOST + 1),
    ],
)
async def test_a_file_that_is_no_such_csv_is_refused_and_leaves_nothing(operator, content):
    answer = await upload(operator, content)
    assert (answer.status_code, answer.json()["code"]) == (422, "CodeFileRefused")
    assert (await operator.get("/catalog/uploads")).json() == []


async def test_files_and_codes_are_the_operators_business(http: httpx.AsyncClient):
    buyer = signed_in(a_person(Role.BUYER))
    for path in ("/catalog/codes", "/catalog/codes/imports", "/catalog/codes/retirements", "/catalog/code-systems"):
        answer = await http.post(path, headers=buyer | once() | {"Content-Type": "text/csv"}, content=b"x")
        assert (answer.status_code, answer.json()["code"]) == (403, "RightMissing")
    assert (await http.get("/catalog/uploads", headers=buyer)).status_code == 403
    answer = await http.post("/catalog/codes/imports", headers=signed_in(OPERATOR), json={})
    assert (answer.status_code, answer.json()["code"]) == (415, "MediaNotTaken")


def test_a_row_is_read_with_blanks_around_and_shape_checked():
    row = code_row({"system": " IFC ", "code": "IfcSlab ", "type_code": "PC-SLAB"})
    assert not isinstance(row, CodeFault)
    assert (row.system, row.code, row.edition, row.relation) == ("IFC", "IfcSlab", "", "primary")
    for change in ({"code": "x" * 101}, {"edition": "y" * 41}, {"code": "a\x07b"}):
        assert isinstance(code_row({"system": "IFC", "code": "x", "type_code": "T", **change}), CodeFault)
