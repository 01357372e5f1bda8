"""Blacklists through the API: what they stop, who may lift, who sees what; and everybody who should not get through."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from services.suppliers.blacklists.blocking import blocks_invitation
from services.suppliers.blacklists.jobs import expire_entries
from services.suppliers.blacklists.visibility import notice_keys, rekey
from shared.audience import Space, Stage, visible
from shared.clock import business_date
from shared.contracts.blacklists import BLACKLIST_CHANGED
from shared.database import transaction
from shared.identity import Principal, Role
from shared.ids import new_id
from tests.conftest import a_person
from tests.suppliers.blacklist_world import LISTS, Lists, day
from tests.suppliers.world import World

LISTED = ["SupplierBlacklisted"]
PERSON = {"id_number": "11010519491231002X", "name": "张三丰"}


@pytest.fixture
async def lists(world: World) -> Lists:
    made = Lists(world)
    await made.an_offer()
    return made


async def events(world: World) -> list[dict[str, Any]]:
    rows = await world.rows("SELECT data FROM events WHERE type = :type ORDER BY txid, seq", type=BLACKLIST_CHANGED)
    return [row["data"] for row in rows]


async def test_orders_are_refused_at_once_and_accepted_again_after_lifting(lists: Lists):
    assert await lists.refused() == []
    entry = await lists.put_on()
    result = await lists.reserve(lines=3)
    assert [refusal["code"] for refusal in result["refusals"]] == LISTED * 3, "every line is told"
    detail = result["refusals"][0]["detail"]
    assert "your group" in detail
    assert "QUALITY" in detail
    assert day(100) in detail
    assert "SECRET" not in detail
    await lists.lift(entry)
    assert await lists.refused() == []


async def test_reserving_asks_for_lists_in_the_statement_it_makes_anyway(lists: Lists):
    statements: list[str] = []
    engine = lists.world.database.system_engine.sync_engine

    def noted(_: Any, __: Any, statement: str, *___: Any) -> None:
        if "blacklist" in statement:
            statements.append(statement)

    event.listen(engine, "before_cursor_execute", noted)
    await lists.refused()
    assert len(statements) == 1, "nothing is listed: nothing is read"
    await lists.put_on(level="NO_INVITE")
    await lists.refused()
    assert len(statements) == 3, "a list that changed is read once"
    for _ in range(3):
        await lists.refused()
    assert len(statements) == 6, "and then found in memory"


async def test_a_reduced_entry_gets_new_keys_when_a_stage_changes(lists: Lists):
    await lists.put_on(categories=["rebar"])
    await lists.world.execute("UPDATE blacklist_notices SET audience_keys = '{circle:gone}'")
    async with transaction(lists.world.database.system) as session:
        assert await rekey(session, group_id=new_id(), category="rebar") == 0
        assert await rekey(session, group_id=lists.group_id, category="precast") == 0
        assert await rekey(session, group_id=lists.group_id, category="rebar") == 1
    [notice] = await lists.world.rows("SELECT audience_keys FROM blacklist_notices")
    assert notice["audience_keys"] == sorted([f"company:{lists.group_id}", f"group:{lists.group_id}"])


async def test_a_quote_says_what_the_reservation_would(lists: Lists):
    async def codes(who: Principal, **changes: Any) -> list[str]:
        body = {"lines": [{"offer_id": lists.offer_id, "quantity": "1", "unit": "t"}], "region": "110105", **changes}
        answer = await lists.world.call("POST", "/suppliers/offers/quote", who, json=body)
        assert answer.status_code == 200, answer.text
        return [reason["code"] for reason in answer.json()["lines"][0]["reasons"]]

    project = str(new_id())
    assert await codes(lists.buyer) == []
    await lists.put_on(project_ids=[project])
    assert await codes(lists.buyer) == []
    assert await codes(lists.buyer, project_id=project) == LISTED
    assert await codes(a_person(Role.BUYER), project_id=project) == []
    await lists.put_on(lists.world.operator, source="court list")
    for who in (lists.buyer, a_person(Role.BUYER, group_id=new_id()), lists.seller):
        assert await codes(who) == LISTED


async def test_an_entry_binds_its_own_group_alone(lists: Lists):
    await lists.put_on()
    company = a_person(Role.BUYER, group_id=lists.group_id)
    assert await lists.refused(who=company) == LISTED, "also the group's other companies"
    assert await lists.refused(who=a_person(Role.BUYER)) == []
    assert await lists.refused(who=a_person(Role.BUYER, group_id=new_id())) == []


async def test_a_company_without_a_group_keeps_its_own_list(lists: Lists):
    alone = a_person(Role.ADMIN, Role.BUYER)
    await lists.put_on(alone)
    assert await lists.refused(who=alone) == LISTED


async def test_an_official_entry_binds_all_and_is_an_operators_to_record(lists: Lists):
    body = lists.body(source="court list 2026-11")
    for somebody in (lists.lister, lists.second, lists.seller, lists.buyer):
        assert (await lists.post("/official-entries", somebody, body)).status_code == 403
    operator = lists.world.operator
    assert (await lists.post("/entries", operator, lists.body())).status_code == 403, "no list of a contractor"
    await lists.put_on(operator, source="court list 2026-11")
    assert await lists.refused() == LISTED
    assert await lists.refused(who=a_person(Role.BUYER)) == LISTED
    stranger = a_person(Role.BUYER)
    [seen] = (await lists.world.call("GET", f"{LISTS}/notices", stranger)).json()
    assert (seen["source"], seen["reason_class"]) == ("court list 2026-11", "QUALITY")


@pytest.mark.parametrize(
    ("changes", "asked", "refused"),
    [
        ({"level": "NO_INVITE"}, {}, False),
        ({"level": "STOP_DELIVERY"}, {}, True),
        ({"categories": ["rebar"]}, {}, True),
        ({"categories": ["precast"]}, {}, False),
        ({"regions": ["110000"]}, {}, True),
        ({"regions": ["31"]}, {}, False),
        ({"project_ids": ["01930000-0000-7000-8000-000000000001"]}, {}, False),
        (
            {"project_ids": ["01930000-0000-7000-8000-000000000001"]},
            {"project_id": "01930000-0000-7000-8000-000000000001"},
            True,
        ),
        ({"starts_on": day(1)}, {}, False),
    ],
)
async def test_level_scope_and_days_decide(lists: Lists, changes: dict[str, Any], asked: dict[str, Any], refused: bool):
    await lists.put_on(**changes)
    assert await lists.refused(**asked) == (LISTED if refused else [])


async def test_an_expired_entry_stops_nothing_and_is_noted_by_the_calendar(lists: Lists):
    entry = await lists.put_on(expires_on=day(0))
    assert await lists.refused() == LISTED, "the last day counts"
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert await lists.refused(at=tomorrow.isoformat()) == [], "not from the day after, noted or not"
    assert await expire_entries(lists.world.database, at=tomorrow) == 1
    assert (await lists.entry(entry["id"]))["status"] == "EXPIRED"
    assert await lists.refused() == []
    assert (await events(lists.world))[-1]["status"] == "EXPIRED"
    answer = await lists.act(entry, "lifting", lists.lister, why="too late")
    assert (answer.status_code, answer.json()["code"]) == (409, "EntryOver")
    assert await expire_entries(lists.world.database, at=tomorrow) == 0


async def test_nobody_lifts_alone(lists: Lists):
    entry = await lists.put_on()
    answer = await lists.act(entry, "decision", lists.second, decision="approve")
    assert answer.json()["code"] == "NoOpenProposal"
    assert (await lists.act(entry, "lifting", lists.lister, why="made good")).json()["applied"] is False
    assert await lists.refused() == LISTED, "asking lifts nothing"
    answer = await lists.act(entry, "decision", lists.lister, decision="approve")
    assert (answer.status_code, answer.json()["code"]) == (403, "SecondPersonNeeded")
    assert (await lists.act(entry, "lifting", lists.second, why="again")).json()["code"] == "ProposalOpen"
    with pytest.raises(DBAPIError, match="second_person"):
        await lists.world.execute(
            "UPDATE blacklist_proposals SET status = 'APPROVED', decided_by = asked_by, decided_at = now()"
        )
    with pytest.raises(DBAPIError, match="second_person"):
        await lists.world.execute(
            "UPDATE blacklist_entries SET status = 'LIFTED', lift_asked_by = listed_by, lifted_by = listed_by, "
            "lifted_at = now()"
        )
    assert (await lists.act(entry, "decision", lists.second, decision="reject")).status_code == 200
    assert await lists.refused() == LISTED


async def test_to_shorten_needs_a_second_person_and_to_extend_does_not(lists: Lists):
    entry = await lists.put_on()
    same = {name: value for name, value in lists.body().items() if name != "supplier_id"}
    longer = await lists.act(entry, "changes", lists.lister, **same | {"expires_on": day(200), "why": "repeated"})
    assert (longer.json()["applied"], longer.json()["entry"]["expires_on"]) == (True, day(200))
    shorter = await lists.act(entry, "changes", lists.lister, **same | {"expires_on": day(10), "why": "improved"})
    assert (shorter.json()["applied"], shorter.json()["entry"]["expires_on"]) == (False, day(200))
    alone = await lists.act(entry, "decision", lists.lister, decision="approve")
    assert alone.json()["code"] == "SecondPersonNeeded"
    decided = await lists.act(entry, "decision", lists.second, decision="approve")
    assert decided.json()["entry"]["expires_on"] == day(10)
    nothing = await lists.act(entry, "changes", lists.lister, **same | {"expires_on": day(10), "why": "no change"})
    assert nothing.json()["code"] == "NothingChanges"


async def test_lifting_and_extending_at_the_same_moment_do_not_both_count(lists: Lists):
    entry = await lists.put_on()
    await lists.act(entry, "lifting", lists.lister, why="made good")
    version = (await lists.entry(entry["id"]))["version"]
    longer = {name: value for name, value in lists.body(expires_on=day(300)).items() if name != "supplier_id"}
    address = f"/entries/{entry['id']}"
    answers = await asyncio.gather(
        lists.post(f"{address}/decision", lists.second, {"decision": "approve"}, version=version),
        lists.post(f"{address}/changes", lists.lister, longer | {"why": "worse"}, version=version),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    history = await lists.world.call("GET", f"{LISTS}{address}/history", lists.buyer)
    assert history.json()["intact"] is True


async def test_two_entries_about_one_subject_do_not_stand_side_by_side(lists: Lists):
    answers = await asyncio.gather(*(lists.post("/entries", lists.lister, lists.body()) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]


async def test_an_entry_is_about_nobody_but_whom_it_names(lists: Lists):
    """Neither supplier has given a legal representative; what neither has must not make them the same."""
    world, other = lists.world, new_id()
    world.members.add(other, tax_id="91330100MA3XYH8K24")
    assert (await world.call("POST", "/suppliers", world.operator, json={"company_id": str(other)})).status_code == 201
    entry = await lists.put_on(level="STOP_DELIVERY")
    (told,) = await world.rows("SELECT data FROM events WHERE type = :type", type=BLACKLIST_CHANGED)
    assert told["data"]["supplier_ids"] == [str(world.supplier_id)]
    await lists.put_on(world.operator, source="credit.example")
    seller = a_person(Role.SUPPLIER_SALES, company_id=other)
    assert (await world.call("GET", f"{LISTS}/about-us", seller)).json() == []
    assert await lists.put_on(supplier_id=str(other)) != entry, "a list holds more than one company"


async def test_every_entry_of_a_legal_representative_hits_each_of_the_persons_suppliers(lists: Lists):
    await lists.put_on(supplier_id=None, representative=PERSON)
    assert await lists.refused() == []
    path = f"{LISTS}/representatives/{lists.world.supplier_id}"
    assert (await lists.world.call("PUT", path, lists.lister, json=PERSON)).status_code == 403
    assert (await lists.world.call("PUT", path, lists.world.operator, json=PERSON)).status_code == 204
    assert await lists.refused() == LISTED
    assert (await events(lists.world))[-1]["supplier_ids"] == [str(lists.world.supplier_id)]
    [about] = (await lists.world.call("GET", f"{LISTS}/about-us", lists.seller)).json()
    assert about["subject_name"] == "张**"
    kept = str(await lists.world.rows("SELECT * FROM blacklist_entries, blacklist_history, suppliers"))
    assert PERSON["id_number"] not in kept
    assert PERSON["name"] not in kept
    other = {"id_number": "110105194912310047", "name": "李四"}
    await lists.world.call("PUT", path, lists.world.operator, json=other)
    assert await lists.refused() == []


async def test_a_company_that_is_not_registered_yet_is_met_when_it_comes(lists: Lists):
    await lists.put_on(supplier_id=None, tax_id="91320500MA2DEMQ7X8", name="尚未注册")
    today = business_date(datetime.now(UTC))
    async with transaction(lists.world.database.system) as session:
        for group, blocked in ((lists.group_id, True), (new_id(), False)):
            found = await blocks_invitation(session, group_id=group, tax_id="91320500MA2DEMQ7X8", on=today)
            assert (found is not None) is blocked
    await lists.world.execute(
        "UPDATE suppliers SET tax_id = '91320500MA2DEMQ7X8' WHERE company_id = :id", id=lists.world.supplier_id
    )
    assert await lists.refused() == LISTED
    for wrong in ("91320500MA2DEMQ7X9", "110108000123456"):
        answer = await lists.post("/entries", lists.lister, lists.body(tax_id=wrong) | {"supplier_id": None})
        assert (answer.status_code, answer.json()["code"]) == (422, "TaxIdMalformed")


@pytest.mark.parametrize(
    "changes",
    [
        {"expires_on": day(-1)},
        {"expires_on": "2199-01-01"},
        {"evidence": None},
        {"reason": ""},
        {"reason_class": "BECAUSE"},
        {"supplier_id": None},
        {"tax_id": "91320500MA2DEMQ7X8"},
        {"supplier_id": "01930000-0000-7000-8000-000000000009"},
    ],
)
async def test_an_entry_without_reason_evidence_expiry_or_subject_is_refused(lists: Lists, changes: dict[str, Any]):
    answer = await lists.post("/entries", lists.lister, lists.body(**changes))
    assert answer.status_code == 422, answer.text


async def test_only_the_head_company_keeps_the_list_and_the_others_read_it(lists: Lists):
    entry = await lists.put_on()
    branch = a_person(Role.ADMIN, Role.BUYER, group_id=lists.group_id)
    assert (await lists.post("/entries", branch, lists.body())).json()["code"] == "OnlyTheHeadCompany"
    assert (await lists.post("/entries", lists.buyer, lists.body())).status_code == 403
    assert (await lists.entry(entry["id"], branch))["reason"].startswith("SECRET")


async def test_strangers_neither_see_nor_touch_an_entry(lists: Lists):
    entry = await lists.put_on()
    for stranger in (a_person(Role.ADMIN, Role.BUYER), lists.world.operator):
        for method, path, body in (
            ("GET", "", None),
            ("GET", "/history", None),
            ("POST", "/lifting", {"why": "for a friend"}),
            ("POST", "/decision", {"decision": "approve"}),
        ):
            address = f"{LISTS}/entries/{entry['id']}{path}"
            answer = await lists.world.call(method, address, stranger, json=body, version=entry["version"])
            assert (answer.status_code, answer.json()["code"]) == (404, "EntryNotFound"), address
        assert (await lists.world.call("GET", f"{LISTS}/entries", stranger)).json() == []
    other = a_person(Role.ADMIN, Role.BUYER, company_id=new_id())
    assert (await lists.world.call("GET", f"{LISTS}/notices", other)).json() == [], "S1: nothing leaves the group"


async def test_the_supplier_reads_why_and_appeals_and_another_person_answers(lists: Lists):
    entry = await lists.put_on()
    [about] = (await lists.world.call("GET", f"{LISTS}/about-us", lists.seller)).json()
    assert (about["reason"], about["evidence"]) == (entry["reason"], "report QA-17")
    assert "listed_by" not in about
    path = about["appeal_at"].removeprefix(LISTS)
    foreign = a_person(Role.SUPPLIER_SALES)
    assert (await lists.post(path, foreign, {"text": "not us at all"})).status_code == 409
    appeal = await lists.post(path, lists.seller, {"text": "The lab mixed up samples.", "evidence": "letter 4"})
    assert appeal.status_code == 201, appeal.text
    assert (await lists.post(path, lists.seller, {"text": "Once more."})).json()["code"] == "AppealOpen"
    answering = f"appeals/{appeal.json()['id']}/answer"
    body = {"decision": "grant", "answer": "Checked: right."}
    assert (await lists.act(entry, answering, lists.lister, **body)).json()["code"] == "AnotherPersonAnswers"
    assert (await lists.post(f"/entries/{entry['id']}/{answering}", lists.seller, body, version=1)).status_code == 403
    both_sides = replace(lists.second, subject=lists.seller.subject)
    assert (await lists.act(entry, answering, both_sides, **body)).json()["code"] == "AnotherPersonAnswers"
    assert await lists.refused() == LISTED
    assert (await lists.act(entry, answering, lists.second, **body)).json()["status"] == "GRANTED"
    assert await lists.refused() == []
    [about] = (await lists.world.call("GET", f"{LISTS}/about-us", lists.seller)).json()
    assert (about["status"], about["appeals"][0]["answer"]) == ("LIFTED", "Checked: right.")


async def test_a_declined_appeal_leaves_the_entry_and_a_changed_history_shows(lists: Lists):
    entry = await lists.put_on()
    appeal = await lists.post(f"/entries/{entry['id']}/appeals", lists.seller, {"text": "Not so bad."})
    body = {"decision": "decline", "answer": "It is that bad."}
    await lists.act(entry, f"appeals/{appeal.json()['id']}/answer", lists.second, **body)
    assert await lists.refused() == LISTED
    path = f"{LISTS}/entries/{entry['id']}/history"
    told = (await lists.world.call("GET", path, lists.lister)).json()
    assert [step["entry"]["what"] for step in told["steps"]] == ["listed", "appeal declined"]
    assert told["intact"] is True
    await lists.world.execute("UPDATE blacklist_entries SET reason = 'another'")
    assert (await lists.world.call("GET", path, lists.lister)).json()["intact"] is False
    for statement in ("DELETE FROM blacklist_history", "DELETE FROM blacklist_entries"):
        with pytest.raises(DBAPIError):
            await lists.world.execute(statement)
    with pytest.raises(DBAPIError, match="answered once"):
        await lists.world.execute("UPDATE blacklist_appeals SET text = 'We agree.'")


async def test_no_text_leaves_by_the_feed_or_the_reduced_form(lists: Lists):
    await lists.put_on(categories=["rebar"])
    [told] = await events(lists.world)
    assert (told["type_codes"], told["owner_group_id"]) == (["RB-HRB"], str(lists.group_id))
    notices = await lists.world.rows("SELECT * FROM blacklist_notices")
    assert "SECRET" not in str(told) + str(notices)
    assert "QA-17" not in str(told) + str(notices)


async def test_each_wall_holds_alone(lists: Lists):
    await lists.put_on()
    tables = ("blacklist_entries", "blacklist_history", "blacklist_notices", "blacklist_versions")
    for table in tables:
        seen = []
        for scope in ((lists.group_id,), (new_id(),), ()):
            async with transaction(lists.world.database.app, *scope) as session:
                seen.append(await session.scalar(text(f"SELECT count(*) FROM {table}")))
        assert seen == [1, 0, 0], table
    async with transaction(lists.world.database.app, lists.world.supplier_id) as session:
        assert await session.scalar(text("SELECT count(*) FROM blacklist_entries")) == 1
        changed = await session.execute(text("UPDATE blacklist_entries SET level = 'NO_INVITE' RETURNING 1"))
        assert changed.all() == []


def test_the_circle_sees_the_fact_where_every_category_is_open_to_it():
    group, circle, other = new_id(), new_id(), new_id()
    member = a_person(Role.BUYER, circle_ids=frozenset({circle})).viewer_keys
    outside = a_person(Role.BUYER, circle_ids=frozenset({other})).viewer_keys
    private = Space(group_id=group)
    opened = Space(group_id=group, stage=Stage.S2, circle_id=circle)
    market = Space(group_id=group, stage=Stage.S3)
    for spaces, seen in (
        ([opened], True),
        ([private], False),
        ([market], False),
        ([], False),
        ([opened, private], False),
    ):
        keys = notice_keys(owner_id=group, spaces=spaces)
        assert visible(keys, member) is seen, spaces
        assert not visible(keys, outside)
        assert f"group:{group}" in keys
