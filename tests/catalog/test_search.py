"""The search over HTTP: found by words, codes and facets; ranked; priced for the quantity; paged; bounded."""

import base64
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import text

from shared.audience import Audience
from shared.clock import business_date
from shared.database import Database, transaction
from shared.identity import Principal, Role
from shared.ids import new_id
from tests.catalog.conftest import BAR, Market
from tests.conftest import a_person, a_service, signed_in
from tests.figures import tells

BAR_25 = "RB-HRB|diameter=25,grade=HRB400E,length=12"
SHORT_BAR = "RB-HRB|diameter=20,grade=HRB400,length=9"
COIL = "RB-COIL|diameter=8,grade=HRB400E"
CONCRETE = "CN-RMC|impermeability=P6,slump=180,strength=C30"
BEAM = "ST-H|grade=Q355B,length=12,series=HN,spec=400x200x8x13"
TILE = "FN-TILE|kind=BIa porcelain 瓷质,size=600x600"


@pytest.fixture
async def stocked(market: Market) -> Market:
    """One supplier with an offer of each of seven variants."""
    supplier = market.supplier()
    for key in (BAR, BAR_25, SHORT_BAR, COIL, BEAM, TILE):
        await market.offer(supplier, key)
    await market.offer(supplier, CONCRETE, available=None, price="352")
    await market.follow()
    return market


async def test_everything_is_found_by_what_people_call_it(stocked: Market):
    found = {
        "HRB400E 20 螺纹": [BAR],
        "螺纹钢 Φ20": [BAR, SHORT_BAR],
        "rebar 12m": [BAR, BAR_25],
        "盘螺": [COIL],
        "H beam": [BEAM],
        "H型钢 HN400×200×8×13": [BEAM],
        "C30 P6": [CONCRETE],
        "商砼": [CONCRETE],
        "瓷砖 600×600": [TILE],
        "RB-HRB 25": [BAR_25],
        "IfcReinforcingBar": [BAR, BAR_25, SHORT_BAR, COIL],
        "RB-HRB|length=12m,grade=hrb400e,diameter=Φ20": [BAR],
        "": [BAR, BAR_25, SHORT_BAR, COIL, BEAM, TILE, CONCRETE],
    }
    for words, keys in found.items():
        assert sorted(await stocked.keys(q=words)) == sorted(keys), words


async def test_filters_narrow_by_type_category_code_and_facets(stocked: Market):
    filters: list[tuple[dict[str, Any], list[str]]] = [
        ({"type": "rb-coil"}, [COIL]),
        ({"category": "rebar", "q": "20"}, [BAR, SHORT_BAR]),
        ({"code": "IfcBeam.BEAM"}, [BEAM]),
        ({"code": "IfcConstructionMaterialResource", "category": "concrete_cement"}, [CONCRETE]),
        ({"p.diameter": "20"}, [BAR, SHORT_BAR]),
        ({"p.diameter": "Φ20", "p.grade": "HRB400"}, [SHORT_BAR]),
        ({"p.diameter": ["20", "25"], "p.grade": "HRB400E"}, [BAR, BAR_25]),
        ({"p.公称直径": "25mm"}, [BAR_25]),
        ({"p.规格": "600×600"}, [TILE]),
        ({"p.kind": "瓷质"}, [TILE]),
        ({"p.length": "12m"}, [BAR, BAR_25, BEAM]),
        ({"type": "RB-HRB", "p.length": "9"}, [SHORT_BAR]),
    ]
    for params, keys in filters:
        assert sorted(await stocked.keys(**params)) == sorted(keys), params


async def test_when_no_variant_has_every_word_those_with_half_are_shown_and_it_is_said(stocked: Market):
    answer = (await stocked.search(as_=stocked.buyer, q="螺纹钢 Φ20 HRB400E 进口")).json()
    assert answer["match"] == "some"
    assert answer["items"][0]["variant"]["key"] == BAR
    assert "进口" not in answer["tokens"]  # nothing is called so; the words that were looked for are told
    exact = (await stocked.search(as_=stocked.buyer, q="螺纹钢 Φ20 HRB400E")).json()
    assert (exact["match"], [hit["near"] for hit in exact["items"]].count(False)) == ("all", 1)
    nothing = (await stocked.search(as_=stocked.buyer, q="asdf qwer zxcv")).json()
    assert nothing["items"] == []


