"""An edition is withdrawn, goods are banned, a type is taken out of use: what its suppliers see, and which orders are
refused from which day.

The two services run in this process over their own databases; `suppliers` follows the real feed of `catalog`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from fastapi import FastAPI
from sqlalchemy import text

from services.catalog.app import create_app
from services.catalog.components.jobs import load_taxonomy
from services.catalog.settings import Settings
from services.suppliers.reactions import REACTIONS
from services.suppliers.register.actions import types_told
from shared.clients.feed import FeedClient
from shared.clients.transport import FixedToken, ServiceClient
from shared.clock import business_date
from shared.contracts.catalog import TypePublished
from shared.database import transaction
from shared.follower import Follower
from shared.identity import Principal, Role, Scope, TokenVerifier
from shared.ids import new_id
from tests.conftest import CreateDatabase, a_person, a_service, once, signed_in, token_for
from tests.suppliers.world import REBAR, CatalogDouble, MembersDouble, World, app_over, csv_of, settings_for

ROOT = Path(__file__).parents[2]
OLD, NEW = "GB/T 1499.2-2018", "GB 1499.2-2024"
OPERATOR, REVIEWER = a_person(Role.OPERATOR), a_person(Role.OPERATOR)
TERMS = {
    "stock_point": None,
    "price": "3253",
    "tax_inclusive": True,
    "tax_rate": "0.13",
    "unit": "t",
    "standard": OLD,
}


@dataclass
class Story:
    """Both services, and what is told between them."""

    catalog: httpx.AsyncClient
    world: World
    follower: Follower

    async def operator(
        self, method: str, path: str, body: Any, *, version: int | None = None, by: Principal = OPERATOR
    ) -> httpx.Response:
        headers = signed_in(by) | once() | ({} if version is None else {"If-Match": f'"{version}"'})
        return await self.catalog.request(method, path, json=body, headers=headers)

    async def deprecate(self, *, reason: str = "new edition") -> str:
        """RB-HRB gives way to a new type, by a proposal and a second person; the successor's code."""
        document = (await self.catalog.get("/catalog/types/RB-HRB/document")).json() | {"code": "RB-HRBN"}
        ending = {"code": "RB-HRB", "successor": "RB-HRBN", "reason": reason}
        body = {"title": "Bars", "note": "-", "changes": [{"publish": document}, {"deprecate": ending}]}
        made = await self.operator("POST", "/catalog/dictionary/proposals", body)
        assert made.status_code == 201, made.text
        path = f"/catalog/dictionary/proposals/{made.json()['id']}/approval"
        headers = signed_in(REVIEWER) | once() | {"If-Match": f'"{made.json()["revision"]}"'}
        done = await self.catalog.post(path, headers=headers)
        assert done.status_code == 200, done.text
        return "RB-HRBN"

    async def told(self) -> None:
        while await self.follower.step():
            pass

    async def list(self, item_no: str, **changes: Any) -> httpx.Response:
        body = {**TERMS, "item_no": item_no, "variant": {"key": REBAR}, **changes}
        return await self.world.call("POST", "/suppliers/offers", self.world.erp, json=body)

    async def offer(self, item_no: str) -> dict[str, Any]:
        return (await self.world.offers())[item_no, "default"]

    async def reserve(self, offer: dict[str, Any], *, at: date | None = None, region: str = "110105") -> dict[str, Any]:
        line = {"line_no": 1, "offer_id": offer["id"], "quantity": "2", "unit": "t", "need_by": "2099-01-01"}
        basket = {
            "reservation_id": str(new_id()),
            "buyer_company_id": str(new_id()),
            "currency": "CNY",
            "region": region,
            "lines": [line],
        }
        if at is not None:
            basket["at"] = datetime(at.year, at.month, at.day, 4, tzinfo=UTC).isoformat()
        headers = signed_in(a_service(Scope.RESERVATIONS_WRITE))
        answer = await self.world.http.post("/suppliers/reservations", json={"baskets": [basket]}, headers=headers)
        result: dict[str, Any] = answer.json()["results"][0]
        return result


