"""Every table of this service, for Alembic."""

from services.suppliers.admissions import tables as admission_tables
from services.suppliers.applications import tables as application_tables
from services.suppliers.blacklists import tables as blacklist_tables
from services.suppliers.consents import tables as consent_tables
from services.suppliers.imports import tables as import_tables
from services.suppliers.inventory import tables as inventory_tables
from services.suppliers.invitations import tables as invitation_tables
from services.suppliers.judgement_imports import tables as judgement_import_tables
from services.suppliers.merging import tables as merging_tables
from services.suppliers.offers import tables as offer_tables
from services.suppliers.onboarding import tables as onboarding_tables
from services.suppliers.papers import tables as paper_tables
from services.suppliers.register import tables as register_tables
from services.suppliers.reservations import tables as reservation_tables
from services.suppliers.schema import metadata
from services.suppliers.scores import tables as score_tables
from services.suppliers.spaces import tables as space_tables
from services.suppliers.supplier_imports import tables as supplier_import_tables

__all__ = [
    "admission_tables",
    "application_tables",
    "blacklist_tables",
    "consent_tables",
    "import_tables",
    "inventory_tables",
    "invitation_tables",
    "judgement_import_tables",
    "merging_tables",
    "metadata",
    "offer_tables",
    "onboarding_tables",
    "paper_tables",
    "register_tables",
    "reservation_tables",
    "score_tables",
    "space_tables",
    "supplier_import_tables",
]
