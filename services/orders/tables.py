"""Every table of this service, for Alembic."""

from services.orders.agreements import tables as agreement_tables
from services.orders.price_history import tables as price_history_tables
from services.orders.projects import tables as project_tables
from services.orders.purchase_orders import tables as purchase_order_tables
from services.orders.schema import metadata

__all__ = ["agreement_tables", "metadata", "price_history_tables", "project_tables", "purchase_order_tables"]
