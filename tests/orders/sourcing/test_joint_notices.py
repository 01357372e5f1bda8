"""Joint purchasing notices: who may open, see and join them, what of the pool is shown, how they end."""

import asyncio
import io
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.orders.data_out import DATA_OUT
from services.orders.sourcing.rules import NoticeStatus, closing_fault, deltas, pool_shown
from shared.data_out.jobs import ExportRunner
from shared.database import transaction
from shared.identity import Role
from shared.ids import new_id
from tests.conftest import a_person, once, signed_in
from tests.figures import tells
from tests.orders.sourcing.conftest import CATEGORY, Circle


async def test_a_purchase_of_four_groups_from_opening_to_its_result(circle: Circle):
    first, second, third, fourth = circle.members
    path = await circle.opened(first, "100", "5.5")
    assert (await circle.join(second, path, "200")).status_code == 200
    assert (await circle.join(third, path, "300", "4.5")).status_code == 200
    left = await circle.join(fourth, path, "1000")
    assert left.json()["participants"] == 4
    assert (await circle.post(fourth, f"{path}/withdrawal")).json()["participants"] == 3
    assert await circle.close() == 1
    seen = (await circle.get(second, path)).json()
    assert seen["status"] == "CLOSED"
    result = (await circle.get(second, f"{path}/result")).json()
    assert sorted(result["participant_ids"]) == sorted(str(each) for each in (first, second, third))
    doors, others = result["lines"]
    assert (doors["groups"], doors["pool"]) == (3, {"total": "600.000", "at_least": "600.000", "below": None})
    assert (others["groups"], others["pool"]["total"]) == (2, None), "two groups would know each other's"
    assert [Decimal(others["pool"][name]) for name in ("at_least", "below")] == [10, 20]
    assert seen["lines"][0]["pool"]["total"] == "600.000"
    for stranger in (fourth, circle.group(inside=False)):
        assert (await circle.get(stranger, f"{path}/result")).status_code in {404, 409}
    assert await circle.close() == 0


async def test_only_the_own_quantity_is_ever_shown(circle: Circle):
    first, second, third, _ = circle.members
    path = await circle.opened(first, "111.111")
    await circle.join(second, path, "222.222")
    await circle.join(third, path, "333.333")
    for group, own in ((first, "111.111"), (second, "222.222"), (third, "333.333")):
        answers = [await circle.get(group, path), await circle.get(group), await circle.get(group, f"{path}/history")]
        others = {"111.111", "222.222", "333.333", "666.666", "555.555"} - {own}
        for answer in answers:
            assert answer.status_code == 200
            assert not [each for each in others if tells(answer.text, each)]
        assert answers[0].json()["lines"][0]["own_quantity"] == own
    for event in await circle.sql("SELECT CAST(data AS text) AS data FROM events"):
        assert not [each for each in ("111.1", "222.2", "333.3", "666.6") if tells(event.data, each)]


async def test_the_second_wall_hides_what_another_group_wants(circle: Circle):
    first, second, *_ = circle.members
    path = await circle.opened(first, "100")
    await circle.join(second, path, "7")
    async with transaction(circle.database.app, second) as session:
        for table in ("joint_participations", "joint_quantities"):
            assert list(await session.scalars(text(f"SELECT group_id FROM {table}"))) == [second]
    async with transaction(circle.database.app, circle.group(inside=False)) as session:
        for table in ("joint_notices", "joint_lines", "joint_history", "seen_circles", "seen_stages"):
            assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 0, table


@pytest.mark.parametrize("stage", [None, "S1"])
async def test_a_private_category_is_not_bought_together(circle: Circle, stage: str | None):
    second = circle.members[1]
    if stage:
        await circle.stage(second, stage)
    answer = await circle.post(second, "", circle.notice())
    assert (answer.status_code, answer.json()["code"]) == (409, "JointPurchaseNotOpen")
    assert await circle.sql("SELECT 1 FROM joint_notices") == []


