"""The parts of `orders`."""

from typing import Protocol

from fastapi import FastAPI

from services.orders.agreements import routes as agreement_routes
from services.orders.agreements.jobs import CodeSource, SupplierSource
from services.orders.case_files import routes as case_file_routes
from services.orders.legacy import import_routers, import_runner
from services.orders.measurements import routes as measurement_routes
from services.orders.price_history import routes as price_history_routes
from services.orders.projects import routes as project_routes
from services.orders.purchase_orders import basket_routes, open_routes
from services.orders.purchase_orders import routes as order_routes
from services.orders.purchase_orders.codes import CodeMeanings
from services.orders.purchase_orders.placement import Companies, Placement
from services.orders.purchase_orders.reserving import Reservations
from services.orders.reactions import REACTIONS
from services.orders.settings import Settings
from services.orders.sourcing import routes as sourcing_routes
from services.orders.statistics import routes as statistic_routes
from services.orders.statistics.categories import CategorySource, KnownTypes
from shared.audit.routes import audit_router
from shared.clients.catalog import CatalogClient
from shared.clients.members import MembersClient
from shared.clients.reservations import ReservationsClient
from shared.clients.suppliers import SuppliersClient
from shared.clients.transport import Neighbours
from shared.data_out.routes import data_out_router
from shared.database import Database
from shared.feed import feed_router
from shared.http import create_service
from shared.identity import TokenVerifier, Verifier
from shared.operations import operations_router

TRANSACTION_SECONDS = 20
"""An order commits in this time or not at all: `suppliers` waits 30 s past a hold's expiry for it (ADR 0006)."""


class Catalog(CodeSource, CategorySource, CodeMeanings, Protocol):
    """What is asked of `catalog`."""


def create_app(
    settings: Settings,
    *,
    database: Database,
    verifier: Verifier,
    reservations: Reservations,
    companies: Companies,
    suppliers: SupplierSource,
    catalog: Catalog,
    neighbours: Neighbours | None = None,
) -> FastAPI:
    """The service over a database, with `suppliers` to reserve at and `members` to ask who buys.

    What legacy files name is looked up at `suppliers` and `catalog`.
    """
    runner = import_runner(settings, database=database, suppliers=suppliers, catalog=catalog)
    app = create_service(
        name="orders",
        title="Dougong orders",
        description=(
            'From "the site needs it" to "it is paid and booked": projects, joint purchasing notices, baskets, '
            "purchase orders."
        ),
        settings=settings,
        database=database,
        verifier=verifier,
        routers=[
            project_routes.router,
            sourcing_routes.router,
            basket_routes.router,
            order_routes.router,
            measurement_routes.router,
            open_routes.router,
            case_file_routes.router,
            agreement_routes.router,
            price_history_routes.router,
            *import_routers(runner),
            statistic_routes.router,
            feed_router("orders"),
            audit_router("orders"),
            data_out_router("orders"),
            operations_router("orders", reactions=REACTIONS),
        ],
        closing=[neighbours.aclose] if neighbours is not None else [],
    )
    app.state.companies = companies
    app.state.import_runner = runner
    app.state.known_types = KnownTypes(catalog)
    app.state.placement = Placement(
        database=database,
        reservations=reservations,
        companies=companies,
        catalog=catalog,
        reserve_timeout_seconds=settings.reserve_timeout_seconds,
        reservation_seconds=settings.reservation_seconds,
        company_cache_seconds=settings.company_cache_seconds,
        baskets_at_once=settings.baskets_at_once,
    )
    return app


def create() -> FastAPI:
    """The service as the environment describes it, for granian."""
    settings = Settings()
    neighbours = Neighbours(settings)
    database = Database(
        app_url=settings.database_url,
        system_url=settings.system_database_url,
        pool_size=settings.database_pool_size,
        transaction_seconds=TRANSACTION_SECONDS,
    )
    return create_app(
        settings,
        database=database,
        verifier=TokenVerifier(issuer=settings.issuer, fetch_keys=neighbours.fetch_keys),
        reservations=ReservationsClient(neighbours.client("suppliers")),
        companies=MembersClient(neighbours.client("members")),
        suppliers=SuppliersClient(neighbours.client("suppliers")),
        catalog=CatalogClient(neighbours.client("catalog")),
        neighbours=neighbours,
    )
