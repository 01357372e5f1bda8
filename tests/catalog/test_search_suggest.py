"""Suggestions while somebody types: public names and codes, and no variant that is not offered to the caller."""

import pytest

from shared.audience import Audience
from shared.identity import Principal, Role
from shared.ids import new_id
from tests.catalog.conftest import BAR, Market
from tests.conftest import a_person, signed_in

BAR_25 = "RB-HRB|diameter=25,grade=HRB400E,length=12"
VALVE = "ME-VALVE|actuator=lever 手柄,dn=100,end=wafer 对夹,pn=16"
SECRET = "RB-CUT|bbs_no=SECRET-7,diameter=20,grade=HRB400E,shape_code=11"


async def suggested(market: Market, q: str, *, as_: Principal | None = None, limit: int = 10) -> list[tuple[str, str]]:
    headers = {} if as_ is None else signed_in(as_)
    answer = await market.http.get("/catalog/suggest", params={"q": q, "limit": limit}, headers=headers)
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    assert len(items) <= limit
    return [
        (item["kind"], item["query"].get("type") or item["query"].get("code") or item["query"]["q"]) for item in items
    ]


@pytest.fixture
async def stocked(market: Market) -> Market:
    supplier = market.supplier()
    await market.offer(supplier, BAR)
    await market.offer(supplier, BAR_25, price="3000")
    await market.offer(supplier, VALVE)
    await market.follow()
    return market


async def test_types_are_suggested_by_the_beginnings_of_what_they_are_called(stocked: Market):
    assert ("type", "RB-HRB") in await suggested(stocked, "螺纹")
    assert ("type", "RB-HRB") in await suggested(stocked, "reba")
    assert ("type", "ST-H") in await suggested(stocked, "h be")
    assert (await suggested(stocked, "RB-HR"))[0] == ("type", "RB-HRB")
    assert (await suggested(stocked, "盘螺"))[0] == ("type", "RB-COIL")


async def test_codes_of_other_systems_are_suggested(stocked: Market):
    found = await suggested(stocked, "IfcReinf")
    assert ("code", "IfcReinforcingBar.NOTDEFINED") in found


async def test_variants_on_offer_are_suggested_though_the_last_word_is_not_written_yet(stocked: Market):
    buyer = stocked.buyer
    assert ("variant", BAR) in await suggested(stocked, "螺纹钢 φ20", as_=buyer)
    assert ("variant", BAR_25) in await suggested(stocked, "螺纹钢 φ2", as_=buyer)
    assert ("variant", BAR) in await suggested(stocked, "螺纹钢 hrb4", as_=buyer)
    assert ("variant", VALVE) in await suggested(stocked, "蝶阀 DN1", as_=buyer)


async def test_variants_nobody_offers_to_the_caller_are_not_suggested(market: Market):
    supplier, party = market.supplier(), a_person(Role.BUYER)
    assert party.company_id
    for key in (SECRET, BAR):
        await market.offer(supplier, key, audience=Audience.PARTIES, ids=[party.company_id], available=None)
    await market.follow()
    stranger = a_person(Role.BUYER, group_id=new_id())
    for q in ("secret", "SECRET-7", "成型钢筋", "螺纹钢 φ2", "螺纹钢"):
        for caller in (None, stranger):
            assert "variant" not in {kind for kind, _ in await suggested(market, q, as_=caller)}, q
    assert ("variant", SECRET) in await suggested(market, "SECRET-7", as_=party)


async def test_what_is_typed_may_be_anything(stocked: Market):
    for q in (
        "'; DROP TABLE x; --",
        "%",
        "_",
        "a & b | !c",
        "(((.*)*)*)*$",
        "🧱",
        "\U0010ffff\U0010ffff",
        "x" * 200,
        "的",
        "\\",
    ):
        await suggested(stocked, q)
    for q in ("x" * 201, "a\x00", "a\x1b"):
        answer = await stocked.http.get("/catalog/suggest", params={"q": q})
        assert (answer.status_code, answer.json()["code"]) == (422, "MalformedRequest")
    for limit in (0, 31, 10**6):
        answer = await stocked.http.get("/catalog/suggest", params={"q": "a", "limit": limit})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "limit")
