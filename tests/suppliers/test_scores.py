"""Scores through the API: from the feed's facts to appeals, each seen by those it concerns."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.suppliers.reactions import REACTIONS
from services.suppliers.scores.actions import record_evaluation
from services.suppliers.scores.jobs import compute_scores
from shared.contracts.assessments import ORDER_ASSESSED, OrderAssessed
from shared.database import transaction
from shared.feed import Event
from shared.identity import Principal, Role
from shared.ids import new_id
from tests.conftest import a_person
from tests.suppliers.world import REBAR, World, new_items

SCORES = "/suppliers/scores"


@dataclass
class Scores:
    """One group, its people, the supplier's seller, and the feed of `orders`."""

    world: World
    group_id: UUID = field(default_factory=new_id)

    @property
    def buyer(self) -> Principal:
        return a_person(Role.BUYER, group_id=self.group_id)

    @property
    def judge(self) -> Principal:
        return a_person(Role.APPROVER, company_id=self.group_id, group_id=self.group_id)

    @property
    def seller(self) -> Principal:
        return a_person(Role.SUPPLIER_SALES, company_id=self.world.supplier_id)

    async def tell(self, *, group_id: UUID | None = None, outcome: str = "confirmed", **changes: Any) -> UUID:
        """One order of one line as `orders` tells it."""
        placed = datetime.now(UTC) - timedelta(days=10)
        told = {
            "order_id": new_id(),
            "number": f"PO-2026-{new_id().int % 10**6:06d}",
            "buyer_id": new_id(),
            "buyer_group_id": group_id or self.group_id,
            "supplier_id": self.world.supplier_id,
            "placed_at": placed,
            "answered_at": placed + timedelta(hours=2),
            "weight_class": 2,
            "version": 2,
            "lines": [
                {
                    "line_no": 1,
                    "variant_key": REBAR,
                    "outcome": outcome,
                    "in_full": True,
                    "need_by": date(2026, 5, 9),
                    "promised_by": date(2026, 5, 8),
                }
            ],
        } | changes
        assessed = OrderAssessed.model_validate(told)
        event = Event(
            id=new_id(),
            source="orders",
            type=ORDER_ASSESSED,
            subject=str(assessed.order_id),
            time=datetime.now(UTC),
            data=assessed.model_dump(mode="json"),
            position="1-1",
        )
        async with transaction(self.world.database.system) as session:
            await REACTIONS["orders"][ORDER_ASSESSED](session, [event])
        return assessed.order_id

    async def compute(self, *, days: int = 0) -> int:
        return await compute_scores(self.world.database, at=datetime.now(UTC) + timedelta(days=days))

    async def get(self, path: str, who: Principal, **params: Any) -> Any:
        answer = await self.world.call("GET", f"{SCORES}{path}", who, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, who: Principal | None, **body: Any) -> httpx.Response:
        return await self.world.call("POST", f"{SCORES}{path}", who, json=body)

    async def own(self) -> dict[str, Any]:
        [score] = (await self.get(f"/of/{self.world.supplier_id}", self.buyer))["own"]
        found: dict[str, Any] = score
        return found

    async def appeal(self, order_id: UUID, who: Principal | None = None, **changes: Any) -> httpx.Response:
        body = {
            "group_id": str(self.group_id),
            "category": "rebar",
            "order_id": str(order_id),
            "text": "The site was closed that week.",
        } | changes
        return await self.post("/appeals", who or self.seller, **body)


@pytest.fixture
async def scores(world: World) -> Scores:
    await world.synced(new_items("A-1"))
    return Scores(world)


async def test_five_orders_make_a_score_and_four_do_not(scores: Scores):
    for _ in range(4):
        await scores.tell()
    await scores.compute()
    new = await scores.own()
    assert (new["status"], new["orders"], new["overall"], new["number"]) == ("NEW", 4, None, 1)
    await scores.tell(outcome="rejected")
    await scores.compute()
    scored = await scores.own()
    assert (scored["status"], scored["orders"], scored["number"], scored["formula"]) == ("SCORED", 5, 2, 1)
    assert scored["dimensions"]["acceptance"] == "80.00"
    assert scored["dimensions"]["response_time"] == "100.00"
    assert scored["dimensions"]["quality"] is None, "no data is no number"
    assert await scores.get("/mine", scores.seller) == [scored]
    assert await scores.get(f"/all/{scores.world.supplier_id}", scores.world.operator) == [scored]


async def test_what_did_not_change_is_not_computed_again_and_a_newer_version_wins(scores: Scores):
    orders = [await scores.tell() for _ in range(5)]
    assert await scores.compute() >= 1
    await scores.tell(order_id=orders[0], outcome="rejected", version=1)
    await scores.compute()
    assert (await scores.own())["number"] == 1, "an older version of an order changes nothing"
    await scores.tell(order_id=orders[0], outcome="rejected", version=3)
    await scores.compute()
    assert ((await scores.own())["number"], (await scores.own())["dimensions"]["acceptance"]) == (2, "80.00")