@pytest.fixture
async def story(
    create_database: CreateDatabase,
    verifier: TokenVerifier,
    http_to: Callable[[FastAPI], httpx.AsyncClient],
    tmp_path: Path,
) -> Story:
    kept = create_database("catalog")
    document = yaml.safe_load((ROOT / "infra" / "seed" / "taxonomy.yaml").read_text(encoding="utf-8"))
    await load_taxonomy(kept.system, document=document, at=datetime.now(UTC))
    catalog = http_to(create_app(Settings(database_url="", system_database_url=""), database=kept, verifier=verifier))
    database, double, members = create_database("suppliers"), CatalogDouble(), MembersDouble()
    app = app_over(database, verifier, settings_for(tmp_path), catalog=double, members=members)
    world = World(app=app, http=http_to(app), database=database, folder=tmp_path, catalog=double, members=members)
    assert (await world.register()).status_code == 201
    assert (await world.qualify()).status_code == 200
    await world.open_market()
    feed = FeedClient(ServiceClient("catalog", catalog, FixedToken(token_for(a_service(Scope.FEED_READ)))))
    follower = Follower(source="catalog", feed=feed, sessions=database.system, reactions=REACTIONS["catalog"])
    return Story(catalog=catalog, world=world, follower=follower)


async def registered(story: Story) -> None:
    """The old edition, beside the new one that the dictionary names."""
    body = {
        "number": "GB/T 1499.2",
        "edition": "2018",
        "title": "钢筋混凝土用钢 第2部分:热轧带肋钢筋",
        "kind": "recommended",
        "published_on": "2018-02-06",
        "effective_on": "2018-11-01",
        "source": "SAMR 2018 no. 2",
    }
    assert (await story.operator("POST", "/catalog/standards", body)).status_code == 201


async def withdrawn(story: Story, on: date, *, version: int) -> None:
    body = {
        "designation": OLD,
        "withdrawn_on": on.isoformat(),
        "replaced_by": NEW,
        "source": "SAMR 2024 no. 9",
        "reason": "replaced",
    }
    answer = await story.operator("POST", "/catalog/standards/withdrawals", body, version=version)
    assert answer.status_code == 200, answer.text
    await story.told()


async def test_an_edition_is_withdrawn_and_from_that_day_no_order_takes_it(story: Story):
    await registered(story)
    await story.told()
    assert (await story.list("OLD-1")).status_code == 201
    assert (await story.list("NEW-1", standard=NEW)).status_code == 201
    assert (await story.list("SILENT-1", standard=None)).status_code == 201
    offers = [await story.offer(name) for name in ("OLD-1", "NEW-1", "SILENT-1")]
    assert [(await story.reserve(offer))["outcome"] for offer in offers] == ["held"] * 3

    today = business_date(datetime.now(UTC))
    end = today + timedelta(days=30)
    await withdrawn(story, end, version=1)
    old = await story.offer("OLD-1")
    assert (old["needs_update"], old["changes_ahead"][0]["since"]) == ([], end.isoformat())
    assert (await story.reserve(old, at=end - timedelta(days=1)))["outcome"] == "held"
    refused = await story.reserve(old, at=end)
    assert refused["outcome"] == "refused"
    (refusal,) = refused["refusals"]
    assert refusal["code"] == "StandardWithdrawn"
    assert all(part in refusal["detail"] for part in (OLD, end.isoformat(), NEW))
    assert [(await story.reserve(offer, at=end))["outcome"] for offer in offers[1:]] == ["held"] * 2

    await withdrawn(story, today, version=2)
    old = await story.offer("OLD-1")
    assert [reason["code"] for reason in old["needs_update"]] == ["StandardWithdrawn"]
    assert (await story.reserve(old))["refusals"][0]["code"] == "StandardWithdrawn"
    body = {"lines": [{"offer_id": old["id"], "quantity": "2", "unit": "t"}]}
    quoted = await story.world.call("POST", "/suppliers/offers/quote", story.world.buyer, json=body)
    assert quoted.json()["lines"][0]["reasons"][0]["code"] == "StandardWithdrawn"
    answer = await story.world.call("GET", "/suppliers/offers?needs_update=true", story.world.erp)
    assert [offer["item_no"] for offer in answer.json()] == ["OLD-1"]
    seen = await story.world.call("GET", f"/suppliers/offers/{old['id']}", story.world.buyer)
    assert (seen.json()["needs_update"], seen.json()["changes_ahead"]) == (None, None)
    again = await story.list("OLD-2")
    assert (again.status_code, again.json()["code"]) == (409, "StandardWithdrawn")
    assert again.json()["errors"][0]["field"] == "standard"

    path = f"/suppliers/offers/{old['id']}"
    renewed = await story.world.call("PUT", path, story.world.erp, version=1, json={**TERMS, "standard": NEW})
    assert (renewed.status_code, renewed.json()["needs_update"]) == (200, [])
    assert (await story.reserve(await story.offer("OLD-1"), at=end))["outcome"] == "held"


