"""Alembic environment of `orders`."""

from services.orders.tables import metadata
from shared.migrations import run_migrations

run_migrations(metadata, service="orders")
