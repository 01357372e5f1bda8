"""Every table of this service, for Alembic."""

from services.catalog.carbon import tables as carbon_tables
from services.catalog.classification import tables as classification_tables
from services.catalog.components import tables as component_tables
from services.catalog.mapping import tables as mapping_tables
from services.catalog.schema import metadata
from services.catalog.search import tables as search_tables
from services.catalog.units import tables as unit_tables

__all__ = [
    "carbon_tables",
    "classification_tables",
    "component_tables",
    "mapping_tables",
    "metadata",
    "search_tables",
    "unit_tables",
]
