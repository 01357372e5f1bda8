"""What was paid on a legacy platform: sums of the group's own, the meaning of codes noted once it is known."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text

from services.orders.price_history.jobs import resolve_again
from services.orders.price_history.queries import legacy_spend
from shared.clients.transport import ServiceAway
from shared.database import transaction
from shared.identity import Role
from shared.ids import new_id
from tests.conftest import a_person, signed_in
from tests.legacy_imports import Legacy, csv_of
from tests.orders.conftest import World

HEADER = "日期,物料编码,单价,计量单位,数量,类别"
ROWS = (
    '2026/10/08,A-1,"3,250.50",吨,10,',
    "２０２６年１０月９日,A-2,100.005,吨,3,钢筋",
    "20261010,A-3,5,个,2,",
    "2026-10-11,A-4,40,个,1,五金",
    "2025-01-01,A-1,999,吨,1,",
)


@pytest.fixture
def legacy(world: World) -> Legacy:
    world.codes.mean("A-1", "RB-HRB|x=1")
    return Legacy(http=world.http, runner=world.app.state.import_runner, prefix="/orders/price-history-imports")


async def spent(legacy: Legacy, world: World, category: str = "rebar") -> tuple[Decimal, Decimal]:
    async with transaction(world.database.system) as session:
        return await legacy_spend(session, group_id=legacy.group_id, category=category, since=date(2026, 1, 1))


async def test_spend_is_summed_on_mapped_codes_and_in_all_what_nobody_can_place_counting_against(
    legacy: Legacy, world: World
):
    job = await legacy.published(csv_of(HEADER, *ROWS, "2026-10-12,A-5,0,个,1,", "2026-13-01,A-6,1,个,1,"))
    assert (job["rows"], job["rows_rejected"]) == ({"READY": {"MAPPED": 2, "UNMAPPED": 3}}, 2)
    assert await spent(legacy, world) == (Decimal("32505.00"), Decimal("32815.02"))
    assert await spent(legacy, world, "finishes_misc") == (Decimal(0), Decimal("50.00"))
    answer = await legacy.http.get(
        "/orders/price-history/spend", headers=signed_in(legacy.importer), params={"since": "2026-01-01"}
    )
    assert {each["category"]: each["total"] for each in answer.json()} == {
        "rebar": "32805.02",
        "finishes_misc": "40.00",
        None: "10.00",
    }


async def test_a_code_that_is_mapped_later_is_noted_by_the_job_and_never_noted_again(legacy: Legacy, world: World):
    await legacy.published(csv_of(HEADER, *ROWS))
    world.codes.mean("A-3", "HW-BOLT|x=1", category="finishes_misc")
    first = world.codes.known["A-1"][0].mapping_id
    world.codes.mean("A-1", "RB-HRB|x=9")
    world.codes.away = True
    with pytest.raises(ServiceAway):
        await resolve_again(world.database, world.codes)
    world.codes.away = False
    assert await resolve_again(world.database, world.codes) == 1
    assert await resolve_again(world.database, world.codes) == 0
    assert await spent(legacy, world, "finishes_misc") == (Decimal("10.00"), Decimal("50.00"))
    async with transaction(world.database.system) as session:
        kept = (
            await session.scalars(text("SELECT DISTINCT mapping_id FROM price_history WHERE legacy_code = 'A-1'"))
        ).all()
    assert kept == [first]


async def test_what_was_paid_is_the_groups_alone(legacy: Legacy, world: World):
    job = await legacy.published(csv_of(HEADER, *ROWS))
    stranger = a_person(Role.BUYER, group_id=new_id())
    answer = await legacy.http.get("/orders/price-history/spend", headers=signed_in(stranger))
    assert answer.json() == []
    assert (await legacy.get(f"/{job['id']}", as_=stranger)).status_code == 404
    for scope, seen in (((new_id(),), 0), ((), 0), ((legacy.group_id,), 5)):
        async with transaction(world.database.app, *scope) as session:
            assert await session.scalar(text("SELECT count(*) FROM price_history")) == seen
    assert (await legacy.post(f"/{job['id']}/rollback")).json()["state"] == "ROLLED_BACK"
    assert await spent(legacy, world) == (Decimal(0), Decimal(0))


async def test_an_import_waits_while_catalog_is_away(legacy: Legacy, world: World):
    world.codes.away = True
    await legacy.send(csv_of(HEADER, *ROWS))
    with pytest.raises(ServiceAway):
        await legacy.work()
    world.codes.away = False
    await legacy.work()
    (job,) = (await legacy.get("")).json()
    assert job["state"] == "IN_REVIEW"