async def test_what_misses_little_stands_behind_what_misses_nothing(stocked: Market):
    answer = (await stocked.search(as_=stocked.buyer, q="螺纹钢 HRB400E Φ20 12米", facets="diameter")).json()
    hits = [(hit["variant"]["key"], hit["near"]) for hit in answer["items"]]
    assert hits[0] == (BAR, False)
    assert dict(hits[1:]) == {SHORT_BAR: True, BAR_25: True}
    (diameters,) = answer["facets"]
    assert [each["value"] for each in diameters["values"]] == ["20"]
    by_price = await stocked.hits(q="螺纹钢 HRB400E Φ20 12米", sort="price")
    assert [hit["variant"]["key"] for hit in by_price] == [BAR]


async def test_pages_go_on_from_what_was_asked_to_what_is_near(stocked: Market):
    whole = await stocked.hits(q="螺纹钢 HRB400E Φ20 12米")
    paged: list[dict[str, Any]] = []
    answer = await stocked.search(as_=stocked.buyer, q="螺纹钢 HRB400E Φ20 12米", limit=1)
    while True:
        paged += answer.json()["items"]
        following = answer.links.get("next", {}).get("url")
        if following is None:
            break
        answer = await stocked.http.get(following, headers=signed_in(stocked.buyer))
    assert [hit["variant"]["key"] for hit in paged] == [hit["variant"]["key"] for hit in whole]
    assert len(paged) > 1


async def test_being_called_exactly_so_goes_before_only_mentioning_it(market: Market):
    supplier = market.supplier()
    await market.offer(supplier, "RB-COUPLER|bar_dia=25,joint_grade=I,kind=直螺纹", price="1")
    await market.offer(supplier, BAR, price="9999")
    await market.follow()
    assert (await market.keys(q="钢筋"))[0] == BAR


async def test_equal_hits_are_ordered_by_price_and_offers_too(market: Market):
    dear, cheap = market.supplier("贵"), market.supplier("廉")
    await market.offer(dear, BAR, price="3300")
    await market.offer(cheap, BAR, price="3250")
    await market.offer(cheap, BAR_25, price="3100")
    await market.follow()
    hits = await market.hits(q="螺纹钢 12m")
    assert [hit["variant"]["key"] for hit in hits] == [BAR_25, BAR]
    assert [offer["supplier_name"] for offer in hits[1]["offers"]] == ["廉", "贵"]
    assert (hits[1]["price_from"], hits[1]["offers_count"]) == ("3250", 2)
    hit, *_ = await market.hits(q="Φ20", offers=1)
    assert (len(hit["offers"]), hit["offers_count"]) == (1, 2)
    hit, *_ = await market.hits(q="Φ20", offers=0)
    assert (hit["offers"], hit["offers_count"]) == ([], 2)


async def test_prices_in_other_units_and_tax_bases_are_compared_fairly(market: Market):
    supplier = market.supplier()
    per_piece = await market.offer(supplier, BAR, price="95", unit="piece", unit_factor="0.02964")
    net = await market.offer(supplier, BAR, price="3000", tax_inclusive=False)
    dollars = await market.offer(supplier, BAR, price="1", currency="USD")
    await market.follow()
    (hit,) = await market.hits(q="Φ20")
    assert [offer["offer_id"] for offer in hit["offers"]] == [
        per_piece["offer_id"], net["offer_id"], dollars["offer_id"],
    ]  # fmt: skip
    assert hit["offers"][0]["comparable_price"] == "3205.128205128"
    assert hit["offers"][1]["comparable_price"] == "3390"
    assert hit["price_from"] == "3205.128205128"


