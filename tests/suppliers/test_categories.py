"""What is no category of the catalog is refused wherever somebody names one, with the field and the rule."""

from datetime import UTC, datetime

from services.suppliers.register.actions import types_told
from services.suppliers.register.queries import unknown_categories
from shared.contracts.catalog import TypePublished
from shared.database import Database, transaction
from tests.suppliers.blacklist_world import Lists
from tests.suppliers.onboarding_world import TAX_ID, Applicant, Contractor
from tests.suppliers.world import World

CSV = {"Content-Type": "text/csv"}


async def told(database: Database, **categories: str) -> None:
    """The catalog tells of types, each of a category."""
    types = [
        TypePublished(
            code=code, version=1, status=status, category=category, name_zh="-", name_en="-", content_hash="-",
            dictionary_version=1,
        )
        for code, category in categories.items()
        for status in ("DEPRECATED" if code == "OLD" else "ACTIVE",)
    ]  # fmt: skip
    async with transaction(database.system) as session:
        await types_told(session, types=[(each, datetime.now(UTC)) for each in types])


async def test_nobody_applies_is_invited_or_qualified_for_what_is_no_category(empty_world: World):
    gc, invited = Contractor(empty_world), Applicant(empty_world)
    await told(empty_world.database, RB="rebar", OLD="precast")
    made = await gc.invite(categories=["rebar", "precast"])
    refused = [
        await gc.call("POST", json={"name": "乙", "categories": ["rebar", "rebars"]}),
        await invited.apply("rebar", "rebars", invitation_code=made["code"]),
    ]
    assert (await invited.apply("rebar", invitation_code=made["code"])).status_code == 201
    refused.append(await empty_world.qualify(invited.company_id, categories=["rebars"]))
    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (422, "UnknownCategory"), answer.text
        [error] = answer.json()["errors"]
        assert (error["field"], error["rule"], "rebars" in error["message"]) == ("categories", "UnknownCategory", True)
    assert (await empty_world.qualify(invited.company_id, categories=["rebar", "precast"])).status_code == 200


async def test_a_file_of_invitations_names_the_row(empty_world: World):
    gc = Contractor(empty_world)
    await told(empty_world.database, RB="rebar")
    body = f"name,uscc,categories\n甲,{TAX_ID},rebar\n乙,,rebar;rebars\n".encode()
    answer = await gc.call("POST", "/files", content=body, headers=CSV)
    assert (answer.json()["invited"], answer.json()["rejected"]) == (1, 1), answer.text
    [problem] = answer.json()["problems"]
    assert (problem["row"], problem["column"], problem["code"]) == (3, "categories", "UnknownCategory")


async def test_a_blacklist_names_categories_that_are_there(world: World):
    lists = Lists(world)
    await lists.an_offer()
    await told(world.database, RB="rebar")
    body = {name: value for name, value in lists.body(categories=["rebars"]).items() if value is not None}
    answer = await lists.post("/entries", lists.lister, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "UnknownCategory"), answer.text
    assert (await lists.post("/entries", lists.lister, {**body, "categories": ["rebar"]})).status_code == 201


async def test_until_the_catalog_tells_of_a_type_nothing_is_refused(empty_world: World):
    database = empty_world.database
    async with transaction(database.system) as session:
        assert await unknown_categories(session, categories=["rebars"]) == []
    await told(database, RB="rebar")
    async with transaction(database.system) as session:
        assert await unknown_categories(session, categories=["rebar", "rebars", "b"]) == ["b", "rebars"]
