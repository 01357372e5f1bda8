"""Circles through the API: who may enter, who decides, what leaves with whom."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.members.app import own_keys
from services.members.circles.queries import circle_ids_anywhere
from services.members.circles.rules import STANDING_MOVES, StandingStatus, consents_missing, independent, may_move
from shared.database import transaction
from shared.identity import Role, TokenVerifier
from shared.ids import new_id
from tests.conftest import a_person, signed_in
from tests.members.federation import Federation


async def under(federation: Federation, child: UUID, parent: UUID) -> None:
    body = {"parent_id": str(parent), "valid_from": "2026-01-01"}
    world = federation.world
    answer = await world.post(f"/members/companies/{child}/links", body, as_=world.as_operator)
    assert answer.status_code == 201, answer.text


def members_of(circle: dict[str, Any]) -> set[str]:
    return {each["group_id"] for each in circle["standings"] if each["status"] == "ACTIVE"}


async def test_a_group_enters_when_every_member_has_agreed_and_its_own_admin_accepts(federation: Federation):
    a, b, c = [await federation.group() for _ in range(3)]
    circle = await federation.circle(a, b)
    invited = await federation.post(a, f"circles/{circle}/invitations", {"group_id": str(c)})
    assert (invited.status_code, invited.json()["agreed_ids"]) == (201, [str(a)])
    early = await federation.post(c, f"circles/{circle}/acceptance")
    assert (early.status_code, early.json()["code"]) == (409, "ConsentsMissing")
    assert early.json()["missing"] == [str(b)]
    await federation.post(b, f"circles/{circle}/invitations/{c}/agreement")
    accepted = await federation.post(c, f"circles/{circle}/acceptance")
    assert (accepted.status_code, accepted.json()["status"]) == (200, "ACTIVE")
    record = (await federation.get(b, f"circles/{circle}")).json()
    assert members_of(record) == {str(a), str(b), str(c)}
    assert record["independent_groups"] == 3
    told = await federation.events("circle.changed")
    assert [event["what"] for event in told] == [
        "founded", "invited", "joined", "invited", "agreed", "joined",
    ]  # fmt: skip
    assert sorted(told[-1]["member_ids"]) == sorted(map(str, (a, b, c)))


async def test_who_acts_for_both_sides_cannot_accept_what_they_proposed(federation: Federation):
    a, b = await federation.group(), await federation.group()
    circle = await federation.circle(a)
    await federation.post(a, f"circles/{circle}/invitations", {"group_id": str(b)})
    both = a_person(Role.ADMIN, company_id=b, subject=federation.admins[a].subject)
    answer = await federation.post(b, f"circles/{circle}/acceptance", as_=signed_in(both))
    assert (answer.status_code, answer.json()["code"]) == (403, "SamePersonOnBothSides")
    assert (await federation.post(b, f"circles/{circle}/acceptance")).status_code == 200


async def test_a_member_that_entered_meanwhile_must_agree_too(federation: Federation):
    a, b, c = [await federation.group() for _ in range(3)]
    circle = await federation.circle(a)
    for group in (b, c):
        await federation.post(a, f"circles/{circle}/invitations", {"group_id": str(group)})
    assert (await federation.post(b, f"circles/{circle}/acceptance")).status_code == 200
    refused = await federation.post(c, f"circles/{circle}/acceptance")
    assert refused.json()["missing"] == [str(b)]


async def test_two_newcomers_at_one_moment_do_not_both_enter_without_the_others_agreement(federation: Federation):
    a, b, c = [await federation.group() for _ in range(3)]
    circle = await federation.circle(a)
    for group in (b, c):
        await federation.post(a, f"circles/{circle}/invitations", {"group_id": str(group)})
    answers = await asyncio.gather(*(federation.post(group, f"circles/{circle}/acceptance") for group in (b, c)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_a_group_invited_twice_at_one_moment_is_invited_once(federation: Federation):
    a, b, c = [await federation.group() for _ in range(3)]
    circle = await federation.circle(a, b)
    answers = await asyncio.gather(
        *(federation.post(member, f"circles/{circle}/invitations", {"group_id": str(c)}) for member in (a, b) * 3)
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"AlreadyInTheCircle"}


async def test_entering_and_dissolving_at_one_moment_leaves_no_member_of_a_dissolved_circle(federation: Federation):
    a, b = await federation.group(), await federation.group()
    circle = await federation.circle(a)
    await federation.post(a, f"circles/{circle}/invitations", {"group_id": str(b)})
    await asyncio.gather(
        federation.post(b, f"circles/{circle}/acceptance"),
        federation.post(a, f"circles/{circle}/dissolution", {"reason": "不再需要"}),
    )
    async with transaction(federation.database.system) as session:
        assert await circle_ids_anywhere(session, company_id=b, at=datetime.now(UTC)) == frozenset()
        standing = await session.scalar(text("SELECT count(*) FROM circle_standings WHERE status = 'ACTIVE'"))
        assert standing == 0


async def test_only_the_top_of_a_contractor_group_acts_for_it(federation: Federation):
    group, entity = await federation.group(), await federation.group("contractor")
    await under(federation, entity, group)
    supplier = await federation.group("supplier")
    for company in (entity, supplier):
        answer = await federation.post(company, "circles", {"name": "圈"})
        assert (answer.status_code, answer.json()["code"]) == (409, "NotAContractorGroup")
    circle = await federation.circle(group)
    for company in (entity, supplier, new_id()):
        answer = await federation.post(group, f"circles/{circle}/invitations", {"group_id": str(company)})
        assert (answer.status_code, answer.json()["code"]) == (422, "NoSuchGroup")


async def test_groups_that_came_under_one_owner_count_once(federation: Federation):
    a, b, c = [await federation.group() for _ in range(3)]
    circle = await federation.circle(a, b, c)
    await under(federation, b, a)
    record = (await federation.get(a, f"circles/{circle}")).json()
    assert len(members_of(record)) == 3
    assert record["independent_groups"] == 2


async def test_a_member_that_takes_no_part_does_not_count(federation: Federation):
    a, b = await federation.group(), await federation.group()
    circle = await federation.circle(a, b)
    world = federation.world
    headers = {**world.as_operator, "If-Match": '"1"'}
    await world.http.patch(f"/members/companies/{b}", json={"status": "SUSPENDED"}, headers=headers)
    assert (await federation.get(a, f"circles/{circle}")).json()["independent_groups"] == 1


async def test_an_invited_group_sees_who_is_in_it_not_who_left_and_why(federation: Federation):
    a, b, c = [await federation.group() for _ in range(3)]
    circle = await federation.circle(a, b)
    await federation.post(a, f"circles/{circle}/members/{b}/removal", {"reason": "违反规则"})
    await federation.post(a, f"circles/{circle}/invitations", {"group_id": str(c)})
    seen = await federation.get(c, f"circles/{circle}")
    assert {each["group_id"] for each in seen.json()["standings"]} == {str(a), str(c)}
    assert "违反规则" not in seen.text
    history = await federation.get(c, f"circles/{circle}/history")
    assert (history.status_code, history.json()["code"]) == (409, "NotAMemberOfTheCircle")
    assert "违反规则" in (await federation.get(a, f"circles/{circle}")).text


async def test_a_group_declines_or_a_member_takes_the_invitation_back_and_it_can_be_invited_again(
    federation: Federation,
):
    a, b = await federation.group(), await federation.group()
    circle = await federation.circle(a)
    address = f"circles/{circle}/invitations/{b}"
    for by in (b, a):
        await federation.post(a, f"circles/{circle}/invitations", {"group_id": str(b)})
        ended = await federation.world.http.delete(f"/members/companies/{by}/{address}", headers=federation.as_(by))
        assert ended.json()["status"] == ("DECLINED" if by == b else "WITHDRAWN")
        gone = await federation.post(b, f"circles/{circle}/acceptance")
        assert (gone.status_code, gone.json()["code"]) == (404, "CircleNotFound")
    await federation.enter(circle, b, members=(a,))
    assert len(members_of((await federation.get(b, f"circles/{circle}")).json())) == 2


async def test_when_the_lead_leaves_the_member_there_longest_leads(federation: Federation):
    a, b, c = [await federation.group() for _ in range(3)]
    circle = await federation.circle(a, b, c)
    left = await federation.post(a, f"circles/{circle}/leaving", {"reason": "战略调整"})
    assert (left.status_code, left.json()["status"]) == (200, "LEFT"), left.text
    assert left.json()["valid_until"] is not None
    assert (await federation.get(a, f"circles/{circle}")).status_code == 404
    assert (await federation.get(c, f"circles/{circle}")).json()["lead_id"] == str(b)
    refused = await federation.post(c, f"circles/{circle}/members/{b}/removal", {"reason": "违反规则"})
    assert (refused.status_code, refused.json()["code"]) == (403, "OnlyTheLead")
    removed = await federation.post(b, f"circles/{circle}/members/{c}/removal", {"reason": "违反规则"})
    assert (removed.json()["status"], removed.json()["end_reason"]) == ("REMOVED", "违反规则")
    itself = await federation.post(b, f"circles/{circle}/members/{b}/removal", {"reason": "违反规则"})
    assert itself.json()["code"] == "LeadRemovesItself"
    last = await federation.post(b, f"circles/{circle}/leaving", {})
    assert (last.status_code, last.json()["code"]) == (409, "LastMember")


async def test_a_removal_without_a_reason_is_refused(federation: Federation):
    a, b = await federation.group(), await federation.group()
    circle = await federation.circle(a, b)
    for body in ({}, {"reason": "  "}, {"reason": "坏"}):
        answer = await federation.post(a, f"circles/{circle}/members/{b}/removal", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "MalformedRequest")


async def test_two_who_leave_at_one_moment_do_not_leave_the_circle_empty(federation: Federation):
    a, b = await federation.group(), await federation.group()
    circle = await federation.circle(a, b)
    answers = await asyncio.gather(*(federation.post(group, f"circles/{circle}/leaving", {}) for group in (a, b)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_a_dissolved_circle_takes_no_steps_and_keeps_its_history(federation: Federation):
    a, b = await federation.group(), await federation.group()
    circle = await federation.circle(a, b)
    dissolved = await federation.post(a, f"circles/{circle}/dissolution", {"reason": "目的已达成"})
    assert (dissolved.status_code, dissolved.json()["status"]) == (200, "DISSOLVED")
    for path, body in (("invitations", {"group_id": str(b)}), ("leaving", {}), ("dissolution", {"reason": "再一次"})):
        answer = await federation.post(a, f"circles/{circle}/{path}", body)
        assert answer.json()["code"] == "CircleIsDissolved"
    history = (await federation.get(b, f"circles/{circle}/history")).json()
    assert history["intact"]
    assert [entry["what"] for entry in history["entries"]] == ["founded", "invited", "joined", "dissolved"]
    assert history["entries"][-1]["actor"]["company_id"] == str(a)


async def test_strangers_and_other_roles_learn_nothing_of_a_circle(federation: Federation):
    a, b, stranger = [await federation.group() for _ in range(3)]
    circle = await federation.circle(a, b)
    paths = ["circles", f"circles/{circle}", f"circles/{circle}/history"]
    for path in paths:
        foreign = await federation.get(a, path, as_=federation.as_(stranger))
        assert (foreign.status_code, foreign.json()["code"]) == (404, "NotYours")
        assert (await federation.get(a, path, as_=await federation.as_operator())).status_code == 200
        for role in set(Role) - {Role.ADMIN, Role.OPERATOR}:
            own = await federation.get(a, path, as_=signed_in(a_person(role, company_id=a)))
            assert (own.status_code, own.json()["code"]) == (403, "RightMissing"), role
        assert (await federation.world.http.get(f"/members/companies/{a}/{path}")).status_code == 401
    assert (await federation.get(stranger, f"circles/{circle}")).json()["code"] == "CircleNotFound"
    assert (await federation.get(stranger, "circles")).json() == []


async def test_nobody_decides_for_a_group_but_its_own_admin(federation: Federation):
    a, b, stranger = [await federation.group() for _ in range(3)]
    circle = await federation.circle(a, b)
    steps = {
        "": {"name": "圈"},
        f"/{circle}/invitations": {"group_id": str(stranger)},
        f"/{circle}/invitations/{stranger}/agreement": None,
        f"/{circle}/acceptance": None,
        f"/{circle}/leaving": {},
        f"/{circle}/members/{b}/removal": {"reason": "理由充分"},
        f"/{circle}/dissolution": {"reason": "理由充分"},
    }
    for path, body in steps.items():
        foreign = await federation.post(a, f"circles{path}", body, as_=federation.as_(stranger))
        assert (foreign.status_code, foreign.json()["code"]) == (404, "NotYours"), path
        operator = await federation.post(a, f"circles{path}", body, as_=await federation.as_operator())
        assert (operator.status_code, operator.json()["code"]) == (403, "RightMissing"), path
        for role in set(Role) - {Role.ADMIN}:
            colleague = signed_in(a_person(role, company_id=a))
            assert (await federation.post(a, f"circles{path}", body, as_=colleague)).status_code == 403, (path, role)
        if path:
            outsider = await federation.post(stranger, f"circles{path}", body)
            assert outsider.json()["code"] == "CircleNotFound", path
    assert len(members_of((await federation.get(a, f"circles/{circle}")).json())) == 2


async def test_a_member_that_was_bought_decides_nothing_more_but_can_leave(federation: Federation):
    a, b, buyer = [await federation.group() for _ in range(3)]
    circle = await federation.circle(a, b)
    await under(federation, b, buyer)
    invited = await federation.post(b, f"circles/{circle}/invitations", {"group_id": str(buyer)})
    assert (invited.status_code, invited.json()["code"]) == (409, "NotAContractorGroup")
    assert (await federation.post(b, f"circles/{circle}/leaving", {})).json()["status"] == "LEFT"


class TestTokens:
    """Circles in access tokens."""

    async def circles_in_token(self, federation: Federation, email: str) -> frozenset[UUID]:
        signed = (await federation.world.sign_in(email)).json()
        verifier = TokenVerifier(issuer="dougong", fetch_keys=own_keys(federation.database))
        principal = await verifier.verify(signed["access_token"])
        assert {f"circle:{each}" for each in principal.circle_ids} <= principal.viewer_keys
        return principal.circle_ids

    async def test_a_circle_is_in_the_next_token_of_its_members_people_and_not_after_they_left(
        self, federation: Federation
    ):
        a, b = await federation.group(), await federation.group()
        entity = await federation.group("contractor")
        await under(federation, entity, b)
        _, at_the_top = await federation.world.person(b, "buyer")
        _, at_the_entity = await federation.world.person(entity, "buyer")
        circle = await federation.circle(a)
        await federation.post(a, f"circles/{circle}/invitations", {"group_id": str(b)})
        assert await self.circles_in_token(federation, at_the_top) == frozenset(), "invited is not in"
        await federation.post(b, f"circles/{circle}/acceptance")
        assert await self.circles_in_token(federation, at_the_top) == {circle}
        assert await self.circles_in_token(federation, at_the_entity) == {circle}
        await federation.post(b, f"circles/{circle}/leaving", {})
        assert await self.circles_in_token(federation, at_the_entity) == frozenset()

    async def test_who_buys_a_member_does_not_come_in_with_it(self, federation: Federation):
        a, b, buyer = [await federation.group() for _ in range(3)]
        circle = await federation.circle(a, b)
        await under(federation, b, buyer)
        async with transaction(federation.database.system) as session:
            at = datetime.now(UTC)
            assert await circle_ids_anywhere(session, company_id=buyer, at=at) == frozenset()
            assert await circle_ids_anywhere(session, company_id=b, at=at) == {circle}
            before_the_link = datetime(2025, 6, 1, tzinfo=UTC)
            assert await circle_ids_anywhere(session, company_id=b, at=before_the_link) == {circle}


class TestSecondWall:
    """What PostgreSQL keeps when a query forgets."""

    async def test_a_circle_and_all_about_it_is_seen_by_its_parties_alone(self, federation: Federation):
        a, b, stranger = [await federation.group() for _ in range(3)]
        await federation.circle(a, b)
        for table in ("circles", "circle_standings", "circle_history"):
            async with transaction(federation.database.app, stranger) as session:
                assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 0
            async with transaction(federation.database.app, b) as session:
                assert await session.scalar(text(f"SELECT count(*) FROM {table}"))

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE circle_history SET seq = 99",
            "DELETE FROM circle_history",
            "DELETE FROM circle_standings",
            "DELETE FROM circles",
        ],
    )
    async def test_history_and_standings_are_not_removed(self, federation: Federation, statement):
        await federation.circle(await federation.group())
        with pytest.raises(DBAPIError, match="permission denied"):
            async with transaction(federation.database.system) as session:
                await session.execute(text(statement))

    async def test_an_ended_standing_stays_ended_whoever_writes(self, federation: Federation):
        a, b = await federation.group(), await federation.group()
        circle = await federation.circle(a, b)
        await federation.post(b, f"circles/{circle}/leaving", {})
        with pytest.raises(DBAPIError, match="does not go from LEFT to ACTIVE"):
            async with transaction(federation.database.system) as session:
                await session.execute(
                    text(
                        "UPDATE circle_standings SET status = 'ACTIVE', valid_until = NULL, ended_at = NULL,"
                        " ended_by = NULL WHERE status = 'LEFT'"
                    )
                )

    async def test_a_changed_history_shows(self, federation: Federation):
        a = await federation.group()
        circle = await federation.circle(a)
        async with transaction(federation.database.system) as session:
            await session.execute(text("UPDATE circles SET history_length = 2"))
        history = (await federation.get(a, f"circles/{circle}/history")).json()
        assert (history["intact"], history["fault"]) == (False, "The last entries are missing.")


groups = st.integers(0, 6).map(lambda n: UUID(int=n))


@given(tops=st.dictionaries(groups, groups))
def test_independent_groups_are_counted_by_their_tops(tops):
    assert independent(tops) == len({top.int for top in tops.values()})


@given(members=st.sets(groups), agreed=st.sets(groups))
def test_consent_is_missing_from_exactly_those_who_have_not_agreed(members, agreed):
    missing = consents_missing(members=members, agreed=agreed)
    assert set(missing) | (members & agreed) == members
    assert not set(missing) & agreed


def test_only_the_legal_moves_are_legal():
    for old in StandingStatus:
        for new in StandingStatus:
            assert may_move(old=old, new=new) == ((old, new) in STANDING_MOVES)
    ended = set(StandingStatus) - {StandingStatus.INVITED, StandingStatus.ACTIVE}
    assert not {old for old, _ in STANDING_MOVES} & ended
