"""Approved substitutes: who proposes, who decides, who sees them."""

import asyncio
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.catalog.equivalents.queries import equivalents_of
from services.catalog.equivalents.rules import countable_alike
from shared.database import Database, transaction
from shared.identity import Principal, Role
from shared.ids import new_id
from tests.conftest import a_person, once, signed_in

HRB400 = "RB-HRB|diameter=20,grade=HRB400,length=12"
HRB400E = "RB-HRB|diameter=20,grade=HRB400E,length=12"
HRB500E = "RB-HRB|diameter=20,grade=HRB500E,length=12"
BODY: dict[str, Any] = {
    "of": {"key": HRB400},
    "substitute": {"type": "RB-HRB", "properties": {"grade": "HRB400E", "diameter": "Φ20", "length": "12m"}},
    "rule": "抗震钢筋可代换同级别普通钢筋",
    "evidence": ["设计变更单 2026-07"],
}


def _of_group(role: Role, like: Principal | None = None) -> Principal:
    if like is None:
        return a_person(role, group_id=new_id())
    return a_person(role, company_id=like.company_id, group_id=like.group_id)


@dataclass
class Office:
    """Two people of a contractor, a sister company of its group, a stranger, two operators."""

    http: httpx.AsyncClient
    database: Database
    buyer: Principal = field(default_factory=lambda: _of_group(Role.BUYER))
    stranger: Principal = field(default_factory=lambda: _of_group(Role.BUYER))
    operator: Principal = field(default_factory=lambda: a_person(Role.OPERATOR))

    @property
    def approver(self) -> Principal:
        return _of_group(Role.APPROVER, self.buyer)

    @property
    def sister(self) -> Principal:
        return a_person(Role.BUYER, group_id=self.buyer.group_id)

    async def post(self, path: str, by: Principal, body: Any, version: int | None = None) -> httpx.Response:
        headers = signed_in(by) | once() | ({} if version is None else {"If-Match": f'"{version}"'})
        return await self.http.post(f"/catalog/equivalents{path}", json=body, headers=headers)

    async def proposed(self, by: Principal | None = None, **changes: Any) -> str:
        answer = await self.post("", by or self.buyer, {**BODY, **changes})
        assert answer.status_code == 201, answer.text
        identifier: str = answer.json()["id"]
        return identifier

    async def decide(
        self, identifier: str, by: Principal, decision: str = "approve", *, everyone: bool = False, version: int = 1
    ) -> httpx.Response:
        path = f"/for-everyone/{identifier}/decision" if everyone else f"/{identifier}/decision"
        return await self.post(path, by, {"decision": decision, "reason": "checked"}, version)

    async def seen(self, by: Principal | None, key: str = HRB400, **params: Any) -> list[str]:
        headers = {} if by is None else signed_in(by)
        answer = await self.http.get("/catalog/equivalents", params={"variant": key, **params}, headers=headers)
        assert answer.status_code == 200, answer.text
        return [each["variant_key"] for each in answer.json()]


@pytest.fixture
async def office(http: httpx.AsyncClient, database: Database) -> Office:
    made = Office(http=http, database=database)
    body = {"variants": [{"key": key} for key in (HRB400, HRB400E, HRB500E)]}
    await http.post("/catalog/variants/resolve", json=body, headers=signed_in(made.buyer))
    return made


async def test_a_second_person_approves_and_the_group_sees_it(office: Office):
    identifier = await office.proposed()
    assert await office.seen(office.buyer) == []
    assert (await office.decide(identifier, office.buyer)).json()["code"] == "SecondPersonNeeded"
    approved = await office.decide(identifier, office.approver)
    assert (approved.status_code, approved.json()["status"]) == (200, "APPROVED"), approved.text
    for viewer, found in (
        (office.buyer, [HRB400E]),
        (office.sister, [HRB400E]),
        (office.stranger, []),
        (office.operator, []),
        (None, []),
    ):
        assert await office.seen(viewer) == found
    assert await office.seen(office.buyer, HRB400E) == []
    assert (await office.decide(identifier, office.approver, version=2)).json()["code"] == "StatusForbids"


async def test_both_ways_and_only_while_it_holds(office: Office):
    changes: dict[str, Any] = {"both_ways": True, "valid_from": "2026-07-01", "valid_until": "2026-07-31"}
    identifier = await office.proposed(**changes)
    await office.decide(identifier, office.approver)
    for on, found in (("2026-06-30", []), ("2026-07-01", [HRB400]), ("2026-07-31", [HRB400]), ("2026-08-01", [])):
        assert await office.seen(office.buyer, HRB400E, on=on) == found
    async with transaction(office.database.app) as session:
        ids = [row.id for row in (await session.execute(text("SELECT id FROM variants ORDER BY key"))).all()]
        seen = await equivalents_of(session, variant_ids=ids, viewer=office.buyer.viewer_keys, on=date(2026, 7, 2))
    assert {each.variant_key for found in seen.values() for each in found} == {HRB400, HRB400E}
    (first, *_) = (each for found in seen.values() for each in found)
    assert (first.rule, first.approved_by) == (BODY["rule"], "Test Person")


