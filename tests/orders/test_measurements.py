"""The share of spend on standard variants: a share and nothing else leaves this service."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from services.members.stages.rules import Gate, GateInputs, verdicts
from services.orders.measurements.rules import share_of
from shared.audience import Stage
from shared.identity import Role, Scope
from shared.ids import new_id
from tests.conftest import a_person, a_service, signed_in
from tests.legacy_imports import Legacy, csv_of
from tests.orders.conftest import World

MEASURER = signed_in(a_service(Scope.MEASUREMENTS_READ))
PATH = "/orders/measurements/mapped-spend"


async def measured(world: World, **params: Any) -> dict[str, Any]:
    params = {"group_id": str(world.buyer.company_id), "category": "rebar", **params}
    answer = await world.http.get(PATH, params=params, headers=MEASURER)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_spend_of_ninety_days_in_the_types_of_a_category_counts(world: World):
    offer = world.suppliers.offer()
    type_code = "RB-HRB"
    assert (await measured(world, type_code=[type_code]))["share"] is None, "nothing was bought"
    await world.placed(world.line(offer))
    told = await measured(world, type_code=[type_code, "XX-NONE"])
    assert told["share"] == "1.0000"
    assert set(told) == {"group_id", "category", "since", "until", "share"}
    assert (await measured(world, type_code=["XX-NONE"]))["share"] is None
    assert (await measured(world))["share"] is None
    later = datetime.now(UTC) + timedelta(days=91)
    assert (await measured(world, type_code=[type_code], at=later.isoformat()))["share"] is None
    before = datetime.now(UTC) - timedelta(days=1)
    assert (await measured(world, type_code=[type_code], at=before.isoformat()))["share"] is None


async def test_the_companies_of_the_group_count_together(world: World):
    offer = world.suppliers.offer()
    await world.placed(world.line(offer))
    type_code = ["RB-HRB"]
    group = {"group_id": str(new_id()), "type_code": type_code}
    assert (await measured(world, **group))["share"] is None
    companies = [str(new_id()), str(world.buyer.company_id)]
    assert (await measured(world, **group, company_id=companies))["share"] == "1.0000"


async def test_what_a_legacy_platform_paid_on_unmapped_codes_fails_the_gate(world: World):
    world.codes.mean("A-1", "RB-HRB|x=1")
    legacy = Legacy(http=world.http, runner=world.app.state.import_runner, prefix="/orders/price-history-imports")
    paid = datetime.now(UTC).date() - timedelta(days=30)
    rows = (
        f"{paid},A-1,100,吨,7,钢筋",
        f"{paid},A-2,100,吨,3,钢筋",
        f"{paid - timedelta(days=90)},A-2,100,吨,900,钢筋",
    )
    await legacy.published(csv_of("日期,物料编码,单价,计量单位,数量,类别", *rows))
    group = {"group_id": str(legacy.group_id), "type_code": ["RB-HRB"]}
    share = Decimal((await measured(world, **group))["share"])
    assert share == Decimal("0.7000")
    seen = GateInputs(mapped_spend_share=share)
    (gate,) = (each for each in verdicts(seen, to=Stage.S2, on=paid) if each.gate is Gate.MAPPED_SPEND)
    assert (gate.passed, gate.required, gate.measured) == (False, ">= 0.8", "0.7")
    world.buyer = a_person(Role.BUYER, company_id=legacy.importer.company_id, group_id=legacy.group_id)
    project = await world.open_project()
    world.project_id, world.delivery_point_id = project["id"], project["delivery_points"][0]["id"]
    await world.placed(world.line(world.suppliers.offer(price="100"), "10"))
    assert (await measured(world, **group, company_id=[str(world.buyer.company_id)]))["share"] == "0.8500"
    other = {"group_id": str(new_id()), "type_code": ["RB-HRB"]}
    assert (await measured(world, **other))["share"] is None, "no other group's prices count"


async def test_only_services_measure(world: World):
    params = {"group_id": str(world.buyer.company_id), "category": "rebar"}
    for caller in (world.buyer, a_person(Role.OPERATOR), a_person(Role.ADMIN), a_service(Scope.FEED_READ)):
        assert (await world.http.get(PATH, params=params, headers=signed_in(caller))).status_code == 403
    assert (await world.http.get(PATH, params=params)).status_code == 401


def test_a_share_is_rounded_down():
    assert share_of(Decimal("79.99999"), Decimal(100)) == Decimal("0.7999")
    assert share_of(Decimal(0), Decimal(0)) is None
