"""Loading the taxonomy: versions by content, nothing deleted, repeatable."""

from copy import deepcopy
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.catalog.components.jobs import load_taxonomy
from services.catalog.components.taxonomy import TaxonomyError, read_taxonomy
from shared.contracts.catalog import TYPE_PUBLISHED
from shared.database import Database, transaction
from tests.catalog.conftest import AT, taxonomy_document
from tests.conftest import CreateDatabase


def changed_document(**bar_changes: Any) -> dict[str, Any]:
    document = deepcopy(taxonomy_document())
    bar = next(entry for entry in document["components"] if entry["code"] == "RB-HRB")
    bar.update(bar_changes)
    return document


async def counts(database: Database) -> tuple[int, ...]:
    async with transaction(database.system) as session:
        tables = ("component_types", "component_type_versions", "units", "classification_codes", "carbon_factors")
        return tuple([(await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() for table in tables])


async def published_events(database: Database) -> list[dict[str, Any]]:
    async with transaction(database.system) as session:
        rows = await session.execute(
            text("SELECT data FROM events WHERE type = :type ORDER BY seq"), {"type": TYPE_PUBLISHED}
        )
        return list(rows.scalars())


async def test_everything_in_the_document_is_published_and_told(create_database: CreateDatabase):
    database = create_database("catalog")
    done = await load_taxonomy(database.system, document=taxonomy_document(), at=AT)
    assert (len(done.published), done.deprecated, done.unchanged) == (77, (), 0)
    types, versions, units, codes, carbon = await counts(database)
    assert (types, versions, units, carbon) == (77, 77, 21, 76)
    assert codes > 77 * 3
    assert {each["code"] for each in await published_events(database)} == set(done.published)


async def test_the_same_document_again_changes_and_tells_nothing(database: Database):
    before = await counts(database)
    done = await load_taxonomy(database.system, document=taxonomy_document(), at=AT)
    assert (done.published, done.deprecated, done.unchanged) == ((), (), 77)
    assert await counts(database) == before
    assert len(await published_events(database)) == 77


async def test_a_changed_type_becomes_a_new_version_and_the_old_one_can_be_read(
    database: Database, http: httpx.AsyncClient
):
    done = await load_taxonomy(database.system, document=changed_document(name_zh="螺纹钢"), at=AT)
    assert done.published == ("RB-HRB",)
    assert (await http.get("/catalog/types/RB-HRB")).json()["version"] == 2
    old = (await http.get("/catalog/types/RB-HRB", params={"version": 1})).json()
    assert (old["version"], old["name_zh"]) == (1, "热轧带肋钢筋(直条)")
    assert (await published_events(database))[-1]["version"] == 2


async def test_a_type_the_document_lacks_is_deprecated_and_can_come_back(database: Database, http: httpx.AsyncClient):
    document = deepcopy(taxonomy_document())
    document["components"] = [each for each in document["components"] if each["code"] != "RB-HRB"]
    assert (await load_taxonomy(database.system, document=document, at=AT)).deprecated == ("RB-HRB",)
    assert (await http.get("/catalog/types/RB-HRB")).json()["status"] == "DEPRECATED"
    assert "RB-HRB" not in [each["code"] for each in (await http.get("/catalog/types", params={"limit": 200})).json()]
    await load_taxonomy(database.system, document=taxonomy_document(), at=AT)
    back = (await http.get("/catalog/types/RB-HRB")).json()
    assert (back["status"], back["version"]) == ("ACTIVE", 1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"category": "wood"}, "unknown category"),
        ({"base_uom": "stone"}, "unknown units"),
        ({"code": "rb_hrb"}, "capital letters"),
        ({"supply_mode": "gift"}, "supply mode"),
        ({"properties": []}, "no identity property"),
        ({"name_zh": None, "alt_uoms": None}, "TypeError"),
    ],
)
async def test_a_document_that_breaks_its_own_rules_changes_nothing(database: Database, change, said):
    with pytest.raises(TaxonomyError, match=said):
        await load_taxonomy(database.system, document=changed_document(**change), at=AT)
    assert len(await published_events(database)) == 77


def a_property(**members: Any) -> dict[str, Any]:
    bar = next(entry for entry in taxonomy_document()["components"] if entry["code"] == "RB-HRB")
    grade, *others = deepcopy(bar["properties"])
    return {"properties": [grade | members, *others]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (a_property(allowed=["HRB400E"]), "ValueRemoved"),
        (a_property(key="class"), "PropertyRemoved"),
        (a_property(unit="mm"), "PropertyReused"),
        (a_property(retired={"HRB400": {"reason": "old"}}), "SuccessorMissing"),
        ({"base_uom": "m"}, "BaseUnitChanged"),
    ],
)
async def test_a_new_taxonomy_keeps_the_promises_of_the_old_one(database: Database, change, said):
    with pytest.raises(TaxonomyError, match=said):
        await load_taxonomy(database.system, document=changed_document(**change), at=AT)
    assert len(await published_events(database)) == 77


async def test_an_older_taxonomy_loaded_again_changes_nothing(database: Database, http: httpx.AsyncClient):
    await load_taxonomy(database.system, document=changed_document(name_zh="螺纹钢"), at=AT)
    done = await load_taxonomy(database.system, document=taxonomy_document(), at=AT)
    assert (done.published, done.deprecated, done.unchanged) == ((), (), 77)
    assert (await http.get("/catalog/types/RB-HRB")).json()["name_zh"] == "螺纹钢"


def test_a_document_without_its_parts_is_refused():
    with pytest.raises(TaxonomyError):
        read_taxonomy({"components": []})


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE component_type_versions SET content_hash = 'x'",
        "DELETE FROM component_type_versions",
        "UPDATE component_types SET version = 0",
        "UPDATE component_types SET status = 'GONE'",
        "UPDATE component_types SET supply_mode = 'gift'",
        "UPDATE units SET decimals = -1",
        "UPDATE carbon_factors SET low = high + 1",
        "UPDATE carbon_factors SET source = ''",
        "DELETE FROM component_types",
    ],
)
async def test_the_database_itself_keeps_published_types(database: Database, statement):
    with pytest.raises(DBAPIError):
        async with transaction(database.system) as session:
            await session.execute(text(statement))


@pytest.mark.parametrize(
    "table", ["units", "component_types", "classification_codes", "carbon_factors", "search_offers", "standards"]
)
async def test_the_app_may_read_the_catalog_and_not_write_it(database: Database, table):
    async with transaction(database.app) as session:
        await session.execute(text(f"SELECT * FROM {table}"))
    with pytest.raises(DBAPIError, match="permission denied"):
        async with transaction(database.app) as session:
            await session.execute(text(f"DELETE FROM {table}"))