async def test_for_everyone_an_operator_decides_and_everyone_sees_it(office: Office):
    identifier = await office.proposed(scope="everyone")
    assert (await office.decide(identifier, office.approver)).json()["code"] == "OperatorDecides"
    waiting = await office.http.get("/catalog/equivalents/for-everyone", headers=signed_in(office.operator))
    assert [each["id"] for each in waiting.json()] == [identifier]
    assert await office.seen(office.stranger) == []
    assert (await office.decide(identifier, office.operator, everyone=True)).status_code == 200
    assert await office.seen(office.stranger) == await office.seen(None) == [HRB400E]
    shown = (await office.http.get("/catalog/equivalents", params={"variant": HRB400})).json()[0]
    assert str(office.buyer.company_id) not in str(shown)
    assert str(office.buyer.subject) not in str(shown)
    path = f"/for-everyone/{identifier}/withdrawal"
    assert (await office.post(path, office.operator, {"reason": "recall"}, 2)).json()["status"] == "WITHDRAWN"
    assert await office.seen(office.stranger) == []


async def test_an_operators_own_proposal_needs_another_operator(office: Office):
    identifier = await office.proposed(office.operator, scope="everyone")
    own = await office.decide(identifier, office.operator, everyone=True)
    assert (own.status_code, own.json()["code"]) == (403, "SecondPersonNeeded")
    assert (await office.decide(identifier, a_person(Role.OPERATOR), everyone=True)).status_code == 200


async def test_proposals_are_invisible_to_other_contractors(office: Office):
    identifier = await office.proposed()
    for path, body in (("decision", {"decision": "approve", "reason": "x"}), ("withdrawal", {"reason": "x"})):
        for other in (office.stranger, office.sister):
            assert (await office.post(f"/{identifier}/{path}", other, body, 1)).status_code == 404
    everyone = f"/for-everyone/{identifier}/decision"
    assert (await office.post(everyone, office.operator, {"decision": "approve", "reason": "x"}, 1)).status_code == 404
    for other in (office.stranger, office.sister):
        listed = await office.http.get("/catalog/equivalents/own", headers=signed_in(other))
        assert listed.json() == []
    mine = await office.http.get("/catalog/equivalents/own", headers=signed_in(office.approver))
    assert [each["id"] for each in mine.json()] == [identifier]


async def test_the_database_keeps_the_walls_too(office: Office):
    identifier = await office.proposed()
    async with transaction(office.database.app, office.stranger.company) as session:
        await session.execute(text("SELECT set_config('app.viewer_keys', 'members,public', true)"))
        assert await session.scalar(text("SELECT count(*) FROM equivalents")) == 0
        changed = await session.execute(text("UPDATE equivalents SET status = 'REJECTED' RETURNING 1"))
        assert changed.all() == []
    for statement in (
        "UPDATE equivalents SET status = 'APPROVED'",
        "UPDATE equivalents SET decided_by = proposed_by, decided_by_name = '', decided_at = now()",
        "UPDATE equivalents SET audience_keys = '{members}'",
        "UPDATE equivalents SET to_id = from_id",
        "DELETE FROM equivalents",
    ):
        with pytest.raises(DBAPIError):
            async with transaction(office.database.system, office.buyer.company) as session:
                await session.execute(text(statement))
    assert identifier


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"substitute": {"key": HRB400}}, 422, "SameVariant"),
        ({"substitute": {"key": "XX-NO|a=1"}}, None, None),
        ({"valid_from": "2026-07-02", "valid_until": "2026-07-01"}, 422, "EndsBeforeItBegins"),
        ({"rule": ""}, 422, "MalformedRequest"),
        ({"rule": "a\x00b"}, 422, "MalformedRequest"),
        ({"scope": "world"}, 422, "MalformedRequest"),
        ({"evidence": ["x"] * 21}, 422, "MalformedRequest"),
    ],
)
async def test_what_makes_no_sense_is_refused(office: Office, changes: dict[str, Any], status: int | None, code: str):
    answer = await office.post("", office.buyer, {**BODY, **changes})
    assert 400 <= answer.status_code < 500
    if status is not None:
        assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_what_no_unit_counts_alike_cannot_stand_for_each_other(office: Office):
    concrete = {"key": "CN-RMC|impermeability=P6,slump=180,strength=C30"}
    answer = await office.post("", office.buyer, {**BODY, "substitute": concrete})
    assert (answer.status_code, answer.json()["code"]) == (422, "NoUnitInCommon"), answer.text
    assert (answer.json()["errors"][0]["field"], "m3" in answer.json()["detail"]) == ("substitute", True)


@pytest.mark.parametrize(
    ("of", "substitute", "alike"), [({"t", "m"}, {"t"}, True), ({"t"}, {"m3"}, False), ({"t"}, set(), False)]
)
def test_a_unit_in_common(of: set[str], substitute: set[str], alike: bool):
    assert countable_alike(of, substitute) is alike


async def test_the_same_proposal_at_once_is_one_and_two_deciders_decide_once(office: Office):
    answers = await asyncio.gather(*(office.post("", office.buyer, BODY) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    identifier = next(answer.json()["id"] for answer in answers if answer.status_code == 201)
    decisions = await asyncio.gather(
        *(office.decide(identifier, office.approver, decision) for decision in ("approve", "reject", "approve"))
    )
    assert sorted(answer.status_code for answer in decisions) == [200, 412, 412]
    path = f"/{identifier}/withdrawal"
    status = next(answer.json()["status"] for answer in decisions if answer.status_code == 200)
    gone = await office.post(path, office.buyer, {"reason": "no more"}, 2)
    assert gone.status_code == (200 if status == "APPROVED" else 409)
    assert (await office.post("", office.buyer, BODY)).status_code == 201
    assert (await office.post("", a_person(Role.SUPPLIER_SALES), BODY)).status_code == 403
