"""Stage changes through the API: two approvers, live gates, announcement, effect, suspension, reversal."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.members.stages.jobs import make_due_changes_effective
from services.members.stages.rules import CHANGE_MOVES, ChangeStatus
from shared.clients.members import MembersClient
from shared.clients.transport import FixedToken, ServiceClient
from shared.database import transaction
from shared.identity import Role, Scope
from shared.ids import new_id
from tests.conftest import a_person, a_service, signed_in, token_for
from tests.members.federation import CATEGORY, Federation


async def ready(federation: Federation, size: int = 2) -> tuple[list[UUID], UUID]:
    """Groups in a circle, and evidence for every gate."""
    groups = [await federation.group() for _ in range(size)]
    circle = await federation.circle(*groups)
    await federation.all_evidence()
    return groups, circle


async def test_a_category_opens_to_a_circle_and_then_to_the_market(federation: Federation):
    groups, circle = await ready(federation, 5)
    a = groups[0]
    change = await federation.opened(a, circle)
    assert await federation.stage(a) == ("S2", str(circle))
    told = await federation.events("stage.changed")
    assert [(e["before_stage"], e["stage"], e["circle_id"], e["category"]) for e in told] == [
        ("S1", "S2", str(circle), CATEGORY)
    ]
    further = await federation.drafted(a, "S3")
    await federation.announced(a, further)
    assert await federation.due() == 1
    assert await federation.stage(a) == ("S3", None)
    assert await federation.stage(groups[1]) == ("S1", None), "a stage is one group's"
    history = (await federation.get(a, f"{further}/history")).json()
    assert history["intact"]
    assert [entry["what"] for entry in history["entries"]] == [
        "drafted", "gates checked", "approved by tenant", "approved by operator", "announced", "took effect",
    ]  # fmt: skip
    back = await federation.post(a, f"{further}/reversal", {"reason": "市场反馈不佳"})
    assert back.json()["status"] == "REVERTED"
    assert await federation.stage(a) == ("S2", str(circle))
    assert (await federation.get(a, change)).json()["status"] == "EFFECTIVE"


async def test_a_step_is_not_skipped_repeated_or_taken_backwards(federation: Federation):
    groups, circle = await ready(federation)
    a = groups[0]
    jump = await federation.draft(a, "S3", circle)
    assert (jump.status_code, jump.json()["code"]) == (409, "NotOneStep")
    assert (await federation.draft(a, "S1", circle)).status_code == 422
    await federation.opened(a, circle)
    assert (await federation.draft(a, "S2", circle)).json()["code"] == "NotOneStep"


async def test_only_a_circle_the_group_stands_in_can_be_opened_to(federation: Federation):
    groups, circle = await ready(federation)
    stranger = await federation.group()
    for group, named in ((stranger, circle), (groups[0], None), (groups[0], new_id())):
        answer = await federation.draft(group, "S2", named)
        assert (answer.status_code, answer.json()["code"]) == (409, "NotInThisCircle")
    await federation.post(groups[0], f"circles/{circle}/invitations", {"group_id": str(stranger)})
    assert (await federation.draft(stranger, "S2", circle)).json()["code"] == "NotInThisCircle", "invited is not in"


async def test_of_many_drafts_at_one_moment_one_is_made(federation: Federation):
    groups, circle = await ready(federation)
    answers = await asyncio.gather(*(federation.draft(groups[0], "S2", circle) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"ChangeUnderWay"}


async def test_what_nobody_measures_fails_its_gate_and_is_shown_so(federation: Federation):
    groups, circle = await ready(federation)
    federation.gate_data.mapped_spend_share = None
    change = await federation.drafted(groups[0], "S2", circle)
    checked = (await federation.post(groups[0], f"{change}/gates")).json()
    assert checked["status"] == "DRAFT"
    [gate] = [gate for gate in checked["gates"] if not gate["passed"]]
    assert (gate["gate"], gate["measured"], gate["required"]) == ("mapped_spend", None, ">= 0.8")
    refused = await federation.post(groups[0], f"{change}/approvals/tenant")
    assert (refused.status_code, refused.json()["code"]) == (409, "ChangeMoveRefused")


async def test_without_other_services_no_gate_that_needs_them_holds(federation: Federation):
    groups, circle = await ready(federation)
    change = await federation.drafted(groups[0], "S2", circle)
    await federation.announced(groups[0], change)
    at = datetime.now(UTC) + timedelta(days=8)
    federation.gate_data.valid_supplier_share = None
    await make_due_changes_effective(federation.database.system, gate_data=federation.gate_data, at=at)
    read = (await federation.get(groups[0], change)).json()
    assert (read["status"], await federation.stage(groups[0])) == ("SUSPENDED", ("S1", None))
    assert "valid_suppliers: not measured" in read["end_reason"]
    assert await federation.events("stage.changed") == []


@pytest.mark.parametrize("side", ["tenant", "operator"])
async def test_gate_data_that_changed_between_check_and_approval_is_refused_by_name(federation: Federation, side):
    groups, circle = await ready(federation)
    a = groups[0]
    change = await federation.drafted(a, "S2", circle)
    await federation.post(a, f"{change}/gates")
    as_ = federation.as_(a) if side == "tenant" else await federation.as_operator()
    federation.gate_data.mapped_spend_share = Decimal("0.90")
    refused = await federation.post(a, f"{change}/approvals/{side}", as_=as_)
    assert (refused.status_code, refused.json()["code"]) == (409, "GateDataChanged")
    assert [(e["field"], e["message"]) for e in refused.json()["errors"]] == [
        ("mapped_spend", "0.97 when checked, 0.9 now.")
    ]
    await federation.post(a, f"{change}/gates")
    federation.gate_data.mapped_spend_share = Decimal("0.93")
    assert (await federation.post(a, f"{change}/approvals/{side}", as_=as_)).status_code == 200, "better is not worse"


async def test_another_group_in_the_circle_is_another_thing_to_approve(federation: Federation):
    groups, circle = await ready(federation)
    a, b = groups
    change = await federation.drafted(a, "S2", circle)
    await federation.post(a, f"{change}/gates")
    await federation.enter(circle, await federation.group(), members=(a, b))
    refused = await federation.post(a, f"{change}/approvals/tenant")
    assert (refused.json()["code"], refused.json()["errors"][0]["field"]) == ("GateDataChanged", "independent_groups")


async def test_checking_again_voids_what_was_approved(federation: Federation):
    groups, circle = await ready(federation)
    change = await federation.drafted(groups[0], "S2", circle)
    await federation.post(groups[0], f"{change}/gates")
    await federation.post(groups[0], f"{change}/approvals/tenant")
    again = (await federation.post(groups[0], f"{change}/gates")).json()
    assert (again["status"], again["tenant_approved_at"]) == ("GATES_CHECKED", None)


async def test_one_person_cannot_approve_for_both_sides_nor_one_side_twice(federation: Federation):
    groups, circle = await ready(federation)
    a = groups[0]
    change = await federation.drafted(a, "S2", circle)
    await federation.post(a, f"{change}/gates")
    approved = await federation.post(a, f"{change}/approvals/tenant")
    assert approved.json()["status"] == "GATES_CHECKED", "one approval is half of it"
    assert (await federation.post(a, f"{change}/approvals/tenant")).json()["code"] == "AlreadyApproved"
    same = a_person(Role.OPERATOR, company_id=await federation.world.company("operator"))
    same_person = signed_in(a_person(Role.OPERATOR, company_id=same.company_id, subject=federation.admins[a].subject))
    refused = await federation.post(a, f"{change}/approvals/operator", as_=same_person)
    assert (refused.status_code, refused.json()["code"]) == (403, "OnePersonTwice")
    own_operator = signed_in(a_person(Role.OPERATOR, company_id=a))
    refused = await federation.post(a, f"{change}/approvals/operator", as_=own_operator)
    assert (refused.status_code, refused.json()["code"]) == (403, "OperatorNotIndependent")
    affiliate = await federation.world.company("operator")
    link = {"parent_id": str(a), "valid_from": "2026-01-01"}
    await federation.world.post(f"/members/companies/{affiliate}/links", link, as_=federation.world.as_operator)
    of_the_group = signed_in(a_person(Role.OPERATOR, company_id=affiliate))
    refused = await federation.post(a, f"{change}/approvals/operator", as_=of_the_group)
    assert refused.json()["code"] == "OperatorNotIndependent"
    assert (await federation.post(a, f"{change}/announcement", {"effective_from": "2099-01-01T00:00:00Z"})).json()[
        "code"
    ] == "ChangeMoveRefused"


async def test_both_sides_approving_at_one_moment_approve(federation: Federation):
    groups, circle = await ready(federation)
    a = groups[0]
    change = await federation.drafted(a, "S2", circle)
    await federation.post(a, f"{change}/gates")
    operator = await federation.as_operator()
    answers = await asyncio.gather(
        federation.post(a, f"{change}/approvals/tenant"),
        federation.post(a, f"{change}/approvals/operator", as_=operator),
    )
    assert [answer.status_code for answer in answers] == [200, 200]
    assert (await federation.get(a, change)).json()["status"] == "APPROVED"


async def test_less_than_seven_days_is_not_announced(federation: Federation):
    groups, circle = await ready(federation)
    a = groups[0]
    change = await federation.drafted(a, "S2", circle)
    await federation.post(a, f"{change}/gates")
    await federation.approve(a, change)
    soon = datetime.now(UTC) + timedelta(days=7) - timedelta(minutes=1)
    refused = await federation.post(a, f"{change}/announcement", {"effective_from": soon.isoformat()})
    assert (refused.status_code, refused.json()["code"]) == (409, "AnnouncedTooShort")
    later = soon + timedelta(hours=1)
    assert (
        await federation.post(a, f"{change}/announcement", {"effective_from": later.isoformat()})
    ).status_code == 200
    assert [event["to_stage"] for event in await federation.events("stage.announced")] == ["S2"]
    early = await make_due_changes_effective(
        federation.database.system, gate_data=federation.gate_data, at=datetime.now(UTC) + timedelta(days=6)
    )
    assert (early, await federation.stage(a)) == (0, ("S1", None))


async def test_a_due_change_takes_effect_once_however_many_workers_see_it(federation: Federation):
    groups, circle = await ready(federation)
    change = await federation.drafted(groups[0], "S2", circle)
    await federation.announced(groups[0], change)
    await asyncio.gather(*(federation.due() for _ in range(4)))
    assert len(await federation.events("stage.changed")) == 1
    history = (await federation.get(groups[0], f"{change}/history")).json()
    assert [entry["what"] for entry in history["entries"]].count("took effect") == 1
    assert await federation.due() == 0


async def test_a_group_that_was_bought_meanwhile_does_not_open(federation: Federation):
    groups, circle = await ready(federation, 3)
    change = await federation.drafted(groups[0], "S2", circle)
    await federation.announced(groups[0], change)
    buyer = await federation.group()
    link = {"parent_id": str(buyer), "valid_from": "2026-01-01"}
    await federation.world.post(f"/members/companies/{groups[0]}/links", link, as_=federation.world.as_operator)
    await federation.due()
    assert (await federation.get(groups[0], change)).json()["status"] == "SUSPENDED"
    assert await federation.stage(groups[0]) == ("S1", None)


async def test_leaving_a_circle_closes_what_was_open_to_it_in_the_same_moment(federation: Federation):
    groups, circle = await ready(federation, 3)
    a, b, _ = groups
    change = await federation.opened(a, circle)
    await federation.post(a, f"circles/{circle}/leaving", {})
    assert await federation.stage(a) == ("S1", None)
    assert (await federation.get(a, change)).json()["status"] == "REVERTED"
    assert [event["stage"] for event in await federation.events("stage.changed")] == ["S2", "S1"]
    other = await federation.opened(b, circle)
    await federation.post(b, f"circles/{circle}/dissolution", {"reason": "目的已达成"})
    assert await federation.stage(b) == ("S1", None)
    assert (await federation.get(b, other)).json()["status"] == "REVERTED"


async def test_a_removed_member_does_not_stay_open_to_the_circle_nor_open_to_it_later(federation: Federation):
    groups, circle = await ready(federation, 3)
    a, b, c = groups
    change = await federation.drafted(b, "S2", circle)
    await federation.announced(b, change)
    opened = await federation.drafted(c, "S2", circle)
    await federation.announced(c, opened)
    await asyncio.gather(
        federation.due(), federation.post(a, f"circles/{circle}/members/{b}/removal", {"reason": "违反规则"})
    )
    assert await federation.stage(b) == ("S1", None)
    assert (await federation.get(b, change)).json()["status"] == "REVERTED"
    await federation.due()
    assert await federation.stage(c) == ("S2", str(circle)), "the others go on"


async def test_what_is_left_of_the_market_after_leaving_the_circle_is_private(federation: Federation):
    groups, circle = await ready(federation, 5)
    a = groups[0]
    first = await federation.opened(a, circle)
    further = await federation.drafted(a, "S3")
    await federation.announced(a, further)
    await federation.due()
    early = await federation.post(a, f"{first}/reversal", {"reason": "先收回第一步"})
    assert (early.status_code, early.json()["code"]) == (409, "LaterChangeStands")
    await federation.post(a, f"circles/{circle}/leaving", {})
    assert await federation.stage(a) == ("S3", None), "the market does not rest on the circle"
    await federation.post(a, f"{further}/reversal", {"reason": "收回"})
    assert await federation.stage(a) == ("S1", None)
    assert (await federation.get(a, first)).json()["status"] == "REVERTED"


async def test_either_side_suspends_alone_and_both_must_approve_to_go_on(federation: Federation):
    groups, circle = await ready(federation)
    a = groups[0]
    change = await federation.opened(a, circle)
    operator = await federation.as_operator()
    suspended = await federation.post(a, f"{change}/suspension", {"reason": "保密测试失败"}, as_=operator)
    assert (suspended.status_code, suspended.json()["status"]) == (200, "SUSPENDED"), suspended.text
    assert await federation.stage(a) == ("S1", None)
    alone = await federation.post(a, f"{change}/approvals/tenant")
    assert alone.json()["code"] == "ChangeMoveRefused", "the gates come first"
    await federation.post(a, f"{change}/gates")
    assert (await federation.post(a, f"{change}/approvals/tenant")).json()["status"] == "SUSPENDED"
    await federation.due()
    assert await federation.stage(a) == ("S1", None)
    resumed = await federation.post(a, f"{change}/approvals/operator", as_=operator)
    assert resumed.json()["status"] == "ANNOUNCED"
    assert await federation.due() == 1
    assert await federation.stage(a) == ("S2", str(circle))
    assert (await federation.get(a, f"{change}/history")).json()["intact"]


async def test_the_report_names_the_circle_and_what_each_kind_of_object_becomes(federation: Federation):
    groups, circle = await ready(federation)
    change = await federation.drafted(groups[0], "S2", circle)
    report = (await federation.get(groups[0], f"{change}/report")).json()
    assert {each["id"] for each in report["circle"]} == {str(group) for group in groups}
    lines = {line["kind"]: line for line in report["lines"]}
    assert lines["listing"]["after"] == "the groups of the circle"
    assert "agreement_price" not in lines


async def test_who_is_not_the_groups_admin_or_an_operator_gets_nowhere(federation: Federation):
    groups, circle = await ready(federation)
    a, b = groups
    change = await federation.drafted(a, "S2", circle)
    asked = len(federation.gate_data.asked)
    reads = ["stages", f"stages/{CATEGORY}/changes", change, f"{change}/history", f"{change}/report"]
    writes = {
        f"stages/{CATEGORY}/changes": {"to_stage": "S2", "reason": "年度计划", "circle_id": str(circle)},
        f"{change}/gates": None,
        f"{change}/approvals/tenant": None,
        f"{change}/approvals/operator": None,
        f"{change}/announcement": {"effective_from": "2099-01-01T00:00:00Z"},
        f"{change}/suspension": {"reason": "理由充分"},
        f"{change}/reversal": {"reason": "理由充分"},
    }
    for path in reads:
        assert (await federation.get(a, path, as_=federation.as_(b))).json()["code"] == "NotYours", path
        assert (await federation.get(a, path, as_=await federation.as_operator())).status_code == 200, path
        assert (await federation.world.http.get(f"/members/companies/{a}/{path}")).status_code == 401
    for path, body in writes.items():
        foreign = await federation.post(a, path, body, as_=federation.as_(b))
        expected = {"RightMissing"} if path.endswith("approvals/operator") else {"NotYours"}
        assert foreign.json()["code"] in expected, path
        for role in set(Role) - {Role.ADMIN, Role.OPERATOR}:
            colleague = signed_in(a_person(role, company_id=a))
            assert (await federation.post(a, path, body, as_=colleague)).status_code == 403, (path, role)
    for path in (f"stages/{CATEGORY}/changes", f"{change}/approvals/tenant"):
        operator = await federation.post(a, path, writes[path], as_=await federation.as_operator())
        assert (operator.status_code, operator.json()["code"]) == (403, "RightMissing")
    assert len(federation.gate_data.asked) == asked, "no stranger makes us ask other services"
    assert (await federation.get(b, change)).json()["code"] == "StageChangeNotFound"


class TestEvidence:
    """What operators put on record."""

    async def test_the_latest_counts_and_none_is_lost(self, federation: Federation):
        groups, circle = await ready(federation)
        await federation.evidence("confidentiality_suite", "red")
        change = await federation.drafted(groups[0], "S2", circle)
        checked = (await federation.post(groups[0], f"{change}/gates")).json()
        assert [gate["gate"] for gate in checked["gates"] if not gate["passed"]] == ["confidentiality_suite"]
        listed = await federation.world.http.get("/members/gate-evidence", headers=await federation.as_operator())
        suites = [each["state"] for each in listed.json() if each["kind"] == "confidentiality_suite"]
        assert suites == ["green", "red"]

    @pytest.mark.parametrize(
        ("kind", "state", "more", "field"),
        [
            ("confidentiality_suite", "passed", {}, "state"),
            ("public_tender_duty", "applies", {}, "group_id"),
            ("export_drill", "passed", {"group_id": str(new_id())}, "group_id"),
            ("public_tender_duty", "applies", {"group_id": str(new_id())}, "group_id"),
            ("export_drill", "passed", {"on": "2199-01-01"}, "on"),
        ],
    )
    async def test_what_does_not_fit_is_refused_by_name(self, federation: Federation, kind, state, more, field):
        answer = await federation.evidence(kind, state, **more)
        assert (answer.status_code, answer.json()["code"]) == (422, "EvidenceMalformed")
        assert answer.json()["errors"][0]["field"] == field

    async def test_only_an_operator_vouches(self, federation: Federation):
        body = {"kind": "export_drill", "state": "passed", "on": "2026-01-01", "reference": "x"}
        for role in set(Role) - {Role.OPERATOR}:
            answer = await federation.world.post("/members/gate-evidence", body, as_=signed_in(a_person(role)))
            assert answer.status_code == 403, role

    async def test_a_duty_to_tender_in_public_is_one_groups(self, federation: Federation):
        groups, circle = await ready(federation, 3)
        a, b, _ = groups
        await federation.evidence("public_tender_duty", "applies", group_id=str(a))
        for group, status in ((a, "GATES_CHECKED"), (b, "DRAFT")):
            await federation.opened(group, circle)
            further = await federation.drafted(group, "S3")
            assert (await federation.post(group, f"{further}/gates")).json()["status"] == status


class TestSecondWall:
    """What PostgreSQL keeps, whoever writes."""

    async def test_a_groups_stages_and_changes_are_its_own(self, federation: Federation):
        groups, circle = await ready(federation)
        await federation.opened(groups[0], circle)
        for table in ("stages", "stage_changes", "stage_change_history"):
            for group, seen in ((groups[0], True), (groups[1], False)):
                async with transaction(federation.database.app, group) as session:
                    assert bool(await session.scalar(text(f"SELECT count(*) FROM {table}"))) == seen

    @pytest.mark.parametrize(
        ("change", "constraint"),
        [
            ("operator_approver_id = tenant_approver_id", "two_persons"),
            ("operator_company_id = group_id", "two_companies"),
            ("effective_from = announced_at + interval '6 days'", "seven_days"),
            ("to_stage = 'S3'", "one_step"),
            ("tenant_approver_id = NULL, tenant_approved_at = NULL", "approved_by_two"),
            ("status = 'EFFECTIVE'", "took_effect"),
            ("status = 'EFFECTIVE', effective_at = announced_at", "not_before"),
            ("status = 'DRAFT'", "does not go from ANNOUNCED to DRAFT"),
        ],
    )
    async def test_an_approved_document_cannot_be_bent(self, federation: Federation, change, constraint):
        groups, circle = await ready(federation)
        path = await federation.drafted(groups[0], "S2", circle)
        await federation.announced(groups[0], path)
        with pytest.raises(DBAPIError, match=constraint):
            async with transaction(federation.database.system) as session:
                await session.execute(text(f"UPDATE stage_changes SET {change}"))

    async def test_the_databases_moves_are_the_rules(self, federation: Federation):
        async with transaction(federation.database.system) as session:
            source = await session.scalar(text("SELECT prosrc FROM pg_proc WHERE proname = 'stage_changes_move'"))
        assert source is not None
        for old in ChangeStatus:
            for new in ChangeStatus:
                assert (f"('{old}', '{new}')" in source) == ((old, new) in CHANGE_MOVES)

    @pytest.mark.parametrize("table", ["stage_change_history", "gate_evidence"])
    async def test_records_are_append_only(self, federation: Federation, table):
        groups, circle = await ready(federation)
        await federation.drafted(groups[0], "S2", circle)
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET group_id = NULL"):
            with pytest.raises(DBAPIError, match="permission denied"):
                async with transaction(federation.database.system) as session:
                    await session.execute(text(statement))


async def test_services_read_all_stages_through_the_typed_client(federation: Federation):
    groups, circle = await ready(federation)
    for group in groups:
        await federation.opened(group, circle)
    token = FixedToken(token_for(a_service(Scope.COMPANIES_READ)))
    client = MembersClient(ServiceClient("members", federation.world.http, token))
    assert {stage.group_id for stage in await client.stages()} == set(groups)
    [one] = await client.stages(group_id=groups[0])
    assert (one.category, one.stage, one.circle_id) == (CATEGORY, "S2", circle)
    person = await federation.world.http.get("/members/stages", headers=federation.as_(groups[0]))
    assert person.status_code == 403
    first = await federation.world.http.get(
        "/members/stages?limit=1", headers=signed_in(a_service(Scope.COMPANIES_READ))
    )
    following = await federation.world.http.get(
        first.links["next"]["url"], headers=signed_in(a_service(Scope.COMPANIES_READ))
    )
    assert {first.json()[0]["group_id"], following.json()[0]["group_id"]} == {str(group) for group in groups}
