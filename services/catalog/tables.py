"""Every table of this service, for Alembic."""

from services.catalog.carbon import tables as carbon_tables
from services.catalog.classification import tables as classification_tables
from services.catalog.components import tables as component_tables
from services.catalog.dictionary import tables as dictionary_tables
from services.catalog.equivalents import tables as equivalent_tables
from services.catalog.mapping import tables as mapping_tables
from services.catalog.references import tables as reference_tables
from services.catalog.restrictions import tables as restriction_tables
from services.catalog.schema import metadata
from services.catalog.search import tables as search_tables
from services.catalog.standards import tables as standard_tables
from services.catalog.units import tables as unit_tables
from services.catalog.uploads import tables as upload_tables

__all__ = [
    "carbon_tables",
    "classification_tables",
    "component_tables",
    "dictionary_tables",
    "equivalent_tables",
    "mapping_tables",
    "metadata",
    "reference_tables",
    "restriction_tables",
    "search_tables",
    "standard_tables",
    "unit_tables",
    "upload_tables",
]
