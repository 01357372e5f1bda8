"""Alembic environment of `members`."""

from services.members.tables import metadata
from shared.migrations import run_migrations

run_migrations(metadata, service="members")
