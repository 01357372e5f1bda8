"""The parts of `suppliers`."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from fastapi import FastAPI

from services.suppliers.admissions import routes as admission_routes
from services.suppliers.applications import review_routes as application_review_routes
from services.suppliers.applications import routes as application_routes
from services.suppliers.applications.secrets import KEY_BYTES, kept_key
from services.suppliers.blacklists import appeal_routes
from services.suppliers.blacklists import routes as blacklist_routes
from services.suppliers.consents import routes as consent_routes
from services.suppliers.imports import routes as import_routes
from services.suppliers.imports.jobs import SyncRunner
from services.suppliers.inventory import routes as inventory_routes
from services.suppliers.invitations import routes as invitation_routes
from services.suppliers.legacy import import_routers, import_runner
from services.suppliers.measurements import metric_routes
from services.suppliers.measurements import routes as measurement_routes
from services.suppliers.merging import routes as merging_routes
from services.suppliers.merging.routes import OpenOrderSource
from services.suppliers.offers import routes as offer_routes
from services.suppliers.offers.variants import VariantSource
from services.suppliers.onboarding import routes as onboarding_routes
from services.suppliers.onboarding.routes import CompanySource
from services.suppliers.papers import routes as paper_routes
from services.suppliers.papers.files import PaperFolder
from services.suppliers.reactions import REACTIONS
from services.suppliers.reservations import routes as reservation_routes
from services.suppliers.scores import routes as score_routes
from services.suppliers.settings import Settings
from services.suppliers.supplier_imports import routes as supplier_import_routes
from services.suppliers.supplier_imports.jobs import CompanyIntake
from shared.audit.routes import audit_router
from shared.clients.catalog import CatalogClient
from shared.clients.members import MembersClient
from shared.clients.orders import OpenOrdersClient
from shared.clients.transport import Neighbours
from shared.data_out.routes import data_out_router
from shared.database import Database
from shared.feed import feed_router
from shared.http import create_service
from shared.identity import TokenVerifier, Verifier
from shared.operations import operations_router


class Members(CompanySource, CompanyIntake, Protocol):
    """What `members` is asked for."""


def create_app(
    settings: Settings,
    *,
    database: Database,
    verifier: Verifier,
    members: Members,
    catalog: VariantSource,
    orders: OpenOrderSource | None = None,
    closing: Sequence[Callable[[], Awaitable[None]]] = (),
) -> FastAPI:
    """The service over a database and its neighbours."""
    runner = import_runner(settings, database=database, members=members)
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
            data_out_router("suppliers"),
            operations_router("suppliers", reactions=REACTIONS),
            reservation_routes.router,
            offer_routes.router,
            inventory_routes.router,
            import_routes.router,
            invitation_routes.router,
            application_review_routes.router,
            application_routes.router,
            paper_routes.router,
            admission_routes.router,
            consent_routes.router,
            measurement_routes.router,
            metric_routes.router,
            blacklist_routes.router,
            appeal_routes.router,
            score_routes.router,
            merging_routes.router,
            supplier_import_routes.router,
            *import_routers(runner),
            onboarding_routes.router,
        ],
        closing=closing,
    )
    app.state.members = members
    app.state.catalog = catalog
    app.state.orders = orders
    app.state.import_runner = runner
    app.state.sync_runner = sync_runner(settings, database=database, catalog=catalog)
    app.state.paper_folder = paper_folder(settings)
    app.state.identity_key = identity_key(settings)
    return app


def paper_folder(settings: Settings) -> PaperFolder:
    """Where the files of papers stand, for the app and the worker."""
    folder = PaperFolder(folder=settings.data_dir / "papers")
    folder.prepare()
    return folder


def identity_key(settings: Settings) -> bytes:
    """What identity and account numbers are hashed with.

    Raises:
        ValueError: the configured key, or the file, is too short to be one.
    """
    configured = settings.identity_key
    key = kept_key(settings.data_dir) if configured is None else configured.get_secret_value().encode()
    if len(key) < KEY_BYTES:
        message = f"The key of identities needs at least {KEY_BYTES} bytes."
        raise ValueError(message)
    return key


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
        orders=OpenOrdersClient(neighbours.client("orders")),
        closing=[neighbours.aclose],
    )
