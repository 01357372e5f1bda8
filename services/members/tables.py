"""Every table of this service, for Alembic."""

from services.members.access import tables as access_tables
from services.members.circles import tables as circle_tables
from services.members.companies import tables as company_tables
from services.members.leaving import tables as leaving_tables
from services.members.people import tables as people_tables
from services.members.schema import metadata
from services.members.stages import tables as stage_tables
from services.members.webhooks import tables as webhook_tables

__all__ = [
    "access_tables",
    "circle_tables",
    "company_tables",
    "leaving_tables",
    "metadata",
    "people_tables",
    "stage_tables",
    "webhook_tables",
]
