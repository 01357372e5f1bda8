"""The dictionary changes by proposal and review alone, keeps every code it ever had, and says what changed."""

import asyncio
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.catalog.components.jobs import load_taxonomy
from services.catalog.components.taxonomy import read_taxonomy, type_entry
from services.catalog.components.variants import spec_hash
from services.catalog.dictionary.documents import TypeDocument
from shared.contracts.catalog import TYPE_PUBLISHED
from shared.database import Database, transaction
from shared.identity import Role
from tests.catalog.conftest import AT, BAR, taxonomy_document
from tests.catalog.test_publishing import published_events
from tests.conftest import a_person, once, signed_in

PROPOSER, REVIEWER, THIRD = (a_person(Role.OPERATOR) for _ in range(3))
BUYER = a_person(Role.BUYER)
PROPOSALS = "/catalog/dictionary/proposals"
Change = Callable[[dict[str, Any]], object]


class Desk:
    """Two operators at work on the dictionary."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def document(self, code: str = "RB-HRB", *, change: Change = lambda _: None) -> dict[str, Any]:
        answer = await self.http.get(f"/catalog/types/{code}/document")
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        change(document)
        return document

    async def propose(self, *changes: dict[str, Any], as_=PROPOSER) -> httpx.Response:
        body = {"title": "Grades", "note": "GB 1499.2-2024", "changes": changes}
        return await self.http.post(PROPOSALS, json=body, headers=signed_in(as_) | once())

    async def decide(
        self, proposal: dict[str, Any], verb: str, *, as_=REVIEWER, revision: int | None = None, **body: Any
    ):
        seen = proposal["revision"] if revision is None else revision
        headers = signed_in(as_) | once() | {"If-Match": f'"{seen}"'}
        return await self.http.post(f"{PROPOSALS}/{proposal['id']}/{verb}", json=body or None, headers=headers)

    async def publish(self, *changes: dict[str, Any]) -> dict[str, Any]:
        proposed = await self.propose(*changes)
        assert proposed.status_code == 201, proposed.text
        done = await self.decide(proposed.json(), "approval")
        assert done.status_code == 200, done.text
        published: dict[str, Any] = done.json()
        return published

    async def use(self, **properties: str) -> httpx.Response:
        body = {"type": "RB-HRB", "properties": properties}
        return await self.http.post("/catalog/variants", json=body, headers=signed_in(BUYER) | once())


@pytest.fixture
def desk(http: httpx.AsyncClient) -> Desk:
    return Desk(http)


def property_of(document: dict[str, Any], key: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in document["properties"] if each["key"] == key)
    return found


def richer(document: dict[str, Any]) -> None:
    """A new grade, one deprecated, a new optional property, another name, a code and a unit more."""
    grade = property_of(document, "grade")
    grade["allowed"].append("HRB635E")
    grade["retired"] = {"HRB400": {"successor": "HRB400E", "reason": "anti-seismic only"}}
    document["properties"].append(
        {
            "key": "rib", "name_zh": "肋形", "name_en": "rib pattern", "type": "enum",
            "allowed": ["crescent", "thread"], "identity": True, "required": False,
        }
    )  # fmt: skip
    document["name_en"] = "hot-rolled ribbed bar"
    document["ifc"]["also"] = ["IfcReinforcingBar.MAIN", "IfcBar"]
    document["alt_uoms"].append({"uom": "kg", "base_per_unit": "0.001"})


async def test_a_proposal_is_read_as_a_diff_and_published_by_a_second_person(desk: Desk, database: Database):
    proposed = (await desk.propose({"publish": await desk.document(change=richer)})).json()
    assert (proposed["state"], proposed["types"]) == ("PROPOSED", ["RB-HRB"])
    (difference,) = proposed["differences"]
    assert (difference["before"], difference["after"], difference["breaking"]) == (1, None, True)
    told = {(each["what"], each["part"], each["key"]) for each in difference["differences"]}
    assert told == {
        ("added", "allowed_value", "grade=HRB635E"), ("deprecated", "allowed_value", "grade=HRB400"),
        ("added", "property", "rib"), ("changed", "name", "name_en"), ("added", "unit", "kg"),
        ("added", "code", "IFC IfcBar"), ("removed", "code", "IFC IfcReinforcingBar.LIGATURE"),
    }  # fmt: skip
    assert (await desk.http.get("/catalog/types/RB-HRB")).json()["version"] == 1
    done = (await desk.decide(proposed, "approval")).json()
    assert (done["state"], done["dictionary_version"], done["reviewed_by_name"]) == ("PUBLISHED", 2, REVIEWER.name)
    assert [each["action"] for each in done["history"]] == ["PROPOSED", "PUBLISHED"]
    now = (await desk.http.get("/catalog/types/RB-HRB")).json()
    assert (now["version"], now["name_en"]) == (2, "hot-rolled ribbed bar")
    grade = property_of(now, "grade")
    assert grade["retired"] == {"HRB400": {"successor": "HRB400E", "reason": "anti-seismic only"}}
    assert {each["code"] for each in now["codes"]} == {
        "RB-HRB",
        "IfcReinforcingBar.NOTDEFINED",
        "IfcReinforcingBar.MAIN",
        "IfcBar",
        "01",
    }
    event = (await published_events(database))[-1]
    assert (event["code"], event["version"], event["status"]) == ("RB-HRB", 2, "ACTIVE")
    assert TYPE_PUBLISHED.endswith("published.v1")


async def test_any_two_published_versions_are_compared(desk: Desk):
    await desk.publish({"publish": await desk.document(change=richer)})
    await desk.publish({"publish": await desk.document(change=lambda each: each.update(name_zh="螺纹钢"))})
    versions = (await desk.http.get("/catalog/types/rb-hrb/versions")).json()
    assert [each["version"] for each in versions] == [3, 2, 1]
    path = "/catalog/types/RB-HRB/diff"
    last = (await desk.http.get(path, params={"from": 2, "to": 3})).json()
    assert [(each["part"], each["key"], each["before"], each["after"]) for each in last["differences"]] == [
        ("name", "name_zh", "热轧带肋钢筋(直条)", "螺纹钢")
    ]
    whole = (await desk.http.get(path, params={"from": 1, "to": 3})).json()
    assert len(whole["differences"]) == 8
    back = (await desk.http.get(path, params={"from": 3, "to": 1})).json()
    assert {each["what"] for each in back["differences"] if each["part"] == "property"} == {"removed"}
    answer = await desk.http.get(path, params={"from": 1, "to": 9})
    assert (answer.status_code, answer.json()["code"]) == (404, "VersionNotFound")
    listed = (await desk.http.get("/catalog/dictionary/versions")).json()
    assert [(each["version"], each["origin"], each["types"]) for each in listed] == [
        (3, "REVIEW", 1), (2, "REVIEW", 1), (1, "SEED", 77),
    ]  # fmt: skip
    both = (await desk.http.get("/catalog/dictionary/diff", params={"from": 1, "to": 3})).json()
    assert [(each["code"], each["before"], each["after"]) for each in both["types"]] == [("RB-HRB", 1, 3)]
    assert both["types"][0]["differences"] == whole["differences"]
    answer = await desk.http.get("/catalog/dictionary/diff", params={"from": 3, "to": 4})
    assert (answer.status_code, answer.json()["code"]) == (404, "VersionNotFound")


async def test_who_proposed_does_not_review_and_nobody_else_revises(desk: Desk):
    document = await desk.document(change=richer)
    proposed = (await desk.propose({"publish": document})).json()
    for verb in ("approval", "return"):
        own = await desk.decide(proposed, verb, as_=PROPOSER, reason="mine")
        assert (own.status_code, own.json()["code"]) == (403, "SecondPersonNeeded")
    returned = (await desk.decide(proposed, "return", reason="name the successor")).json()
    assert (returned["state"], returned["review_reason"]) == ("RETURNED", "name the successor")
    again = await desk.decide(returned, "approval")
    assert (again.status_code, again.json()["code"]) == (409, "ProposalSettled")
    body: dict[str, Any] = {"title": "Better", "changes": [{"publish": document}]}
    headers = {"If-Match": f'"{returned["revision"]}"'}
    path = f"{PROPOSALS}/{proposed['id']}"
    other = await desk.http.put(path, json=body, headers=headers | signed_in(THIRD))
    assert (other.status_code, other.json()["code"]) == (403, "NotYourProposal")
    revised = await desk.http.put(path, json=body, headers=headers | signed_in(PROPOSER))
    assert (revised.json()["state"], revised.headers["ETag"]) == ("PROPOSED", '"3"')
    stale = await desk.decide(revised.json(), "approval", revision=1)
    assert (stale.status_code, stale.json()["code"]) == (412, "VersionChanged")
    done = (await desk.decide(revised.json(), "approval", as_=THIRD)).json()
    assert [each["action"] for each in done["history"]] == ["PROPOSED", "RETURNED", "REVISED", "PUBLISHED"]
    gone = await desk.decide(done, "withdrawal", as_=PROPOSER)
    assert (gone.status_code, gone.json()["code"]) == (409, "ProposalSettled")


async def test_a_withdrawn_proposal_stays_on_record_and_does_nothing(desk: Desk):
    proposed = (await desk.propose({"publish": await desk.document(change=richer)})).json()
    other = await desk.decide(proposed, "withdrawal", as_=THIRD)
    assert (other.status_code, other.json()["code"]) == (403, "NotYourProposal")
    gone = (await desk.decide(proposed, "withdrawal", as_=PROPOSER)).json()
    assert gone["state"] == "WITHDRAWN"
    late = await desk.decide(gone, "approval")
    assert (late.status_code, late.json()["code"]) == (409, "ProposalSettled")
    listed = (await desk.http.get(PROPOSALS, params={"state": "WITHDRAWN"}, headers=signed_in(REVIEWER))).json()
    assert [each["id"] for each in listed] == [proposed["id"]]
    assert (await desk.http.get("/catalog/types/RB-HRB")).json()["version"] == 1


async def test_of_two_proposals_about_one_type_the_second_is_outdated(desk: Desk):
    first = (await desk.propose({"publish": await desk.document(change=richer)})).json()
    rename = await desk.document(change=lambda each: each.update(name_zh="螺纹钢"))
    second = (await desk.propose({"publish": rename}, as_=THIRD)).json()
    answers = await asyncio.gather(desk.decide(first, "approval"), desk.decide(second, "approval"))
    assert sorted(each.status_code for each in answers) == [200, 409]
    (late,) = [each for each in answers if each.status_code == 409]
    assert late.json()["code"] == "ProposalOutdated"


def without(key: str) -> Change:
    return lambda document: document.update(properties=[each for each in document["properties"] if each["key"] != key])


def with_property(key: str, **members: Any) -> Change:
    return lambda document: property_of(document, key).update(members)


RETIRED = {"successor": "HRB400E", "reason": "old"}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (without("length"), "PropertyRemoved"),
        (with_property("grade", allowed=["HRB400E"]), "ValueRemoved"),
        (with_property("diameter", unit="cm"), "PropertyReused"),
        (with_property("length", identity=False), "PropertyReused"),
        (with_property("heat_no", type="date"), "PropertyReused"),
        (lambda each: each.update(base_uom="m"), "BaseUnitChanged"),
        (with_property("grade", retired={"HRB400": RETIRED | {"successor": "HRB999"}}), "SuccessorUnknown"),
        (with_property("grade", retired={"HRB400E": RETIRED}), "SuccessorDeprecated"),
        (with_property("grade", retired={"HRB335": RETIRED}), "ValueRemoved"),
        (with_property("length", deprecated={"successor": "size", "reason": "x"}), "SuccessorUnknown"),
        (with_property("length", deprecated={"successor": "length", "reason": "x"}), "SuccessorDeprecated"),
        (lambda each: each.update(base_uom="stone"), "TypeUnsound"),
        (lambda each: each.update(category="wood"), "TypeUnsound"),
        (lambda each: each.update(relations=[{"type": "HasPart", "target": "XX-NONE"}]), "UnknownType"),
        (lambda _: None, "NothingChanged"),
    ],
)
async def test_what_would_break_a_promise_is_refused_with_field_and_rule(desk: Desk, change: Change, rule: str):
    answer = await desk.propose({"publish": await desk.document(change=change)})
    assert (answer.status_code, answer.json()["code"]) == (422, "ProposalUnsound"), answer.text
    assert rule in {each["rule"] for each in answer.json()["errors"]}
    assert all(each["field"].startswith("changes.0.publish") for each in answer.json()["errors"])


@pytest.mark.parametrize(
    "change",
    [
        with_property("grade", allowed=["HRB400", "a,b"]),
        with_property("grade", allowed=["HRB400", "HRB400"]),
        with_property("grade", allowed=[]),
        with_property("diameter", allowed=[6.5]),
        with_property("heat_no", allowed=["x"]),
        with_property("brand", min="2", max="1"),
        with_property("grade", retired={"HRB400": {"successor": "HRB400E"}}),
        lambda each: each.update(code="rb_hrb"),
        lambda each: each.update(surprise=1),
        lambda each: each.update(ifc={"class": "Slab"}),
        lambda each: each["carbon_a1_a3"].update(low="99999"),
        lambda each: each.update(name_zh="a\x00b"),
        lambda each: each.update(properties=[]),
    ],
)
async def test_a_malformed_document_is_refused(desk: Desk, change: Change):
    answer = await desk.propose({"publish": await desk.document(change=change)})
    assert (answer.status_code, answer.json()["code"]) == (422, "MalformedRequest"), answer.text


async def test_new_variants_leave_deprecated_values_and_properties_and_old_ones_stay(desk: Desk):
    old = (await desk.use(grade="HRB400", diameter="20", length="12")).json()
    assert old["type_version"] == 1

    def change(document: dict[str, Any]) -> None:
        richer(document)
        document["properties"].append(
            property_of(document, "length") | {"key": "cut", "name_zh": "长度", "name_en": "cut", "required": False}
        )
        property_of(document, "length")["deprecated"] = {"successor": "cut", "reason": "renamed"}

    await desk.publish({"publish": await desk.document(change=change)})
    same = await desk.use(grade="HRB400", diameter="Φ20", length="12")
    assert (same.status_code, same.json()["id"], same.json()["type_version"]) == (201, old["id"], 1)
    read = await desk.http.get("/catalog/variants/RB-HRB|length=12m,grade=hrb400,diameter=20")
    assert read.json()["spec_hash"] == old["spec_hash"]
    value = await desk.use(grade="HRB400", diameter="22", cut="12")
    assert (value.status_code, value.json()["code"]) == (409, "ValueDeprecated")
    assert "HRB400E" in value.json()["detail"]
    named = await desk.use(grade="HRB400E", diameter="22", length="12")
    assert (named.status_code, named.json()["code"]) == (409, "PropertyDeprecated")
    new = (await desk.use(grade="HRB635E", diameter="22", cut="12")).json()
    assert (new["type_version"], new["key"]) == (2, "RB-HRB|cut=12,diameter=22,grade=HRB635E")


async def test_a_frozen_specification_hash_tells_type_and_dictionary_version_for_ever(desk: Desk):
    old = (await desk.use(grade="HRB400", diameter="20", length="12")).json()
    await desk.publish({"publish": await desk.document(change=richer)})
    new = (await desk.use(grade="HRB635E", diameter="20", length="12")).json()
    for variant, type_version, dictionary_version in ((old, 1, 1), (new, 2, 2)):
        values = variant["properties"]
        assert variant["spec_hash"] == spec_hash(type_code="RB-HRB", version=type_version, values=values)
        told = (await desk.http.get(f"/catalog/specifications/{variant['spec_hash']}")).json()
        assert (told["variant"], told["dictionary_version"]) == (variant, dictionary_version)
        assert (told["variant"]["type_version"], told["type_version_now"]) == (type_version, 2)
    answer = await desk.http.get(f"/catalog/specifications/{'0' * 64}")
    assert (answer.status_code, answer.json()["code"]) == (404, "SpecificationNotFound")
    assert (await desk.http.get("/catalog/specifications/abc")).status_code == 422


async def test_a_type_is_deprecated_with_a_successor_and_its_variants_stay_readable(desk: Desk, database: Database):
    old = (await desk.use(grade="HRB400E", diameter="20", length="12")).json()
    document = await desk.document(change=lambda each: each.update(code="RB-HRBN"))
    ending = {"code": "RB-HRB", "successor": "RB-HRBN", "reason": "new edition"}
    done = await desk.publish({"publish": document}, {"deprecate": ending})
    assert [(each["code"], each["status_before"], each["status_after"]) for each in done["differences"]] == [
        ("RB-HRBN", None, "ACTIVE"), ("RB-HRB", "ACTIVE", "DEPRECATED"),
    ]  # fmt: skip
    ended = (await desk.http.get("/catalog/types/RB-HRB")).json()
    assert (ended["status"], ended["successor"], ended["deprecation_reason"]) == (
        "DEPRECATED",
        "RB-HRBN",
        "new edition",
    )
    refused = await desk.use(grade="HRB400E", diameter="22", length="12")
    assert (refused.status_code, refused.json()["code"]) == (409, "TypeDeprecated")
    assert "RB-HRBN" in refused.json()["detail"]
    assert (await desk.http.get(f"/catalog/variants/{BAR}")).json()["id"] == old["id"]
    event = (await published_events(database))[-1]
    assert (event["code"], event["status"], event["successor"]) == ("RB-HRB", "DEPRECATED", "RB-HRBN")
    back = await desk.propose({"publish": await desk.document(change=lambda each: each.update(name_zh="旧"))})
    assert "TypeDeprecated" in {each["rule"] for each in back.json()["errors"]}


@pytest.mark.parametrize(
    ("ending", "rule"),
    [
        ({"code": "RB-HRB", "successor": "XX-NONE"}, "SuccessorUnknown"),
        ({"code": "RB-HRB", "successor": "RB-HRB"}, "SuccessorDeprecated"),
        ({"code": "XX-NONE", "successor": "RB-HRB"}, "UnknownType"),
    ],
)
async def test_a_deprecation_needs_a_successor_that_stands(desk: Desk, ending: dict[str, str], rule: str):
    answer = await desk.propose({"deprecate": ending | {"reason": "old"}})
    assert (answer.status_code, answer.json()["code"]) == (422, "ProposalUnsound")
    assert rule in {each["rule"] for each in answer.json()["errors"]}


async def test_what_operators_reviewed_a_seed_never_overrides(desk: Desk, database: Database):
    await desk.publish({"publish": await desk.document(change=richer)})
    ending = {"code": "RB-COIL", "successor": "RB-HRB", "reason": "x"}
    await desk.publish(
        {"deprecate": ending}, {"publish": await desk.document(change=lambda e: e.update(code="RB-NEW"))}
    )
    done = await load_taxonomy(database.system, document=taxonomy_document(), at=AT)
    assert (done.published, done.deprecated) == ((), ())
    assert (await desk.http.get("/catalog/types/RB-HRB")).json()["version"] == 2
    assert (await desk.http.get("/catalog/types/RB-COIL")).json()["status"] == "DEPRECATED"
    assert (await desk.http.get("/catalog/types/RB-NEW")).json()["status"] == "ACTIVE"
    assert len((await desk.http.get("/catalog/dictionary/versions")).json()) == 3


@pytest.mark.parametrize(
    "statement",
    [
        ("INSERT INTO component_type_versions SELECT code, 2, content_hash, "
        "jsonb_set(definition, '{properties}', '[]'), published_at, NULL FROM component_type_versions"),
        ("INSERT INTO component_type_versions SELECT code, 2, content_hash, "
        "jsonb_set(definition, '{properties,0,allowed}', '[\"x\"]'), published_at, NULL FROM component_type_versions "
        "WHERE code = 'RB-HRB'"),
        ("INSERT INTO component_type_versions SELECT code, 2, content_hash, "
        "jsonb_set(definition, '{base_uom}', '\"set\"'), published_at, NULL FROM component_type_versions"),
        ("INSERT INTO component_type_versions SELECT code, 3, content_hash, definition, published_at, NULL "
        "FROM component_type_versions"),
        "DELETE FROM component_types WHERE code = 'RB-HRB'",
        "UPDATE component_types SET successor = code, status = 'DEPRECATED'",
        "UPDATE component_types SET successor = 'RB-COIL' WHERE code = 'RB-HRB'",
        "UPDATE component_types SET status = 'DEPRECATED', proposal_id = gen_random_uuid() WHERE code = 'RB-HRB'",
        "UPDATE dictionary_versions SET origin = 'REVIEW'",
        "DELETE FROM dictionary_changes",
    ],
)  # fmt: skip
async def test_the_database_itself_keeps_every_code(database: Database, statement: str):
    with pytest.raises(DBAPIError):
        async with transaction(database.system) as session:
            await session.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        ("UPDATE type_proposals SET state = 'PUBLISHED', reviewed_by = proposed_by, reviewed_at = now(), "
        "dictionary_version = 1"),
        "UPDATE type_proposals SET state = 'PUBLISHED', dictionary_version = 1",
        ("UPDATE type_proposals SET state = 'RETURNED', reviewed_by = gen_random_uuid(), reviewed_at = now(), "
        "review_reason = ''"),
        "UPDATE type_proposals SET changes = '[]'",
        "DELETE FROM type_proposals",
        "UPDATE type_proposal_events SET by_name = 'nobody'",
    ],
)  # fmt: skip
async def test_the_database_itself_wants_a_second_person(desk: Desk, database: Database, statement: str):
    await desk.propose({"publish": await desk.document(change=richer)})
    with pytest.raises(DBAPIError):
        async with transaction(database.system) as session:
            await session.execute(text(statement))


async def test_a_published_proposal_stays_as_it_is(desk: Desk, database: Database):
    await desk.publish({"publish": await desk.document(change=richer)})
    with pytest.raises(DBAPIError, match="stays as it is"):
        async with transaction(database.system) as session:
            await session.execute(text("UPDATE type_proposals SET title = 'x'"))


async def test_proposals_are_the_operators_business(desk: Desk, database: Database):
    refused = await desk.propose({"deprecate": {"code": "RB-HRB", "successor": "RB-COIL", "reason": "x"}}, as_=BUYER)
    assert (refused.status_code, refused.json()["code"]) == (403, "RightMissing")
    assert (await desk.http.get(PROPOSALS, headers=signed_in(BUYER))).status_code == 403
    with pytest.raises(DBAPIError, match="permission denied"):
        async with transaction(database.app) as session:
            await session.execute(text("SELECT * FROM type_proposals"))


def test_every_type_we_ship_comes_back_from_its_own_document_unchanged():
    taxonomy = read_taxonomy(taxonomy_document())
    units, categories = {each.code for each in taxonomy.units}, {each.key for each in taxonomy.categories}
    for entry in taxonomy.types:
        document = TypeDocument.model_validate(deepcopy(dict(entry.definition)))
        assert type_entry(document.as_entry, units, categories).content_hash == entry.content_hash, entry.code
