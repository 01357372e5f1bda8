"""How far offers reach: whatever happens to stages, circles and admissions, the database says what the policy says."""

import asyncio
import random
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from services.suppliers.spaces.actions import circles_told, keys_for, links_told
from services.suppliers.spaces.jobs import follow_groups, rekey_offers
from services.suppliers.spaces.rules import CARRIED_OVER, KIND_AT, offer_keys
from shared.audience import (
    CEILINGS,
    Audience,
    Meant,
    ObjectKind,
    Space,
    Stage,
    effective_keys,
    narrower,
    viewer_keys,
    visible,
)
from shared.clock import business_date
from shared.contracts.members import CircleChanged, CompanyLinked
from shared.database import transaction
from shared.identity import Principal, Role, Scope
from shared.ids import new_id
from tests.conftest import a_person, a_service
from tests.figures import tells
from tests.suppliers.world import BOLT, REBAR, World, new_items

CATEGORIES = {REBAR: "rebar", BOLT: "finishes_misc"}


async def in_circle(world: World, circle_id: UUID, *group_ids: UUID) -> None:
    """What the feed of `members` tells of who stands in a circle."""
    told = CircleChanged(
        circle_id=circle_id,
        name="联合采购圈",
        status="ACTIVE",
        what="joined",
        group_id=new_id(),
        member_ids=list(group_ids),
    )
    async with transaction(world.database.system) as session:
        await circles_told(session, told=[told], at=datetime.now(UTC))


async def linked(world: World, child: UUID, parent: UUID, *, since: date, until: date | None = None) -> None:
    told = CompanyLinked(
        link_id=new_id(), child_id=child, parent_id=parent, kind="group", valid_from=since, valid_until=until
    )
    async with transaction(world.database.system) as session:
        await links_told(session, told=[told], at=datetime.now(UTC))


