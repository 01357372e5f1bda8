"""A service of its own, with nothing but what every service has."""

from collections.abc import AsyncIterator

import psycopg
import pytest

from infra.postgres import prepare
from shared.database import Database
from shared.house_tables import audit_schema, house_schema
from shared.ids import new_id
from shared.walls import row_security
from tests.conftest import TestServer

NOTES = [
    "CREATE TABLE notes (id uuid PRIMARY KEY, company_id uuid NOT NULL, text text NOT NULL)",
    *row_security("notes", "company_id"),
]


@pytest.fixture
async def database(postgres: TestServer) -> AsyncIterator[Database]:
    name = f"kernel_{new_id().hex}"
    urls = postgres.service_urls("kernel", name)
    prepare(postgres.admin_url, urls)
    with psycopg.connect(urls.owner, autocommit=True) as owner:
        for statement in [*house_schema("kernel"), *audit_schema("kernel"), *NOTES]:
            owner.execute(statement.encode())
    made = Database(app_url=urls.app, system_url=urls.worker, pool_size=5)
    yield made
    await made.dispose()
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
