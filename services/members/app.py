"""The parts of `members`."""

from collections.abc import Awaitable, Callable, Sequence

from fastapi import FastAPI

from services.members.access import actions as access_actions
from services.members.access import client_routes as api_client_routes
from services.members.access import routes as access_routes
from services.members.circles import routes as circle_routes
from services.members.companies import intake_routes
from services.members.companies import routes as company_routes
from services.members.leaving import routes as leaving_routes
from services.members.leaving.open_orders import NobodyToAsk, OpenOrdersSource, OrdersService
from services.members.people import routes as people_routes
from services.members.people.passwords import Passwords
from services.members.reactions import REACTIONS
from services.members.registrations import routes as registration_routes
from services.members.settings import Settings
from services.members.stages import platform_routes as stage_platform_routes
from services.members.stages import routes as stage_routes
from services.members.stages.gate_data import GateData, MeasuredByNeighbours, NothingMeasured
from services.members.webhooks import delivery_routes as webhook_delivery_routes
from services.members.webhooks import routes as webhook_routes
from services.members.webhooks.description import describe_webhooks
from services.members.webhooks.sending import Sender
from shared import clock
from shared.audit.routes import audit_router
from shared.clients.catalog import CatalogClient
from shared.clients.measurements import QualityClient, SpendClient
from shared.clients.transport import Neighbours, http_client
from shared.data_out.routes import data_out_router
from shared.database import Database, transaction
from shared.feed import feed_router
from shared.http import create_service
from shared.identity import FetchKeys, TokenVerifier, Verifier
from shared.operations import operations_router


def create_app(
    settings: Settings,
    *,
    database: Database,
    verifier: Verifier,
    gate_data: GateData | None = None,
    closing: Sequence[Callable[[], Awaitable[None]]] = (),
    open_orders: OpenOrdersSource | None = None,
    webhook_sender: Sender | None = None,
) -> FastAPI:
    """The service over a database; `gate_data` measures what the gates of stage changes need from other services,
    `webhook_sender` judges the addresses of webhooks."""
    app = create_service(
        name="members",
        title="Dougong members",
        description=(
            "Who takes part, and what may they see: companies, people, sign-in, API clients, tokens, circles, stages, "
            "webhooks."
        ),
        settings=settings,
        database=database,
        verifier=verifier,
        routers=[
            company_routes.router,
            intake_routes.router,
            people_routes.router,
            registration_routes.router,
            access_routes.router,
            api_client_routes.router,
            circle_routes.router,
            leaving_routes.router,
            stage_routes.router,
            stage_platform_routes.router,
            webhook_routes.router,
            webhook_delivery_routes.router,
            feed_router("members"),
            audit_router("members"),
            data_out_router("members"),
            operations_router("members", reactions=REACTIONS),
        ],
        closing=closing,
    )
    app.state.open_orders = open_orders or NobodyToAsk()
    app.state.gate_data = gate_data or NothingMeasured()
    app.state.webhook_sender = webhook_sender or Sender(policy=settings.webhook_policy)
    describe_webhooks(app)
    app.state.passwords = Passwords(at_once=settings.password_checks_at_once)
    return app


def measured_by(neighbours: Neighbours, *, database: Database) -> GateData:
    """What the gates ask of the other services."""
    return MeasuredByNeighbours(
        database=database,
        catalog=CatalogClient(neighbours.client("catalog")),
        spend=SpendClient(neighbours.client("orders")),
        quality=QualityClient(neighbours.client("suppliers")),
    )


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
    neighbours = Neighbours(settings)
    orders = http_client(settings.orders_url)
    return create_app(
        settings,
        database=database,
        verifier=verifier,
        gate_data=measured_by(neighbours, database=database),
        open_orders=OrdersService(orders),
        closing=[neighbours.aclose, orders.aclose],
    )
