"""A supplier is put on a blacklist while orders run: they wait, nothing is cancelled, and both sides see why."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from services.orders.delivery_stops.rules import OFFICIAL, Running, Stop, stops
from services.orders.reactions import REACTIONS
from shared.clock import business_date
from shared.contracts.blacklists import BLACKLIST_CHANGED, BlacklistChanged
from shared.contracts.orders import BuyerOrder, SupplierOrder
from shared.database import scope_to, transaction
from shared.feed import Event
from shared.identity import Role
from shared.ids import new_id
from tests.conftest import a_person
from tests.orders.conftest import World
from tests.orders.neighbours import Offer


def today() -> date:
    return business_date(datetime.now(UTC))


async def tell(world: World, offer: Offer, *, entry_id: UUID | None = None, **changes: Any) -> UUID:
    """What the feed of `suppliers` says of an entry about the offer's supplier."""
    told = {
        "entry_id": entry_id or new_id(),
        "owner_group_id": world.buyer.company_id,
        "what": "listed",
        "supplier_ids": [offer.supplier_id],
        "level": "STOP_DELIVERY",
        "reason_class": "SAFETY",
        "categories": [],
        "type_codes": [],
        "regions": [],
        "project_ids": [],
        "starts_on": today(),
        "expires_on": today() + timedelta(days=30),
        "status": "ACTIVE",
        "version": 1,
    } | changes
    changed = BlacklistChanged.model_validate(told)
    event = Event(
        id=new_id(),
        source="suppliers",
        type=BLACKLIST_CHANGED,
        subject=str(changed.entry_id),
        time=datetime.now(UTC),
        data=changed.model_dump(mode="json"),
        position="1-1",
    )
    async with transaction(world.database.system) as session:
        await REACTIONS["suppliers"][BLACKLIST_CHANGED](session, [event])
    return changed.entry_id


async def ordered(world: World) -> tuple[Offer, dict[str, Any]]:
    offer = world.suppliers.offer()
    basket = await world.placed(world.line(offer, "10"))
    return offer, basket["orders"][0]


async def test_a_stop_shows_to_both_sides_and_refuses_the_answer_until_it_ends(world: World):
    offer, order = await ordered(world)
    seller = world.seller(offer)
    entry_id = await tell(world, offer)
    for who, shape in ((world.buyer, BuyerOrder), (seller, SupplierOrder)):
        seen = shape.model_validate(await world.order(who, order["id"]))
        assert seen.delivery_stop is not None
        assert (seen.delivery_stop.reason_class, seen.delivery_stop.official) == ("SAFETY", False)
        assert (seen.state, seen.lines[0].state) == ("ISSUED", "OPEN"), "nothing is cancelled"
    answer = await world.act(seller, order, "response", {"others": "accept"})
    assert (answer.status_code, answer.json()["code"]) == (409, "DeliveryStopped")
    await tell(world, offer, entry_id=entry_id, status="LIFTED", what="lifted", version=2)
    assert "delivery_stop" not in await world.order(world.buyer, order["id"])
    assert (await world.act(seller, order, "response", {"others": "accept"})).status_code == 200


async def test_the_buyer_may_cancel_what_waits_and_nothing_is_left_to_stop(world: World):
    offer, order = await ordered(world)
    await tell(world, offer)
    answer = await world.act(world.buyer, order, "cancellation", {"reason": "stopped"})
    assert (answer.status_code, answer.json()["state"]) == (200, "CANCELLED")
    assert "delivery_stop" not in answer.json()


