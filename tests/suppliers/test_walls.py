"""The second wall: what the database itself refuses, whatever the code above it does."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from infra.postgres import ServiceUrls
from services.suppliers.inventory.rules import band
from services.suppliers.tables import metadata
from shared.audience import Stage
from shared.database import async_url, scope_to, transaction
from shared.ids import new_id
from tests.suppliers.world import World, csv_of, new_items

OWN = ("items", "offers", "stock_levels", "sync_jobs", "sync_row_problems", "sync_streams", "supplier_decisions")


async def test_a_supplier_sees_its_own_rows_only(world: World):
    await world.synced(new_items("A-1"), sequence=1)
    await world.synced(csv_of("Z-1,5", header="item_no,on_hand"))
    for table in OWN:
        seen = []
        for scope in ((world.supplier_id,), (new_id(),), ()):
            async with transaction(world.database.app, *scope) as session:
                seen.append(await session.scalar(text(f"SELECT count(*) > 0 FROM {table}")))
        assert seen == [True, False, False], table


async def test_a_supplier_cannot_write_into_anothers_rows(world: World):
    await world.synced(new_items("A-1"))
    async with transaction(world.database.app, new_id()) as session:
        for table, column in (("stock_levels", "on_hand"), ("offers", "price"), ("items", "brand")):
            changed = await session.execute(text(f"UPDATE {table} SET {column} = NULL RETURNING 1"))
            assert changed.all() == []
    columns = "item_no, id, variant_id, variant_key, type_code, category, name_zh, name_en, base_unit, base_decimals"
    copy = (
        f"INSERT INTO items (supplier_id, {columns}, status, updated_at) "
        f"SELECT :other, {columns}, status, updated_at FROM items"
    )
    with pytest.raises(DBAPIError, match="row-level security"):
        async with transaction(world.database.app, world.supplier_id) as session:
            await session.execute(text(copy), {"other": new_id()})


async def test_an_offer_opens_to_those_who_hold_one_of_its_keys(world: World):
    await world.synced(new_items("A-1"))
    for keys, seen in (("members", 1), ("public", 0), ("company:x,group:y", 0), ("", 0)):
        async with transaction(world.database.app) as session:
            await session.execute(text("SELECT set_config('app.viewer_keys', :keys, true)"), {"keys": keys})
            assert await session.scalar(text("SELECT count(*) FROM offers")) == seen
            changed = await session.execute(text("UPDATE offers SET price = 0 RETURNING 1"))
            assert changed.all() == []


async def test_decisions_and_events_are_append_only(world: World):
    for table in ("supplier_decisions", "events"):
        with pytest.raises(DBAPIError):
            await world.execute(f"DELETE FROM {table}")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE stock_levels SET reserved = on_hand + 1",
        "UPDATE stock_levels SET reserved = -1",
        "UPDATE stock_levels SET on_hand = -1",
        "UPDATE stock_levels SET shortfall = -1",
        "UPDATE offers SET price = -1",
        "UPDATE offers SET tax_rate = 1",
        "UPDATE offers SET currency = 'yuan'",
        "UPDATE offers SET valid_until = valid_from - 1",
        "UPDATE offers SET min_quantity = 0",
        "UPDATE offers SET audience = 'EVERYONE'",
        "UPDATE suppliers SET status = 'GREAT'",
        "UPDATE suppliers SET status = 'QUALIFIED', categories = '{}'",
        "UPDATE sync_jobs SET state = 'FAILED'",
    ],
)
async def test_the_database_refuses_what_must_not_be(world: World, change: str):
    await world.synced(new_items("A-1"))
    with pytest.raises(DBAPIError):
        await world.execute(change)


async def test_the_database_bands_stock_as_the_rules_do(world: World):
    rows = await world.rows(
        "SELECT h AS on_hand, r AS reserved, stock_band(h, r) AS band "
        "FROM generate_series(0, 40) h, generate_series(0, 40) r WHERE r <= h"
    )
    assert all(row["band"] == band(on_hand=row["on_hand"], reserved=row["reserved"]) for row in rows)


async def test_the_app_could_not_walk_around_the_wall(world: World):
    await world.database.check()
    async with transaction(world.database.app) as session:
        await scope_to(session)
        assert await session.scalar(text("SELECT count(*) FROM suppliers")) == 1


def test_the_migrations_make_what_the_tables_say(service_urls):
    urls: ServiceUrls = service_urls("suppliers")
    engine = create_engine(async_url(urls.owner), poolclass=NullPool)
    # These have a column of a type that reflection does not know; the house's own tests look at them.
    house = {"events", "audit_entries", "audit_links"}
    not_the_house = {"include_name": lambda name, kind, _: kind != "table" or name not in house}
    tables = MetaData(naming_convention=metadata.naming_convention)
    for name, table in metadata.tables.items():
        if name not in house:
            table.to_metadata(tables)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, **not_the_house})
        assert compare_metadata(context, tables) == []


async def test_an_admission_is_its_groups_and_its_suppliers(world: World):
    for scope, seen in (((world.market_group_id,), 2), ((world.supplier_id,), 2), ((new_id(),), 0), ((), 0)):
        async with transaction(world.database.app, *scope) as session:
            assert await session.scalar(text("SELECT count(*) FROM admissions")) == seen
    for scope, seen in (((world.market_group_id,), 2), ((world.supplier_id,), 0), ((), 0)):
        async with transaction(world.database.app, *scope) as session:
            assert await session.scalar(text("SELECT count(*) FROM admission_history")) == seen


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO supplier_spaces SELECT * FROM supplier_spaces",
        "UPDATE admissions SET status = 'ENDED'",
        "UPDATE offer_reaches SET keys = '{public}'",
        "DELETE FROM offer_reaches",
        "UPDATE known_spaces SET stage = 'S3'",
        "SELECT * FROM known_circles",
        "SELECT * FROM known_links",
        "SELECT * FROM rekeyings",
    ],
)
async def test_the_app_does_not_decide_how_far_offers_reach(world: World, statement: str):
    with pytest.raises(DBAPIError, match="permission denied"):
        async with transaction(world.database.app, world.supplier_id, world.market_group_id) as session:
            await session.execute(text(statement))


async def test_the_wall_closes_what_was_narrowed_whatever_the_offers_still_carry(world: World):
    await world.synced(new_items("A-1"))
    await world.stage(world.market_group_id, "rebar", Stage.S1)
    (row,) = await world.rows("SELECT audience_keys FROM offers")
    assert "members" in row["audience_keys"], "the offers' own keys follow"
    for keys, seen in (("members", 0), (f"group:{world.market_group_id}", 1)):
        async with transaction(world.database.app) as session:
            await session.execute(text("SELECT set_config('app.viewer_keys', :keys, true)"), {"keys": keys})
            assert await session.scalar(text("SELECT count(*) FROM offers")) == seen
