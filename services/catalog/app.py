"""The parts of `catalog`."""

from functools import partial

from fastapi import FastAPI

from services.catalog.carbon import routes as carbon_routes
from services.catalog.classification import routes as code_routes
from services.catalog.components import routes as component_routes
from services.catalog.components import variant_routes
from services.catalog.dictionary import routes as dictionary_routes
from services.catalog.equivalents import routes as equivalent_routes
from services.catalog.ifc import routes as ifc_routes
from services.catalog.ifc.templates import TemplateSource, WheelTemplates
from services.catalog.mapping import resolving_routes as mapping_resolving_routes
from services.catalog.mapping import review_routes as mapping_review_routes
from services.catalog.mapping import routes as mapping_routes
from services.catalog.mapping.jobs import MappingRunner
from services.catalog.mapping.standards import KeptRegister
from services.catalog.reactions import REACTIONS
from services.catalog.references import routes as reference_routes
from services.catalog.restrictions import routes as restriction_routes
from services.catalog.search import routes as search_routes
from services.catalog.search.knowledge import kept_ready
from services.catalog.settings import Settings
from services.catalog.standards import routes as standard_routes
from services.catalog.units import routes as unit_routes
from services.catalog.uploads import routes as upload_routes
from shared.audit.routes import audit_router
from shared.clients.transport import Neighbours
from shared.data_out.routes import data_out_router
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
    neighbours: Neighbours | None = None,
    property_sets: TemplateSource | None = None,
) -> FastAPI:
    """The service over a database. `neighbours` are closed with it; `property_sets` are the wheel's unless given."""
    app = create_service(
        name="catalog",
        title="Dougong catalog",
        description="What can be bought: component types, variants, units, codes, carbon, and the search over offers.",
        settings=settings,
        database=database,
        verifier=verifier,
        routers=[
            search_routes.router,  # asked for most, so looked at first
            component_routes.router,
            dictionary_routes.router,
            ifc_routes.router,
            variant_routes.router,
            unit_routes.router,
            code_routes.router,
            upload_routes.router,
            reference_routes.router,
            carbon_routes.router,
            mapping_routes.router,
            mapping_review_routes.router,
            mapping_resolving_routes.router,
            standard_routes.router,
            restriction_routes.router,
            equivalent_routes.router,
            feed_router("catalog"),
            audit_router("catalog"),
            data_out_router("catalog"),
            operations_router("catalog", reactions=REACTIONS),
        ],
        closing=[] if neighbours is None else [neighbours.aclose],
        beside=[partial(kept_ready, database.app)],
    )
    app.state.mapping_runner = mapping_runner(settings, database=database)
    app.state.property_sets = property_sets or WheelTemplates()
    return app


def mapping_runner(settings: Settings, *, database: Database) -> MappingRunner:
    """What works imports of material codes off; the app and the worker see the same folder."""
    folder = settings.data_dir / "mappings"
    folder.mkdir(parents=True, exist_ok=True)
    return MappingRunner(
        database=database,
        folder=folder,
        standards=KeptRegister(),
        lease_seconds=settings.mapping_lease_seconds,
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
    verifier = TokenVerifier(issuer=settings.issuer, fetch_keys=neighbours.fetch_keys)
    return create_app(settings, database=database, verifier=verifier, neighbours=neighbours)
