"""Every table of this service, for Alembic."""

from services.orders.projects import tables as project_tables
from services.orders.purchase_orders import tables as purchase_order_tables
from services.orders.schema import metadata
from services.orders.sourcing import tables as sourcing_tables
from services.orders.spaces import tables as space_tables

__all__ = ["metadata", "project_tables", "purchase_order_tables", "sourcing_tables", "space_tables"]
