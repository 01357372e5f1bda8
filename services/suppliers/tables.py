"""Every table of this service, for Alembic."""

from services.suppliers.blacklists import tables as blacklist_tables
from services.suppliers.imports import tables as import_tables
from services.suppliers.inventory import tables as inventory_tables
from services.suppliers.offers import tables as offer_tables
from services.suppliers.onboarding import tables as onboarding_tables
from services.suppliers.register import tables as register_tables
from services.suppliers.reservations import tables as reservation_tables
from services.suppliers.schema import metadata
from services.suppliers.scores import tables as score_tables

__all__ = [
    "blacklist_tables",
    "import_tables",
    "inventory_tables",
    "metadata",
    "offer_tables",
    "onboarding_tables",
    "register_tables",
    "reservation_tables",
    "score_tables",
]