async def test_the_quantity_picks_the_price_tier_and_the_order(market: Market):
    flat, tiered = market.supplier("平"), market.supplier("阶梯")
    await market.offer(flat, BAR, price="3240")
    tiers = [{"min_quantity": "10", "price": "3230"}, {"min_quantity": "60", "price": "3205"}]
    await market.offer(tiered, BAR, price="3253", tiers=tiers, available="500")
    await market.follow()

    async def best(**asked: Any) -> tuple[str, str, str]:
        (hit,) = await market.hits(q="Φ20", **asked)
        offer = hit["offers"][0]
        return offer["supplier_name"], offer["unit_price"], hit["price_from"]

    assert await best() == ("平", "3240", "3240")
    assert await best(quantity="9.999", unit="t") == ("平", "3240", "3240")
    assert await best(quantity="10", unit="吨") == ("阶梯", "3230", "3230")
    assert await best(quantity="60000", unit="公斤") == ("阶梯", "3205", "3205")
    assert await best(quantity="2100", unit="根") == ("阶梯", "3205", "3205")


async def test_an_offer_says_whether_it_fits_and_what_it_costs(market: Market):
    supplier = market.supplier()
    await market.offer(
        supplier, BAR, price="3253", min_quantity="5", step_quantity="0.5", available="20", stock_point="main"
    )
    await market.follow()

    async def offer(quantity: str, unit: str) -> dict[str, Any]:
        found: dict[str, Any] = (await market.hits(q="Φ20", quantity=quantity, unit=unit))[0]["offers"][0]
        return found

    fitting = await offer("10", "t")
    assert fitting["fits"]
    assert fitting["amounts"] == {"net": "28787.61", "tax": "3742.39", "gross": "32530.00"}
    assert (fitting["priced_quantity"], fitting["base_quantity"]) == ("10", "10.000")
    assert fitting["stock"]["band"] == "in"
    assert fitting["stock"]["available"] == "20"
    assert fitting["stock"]["as_of"].startswith("2026-11-22T04:00:00")

    async def misfits(quantity: str, unit: str) -> list[str]:
        return [each["code"] for each in (await offer(quantity, unit))["misfits"]]

    assert await misfits("4", "t") == ["BelowMinimum"]
    assert await misfits("5.25", "t") == ["NotAStepMultiple"]
    assert await misfits("50", "t") == ["InsufficientStock"]
    assert await misfits("5.0001", "t") == ["QuantityTooPrecise"]
    assert await misfits("10", "m2") == ["UnitNotConvertible"]
    assert await misfits("10", "捆") == ["UnitNotConvertible"]


async def test_only_from_stock_means_enough_of_it(market: Market):
    supplier = market.supplier()
    await market.offer(supplier, BAR, available="20")
    await market.offer(supplier, BAR_25, available="0")
    await market.offer(supplier, COIL, available=None)
    await market.follow()
    assert await market.keys(in_stock=True) == [BAR]
    assert await market.keys(in_stock=True, quantity="20000", unit="kg") == [BAR]
    assert await market.keys(in_stock=True, quantity="20.001", unit="t") == []
    assert sorted(await market.keys()) == sorted([BAR, BAR_25, COIL])


async def test_an_offer_is_shown_where_it_is_delivered(market: Market):
    everywhere, north = market.supplier(), market.supplier(regions=["11", "130000"])
    await market.offer(everywhere, BAR, regions=["3100", "510100"])
    await market.offer(north, BAR_25)
    await market.offer(north, COIL, regions=["110105"])
    await market.follow()
    assert await market.keys(region="510107") == [BAR]
    assert await market.keys(region="510200") == []
    assert sorted(await market.keys(region="110105")) == sorted([BAR_25, COIL])
    assert await market.keys(region="110106") == [BAR_25]
    assert await market.keys(region="130102") == [BAR_25]


@pytest.mark.parametrize(
    "hidden",
    [
        {"status": "WITHDRAWN"},
        {"valid_until": "2026-01-31"},
        {"valid_from": "2999-01-01", "valid_until": None},
    ],
)
async def test_an_offer_that_is_over_or_not_yet_is_not_shown(market: Market, hidden):
    await market.offer(market.supplier(), BAR, **hidden)
    await market.follow()
    assert await market.keys() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "REGISTERED"},
        {"status": "SUSPENDED"},
        {"status": "EXITED"},
        {"categories": ["concrete_cement"]},
        {"qualified_until": "2026-01-31"},
    ],
)
async def test_offers_of_suppliers_not_qualified_for_them_are_not_shown(market: Market, changes):
    await market.offer(market.supplier(**changes), BAR)
    await market.follow()
    assert await market.keys() == []


