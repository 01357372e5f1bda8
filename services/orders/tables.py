"""Every table of this service, for Alembic."""

from services.orders.agreements import tables as agreement_tables
from services.orders.case_files import tables as case_file_tables
from services.orders.delivery_stops import tables as delivery_stop_tables
from services.orders.price_history import tables as price_history_tables
from services.orders.projects import tables as project_tables
from services.orders.purchase_orders import tables as purchase_order_tables
from services.orders.schema import metadata
from services.orders.sourcing import tables as sourcing_tables
from services.orders.spaces import tables as space_tables
from services.orders.statistics import tables as statistic_tables

__all__ = [
    "agreement_tables",
    "case_file_tables",
    "delivery_stop_tables",
    "metadata",
    "price_history_tables",
    "project_tables",
    "purchase_order_tables",
    "sourcing_tables",
    "space_tables",
    "statistic_tables",
]
