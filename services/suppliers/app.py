"""The parts of `suppliers`."""

from collections.abc import Awaitable, Callable, Sequence

from fastapi import FastAPI

from services.suppliers.imports import routes as import_routes
from services.suppliers.imports.jobs import SyncRunner
from services.suppliers.inventory import routes as inventory_routes
from services.suppliers.offers import routes as offer_routes
from services.suppliers.offers.variants import VariantSource
from services.suppliers.onboarding import routes as onboarding_routes
from services.suppliers.onboarding.routes import CompanySource
from services.suppliers.reactions import REACTIONS
from services.suppliers.reservations import routes as reservation_routes
from services.suppliers.settings import Settings
from shared.audit_routes import audit_router
from shared.clients.catalog import CatalogClient
from shared.clients.members import MembersClient
from shared.clients.transport import Neighbours
from shared.database import Database
from shared.feed import feed_router
from shared.http import create_service
from shared.identity import TokenVerifier, Verifier
from shared.operations import operations_router


def create_app(
    settings: Settings,
    *,
    database: Database,
    verifier: Verifier,
    members: CompanySource,
    catalog: VariantSource,
    closing: Sequence[Callable[[], Awaitable[None]]] = (),
) -> FastAPI:
    """The service over a database and its neighbours."""
    app = create_service(
        name="suppliers",
        title="Dougong suppliers",
        description="Who sells it, on which terms, and what do they have: suppliers, offers, stock, reservations.",
        settings=settings,
        database=database,
        verifier=verifier,
        # What has a fixed name under /suppliers stands before what takes a supplier's id there.
        routers=[
            feed_router("suppliers"),
            audit_router("suppliers"),
            operations_router("suppliers", reactions=REACTIONS),
            reservation_routes.router,
            offer_routes.router,
            inventory_routes.router,
            import_routes.router,
            onboarding_routes.router,
        ],
        closing=closing,
    )
    app.state.members = members
    app.state.catalog = catalog
    app.state.sync_runner = sync_runner(settings, database=database, catalog=catalog)
    return app


def sync_runner(settings: Settings, *, database: Database, catalog: VariantSource) -> SyncRunner:
    """What works syncs off, in the app and in the worker; both see the same folder."""
    folder = settings.data_dir / "syncs"
    folder.mkdir(parents=True, exist_ok=True)
    return SyncRunner(
        database=database,
        catalog=catalog,
        folder=folder,
        chunk_rows=settings.sync_chunk_rows,
        lease_seconds=settings.sync_lease_seconds,
    )


def create() -> FastAPI:
    """The service as the environment describes it, for granian."""
    settings = Settings()
    database = Database(
        app_url=settings.database_url,
        system_url=settings.system_database_url,
        pool_size=settings.database_pool_size,
    )
    neighbours = Neighbours(settings)
    return create_app(
        settings,
        database=database,
        verifier=TokenVerifier(issuer=settings.issuer, fetch_keys=neighbours.fetch_keys),
        members=MembersClient(neighbours.client("members")),
        catalog=CatalogClient(neighbours.client("catalog")),
        closing=[neighbours.aclose],
    )