@pytest.mark.parametrize(
    ("changes", "stopped"),
    [
        ({"owner_group_id": None}, True),
        ({"owner_group_id": new_id()}, False),
        ({"level": "NO_NEW_ORDER"}, False),
        ({"status": "EXPIRED"}, False),
        ({"starts_on": today() + timedelta(days=1)}, False),
        ({"starts_on": today() - timedelta(days=9), "expires_on": today() - timedelta(days=1)}, False),
        ({"supplier_ids": [new_id()]}, False),
        ({"categories": ["rebar"], "type_codes": ["RB-HRB"]}, True),
        ({"categories": ["mep"], "type_codes": ["MP-PIPE"]}, False),
        ({"categories": ["unknown"], "type_codes": []}, False),
        ({"regions": ["110000"]}, True),
        ({"regions": ["110100", "110106"]}, True),
        ({"regions": ["110108"]}, False),
        ({"regions": ["31"]}, False),
        ({"project_ids": [new_id()]}, False),
    ],
)
async def test_whose_entry_and_what_scope_decide(world: World, changes: dict[str, Any], stopped: bool):
    offer, order = await ordered(world)
    await tell(world, offer, **changes)
    assert ("delivery_stop" in await world.order(world.buyer, order["id"])) is stopped
    listed = await world.read(world.buyer, "/orders/purchase-orders", delivery_stopped="true")
    assert [each["id"] for each in listed.json()] == ([order["id"]] if stopped else []), "the list says the same"


async def test_a_company_of_the_group_is_bound_by_the_groups_list(world: World):
    group_id = new_id()
    world.buyer = a_person(Role.BUYER, company_id=world.buyer.company_id, group_id=group_id)
    offer, order = await ordered(world)
    await tell(world, offer, owner_group_id=group_id)
    assert "delivery_stop" in await world.order(world.buyer, order["id"])


async def test_an_entry_that_no_longer_means_this_supplier_lets_it_go(world: World):
    offer, order = await ordered(world)
    entry_id = await tell(world, offer)
    await tell(world, offer, entry_id=entry_id, supplier_ids=[new_id()], what="subject changed")
    assert "delivery_stop" not in await world.order(world.buyer, order["id"])


async def test_the_second_wall_shows_a_stop_to_those_it_concerns(world: World):
    offer, _ = await ordered(world)
    await tell(world, offer)

    async def seen(company_id: UUID | None) -> int:
        async with world.database.app() as session:
            await scope_to(session, *([] if company_id is None else [company_id]))
            return int(await session.scalar(text("SELECT count(*) FROM delivery_stops")) or 0)

    assert [await seen(who) for who in (world.buyer.company_id, offer.supplier_id, new_id(), None)] == [1, 1, 0, 0]


DAY = date(2026, 5, 6)
GROUPS = [UUID(int=number) for number in (1, 2)]
stop_strategy = st.builds(
    Stop,
    supplier_id=st.sampled_from(GROUPS),
    owner_id=st.sampled_from([OFFICIAL, *GROUPS]),
    entry_id=st.just(UUID(int=9)),
    reason_class=st.just("OTHER"),
    type_codes=st.frozensets(st.sampled_from(["RB-HRB", "PC-SLAB"])),
    regions=st.frozensets(st.sampled_from(["11", "310000"])),
    project_ids=st.frozensets(st.sampled_from(GROUPS)),
    starts_on=st.sampled_from([DAY, DAY + timedelta(days=2)]),
    expires_on=st.sampled_from([DAY, DAY + timedelta(days=3)]),
)
running_strategy = st.builds(
    Running,
    supplier_id=st.sampled_from(GROUPS),
    buyer_group_id=st.sampled_from(GROUPS),
    region=st.sampled_from(["110105", "310115"]),
    project_id=st.sampled_from(GROUPS),
    types_to_come=st.frozensets(st.sampled_from(["RB-HRB", "PC-SLAB"])),
)


@given(stop=stop_strategy, order=running_strategy, on=st.integers(0, 4).map(lambda n: DAY + timedelta(days=n)))
def test_a_stop_binds_no_other_group_no_other_supplier_and_no_other_day(stop: Stop, order: Running, on: date):
    if stops(stop, order, on=on):
        assert stop.owner_id in {OFFICIAL, order.buyer_group_id}
        assert stop.supplier_id == order.supplier_id
        assert stop.starts_on <= on <= stop.expires_on
        assert order.types_to_come
