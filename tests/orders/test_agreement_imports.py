"""Legacy framework agreements: staged when both keys resolve and the terms are clear, and seen by nobody else."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.orders.agreements.rules import Line, on_the_same_days
from shared.database import transaction
from shared.identity import Role
from shared.ids import new_id
from tests.conftest import a_person, signed_in
from tests.figures import tells
from tests.legacy_imports import Legacy, a_uscc, csv_of
from tests.orders.conftest import World

HEADER = "协议编号,供应商税号,物料编码,价格类型,单价,税率,是否含税,信息价来源,开始日期,结束日期,地区,最近使用日期"
CANARY = "7319.4826"


def line(
    code: str = "A-1",
    *,
    uscc: str = a_uscc(1),
    kind: str = "固定价",
    price: str = CANARY,
    tax: str = "13%,含税",
    index: str = "",
    since: str = "2026-01-01",
    until: str = "2026-12-31",
    region: str = "",
    used: str = "",
) -> str:
    return f"KJ-001,{uscc},{code},{kind},{price},{tax},{index},{since},{until},{region},{used}"


@pytest.fixture
def legacy(world: World) -> Legacy:
    world.numbers.known[a_uscc(1)] = new_id()
    world.codes.mean("A-1", "RB-HRB|x=1")
    world.codes.mean("A-2", "RB-HRB|x=2")
    world.codes.mean("S-1", "RB-HRB|x=3", "RB-HRB|x=4")
    return Legacy(http=world.http, runner=world.app.state.import_runner, prefix="/orders/agreement-imports")


async def staged(legacy: Legacy, as_: Any = None) -> list[dict[str, Any]]:
    answer = await legacy.http.get("/orders/staged-agreements", headers=signed_in(as_ or legacy.importer))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


async def test_clear_lines_are_staged_and_unclear_ones_refused_each_by_its_reason(legacy: Legacy, world: World):
    job = await legacy.published(
        csv_of(
            HEADER,
            line(),
            line("A-2", kind="信息价", price="", index="Mysteel 上海"),
            line(tax="13%,", since="2027-01-01", until="2027-12-31"),
            line(tax=",含税", since="2028-01-01", until="2028-12-31"),
            line("A-9"),
            line("S-1"),
            line(uscc=a_uscc(7)),
            line("A-2", price="", since="2027-01-01", until="2027-02-01"),
            line("A-2", kind="浮动价", price="", since="2027-03-01", until="2027-04-01"),
            line("A-2", kind="看着办", since="2027-05-01", until="2027-06-01"),
        )
    )
    assert job["rows"]["READY"] == {"STAGED": 2}
    assert job["rows"]["REFUSED"] == {
        "CodeMeansSeveral": 1,
        "CodeNotMapped": 1,
        "IndexMissing": 1,
        "PriceKindUnknown": 1,
        "PriceMissing": 1,
        "SupplierUnknown": 1,
        "TaxFlagMissing": 1,
        "TaxRateMissing": 1,
    }
    first, second = await staged(legacy)
    assert (first["price"], first["tax_rate"], first["tax_inclusive"]) == ("7319.482600", "0.130000", True)
    assert (second["price_kind"], second["price"], second["index_name"]) == ("floating", None, "Mysteel 上海")
    assert await world.count("purchase_orders") == 0


async def test_two_prices_for_one_day_are_refused_both_and_neighbouring_days_are_not(legacy: Legacy):
    job = await legacy.published(
        csv_of(
            HEADER,
            line(since="2026-01-01", until="2026-06-30"),
            line(since="2026-06-30", until="2026-12-31", price="1"),
            line("A-2", since="2026-01-01", until="2026-06-30"),
            line("A-2", since="2026-07-01", until="2026-12-31"),
            line("A-2", since="2026-01-01", until="2026-12-31", region="江苏"),
        )
    )
    assert job["rows"] == {"READY": {"STAGED": 3}, "REFUSED": {"TwoPricesSameDay": 2}}
    later = await legacy.imported(csv_of(HEADER, line("A-2", since="2026-06-01", until="2027-01-01")))
    assert later["rows"] == {"REFUSED": {"AlreadyStaged": 1}}


def test_a_long_agreement_meets_all_that_begin_while_it_lasts():
    from datetime import date

    def one(row: int, first: int, last: int) -> Line:
        return Line(
            row_no=row, supplier_id="s", variant_id="v", region="",
            valid_from=date(2026, 1, first), valid_to=date(2026, 1, last),
        )  # fmt: skip

    assert on_the_same_days([one(1, 1, 30), one(2, 3, 4), one(3, 10, 12), one(4, 31, 31)]) == {1, 2, 3}
    assert on_the_same_days([one(1, 1, 2), one(2, 3, 4)]) == set()


async def test_an_expired_agreement_that_was_used_is_flagged(legacy: Legacy):
    job = await legacy.published(csv_of(HEADER, line(until="2026-06-30", used="2026年9月1日")))
    assert (2, "valid_to", "ExpiredButUsed") in await legacy.errors(job)
    assert [each["flags"] for each in await staged(legacy)] == [["ExpiredButUsed"]]


async def test_a_price_is_seen_by_the_group_and_the_supplier_and_told_nowhere(
    legacy: Legacy, world: World, capsys: pytest.CaptureFixture[str]
):
    job = await legacy.published(csv_of(HEADER, line(), line("A-2", price=CANARY + "x")))
    assert ((3, "price", "NotANumber") in await legacy.errors(job), job["rows_rejected"]) == (True, 1)
    supplier = a_person(Role.SUPPLIER_SALES, company_id=world.numbers.known[a_uscc(1)])
    sister = a_person(Role.BUYER, group_id=legacy.group_id)
    for party in (supplier, sister):
        assert [each["price"] for each in await staged(legacy, as_=party)] == ["7319.482600"]
    for stranger in (a_person(Role.BUYER, group_id=new_id()), a_person(Role.SUPPLIER_SALES)):
        assert await staged(legacy, as_=stranger) == []
        assert (await legacy.get(f"/{job['id']}/rows", as_=stranger)).status_code in {403, 404}
    operator = await legacy.get(f"/{job['id']}/rows", as_=a_person(Role.OPERATOR))
    assert operator.status_code == 403
    for path in ("", "/errors", "/errors.csv", "/history"):
        assert not tells((await legacy.get(f"/{job['id']}{path}")).text, "7319"), path
    async with transaction(world.database.system) as session:
        events = (await session.execute(text("SELECT CAST(events AS text) AS told FROM events"))).all()
    assert not [each for each in events if tells(each.told, "7319")]
    captured = capsys.readouterr()
    assert not tells(captured.out + captured.err, "7319")
    for scope, seen in (((new_id(),), 0), ((), 0), ((legacy.group_id,), 1)):
        async with transaction(world.database.app, *scope) as session:
            assert await session.scalar(text("SELECT count(*) FROM staged_agreement_lines")) == seen


async def test_a_rollback_withdraws_the_lines_unless_agreements_were_made_of_them(legacy: Legacy, world: World):
    file = csv_of(HEADER, line())
    job = await legacy.published(file)
    assert (await legacy.post(f"/{job['id']}/rollback")).json()["state"] == "ROLLED_BACK"
    assert await staged(legacy) == []
    again = await legacy.published(file)
    assert again["id"] != job["id"]
    async with transaction(world.database.system) as session:
        await session.execute(
            text("UPDATE staged_agreement_lines SET taken_over_at = now() WHERE withdrawn_at IS NULL")
        )
    refused = await legacy.post(f"/{again['id']}/rollback")
    assert (refused.status_code, refused.json()["code"]) == (409, "AgreementsInUse")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE staged_agreement_lines SET price = 1",
        "DELETE FROM staged_agreement_lines",
        (
            "INSERT INTO staged_agreement_lines SELECT group_id, uuidv7(), company_id, supplier_id, agreement_no, "
            "legacy_code, variant_id, variant_key, mapping_id, mapping_version, price_kind, 1, unit, tax_rate, "
            "tax_inclusive, index_name, index_premium, valid_to, valid_to + 9, tolerance, region, flags, import_id, "
            "row_no, staged_at FROM staged_agreement_lines"
        ),
        "UPDATE price_history SET price = 1",
    ],
)
async def test_the_database_refuses_what_must_not_be(legacy: Legacy, world: World, change: str):
    await legacy.published(csv_of(HEADER, line()))
    with pytest.raises(DBAPIError):
        async with transaction(world.database.system) as session:
            await session.execute(text(change))


async def test_a_file_with_another_tenants_name_is_refused(legacy: Legacy):
    job = await legacy.imported(csv_of(HEADER + ",tenant_id", line() + f",{uuid4()}"))
    assert job["problem"]["code"] == "OtherTenantNamed"
