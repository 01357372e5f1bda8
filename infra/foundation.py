"""What must be there before the services can work: the taxonomy, their own API clients, the first operator."""

import os
from collections.abc import Callable, Mapping
from datetime import datetime

from infra.credentials import Client, Credentials, SignIn, new_password, new_secret
from infra.databases import Databases
from infra.instance import CLIENT_SCOPES, CannotStart
from infra.seed.demo_world import TAXONOMY, seed_document
from shared.database import Database
from shared.errors import Refusal

OPERATOR_TAX_ID = "91110000MA1DGXP0HX"
OPERATOR_COMPANY = "斗拱平台运营有限公司"
OPERATOR_EMAIL = "operator@dougong.example"


def complete(credentials: Credentials, *, environment: Mapping[str, str] = os.environ) -> bool:
    """Add what is missing: from the environment where it says so, else made at random; whether any was made."""
    made = False
    for service in CLIENT_SCOPES:
        given = environment.get(f"{service.upper()}_CLIENT_SECRET")
        if given:
            client_id = environment.get(f"{service.upper()}_CLIENT_ID", f"dougong-{service}")
            credentials.services[service] = Client(client_id=client_id, client_secret=given)
        elif service not in credentials.services:
            credentials.services[service] = Client(client_id=f"dougong-{service}", client_secret=new_secret())
            made = True
    given = environment.get("DOUGONG_OPERATOR_PASSWORD")
    if credentials.operator is None or given:
        made = made or not given
        credentials.operator = SignIn(
            email=environment.get("DOUGONG_OPERATOR_EMAIL", OPERATOR_EMAIL),
            password=given or new_password(),
            name="Operator",
            company=OPERATOR_COMPANY,
            tax_id=OPERATOR_TAX_ID,
            roles=["operator", "admin"],
        )
    return made


async def lay_foundation(
    databases: Databases, credentials: Credentials, *, at: datetime, say: Callable[[str], None]
) -> None:
    """Write it into the databases; repeating it changes nothing.

    Raises:
        CannotStart: a service refuses what it is given.
    """
    try:
        say("Loading the taxonomy …")
        await _load_taxonomy(databases, at=at)
        say("Making the services and the operator known …")
        await _introduce(databases, credentials, at=at)
    except (Refusal, ValueError) as problem:
        raise CannotStart(f"The foundation cannot be laid: {problem}") from problem


async def _load_taxonomy(databases: Databases, *, at: datetime) -> None:
    from services.catalog.components.jobs import load_taxonomy

    urls = databases.urls["catalog"]
    database = Database(app_url=urls.app, system_url=urls.worker, pool_size=1)
    try:
        await load_taxonomy(database.system, document=seed_document(TAXONOMY), at=at)
    finally:
        await database.dispose()


async def _introduce(databases: Databases, credentials: Credentials, *, at: datetime) -> None:
    from services.members.access.jobs import ensure_service_client
    from services.members.people.jobs import bootstrap_operator

    urls = databases.urls["members"]
    database = Database(app_url=urls.app, system_url=urls.worker, pool_size=1)
    try:
        for service, scopes in CLIENT_SCOPES.items():
            client = credentials.services[service]
            await ensure_service_client(
                database.system,
                client_id=client.client_id,
                client_secret=client.client_secret,
                name=service,
                scopes=scopes,
                at=at,
            )
        operator = credentials.operator
        assert operator is not None  # noqa: S101 - `complete` saw to it
        await bootstrap_operator(
            database.system,
            tax_value=operator.tax_id,
            company_name_zh=operator.company,
            company_name_en="Dougong operations",
            email=operator.email,
            person_name=operator.name,
            password=operator.password,
            at=at,
        )
    finally:
        await database.dispose()
