"""Evaluations and blacklists of a legacy platform: staged for their steps, kept with their group, each with its end."""

import asyncio

import pytest

from services.suppliers.judgement_imports.actions import handed_over, to_hand_over
from services.suppliers.judgement_imports.handing_over import hand_over
from shared.clock import now
from shared.database import transaction
from shared.identity import Role
from shared.ids import new_id
from tests.conftest import a_person
from tests.legacy_imports import Legacy, a_uscc, csv_of
from tests.suppliers.test_supplier_imports import HEADER as SUPPLIERS
from tests.suppliers.test_supplier_imports import row as supplier
from tests.suppliers.world import World

EVALUATED = "供应商税号,评价日期,评价维度,得分,评价说明"
LISTED = "供应商税号,列入日期,处理措施,列入原因,依据,到期日期"


@pytest.fixture
async def ledger(empty_world: World) -> Legacy:
    """A group whose supplier list is published: one supplier, also known by an old number."""
    made = Legacy(
        http=empty_world.http, runner=empty_world.app.state.import_runner, prefix="/suppliers/supplier-imports"
    )
    await made.published(csv_of(SUPPLIERS + ",工商注册号", supplier("甲有限公司", a_uscc(1)) + ",320500000012345"))
    return made


def of_kind(ledger: Legacy, kind: str) -> Legacy:
    return Legacy(http=ledger.http, runner=ledger.runner, prefix=f"/suppliers/{kind}-imports", importer=ledger.importer)


async def test_evaluations_are_staged_by_number_and_the_strange_ones_refused(ledger: Legacy, empty_world: World):
    legacy = of_kind(ledger, "evaluation")
    job = await legacy.published(
        csv_of(
            EVALUATED,
            f"{a_uscc(1)},2026/05/01,质量,９２.5,月度",
            "320500000012345,20260601,交期,80,月度",
            f"{a_uscc(1)},2026-05-01,质量,70,月度",
            f"{a_uscc(9)},2026-05-01,质量,70,",
            f"{a_uscc(1)},2026-05-01,服务,101,",
            f"{a_uscc(1)},2026-05-01,服务,好,",
            "91350100M000100Y44,2026-05-01,服务,50,",
        )
    )
    assert job["rows"] == {"READY": {"STAGED": 2}, "REFUSED": {"Repeated": 1, "SupplierUnknown": 1}}
    errors = await legacy.errors(job)
    assert {(6, "score", "ScoreOutOfRange"), (7, "score", "NotANumber"), (8, "uscc", "UsccCheckDigit")} <= set(errors)
    assert (3, "uscc", "OldRegistrationNumber") in errors
    async with transaction(empty_world.database.system) as session:
        staged = await to_hand_over(session, kind="evaluation")
    assert [(each.dimension, str(each.score), each.group_id) for each in staged] == [
        ("质量", "92.50", ledger.group_id),
        ("交期", "80.00", ledger.group_id),
    ]


async def test_nobody_is_listed_without_a_reason_or_for_ever(ledger: Legacy, empty_world: World):
    legacy = of_kind(ledger, "blacklist")
    job = await legacy.published(
        csv_of(
            LISTED,
            f"{a_uscc(1)},2026-05-01,禁止投标,围标,通报3号,2028-05-01",
            f"{a_uscc(1)},2026-05-01,禁止投标,,通报3号,2028-05-01",
            f"{a_uscc(1)},2026-05-01,禁止投标,围标,通报3号,",
            f"{a_uscc(1)},2026-05-01,禁止投标,围标,通报3号,2025-05-01",
            f"{a_uscc(1)},2026-05-01,打屁股,围标,通报3号,2028-05-01",
        )
    )
    assert (job["rows"], job["rows_rejected"]) == ({"READY": {"STAGED": 1}}, 4)
    assert {code for _, _, code in await legacy.errors(job)} == {
        "NoReason",
        "NoExpiry",
        "PeriodReversed",
        "LevelUnknown",
    }
    async with transaction(empty_world.database.system) as session:
        (entry,) = await to_hand_over(session, kind="blacklist")
    assert (entry.level, entry.reason, str(entry.expires_on)) == ("no_invite", "围标", "2028-05-01")


async def test_the_steps_take_over_each_judgement_once_and_it_then_stays(ledger: Legacy, empty_world: World):
    legacy = of_kind(ledger, "evaluation")
    file = csv_of(EVALUATED, f"{a_uscc(1)},2026-05-01,质量,92,")
    rolled = await legacy.published(file)
    assert (await legacy.post(f"/{rolled['id']}/rollback")).json()["state"] == "ROLLED_BACK"
    job = await legacy.published(file)
    assert job["rows_published"] == 1
    async with transaction(empty_world.database.system) as session:
        staged = await to_hand_over(session, kind="evaluation")
        await handed_over(session, ids=[each.id for each in staged], at=now())
    async with transaction(empty_world.database.system) as session:
        assert await to_hand_over(session, kind="evaluation") == []
    refused = await legacy.post(f"/{job['id']}/rollback")
    assert (refused.status_code, refused.json()["code"]) == (409, "JudgementsInUse")


