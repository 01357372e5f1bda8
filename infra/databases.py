"""The four databases: on the embedded server, or on the one that `DOUGONG_POSTGRES` names."""

import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from alembic import command
from alembic.config import Config

from infra.instance import ROOT, CannotStart
from infra.postgres import SERVICES, PostgresUnavailable, Server, ServiceUrls, prepare

ROLES = {"owner": "OWNER_DATABASE_URL", "app": "DATABASE_URL", "worker": "SYSTEM_DATABASE_URL"}


@dataclass(frozen=True, kw_only=True)
class Databases:
    """Where each service's data is, and the server if it is ours to stop."""

    admin_url: str
    urls: Mapping[str, ServiceUrls]
    server: Server | None

    def stop(self) -> None:
        """Stop the server when we started it."""
        if self.server is not None:
            self.server.stop()


def open_databases(data_dir: Path, *, environment: Mapping[str, str] = os.environ) -> Databases:
    """Start or find the server, and create roles and databases that are missing.

    Raises:
        CannotStart: the server does not start or does not let us in.
    """
    server = None
    try:
        if external := environment.get("DOUGONG_POSTGRES"):
            admin_url = external
            urls = {service: _external_urls(service, external, data_dir, environment) for service in SERVICES}
        else:
            server = Server(data_dir / "postgres")
            server.start()
            admin_url = server.url("postgres")
            urls = {service: server.service_urls(service) for service in SERVICES}
        for service in SERVICES:
            prepare(admin_url, urls[service])
    except PostgresUnavailable as problem:
        raise CannotStart(str(problem)) from problem
    except psycopg.OperationalError as problem:
        where = "DOUGONG_POSTGRES" if server is None else "the embedded PostgreSQL"
        raise CannotStart(f"{where} refuses the connection: {' '.join(str(problem).split())}") from problem
    except OSError as problem:
        raise CannotStart(f"PostgreSQL cannot use {data_dir}: {problem}") from problem
    return Databases(admin_url=admin_url, urls=urls, server=server)


def _external_urls(service: str, admin_url: str, data_dir: Path, environment: Mapping[str, str]) -> ServiceUrls:
    """The service's addresses from its environment; those that are not set are made from the administrator's."""
    found = {role: environment.get(f"{service.upper()}_{name}") for role, name in ROLES.items()}
    if not all(found.values()):
        passwords = _role_passwords(data_dir)
        parts = urlsplit(admin_url)
        place = parts.netloc.rpartition("@")[2]
        for role in ROLES:
            user = f"{service}_{role}"
            login = f"{user}:{quote(passwords[user], safe='')}@{place}"
            found[role] = found[role] or urlunsplit(parts._replace(netloc=login, path=f"/{service}"))
    return ServiceUrls(owner=str(found["owner"]), app=str(found["app"]), worker=str(found["worker"]))


def _role_passwords(data_dir: Path) -> dict[str, str]:
    file = data_dir / "role-passwords.json"
    passwords: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    missing = [f"{service}_{role}" for service in SERVICES for role in ROLES]
    missing = [user for user in missing if user not in passwords]
    if missing:
        passwords |= {user: secrets.token_urlsafe(24) for user in missing}
        data_dir.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(json.dumps(passwords))
    return passwords


def migrate(urls: Mapping[str, ServiceUrls], *, say: Callable[[str], None]) -> None:
    """Bring every service's schema to its newest version, as the service's owner role."""
    for service in SERVICES:
        say(f"Migrating {service} …")
        config = Config(str(ROOT / "alembic.ini"), ini_section=service)
        config.set_main_option("script_location", str(ROOT / "services" / service / "migrations"))
        config.set_main_option("sqlalchemy.url", urls[service].owner.replace("%", "%%"))
        command.upgrade(config, "head")
