"""What routes of this service take beside sessions: settings, password checks, the network, a place in a list."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from services.members.people.passwords import Passwords
from services.members.people.rules import client_network
from services.members.settings import Settings
from shared.database import Database, Sessions
from shared.paging import PageQuery


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def _passwords(request: Request) -> Passwords:
    passwords: Passwords = request.app.state.passwords
    return passwords


def _system(request: Request) -> Sessions:
    database: Database = request.app.state.database
    return database.system


def _network(request: Request, settings: Annotated[Settings, Depends(_settings)]) -> str:
    return client_network(
        peer=request.client.host if request.client else "",
        forwarded=",".join(request.headers.getlist("x-forwarded-for")),
        proxies=settings.trusted_proxies,
    )


def _after(paging: PageQuery) -> UUID | None:
    after = paging.after_as(UUID)
    return None if after is None else after[0]


Configured = Annotated[Settings, Depends(_settings)]
PasswordChecks = Annotated[Passwords, Depends(_passwords)]
SystemSessions = Annotated[Sessions, Depends(_system)]
"""For the few routes of several short transactions with a slow password check, and no connection held, between."""
Network = Annotated[str, Depends(_network)]
AfterId = Annotated[UUID | None, Depends(_after)]
"""The id the page before ended with, in lists ordered by id."""
