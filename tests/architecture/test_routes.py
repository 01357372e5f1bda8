"""Every route of every service names its caller, and refuses those it does not name before it does anything else."""

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import httpx
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from shared.database import Database
from shared.identity import Requires, TokenVerifier, identify
from tests.conftest import a_person, fetch_test_keys, once, signed_in

SERVICES = ("members", "catalog", "suppliers", "orders")
NOWHERE = "postgresql://nobody@/nowhere?host=/nonexistent"
OPEN_TO_ALL = {"/health/live", "/health/ready", "/metrics"}
SIGN_IN = {
    ("POST", "/members/sessions"),
    ("POST", "/members/sessions/refresh"),
    ("POST", "/members/token"),
    ("GET", "/members/jwks.json"),
}
"""Routes by which somebody becomes a caller, or checks that somebody is one."""


class Route(NamedTuple):
    """One method of one address."""

    service: str
    method: str
    path: str
    guards: tuple[Any, ...]

    @property
    def address(self) -> str:
        return re.sub(r"\{[^}]+\}", "01930000-0000-7000-8000-000000000000", self.path)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def app_of(service: str) -> FastAPI:
    """The service's app over a database that is not there: whoever gets that far fails loudly."""
    settings = importlib.import_module(f"services.{service}.settings").Settings(
        database_url=NOWHERE, system_database_url=NOWHERE
    )
    create_app: Callable[..., FastAPI] = importlib.import_module(f"services.{service}.app").create_app
    given: dict[str, Any] = {
        "database": Database(app_url=NOWHERE, system_url=NOWHERE),
        "verifier": TokenVerifier(issuer="dougong", fetch_keys=fetch_test_keys),
    }
    wanted = [name for name in inspect.signature(create_app).parameters if name != "settings"]
    return create_app(settings, **{name: given.get(name) for name in wanted})


def guards_in(dependant: Dependant) -> Iterator[Any]:
    for part in dependant.dependencies:
        if isinstance(part.call, Requires) or part.call is identify:
            yield part.call
        yield from guards_in(part)


APPS = {service: app_of(service) for service in SERVICES}
ROUTES = [
    Route(service, method, str(context.path), tuple(guards_in(context.dependant)))
    for service, app in APPS.items()
    for context in iter_route_contexts(app.routes)
    if getattr(context, "dependant", None) is not None and context.path not in OPEN_TO_ALL
    for method in sorted(context.methods or ())
]
GUARDED = [route for route in ROUTES if any(isinstance(guard, Requires) for guard in route.guards)]
BY_RIGHT = [
    route
    for route in GUARDED
    if any(guard.roles or guard.scopes for guard in route.guards if isinstance(guard, Requires))
]


def test_the_walk_finds_the_routes():
    assert len(ROUTES) > 50
    assert {route.service for route in ROUTES} == set(SERVICES)


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_route_names_its_caller_by_type(route: Route):
    assert route.guards or (route.method, route.path) in SIGN_IN


@pytest.mark.parametrize("route", GUARDED, ids=str)
async def test_nobody_is_let_in_without_a_token(route: Route, http_to: Callable[[FastAPI], httpx.AsyncClient]):
    answer = await http_to(APPS[route.service]).request(route.method, route.address, headers=once())
    assert (answer.status_code, answer.json()["code"]) == (401, "TokenMissing")


@pytest.mark.parametrize("route", BY_RIGHT, ids=str)
async def test_a_person_without_any_role_is_refused(route: Route, http_to: Callable[[FastAPI], httpx.AsyncClient]):
    headers = signed_in(a_person()) | once()
    answer = await http_to(APPS[route.service]).request(route.method, route.address, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "RightMissing")


@pytest.mark.parametrize("service", SERVICES)
def test_the_description_tells_each_routes_purpose_and_refusals(service: str):
    description = APPS[service].openapi()
    assert description["openapi"].startswith("3.1")
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            assert operation.get("summary"), f"{method} {path} has no summary"
            if path not in OPEN_TO_ALL:
                examples = operation["responses"]["422"]["content"]["application/problem+json"]["examples"]
                assert "MalformedRequest" in examples, f"{method} {path}"


@pytest.mark.parametrize("service", SERVICES)
async def test_the_description_and_its_page_are_there_for_everybody(
    service: str, http_to: Callable[[FastAPI], httpx.AsyncClient]
):
    """`make up` prints the page's address; a route that takes an id in the same place must not stand before it."""
    page = await http_to(APPS[service]).get(f"/{service}/docs")
    assert (page.status_code, page.headers["Content-Type"].split(";")[0]) == (200, "text/html")
    described = (await http_to(APPS[service]).get(f"/{service}/openapi.json")).json()
    assert described["info"]["title"] == f"Dougong {service}"