async def test_a_withdrawal_that_was_a_mistake_is_taken_back_everywhere(story: Story):
    await registered(story)
    await story.told()
    await story.list("OLD-1")
    await withdrawn(story, business_date(datetime.now(UTC)), version=1)
    offer = await story.offer("OLD-1")
    assert (await story.reserve(offer))["outcome"] == "refused"
    row = (await story.catalog.get(f"/catalog/standards/{OLD}")).json()
    body = {name: row[name] for name in ("number", "edition", "title", "kind", "effective_on", "source")}
    alone = await story.operator("PUT", f"/catalog/standards/{OLD}", body, version=2)
    assert (alone.status_code, alone.json()["code"]) == (403, "SecondPersonReopens")
    second = a_person(Role.OPERATOR)
    corrected = await story.operator("PUT", f"/catalog/standards/{OLD}", body, version=2, by=second)
    assert corrected.json()["withdrawn_on"] is None
    await story.told()
    assert (await story.offer("OLD-1"))["needs_update"] == []
    assert (await story.reserve(offer))["outcome"] == "held"


async def test_banned_goods_are_not_listed_and_not_ordered_into_the_region(story: Story):
    today = business_date(datetime.now(UTC))
    tomorrow = today + timedelta(days=1)
    everywhere = (await story.list("ALL-1", standard=None)).json()
    beijing = (await story.list("BJ-1", standard=None, regions=["1101" + "00"])).json()
    body = {
        "kind": "banned",
        "type_code": "RB-HRB",
        "properties": {"grade": "HRB400E", "diameter": "Φ20"},
        "regions": ["11"],
        "from_on": tomorrow.isoformat(),
        "source": "京建发 2026-1",
        "text": "禁止使用",
    }
    made = await story.operator("POST", "/catalog/restrictions", body)
    assert (made.status_code, made.json()["properties"]) == (201, {"diameter": "20", "grade": "HRB400E"})
    await story.told()
    assert (await story.reserve(everywhere))["outcome"] == "held"
    refused = await story.reserve(everywhere, at=tomorrow)
    assert refused["refusals"][0]["code"] == "ItemRestricted"
    assert all(part in refused["refusals"][0]["detail"] for part in ("禁止使用", "京建发 2026-1", "11"))
    assert (await story.reserve(everywhere, at=tomorrow, region="310105"))["outcome"] == "held"
    assert [reason["code"] for reason in (await story.offer("BJ-1"))["changes_ahead"]] == ["ItemRestricted"]
    assert (await story.offer("ALL-1"))["changes_ahead"] == []

    second = {**body, "from_on": today.isoformat(), "regions": []}
    assert (await story.operator("POST", "/catalog/restrictions", second)).status_code == 201
    await story.told()
    assert [reason["code"] for reason in (await story.offer("ALL-1"))["needs_update"]] == ["ItemRestricted"]
    listing = await story.list("NEW-1", standard=None)
    assert (listing.status_code, listing.json()["code"]) == (409, "ItemRestricted")
    assert "京建发 2026-1" in listing.json()["errors"][0]["message"]
    view = await story.world.synced(
        csv_of(
            f'NEW-2;"{REBAR}";5;1;0.13;true;t',
            'NEW-3;"RB-HRB|diameter=25,grade=HRB400E,length=12";5;1;0.13;true;t',
            header="item_no;variant;on_hand;price;tax_rate;tax_inclusive;unit",
        )
    )
    assert (view["counts"]["rejected"], view["counts"]["accepted"]) == (1, 1)
    assert view["problems"][0]["code"] == "ItemRestricted"
    assert ("NEW-2", "main") not in await story.world.stock()
    assert beijing["id"]


