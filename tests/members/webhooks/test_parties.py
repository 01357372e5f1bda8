"""Whom an event is told to: its parties at their endpoints, nobody else, once."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import text

from services.members.reactions import REACTIONS
from services.members.webhooks.facts import READERS
from shared.database import transaction
from shared.ids import new_id
from tests.members.conftest import admin_of
from tests.members.federation import CATEGORY, Federation
from tests.members.webhooks.conftest import Office, Receiver

URL = "http://127.0.0.1:9/hook"
CANARY = "31415926.53"


async def told(office: Office, company: UUID, endpoint: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((each["type"], each["subject_id"]) for each in await office.deliveries(company, endpoint))


async def three(office: Office) -> list[tuple[UUID, dict[str, Any]]]:
    companies = [await office.world.company(kind) for kind in ("contractor", "supplier", "supplier")]
    return [(company, await office.endpoint(company, URL)) for company in companies]


async def test_each_supplier_hears_of_its_own_part_of_a_basket_alone(office: Office):
    (buyer, at_buyer), (first, at_first), (second, at_second) = await three(office)
    orders = [str(new_id()), str(new_id())]
    data = {
        "basket_id": str(new_id()),
        "buyer_id": str(buyer),
        "orders": [
            {"order_id": order, "supplier_id": str(supplier), "lines": [{"line_no": 1, "price": CANARY}]}
            for order, supplier in zip(orders, (first, second), strict=True)
        ],
    }
    await office.follow(office.event("orders", "basket.placed", data))
    assert await told(office, buyer, at_buyer) == sorted(("order.placed", order) for order in orders)
    assert await told(office, first, at_first) == [("order.placed", orders[0])]
    assert await told(office, second, at_second) == [("order.placed", orders[1])]


async def test_an_event_takes_effect_once_also_when_it_is_applied_again(office: Office):
    (buyer, at_buyer), (supplier, _), _ = await three(office)
    event = office.order_changed(buyer, supplier)
    await office.follow(event)
    await office.follow(event)
    async with transaction(office.database.system) as session:
        await REACTIONS["orders"][event.type](session, [event])
    assert len(await office.deliveries(buyer, at_buyer)) == 1


async def test_nothing_of_an_order_but_ids_is_stored_or_sent(office: Office, receiver: Receiver):
    buyer, supplier = await office.world.company("contractor"), await office.world.company("supplier")
    await office.endpoint(buyer, receiver.url)
    await office.follow(
        office.order_changed(buyer, supplier, net=CANARY, what="answered", lines=[{"quantity": CANARY}])
    )
    await office.later(seconds=1)
    [heard] = receiver.heard
    assert set(orjson.loads(heard.body)["data"]) == {"subject_id", "path", "company_id"}
    for table in ("webhook_deliveries", "webhook_attempts", "events", "parked_events"):
        rows = await office.sql(f"SELECT CAST(t AS text) AS row FROM {table} t")
        assert not [row for row in rows if CANARY in row.row], table


async def test_what_happened_before_an_endpoint_was_there_is_not_told(office: Office):
    (buyer, at_buyer), (supplier, _), _ = await three(office)
    event = office.order_changed(buyer, supplier)
    before = office.event("orders", "order.changed", dict(event.data), at=office.now - timedelta(days=1))
    await office.follow(before)
    assert await told(office, buyer, at_buyer) == []


async def test_only_the_types_an_endpoint_asks_for_are_told(office: Office):
    buyer, supplier = await office.world.company("contractor"), await office.world.company("supplier")
    placed, changed = [await office.endpoint(buyer, URL, each) for each in ("order.placed", "order.changed")]
    await office.follow(office.order_changed(buyer, supplier))
    assert await told(office, buyer, placed) == []
    assert len(await told(office, buyer, changed)) == 1


async def test_an_admission_goes_to_both_sides_and_a_case_file_to_its_owner(office: Office):
    (group, at_group), (supplier, at_supplier), (other, at_other) = await three(office)
    admission, case = str(new_id()), str(new_id())
    data = {"admission_id": admission, "group_id": str(group), "supplier_id": str(supplier)}
    await office.follow(office.event("suppliers", "admission.changed", data))
    opened = {"case_file_id": case, "owner_id": str(group), "operator_id": str(other), "what": "opened"}
    await office.follow(office.event("orders", "case_file.changed", opened))
    assert await told(office, group, at_group) == [("admission.changed", admission), ("case_file.changed", case)]
    assert await told(office, supplier, at_supplier) == [("admission.changed", admission)]
    assert await told(office, other, at_other) == []


@pytest.mark.parametrize(
    ("source", "what", "data"),
    [
        ("orders", "order.paid", {"buyer_id": "BUYER"}),
        ("orders", "lines.released", {"buyer_id": "BUYER"}),
        ("catalog", "standard.changed", {"company_id": "BUYER"}),
        ("members", "membership.changed", {"company_id": "BUYER"}),
        ("suppliers", "document.expiring", {"company_id": "BUYER"}),
    ],
)
async def test_an_event_without_clear_parties_is_told_to_nobody(
    office: Office, source: str, what: str, data: dict[str, str]
):
    buyer = await office.world.company("contractor")
    endpoint = await office.endpoint(buyer, URL)
    event = office.event(source, what, {name: str(buyer) for name in data})
    if source in REACTIONS:
        await office.follow(event)
    assert await told(office, buyer, endpoint) == []


async def test_an_event_that_cannot_be_read_is_parked_and_tells_nobody(office: Office):
    (buyer, at_buyer), (supplier, _), _ = await three(office)
    broken = office.event("orders", "order.changed", {"order_id": "x", "buyer_id": str(buyer), "supplier_id": "?"})
    fine = office.order_changed(buyer, supplier)
    await office.follow(broken, fine)
    assert await told(office, buyer, at_buyer) == [("order.changed", fine.data["order_id"])]
    assert len(await office.sql("SELECT 1 FROM parked_events")) == 1


async def test_a_suppliers_own_matters_go_to_itself(office: Office):
    _, (supplier, at_supplier), (other, at_other) = await three(office)
    data = {
        "supplier_id": str(supplier),
        "name": "x",
        "tax_id": "x",
        "status": "QUALIFIED",
        "categories": [CATEGORY],
        "regions": [],
        "qualified_until": None,
        "version": 2,
    }
    await office.follow(office.event("suppliers", "supplier.changed", data, subject=str(supplier)))
    ends = {"supplier_id": str(supplier), "subject": "paper", "subject_id": "licence", "kind": "ccc", "step": 7}
    await office.follow(office.event("suppliers", "document.expiring", ends | {"ends_on": "2027-01-01"}))
    assert await told(office, supplier, at_supplier) == [
        ("document.expiring", "licence"),
        ("supplier.changed", str(supplier)),
    ]
    assert await told(office, other, at_other) == []


async def test_stages_and_circles_are_told_to_those_concerned(federation: Federation, receiver: Receiver):
    office = Office(federation.world, federation.database)
    groups = [await federation.group() for _ in range(3)]
    suppliers = [await office.world.company("supplier") for _ in range(2)]
    # The federation's app knows no open hosts; a literal public address needs no resolver.
    endpoints = {each: await office.endpoint(each, "https://8.8.8.8/") for each in (*groups, *suppliers)}
    await office.sql(
        "INSERT INTO qualified_suppliers VALUES (:id, :categories)", id=suppliers[0], categories=[CATEGORY]
    )
    first, second, outside = groups
    circle = await federation.circle(first, second)
    await federation.all_evidence()
    change = await federation.opened(first, circle)
    rows = await office.sql("SELECT * FROM events ORDER BY txid, seq")
    for row in rows:
        kind = row.type.removeprefix("dev.dougong.members.").removesuffix(".v1")
        if row.type in READERS["members"]:
            event = office.event("members", kind, row.data, subject=row.subject, at=row.time)
            async with transaction(office.database.system) as session:
                await REACTIONS["members"][row.type](session, [event])
    stage = [("stage.announced", f"{first}/{CATEGORY}"), ("stage.changed", f"{first}/{CATEGORY}")]
    assert await told(office, suppliers[0], endpoints[suppliers[0]]) == stage
    assert await told(office, suppliers[1], endpoints[suppliers[1]]) == []
    assert await told(office, outside, endpoints[outside]) == []
    for group in (first, second):
        seen = await told(office, group, endpoints[group])
        assert seen[-2:] == stage
        assert set(seen[:-2]) == {("circle.changed", str(circle))}
    announced = [
        each for each in await office.deliveries(second, endpoints[second]) if each["type"] == "stage.announced"
    ]
    assert change.rpartition("/")[2] in announced[0]["path"]
    async with transaction(office.database.system) as session:
        said = await session.scalar(
            text("SELECT told FROM webhook_deliveries WHERE type = 'stage.announced' AND company_id = :id"),
            {"id": second},
        )
    assert said is not None
    assert (said["from_stage"], said["to_stage"], said["category"]) == ("S1", "S2", CATEGORY)
    circle_path = (await office.deliveries(second, endpoints[second]))[-1]["path"]
    assert circle_path == f"/members/companies/{second}/circles/{circle}"
    read = await office.world.http.get(circle_path, headers=admin_of(second))
    assert read.status_code == 200
