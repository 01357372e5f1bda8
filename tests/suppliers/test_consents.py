"""A supplier lets others read its record: what, to whom, until when, revocable; nothing else opens it (T5)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy.exc import DBAPIError

from services.members.webhooks.facts import facts_of
from services.suppliers.consents.actions import ConsentExpired, consent_to_use
from shared.audience import Stage
from shared.clock import business_date
from shared.contracts.suppliers import ADMISSION_CHANGED
from shared.database import transaction
from shared.identity import Principal, Role, Scope
from shared.ids import new_id
from tests.conftest import a_person, an_api_client
from tests.suppliers.test_spaces import in_circle
from tests.suppliers.world import World

TODAY = business_date(datetime.now(UTC))
NEXT_YEAR = (TODAY + timedelta(days=365)).isoformat()


@dataclass
class Pair:
    """Groups A and B in a circle; A admitted the supplier for rebar and has opened the category to the circle."""

    world: World
    a: UUID
    b: UUID
    circle: UUID
    admission: dict[str, Any]

    @property
    def sales(self) -> Principal:
        return a_person(Role.SUPPLIER_SALES, company_id=self.world.supplier_id)

    def buyer(self, group: UUID, *, circle: bool = True) -> Principal:
        circles = frozenset({self.circle}) if circle else frozenset[UUID]()
        return a_person(Role.BUYER, company_id=group, group_id=group, circle_ids=circles)

    async def consent(self, *what: str, to: UUID | None = None, caller: Principal | None = None, **body: Any) -> Any:
        body = {"what": list(what), "audience": "ORG", "to_id": str(to or self.b), "until": NEXT_YEAR, **body}
        return await self.world.call("POST", "/suppliers/consents", caller or self.sales, json=body)

    async def given(self, *what: str, **more: Any) -> str:
        answer = await self.consent(*what, **more)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def profile(self, caller: Principal, consent: str | UUID | None = None) -> httpx.Response:
        path = f"/suppliers/{self.world.supplier_id}/portable-profile"
        return await self.world.call(
            "GET", path, caller, params={} if consent is None else {"consent_id": str(consent)}
        )

    async def rely(self, consent: str | UUID, *, group: UUID | None = None, **changes: Any) -> httpx.Response:
        relies_on = {"admission_id": self.admission["id"], "consent_id": str(consent)} | changes
        return await self.world.admit(group or self.b, "rebar", relies_on=relies_on)


@pytest.fixture
async def pair(empty_world: World) -> Pair:
    world = empty_world
    assert (await world.register()).status_code == 201
    assert (await world.qualify()).status_code == 200
    a, b, circle = new_id(), new_id(), new_id()
    await in_circle(world, circle, a, b)
    admitted = await world.admit(a, "rebar", grade="A", level="strategic")
    await world.stage(a, "rebar", Stage.S2, circle_id=circle)
    return Pair(world=world, a=a, b=b, circle=circle, admission=admitted.json()[0])


async def test_without_a_consent_only_the_own_group_reads(pair: Pair):
    own = (await pair.profile(pair.buyer(pair.a))).json()
    assert own["profile"]["categories"] == ["finishes_misc", "rebar"]
    assert (own["documents"], own["evaluation"]) == ("full", "full")
    assert [(each["form"], each["grade"]) for each in own["decisions"]] == [("full", "A")]
    other = (await pair.profile(pair.buyer(pair.b))).json()
    assert (other["profile"], other["documents"], other["evaluation"], other["decisions"]) == (None, "none", "none", [])


async def test_a_consent_opens_what_it_covers_as_far_as_the_stage_goes(pair: Pair):
    consent = await pair.given("profile", "qualification_documents", "qualification_decision", "evaluation")
    told = (await pair.profile(pair.buyer(pair.b), consent)).json()
    assert told["profile"]["status"] == "QUALIFIED"
    assert (told["documents"], told["evaluation"]) == ("full", "reduced")
    (decision,) = told["decisions"]
    assert (decision["form"], decision["group_id"], decision["decided_on"]) == (
        "reduced", str(pair.a), TODAY.isoformat(),
    )  # fmt: skip
    assert (decision["grade"], decision["level"], decision["until"]) == (None, None, None)
    await pair.world.stage(pair.a, "rebar", Stage.S1)
    closed = (await pair.profile(pair.buyer(pair.b), consent)).json()
    assert (closed["profile"], closed["documents"], closed["decisions"]) == (None, "none", [])


async def test_a_consent_does_not_open_what_it_does_not_name(pair: Pair):
    told = (await pair.profile(pair.buyer(pair.b), await pair.given("profile"))).json()
    assert told["profile"] is not None
    assert (told["documents"], told["evaluation"], told["decisions"]) == ("none", "none", [])


async def test_a_revoked_consent_opens_nothing_from_then_on(pair: Pair):
    consent = await pair.given("profile", "qualification_decision")
    assert (await pair.profile(pair.buyer(pair.b), consent)).status_code == 200
    path = f"/suppliers/consents/{consent}"
    stranger = a_person(Role.SUPPLIER_SALES)
    assert (await pair.world.call("POST", f"{path}/revocation", stranger, json={"reason": "x"})).status_code == 404
    done = await pair.world.call("POST", f"{path}/revocation", pair.sales, json={"reason": "The tender is over."})
    assert done.json()["revoked_at"] is not None
    for refused in (await pair.profile(pair.buyer(pair.b), consent), await pair.rely(consent)):
        assert (refused.status_code, refused.json()["code"]) == (409, "ConsentRevoked")
    history = (await pair.world.call("GET", f"{path}/history", pair.sales)).json()
    assert [each["entry"]["event"] for each in history["entries"]] == ["recorded", "read", "revoked"]
    assert history["intact"]
    assert (await pair.world.call("GET", f"{path}/history", stranger)).status_code == 404


async def test_a_forged_or_borrowed_consent_is_refused_by_name(pair: Pair):
    world, other = pair.world, new_id()
    assert (await world.register(other)).status_code == 201
    sales = a_person(Role.SUPPLIER_SALES, company_id=other)
    reused = await pair.given("qualification_decision", "profile", caller=sales)
    for_another = await pair.given("qualification_decision", "profile", to=new_id())
    for consent, status, code in (
        (new_id(), 404, "ConsentNotFound"),
        (reused, 409, "ConsentOfAnotherSupplier"),
        (for_another, 403, "ConsentForAnother"),
    ):
        for refused in (await pair.profile(pair.buyer(pair.b), consent), await pair.rely(consent)):
            assert (refused.status_code, refused.json()["code"]) == (status, code)
    expired = await pair.given("qualification_decision", until=TODAY.isoformat())
    assert (await pair.rely(expired)).status_code == 201, "its last day counts"


async def test_a_consent_that_has_ended_is_refused(pair: Pair):
    consent = await pair.given("qualification_decision", until=TODAY.isoformat())
    async with transaction(pair.world.database.system) as session:
        with pytest.raises(ConsentExpired):
            await consent_to_use(
                session,
                consent_id=UUID(consent),
                supplier_id=pair.world.supplier_id,
                viewer=pair.buyer(pair.b).viewer_keys,
                at=datetime.now(UTC) + timedelta(days=1),
            )


async def test_an_admission_relies_on_a_recognised_decision(pair: Pair):
    consent = await pair.given("qualification_decision")
    answer = await pair.rely(consent)
    assert answer.status_code == 201, answer.text
    (admission,) = answer.json()
    assert admission["relies_on_group_id"] == str(pair.a)
    assert (admission["relies_on_date"], admission["consent_id"]) == (TODAY.isoformat(), consent)
    (event,) = await pair.world.rows(
        "SELECT data FROM events WHERE type LIKE '%admission.changed%' AND data ->> 'recognised_from' IS NOT NULL"
    )
    assert event["data"]["recognised_from"] == str(pair.a)
    told = facts_of(
        source="suppliers",
        event_id=new_id(),
        event_type=ADMISSION_CHANGED,
        subject=admission["id"],
        time=datetime.now(UTC),
        data=event["data"],
    )
    assert [fact.parties for fact in told] == [{pair.b, pair.world.supplier_id}], "the webhooks know whom to tell"


async def test_a_decision_that_is_not_open_or_does_not_stand_is_not_relied_on(pair: Pair):
    consent = await pair.given("qualification_decision")
    uncovered = await pair.given("profile")
    assert (await pair.rely(uncovered)).json()["code"] == "ConsentDoesNotCover"
    assert (await pair.rely(consent, admission_id=str(new_id()))).json()["code"] == "DecisionNotRecognisable"
    relies_on = {"admission_id": pair.admission["id"], "consent_id": consent}
    other_category = await pair.world.admit(pair.b, "finishes_misc", relies_on=relies_on)
    assert other_category.json()["code"] == "DecisionNotRecognisable"
    await pair.world.stage(pair.a, "rebar", Stage.S1)
    assert (await pair.rely(consent)).json()["code"] == "DecisionNotRecognisable", "private again"
    await pair.world.stage(pair.a, "rebar", Stage.S2, circle_id=pair.circle)
    await in_circle(pair.world, pair.circle, pair.a)
    assert (await pair.rely(consent)).json()["code"] == "DecisionNotRecognisable", "no longer in the circle"
    await in_circle(pair.world, pair.circle, pair.a, pair.b)
    path = f"/suppliers/admissions/{pair.admission['id']}/suspension"
    await pair.world.call("POST", path, pair.world.operator, version=1, json={"reason": "Late."})
    assert (await pair.rely(consent)).json()["code"] == "DecisionNotRecognisable", "suspended"


async def test_only_people_of_the_supplier_give_consent(pair: Pair):
    erp = an_api_client(Scope.PRICES_WRITE, company_id=pair.world.supplier_id)
    assert (await pair.consent("profile", caller=erp)).status_code == 403
    assert (await pair.consent("profile", caller=pair.buyer(pair.b))).status_code == 403
    nobody = await pair.consent("profile", caller=a_person(Role.SUPPLIER_SALES))
    assert nobody.json()["code"] == "NotASupplier"
    yesterday = (TODAY - timedelta(days=1)).isoformat()
    assert (await pair.consent("profile", until=yesterday)).json()["code"] == "ConsentEndPassed"
    assert (await pair.consent("profile", audience="MEMBERS")).status_code == 422
    assert (await pair.consent("prices")).status_code == 422
    assert (await pair.world.call("GET", "/suppliers/consents", pair.sales)).json() == []


async def test_the_database_keeps_a_consent_as_it_was_recorded(pair: Pair):
    await pair.given("profile")
    for change in (
        "UPDATE consents SET what = ARRAY['profile', 'evaluation']",
        "UPDATE consents SET until = until + 1",
        "UPDATE consents SET audience = 'MEMBERS', to_id = NULL",
        "DELETE FROM consents",
        "UPDATE consent_history SET entry = '{}'",
    ):
        with pytest.raises(DBAPIError):
            await pair.world.execute(change)
    await pair.world.execute("UPDATE consents SET revoked_at = now()")
    with pytest.raises(DBAPIError):
        await pair.world.execute("UPDATE consents SET revoked_at = NULL")


async def test_the_suppliers_admin_gives_reads_and_revokes_too(pair: Pair):
    admin = a_person(Role.ADMIN, company_id=pair.world.supplier_id)
    consent = await pair.given("profile", caller=admin)
    listed = await pair.world.call("GET", "/suppliers/consents", admin)
    assert [each["id"] for each in listed.json()] == [consent]
    history = await pair.world.call("GET", f"/suppliers/consents/{consent}/history", admin)
    assert history.json()["intact"] is True
    about_us = await pair.world.call("GET", "/suppliers/blacklist/about-us", admin)
    assert about_us.json() == []
    stranger = a_person(Role.ADMIN, company_id=new_id())
    assert (await pair.world.call("GET", "/suppliers/consents", stranger)).json() == []
    assert (await pair.world.call("GET", f"/suppliers/consents/{consent}/history", stranger)).status_code == 404