async def test_a_file_may_not_state_what_the_register_speaks_against(story: Story):
    await registered(story)
    await story.told()
    await withdrawn(story, business_date(datetime.now(UTC)), version=1)
    await story.list("A-1", standard=NEW)
    await story.list("B-1", standard=None)
    await story.list("C-1", standard=None)
    view = await story.world.synced(
        csv_of(f"A-1,{OLD}", "B-1,ＧＢ 1499.2—2042", "C-1,Q/XX 001-2025", header="item_no,standard")
    )
    assert [(row["item_no"], row["code"]) for row in view["problems"]] == [
        ("A-1", "StandardWithdrawn"),
        ("B-1", "UnknownEdition"),
    ]
    assert (await story.offer("A-1"))["standard"] == NEW
    assert (await story.offer("C-1"))["standard"] == "Q/XX 001-2025"
    unknown = await story.list("D-1", standard="GB 1499.2-2042")
    assert (unknown.status_code, unknown.json()["code"]) == (409, "UnknownEdition")
    assert NEW in unknown.json()["detail"]


async def test_orders_racing_the_news_are_each_judged_by_one_register(story: Story):
    await registered(story)
    await story.told()
    offer = (await story.list("OLD-1")).json()
    news = asyncio.create_task(withdrawn(story, business_date(datetime.now(UTC)), version=1))
    results = await asyncio.gather(*(story.reserve(offer) for _ in range(20)))
    await news
    codes = {refusal["code"] for result in results for refusal in result["refusals"]}
    assert codes <= {"StandardWithdrawn"}
    assert (await story.reserve(offer))["outcome"] == "refused"


async def test_suppliers_are_told_that_offers_need_an_update(story: Story):
    async def told() -> list[str]:
        async with transaction(story.world.database.system) as session:
            kind = "dev.dougong.suppliers.offers.needs_update.v1"
            rows = await session.scalars(text("SELECT subject FROM events WHERE type = :kind"), {"kind": kind})
            return list(rows)

    await registered(story)
    await story.told()
    assert (await story.list("NEW-1", standard=NEW)).status_code == 201
    end = business_date(datetime.now(UTC)) + timedelta(days=30)
    await withdrawn(story, end, version=1)
    assert await told() == [], "no offer is made to the edition"
    assert (await story.list("OLD-2")).status_code == 201
    await withdrawn(story, end + timedelta(days=1), version=2)
    assert await told() == [str(story.world.erp.company_id)]


