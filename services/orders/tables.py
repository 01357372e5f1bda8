"""Every table of this service, for Alembic."""

from services.orders.delivery_stops import tables as delivery_stop_tables
from services.orders.projects import tables as project_tables
from services.orders.purchase_orders import tables as purchase_order_tables
from services.orders.schema import metadata

__all__ = ["delivery_stop_tables", "metadata", "project_tables", "purchase_order_tables"]
