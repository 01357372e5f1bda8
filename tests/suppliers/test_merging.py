"""Two records of one company: proposed by one operator, merged by another, undone exactly; documents never change."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from services.suppliers.merging.queries import open_duplicates, survivors
from services.suppliers.merging.rules import Basis
from shared.clients.transport import ServiceAway
from shared.database import transaction
from shared.history import first_broken
from shared.identity import Role, Scope
from shared.ids import new_id
from tests.conftest import a_person, a_service, once, signed_in
from tests.legacy_imports import Legacy, a_uscc, csv_of
from tests.suppliers.blacklist_world import Lists
from tests.suppliers.test_supplier_imports import HEADER, relations, row
from tests.suppliers.world import World, new_items

REASON = {"reason": "The register shows one company."}


class Orders:
    """Counts open orders as it is told."""

    def __init__(self) -> None:
        self.open: dict[UUID, int] = {}
        self.away = False

    async def open_orders(self, *, supplier_id: UUID) -> int:
        if self.away:
            raise ServiceAway("orders cannot be reached.")
        return self.open.get(supplier_id, 0)


@dataclass
class Twins:
    """One company under two numbers, brought by two groups, and the operators who look at it."""

    world: World
    legacy: Legacy
    orders: Orders = field(default_factory=Orders)
    ids: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world.app.state.orders = self.orders
        self.second = a_person(Role.OPERATOR)

    @classmethod
    async def of(cls, world: World) -> "Twins":
        """Both records, brought by two groups."""
        legacy = Legacy(http=world.http, runner=world.app.state.import_runner, prefix="/suppliers/supplier-imports")
        made = cls(world=world, legacy=legacy)
        await legacy.published(csv_of(HEADER, row("恒力钢铁（江苏）有限公司", a_uscc(1), grade="A")))
        other = Legacy(http=legacy.http, runner=legacy.runner, prefix=legacy.prefix)
        await other.published(csv_of(HEADER, row("江苏恒力钢铁有限公司", a_uscc(2), grade="D")))
        rows = await world.rows("SELECT company_id FROM suppliers ORDER BY tax_id")
        made.ids = [str(each["company_id"]) for each in rows]
        return made

    @property
    def survivor(self) -> UUID:
        return UUID(self.ids[0])

    @property
    def vanishing(self) -> UUID:
        return UUID(self.ids[1])

    async def post(self, path: str, body: Any, *, second: bool = False) -> Any:
        headers = signed_in(self.second if second else self.world.operator) | once()
        return await self.world.http.post(f"/suppliers{path}", json=body, headers=headers)

    async def proposed(self) -> dict[str, Any]:
        body = {"survivor_id": self.ids[0], "vanishing_id": self.ids[1], **REASON}
        answer = await self.post("/merges", body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def candidates(self) -> list[dict[str, Any]]:
        answer = await self.world.http.get("/suppliers/merge-candidates", headers=signed_in(self.world.operator))
        found: list[dict[str, Any]] = answer.json()
        return found

    async def standing(self) -> list[Any]:
        """Everything that a merge could have touched, but for versions and histories."""
        queries = (
            "SELECT company_id, status, categories, regions, qualified_until, name, tax_id FROM suppliers ORDER BY 1",
            "SELECT * FROM supplier_relations ORDER BY id",
            "SELECT * FROM supplier_names ORDER BY id",
            "SELECT supplier_id, id, price, status FROM offers ORDER BY id",
            "SELECT * FROM stock_levels ORDER BY supplier_id, item_no",
        )
        told: list[Any] = [await self.world.rows(query) for query in queries]
        async with transaction(self.world.database.system) as session:
            told.append(await survivors(session, supplier_ids=[UUID(each) for each in self.ids]))
        return told


@pytest.fixture
async def twins(empty_world: World) -> Twins:
    return await Twins.of(empty_world)


async def test_records_with_one_name_account_and_region_are_proposed_for_review(twins: Twins):
    await twins.legacy.published(csv_of(HEADER, row("别的公司", a_uscc(9), bank="建设银行 3200 1886 6360 5123 4567")))
    (pair,) = await twins.candidates()
    assert ({pair["first"], pair["second"]}, pair["basis"]) == (set(twins.ids), Basis.NAME_REGION_BANK)
    async with transaction(twins.world.database.system) as session:
        every = [each["company_id"] for each in await twins.world.rows("SELECT company_id FROM suppliers")]
        assert await open_duplicates(session, every) == {twins.survivor, twins.vanishing}
        assert await open_duplicates(session, []) == set()


async def test_a_merge_needs_two_operators_and_then_one_id_means_the_other(twins: Twins):
    merge = await twins.proposed()
    own = await twins.post(f"/merges/{merge['id']}/approval", REASON)
    assert (own.status_code, own.json()["code"]) == (403, "OwnMerge")
    merged = await twins.post(f"/merges/{merge['id']}/approval", REASON, second=True)
    assert (merged.status_code, merged.json()["state"]) == (200, "EFFECTIVE"), merged.text
    assert await twins.candidates() == []
    service = signed_in(a_service(Scope.COMPANIES_READ))
    by_id = await twins.world.http.get(f"/suppliers/resolutions/{twins.ids[1]}", headers=service)
    assert by_id.json()["supplier_id"] == twins.ids[0]
    body = {"numbers": [a_uscc(2), a_uscc(1), a_uscc(7)]}
    by_number = (await twins.world.http.post("/suppliers/resolutions", json=body, headers=service)).json()
    assert [each["supplier_id"] for each in by_number] == [twins.ids[0], twins.ids[0], None]
    names = await twins.world.http.get(f"/suppliers/{twins.ids[0]}/identities", headers=signed_in(twins.second))
    assert set(names.json()) == {"恒力钢铁(江苏)有限公司", "江苏恒力钢铁有限公司"}
    (mine,) = await relations(twins.legacy)
    assert (mine["grade"], mine["supplier_id"]) == ("A", twins.ids[0])
    events = await twins.world.rows("SELECT type FROM events WHERE type LIKE '%merged%'")
    assert [each["type"] for each in events] == ["dev.dougong.suppliers.suppliers.merged.v1"]
    history = await twins.world.rows("SELECT entry, hash FROM supplier_merge_history ORDER BY number")
    assert first_broken((each["entry"], bytes(each["hash"])) for each in history) is None


async def test_each_groups_marks_stay_with_it(twins: Twins):
    before = await twins.world.rows("SELECT * FROM supplier_relations ORDER BY id")
    merge = await twins.proposed()
    await twins.post(f"/merges/{merge['id']}/approval", REASON, second=True)
    assert await twins.world.rows("SELECT * FROM supplier_relations ORDER BY id") == before


async def test_open_orders_or_reservations_on_the_vanishing_side_stand_in_the_way(twins: Twins):
    merge = await twins.proposed()
    path = f"/merges/{merge['id']}/approval"
    twins.orders.open[twins.vanishing] = 2
    refused = await twins.post(path, REASON, second=True)
    assert (refused.status_code, refused.json()["code"], refused.json()["orders"]) == (409, "OpenDocuments", 2)
    twins.orders.open.clear()
    twins.orders.away = True
    assert (await twins.post(path, REASON, second=True)).status_code == 503
    twins.orders.away = False
    hold = (
        "INSERT INTO reservations (id, buyer_id, request_hash, state, expires_at, created_at, lines) "
        "VALUES (:id, :id, sha256('x'), :state, now() + interval '1 hour', now(), '[]')"
    )
    line = (
        "INSERT INTO reservation_lines (reservation_id, supplier_id, line_no, offer_id, item_no, base_quantity) "
        "VALUES (:id, :supplier, 1, :id, 'A', 1)"
    )
    for state in ("HELD", "CONSUMED"):
        reservation = new_id()
        await twins.world.execute(hold, id=reservation, state=state)
        await twins.world.execute(line, id=reservation, supplier=twins.vanishing)
        held = await twins.post(path, REASON, second=True)
        assert (held.json()["code"], held.json()["reservations"]) == ("OpenDocuments", 1), state
        await twins.world.execute(
            "UPDATE reservations SET state = 'RELEASED' WHERE id = :id AND state = 'HELD'", id=reservation
        )
        await twins.world.execute("UPDATE reservation_lines SET released_quantity = base_quantity")
    assert (await twins.post(path, REASON, second=True)).status_code == 200


async def test_what_groups_decided_about_either_record_stays_through_merge_and_undoing(twins: Twins):
    """Admissions, the reach they give, consents and blacklists are each about one record, and stay about it."""
    world, group = twins.world, new_id()
    for each in (twins.survivor, twins.vanishing):
        assert (await world.qualify(each, categories=["rebar"], regions=["32"], until="2199-12-31")).status_code == 200
        await world.open_market("rebar", supplier_id=each)
        assert (await world.admit(group, "rebar", supplier_id=each, grade="B")).status_code == 201
        world.supplier_id = each
        await world.synced(new_items("A-1"))
        sales = a_person(Role.SUPPLIER_SALES, company_id=each)
        consent = {"what": ["profile"], "audience": "MEMBERS", "to_id": None, "until": "2199-12-31"}
        assert (await world.call("POST", "/suppliers/consents", sales, json=consent)).status_code == 201
    lister = Lists(world)
    await lister.put_on(supplier_id=str(twins.vanishing))

    async def standing() -> list[Any]:
        return [
            await world.rows(query)
            for query in (
                "SELECT * FROM admissions ORDER BY id",
                "SELECT * FROM supplier_spaces ORDER BY supplier_id, category, group_id",
                "SELECT * FROM offer_reaches ORDER BY supplier_id, category, audience, audience_ids",
                "SELECT supplier_id, id, audience_keys FROM offers ORDER BY supplier_id, id",
                "SELECT * FROM consents ORDER BY id",
                "SELECT * FROM blacklist_entries ORDER BY id",
            )
        ]

    before = await standing()
    assert all(before)
    merge = await twins.proposed()
    merged = await twins.post(f"/merges/{merge['id']}/approval", REASON, second=True)
    assert merged.json()["state"] == "EFFECTIVE", merged.text
    assert await world.rekey() == 0
    assert await standing() == before
    undone = await twins.post(f"/merges/{merge['id']}/undoing", REASON)
    assert undone.json()["state"] == "UNDONE"
    assert await world.rekey() == 0
    assert await standing() == before


@pytest.mark.parametrize("qualified", [True, False])
async def test_merging_and_undoing_leaves_all_as_it_was(twins: Twins, qualified: bool):
    if qualified:
        await twins.world.qualify(twins.vanishing, regions=["32"], until="2199-12-31")
        twins.world.supplier_id = twins.vanishing
        await twins.world.synced(new_items("A-1"))
    before = await twins.standing()
    merge = await twins.proposed()
    await twins.post(f"/merges/{merge['id']}/approval", REASON, second=True)
    between = await twins.standing()
    assert between != before
    if qualified:
        assert {each["status"] for each in between[0]} == {"REGISTERED", "SUSPENDED"}
    undone = await twins.post(f"/merges/{merge['id']}/undoing", REASON)
    assert undone.json()["state"] == "UNDONE"
    assert await twins.standing() == before
    assert len(await twins.candidates()) == 1
    again = await twins.post(f"/merges/{merge['id']}/undoing", REASON)
    assert again.json()["code"] == "MergeStateWrong"


async def test_a_pair_judged_to_be_two_companies_is_not_proposed_again(twins: Twins):
    merge = await twins.proposed()
    twice = await twins.post("/merges", {"survivor_id": twins.ids[0], "vanishing_id": twins.ids[1], **REASON})
    assert twice.json()["code"] == "AlreadyMerged"
    await twins.post(f"/merges/{merge['id']}/rejection", REASON, second=True)
    assert await twins.candidates() == []
    again = await twins.post("/merges", {"survivor_id": twins.ids[0], "vanishing_id": twins.ids[1], **REASON})
    assert (again.status_code, again.json()["code"]) == (409, "NothingSaysTheyAreOne")


async def test_strangers_are_not_merged_and_a_merged_record_is_not_merged_again(twins: Twins):
    await twins.legacy.published(csv_of(HEADER, row("别的公司", a_uscc(9), bank="")))
    rows = await twins.world.rows("SELECT company_id FROM suppliers WHERE tax_id = :tax_id", tax_id=a_uscc(9))
    stranger = str(rows[0]["company_id"])
    refused = await twins.post("/merges", {"survivor_id": twins.ids[0], "vanishing_id": stranger, **REASON})
    assert refused.json()["code"] == "NothingSaysTheyAreOne"
    merge = await twins.proposed()
    await twins.post(f"/merges/{merge['id']}/approval", REASON, second=True)
    for survivor, vanishing in ((twins.ids[1], stranger), (twins.ids[0], twins.ids[1])):
        again = await twins.post("/merges", {"survivor_id": survivor, "vanishing_id": vanishing, **REASON})
        assert again.json()["code"] == "AlreadyMerged"


async def test_nobody_but_operators_merges(twins: Twins):
    buyer = signed_in(a_person(Role.BUYER, Role.ADMIN)) | once()
    body = {"survivor_id": twins.ids[0], "vanishing_id": twins.ids[1], **REASON}
    assert (await twins.world.http.post("/suppliers/merges", json=body, headers=buyer)).status_code == 403
    assert (await twins.world.http.get("/suppliers/merge-candidates", headers=buyer)).status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE supplier_merges SET decided_by = proposed_by, state = 'EFFECTIVE'",
        "UPDATE supplier_merges SET state = 'UNDONE', undone_by = proposed_by",
        "UPDATE supplier_merges SET survivor_id = vanishing_id",
        "UPDATE supplier_merge_history SET entry = '{}'",
        "DELETE FROM supplier_merges",
    ],
)
async def test_the_database_refuses_what_must_not_be(twins: Twins, change: str):
    await twins.proposed()
    with pytest.raises(DBAPIError):
        await twins.world.execute(change)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(["merge", "undo", "reverse"]), min_size=1, max_size=5))
async def test_whatever_is_merged_and_undone_in_whatever_order_ends_as_it_began(twins: Twins, steps: list[str]):
    before = await twins.standing()
    standing: dict[str, Any] | None = None
    for step in [*steps, "undo"]:
        if step == "undo" and standing is not None:
            assert (await twins.post(f"/merges/{standing['id']}/undoing", REASON)).status_code == 200
            standing = None
        elif step != "undo" and standing is None:
            pair = twins.ids if step == "merge" else twins.ids[::-1]
            body = {"survivor_id": pair[0], "vanishing_id": pair[1], **REASON}
            standing = (await twins.post("/merges", body)).json()
            answer = await twins.post(f"/merges/{standing['id']}/approval", REASON, second=True)
            assert answer.status_code == 200, answer.text
            assert (await twins.standing())[:5] == before[:5]
    assert await twins.standing() == before
