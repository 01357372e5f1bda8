"""The parts of `members`."""

from fastapi import FastAPI

from services.members.access import actions as access_actions
from services.members.access import client_routes as api_client_routes
from services.members.access import routes as access_routes
from services.members.circles import routes as circle_routes
from services.members.companies import routes as company_routes
from services.members.people import routes as people_routes
from services.members.people.passwords import Passwords
from services.members.reactions import REACTIONS
from services.members.settings import Settings
from services.members.stages import platform_routes as stage_platform_routes
from services.members.stages import routes as stage_routes
from services.members.stages.gate_data import GateData, NothingMeasured
from shared import clock
from shared.audit_routes import audit_router
from shared.database import Database, transaction
from shared.feed import feed_router
from shared.http import create_service
from shared.identity import FetchKeys, TokenVerifier, Verifier
from shared.operations import operations_router


def create_app(
    settings: Settings, *, database: Database, verifier: Verifier, gate_data: GateData | None = None
) -> FastAPI:
    """The service over a database; `gate_data` measures what the gates of stage changes need from other services."""
    app = create_service(
        name="members",
        title="Dougong members",
        description=(
            "Who takes part, and what may they see: companies, people, sign-in, API clients, tokens, circles, stages."
        ),
        settings=settings,
        database=database,
        verifier=verifier,
        routers=[
            company_routes.router,
            people_routes.router,
            access_routes.router,
            api_client_routes.router,
            circle_routes.router,
            stage_routes.router,
            stage_platform_routes.router,
            feed_router("members"),
            audit_router("members"),
            operations_router("members", reactions=REACTIONS),
        ],
    )
    app.state.gate_data = gate_data or NothingMeasured()
    app.state.passwords = Passwords(at_once=settings.password_checks_at_once)
    return app


def own_keys(database: Database) -> FetchKeys:
    """The published keys, from our own table: `members` verifies tokens without calling itself."""

    async def fetch() -> dict[str, list[dict[str, object]]]:
        async with transaction(database.system) as session:
            return await access_actions.published_keys(session, at=clock.now())

    return fetch  # type: ignore[return-value]


def create() -> FastAPI:
    """The service as the environment describes it, for granian."""
    settings = Settings()
    database = Database(
        app_url=settings.database_url,
        system_url=settings.system_database_url,
        pool_size=settings.database_pool_size,
    )
    verifier = TokenVerifier(issuer=settings.issuer, fetch_keys=own_keys(database))
    return create_app(settings, database=database, verifier=verifier)
