"""Jobs and the worker: the first operator, fresh keys, forgetting what is over."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from services.members import worker
from services.members.companies.actions import TaxIdRefused
from services.members.people.actions import PasswordRefused
from services.members.people.jobs import OperatorMade, bootstrap_operator
from services.members.settings import Settings
from shared.database import Database, transaction
from tests.members.conftest import PASSWORD, World, a_uscc

TAX_VALUE = a_uscc()


async def bootstrap(database: Database, **changes) -> OperatorMade:
    values = {
        "tax_value": TAX_VALUE,
        "company_name_zh": "斗拱运营公司",
        "company_name_en": None,
        "email": "Operator@Dougong.example",
        "person_name": "运营",
        "password": PASSWORD,
        "at": datetime.now(UTC),
    }
    return await bootstrap_operator(database.system, **{**values, **changes})


async def test_the_first_operator_can_sign_in_and_register_companies(world: World, database: Database):
    made = await bootstrap(database)
    assert made.created
    signed = (await world.sign_in("operator@dougong.example")).json()
    assert signed["company"]["roles"] == ["admin", "operator"]
    headers = {"Authorization": f"Bearer {signed['access_token']}"}
    body = {"tax_id": {"value": a_uscc()}, "name_zh": "公司", "kinds": ["supplier"]}
    assert (await world.post("/members/companies", body, as_=headers)).status_code == 201


async def test_bootstrapping_again_changes_nothing_not_even_a_password_set_since(world: World, database: Database):
    first = await bootstrap(database)
    await world.http.put(
        f"/members/people/{first.person_id}/password",
        json={"password": "set by the operator since"},
        headers=world.as_operator,
    )
    again = await bootstrap(database)
    assert (again.company_id, again.person_id, again.created) == (first.company_id, first.person_id, False)
    assert (await world.sign_in("operator@dougong.example")).status_code == 401
    assert (await world.sign_in("operator@dougong.example", "set by the operator since")).status_code == 201


async def test_a_wrong_configuration_is_refused_and_leaves_nothing(database: Database):
    with pytest.raises(TaxIdRefused):
        await bootstrap(database, tax_value="91110000MA4GCAL01E")
    with pytest.raises(PasswordRefused):
        await bootstrap(database, password="short")
    async with transaction(database.system) as session:
        assert await session.scalar(text("SELECT count(*) FROM companies")) == 0


async def test_the_worker_forgets_what_is_over_and_keeps_the_rest(world: World, database: Database):
    company = await world.company()
    _, email = await world.person(company, "buyer")
    kept = (await world.sign_in(email)).json()
    await world.sign_in(email, "wrong password")
    settings = Settings(database_url="", system_database_url="")
    await worker.tidy(database, settings)
    async with transaction(database.system) as session:
        counted = await session.scalar(text("SELECT count(*) FROM attempts"))
        assert counted == 2
        await session.execute(text("UPDATE attempts SET window_start = window_start - interval '1 hour'"))
        await session.execute(text("UPDATE signing_keys SET created_at = created_at - interval '31 days'"))
    refreshed = (await world.refresh(kept["refresh_token"])).json()
    await worker.tidy(database, settings)
    async with transaction(database.system) as session:
        assert await session.scalar(text("SELECT count(*) FROM attempts")) == 0
        assert await session.scalar(text("SELECT count(*) FROM signing_keys WHERE retired_at IS NULL")) == 1
        assert await session.scalar(text("SELECT count(*) FROM signing_keys")) == 2
        assert await session.scalar(text("SELECT count(*) FROM refresh_tokens")) == 2
        await session.execute(
            text("UPDATE sessions SET begun_at = begun_at - interval '1 day', expires_at = now() - interval '1 s'")
        )
        await session.execute(text("UPDATE signing_keys SET published_until = now() WHERE retired_at IS NOT NULL"))
    await worker.tidy(database, settings)
    async with transaction(database.system) as session:
        assert await session.scalar(text("SELECT count(*) FROM signing_keys")) == 1
        assert await session.scalar(text("SELECT count(*) FROM refresh_tokens")) == 0
    assert (await world.refresh(refreshed["refresh_token"])).status_code == 401
