"""Every table of this service, for Alembic."""

from services.suppliers.imports import tables as import_tables
from services.suppliers.inventory import tables as inventory_tables
from services.suppliers.judgement_imports import tables as judgement_import_tables
from services.suppliers.merging import tables as merging_tables
from services.suppliers.offers import tables as offer_tables
from services.suppliers.onboarding import tables as onboarding_tables
from services.suppliers.register import tables as register_tables
from services.suppliers.reservations import tables as reservation_tables
from services.suppliers.schema import metadata
from services.suppliers.supplier_imports import tables as supplier_import_tables

__all__ = [
    "import_tables",
    "inventory_tables",
    "judgement_import_tables",
    "merging_tables",
    "metadata",
    "offer_tables",
    "onboarding_tables",
    "register_tables",
    "reservation_tables",
    "supplier_import_tables",
]
