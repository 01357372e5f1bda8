"""How open the marketplace is (metric M15), told to everybody who takes part."""

from sqlalchemy import text

from shared.database import Database, transaction
from shared.identity import Role
from shared.ids import new_id
from tests.conftest import a_person, signed_in
from tests.members.conftest import World


async def test_the_share_of_groups_that_opened_a_category_is_told(world: World, database: Database):
    groups = [await world.company("contractor_group") for _ in range(4)]
    async with transaction(database.system) as session:
        await session.execute(
            text("INSERT INTO stages VALUES (:group_id, 'rebar', 'S3', NULL, :change_id, now(), 1)"),
            {"group_id": groups[0], "change_id": new_id()},
        )
    answer = await world.http.get("/members/metrics", headers=signed_in(a_person(Role.SUPPLIER_SALES)))
    told = [(each["metric"], each["category"], each["stage"], each["value"], each["cases"]) for each in answer.json()]
    assert told == [("M15", "rebar", "S3", "0.2500", 4)]


async def test_nobody_signed_in_is_told_nothing(world: World):
    assert (await world.http.get("/members/metrics")).status_code == 401