async def test_offers_of_a_supplier_nobody_told_of_are_not_shown(market: Market):
    await market.offer(new_id(), BAR)
    await market.follow()
    assert await market.keys() == []


ORG, STRANGERS = new_id(), new_id()


@pytest.mark.parametrize(
    ("audience", "sees"),
    [
        (Audience.PUBLIC, {"visitor", "service", "stranger", "colleague", "party", "owner"}),
        (Audience.MEMBERS, {"stranger", "colleague", "party", "owner"}),
        (Audience.ORG, {"colleague", "owner"}),
        (Audience.PARTIES, {"party", "owner"}),
    ],
)
async def test_an_offer_is_seen_by_whom_it_is_meant_for_and_by_nobody_else_by_any_path(
    market: Market, audience: Audience, sees: set[str]
):
    """T1: not as a hit, not in a count, not in a price or an order, by no parameter and by no match."""
    supplier = market.supplier("藏家")
    party = a_person(Role.BUYER)
    callers: dict[str, Principal | None] = {
        "visitor": None,
        "service": a_service(),
        "stranger": a_person(Role.BUYER, group_id=STRANGERS),
        "colleague": a_person(Role.BUYER, group_id=ORG),
        "party": party,
        "owner": a_person(Role.SUPPLIER_SALES, company_id=supplier),
    }
    meant_for = {Audience.ORG: [ORG], Audience.PARTIES: [party.company]}
    hidden = await market.offer(supplier, BAR, audience=audience, ids=meant_for.get(audience, []), price="1.01")
    other = market.supplier("公开")
    await market.offer(other, BAR_25, audience=Audience.PUBLIC, price="3000")
    await market.offer(other, BAR, audience=Audience.PUBLIC, price="4000")
    await market.follow()
    searches: list[dict[str, Any]] = [
        {}, {"q": "Φ20"}, {"q": BAR}, {"q": "藏家"}, {"q": "rebar 不在"}, {"p.diameter": "20"}, {"type": "RB-HRB"},
        {"category": "rebar"}, {"code": "IfcReinforcingBar"}, {"supplier": str(supplier)}, {"region": "110105"},
        {"quantity": "1", "unit": "t"}, {"in_stock": True}, {"currency": "USD"}, {"offers": 50}, {"limit": 1},
    ]  # fmt: skip
    for name, caller in callers.items():
        seen = name in sees
        for params in searches:
            answer = await market.search(as_=caller, **params)
            assert answer.status_code == 200, answer.text
            told = (
                hidden["offer_id"] in answer.text
                or tells(answer.text, "1.01")
                or "藏家" in answer.json()["items"].__str__()
            )
            assert told <= seen, (name, params)
        hits = {hit["variant"]["key"]: hit for hit in (await market.search(as_=caller)).json()["items"]}
        assert hits[BAR]["offers_count"] == 1 + seen, name
        assert hits[BAR]["price_from"] == ("1.01" if seen else "4000"), name
        assert next(iter(hits)) == (BAR if seen else BAR_25), name
        if caller is not None:
            (line,) = await market.match({"code": BAR, "quantity": "1", "unit": "t"}, as_=caller)
            assert (hidden["offer_id"] in str(line)) == seen, name


async def test_a_variant_that_only_a_hidden_offer_names_is_not_shown_to_others(market: Market):
    supplier, party = market.supplier(), a_person(Role.BUYER)
    assert party.company_id
    secret = "RB-CUT|bbs_no=SECRET-7,diameter=20,grade=HRB400E,shape_code=11"
    await market.offer(supplier, secret, audience=Audience.PARTIES, ids=[party.company_id], available=None)
    await market.follow()
    for q in ("SECRET-7", "成型钢筋", "secret 7 钢筋"):
        assert await market.keys(q=q) == []
        assert await market.keys(q=q, as_=party) == [secret]
    (line,) = await market.match({"code": "RB-CUT", "quantity": "1", "unit": "t"})
    assert "SECRET" not in str(line)