async def test_what_one_group_thinks_of_a_supplier_no_other_group_reads(ledger: Legacy, empty_world: World):
    legacy = of_kind(ledger, "blacklist")
    job = await legacy.published(csv_of(LISTED, f"{a_uscc(1)},2026-05-01,禁止投标,围标,通报3号,2028-05-01"))
    for stranger in (a_person(Role.BUYER, group_id=new_id()), a_person(Role.OPERATOR)):
        assert (await legacy.get(f"/{job['id']}/rows", as_=stranger)).status_code in {403, 404}
    for scope, seen in (((new_id(),), 0), ((), 0), ((ledger.group_id,), 1)):
        async with transaction(empty_world.database.app, *scope) as session:
            from sqlalchemy import text

            assert await session.scalar(text("SELECT count(*) FROM staged_judgements")) == seen


async def test_evaluations_become_the_groups_own_once(ledger: Legacy, empty_world: World):
    legacy = of_kind(ledger, "evaluation")
    job = await legacy.published(
        csv_of(EVALUATED, f"{a_uscc(1)},2026-05-01,质量,92.5,月度", f"{a_uscc(1)},2026-06-01,质量,70,")
    )
    assert await hand_over(empty_world.database, at=now()) == 2
    assert await hand_over(empty_world.database, at=now()) == 0
    kept = await empty_world.rows("SELECT * FROM evaluations ORDER BY dated_on")
    assert [(each["group_id"], each["dimension"], str(each["score"]), each["entered_by"]) for each in kept] == [
        (ledger.group_id, "质量", "92.50", None),
        (ledger.group_id, "质量", "70.00", None),
    ]
    assert await legacy.outcomes(job) == {2: "TAKEN_OVER", 3: "TAKEN_OVER"}
    assert (await legacy.post(f"/{job['id']}/rollback")).json()["code"] == "JudgementsInUse"


async def test_an_entry_comes_onto_the_list_or_its_row_says_why_not(ledger: Legacy, empty_world: World):
    await ledger.published(csv_of(SUPPLIERS, *(supplier(f"乙{n}有限公司", a_uscc(n)) for n in (2, 3, 4))))
    legacy = of_kind(ledger, "blacklist")
    job = await legacy.published(
        csv_of(
            LISTED,
            f"{a_uscc(1)},2026-05-01,禁止投标,围标,通报3号,2028-05-01",
            f"{a_uscc(1)},2026-06-01,清退,行贿,通报4号,2028-05-01",
            f"{a_uscc(2)},2024-05-01,禁止投标,围标,通报3号,2025-05-01",
            f"{a_uscc(3)},2026-05-01,禁止投标,围标,,2028-05-01",
            f"{a_uscc(4)},2026-05-01,禁止投标,围标,通报3号,2058-05-01",
        )
    )
    assert await hand_over(empty_world.database, at=now()) == 1
    (entry,) = await empty_world.rows("SELECT * FROM blacklist_entries")
    assert (entry["owner_id"], entry["tax_id"], entry["level"]) == (ledger.group_id, a_uscc(1), "NO_INVITE")
    assert entry["listed_by"] == legacy.reviewer.subject, "a person answers for it"
    (step,) = await empty_world.rows("SELECT entry FROM blacklist_history")
    assert step["entry"]["detail"] == {"import_id": job["id"], "row_no": 2}
    told = await empty_world.rows("SELECT data FROM events WHERE type LIKE '%blacklist.changed%'")
    assert [each["data"]["owner_group_id"] for each in told] == [str(ledger.group_id)]
    refusals = {3: "AlreadyListed", 4: "ExpiryPassed", 5: "EvidenceMissing", 6: "ExpiryTooFar"}
    assert await legacy.outcomes(job) == {2: "TAKEN_OVER", **refusals}
    columns = {3: "uscc", 4: "expiry", 5: "evidence", 6: "expiry"}
    assert set(await legacy.errors(job)) >= {(row, columns[row], code) for row, code in refusals.items()}
    async with transaction(empty_world.database.system) as session:
        assert await to_hand_over(session, kind="blacklist") == [], "not tried for ever"
    assert len(await empty_world.rows("SELECT 1 FROM staged_judgements WHERE handed_over_at IS NULL")) == 4


async def test_a_rollback_while_judgements_are_taken_over_waits_and_is_refused(ledger: Legacy, empty_world: World):
    legacy = of_kind(ledger, "evaluation")
    job = await legacy.published(csv_of(EVALUATED, f"{a_uscc(1)},2026-05-01,质量,92,"))
    async with transaction(empty_world.database.system) as session:
        staged = await to_hand_over(session, kind="evaluation")
        rolling = asyncio.create_task(legacy.post(f"/{job['id']}/rollback"))
        await asyncio.sleep(0.5)
        await handed_over(session, ids=[each.id for each in staged], at=now())
    refused = await rolling
    assert (refused.status_code, refused.json()["code"]) == (409, "JudgementsInUse")
