"""The migrations and the tables say the same, and the database itself refuses what the rules refuse."""

from collections.abc import Callable

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from infra.postgres import ServiceUrls
from services.orders.tables import metadata
from shared.database import async_url


@pytest.mark.filterwarnings("ignore:Did not recognize type 'xid8'")
def test_migrations_leave_nothing_for_autogenerate(service_urls: Callable[[str], ServiceUrls]) -> None:
    engine = create_engine(async_url(service_urls("orders").owner))
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()

    assert differences == []


@pytest.mark.parametrize("table", ["order_history", "events"])
@pytest.mark.parametrize("role", ["app", "worker"])
def test_history_and_events_cannot_be_rewritten_by_the_service(
    service_urls: Callable[[str], ServiceUrls], table: str, role: str
) -> None:
    urls = service_urls("orders")
    with psycopg.connect(getattr(urls, role), autocommit=True) as connection:
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET data = data", f"TRUNCATE {table}"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.replace("data", "entry" if table == "order_history" else "data").encode())


@pytest.mark.parametrize("table", ["baskets", "purchase_orders", "purchase_order_lines", "line_changes"])
@pytest.mark.parametrize("role", ["app", "worker"])
def test_what_was_ordered_cannot_be_removed_by_the_service(
    service_urls: Callable[[str], ServiceUrls], table: str, role: str
) -> None:
    with psycopg.connect(getattr(service_urls("orders"), role), autocommit=True) as connection:
        for statement in (f"DELETE FROM {table}", f"TRUNCATE {table}"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