async def test_at_s2_the_circle_is_that_of_the_stage_and_at_s3_one_the_group_stands_in(circle: Circle):
    first = circle.members[0]
    other = await circle.post(first, "", circle.notice(circle_id=str(new_id())))
    assert (other.status_code, other.json()["code"]) == (409, "NotInThatCircle")
    await circle.stage(first, "S3")
    unnamed = await circle.post(first, "", circle.notice())
    assert (unnamed.status_code, unnamed.json()["code"]) == (409, "NotInThatCircle")
    path = await circle.opened(first, "1", circle_id=str(circle.id))
    assert (await circle.get(circle.members[1], path)).status_code == 200


async def test_a_group_outside_the_circle_sees_and_joins_nothing(circle: Circle):
    path = await circle.opened(circle.members[0])
    outside = circle.group(inside=False)
    assert (await circle.get(outside)).json() == []
    for answer in (
        await circle.get(outside, path),
        await circle.get(outside, f"{path}/history"),
        await circle.join(outside, path, "1"),
        await circle.post(outside, f"{path}/withdrawal"),
        await circle.post(outside, f"{path}/cancellation", {"reason": "x"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "NoticeNotFound")


async def test_a_company_below_the_group_does_not_act_for_it(circle: Circle):
    first = circle.members[0]
    daughter = new_id()
    circle.buyers[daughter] = a_person(
        Role.BUYER, company_id=daughter, group_id=first, circle_ids=frozenset({circle.id})
    )
    for answer in (await circle.get(daughter), await circle.post(daughter, "", circle.notice())):
        assert (answer.status_code, answer.json()["code"]) == (403, "NotTheGroup")


async def test_who_comes_to_the_circle_sees_it_and_who_leaves_does_not_unless_it_takes_part(circle: Circle):
    first, second, third, _ = circle.members
    path = await circle.opened(first)
    await circle.join(second, path, "5")
    newcomer = circle.group()
    await circle.told()
    assert (await circle.get(newcomer, path)).status_code == 200
    for gone in (second, third):
        circle.members.remove(gone)
        circle.buyers[gone] = a_person(Role.BUYER, company_id=gone, group_id=gone)
    await circle.told()
    assert (await circle.get(third, path)).status_code == 404
    assert (await circle.get(second, path)).status_code == 200, "it ends as it began for who takes part"
    assert (await circle.join(second, path, "6")).status_code == 200
    # A token that still carries the circle does not open what row level security has closed.
    circle.buyers[third] = a_person(Role.BUYER, company_id=third, group_id=third, circle_ids=frozenset({circle.id}))
    assert (await circle.get(third, path)).status_code == 404


async def test_going_back_to_s1_stops_new_access(circle: Circle):
    first, second, third, _ = circle.members
    path = await circle.opened(first)
    await circle.join(second, path, "5")
    await circle.stage(first, "S1")
    assert (await circle.get(third, path)).status_code == 404
    assert (await circle.join(third, path, "1")).status_code == 404
    assert (await circle.join(second, path, "6")).status_code == 200
    assert (await circle.get(first, path)).status_code == 200


async def test_after_closing_nothing_is_joined_left_or_cancelled(circle: Circle):
    first, second, third, _ = circle.members
    path = await circle.opened(first)
    await circle.join(second, path, "5")
    await circle.close()
    for answer in (
        await circle.join(third, path, "1"),
        await circle.post(second, f"{path}/withdrawal"),
        await circle.post(first, f"{path}/cancellation", {"reason": "x"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "NoticeEnded")


async def test_a_notice_whose_time_is_over_takes_nobody_though_the_worker_has_not_come(circle: Circle):
    path = await circle.opened(circle.members[0])
    await circle.sql("UPDATE joint_notices SET closes_at = now() - interval '1 second' RETURNING 1")
    answer = await circle.join(circle.members[1], path, "1")
    assert (answer.status_code, answer.json()["code"]) == (409, "NoticeEnded")


async def test_the_opener_cancels_and_does_not_leave_and_others_do_not_cancel(circle: Circle):
    first, second, *_ = circle.members
    path = await circle.opened(first)
    assert (await circle.post(first, f"{path}/withdrawal")).json()["code"] == "OpenerStays"
    assert (await circle.post(second, f"{path}/withdrawal")).json()["code"] == "NotTakingPart"
    assert (await circle.post(second, f"{path}/cancellation", {"reason": "x"})).json()["code"] == "NotTheOpener"
    cancelled = await circle.post(first, f"{path}/cancellation", {"reason": "设计变更"})
    assert (cancelled.json()["status"], cancelled.json()["cancel_reason"]) == ("CANCELLED", "设计变更")
    assert await circle.close() == 0


@pytest.mark.parametrize(
    ("more", "field", "rule"),
    [
        ({"closes_at": (datetime.now(UTC) - timedelta(days=1)).isoformat()}, "closes_at", "Future"),
        ({"closes_at": (datetime.now(UTC) + timedelta(days=200)).isoformat()}, "closes_at", "Soon"),
        ({"month": "2099-03-02"}, "month", "FirstDay"),
        ({"month": "2020-03-01"}, "month", "AfterClosing"),
    ],
)
async def test_dates_that_do_not_fit_are_refused_by_field(circle: Circle, more: dict[str, str], field: str, rule: str):
    answer = await circle.post(circle.members[0], "", circle.notice(**more))
    assert (answer.status_code, answer.json()["code"]) == (422, "DatesDoNotFit")
    assert [(each["field"], each["rule"]) for each in answer.json()["errors"]] == [(field, rule)]


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [{"line_no": 1, "quantity": "0"}],
        [{"line_no": 1, "quantity": "-1"}],
        [{"line_no": 1, "quantity": "1.2345"}],
        [{"line_no": 1, "quantity": "1"}, {"line_no": 1, "quantity": "2"}],
        [{"line_no": 9, "quantity": "1"}],
        [{"line_no": 1, "quantity": 1.5}],
    ],
)
async def test_quantities_that_are_none_are_refused(circle: Circle, lines: list[dict[str, object]]):
    path = await circle.opened(circle.members[0])
    answer = await circle.post(circle.members[1], f"{path}/participation", {"lines": lines})
    assert answer.status_code == 422, answer.text
    assert (await circle.get(circle.members[1], path)).json()["participants"] == 1


async def test_many_who_join_at_once_are_all_counted(circle: Circle):
    path = await circle.opened(circle.members[0], None)
    groups = [circle.group() for _ in range(6)]
    await circle.told()
    answers = await asyncio.gather(*(circle.join(group, path, "10") for group in groups))
    assert {answer.status_code for answer in answers} == {200}
    again = await asyncio.gather(*(circle.join(group, path, "20") for group in groups))
    assert {answer.status_code for answer in again} == {200}
    [line] = await circle.sql("SELECT pooled, groups FROM joint_lines")
    assert (line.pooled, line.groups) == (120, 6)
    [notice] = await circle.sql("SELECT participants FROM joint_notices")
    assert notice.participants == 7


async def test_the_history_holds_and_a_changed_entry_shows(circle: Circle):
    first, second, *_ = circle.members
    path = await circle.opened(first)
    await circle.join(second, path, "5")
    await circle.join(second, path, "6")
    await circle.close()
    told = (await circle.get(second, f"{path}/history")).json()
    assert (told["intact"], [each["entry"]["what"] for each in told["entries"]]) == (
        True,
        ["opened", "joined", "changed", "closed"],
    )
    with pytest.raises(DBAPIError, match="permission denied"):
        await circle.sql("UPDATE joint_history SET entry = '{}' RETURNING 1")
    assert (await circle.get(circle.members[2], f"{path}/history")).json()["code"] == "NotTakingPart"


async def test_the_database_refuses_what_the_rules_refuse(circle: Circle):
    path = await circle.opened(circle.members[0])
    await circle.join(circle.members[1], path, "5")
    for wrong in (
        "UPDATE joint_notices SET stage = 'S1'",
        "UPDATE joint_notices SET status = 'CLOSED', ended_at = now()",
        "UPDATE joint_notices SET party_ids = '{}'",
        "UPDATE joint_lines SET pooled = -1",
        "UPDATE joint_lines SET pooled = 0",
        "UPDATE joint_quantities SET quantity = 0",
    ):
        with pytest.raises(DBAPIError, match="violates check constraint"):
            await circle.sql(wrong + " RETURNING 1")
    await circle.close()
    for wrong in ("status = 'OPEN', ended_at = NULL, result = NULL", "result = '{}'", "participants = 9"):
        with pytest.raises(DBAPIError, match="ended notice"):
            await circle.sql(f"UPDATE joint_notices SET {wrong} RETURNING 1")


async def test_webhooks_are_told_who_may_see_it(circle: Circle):
    path = await circle.opened(circle.members[0])
    await circle.join(circle.members[1], path, "5")
    events = await circle.sql("SELECT type, data FROM events WHERE type LIKE '%joint_notice%' ORDER BY txid, seq")
    assert [(each.type.split(".")[-2], each.data["what"]) for each in events] == [
        ("opened", "opened"),
        ("changed", "joined"),
    ]
    for event in events:
        assert event.data["group_ids"] == sorted(str(each) for each in circle.members)
        assert event.data["category"] == CATEGORY


@given(st.decimals("0.001", "999999999", places=3), st.integers(1, 12))
def test_a_range_holds_its_total_and_says_no_more(total: Decimal, groups: int):
    shown = pool_shown(total=total, groups=groups, status=NoticeStatus.OPEN)
    assert shown.total is None
    assert shown.below is not None
    assert shown.at_least <= total < shown.below
    assert len(shown.at_least.normalize().as_tuple().digits) == 1
    closed = pool_shown(total=total, groups=groups, status=NoticeStatus.CLOSED)
    assert (closed.total == total) == (groups >= 3)


@given(st.dictionaries(st.integers(1, 5), st.decimals("0.001", "99", places=3)), st.integers(0, 30))
def test_what_one_group_changes_moves_the_pool_by_just_that(before: dict[int, Decimal], seed: int):
    after = {line: quantity + seed for line, quantity in before.items() if (line + seed) % 3}
    for line in range(1, 6):
        more, groups = deltas(before, after).get(line, (Decimal(0), 0))
        assert before.get(line, Decimal(0)) + more == after.get(line, Decimal(0))
        assert (line in before) + groups == (line in after)


def test_a_month_may_be_that_of_the_closing():
    at = datetime(2026, 11, 25, tzinfo=UTC)
    closes_at, month = at + timedelta(days=3), at.date().replace(day=1)
    assert closing_fault(closes_at=closes_at, month=month, at=at, today=at.date()) is None


async def taken(circle: Circle, group: UUID, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """What a group takes out of joint purchasing, by table."""
    runner = ExportRunner(DATA_OUT, database=circle.database, data_dir=folder)
    admin = signed_in(a_person(Role.ADMIN, company_id=group))
    asked = await circle.http.post("/orders/exports", json={}, headers=admin | once())
    assert asked.status_code == 202, asked.text
    assert await runner.work_one()
    file = await circle.http.get(f"/orders/exports/{asked.json()['id']}/file", headers=admin)
    archive = zipfile.ZipFile(io.BytesIO(file.content))
    assert not {str(each) for each in circle.members if each != group} & set(
        re.findall(r"[0-9a-f-]{36}", "".join(archive.read(name).decode() for name in archive.namelist()))
    ), "others are pseudonyms, also in the result"
    names = [name for name in archive.namelist() if name.startswith("joint_")]
    return {name[:-7]: [json.loads(line) for line in archive.read(name).splitlines()] for name in names}


async def test_an_export_tells_no_more_of_the_pool_than_the_api(circle: Circle, tmp_path: Path):
    """With two groups in it, the running pool less one's own quantity is the other's."""
    first, second, third, _ = circle.members
    path = await circle.opened(first, "100")
    await circle.join(second, path, "4711")
    for group in (first, second, third):
        out = await taken(circle, group, tmp_path)
        [line] = out["joint_lines"]
        assert line["groups"] == 2
        assert "pooled" not in line
        told = json.dumps(out)
        assert not tells(told, "4811")
        assert tells(told, "4711") == (group == second)
    await circle.close()

    closed = {group: await taken(circle, group, tmp_path) for group in (first, second, third)}
    for group in (first, second):
        [notice] = closed[group]["joint_notices"]
        assert len(notice["result"]["participant_ids"]) == 2
        assert str(group) in notice["result"]["participant_ids"]
        assert [each["entry"]["what"] for each in closed[group]["joint_history"]] == ["opened", "joined", "closed"]
    [notice] = closed[third]["joint_notices"]
    assert "result" not in notice, "told to those who take part"
    assert closed[third]["joint_history"] == closed[third]["joint_quantities"] == []
    outsider = circle.group(inside=False)
    assert not any((await taken(circle, outsider, tmp_path)).values())
