"""Alembic environment of `suppliers`."""

from services.suppliers.tables import metadata
from shared.migrations import run_migrations

run_migrations(metadata, service="suppliers")
