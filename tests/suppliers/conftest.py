"""A world a test; `suppliers` has a registered and qualified supplier in it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from shared.identity import TokenVerifier
from tests.conftest import CreateDatabase
from tests.suppliers.world import CatalogDouble, MembersDouble, World, app_over, settings_for

CreateWorld = Callable[..., World]


@pytest.fixture
def create_world(
    create_database: CreateDatabase,
    verifier: TokenVerifier,
    http_to: Callable[[FastAPI], httpx.AsyncClient],
    tmp_path: Path,
) -> CreateWorld:
    def create(**changes: Any) -> World:
        database = create_database("suppliers")
        catalog, members = CatalogDouble(), MembersDouble()
        app = app_over(database, verifier, settings_for(tmp_path, **changes), catalog=catalog, members=members)
        return World(app=app, http=http_to(app), database=database, folder=tmp_path, catalog=catalog, members=members)

    return create


@pytest.fixture
def empty_world(create_world: CreateWorld) -> World:
    return create_world()


@pytest.fixture
async def world(empty_world: World) -> World:
    assert (await empty_world.register()).status_code == 201
    assert (await empty_world.qualify()).status_code == 200
    await empty_world.open_market()
    return empty_world