class Model:
    """What a test did, and who sees what by the pure policy alone."""

    def __init__(self, world: World, dice: random.Random) -> None:
        self.world, self.dice = world, dice
        self.groups = [new_id() for _ in range(4)]
        self.circles = [new_id() for _ in range(2)]
        self.party = new_id()
        self.members: dict[UUID, frozenset[UUID]] = {circle: frozenset() for circle in self.circles}
        self.stages: dict[tuple[UUID, str], tuple[Stage, UUID | None]] = {}
        self.admitted: dict[tuple[UUID, str], str] = {}
        self.offers: list[tuple[UUID, str, Audience, frozenset[UUID]]] = []

    async def list_offers(self) -> None:
        g, c = self.groups, self.circles
        meant = [
            (Audience.MEMBERS, []),
            (Audience.PUBLIC, []),
            (Audience.ORG, [g[1], g[2]]),
            (Audience.CIRCLE, [c[0]]),
            (Audience.PARTIES, [self.party]),
        ]
        for number, (variant, category) in enumerate(CATEGORIES.items()):
            for audience, ids in meant:
                answer = await self.world.call(
                    "POST",
                    "/suppliers/offers",
                    self.world.erp,
                    json={
                        "item_no": f"I-{number}",
                        "offer_code": audience.value,
                        "variant": {"key": variant},
                        "price": "3253",
                        "tax_inclusive": True,
                        "tax_rate": "0.13",
                        "unit": "t" if variant == REBAR else "piece",
                        "audience": audience.value,
                        "audience_ids": [str(each) for each in ids],
                    },
                )
                assert answer.status_code == 201, answer.text
                self.offers.append((UUID(answer.json()["id"]), category, audience, frozenset(ids)))

    async def step(self) -> None:
        """Something happens at random."""
        group, category = self.dice.choice(self.groups), self.dice.choice(list(CATEGORIES.values()))
        match self.dice.randrange(4):
            case 0:
                circles = [circle for circle in self.circles if group in self.members[circle]]
                stage = self.dice.choice([Stage.S1, *([Stage.S2] if circles else []), Stage.S3])
                circle = self.dice.choice(circles) if stage is Stage.S2 else None
                self.stages[group, category] = (stage, circle)
                await self.world.stage(group, category, stage, circle_id=circle)
            case 1:
                circle = self.dice.choice(self.circles)
                self.members[circle] ^= {group}
                for (owner, opened), (_, open_to) in list(self.stages.items()):
                    if open_to == circle and owner not in self.members[circle]:
                        self.stages[owner, opened] = (Stage.S1, None)
                        await self.world.stage(owner, opened, Stage.S1)
                await in_circle(self.world, circle, *self.members[circle])
            case _ if (group, category) in self.admitted:
                path = f"/suppliers/admissions/{self.admitted.pop((group, category))}"
                version = (await self.world.call("GET", path, self.world.operator)).json()["version"]
                step = self.dice.choice(["suspension", "ending"])
                body = {"reason": "As the dice say."}
                done = await self.world.call("POST", f"{path}/{step}", self.world.operator, version=version, json=body)
                assert done.status_code == 200, done.text
            case _:
                answer = await self.world.admit(group, category)
                assert answer.status_code == 201, answer.text
                self.admitted[group, category] = answer.json()[0]["id"]

    def spaces(self, category: str) -> list[Space]:
        found = []
        for group, admitted_for in self.admitted:
            if admitted_for == category:
                stage, circle = self.stages.get((group, category), (Stage.S1, None))
                members = frozenset() if circle is None else self.members[circle]
                found.append(Space(group_id=group, stage=stage, circle_id=circle, circle_group_ids=members))
        return found

    def keys(self, category: str, audience: Audience, ids: frozenset[UUID]) -> frozenset[str]:
        return offer_keys(audience, ids, owner=self.world.supplier_id, spaces=self.spaces(category))

    def sees(self, viewer: frozenset[str], category: str, audience: Audience, ids: frozenset[UUID]) -> bool:
        """By the policy alone: as a listing and as a list price, in one of the spaces."""
        parties = viewer_keys(company_id=self.party) if audience is Audience.PARTIES else frozenset[str]()
        if visible({f"company:{self.party}"} & parties, viewer):
            return True
        own, owner = Meant(audience=audience, ids=ids), self.world.supplier_id
        return any(
            all(
                visible(effective_keys(kind, own=own, space=space, owner=owner) - self.strangers(own, space), viewer)
                for kind in (ObjectKind.LISTING, ObjectKind.LIST_PRICE)
            )
            for space in self.spaces(category)
        )

    @staticmethod
    def strangers(own: Meant, space: Space) -> set[str]:
        """The key of the space's group, where the offer names others and not it."""
        named = {Audience.ORG: space.group_id in own.ids, Audience.CIRCLE: space.circle_id in own.ids}
        return set() if named.get(own.audience, True) else {f"group:{space.group_id}"}

    def viewers(self) -> list[Principal | None]:
        people: list[Principal | None] = [None, a_person(Role.BUYER), a_person(Role.BUYER, company_id=self.party)]
        for group in self.groups:
            circles = frozenset(circle for circle in self.circles if group in self.members[circle])
            people.append(a_person(Role.BUYER, company_id=new_id(), group_id=group, circle_ids=circles))
        return people


async def seen(world: World, viewer: Principal | None, offers: list[UUID]) -> set[UUID]:
    found = set()
    for offer in offers:
        if (await world.call("GET", f"/suppliers/offers/{offer}", viewer)).status_code == 200:
            found.add(offer)
    return found


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_database_opens_offers_as_the_policy_does(empty_world: World, seed: int):
    world = empty_world
    assert (await world.register()).status_code == 201
    assert (await world.qualify()).status_code == 200
    model = Model(world, random.Random(seed))
    await model.list_offers()
    ids = [offer for offer, *_ in model.offers]
    for _ in range(16):
        await model.step()
        viewer = model.dice.choice(model.viewers())
        keys = viewer_keys() if viewer is None else viewer.viewer_keys
        allowed = {offer for offer, *meant in model.offers if model.sees(keys, *meant)}  # type: ignore[arg-type]
        assert await seen(world, viewer, ids) <= allowed, "narrowing holds before any offer has its new keys"
        await world.rekey()
        for row in await world.rows("SELECT id, audience_keys FROM offers"):
            meant = next(meant for offer, *meant in model.offers if offer == row["id"])
            assert row["audience_keys"] == sorted(model.keys(*meant)), "no key is left behind"  # type: ignore[arg-type]
        assert await seen(world, viewer, ids) == allowed