async def test_a_type_is_taken_out_of_use_and_neither_offered_nor_ordered_any_more(story: Story):
    today = business_date(datetime.now(UTC))
    made = await story.list("BAR-1", standard=None, valid_from=(today - timedelta(days=9)).isoformat())
    assert made.status_code == 201
    offer = await story.offer("BAR-1")
    assert (await story.reserve(offer))["outcome"] == "held"
    successor = await story.deprecate()
    assert (await story.offer("BAR-1"))["needs_update"] == [], "not before it is told"
    await story.told()

    (reason,) = (await story.offer("BAR-1"))["needs_update"]
    assert (reason["code"], reason["since"]) == ("TypeDeprecated", today.isoformat())
    assert all(part in reason["detail"] for part in ("RB-HRB", "new edition", successor))
    listed = await story.world.call("GET", "/suppliers/offers?needs_update=true", story.world.erp)
    assert [each["item_no"] for each in listed.json()] == ["BAR-1"]

    (refusal,) = (await story.reserve(offer))["refusals"]
    assert (refusal["code"], refusal["detail"]) == ("TypeDeprecated", reason["detail"])
    assert (await story.reserve(offer, at=today - timedelta(days=1)))["outcome"] == "held"
    body = {"lines": [{"offer_id": offer["id"], "quantity": "2", "unit": "t"}]}
    quoted = await story.world.call("POST", "/suppliers/offers/quote", story.world.buyer, json=body)
    assert [each["code"] for each in quoted.json()["lines"][0]["reasons"]] == ["TypeDeprecated"]

    for again in (await story.list("BAR-2", standard=None), await story.list("BAR-1", standard=None, offer_code="b")):
        assert (again.status_code, again.json()["code"]) == (409, "TypeDeprecated")
        (error,) = again.json()["errors"]
        assert (error["field"], error["rule"], successor in error["message"]) == ("variant", "TypeDeprecated", True)
    changed = await story.world.call(
        "PUT", f"/suppliers/offers/{offer['id']}", story.world.erp, version=1, json=TERMS | {"standard": None}
    )
    assert (changed.status_code, changed.json()["code"]) == (409, "TypeDeprecated")


async def test_a_file_makes_no_new_offers_of_a_type_out_of_use_and_keeps_those_that_are(story: Story):
    assert (await story.list("BAR-1", standard=None)).status_code == 201
    await story.deprecate()
    await story.told()
    view = await story.world.synced(
        csv_of(
            f'BAR-1;"{REBAR}";;3300;0.13;true;t',
            f'BAR-2;"{REBAR}";5;3300;0.13;true;t',
            header="item_no;variant;on_hand;price;tax_rate;tax_inclusive;unit",
        )
    )
    (problem,) = view["problems"]
    assert (problem["item_no"], problem["field"], problem["code"]) == ("BAR-2", "variant", "TypeDeprecated")
    assert "RB-HRBN" in problem["message"]
    assert (await story.offer("BAR-1"))["price"] == "3300.000000"
    assert ("BAR-2", "default") not in await story.world.offers()


async def test_the_end_of_a_type_is_told_to_its_suppliers_and_told_again_changes_nothing(story: Story):
    async def hints() -> list[str]:
        async with transaction(story.world.database.system) as session:
            kind = "dev.dougong.suppliers.offers.needs_update.v1"
            rows = await session.scalars(text("SELECT subject FROM events WHERE type = :kind"), {"kind": kind})
            return list(rows)

    assert (await story.list("BAR-1", standard=None)).status_code == 201
    await story.told()
    assert await hints() == [], "types in use are no reason"
    await story.deprecate()
    await story.told()
    assert await hints() == [str(story.world.erp.company_id)]
    async with transaction(story.world.database.system) as session:
        before = (await session.execute(text("SELECT * FROM known_types ORDER BY code"))).all()
        await session.execute(text("DELETE FROM follower_cursors WHERE source = 'catalog'"))
    await story.told()
    async with transaction(story.world.database.system) as session:
        assert (await session.execute(text("SELECT * FROM known_types ORDER BY code"))).all() == before


async def test_an_older_word_about_a_type_does_not_overtake_a_newer_one(story: Story):
    """As when an event that was parked is retried after a later one took effect."""
    assert (await story.list("BAR-1", standard=None)).status_code == 201
    await story.deprecate()
    await story.told()
    async with transaction(story.world.database.system) as session:
        older = TypePublished(
            code="RB-HRB", version=1, status="ACTIVE", category="rebar", name_zh="-", name_en="-", content_hash="-",
            dictionary_version=1,
        )  # fmt: skip
        await types_told(session, types=[(older, datetime.now(UTC))])
    assert [each["code"] for each in (await story.offer("BAR-1"))["needs_update"]] == ["TypeDeprecated"]
