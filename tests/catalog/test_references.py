"""Dictionaries of others: the CCI dictionary is taken in whole, oddities are told, and links are people's decisions."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.catalog.references.reading import DictionaryFileRefused, read_dictionary
from services.catalog.references.rules import cut_cycles, entities_in_common
from shared.database import Database, transaction
from shared.errors import Refusal
from shared.identity import Role
from tests.conftest import SAMPLES, a_person, once, signed_in

OPERATOR = a_person(Role.OPERATOR)
CCI = SAMPLES / "classification" / "cciconstruction-1.0.json"
TEMPLATE = SAMPLES / "classification" / "bsdd-import-model.json"
needs_samples = pytest.mark.skipif(not CCI.exists(), reason="../shared/samples/classification is not here")
IFC_43 = "https://identifier.buildingsmart.org/uri/buildingsmart/ifc/4.3/prop"


@pytest.fixture
def operator(http: httpx.AsyncClient) -> httpx.AsyncClient:
    http.headers.update(signed_in(OPERATOR))
    return http


async def send(operator: httpx.AsyncClient, document: Any, **params: Any) -> httpx.Response:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return await operator.post(
        "/catalog/dictionaries/imports", content=body, params=params, headers={"Content-Type": "application/json"}
    )


def a_dictionary(*classes: Any, version: str = "1", **head: Any) -> dict[str, Any]:
    return {
        "OrganizationCode": "acme", "DictionaryCode": "acme-parts", "DictionaryVersion": version,
        "DictionaryName": "Parts", "LanguageIsoCode": "en-GB", "License": "CC0", "Status": "Active",
        "Classes": list(classes), **head,
    }  # fmt: skip


def slab(code: str = "S", **members: Any) -> dict[str, Any]:
    return {"Code": code, "Name": f"Slab {code}", "ClassType": "Class", **members}


async def imported(operator: httpx.AsyncClient, document: Any) -> dict[str, Any]:
    answer = await send(operator, document)
    assert answer.status_code == 200, answer.text
    upload: dict[str, Any] = answer.json()
    return upload


@needs_samples
async def test_the_cci_dictionary_is_imported_with_every_class(operator: httpx.AsyncClient, database: Database):
    body = CCI.read_bytes()
    dry = (await send(operator, body, dry_run=True)).json()
    assert (await operator.get("/catalog/dictionaries")).json() == []
    done = (await send(operator, body, file_name=CCI.name)).json()
    assert done["counts"] == dry["counts"] == {
        "classes": 1247, "classes_with_ifc": 758, "properties": 0, "class_properties": 616,
        "class_properties_with_values": 74, "allowed_values": 341, "relations": 0,
    }  # fmt: skip
    assert (done["rejected"], done["warned"]) == (0, 19)
    async with transaction(database.system) as session:
        stored = await session.scalar(text("SELECT count(*) FROM reference_classes"))
        parents = await session.scalar(text("SELECT count(parent_code) FROM reference_classes"))
    assert (stored, parents) == (1247, 1242)
    again = (await send(operator, body)).json()
    assert (again["repeated"], again["id"]) == (True, done["id"])
    (listed,) = (await operator.get("/catalog/dictionaries")).json()
    assert (listed["id"], listed["system"], listed["licence"], listed["status"], listed["version"]) == (
        done["subject"], "CCI", "MIT license", "Preview", "1.0",
    )  # fmt: skip


@needs_samples
async def test_its_classes_are_browsed_searched_and_linked(operator: httpx.AsyncClient):
    done = await imported(operator, CCI.read_bytes())
    base = f"/catalog/dictionaries/{done['subject']}"
    tops = (await operator.get(f"{base}/classes", params={"top": True})).json()
    assert [each["code"] for each in tops] == ["cefc", "cetc", "ceco", "uoce", "uocs"]
    codes = []
    page = await operator.get(f"{base}/classes", params={"limit": 200})
    while True:
        codes += [each["code"] for each in page.json()]
        if "next" not in page.links:
            break
        page = await operator.get(page.links["next"]["url"])
    assert len(codes) == len(set(codes)) == 1247
    ground = (await operator.get(f"{base}/classes/l-a")).json()
    assert (ground["code"], ground["ancestors"], len(ground["properties"])) == ("L-A", ["cefc"], 1)
    assert ground["properties"][0]["property_uri"] == f"{IFC_43}/IsExternal"
    valued = [each for each in json.loads(CCI.read_text("utf-8-sig").rstrip("\ufeff"))["Classes"]
              if any(one.get("AllowedValues") for one in each["ClassProperties"])]  # fmt: skip
    shown = (await operator.get(f"{base}/classes/{valued[0]['Code']}")).json()
    want = [each["Code"] for one in valued[0]["ClassProperties"] for each in one.get("AllowedValues", [])]
    assert [each["code"] for one in shown["properties"] for each in one["allowed"]] == want
    slabs = (await operator.get(f"{base}/classes", params={"ifc": "IfcSlab", "limit": 200})).json()
    assert len(slabs) == 16
    suggested = (await operator.get(f"{base}/suggestions", params={"type": "PC-SLAB", "limit": 200})).json()
    assert {each["class_code"] for each in suggested} >= {each["code"] for each in slabs}
    assert all(each["via"] for each in suggested)
    code = slabs[0]["code"]
    body = {"class_code": code, "type_code": "PC-SLAB", "accept": True}
    link = await operator.post(f"{base}/links", json=body, headers=once())
    assert (link.status_code, link.json()["decision"], link.json()["via"]) == (201, "ACCEPTED", "IfcSlab")
    found = (await operator.get("/catalog/codes", params={"code": code, "system": "CCI", "edition": "1.0"})).json()
    assert [(each["type_code"], each["relation"]) for each in found] == [("PC-SLAB", "also")]
    left = (await operator.get(f"{base}/suggestions", params={"type": "PC-SLAB", "limit": 200})).json()
    assert code not in {each["class_code"] for each in left}


@needs_samples
def test_the_empty_template_is_refused_with_what_it_lacks():
    with pytest.raises(DictionaryFileRefused, match="organization and code and version"):
        read_dictionary(TEMPLATE.read_bytes())


async def test_versions_stand_side_by_side_and_never_change(operator: httpx.AsyncClient):
    first = await imported(operator, a_dictionary(slab()))
    second = await imported(operator, a_dictionary(slab(), slab("T"), version="2"))
    listed = (await operator.get("/catalog/dictionaries")).json()
    assert [(each["id"], each["version"], each["counts"]["classes"]) for each in listed] == [
        (second["subject"], "2", 2), (first["subject"], "1", 1),
    ]  # fmt: skip
    assert {each["system"] for each in listed} == {"acme-parts"}
    other = await send(operator, a_dictionary(slab(), slab("U"), OrganizationCode="ACME"))
    assert (other.status_code, other.json()["code"]) == (409, "DictionaryVersionExists")
    assert len((await operator.get(f"/catalog/dictionaries/{first['subject']}/classes")).json()) == 1


ODD = a_dictionary(
    slab("A", ParentClassCode="b", Definition="  spaced ", Status="active", ClassType="Klasse", Synonyms=["", *"xx"]),
    slab("B", ParentClassCode="A"),
    slab("a"),
    slab("C", ParentClassCode="nowhere", RelatedIfcEntityNamesList=["IfcSlab", "IcfSlab", ""], Name=""),
    slab("D" * 101),
    slab("", Name="nameless"),
    "no object",
    slab(
        "E",
        Definition=7,
        Status={},
        ClassProperties=[
            {"PropertyCode": "WIDTH", "PropertySet": "A", "MinInclusive": "9", "MaxInclusive": 1, "IsRequired": "Yes"},
            {"PropertyCode": "width", "PropertySet": "A"},
            {"PropertyCode": "depth"},
            {"PropertyCode": "", "PropertyUri": f"{IFC_43}/IsExternal", "IsRequired": "perhaps", "Unit": ""},
            {"PropertyUri": f"{IFC_43}/Mark", "MinExclusive": "1E+999999999", "MaxExclusive": "12.50",
             "AllowedValues": [{"Code": "X", "Value": "x"}, {"Code": "x", "Value": "y"}, {"Value": "z"}, {}, None]},
        ],
        ClassRelations=[
            {"RelationType": "haspart", "RelatedClassUri": "https://example.org/p", "Fraction": "1.5"},
            {"RelationType": "IsBrotherOf", "RelatedClassUri": "https://example.org/p"},
            {"RelationType": "HasPart", "RelatedClassUri": ""},
        ],
    ),
    Status="Fresh",
    Properties=[
        {"Code": "width", "Name": "Width", "DataType": "real", "PropertyValueKind": "Odd", "Units": ["mm", ""],
         "DimensionLength": 1, "AllowedValues": ""},
        {"Code": "Width", "Name": "again"},
    ],
)  # fmt: skip


async def test_an_odd_file_is_taken_as_far_as_it_goes_and_every_oddity_is_told(operator: httpx.AsyncClient):
    done = await imported(operator, ODD)
    assert done["counts"] == {
        "classes": 4, "classes_with_ifc": 1, "properties": 1, "class_properties": 3, "class_properties_with_values": 1,
        "allowed_values": 2, "relations": 1,
    }  # fmt: skip
    lines = (await operator.get(f"/catalog/uploads/{done['id']}/problems.csv")).text.splitlines()[1:]
    told = {(cells[0], cells[1], cells[3]) for line in lines if (cells := line.split(","))}
    assert told == {
        ("Dictionary", "warning", "UnknownName"), ("Properties.0", "warning", "UnknownName"),
        ("Properties.1", "rejected", "DuplicateCode"), ("Classes.0", "warning", "TextTrimmed"),
        ("Classes.0", "warning", "UnknownName"), ("Classes.0", "warning", "ParentInCircle"),
        ("Classes.2", "rejected", "DuplicateCode"), ("Classes.3", "warning", "ParentMissing"),
        ("Classes.3", "warning", "NameMissing"), ("Classes.3", "warning", "NotAnIfcEntity"),
        ("Classes.4", "rejected", "CodeTooLong"), ("Classes.5", "rejected", "CodeMissing"),
        ("Classes.6", "rejected", "NotAnObject"), ("Classes.7", "warning", "NotAText"),
        ("Classes.7.ClassProperties.0", "warning", "RangeReversed"),
        ("Classes.7.ClassProperties.1", "rejected", "DuplicateProperty"),
        ("Classes.7.ClassProperties.2", "rejected", "UnknownProperty"),
        ("Classes.7.ClassProperties.3", "warning", "NotATruth"),
        ("Classes.7.ClassProperties.4", "warning", "NotANumber"),
        ("Classes.7.ClassProperties.4.AllowedValues.1", "rejected", "DuplicateValue"),
        ("Classes.7.ClassProperties.4.AllowedValues.3", "rejected", "ValueMissing"),
        ("Classes.7.ClassRelations.0", "warning", "NotAShare"),
        ("Classes.7.ClassRelations.1", "warning", "UnknownName"),
        ("Classes.7.ClassRelations.1", "rejected", "RelationIncomplete"),
        ("Classes.7.ClassRelations.2", "rejected", "RelationIncomplete"),
    }  # fmt: skip
    base = f"/catalog/dictionaries/{done['subject']}/classes"
    first = (await operator.get(f"{base}/A")).json()
    assert (first["parent_code"], first["definition"], first["class_type"], first["synonyms"]) == (
        None, "spaced", "Class", ["x"],
    )  # fmt: skip
    assert (await operator.get(f"{base}/b")).json()["ancestors"] == ["A"]
    last = (await operator.get(f"{base}/E")).json()
    width, external, mark = last["properties"]
    assert (width["property_code"], width["name"], width["data_type"], width["required"]) == (
        "width", "Width", "Real", True,
    )  # fmt: skip
    assert (external["property_uri"], external["required"]) == (f"{IFC_43}/IsExternal", None)
    assert (mark["minimum"], mark["maximum"], [each["code"] for each in mark["allowed"]]) == (
        None,
        "<12.50",
        ["X", "z"],
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"not json",
        b"\xff\xfe{\x00}\x00",
        b'{"Classes": []}',
        json.dumps(a_dictionary()).encode(),
        json.dumps(a_dictionary() | {"Classes": "many"}).encode(),
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
async def test_a_file_that_is_no_dictionary_is_refused_and_leaves_nothing(operator: httpx.AsyncClient, content: bytes):
    answer = await send(operator, content)
    assert (answer.status_code, answer.json()["code"]) == (422, "DictionaryFileRefused")
    assert (await operator.get("/catalog/uploads")).json() == []


async def test_a_rejected_suggestion_is_not_made_again_and_may_be_accepted_later(operator: httpx.AsyncClient):
    done = await imported(operator, a_dictionary(slab(RelatedIfcEntityNamesList=["IfcSlabStandardCase"])))
    base = f"/catalog/dictionaries/{done['subject']}"
    (first, *_) = (await operator.get(f"{base}/suggestions", params={"type": "PC-SLAB"})).json()
    assert first["via"] == ["IfcSlab"]
    body: dict[str, Any] = {"class_code": "s", "type_code": "pc-slab", "accept": False}
    assert (await operator.post(f"{base}/links", json=body, headers=once())).status_code == 422
    rejected = await operator.post(f"{base}/links", json=body | {"reason": "cast in place"}, headers=once())
    assert rejected.json()["decision"] == "REJECTED"
    assert (await operator.get(f"{base}/suggestions", params={"type": "PC-SLAB"})).json() == []
    accepted = await operator.post(f"{base}/links", json=body | {"accept": True}, headers=once())
    assert (accepted.status_code, accepted.json()["class_code"]) == (201, "S")
    again = await operator.post(f"{base}/links", json=body | {"reason": "no"}, headers=once())
    assert (again.status_code, again.json()["code"]) == (409, "LinkDecided")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"class_code": "X"}, 404, "ClassNotFound"),
        ({"type_code": "XX-NONE"}, 404, "TypeNotKnown"),
        ({"class_code": "a\x00b"}, 422, "MalformedRequest"),
        ({"relation": "maybe"}, 422, "MalformedRequest"),
    ],
)
async def test_a_link_needs_a_class_and_a_type(operator: httpx.AsyncClient, change, status, code):
    done = await imported(operator, a_dictionary(slab()))
    body = {"class_code": "S", "type_code": "PC-SLAB", "accept": True} | change
    answer = await operator.post(f"/catalog/dictionaries/{done['subject']}/links", json=body, headers=once())
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_importing_is_the_operators_business_and_reading_everybodys(http: httpx.AsyncClient, operator):
    done = await imported(operator, a_dictionary(slab()))
    path = f"/catalog/dictionaries/{done['subject']}"
    del http.headers["Authorization"]
    assert (await http.get(path)).status_code == 200
    assert (await http.get(f"{path}/classes/S")).status_code == 200
    assert (await http.get(f"{path}/suggestions")).status_code == 401
    buyer = signed_in(a_person(Role.BUYER))
    assert (await http.get(f"{path}/suggestions", headers=buyer)).status_code == 403
    assert (await http.post("/catalog/dictionaries/imports", headers=buyer, json={})).status_code == 403


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE reference_classes SET name = 'x'",
        "DELETE FROM reference_class_properties",
        "UPDATE reference_dictionaries SET version = '2'",
        ("INSERT INTO reference_classes SELECT dictionary_id, lower(code), name, class_type, definition, parent_code, "
        "related_ifc, synonyms, replaced_by, status, reference_code, sort FROM reference_classes"),
        "UPDATE dictionary_uploads SET warned = 0",
    ],
)  # fmt: skip
async def test_the_database_itself_keeps_what_was_imported(operator, database: Database, statement: str):
    document = a_dictionary(slab(ClassProperties=[{"PropertyUri": "https://example.org/p"}]))
    await imported(operator, document)
    with pytest.raises(DBAPIError):
        async with transaction(database.system) as session:
            await session.execute(text(statement))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["Code", "Value", "PropertyUri", "RelationType"]), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
MEMBERS = [
    "Code", "Name", "ClassType", "ParentClassCode", "Synonyms", "ClassProperties", "ClassRelations", "Status",
    "RelatedIfcEntityNamesList", "Definition",
]  # fmt: skip


@given(st.lists(st.dictionaries(st.sampled_from(MEMBERS), JSON_VALUES, max_size=5), min_size=1, max_size=6))
def test_whatever_stands_in_a_file_is_read_or_refused(classes: list[dict[str, Any]]):
    try:
        read = read_dictionary(json.dumps(a_dictionary(*classes)).encode())
    except Refusal:
        return
    codes = {each["code"] for each in read.classes}
    assert all(each["parent_code"] is None or each["parent_code"] in codes for each in read.classes)
    assert len({code.lower() for code in codes}) == len(read.classes)


@given(st.dictionaries(st.integers(0, 8), st.integers(0, 8)))
def test_without_the_cut_parents_every_class_has_an_end_above_it(links: dict[int, int]):
    parents = {str(code): str(parent) for code, parent in links.items()}
    for code in cut_cycles(parents):
        del parents[code]
    for code in parents:
        seen, at = set(), code
        while at in parents:
            assert at not in seen
            seen.add(at)
            at = parents[at]


def test_special_cases_of_ifc4_count_as_their_entity():
    assert entities_in_common(["IfcSlabStandardCase", "IfcSlab", "IcfSlab"], ["IfcSlab.FLOOR"]) == ["IfcSlab"]
    assert entities_in_common(["IfcWall"], ["IfcSlab"]) == []
