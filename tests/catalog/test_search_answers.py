"""What a search sends is what its description says, and what it keeps in memory is never stale."""

from typing import Any

import pytest
from sqlalchemy import text

from services.catalog.search.queries import STATES
from services.catalog.search.schemas import SearchAnswer
from shared.audience import Audience
from shared.database import Database, transaction
from tests.catalog.conftest import AT, BAR, Market
from tests.catalog.test_dictionary import Desk
from tests.conftest import signed_in

BAR_25 = "RB-HRB|diameter=25,grade=HRB400E,length=12"
CONCRETE = "CN-RMC|impermeability=P6,slump=180,strength=C30"
TERMS: dict[str, Any] = {
    "tiers": [{"min_quantity": "10", "price": "3230.50"}, {"min_quantity": "60", "price": "3205"}],
    "freight": [{"region": "11", "price": "38.50"}],
    "certificates": [{"kind": "ccc", "number": "C-1", "issuer": "CQC"}],
    "epd": {"number": "E-1", "programme": "EPD China", "kgco2e": "1985.40", "valid_until": "2099-12-31"},
    "standard": "GB 1499.2-2024",
    "regions": ["110000"],
    "min_quantity": "5",
    "step_quantity": "2.5",
}


@pytest.fixture
async def stocked(market: Market) -> Market:
    supplier, other = market.supplier(), market.supplier("乙", affiliated_with_operator=True)
    await market.offer(supplier, BAR, **TERMS)
    await market.offer(other, BAR, price="95", unit="piece", unit_factor="0.02964", tax_inclusive=False)
    await market.offer(other, BAR_25, currency="USD", audience=Audience.PUBLIC, valid_until=None, brand=None)
    await market.offer(supplier, CONCRETE, available=None, price="352.000001")
    await market.follow()
    return market


QUERIES: list[dict[str, Any]] = [
    {},
    {"q": "螺纹钢 Φ20"},
    {"q": "落纹钢 20"},
    {"q": "螺纹钢 进口 HRB400E 20", "explain": True},
    {"q": "asdf qwer zxcv"},
    {"q": BAR, "quantity": "20", "unit": "t", "region": "110105"},
    {"q": "HRB400E", "quantity": "3", "unit": "t", "sort": "price", "explain": True},
    {"quantity": "0.0001", "unit": "t"},
    {"quantity": "7", "unit": "m2"},
    {"p.diameter": "16..25", "facets": "diameter,supplier,type,category", "sort": "carbon"},
    {"category": "rebar", "sort": "lead_time", "offers": 0},
    {"currency": "USD", "limit": 1, "offers": 1},
    {"certificate": "ccc", "in_stock": True, "carbon_at_most": "2000"},
]


@pytest.mark.parametrize("asked", QUERIES, ids=str)
async def test_every_answer_is_exactly_what_the_description_says(stocked: Market, asked: dict[str, Any]):
    for caller in (stocked.buyer, None):
        answer = await stocked.search(as_=caller, **asked)
        assert answer.status_code == 200, answer.text
        told = SearchAnswer.model_validate_json(answer.content)
        assert answer.json() == told.model_dump(mode="json")


async def test_the_queries_together_show_everything_an_offer_can_have(stocked: Market):
    offers = [offer for asked in QUERIES for hit in await stocked.hits(**asked) for offer in hit["offers"]]
    for name, value in offers[0].items():
        assert any(offer[name] not in (None, [], False) for offer in offers), name
        assert value is None or any(offer[name] is not None for offer in offers)
    assert any(offer["stock"] is None for offer in offers)
    assert any(not offer["fits"] for offer in offers)


async def test_a_change_of_a_register_counts_with_the_next_search(stocked: Market, database: Database):
    hit, *_near = await stocked.hits(q="螺纹钢 Φ20")
    assert hit["offers"][0]["misfits"] == []
    async with transaction(database.system) as session:
        await session.execute(
            text(
                "INSERT INTO restrictions (id, content_key, kind, type_code, properties, regions, from_on, source,"
                " text, version, updated_at) VALUES (gen_random_uuid(), 'k', 'banned', 'RB-HRB', '{}', '{}',"
                " '2026-01-01', '文号 1', '淘汰', 1, :at)"
            ),
            {"at": AT},
        )
        before, *_near = await stocked.hits(q="螺纹钢 Φ20")
        assert before["offers"][0]["misfits"] == []
    hit, *_near = await stocked.hits(q="螺纹钢 Φ20")
    assert [each["code"] for each in hit["offers"][0]["misfits"]] == ["ItemRestricted"]


async def test_every_transaction_on_a_register_leaves_a_state_of_its_own(database: Database):
    """Also when they overlap, and neither waits for the other."""
    change = text("UPDATE carbon_factors SET source = source || '!' WHERE type_code = :code")
    states: list[str] = []

    async def told() -> str:
        async with transaction(database.system) as session:
            return str(await session.scalar(text(STATES)))

    async with transaction(database.system) as session:
        codes = list(await session.scalars(text("SELECT type_code FROM carbon_factors ORDER BY 1 LIMIT 2")))
    states.append(await told())
    async with transaction(database.system) as one:
        await one.execute(text("SET LOCAL lock_timeout = '2s'"))
        await one.execute(change, {"code": codes[0]})
        async with transaction(database.system) as other:
            await other.execute(text("SET LOCAL lock_timeout = '2s'"))
            await other.execute(change, {"code": codes[1]})
            await other.execute(change, {"code": codes[1]})
        states.append(await told())
    states.append(await told())
    async with transaction(database.system) as session:
        await session.execute(change, {"code": codes[0]})
    states.append(await told())
    assert len(set(states)) == len(states)
    assert len(states[-1].split(" ")) == len({each.split("=")[0] for each in states[-1].split(" ")})


async def test_a_type_out_of_use_is_shown_with_its_successor_and_fits_nobody(stocked: Market):
    asked: dict[str, Any] = {"q": BAR, "quantity": "20", "unit": "t", "region": "110105"}
    before = (await stocked.hits(**asked))[0]["offers"][0]
    assert before["fits"], "the type is in use, so only its end can speak against it later"
    desk = Desk(stocked.http)
    document = await desk.document(change=lambda each: each.update(code="RB-HRBN"))
    ending = {"code": "RB-HRB", "successor": "RB-HRBN", "reason": "new edition"}
    await desk.publish({"publish": document}, {"deprecate": ending})
    found = (await stocked.hits(**asked))[0]
    assert found["variant"]["key"] == BAR, "old orders and drawings still name it"
    compared = await stocked.http.get(
        "/catalog/compare", params={"variant": [BAR, BAR_25]}, headers=signed_in(stocked.buyer)
    )
    for offer in (found["offers"][0], compared.json()["items"][0]["offer"]):
        assert not offer["fits"]
        (misfit,) = (each for each in offer["misfits"] if each["code"] == "TypeDeprecated")
        assert "RB-HRBN" in misfit["detail"]
    other = (await stocked.hits(q=CONCRETE))[0]["offers"][0]
    assert "TypeDeprecated" not in {each["code"] for each in other["misfits"]}