async def test_admitting_a_supplier_does_not_open_what_it_offers_to_others(world: World):
    """T6: a contractor decides alone whom it admits, so that must not widen what names another group or a circle."""
    named, rival, circle = new_id(), new_id(), new_id()
    for audience, ids in ((Audience.ORG, [named]), (Audience.CIRCLE, [circle])):
        body = {
            "item_no": audience.value,
            "variant": {"key": REBAR},
            "price": "3111",
            "unit": "t",
            "tax_inclusive": True,
            "tax_rate": "0.13",
            "audience": audience.value,
            "audience_ids": [str(each) for each in ids],
        }
        offer = (await world.call("POST", "/suppliers/offers", world.erp, json=body)).json()["id"]
        for group in (named, rival):
            if audience is Audience.ORG:
                assert (await world.admit(group, "rebar")).status_code == 201
        await world.rekey()
        who = a_person(Role.BUYER, company_id=rival, group_id=rival)
        assert (await world.call("GET", f"/suppliers/offers/{offer}", who)).status_code == 404
        line = {"offer_id": offer, "quantity": "1", "unit": "t"}
        quoted = await world.call("POST", "/suppliers/offers/quote", who, json={"lines": [line]})
        assert not tells(quoted.text, "3111")
        member = a_person(Role.BUYER, company_id=named, group_id=named)
        expected = 200 if audience is Audience.ORG else 404
        assert (await world.call("GET", f"/suppliers/offers/{offer}", member)).status_code == expected
    await world.stage(rival, "rebar", Stage.S2, circle_id=circle)
    await world.rekey()
    assert (await world.call("GET", f"/suppliers/offers/{offer}", who)).status_code == 200, "its space is the circle's"


def test_an_offer_is_held_to_the_narrower_of_listing_and_list_price():
    for stage, kind in KIND_AT.items():
        both = [CEILINGS[each][stage].full for each in (ObjectKind.LISTING, ObjectKind.LIST_PRICE)]
        assert CEILINGS[kind][stage].full is narrower(*both)


async def test_a_sync_writes_what_the_spaces_allow(empty_world: World):
    world = empty_world
    assert (await world.register()).status_code == 201
    assert (await world.qualify()).status_code == 200
    group = new_id()
    assert (await world.admit(group, "rebar")).status_code == 201
    await world.synced(new_items("A-1", "A-2"))
    keys = {tuple(row["audience_keys"]) for row in await world.rows("SELECT audience_keys FROM offers")}
    assert keys == {(f"company:{world.supplier_id}", f"group:{group}")}
    (event,) = await world.rows("SELECT data FROM events WHERE type LIKE '%offers.changed%'")
    assert event["data"]["offers"][0]["audience_keys"] == [f"company:{world.supplier_id}", f"group:{group}"]
    await world.stage(group, "rebar", Stage.S3)
    assert await world.rekey() == 2
    await world.synced("item_no;audience\nA-1;PUBLIC\n")
    rows = await world.rows("SELECT audience_keys FROM offers ORDER BY item_no")
    everyone = [f"company:{world.supplier_id}", f"group:{group}", "members"]
    assert [row["audience_keys"] for row in rows] == [[*everyone, "public"], everyone]


async def test_new_keys_are_written_in_batches_and_told(world: World):
    await world.synced(new_items(*(f"A-{number:02d}" for number in range(12))))
    told = "SELECT count(*) AS n FROM events WHERE type LIKE '%offers.changed%'"
    before = (await world.rows(told))[0]["n"]
    await world.stage(world.market_group_id, "rebar", Stage.S1)
    assert await rekey_offers(world.database, at=datetime.now(UTC), batch=5) == 12
    assert (await world.rows(told))[0]["n"] == before + 3
    assert await world.rows("SELECT 1 FROM rekeyings") == []
    assert await rekey_offers(world.database, at=datetime.now(UTC)) == 0


