"""A contractor's supplier list: matched by number, never by telephone, never merged by itself."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.suppliers.merging.rules import bank_key, name_key, region_of
from shared.clients.transport import ServiceAway, ServiceRefused
from shared.contracts.members import CompanyIdentity
from shared.database import transaction
from shared.identity import Role
from shared.ids import new_id
from tests.conftest import a_person, signed_in
from tests.legacy_imports import Legacy, a_uscc, csv_of
from tests.suppliers.world import World

HEADER = "供应商名称,统一社会信用代码,曾用名,开户行及账号,联系电话,供应类别,等级,名录状态"
BANK = "工商银行苏州分行 1102 0202 0900 0123 456"


def row(name: str, uscc: str = "", *, old: str = "", bank: str = BANK, grade: str = "A", listed: str = "合格") -> str:
    return f"{name},{uscc},{old},{bank},0512-6666 8888,钢材,{grade},{listed}"


@pytest.fixture
def legacy(empty_world: World) -> Legacy:
    return Legacy(
        http=empty_world.http, runner=empty_world.app.state.import_runner, prefix="/suppliers/supplier-imports"
    )


async def relations(legacy: Legacy, as_: Any = None) -> list[dict[str, Any]]:
    answer = await legacy.http.get("/suppliers/relations", headers=signed_in(as_ or legacy.importer))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("苏州恒力钢铁（集团）有限公司", "苏州恒力钢铁(集团)有限责任公司"),
        ("江苏恒力钢铁有限公司", "恒力钢铁（江苏）有限公司"),
        ("恒力钢铁有限公司", "恒力钢铁　有限公司"),
        ("江苏省恒力钢铁股份有限公司", "恒力钢铁公司"),
        ("ＡＢＣ建材有限公司", "abc建材有限公司"),
    ],
)
def test_names_of_one_company_have_one_key(first: str, second: str):
    assert name_key(first) == name_key(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("恒力钢铁有限公司", "恒力钢铁有限公司无锡分公司"),
        ("恒力钢铁有限公司无锡分公司", "恒力钢铁有限公司苏州分公司"),
        ("恒力钢铁有限公司", "恒力建材有限公司"),
        ("中国建材集团", "中国建筑集团"),
    ],
)
def test_other_companies_and_branches_have_other_keys(first: str, second: str):
    assert name_key(first) != name_key(second)


def test_accounts_are_compared_without_being_kept():
    assert bank_key(BANK) == bank_key("工行1102-0202-0900-0123-456") != bank_key("工行 11020202090001234567")
    assert bank_key("工商银行") is None
    assert "1102" not in str(bank_key(BANK))
    assert (region_of("江苏省苏州市"), region_of("320500"), region_of("火星")) == ("32", "32", None)


async def test_a_list_makes_records_that_are_qualified_for_nothing(legacy: Legacy, empty_world: World):
    job = await legacy.published(csv_of(HEADER, row("苏州恒力钢铁有限公司", a_uscc(1), grade="A级")))
    assert (job["state"], job["rows_published"], job["rows"]["READY"]) == ("PUBLISHED", 1, {"NEW": 1})
    (supplier,) = await empty_world.rows("SELECT * FROM suppliers")
    assert (supplier["status"], supplier["categories"], supplier["name"]) == ("REGISTERED", [], "苏州恒力钢铁有限公司")
    (relation,) = await relations(legacy)
    assert (relation["grade"], relation["list_status"]) == ("A级", "合格")
    assert relation["supplier_id"] == relation["resolves_to"] == str(supplier["company_id"])


async def test_one_company_under_several_names_is_one_record_and_its_branch_another(legacy: Legacy, empty_world: World):
    job = await legacy.published(
        csv_of(
            HEADER,
            row("恒力钢铁（江苏）有限公司", a_uscc(1), old="原名：恒达钢铁有限公司；恒远钢铁有限公司"),
            row("恒力钢铁(江苏)有限公司", a_uscc(1).lower(), grade="B"),
            row("恒力钢铁（江苏）有限公司无锡分公司", a_uscc(2)),
        )
    )
    assert await legacy.outcomes(job) == {2: "NEW", 3: "MERGED", 4: "NEW"}
    assert (3, "grade", "MarksDiffer") in await legacy.errors(job)
    assert {each["grade"] for each in await relations(legacy)} == {"A"}
    branch = next(each for each in empty_world.members.companies.values() if "分公司" in each.name)
    assert "branch" in branch.kinds
    names = await empty_world.rows("SELECT name FROM supplier_names WHERE name LIKE '恒%钢铁有限公司' ORDER BY 1")
    assert [each["name"] for each in names] == ["恒达钢铁有限公司", "恒远钢铁有限公司"]


async def test_a_known_number_links_whatever_the_name(legacy: Legacy, empty_world: World):
    first = await legacy.published(csv_of(HEADER, row("恒力钢铁有限公司", a_uscc(1))))
    other = Legacy(http=legacy.http, runner=legacy.runner, prefix=legacy.prefix)
    second = await other.published(csv_of(HEADER, row("新恒力钢铁有限公司", a_uscc(1), grade="C")))
    assert (await legacy.outcomes(first), await other.outcomes(second)) == ({2: "NEW"}, {2: "LINKED"})
    assert (2, "name", "NameDiffers") in await other.errors(second)
    (mine,), (theirs,) = await relations(legacy), await relations(other)
    assert (mine["supplier_id"], mine["grade"], theirs["grade"]) == (theirs["supplier_id"], "A", "C")
    assert len(empty_world.members.taken_in) == 1


async def test_an_old_registration_number_is_matched_by_and_told(legacy: Legacy):
    old = "320500000012345"
    header = HEADER + ",工商注册号"
    await legacy.published(csv_of(header, row("恒力钢铁有限公司", a_uscc(1)) + f",{old}"))
    later = await legacy.published(csv_of(HEADER, row("恒力钢铁", old, bank="")))
    assert await legacy.outcomes(later) == {2: "LINKED"}
    assert (2, "uscc", "OldRegistrationNumber") in await legacy.errors(later)
    unknown = await legacy.imported(csv_of(HEADER, row("无人知晓有限公司", "320500000099999", bank="")))
    assert await legacy.outcomes(unknown) == {2: "Unidentified"}
    assert (2, "uscc", "OldRegistrationNumber") in await legacy.errors(unknown)


async def test_name_region_and_account_make_a_candidate_that_a_second_person_decides_about(legacy: Legacy):
    await legacy.published(
        csv_of(HEADER, row("江苏恒力钢铁有限公司", a_uscc(1)), row("苏州远达建材有限公司", a_uscc(2), bank=""))
    )
    job = await legacy.imported(csv_of(HEADER, row("恒力钢铁（江苏）有限责任公司"), row("远达建材有限公司")))
    assert await legacy.outcomes(job) == {2: "CANDIDATE", 3: "Unidentified"}
    assert (await legacy.post(f"/{job['id']}/approval", {})).json()["code"] == "RowsStillOpen"
    own = {"decisions": [{"row_no": 2, "decision": "accept"}]}
    assert (await legacy.post(f"/{job['id']}/decisions", own, as_=legacy.importer)).json()["code"] == "OwnImport"
    wrong = await legacy.decide(job, {"row_no": 2, "decision": "accept", "choice": str(new_id())})
    assert (wrong.status_code, wrong.json()["errors"][0]["rule"]) == (409, "ChoiceUnknown")
    not_open = await legacy.decide(job, {"row_no": 3, "decision": "accept"})
    assert not_open.json()["errors"][0]["rule"] == "RowNotOpen"
    assert (await legacy.decide(job, {"row_no": 2, "decision": "accept", "note": "Same stamp."})).json() == {
        "decided": 1
    }
    await legacy.post(f"/{job['id']}/approval", {})
    await legacy.work()
    found = await relations(legacy)
    assert sorted(each["name"] for each in found) == ["恒力钢铁(江苏)有限责任公司", "苏州远达建材有限公司"]
    history = (await legacy.get(f"/{job['id']}/history")).json()
    assert [(each["after"], each["note"]) for each in history if each["row_no"] == 2] == [("READY", "Same stamp.")]


async def test_the_same_telephone_is_not_the_same_company(legacy: Legacy):
    job = await legacy.imported(csv_of(HEADER, row("甲建材有限公司", a_uscc(1)), row("乙建材有限公司", bank="")))
    assert await legacy.outcomes(job) == {2: "NEW", 3: "Unidentified"}


@pytest.mark.parametrize(
    ("uscc", "code"),
    [
        ("91350100M000100Y44", "UsccCheckDigit"),
        ("91350100M000100Y4Z", "UsccAlphabet"),
        ("9135010", "UsccLength"),
        ("91AB0100M000100Y43", "UsccRegionCode"),
    ],
)
async def test_a_wrong_number_is_refused_by_name(legacy: Legacy, uscc: str, code: str):
    job = await legacy.imported(csv_of(HEADER, row("甲有限公司", uscc), row("乙有限公司", a_uscc(1))))
    assert ((2, "uscc", code) in await legacy.errors(job), job["rows_rejected"]) == (True, 1)
    file = await legacy.get(f"/{job['id']}/errors.csv")
    assert f"2,uscc,{code},rejected" in file.text


@pytest.mark.parametrize("column", ["租户", "owner", "group_id"])
async def test_a_file_that_names_another_tenant_is_refused_whole(legacy: Legacy, column: str, empty_world: World):
    mine = row("甲有限公司", a_uscc(1)) + f",{legacy.importer.company_name}"
    theirs = row("乙有限公司", a_uscc(2)) + ",别家建设集团"
    job = await legacy.imported(csv_of(f"{HEADER},{column}", mine, theirs))
    assert (job["state"], job["problem"]["code"], job["problem"]["row"]) == ("FAILED", "OtherTenantNamed", 3)
    assert "别家建设集团" in job["problem"]["detail"]
    history = (await legacy.get(f"/{job['id']}/history")).json()
    assert "OtherTenantNamed" in history[-1]["note"]
    assert await empty_world.rows("SELECT 1 FROM suppliers") == []


async def test_a_file_that_names_a_relation_of_another_group_is_refused_whole(legacy: Legacy):
    await legacy.published(csv_of(HEADER, row("甲有限公司", a_uscc(1))))
    (relation,) = await relations(legacy)
    other = Legacy(http=legacy.http, runner=legacy.runner, prefix=legacy.prefix)
    stolen = csv_of(f"{HEADER},关系编号", row("甲有限公司", a_uscc(1), grade="D") + f",{relation['id']}")
    assert (await other.imported(stolen))["problem"]["code"] == "OtherTenantNamed"
    own = await legacy.published(stolen)
    assert own["state"] == "PUBLISHED"
    assert [each["grade"] for each in await relations(legacy)] == ["D"]


async def test_the_same_file_is_the_same_import_and_a_rollback_brings_back_what_stood(
    legacy: Legacy, empty_world: World
):
    first = csv_of(HEADER, row("甲有限公司", a_uscc(1), grade="A"))
    job = await legacy.published(first)
    again = await legacy.send(first)
    assert (again.status_code, again.json()["id"], again.json()["repeated"]) == (200, job["id"], True)
    later = await legacy.published(csv_of(HEADER, row("甲有限公司", a_uscc(1), grade="B")))
    superseded = await legacy.post(f"/{job['id']}/rollback")
    assert (superseded.status_code, superseded.json()["code"]) == (409, "SupplierImportSuperseded")
    assert (await legacy.post(f"/{later['id']}/rollback")).json()["state"] == "ROLLED_BACK"
    assert [each["grade"] for each in await relations(legacy)] == ["A"]
    (supplier,) = await empty_world.rows("SELECT company_id FROM suppliers")
    assert (await empty_world.qualify(supplier["company_id"])).status_code == 200
    used = await legacy.post(f"/{job['id']}/rollback")
    assert (used.status_code, used.json()["code"]) == (409, "SupplierImportInUse")


async def test_nothing_is_visible_before_a_second_person_approved(legacy: Legacy, empty_world: World):
    job = await legacy.imported(csv_of(HEADER, row("甲有限公司", a_uscc(1))), dry_run=True)
    assert (job["state"], await relations(legacy), empty_world.members.taken_in) == ("MATCHED", [], [])
    assert (await legacy.post(f"/{job['id']}/approval")).json()["code"] == "ImportStateWrong"
    assert (await legacy.post(f"/{job['id']}/review", as_=legacy.importer)).json()["state"] == "IN_REVIEW"
    assert (await legacy.post(f"/{job['id']}/approval", as_=legacy.importer)).json()["code"] == "OwnImport"
    assert (await legacy.post(f"/{job['id']}/approval", as_=a_person(Role.ADMIN))).status_code == 404
    assert await empty_world.rows("SELECT 1 FROM suppliers") == []


async def test_a_company_that_is_no_supplier_at_members_is_refused_on_its_row(legacy: Legacy, empty_world: World):
    empty_world.members.add(new_id(), kinds=["contractor"], name="总包公司", tax_id=a_uscc(1))
    job = await legacy.published(csv_of(HEADER, row("总包公司", a_uscc(1)), row("乙有限公司", a_uscc(2))))
    assert (job["rows"], job["rows_published"]) == (
        {"READY": {"NEW": 1}, "REFUSED": {"NotASupplierCompany": 1}},
        1,
    )


class _AwayOnce:
    """Does not answer the first time."""

    def __init__(self, members: Any) -> None:
        self.members, self.asked = members, 0

    async def take_in_supplier(self, **given: Any) -> CompanyIdentity:
        self.asked += 1
        if self.asked == 2:
            raise ServiceAway("members cannot be reached.")
        if given["name_zh"].startswith("拒"):
            raise ServiceRefused({"code": "TaxIdRefused", "detail": "No."}, http_status=422)
        found: CompanyIdentity = await self.members.take_in_supplier(**given)
        return found


async def test_an_import_goes_on_where_it_stopped_when_members_was_away(legacy: Legacy, empty_world: World):
    kind = legacy.runner.kinds["suppliers"]
    kind._members = _AwayOnce(empty_world.members)  # type: ignore[attr-defined]
    job = await legacy.imported(
        csv_of(HEADER, row("甲有限公司", a_uscc(1)), row("乙有限公司", a_uscc(2)), row("拒有限公司", a_uscc(3)))
    )
    await legacy.post(f"/{job['id']}/approval", {})
    with pytest.raises(ServiceAway):
        await legacy.work()
    assert (await legacy.job(job["id"]))["state"] == "APPROVED"
    await legacy.work()
    done = await legacy.job(job["id"])
    assert (done["state"], done["rows"]) == ("PUBLISHED", {"READY": {"NEW": 2}, "REFUSED": {"TaxIdRefused": 1}})
    keys = {key for _, key in empty_world.members.taken_in}
    assert len(keys) == 2


async def test_what_a_group_imported_is_seen_by_nobody_else(legacy: Legacy, empty_world: World):
    job = await legacy.published(csv_of(HEADER, row("甲有限公司", a_uscc(1))))
    for stranger in (a_person(Role.BUYER, group_id=new_id()), a_person(Role.OPERATOR)):
        assert (await legacy.get(f"/{job['id']}", as_=stranger)).status_code in {403, 404}
    sister = a_person(Role.BUYER, group_id=legacy.group_id)
    assert [each["grade"] for each in await relations(legacy, as_=sister)] == ["A"]
    assert (await legacy.get(f"/{job['id']}", as_=sister)).status_code == 404
    tables = ("legacy_imports", "legacy_import_rows", "legacy_import_history", "supplier_relations")
    for scope, seen in (((legacy.importer.company,), True), ((new_id(),), False), ((), False)):
        async with transaction(empty_world.database.app, *scope) as session:
            for table in tables:
                assert await session.scalar(text(f"SELECT count(*) > 0 FROM {table}")) is seen, table


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE legacy_imports SET approved_by = uploaded_by",
        "UPDATE legacy_imports SET state = 'FAILED'",
        "UPDATE legacy_import_rows SET decided_by = imported_by, decided_at = now()",
        "UPDATE supplier_relations SET grade = 'Z'",
        "DELETE FROM legacy_import_history",
        "UPDATE supplier_names SET registration_no = '12'",
        "UPDATE staged_judgements SET score = 101",
    ],
)
async def test_the_database_refuses_what_must_not_be(legacy: Legacy, empty_world: World, change: str):
    await legacy.published(csv_of(HEADER, row("甲有限公司", a_uscc(1))))
    if "staged" in change:
        change = (
            "INSERT INTO staged_judgements (group_id, company_id, kind, supplier_id, judged_on, dimension, score, "
            "import_id, row_no, recorded_at) SELECT id, id, 'evaluation', id, now(), 'x', 101, id, 1, now() "
            "FROM legacy_imports"
        )
    with pytest.raises(DBAPIError):
        await empty_world.execute(change)
