"""Offers whose supplier the reader may not order from say so, to those whom the list binds and to nobody else (T7)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.catalog.reactions import REACTIONS
from services.catalog.search.jobs import rebuild_index
from shared import clock
from shared.clock import business_date
from shared.contracts.blacklists import BLACKLIST_CHANGED
from shared.database import Database, transaction
from shared.identity import Principal, Role
from shared.ids import new_id
from tests.catalog.conftest import BAR, Market
from tests.conftest import a_person, signed_in

TABLES = ("search_blacklists", "search_blacklisted")
THERE = {"q": BAR, "quantity": "20", "unit": "t", "region": "110105"}


def today(days: int = 0) -> str:
    return (business_date(clock.now()) + timedelta(days=days)).isoformat()


class Listing:
    """One supplier with one offer, and what is told of entries about it."""

    def __init__(self, market: Market, supplier: UUID) -> None:
        self.market = market
        self.supplier = supplier
        self.group = market.buyer.group_id
        self._version = 0

    def entry(self, *, entry_id: UUID | None = None, **changes: Any) -> UUID:
        """An entry of the buyer's group, for everything, from today on for 30 days."""
        entry_id = entry_id or new_id()
        self._version += 1
        told = {
            "entry_id": str(entry_id),
            "owner_group_id": str(self.group),
            "what": "listed",
            "supplier_ids": [str(self.supplier)],
            "level": "NO_NEW_ORDER",
            "reason_class": "QUALITY",
            "categories": [],
            "type_codes": [],
            "regions": [],
            "project_ids": [],
            "starts_on": today(),
            "expires_on": today(30),
            "status": "ACTIVE",
            "version": self._version,
            **changes,
        }
        self.market.feed.tell(BLACKLIST_CHANGED, told)
        return entry_id

    async def offer(self, *, as_: Principal | None = None, **asked: Any) -> dict[str, Any]:
        """The offer as a search shows it."""
        await self.market.follow()
        [hit] = await self.market.hits(as_=as_, **{**THERE, **asked})
        [offer] = hit["offers"]
        found: dict[str, Any] = offer
        return found

    async def told(self, *, as_: Principal | None = None, **asked: Any) -> list[str]:
        """What it says about lists."""
        offer = await self.offer(as_=as_, **asked)
        found = [each["detail"] for each in offer["misfits"] if each["code"] == "SupplierBlacklisted"]
        assert offer["fits"] == (not found)
        return found


@pytest.fixture
async def listing(market: Market) -> Listing:
    supplier = market.supplier()
    await market.offer(supplier, BAR)
    return Listing(market, supplier)


async def test_the_groups_buyers_learn_it_from_search_match_and_comparison(listing: Listing):
    assert await listing.told() == []
    listing.entry(reason_class="SAFETY")
    said = f"The supplier is on your group's blacklist: SAFETY, until {today(30)}."
    assert await listing.told() == [said]
    market, headers = listing.market, signed_in(listing.market.buyer)
    [line] = await market.match({"code": "RB-HRB", "text": "Φ20 HRB400E 12m", "quantity": "5", "unit": "t"})
    assert line["status"] == "unavailable"
    answer = await market.http.get("/catalog/compare", params={"variant": BAR}, headers=headers)
    for offer in (line["candidates"][0]["offers"][0], answer.json()["items"][0]["offer"]):
        assert not offer["fits"]
        assert {"code": "SupplierBlacklisted", "detail": said} in offer["misfits"]


async def test_nobody_else_learns_it(listing: Listing, database: Database):
    listing.entry()
    others = [
        a_person(Role.BUYER, group_id=new_id()),
        a_person(Role.BUYER),
        a_person(Role.SUPPLIER_SALES, company_id=listing.supplier),
        a_person(Role.OPERATOR),
    ]
    for other in others:
        assert await listing.told(as_=other) == [], other.roles
        assert "blacklist" not in (await listing.market.search(as_=other, **THERE, explain="true")).text.lower()
    async with database.app() as session, session.begin():
        keys = ",".join(sorted(others[0].viewer_keys))
        await session.execute(text("SELECT set_config('app.viewer_keys', :keys, true)"), {"keys": keys})
        assert await session.scalar(text("SELECT count(*) FROM search_blacklisted")) == 0, "the second wall"
        with pytest.raises(DBAPIError):
            await session.execute(text("SELECT FROM search_blacklists"))