async def test_a_company_that_comes_to_stand_under_another_takes_its_admissions_along(world: World):
    await world.synced(new_items("A-1"))
    child, parent = new_id(), new_id()
    await world.stage(world.market_group_id, "rebar", Stage.S1)
    assert (await world.admit(child, "rebar")).status_code == 201
    await world.rekey()
    today = business_date(datetime.now(UTC))
    await linked(world, child, parent, since=today, until=today + timedelta(days=1))
    await world.rekey()
    (row,) = await world.rows("SELECT audience_keys FROM offers")
    assert f"group:{parent}" in row["audience_keys"]
    assert f"group:{child}" not in row["audience_keys"]
    refused = await world.admit(child, "finishes_misc")
    assert (refused.status_code, refused.json()["code"]) == (403, "NotTheGroup")
    await follow_groups(world.database, at=datetime.now(UTC) + timedelta(days=1))
    await world.rekey()
    (row,) = await world.rows("SELECT audience_keys FROM offers")
    assert f"group:{child}" in row["audience_keys"], "the link ended yesterday"


def test_what_was_carried_over_is_as_visible_as_before():
    owner = new_id()
    market = [Space(group_id=CARRIED_OVER, stage=Stage.S3)]
    keys = offer_keys(Audience.MEMBERS, (), owner=owner, spaces=market)
    assert keys == {f"company:{owner}", "members"}


async def reserved(world: World, offer: str, viewer: Principal) -> str:
    basket = {
        "reservation_id": str(new_id()),
        "buyer_company_id": str(viewer.company_id),
        "buyer_group_id": None if viewer.group_id is None else str(viewer.group_id),
        "currency": "CNY",
        "region": "110105",
        "lines": [{"line_no": 1, "offer_id": offer, "quantity": "1", "unit": "t", "need_by": "2099-01-01"}],
    }
    answer = await world.call(
        "POST", "/suppliers/reservations", a_service(Scope.RESERVATIONS_WRITE), json={"baskets": [basket]}
    )
    return str(answer.json()["results"][0]["outcome"])


async def test_what_was_narrowed_is_not_reserved_any_more(world: World):
    await world.synced(new_items("A-1"))
    (offer,) = (await world.offers()).values()
    anybody = a_person(Role.BUYER)
    own = a_person(Role.BUYER, company_id=world.market_group_id, group_id=world.market_group_id)
    assert await reserved(world, offer["id"], anybody) == "held"
    await world.stage(world.market_group_id, "rebar", Stage.S1)
    assert await reserved(world, offer["id"], anybody) == "refused", "before any offer has its new keys"
    assert await reserved(world, offer["id"], own) == "held"


async def test_a_sync_in_flight_does_not_leave_wide_keys_behind(world: World):
    """Who writes offers by a reach holds it: the narrowing waits for the chunk, and what it wrote is written anew."""
    await world.synced(new_items("A-1"))
    async with transaction(world.database.app, world.supplier_id) as session:
        await keys_for(session, supplier_id=world.supplier_id, category="rebar", audience=Audience.PUBLIC, ids=[])
        narrowing = asyncio.create_task(world.stage(world.market_group_id, "rebar", Stage.S1))
        await asyncio.sleep(0.3)
        assert not narrowing.done(), "it waits for the writer"
        await session.execute(
            text(
                "UPDATE offers SET audience = 'PUBLIC', audience_keys = ARRAY['company:' || supplier_id, 'members', "
                "'public']"
            )
        )
    await narrowing
    await world.rekey()
    (row,) = await world.rows("SELECT audience_keys FROM offers")
    assert row["audience_keys"] == [f"company:{world.supplier_id}", f"group:{world.market_group_id}"]


async def test_stages_and_admissions_at_one_moment_leave_no_offer_wider_than_its_space(world: World):
    await world.synced(new_items("A-1"))
    await world.stage(world.market_group_id, "rebar", Stage.S1)
    groups = [new_id() for _ in range(4)]
    for group in groups:
        await world.stage(group, "rebar", Stage.S3)
    await asyncio.gather(
        *(world.admit(group, "rebar") for group in groups),
        *(world.stage(group, "rebar", Stage.S1) for group in groups),
    )
    await world.rekey()
    (row,) = await world.rows("SELECT audience_keys FROM offers")
    everybody = [world.market_group_id, *groups]
    assert row["audience_keys"] == sorted([f"company:{world.supplier_id}", *(f"group:{group}" for group in everybody)])