async def test_orders_leave_after_a_year_without_any_news(scores: Scores):
    for _ in range(5):
        await scores.tell()
    await scores.compute()
    assert await scores.compute(days=100) == 0
    await scores.compute(days=400)
    gone = await scores.own()
    assert (gone["status"], gone["orders"], gone["overall"]) == ("NEW", 0, None)


async def test_inputs_are_seen_line_by_line_by_the_supplier_and_the_group_alone(scores: Scores):
    order_id = await scores.tell()
    await scores.tell(group_id=new_id())
    supplier_id = str(scores.world.supplier_id)
    [seen] = await scores.get("/inputs", scores.seller, category="rebar", group_id=str(scores.group_id))
    assert (seen["order_id"], seen["points"]["acceptance"]) == (str(order_id), "100.00")
    assert seen["lines"] == [{"line_no": 1, "outcome": "confirmed", "in_full": True, "on_time": True}]
    assert len(await scores.get("/inputs", scores.seller, category="rebar")) == 2
    assert await scores.get("/inputs", scores.buyer, category="rebar", supplier_id=supplier_id) == [seen]
    for stranger in (a_person(Role.BUYER), a_person(Role.BUYER, Role.SUPPLIER_SALES)):
        for params in ({"supplier_id": supplier_id}, {"group_id": str(scores.group_id)}):
            assert await scores.get("/inputs", stranger, category="rebar", **params) == []
    path = f"{SCORES}/inputs"
    operator = await scores.world.call("GET", path, scores.world.operator, params={"category": "rebar"})
    assert operator.status_code == 403


async def test_an_appeal_is_pending_then_corrected_and_the_score_computed_again(scores: Scores):
    for _ in range(5):
        await scores.tell()
    wrong = await scores.tell(outcome="rejected")
    await scores.compute()
    before = await scores.own()
    assert before["dimensions"]["acceptance"] == "83.33"
    seller = scores.seller
    both = await asyncio.gather(scores.appeal(wrong, seller), scores.appeal(wrong, seller))
    assert sorted(answer.status_code for answer in both) == [201, 409]
    appeal = next(answer for answer in both if answer.status_code == 201).json()
    assert appeal["status"] == "PENDING"
    answering = f"/appeals/{appeal['id']}/answer"
    body = {"decision": "correct", "answer": "Right: our gate was closed."}
    for stranger in (a_person(Role.APPROVER), a_person(Role.ADMIN)):
        assert (await scores.post(answering, stranger, **body)).json()["code"] == "ScoreAppealNotFound"
    for powerless in (scores.buyer, scores.seller, scores.world.operator):
        assert (await scores.post(answering, powerless, **body)).status_code == 403
    both_sides = replace(scores.judge, subject=seller.subject)
    assert (await scores.post(answering, both_sides, **body)).json()["code"] == "FiledItYourself"
    assert (await scores.post(answering, scores.judge, **body)).json()["status"] == "CORRECTED"
    assert (await scores.post(answering, scores.judge, **body)).json()["code"] == "AppealAnswered"
    after = await scores.own()
    assert (after["number"], after["orders"], after["dimensions"]["acceptance"]) == (2, 5, "100.00")
    inputs = await scores.get("/inputs", scores.seller, category="rebar")
    assert [each["excluded_reason"] for each in inputs if each["excluded_at"]] == ["Right: our gate was closed."]
    assert (await scores.appeal(wrong)).json()["code"] == "InputExcluded"
    history = await scores.world.rows("SELECT number FROM scores ORDER BY number")
    assert [row["number"] for row in history] == [1, 2], "the earlier score stays"


async def test_a_confirmed_appeal_changes_nothing_and_foreign_inputs_are_not_found(scores: Scores):
    order_id = await scores.tell()
    appeal = (await scores.appeal(order_id)).json()
    body = {"decision": "confirm", "answer": "The log says otherwise."}
    assert (await scores.post(f"/appeals/{appeal['id']}/answer", scores.judge, **body)).json()["status"] == "CONFIRMED"
    [seen] = await scores.get("/appeals", scores.seller)
    assert seen["answer"] == body["answer"]
    assert [each["id"] for each in await scores.get("/appeals", scores.judge)] == [appeal["id"]]
    assert await scores.get("/appeals", a_person(Role.APPROVER)) == []
    foreign = a_person(Role.SUPPLIER_SALES)
    assert (await scores.appeal(order_id, foreign)).json()["code"] == "InputNotFound"
    assert (await scores.appeal(order_id, group_id=str(new_id()))).json()["code"] == "InputNotFound"