async def test_exact_stock_is_for_members_and_cannot_be_probed(market: Market):
    await market.offer(market.supplier(), BAR, audience=Audience.PUBLIC, available="37")
    await market.follow()
    for quantity in ("36", "38"):
        (hit,) = (await market.search(q="Φ20", quantity=quantity, unit="t", in_stock=True)).json()["items"]
        assert hit["offers"][0]["stock"] == {
            "stock_point": "main", "band": "in", "available": None, "as_of": "2026-11-22T04:00:00Z",
        }  # fmt: skip
        assert hit["offers"][0]["fits"]
    (hit,) = await market.hits(q="Φ20", quantity="38", unit="t")
    assert hit["offers"][0]["stock"]["available"] == "37"
    assert not hit["offers"][0]["fits"]


async def test_row_level_security_alone_hides_what_the_query_would_show(market: Market, database: Database):
    await market.offer(market.supplier(), BAR, audience=Audience.MEMBERS)
    await market.follow()
    async with transaction(database.app) as session:
        count = text("SELECT count(*) FROM search_offers")
        assert await session.scalar(count) == 0
        await session.execute(text("SELECT set_config('app.viewer_keys', 'public', true)"))
        assert await session.scalar(count) == 0
        await session.execute(text("SELECT set_config('app.viewer_keys', 'public,members', true)"))
        assert await session.scalar(count) == 1


async def test_pages_follow_each_other_without_gap_or_repetition(market: Market):
    supplier = market.supplier()
    keys = [f"RB-HRB|diameter={d},grade={g},length=12" for d in (12, 14, 16, 18, 20) for g in ("HRB400", "HRB400E")]
    for place, key in enumerate(keys):
        await market.offer(supplier, key, price=str(3200 + place % 3), currency="USD" if place == 9 else "CNY")
    await market.follow()
    whole = await market.keys(q="螺纹钢")
    assert sorted(whole) == sorted(keys)
    assert whole[-1] == keys[9]
    paged: list[str] = []
    answer = await market.search(as_=market.buyer, q="螺纹钢", limit=3)
    while True:
        assert answer.status_code == 200, answer.text
        paged += [hit["variant"]["key"] for hit in answer.json()["items"]]
        following = answer.links.get("next", {}).get("url")
        if following is None:
            break
        answer = await market.http.get(following, headers=signed_in(market.buyer))
    assert paged == whole


async def test_paging_goes_on_among_those_with_half_the_words(market: Market):
    supplier = market.supplier()
    for diameter in (12, 14, 16):
        await market.offer(supplier, f"RB-HRB|diameter={diameter},grade=HRB400E,length=12")
    await market.follow()
    first = await market.search(as_=market.buyer, q="螺纹钢 进口", limit=2)
    second = await market.http.get(first.links["next"]["url"], headers=signed_in(market.buyer))
    assert [len(answer.json()["items"]) for answer in (first, second)] == [2, 1]
    assert {answer.json()["match"] for answer in (first, second)} == {"some"}


