"""A contractor opens a category to its circle and closes it again: who finds, is quoted and can order what, when."""

from datetime import UTC, datetime, timedelta

from services.members.stages.jobs import look_at_open_gates
from shared.identity import Role
from tests.conftest import a_person
from tests.platform import (
    SERVICE,
    Story,
    admitted,
    announced,
    checked,
    drafted,
    in_effect,
    in_one_circle,
    on_record,
    stocked,
)


async def test_a_category_opens_to_the_circle_and_closes_again(story: Story):
    await stocked(story)
    assert not await story.finds(story.a)
    assert not await story.is_quoted(story.a), "nobody admitted the supplier"

    await admitted(story)
    assert await story.finds(story.a)
    assert await story.is_quoted(story.a)
    assert not await story.finds(story.b)
    assert not await story.is_quoted(story.b)
    assert (await story.order(story.b)).json()["errors"][0]["rule"] == "OfferNotFound"

    await in_one_circle(story)
    assert not await story.finds(story.b), "a circle alone opens nothing"

    unknown = f"/members/companies/{story.a}/stages/no_such_category/changes"
    body = {"to_stage": "S2", "circle_id": str(story.circle), "reason": "年度计划"}
    refused = await story.call("POST", unknown, story.admin(story.a), body)
    assert (refused.status_code, refused.json()["code"]) == (422, "UnknownCategory")
    change = await drafted(story)
    status, gates = await checked(story, change)
    assert (status, gates["mapped_spend"]) == ("DRAFT", None), "nothing was bought yet"
    assert (await story.order(story.a)).status_code == 201
    await on_record(story)
    status, gates = await checked(story, change)
    assert status == "GATES_CHECKED", gates
    assert (gates["mapped_spend"], gates["valid_suppliers"], gates["expired_documents"]) == ("1", "1", "0")

    report = await story.done("GET", f"{change}/report", story.admin(story.a))
    opened = {each["group_id"]: each["offers_opened"] for each in report["live"]["viewers"]}
    assert opened == {str(story.b): 1, None: 0}
    assert (report["live"]["suppliers"], report["live"]["offers"]) == (1, 1)

    await announced(story, change)
    assert not await story.finds(story.b), "announced is not in effect"
    await in_effect(story)
    assert await story.finds(story.b)
    assert await story.is_quoted(story.b)
    assert (await story.order(story.b)).status_code == 201
    assert not await story.quoted_to(a_person(Role.BUYER)), "a stranger to the circle"

    await story.done("POST", f"{change}/reversal", story.admin(story.a), {"reason": "市场反馈不佳"})
    await story.told()
    assert not await story.is_quoted(story.b), "closed before any offer has new keys"
    assert (await story.order(story.b)).json()["errors"][0]["rule"] == "OfferNotFound"
    await story.rekeyed()
    assert not await story.finds(story.b)
    assert await story.finds(story.a)


async def test_a_gate_that_falls_is_told_and_shown_and_closes_nothing(story: Story):
    await stocked(story)
    await admitted(story)
    await in_one_circle(story)
    await on_record(story)
    assert (await story.order(story.a)).status_code == 201
    change = await drafted(story)
    await checked(story, change)
    await announced(story, change)
    await in_effect(story)

    stages = f"/members/companies/{story.a}/stages"
    sessions, now = story.databases["members"].system, datetime.now(UTC)
    assert await look_at_open_gates(sessions, gate_data=story.gate_data, at=now + timedelta(days=8)) == 0
    (stage,) = await story.done("GET", stages, story.admin(story.a))
    assert stage["fallen_gates"] == []
    (admission,) = await story.done("GET", "/suppliers/admissions", story.buyer(story.a))
    end = f"/suppliers/admissions/{admission['id']}/ending"
    await story.done("POST", end, story.buyer(story.a), {"reason": "Closed."}, headers={"If-Match": '"1"'})
    assert await look_at_open_gates(sessions, gate_data=story.gate_data, at=now + timedelta(days=9)) == 1
    assert await look_at_open_gates(sessions, gate_data=story.gate_data, at=now + timedelta(days=9)) == 0, "once a day"
    (stage,) = await story.done("GET", stages, story.admin(story.a))
    assert (stage["stage"], stage["fallen_gates"]) == ("S2", ["expired_documents", "valid_suppliers"])
    feed = await story.done("GET", "/members/feed", SERVICE, params={"limit": 500})
    (fell,) = [event["data"] for event in feed if event["type"].endswith("stage.gates-changed.v1")]
    assert fell["fallen"] == {"expired_documents": None, "valid_suppliers": None}