async def test_a_company_without_a_group_stands_for_one(listing: Listing):
    alone = a_person(Role.BUYER)
    listing.entry(owner_group_id=str(alone.company_id))
    assert len(await listing.told(as_=alone)) == 1
    assert await listing.told() == []


async def test_an_official_entry_is_told_to_all(listing: Listing):
    listing.entry(owner_group_id=None, reason_class="COURT_OR_AUTHORITY")
    for reader in (None, a_person(Role.BUYER), a_person(Role.BUYER, group_id=new_id())):
        [said] = await listing.told(as_=reader)
        assert said == f"The supplier is on an official list: COURT_OR_AUTHORITY, until {today(30)}."


@pytest.mark.parametrize(
    "changes",
    [
        {"level": "NO_INVITE"},
        {"categories": ["concrete_cement"]},
        {"regions": ["310000"]},
        {"project_ids": [str(new_id())]},
        {"starts_on": today(1)},
        {"starts_on": today(-9), "expires_on": today(-1)},
        {"status": "LIFTED"},
        {"supplier_ids": [str(new_id())]},
    ],
)
async def test_what_an_entry_does_not_forbid_fits(listing: Listing, changes: dict[str, Any]):
    listing.entry(**changes)
    assert await listing.told() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"level": "STOP_DELIVERY"},
        {"categories": ["rebar", "concrete_cement"]},
        {"regions": ["110000"]},
        {"regions": ["310000", "110105"]},
        {"starts_on": today(-9), "expires_on": today()},
    ],
)
async def test_what_it_forbids_does_not(listing: Listing, changes: dict[str, Any]):
    listing.entry(**changes)
    assert len(await listing.told()) == 1


async def test_an_entry_for_a_place_counts_when_the_place_is_asked_for(listing: Listing):
    listing.entry(regions=["110000"])
    assert len(await listing.told()) == 1
    assert await listing.told(region="310115") == []
    unplaced: dict[str, Any] = {key: value for key, value in THERE.items() if key != "region"}
    [hit] = await listing.market.hits(**unplaced)
    assert hit["offers"][0]["fits"], "where it would go is not known yet"


async def test_of_several_the_one_that_lasts_longest_is_told(listing: Listing):
    listing.entry(expires_on=today(5), reason_class="QUALITY")
    listing.entry(expires_on=today(50), reason_class="BRIBERY")
    listing.entry(expires_on=today(20), reason_class="SAFETY", owner_group_id=None)
    [said] = await listing.told()
    assert said == f"The supplier is on your group's blacklist: BRIBERY, until {today(50)}."


async def test_the_last_state_told_counts_in_any_order_and_after_a_rebuild(listing: Listing, database: Database):
    entry = listing.entry()
    other = new_id()
    listing.entry(entry_id=entry, supplier_ids=[str(listing.supplier), str(other)], expires_on=today(40))
    listing.entry(entry_id=entry, supplier_ids=[str(other)], what="subject changed")
    lifted = listing.entry()
    listing.entry(entry_id=lifted, status="LIFTED")
    assert await listing.told() == []
    whole = await state(database)
    assert [row[0] for row in whole["search_blacklisted"]] == [other]
    async with transaction(database.system) as session:
        for event in reversed(listing.market.feed.events):
            if event.type == BLACKLIST_CHANGED:
                await REACTIONS["suppliers"][event.type](session, [event])
    assert await state(database) == whole
    await rebuild_index(database.system)
    assert not any((await state(database)).values())
    await listing.market.follow(page_size=1)
    assert await state(database) == whole


async def state(database: Database) -> dict[str, list[Any]]:
    async with transaction(database.system) as session:
        return {
            table: [tuple(row) for row in await session.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2"))]
            for table in TABLES
        }


async def test_a_place_in_no_province_is_refused_with_its_field(listing: Listing):
    answer = await listing.market.search(as_=listing.market.buyer, q=BAR, region="990101")
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["field"]) == (422, "region")
    assert "99 is no province" in error["message"]
