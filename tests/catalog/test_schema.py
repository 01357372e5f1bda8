"""The migration and the table classes say the same."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, pool

from services.catalog.tables import metadata
from shared.database import async_url
from tests.conftest import TestServer


@pytest.mark.filterwarnings("ignore:Did not recognize type 'xid8'")
def test_autogenerate_finds_nothing_to_do(postgres: TestServer, stocked_clone: str):
    engine = create_engine(async_url(postgres.service_urls("catalog", stocked_clone).owner), poolclass=pool.NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": False})
        found = compare_metadata(context, metadata)
    assert [each for each in found if "procrastinate" not in str(each)] == []
