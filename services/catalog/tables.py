"""Every table of this service, for Alembic."""

from services.catalog.carbon import tables as carbon_tables
from services.catalog.classification import tables as classification_tables
from services.catalog.components import tables as component_tables
from services.catalog.equivalents import tables as equivalent_tables
from services.catalog.restrictions import tables as restriction_tables
from services.catalog.schema import metadata
from services.catalog.search import tables as search_tables
from services.catalog.standards import tables as standard_tables
from services.catalog.units import tables as unit_tables

__all__ = [
    "carbon_tables",
    "classification_tables",
    "component_tables",
    "equivalent_tables",
    "metadata",
    "restriction_tables",
    "search_tables",
    "standard_tables",
    "unit_tables",
]