BAD: list[tuple[dict[str, Any], str]] = [
    ({"q": "x" * 10_000}, "MalformedRequest"),
    ({"q": "钢" * 201}, "MalformedRequest"),
    ({"q": "rebar\x00"}, "MalformedRequest"),
    ({"q": "rebar\x1b[31m"}, "MalformedRequest"),
    ({"limit": 0}, "MalformedRequest"),
    ({"limit": 1_000_000}, "MalformedRequest"),
    ({"limit": "many"}, "MalformedRequest"),
    ({"offers": -1}, "MalformedRequest"),
    ({"region": "Beijing"}, "MalformedRequest"),
    ({"supplier": "steel"}, "MalformedRequest"),
    ({"currency": "yuan"}, "MalformedRequest"),
    ({"quantity": "-1", "unit": "t"}, "MalformedRequest"),
    ({"quantity": "NaN", "unit": "t"}, "MalformedRequest"),
    ({"quantity": "1"}, "QuantityWithoutUnit"),
    ({"unit": "t"}, "QuantityWithoutUnit"),
    ({"quantity": "1", "unit": "stone"}, "UnknownUnit"),
    ({"type": "XX-NONE"}, "UnknownTypeFilter"),
    ({"category": "wood"}, "UnknownTypeFilter"),
    ({"code": "IfcNothing"}, "UnknownTypeFilter"),
    ({"type": "RB-HRB", "category": "mep"}, "UnknownTypeFilter"),
    ({"p.colourful": "red"}, "UnknownFacet"),
    ({"type": "RB-HRB", "p.slump": "180"}, "UnknownFacet"),
    ({"p.brand": "北河"}, "UnknownFacet"),
    ({"p.diameter": "wide"}, "FacetValueNotAllowed"),
    ({"type": "RB-HRB", "p.diameter": "21"}, "FacetValueNotAllowed"),
    ({"p.model": "\x00"}, "FacetValueNotAllowed"),
    ({"p.diameter": [str(n) for n in range(21)]}, "TooManyFacets"),
    ({"colour": "red"}, "UnknownFilter"),
    ({"p.": "x"}, "UnknownFilter"),
    ({"cursor": "nonsense"}, "CursorInvalid"),
    ({"cursor": "WzFd"}, "CursorInvalid"),
    ({"cursor": "x" * 3000}, "MalformedRequest"),
]


async def test_bad_input_is_told_clearly(stocked: Market):
    for params, code in BAD:
        answer = await stocked.search(as_=stocked.buyer, **params)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (422, code), (params, problem)
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["detail"]
        assert all(error["field"] and error["rule"] for error in problem["errors"]), problem
        assert problem["errors"], problem


async def test_a_cursor_of_another_query_or_one_tampered_with_is_refused(stocked: Market):
    first = await stocked.search(as_=stocked.buyer, limit=1)
    cursor = httpx.URL(first.links["next"]["url"]).params["cursor"]
    other = await stocked.search(as_=stocked.buyer, limit=1, q="钢筋", cursor=cursor)
    assert other.json()["code"] == "CursorInvalid"
    unpacked = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    for place, value in [(1, "maybe"), (2, "high"), (2, 10**15), (3, "NaN"), (3, "dear"), (4, "me"), (4, None)]:
        changed = [*unpacked]
        changed[place] = value
        tampered = base64.urlsafe_b64encode(orjson.dumps(changed, default=str)).decode().rstrip("=")
        answer = await stocked.search(as_=stocked.buyer, limit=1, cursor=tampered)
        assert (answer.status_code, answer.json()["code"]) == (422, "CursorInvalid"), (place, value)


async def test_words_are_words_whatever_they_would_mean_elsewhere(market: Market):
    for q in ("'; DROP TABLE variants; --", "a & b | !c", "(((.*)*)*)*$", "%_%", "\\", "{}[]", "𠀀𠀀", "🧱", "p.x=1"):
        assert (await market.search(as_=market.buyer, q=q)).status_code == 200


@pytest.mark.parametrize("q", ["(((.*)*)*)*$", "---", "、，。", "&|!:*"])
async def test_signs_alone_find_nothing_and_no_words_find_everything(stocked: Market, q: str):
    assert await stocked.keys(q="") != []
    assert await stocked.keys(q=q) == []


async def test_prices_of_today_are_those_valid_in_china_today(market: Market):
    """R8: the business day is Shanghai's; the offer of a day is shown all that day."""
    today = business_date(datetime.now(UTC)).isoformat()
    await market.offer(market.supplier(), BAR, valid_from=today, valid_until=today)
    await market.follow()
    assert await market.keys() == [BAR]


async def test_an_offer_of_a_supplier_in_an_operators_group_says_so(market: Market):
    """E-commerce law: what belongs to who runs the place is marked; it stands where its price puts it."""
    own = market.supplier("自营", affiliated_with_operator=True)
    other = market.supplier("北河")
    await market.offer(own, price="3300.00")
    await market.offer(other, price="3200.00")
    await market.follow()
    (hit,) = await market.hits()
    marked = [(each["supplier_id"], each["affiliated_with_operator"]) for each in hit["offers"]]
    assert marked == [(str(other), False), (str(own), True)]
