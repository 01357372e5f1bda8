"""Contractor groups admit suppliers: who may, on which ground, and what it opens."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy.exc import DBAPIError

from services.suppliers.admissions.jobs import lapse_admissions
from services.suppliers.admissions.rules import TRANSITIONS, AdmissionStatus
from shared.clock import business_date
from shared.identity import Principal, Role
from shared.ids import new_id
from tests.conftest import a_person
from tests.suppliers.world import World, new_items


@pytest.fixture
async def alone(empty_world: World) -> World:
    """A qualified supplier with an offer for every member, which nobody admitted."""
    assert (await empty_world.register()).status_code == 201
    assert (await empty_world.qualify()).status_code == 200
    await empty_world.synced(new_items("A-1"))
    return empty_world


def a_buyer(group_id: UUID) -> Principal:
    return a_person(Role.BUYER, company_id=group_id, group_id=group_id)


async def seen_by(world: World, caller: Principal | None) -> bool:
    """Whether a caller reads the offer, is quoted it, and both say the same."""
    (offer,) = (await world.offers()).values()
    read = await world.call("GET", f"/suppliers/offers/{offer['id']}", caller)
    assert read.status_code in {200, 404}
    if caller is not None:
        line = {"offer_id": offer["id"], "quantity": "1", "unit": "t"}
        quoted = await world.call("POST", "/suppliers/offers/quote", caller, json={"lines": [line]})
        assert quoted.json()["fits"] == (read.status_code == 200)
    return read.status_code == 200


async def admitted(world: World, group_id: UUID, *categories: str) -> dict[str, object]:
    answer = await world.admit(group_id, *(categories or ("rebar",)))
    assert answer.status_code == 201, answer.text
    found: dict[str, object] = answer.json()[0]
    return found


async def decide(world: World, admission: dict[str, object], step: str, caller: Principal) -> httpx.Response:
    path = f"/suppliers/admissions/{admission['id']}"
    version = (await world.call("GET", path, caller)).json().get("version", 1)
    return await world.call("POST", f"{path}/{step}", caller, version=version, json={"reason": "Late twice."})


async def test_a_supplier_that_nobody_admitted_reaches_nobody(alone: World):
    assert not await seen_by(alone, alone.buyer)
    assert not await seen_by(alone, None)
    (row,) = await alone.rows("SELECT audience_keys FROM offers")
    assert row["audience_keys"] == [f"company:{alone.supplier_id}"]
    assert await seen_by(alone, a_person(Role.SUPPLIER_SALES, company_id=alone.supplier_id))


async def test_an_admission_opens_the_offers_to_the_group_alone(alone: World):
    group, other = new_id(), new_id()
    await admitted(alone, group)
    assert await alone.rekey() == 1
    assert await seen_by(alone, a_buyer(group))
    assert not await seen_by(alone, a_buyer(other))
    below = a_person(Role.BUYER, company_id=new_id(), group_id=group)
    assert await seen_by(alone, below), "a company of the group"


async def test_a_group_admits_for_itself(alone: World):
    group = new_id()
    alone.members.add(group, kinds=("contractor_group",))
    for caller, code in (
        (a_person(Role.BUYER, company_id=new_id(), group_id=group), "NotTheGroup"),
        (a_person(Role.ADMIN, company_id=new_id()), "NotTheGroup"),
        (a_person(Role.REQUESTER, company_id=group), "RightMissing"),
        (a_person(Role.SUPPLIER_SALES, company_id=alone.supplier_id), "RightMissing"),
    ):
        answer = await alone.admit(group, "rebar", caller=caller)
        assert (answer.status_code, answer.json()["code"]) == (403, code)
    own = await alone.admit(group, "rebar", caller=a_buyer(group), grade="A", level="strategic")
    assert (own.status_code, own.json()[0]["on_behalf"], own.json()[0]["grade"]) == (201, False, "A")


async def test_only_a_contractor_that_takes_part_admits(alone: World):
    supplier, gone = new_id(), new_id()
    alone.members.add(supplier, kinds=("supplier",))
    alone.members.add(gone, kinds=("contractor",), status="SUSPENDED")
    for group in (supplier, gone):
        answer = await alone.admit(group, "rebar")
        assert (answer.status_code, answer.json()["code"]) == (409, "NotAContractorGroup")
    body = {"categories": ["rebar"], "reason": "x"}
    path = f"/suppliers/{alone.supplier_id}/admissions"
    assert (await alone.call("POST", path, alone.operator, json=body)).json()["code"] == "GroupNeeded"
    unknown = await alone.call("POST", path, alone.operator, json={**body, "group_id": str(new_id())})
    assert unknown.json()["code"] == "NotAContractorGroup"


async def test_the_common_qualification_comes_first(alone: World):
    group = new_id()
    other = await alone.admit(group, "rebar", "precast")
    assert (other.status_code, other.json()["code"]) == (409, "NotCommonlyQualified")
    assert [error["message"] for error in other.json()["errors"]] == ["示范钢铁 is not qualified for precast."]
    assert (await alone.admit(group, "rebar", supplier_id=new_id())).json()["code"] == "AdmittedSupplierUnknown"
    yesterday = (business_date(datetime.now(UTC)) - timedelta(days=1)).isoformat()
    assert (await alone.admit(group, "rebar", until=yesterday)).json()["code"] == "AdmissionEndPassed"
    assert await alone.rows("SELECT 1 FROM admissions") == []


async def test_a_suspended_admission_closes_at_once_and_can_be_renewed(alone: World):
    group = new_id()
    admission = await admitted(alone, group)
    await alone.rekey()
    assert (await decide(alone, admission, "suspension", a_buyer(group))).json()["status"] == "SUSPENDED"
    assert not await seen_by(alone, a_buyer(group)), "before any offer got new keys"
    assert await alone.rekey() == 1
    assert (await decide(alone, admission, "suspension", a_buyer(group))).json()["code"] == "AdmissionMoveRefused"
    again = await admitted(alone, group)
    assert (again["id"], again["status"], again["version"]) == (admission["id"], "ADMITTED", 3)
    await alone.rekey()
    assert await seen_by(alone, a_buyer(group))


async def test_an_ended_admission_stays_ended_and_a_new_one_is_another_document(alone: World):
    group = new_id()
    admission = await admitted(alone, group)
    assert (await decide(alone, admission, "ending", a_buyer(group))).json()["status"] == "ENDED"
    assert (await decide(alone, admission, "suspension", a_buyer(group))).json()["code"] == "AdmissionMoveRefused"
    assert (await admitted(alone, group))["id"] != admission["id"]


async def test_an_admission_lapses_after_its_last_day(alone: World):
    group = new_id()
    today = business_date(datetime.now(UTC))
    assert (await alone.admit(group, "rebar", until=today.isoformat())).status_code == 201
    await alone.rekey()
    assert await lapse_admissions(alone.database, at=datetime.now(UTC)) == 0
    assert await seen_by(alone, a_buyer(group))
    assert await lapse_admissions(alone.database, at=datetime.now(UTC) + timedelta(days=1)) == 1
    assert not await seen_by(alone, a_buyer(group))


async def test_strangers_know_nothing_of_an_admission(alone: World):
    group, other = new_id(), new_id()
    answer = await alone.admit(
        group, "rebar", grade="C", evidence=[{"kind": "site_visit", "on": "2026-10-01", "reference": "R 7"}]
    )
    (admission,) = answer.json()
    path = f"/suppliers/admissions/{admission['id']}"
    sales = a_person(Role.SUPPLIER_SALES, company_id=alone.supplier_id)
    assert (await alone.call("GET", path, a_buyer(other))).status_code == 404
    assert (await alone.call("GET", f"{path}/history", a_buyer(other))).status_code == 404
    assert (await decide(alone, admission, "ending", a_buyer(other))).status_code == 404
    assert (await alone.call("GET", "/suppliers/admissions", a_buyer(other))).json() == []
    assert (await alone.call("GET", path, a_buyer(group))).json()["grade"] == "C"
    own = (await alone.call("GET", path, sales)).json()
    assert (own["status"], own["grade"], own["evidence"]) == ("ADMITTED", None, [])
    assert [each["id"] for each in (await alone.call("GET", "/suppliers/admissions", sales)).json()] == [
        admission["id"]
    ]
    assert (await alone.call("GET", "/suppliers/admissions", alone.operator)).json()["code"] == "GroupNeeded"
    listed = await alone.call("GET", "/suppliers/admissions", alone.operator, params={"group_id": str(group)})
    assert [each["grade"] for each in listed.json()] == ["C"]


async def test_a_changed_history_shows(alone: World):
    group = new_id()
    admission = await admitted(alone, group)
    await decide(alone, admission, "suspension", a_buyer(group))
    path = f"/suppliers/admissions/{admission['id']}/history"
    history = (await alone.call("GET", path, a_buyer(group))).json()
    assert [entry["entry"]["decision"] for entry in history["entries"]] == ["admitted", "suspended"]
    assert history["intact"]
    with pytest.raises(DBAPIError):
        await alone.execute("UPDATE admission_history SET entry = '{}'")
    await alone.execute("UPDATE admissions SET history_length = 1")
    assert not (await alone.call("GET", path, a_buyer(group))).json()["intact"]


async def test_the_database_lets_an_admission_move_only_as_the_rules_do(alone: World):
    for before in AdmissionStatus:
        for after in AdmissionStatus:
            admission_id = new_id()
            await alone.execute(
                "INSERT INTO admissions VALUES (:g, :id, :s, 'rebar', :g, :status, NULL, NULL, '[]', NULL, NULL, NULL, "
                "NULL, NULL, false, '2026-01-01', 1, 1, NULL, now(), now())",
                g=new_id(),
                id=admission_id,
                s=alone.supplier_id,
                status=before,
            )
            change = alone.execute("UPDATE admissions SET status = :new WHERE id = :id", new=after, id=admission_id)
            if (before, after) in TRANSITIONS or (before == after and before is not AdmissionStatus.ENDED):
                await change
            else:
                with pytest.raises(DBAPIError, match="admission cannot go"):
                    await change


async def test_the_share_of_admissions_that_rely_on_anothers_decision_is_a_metric(alone: World):
    group, other = new_id(), new_id()
    await admitted(alone, group, "rebar", "finishes_misc")
    await admitted(alone, other)
    own = await alone.call("GET", "/suppliers/metrics", a_person(Role.BUYER, company_id=group, group_id=group))
    assert {(each["metric"], each["category"], each["value"], each["cases"]) for each in own.json()} == {
        ("M3", None, "0.0000", 2),
        ("M3", "finishes_misc", "0.0000", 1),
        ("M3", "rebar", "0.0000", 1),
        ("M3", None, None, None),
    }
    whole = await alone.call("GET", "/suppliers/metrics/platform", alone.operator)
    assert {(each["category"], each["cases"]) for each in whole.json()} == {
        (None, None),
        (None, 3),
        ("finishes_misc", 1),
        ("rebar", 2),
    }
    assert (await alone.call("GET", "/suppliers/metrics/platform", alone.buyer)).status_code == 403


async def held(alone: World, buyer: UUID, *, at: datetime, state: str = "CONSUMED") -> None:
    """Goods of the supplier that a buyer took at a moment; CONSUMED: they became an order."""
    reservation = new_id()
    await alone.execute(
        "INSERT INTO reservations (id, buyer_id, request_hash, state, expires_at, created_at, lines) "
        "VALUES (:id, :buyer, sha256('x'), :state, :expires, :at, '[]')",
        id=reservation,
        buyer=buyer,
        state=state,
        at=at,
        expires=at + timedelta(minutes=15),
    )
    await alone.execute(
        "INSERT INTO reservation_lines (reservation_id, supplier_id, line_no, offer_id, item_no, base_quantity) "
        "VALUES (:id, :supplier, 1, :id, 'A-1', 1)",
        id=reservation,
        supplier=alone.supplier_id,
    )


async def test_the_median_days_from_admission_to_the_first_order_is_a_metric(alone: World):
    group, branch, other = new_id(), new_id(), new_id()
    now = datetime.now(UTC)
    for each, ago in ((group, 30), (other, 10)):
        admission = await admitted(alone, each)
        await alone.execute(
            "UPDATE admissions SET created_at = :at WHERE id = :id", at=now - timedelta(days=ago), id=admission["id"]
        )
    await alone.execute(
        "INSERT INTO known_links (id, child_id, parent_id, valid_from, valid_until) VALUES "
        "(:id, :child, :parent, '2020-01-01', NULL)",
        id=new_id(),
        child=branch,
        parent=group,
    )

    async def ordered(buyer: UUID, *, days_ago: float, state: str = "CONSUMED") -> None:
        await held(alone, buyer, at=now - timedelta(days=days_ago), state=state)

    async def told(path: str, caller: Principal) -> set[tuple[str | None, str | None, int | None]]:
        listed = (await alone.call("GET", path, caller)).json()
        return {
            (each["category"], each["value"], each["cases"]) for each in listed if each["name"] == "days to first order"
        }

    await ordered(group, days_ago=40)
    await ordered(group, days_ago=29, state="RELEASED")
    await ordered(new_id(), days_ago=5)
    assert await told("/suppliers/metrics", a_buyer(group)) == {(None, None, None)}, "none under its admission"
    await ordered(branch, days_ago=26)
    await ordered(group, days_ago=1)
    own = {(None, "4.00", 1), ("rebar", "4.00", 1)}
    assert await told("/suppliers/metrics", a_buyer(group)) == own, "the first of the group, by its branch"
    assert await told("/suppliers/metrics", a_buyer(other)) == {(None, None, None)}, "nothing of another group"
    # Told by the month of the first order: both are of one month here.
    month = "UPDATE reservations SET created_at = :at, expires_at = :at + interval '15 minutes' WHERE buyer_id = :buyer"
    await ordered(other, days_ago=0)
    await alone.execute(month, at=now, buyer=branch)
    await alone.execute(month, at=now + timedelta(seconds=1), buyer=group)
    whole = await told("/suppliers/metrics/platform", alone.operator)
    assert whole == {(None, "20.00", 2), ("rebar", "20.00", 2)}, "the median of 30 and 10"


async def test_an_order_counts_for_the_admission_that_stood_last(alone: World):
    group = new_id()
    first = await admitted(alone, group)
    now = datetime.now(UTC)
    backdate = "UPDATE admissions SET created_at = :at WHERE id = :id"
    await alone.execute(backdate, id=first["id"], at=now - timedelta(days=100))
    ended = await decide(alone, first, "ending", alone.operator)
    assert ended.status_code == 200, ended.text
    second = await admitted(alone, group)
    await alone.execute(backdate, id=second["id"], at=now - timedelta(days=3))
    await held(alone, group, at=now)
    listed = (await alone.call("GET", "/suppliers/metrics", a_buyer(group))).json()
    assert [each["value"] for each in listed if each["name"] == "days to first order"] == ["3.00", "3.00"]
