"""Another contractor reads a supplier's papers as far as its consent and the stage go, and no longer than that (T5)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.suppliers.consents.queries import consents_in_force
from shared.audience import Stage
from shared.clock import business_date
from shared.database import transaction
from shared.identity import Principal, Role
from shared.ids import new_id
from tests.conftest import a_person
from tests.suppliers.onboarding_world import Applicant, pdf
from tests.suppliers.test_spaces import in_circle
from tests.suppliers.world import World

TODAY = business_date(datetime.now(UTC))


@dataclass
class Readers:
    """A supplier with papers; group A admitted it for finishes and opened the category to a circle with group B."""

    applicant: Applicant
    a: UUID
    b: UUID
    circle: UUID
    body: bytes
    permit: dict[str, Any]
    refused: dict[str, Any]

    def buyer(self, group: UUID) -> Principal:
        return a_person(Role.BUYER, company_id=group, group_id=group, circle_ids=frozenset({self.circle}))

    async def file(self, caller: Principal, paper: dict[str, Any] | None = None) -> httpx.Response:
        path = f"{self.applicant.path}/papers/{(paper or self.permit)['id']}/file"
        return await self.applicant.world.call("GET", path, caller)

    async def listed(self, caller: Principal) -> httpx.Response:
        return await self.applicant.world.call("GET", f"{self.applicant.path}/papers", caller)

    async def consent(self, *what: str, to: UUID | None = None, until: str | None = None) -> str:
        body = {
            "what": list(what),
            "audience": "ORG",
            "to_id": str(to or self.b),
            "until": until or (TODAY + timedelta(days=30)).isoformat(),
        }
        answer = await self.applicant.world.call("POST", "/suppliers/consents", self.applicant.admin, json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def revoke(self, consent: str) -> None:
        path = f"/suppliers/consents/{consent}/revocation"
        answer = await self.applicant.world.call("POST", path, self.applicant.admin, json={"reason": "Over."})
        assert answer.status_code == 200, answer.text


@pytest.fixture
async def readers(empty_world: World) -> Readers:
    applicant = Applicant(empty_world)
    assert (await applicant.apply("finishes_misc")).status_code == 201
    await applicant.verified()
    body = pdf()
    permit = await applicant.given("ccc", body=body, category=["finishes_misc"])
    refused = await applicant.given("iso")
    assert (await applicant.check(refused, "refused", "Not legible.")).status_code == 200
    assert (await applicant.check(permit)).status_code == 200
    for paper in (await applicant.call("GET", "/papers")).json():
        if paper["state"] == "given":
            await applicant.check(paper)
    await applicant.qualified("finishes_misc")
    a, b, circle = new_id(), new_id(), new_id()
    await in_circle(empty_world, circle, a, b)
    admitted = await empty_world.admit(a, "finishes_misc", supplier_id=applicant.company_id)
    assert admitted.status_code == 201, admitted.text
    await empty_world.stage(a, "finishes_misc", Stage.S2, circle_id=circle)
    return Readers(applicant=applicant, a=a, b=b, circle=circle, body=body, permit=permit, refused=refused)


async def test_without_a_consent_nobody_but_the_admitting_group_reads(readers: Readers):
    own = await readers.file(readers.buyer(readers.a))
    assert (own.status_code, own.content) == (200, readers.body)
    for stranger in (readers.buyer(readers.b), readers.buyer(new_id()), a_person(Role.SUPPLIER_SALES)):
        assert (await readers.file(stranger)).json()["code"] == "NotYours"
        assert (await readers.listed(stranger)).json()["code"] == "NotYours"


async def test_a_consent_opens_papers_and_its_revocation_closes_them_at_once(readers: Readers):
    consent = await readers.consent("qualification_documents")
    buyer = readers.buyer(readers.b)
    read = await readers.file(buyer)
    assert (read.status_code, read.content) == (200, readers.body)
    shown = {each["id"] for each in (await readers.listed(buyer)).json()}
    assert readers.permit["id"] in shown
    assert readers.refused["id"] not in shown, "a refused paper is nobody else's business"
    assert (await readers.file(buyer, readers.refused)).status_code == 404
    assert (await readers.file(readers.buyer(new_id()))).status_code == 404, "given to B alone"
    await readers.revoke(consent)
    assert (await readers.file(buyer)).json()["code"] == "NotYours"
    assert (await readers.listed(buyer)).json()["code"] == "NotYours"
    path = f"/suppliers/consents/{consent}/history"
    history = (await readers.applicant.world.call("GET", path, readers.applicant.admin)).json()
    assert [each["entry"]["event"] for each in history["entries"]] == ["recorded", "read", "revoked"]
    assert history["entries"][1]["entry"]["by_company"] == str(readers.b)
    assert history["intact"]


async def test_the_stage_is_the_ceiling_whatever_was_agreed(readers: Readers):
    await readers.consent("qualification_documents")
    buyer = readers.buyer(readers.b)
    assert (await readers.file(buyer)).status_code == 200
    await readers.applicant.world.stage(readers.a, "finishes_misc", Stage.S1)
    assert (await readers.file(buyer)).status_code == 404
    await readers.applicant.world.stage(readers.a, "finishes_misc", Stage.S3)
    assert (await readers.file(buyer)).status_code == 200


async def test_a_consent_for_something_else_opens_no_paper(readers: Readers):
    await readers.consent("profile", "qualification_decision", "evaluation")
    assert (await readers.file(readers.buyer(readers.b))).status_code == 404


async def test_a_consent_counts_through_its_last_day(readers: Readers):
    consent = UUID(await readers.consent("qualification_documents", until=TODAY.isoformat()))
    assert (await readers.file(readers.buyer(readers.b))).status_code == 200
    for on, counted in ((TODAY, [consent]), (TODAY + timedelta(days=1), [])):
        async with transaction(readers.applicant.world.database.system) as session:
            found = await consents_in_force(
                session, supplier_id=readers.applicant.company_id, what="qualification_documents", on=on
            )
        assert [each.id for each in found] == counted
