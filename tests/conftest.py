"""Real PostgreSQL for every test: one embedded server a session, one migrated template a service, a clone a test.

`DOUGONG_TEST_POSTGRES` names another server (a superuser's URL) to be used instead of the embedded one.
"""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from time import time
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import httpx
import psycopg
import pytest
from alembic import command
from alembic.config import Config
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import KeySet, KeySetSerialization, OKPKey

from infra.postgres import Server, ServiceUrls, prepare
from shared.database import Database
from shared.identity import ALGORITHM, TOKEN_AUDIENCE, Principal, Role, Scope, TokenVerifier, claims_of
from shared.ids import new_id

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT.parent / "shared" / "samples"

AS_FILES = "STRATEGY file_copy"
"""Clones of a template are copied as files: through the log, block by block, each takes eight times as long."""

CreateDatabase = Callable[[str], Database]
"""A migrated, empty database of its own for the named service."""


def _with_database(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


@dataclass(frozen=True)
class TestServer:
    """The server under test: its superuser's URL and each service's role URLs."""

    __test__ = False
    admin_url: str
    urls: Callable[[str], ServiceUrls]

    def service_urls(self, service: str, database: str) -> ServiceUrls:
        urls = self.urls(service)
        return ServiceUrls(
            owner=_with_database(urls.owner, database),
            app=_with_database(urls.app, database),
            worker=_with_database(urls.worker, database),
        )


@pytest.fixture(scope="session")
def postgres() -> Iterator[TestServer]:
    other = os.environ.get("DOUGONG_TEST_POSTGRES")
    if other:

        def urls_there(service: str) -> ServiceUrls:
            parts = urlsplit(other)
            roles = (
                urlunsplit(parts._replace(netloc=f"{service}_{kind}:test@{parts.netloc.rpartition('@')[2]}"))
                for kind in ("owner", "app", "worker")
            )
            return ServiceUrls(**dict(zip(("owner", "app", "worker"), roles, strict=True)))

        yield TestServer(admin_url=other, urls=urls_there)
        return
    folder = Path(tempfile.mkdtemp(prefix="dougong-test-"))
    folder.chmod(0o755)
    server = Server(folder, fast=True)
    server.start()
    try:
        yield TestServer(admin_url=server.url("postgres"), urls=server.service_urls)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def template(postgres: TestServer) -> Callable[[str], str]:
    """The name of a service's migrated template database, made when first asked for."""
    made: dict[str, str] = {}

    def migrated(service: str) -> str:
        if service not in made:
            name = f"template_{service}_{new_id().hex[-8:]}"
            urls = postgres.service_urls(service, name)
            prepare(postgres.admin_url, urls)
            config = Config(str(ROOT / "alembic.ini"), ini_section=service)
            config.set_main_option("script_location", str(ROOT / "services" / service / "migrations"))
            config.set_main_option("sqlalchemy.url", urls.owner.replace("%", "%%"))
            command.upgrade(config, "head")
            made[service] = name
        return made[service]

    return migrated


_numbers = count(1)


@pytest.fixture
def service_urls(postgres: TestServer, template: Callable[[str], str]) -> Iterator[Callable[[str], ServiceUrls]]:
    """The URLs of a fresh clone of a service's database; the clone is dropped after the test."""
    made: list[str] = []

    def clone(service: str) -> ServiceUrls:
        name = f"test_{service}_{os.getpid()}_{next(_numbers)}"
        source = template(service)
        with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}" OWNER {service}_owner {AS_FILES}')
        made.append(name)
        return postgres.service_urls(service, name)

    yield clone
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        for name in made:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def create_database(service_urls: Callable[[str], ServiceUrls]) -> AsyncIterator[CreateDatabase]:
    """See CreateDatabase; with both of the service's roles, as in production."""
    made: list[Database] = []

    def create(service: str) -> Database:
        urls = service_urls(service)
        database = Database(app_url=urls.app, system_url=urls.worker, pool_size=10)
        made.append(database)
        return database

    yield create
    for database in made:
        await database.dispose()


SIGNING_KEY = OKPKey.generate_key("Ed25519", {"kid": "test-key", "use": "sig", "alg": ALGORITHM})


async def fetch_test_keys() -> KeySetSerialization:
    return KeySet([SIGNING_KEY]).as_dict(private=False)


@pytest.fixture
def verifier() -> TokenVerifier:
    return TokenVerifier(issuer="dougong", fetch_keys=fetch_test_keys)


def token_for(principal: Principal, *, expires_in: int = 86_400, **changes: Any) -> str:
    """An access token as `members` would sign it; it outlives the longest run of all tests."""
    claims = {
        "iss": "dougong",
        "aud": TOKEN_AUDIENCE,
        "iat": int(time()),
        "exp": int(time()) + expires_in,
        **claims_of(principal),
        **changes,
    }
    return jwt.encode({"alg": ALGORITHM, "kid": "test-key"}, claims, SIGNING_KEY, algorithms=[ALGORITHM])


def signed_in(principal: Principal) -> dict[str, str]:
    """The headers of a signed-in caller."""
    return {"Authorization": f"Bearer {token_for(principal)}"}


def a_person(*roles: Role, company_id: UUID | None = None, group_id: UUID | None = None, **more: Any) -> Principal:
    """Somebody who acts for a company (a new one unless named) in some roles."""
    person = Principal(
        subject=new_id(),
        kind="person",
        name="Test Person",
        company_id=company_id or new_id(),
        company_name="Test Company",
        group_id=group_id,
        roles=frozenset(roles),
    )
    return replace(person, **more)


def an_api_client(*scopes: Scope, company_id: UUID | None = None) -> Principal:
    """A supplier's ERP."""
    return Principal(
        subject=new_id(),
        kind="client",
        name="Test ERP",
        company_id=company_id or new_id(),
        company_name="Test Supplier",
        scopes=frozenset(scopes),
    )


def a_service(*scopes: Scope) -> Principal:
    """One of our own services."""
    return Principal(subject=new_id(), kind="service", name="test-service", scopes=frozenset(scopes))


@pytest.fixture
async def http_to() -> AsyncIterator[Callable[[FastAPI], httpx.AsyncClient]]:
    """A client that calls an app in this process."""
    clients: list[httpx.AsyncClient] = []

    def connect(app: FastAPI) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="http://test")
        clients.append(client)
        return client

    yield connect
    for client in clients:
        await client.aclose()


def once() -> dict[str, str]:
    """A fresh Idempotency-Key header."""
    return {"Idempotency-Key": str(new_id())}