async def test_evaluations_stand_beside_the_score_once_each_and_never_change_it(scores: Scores):
    for _ in range(5):
        await scores.tell()
    await scores.compute()
    before = await scores.own()
    body = {"dated_on": "2026-04-01", "dimension": "service", "score": "10.00", "reason": "Driver was rude."}
    path = f"/of/{scores.world.supplier_id}/evaluations"
    assert (await scores.post(path, scores.buyer, **body)).status_code == 201
    for _ in range(2):
        async with transaction(scores.world.database.system) as session:
            await record_evaluation(
                session,
                group_id=scores.group_id,
                supplier_id=scores.world.supplier_id,
                category="rebar",
                dated_on=date(2024, 3, 1),
                dimension="quality",
                score=Decimal(88),
                reason="legacy grade A",
                source_key="legacy:2024:17",
                by=None,
                at=datetime.now(UTC),
            )
    await scores.compute(days=1)
    assert await scores.own() == before
    seen = await scores.get(path, scores.buyer)
    assert sorted(each["imported"] for each in seen) == [False, True]
    assert await scores.get(path, scores.seller) == seen
    assert await scores.get(path, a_person(Role.BUYER)) == []
    for wrong in ({"score": "101"}, {"score": "-1"}, {"reason": ""}, {"score": 50.5}):
        assert (await scores.post(path, scores.buyer, **body | wrong)).status_code == 422


async def test_a_supplier_replies_once_and_whoever_reads_the_evaluation_reads_that(scores: Scores):
    for _ in range(5):
        await scores.tell()
    await scores.compute()
    before = await scores.own()
    path = f"/of/{scores.world.supplier_id}/evaluations"
    body = {"dated_on": "2026-04-01", "dimension": "service", "score": "10.00", "reason": "Driver was rude."}
    made = (await scores.post(path, scores.buyer, **body)).json()
    assert (made["reply"], made["replied_at"]) == (None, None)
    reply = f"/evaluations/{made['id']}/reply"
    for stranger, status in (
        (scores.buyer, 403),
        (a_person(Role.SUPPLIER_SALES), 404),
        (a_person(Role.SUPPLIER_FINANCE, company_id=scores.world.supplier_id), 403),
        (a_person(Role.OPERATOR), 403),
        (None, 401),
    ):
        assert (await scores.post(reply, stranger, text="It was not him.")).status_code == status
    for wrong in ("", "x" * 5_000):
        assert (await scores.post(reply, scores.seller, text=wrong)).status_code == 422
    assert (await scores.post(f"/evaluations/{new_id()}/reply", scores.seller, text="Which one?")).status_code == 404
    answers = await asyncio.gather(*(scores.post(reply, scores.seller, text=f"He was new. {n}") for n in range(4)))
    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
    assert {each.json()["code"] for each in answers if each.status_code == 409} == {"AlreadyReplied"}
    [seen] = await scores.get(path, scores.buyer)
    assert seen["reply"].startswith("He was new.")
    assert await scores.get(path, scores.seller) == [seen]
    assert await scores.get(path, a_person(Role.BUYER)) == []
    await scores.compute(days=1)
    assert await scores.own() == before


async def test_other_groups_see_a_score_as_far_as_its_space_is_open(scores: Scores):
    groups = [new_id() for _ in range(4)]
    for group_id in groups:
        for _ in range(5):
            await scores.tell(group_id=group_id)
    await scores.compute()
    path = f"/of/{scores.world.supplier_id}"
    circle = new_id()
    member = a_person(Role.BUYER, circle_ids=frozenset({circle}))
    assert (await scores.get(path, member))["circle"] == [], "S1: nothing leaves a group"
    assert await scores.get(f"{path}/pooled", member) == []
    await scores.world.execute(
        "UPDATE score_notices SET audience_keys = audience_keys || :key WHERE group_id = :id",
        key=[f"circle:{circle}"],
        id=groups[0],
    )
    [seen] = (await scores.get(path, member))["circle"]
    assert (seen["group_id"], set(seen)) == (str(groups[0]), {"group_id", "category", "dimensions", "computed_on"})
    assert (await scores.get(path, a_person(Role.BUYER)))["circle"] == []
    for opened, enough in ((2, False), (3, True)):
        await scores.world.execute(
            "UPDATE score_notices SET pooled = true WHERE group_id = ANY (:ids)", ids=groups[:opened]
        )
        [told] = await scores.get(f"{path}/pooled", member)
        assert told["enough_data"] is enough
    one_of_them = a_person(Role.BUYER, group_id=groups[0])
    [told] = await scores.get(f"{path}/pooled", one_of_them)
    assert told["enough_data"] is False, "its own is not counted, or two others could be worked out"


async def test_the_second_wall_and_the_constraints_hold_alone(scores: Scores):
    await scores.tell()
    await scores.compute()
    for table in ("score_inputs", "scores", "score_due"):
        seen = []
        for scope in ((scores.group_id,), (scores.world.supplier_id,), (new_id(),), ()):
            async with transaction(scores.world.database.app, *scope) as session:
                seen.append(bool(await session.scalar(text(f"SELECT count(*) FROM {table}"))))
        assert seen == [True, True, False, False], table
    for statement in (
        "UPDATE scores SET overall = 100",
        "DELETE FROM scores",
        "DELETE FROM evaluations",
        "UPDATE evaluation_replies SET text = 'x'",
        "DELETE FROM evaluation_replies",
        "UPDATE score_inputs SET weight_class = 6",
        "UPDATE score_inputs SET excluded_at = now()",
        "DELETE FROM score_inputs",
    ):
        with pytest.raises(DBAPIError):
            await scores.world.execute(statement)
