"""What PostgreSQL keeps for us: the schema the code believes in, CHECKs, and the second wall."""

from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from infra.postgres import ServiceUrls
from services.members.tables import metadata
from shared.database import Database, async_url, transaction
from shared.ids import new_id
from tests.members.conftest import World, a_uscc

COMPANY = (
    "INSERT INTO companies (id, tax_country, tax_scheme, tax_value, name_zh, kinds, status, version, created_at,"
    " updated_at) VALUES (:id, :country, :scheme, :value, '公司', CAST(:kinds AS text[]), :status, 1, now(), now())"
)


def a_row(**changes):
    row = {"id": new_id(), "country": "CN", "scheme": "USCC", "value": a_uscc()}
    return {**row, "kinds": ["contractor"], "status": "ACTIVE", **changes}


@pytest.mark.filterwarnings("ignore:Did not recognize type 'xid8'")
def test_autogenerate_finds_nothing_to_do(service_urls: Callable[[str], ServiceUrls]):
    engine = create_engine(async_url(service_urls("members").owner), poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": False})
        assert compare_metadata(context, metadata) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"value": "91110000MA4GCAL01E"},
        {"value": "91110000MA4GCOL01D"},
        {"value": "91110000ma4gcal01d"},
        {"value": "12345678", "country": "DE"},
        {"value": "x", "country": "DE", "scheme": "VAT"},
        {"kinds": []},
        {"kinds": ["dragon"]},
        {"kinds": ["branch"]},
        {"status": "GONE"},
    ],
)
async def test_the_database_refuses_a_company_the_rules_refuse(database: Database, changes):
    with pytest.raises(DBAPIError):
        async with transaction(database.system) as session:
            await session.execute(text(COMPANY), a_row(**changes))


async def test_the_databases_check_digit_agrees_with_the_librarys(database: Database):
    async with transaction(database.system) as session:
        for _ in range(60):
            code = a_uscc()
            assert await session.scalar(text("SELECT uscc_holds(:code)"), {"code": code})
            wrong = code[:-1] + ("1" if code[-1] == "0" else "0")
            assert not await session.scalar(text("SELECT uscc_holds(:code)"), {"code": wrong})


async def test_the_database_refuses_a_second_parent_on_the_same_day(database: Database):
    rows = [a_row() for _ in range(3)]
    link = (
        "INSERT INTO company_links (child_id, id, parent_id, kind, valid_from, valid_until, created_at) "
        "VALUES (:child, :id, :parent, 'group', CAST(:start AS date), CAST(:until AS date), now())"
    )
    child, first, second = (row["id"] for row in rows)

    async def insert(parent: UUID, start: str, until: str | None) -> None:
        async with transaction(database.system) as session:
            values = {"child": child, "id": new_id(), "parent": parent, "start": start, "until": until}
            await session.execute(text(link), values)

    async with transaction(database.system) as session:
        await session.execute(text(COMPANY), rows)
    await insert(first, "2026-01-01", "2026-06-01")
    await insert(second, "2026-06-01", None)
    with pytest.raises(DBAPIError, match="ex_company_links_one_parent"):
        await insert(first, "2026-12-01", "2027-01-01")


async def test_the_database_refuses_a_second_membership_at_the_same_time(world: World, database: Database):
    company = await world.company()
    person, _ = await world.person(company, "buyer")
    with pytest.raises(DBAPIError, match="ex_memberships_one_at_a_time"):
        async with transaction(database.system) as session:
            await session.execute(
                text(
                    "INSERT INTO memberships (company_id, id, person_id, roles, status, valid_from, version,"
                    " created_at) VALUES (:company, :id, :person, '{buyer}', 'ACTIVE', now(), 1, now())"
                ),
                {"company": company, "id": new_id(), "person": person},
            )


@pytest.mark.parametrize("table", ["credentials", "attempts", "sessions", "refresh_tokens", "signing_keys"])
async def test_what_proves_identity_is_closed_to_the_app(world: World, database: Database, table):
    company = await world.company()
    _, email = await world.person(company, "buyer")
    await world.sign_in(email)
    await world.sign_in(email, "wrong password")
    async with transaction(database.system) as session:
        assert await session.scalar(text(f"SELECT count(*) FROM {table}"))
    async with transaction(database.app, company) as session:
        assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 0


async def test_the_app_sees_the_people_of_the_companies_in_scope(world: World, database: Database):
    mine, other = await world.company(), await world.company()
    person, _ = await world.person(mine, "buyer")
    await world.person(other, "buyer")
    for table, column in (("memberships", "person_id"), ("people", "id")):
        async with transaction(database.app, mine) as session:
            assert list(await session.scalars(text(f"SELECT {column} FROM {table}"))) == [person]
        async with transaction(database.app) as session:
            assert list(await session.scalars(text(f"SELECT {column} FROM {table}"))) == []


async def test_the_app_changes_no_company_out_of_scope(world: World, database: Database):
    mine, other = await world.company(), await world.company()
    async with transaction(database.app, mine) as session:
        changed = await session.execute(text("UPDATE companies SET version = version + 1 RETURNING id"))
        assert [row.id for row in changed] == [mine]
    with pytest.raises(DBAPIError, match="row-level security"):
        async with transaction(database.app, mine) as session:
            await session.execute(text(COMPANY), a_row())
    assert other != mine


async def test_former_names_cannot_be_rewritten(
    world: World, database: Database, service_urls: Callable[[str], ServiceUrls]
):
    path = f"/members/companies/{await world.company()}"
    await world.http.patch(path, json={"name_en": "New"}, headers={**world.as_operator, "If-Match": '"1"'})
    with pytest.raises(DBAPIError, match="permission denied"):
        async with transaction(database.system) as session:
            await session.execute(text("UPDATE company_names SET name_zh = 'x'"))
    with psycopg.connect(service_urls("members").owner) as owner:
        exists = owner.execute("SELECT count(*) FROM pg_trigger WHERE tgname = 'append_only'").fetchone()
        assert exists is not None
        assert exists[0] >= 2
