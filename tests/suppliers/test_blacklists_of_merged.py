"""An entry about one record of a company counts for all records that a merge says are the same, while it says so."""

import asyncio
from datetime import date
from typing import Any

import pytest

from services.suppliers.blacklists.blocking import Blacklist, Subject
from services.suppliers.blacklists.queries import ActiveEntry
from services.suppliers.blacklists.rules import Level, ReasonClass, Terms
from shared.contracts.blacklists import BLACKLIST_CHANGED
from shared.ids import new_id
from tests.suppliers.blacklist_world import LISTS, Lists
from tests.suppliers.test_merging import REASON, Twins
from tests.suppliers.world import World


@pytest.fixture
async def twins(empty_world: World) -> Twins:
    return await Twins.of(empty_world)


@pytest.fixture
async def lists(twins: Twins) -> Lists:
    """The survivor sells; a group keeps a list."""
    world = twins.world
    world.supplier_id = twins.survivor
    answer = await world.qualify(categories=["rebar"], regions=["11"], until="2199-12-31")
    assert answer.status_code == 200, answer.text
    await world.open_market("rebar")
    made = Lists(world)
    await made.an_offer()
    return made


async def merged(twins: Twins) -> dict[str, Any]:
    merge = await twins.proposed()
    answer = await twins.post(f"/merges/{merge['id']}/approval", REASON, second=True)
    assert answer.json()["state"] == "EFFECTIVE", answer.text
    return merge


async def hit(twins: Twins) -> set[str]:
    """Whom the newest event about a list says is hit."""
    (newest,) = await twins.world.rows(
        "SELECT data FROM events WHERE type = :type ORDER BY seq DESC LIMIT 1", type=BLACKLIST_CHANGED
    )
    return set(newest["data"]["supplier_ids"])


async def test_what_was_listed_before_the_merge_counts_from_it_until_it_is_undone(twins: Twins, lists: Lists):
    entry = await lists.put_on(supplier_id=str(twins.vanishing))
    assert await lists.refused() == []
    assert await hit(twins) == {str(twins.vanishing)}
    merge = await merged(twins)
    assert await lists.refused() == ["SupplierBlacklisted"]
    assert await hit(twins) == {str(twins.vanishing), str(twins.survivor)}
    about = await twins.world.call("GET", f"{LISTS}/about-us", lists.seller)
    assert [each["id"] for each in about.json()] == [entry["id"]], about.text
    appeal = {"text": "That was our old record."}
    filed = await twins.world.call("POST", f"{LISTS}/entries/{entry['id']}/appeals", lists.seller, json=appeal)
    assert filed.status_code == 201, filed.text
    assert (await twins.post(f"/merges/{merge['id']}/undoing", REASON)).json()["state"] == "UNDONE"
    assert await lists.refused() == []
    assert await hit(twins) == {str(twins.vanishing)}
    assert (await twins.world.call("GET", f"{LISTS}/about-us", lists.seller)).json() == []


async def test_what_is_listed_after_the_merge_about_the_vanished_record_counts_for_the_other(
    twins: Twins, lists: Lists
):
    await merged(twins)
    entry = await lists.put_on(supplier_id=str(twins.vanishing))
    assert await lists.refused() == ["SupplierBlacklisted"]
    await lists.lift(entry)
    assert await lists.refused() == []


async def test_an_entry_and_a_merge_at_the_same_moment_do_not_miss_each_other(twins: Twins, lists: Lists):
    for _ in range(4):
        merge = await twins.proposed()
        entry, approved, _ = await asyncio.gather(
            lists.put_on(supplier_id=str(twins.vanishing)),
            twins.post(f"/merges/{merge['id']}/approval", REASON, second=True),
            lists.refused(),
        )
        assert approved.json()["state"] == "EFFECTIVE", approved.text
        assert await lists.refused() == ["SupplierBlacklisted"]
        assert await hit(twins) == {str(twins.vanishing), str(twins.survivor)}
        await lists.lift(entry)
        await twins.post(f"/merges/{merge['id']}/undoing", REASON)
        assert await lists.refused() == []


def test_an_entry_is_found_by_every_record_of_the_company_it_names():
    named, other, stranger = new_id(), new_id(), new_id()
    today = date(2026, 11, 26)
    entry = ActiveEntry(
        owner_id=new_id(),
        source=None,
        supplier_id=named,
        tax_id=None,
        representative_hash=None,
        reason_class=ReasonClass.QUALITY,
        terms=Terms(level=Level.NO_NEW_ORDER, starts_on=today, expires_on=today),
        one_company=frozenset({named, other}),
    )
    found = {
        each: set(Blacklist([entry]).about(Subject(supplier_id=each, tax_id="T", representative_hash=None)))
        for each in (named, other, stranger)
    }
    assert found == {named: {entry}, other: {entry}, stranger: set()}
