"""A paper's last day stops new business by the day itself; it is told in steps, once each, and a renewal lifts it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.suppliers.onboarding.queries import active_suppliers, expired_paper_suppliers
from services.suppliers.papers import expiry
from services.suppliers.papers.jobs import warn_of_ends
from shared.database import transaction
from shared.identity import Scope
from shared.ids import new_id
from tests.conftest import a_person, a_service, signed_in
from tests.suppliers.onboarding_world import TODAY, Applicant
from tests.suppliers.world import REBAR, World, csv_of

DAY = timedelta(days=1)
LAST = TODAY + 40 * DAY


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 4, tzinfo=UTC)


class Seller(Applicant):
    """A qualified supplier of rebar whose production permit ends on `LAST`, with an offer."""

    async def open(self, until: date = LAST) -> None:
        await self.apply("rebar", "finishes_misc")
        await self.verified()
        self.permit = await self.given("production_permit", category=["rebar"], valid_until=until.isoformat())
        await self.given("lab_report", category=["rebar"])
        await self.qualified("rebar", "finishes_misc", until=until.isoformat())
        version = (await self.call("GET", "")).json()["version"]
        body = {"categories": ["rebar", "finishes_misc"], "until": "2099-12-31"}
        answer = await self.review("POST", "/qualification", version=version, json=body)
        assert answer.status_code == 200, answer.text
        self.world.supplier_id = self.company_id
        for item, variant in (("R-1", REBAR), ("B-1", "HW-BOLT|size=M12")):
            header = "item_no;variant;stock_point;on_hand;price;tax_rate;tax_inclusive;unit"
            unit = "t" if item == "R-1" else "piece"
            await self.world.synced(csv_of(f"{item};{variant};main;100;10;0.13;true;{unit}", header=header))

    async def reserve(self, item: str, on: date) -> dict[str, Any]:
        offer = (await self.world.offers())[item, "default"]
        unit = "t" if item == "R-1" else "piece"
        line = {"line_no": 1, "offer_id": offer["id"], "quantity": "1", "unit": unit, "need_by": "2199-01-01"}
        basket = {
            "reservation_id": str(new_id()),
            "buyer_company_id": str(new_id()),
            "currency": "CNY",
            "region": "310115",
            "lines": [line],
            "at": noon(on).isoformat(),
        }
        headers = signed_in(a_service(Scope.RESERVATIONS_WRITE))
        answer = await self.world.http.post("/suppliers/reservations", json={"baskets": [basket]}, headers=headers)
        result: dict[str, Any] = answer.json()["results"][0]
        return result

    async def warned(self, on: date) -> list[tuple[str, str, int]]:
        """What the job tells on a day."""
        before = len(await self.events())
        async with transaction(self.world.database.system) as session:
            await expiry.warn(session, limit=100, at=noon(on))
        return [(each["subject"], each["kind"], each["step"]) for each in (await self.events())[before:]]

    async def events(self) -> list[dict[str, Any]]:
        rows = await self.world.rows(
            "SELECT data FROM events WHERE type LIKE '%document.expiring.v1' ORDER BY txid, seq"
        )
        return [row["data"] for row in rows]


@pytest.fixture
async def seller(empty_world: World) -> Seller:
    seller = Seller(empty_world)
    await seller.open()
    await empty_world.open_market()
    return seller


async def test_the_day_after_its_last_a_paper_stops_what_needs_it_and_a_renewal_lifts_that(seller: Seller):
    assert (await seller.reserve("R-1", LAST))["outcome"] == "held"
    stopped = await seller.reserve("R-1", LAST + DAY)
    (refusal,) = stopped["refusals"]
    assert refusal["code"] == "PaperExpired"
    assert f"production permit ended on {LAST}" in refusal["detail"]
    assert (await seller.reserve("B-1", LAST + DAY))["outcome"] == "held", "another category goes on"
    renewal = await seller.given(
        "production_permit",
        category=["rebar"],
        number="XK05-2",
        valid_from=(LAST + DAY).isoformat(),
        valid_until=(LAST + 365 * DAY).isoformat(),
    )
    assert (await seller.reserve("R-1", LAST + DAY))["outcome"] == "refused", "nobody has looked at it yet"
    assert (await seller.check(renewal)).status_code == 200
    assert (await seller.reserve("R-1", LAST + DAY))["outcome"] == "held"
    assert (await seller.check(renewal, "refused", "Forged.")).status_code == 200
    assert (await seller.reserve("R-1", LAST + DAY))["outcome"] == "refused"


async def test_warnings_are_told_once_a_step(seller: Seller):
    assert [await seller.warned(LAST - days * DAY) for days in (61, 60)] == [[], []]
    for days, step in ((59, 60), (58, None), (29, 30), (7, None), (6, 7), (0, None)):
        told = [each for each in await seller.warned(LAST - days * DAY) if each[0] == "paper"]
        assert told == ([] if step is None else [("paper", "production_permit", step)]), days
    assert ("paper", "production_permit", 0) in await seller.warned(LAST + DAY)
    assert await seller.warned(LAST + DAY) == []
    newest = (
        await seller.world.rows(
            "SELECT data FROM events WHERE type LIKE '%supplier.changed.v1' ORDER BY txid DESC, seq DESC LIMIT 1"
        )
    )[0]["data"]
    assert (newest["status"], newest["categories"]) == ("QUALIFIED", ["finishes_misc"])
    entries = (await seller.call("GET", "/history", params={"limit": 200})).json()
    last = entries[-1]["entry"]
    assert (last["decision"], last["by"]) == ("papers_ended", "suppliers-worker")
    assert last["detail"]["closed_categories"] == ["rebar"]


async def test_a_job_that_slept_tells_the_present_step_alone(seller: Seller):
    assert [each for each in await seller.warned(LAST - 3 * DAY) if each[0] == "paper"] == [
        ("paper", "production_permit", 7)
    ]


async def test_what_is_renewed_is_not_warned_of(seller: Seller):
    renewal = await seller.given(
        "production_permit",
        category=["rebar"],
        number="XK05-2",
        valid_until=(LAST + 365 * DAY).isoformat(),
    )
    assert ("paper", "production_permit", 60) in await seller.warned(LAST - 50 * DAY), "not looked at yet"
    await seller.check(renewal)
    assert not [each for each in await seller.warned(LAST - 20 * DAY) if each[0] == "paper"]


async def test_qualification_and_identity_are_warned_of_too(seller: Seller):
    version = (await seller.call("GET", "")).json()["version"]
    body = {"categories": ["rebar"], "until": (TODAY + 5 * DAY).isoformat()}
    await seller.review("POST", "/qualification", version=version, json=body)
    told = await seller.warned(TODAY)
    assert ("qualification", "qualification", 7) in told
    due = date.fromisoformat((await seller.call("GET", "/identity")).json()["due_on"])
    assert ("identity", "identity", 0) in await seller.warned(due + DAY)
    assert await warn_of_ends(seller.world.database) == 0, "today everything is told"


async def test_a_gate_counts_the_suppliers_whose_paper_has_ended(seller: Seller):
    other = Seller(seller.world, company_id=new_id())
    await other.open(until=LAST + 300 * DAY)
    both = [seller.company_id, other.company_id, new_id()]

    async def measured(category: str, on: date) -> tuple[set[UUID], set[UUID]]:
        async with transaction(seller.world.database.system) as session:
            expired = await expired_paper_suppliers(session, supplier_ids=both, category=category, on=on)
            active = await active_suppliers(session, supplier_ids=both, category=category, on=on)
        return set(expired), set(active)

    known = set(both[:2])
    assert await measured("rebar", LAST) == (set(), known)
    assert await measured("rebar", LAST + DAY) == ({seller.company_id}, known)
    assert await measured("finishes_misc", LAST + DAY) == (set(), known)
    assert await measured("mep", LAST + DAY) == (set(), set())


async def test_who_was_qualified_without_papers_is_not_stopped(world: World):
    supplier = Applicant(world, company_id=world.supplier_id)
    paper = await supplier.given("ccc", category=["mep"], valid_until=TODAY.isoformat())
    await supplier.check(paper)
    stored = (await world.rows("SELECT paper_ends FROM suppliers"))[0]["paper_ends"]
    assert list(stored) == ["mep"]
    assert (await world.call("GET", f"/suppliers/{world.supplier_id}", a_person())).json()["status"] == "QUALIFIED"
