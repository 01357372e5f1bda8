"""What the gates are told of suppliers: counted live, by services only, and nobody is named."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from stdnum.cn import uscc

from services.suppliers.measurements.rules import bad_share, good_share, valid_uscc
from shared.audience import Stage
from shared.clock import business_date
from shared.identity import Role, Scope
from shared.ids import new_id
from tests.conftest import a_person, a_service
from tests.suppliers.world import World, new_items

MEASURER = a_service(Scope.MEASUREMENTS_READ)


async def quality(world: World, group: UUID, category: str = "rebar", **params: Any) -> dict[str, Any]:
    params = {"group_id": str(group), "category": category, **params}
    answer = await world.call("GET", "/suppliers/measurements/supplier-quality", MEASURER, params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def another(world: World, group: UUID, *, name: str, tax_id: str, **qualified: Any) -> UUID:
    """One more supplier that the group admitted."""
    supplier = new_id()
    assert (await world.register(supplier)).status_code == 201
    assert (await world.qualify(supplier, **qualified)).status_code == 200
    await world.execute(
        "UPDATE suppliers SET name = :name, tax_id = :tax_id WHERE company_id = :id",
        name=name,
        tax_id=tax_id,
        id=supplier,
    )
    assert (await world.admit(group, "rebar", supplier_id=supplier)).status_code == 201
    return supplier


async def test_nobody_admitted_is_nothing_measured(world: World):
    told = await quality(world, new_id())
    assert (told["active_suppliers"], told["valid_share"], told["expired_share"]) == (0, None, None)


async def test_codes_duplicates_and_expired_papers_count(world: World):
    group = new_id()
    good = await another(world, group, name="恒垣钢铁", tax_id="91320500MA2DEMQ7X8")
    assert await quality(world, group) == {
        "group_id": str(group),
        "category": "rebar",
        "active_suppliers": 1,
        "valid_share": "1.0000",
        "expired_share": "0.0000",
    }
    twin = await another(world, group, name="恒垣 (钢铁)", tax_id="91330100MA3XYH8K24")
    for supplier in (good, twin):
        await world.execute(
            "INSERT INTO supplier_names (supplier_id, id, name, name_key, registration_no, source, recorded_at) "
            "VALUES (:id, gen_random_uuid(), '恒垣钢铁', '恒垣钢铁', '320500000012345', gen_random_uuid(), now())",
            id=supplier,
        )
    assert (await quality(world, group))["valid_share"] == "0.0000", "one old registration number, two records"
    await world.execute("UPDATE supplier_names SET ended_at = now() WHERE supplier_id = :id", id=twin)
    await another(world, group, name="丙", tax_id="91350100M000100Y4Z")
    assert (await quality(world, group))["valid_share"] == "0.6666", "a wrong check digit; rounded down"
    until = business_date(datetime.now(UTC)) + timedelta(days=3)
    await another(world, group, name="丁", tax_id="91510000MA5GCBW026", until=until.isoformat())
    assert (await quality(world, group))["expired_share"] == "0.0000"
    later = (datetime.now(UTC) + timedelta(days=4)).isoformat()
    assert (await quality(world, group, at=later))["expired_share"] == "0.2500"
    assert (await quality(world, group, "finishes_misc"))["active_suppliers"] == 0


async def test_who_is_suspended_is_not_active(world: World):
    group = new_id()
    supplier = await another(world, group, name="恒垣钢铁", tax_id="91320500MA2DEMQ7X8")
    path = f"/suppliers/{supplier}/suspension"
    suspended = await world.call("POST", path, world.operator, version=2, json={"reason": "Licence expired."})
    assert suspended.status_code == 200, suspended.text
    assert (await quality(world, group))["active_suppliers"] == 0


async def test_a_stage_is_counted_before_it_is_taken(empty_world: World):
    world = empty_world
    assert (await world.register()).status_code == 201
    assert (await world.qualify()).status_code == 200
    a, b, c, circle = new_id(), new_id(), new_id(), new_id()
    for group in (a, c):
        assert (await world.admit(group, "rebar")).status_code == 201
    await world.synced(new_items("A-1", "A-2"))
    await world.synced("item_no;audience\nA-2;PUBLIC\n")

    async def counted(stage: Stage, **params: Any) -> dict[str, tuple[int, int]]:
        answer = await world.call(
            "GET",
            "/suppliers/measurements/visibility",
            MEASURER,
            params={"group_id": str(a), "category": "rebar", "stage": stage.value, **params},
        )
        told = answer.json()
        assert (told["suppliers"], told["offers"]) == (1, 2)
        return {each["viewer"]: (each["offers_opened"], each["offers_closed"]) for each in told["viewers"]}

    to_circle = {"circle_id": str(circle), "circle_group_id": [str(a), str(b), str(c)]}
    assert await counted(Stage.S2, **to_circle) == {
        f"group:{b}": (2, 0),
        f"group:{c}": (0, 0),
        "members": (0, 0),
        "public": (0, 0),
    }, "C admitted the supplier itself and sees the offers already"
    assert await counted(Stage.S3) == {"members": (2, 0), "public": (1, 0)}
    await world.stage(a, "rebar", Stage.S3)
    assert await counted(Stage.S1) == {"members": (0, 2), "public": (0, 1)}


async def test_only_services_measure(world: World):
    params = {"group_id": str(new_id()), "category": "rebar", "stage": "S2"}
    for what in ("supplier-quality", "visibility"):
        path = f"/suppliers/measurements/{what}"
        for caller in (world.operator, world.buyer, world.erp, a_person(Role.ADMIN), a_service(Scope.FEED_READ)):
            assert (await world.call("GET", path, caller, params=params)).status_code == 403
        assert (await world.call("GET", path, None, params=params)).status_code == 401


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        ("91350100M000100Y43", True),
        ("91350100M000100Y4Z", False),
        ("91110000MA4GCAL01D", True),
        ("91110000MA4GCAL01", False),
        ("9111000OMA4GCAL01D", False),
        ("110105198001011234", False),
        ("", False),
    ],
)
def test_a_credit_code_is_checked_by_its_digit(value: str, valid: bool):
    assert valid_uscc(value) == valid


def test_the_check_digit_is_the_librarys():
    for number in range(400):
        stem = f"91110000MA{number * 7919:07d}"
        assert valid_uscc(stem + uscc.calc_check_digit(stem))


def test_shares_never_reach_a_limit_they_do_not_have():
    assert (str(good_share(19_999, 20_000)), good_share(0, 0)) == ("0.9999", None)
    assert (str(bad_share(1, 100_000)), bad_share(0, 0)) == ("0.0001", None)
