"""From words to a choice: where, by when, for how much, with which papers and carbon; sorted, counted, explained."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from services.catalog.search import choosing, walking
from shared.audience import Audience
from shared.clock import business_date
from shared.identity import Principal, Role
from shared.ids import new_id
from tests.catalog.conftest import BAR, Market
from tests.conftest import a_person, signed_in

BAR_16 = "RB-HRB|diameter=16,grade=HRB400E,length=12"
BAR_25 = "RB-HRB|diameter=25,grade=HRB400E,length=12"
COIL = "RB-COIL|diameter=8,grade=HRB400E"
BEAM = "ST-H|grade=Q355B,length=12,series=HN,spec=400x200x8x13"
LONG_BEAM = "ST-H|grade=Q355B,length=15.5,series=HN,spec=400x200x8x13"
TODAY = business_date(datetime.now(UTC))


def epd(kgco2e: str, *, until: str = "2999-12-31") -> dict[str, Any]:
    return {"number": "EPD-1", "programme": "EPD China", "kgco2e": kgco2e, "valid_until": until}


def paper(kind: str, *, until: str | None = None) -> dict[str, Any]:
    return {"kind": kind, "number": "N-1", "issuer": "CTC", "valid_until": until}


async def test_a_range_finds_the_numbers_within_both_ends_included(market: Market):
    supplier = market.supplier()
    for key in (BAR, BAR_16, BAR_25, BEAM, LONG_BEAM):
        await market.offer(supplier, key)
    await market.follow()
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"p.diameter": "16..20"}, [BAR, BAR_16]),
        ({"p.diameter": "17.."}, [BAR, BAR_25]),
        ({"p.diameter": "..16"}, [BAR_16]),
        ({"p.diameter": "Φ16..20mm"}, [BAR, BAR_16]),
        ({"p.diameter": "17..19"}, []),
        ({"p.diameter": ["16..17", "25"]}, [BAR_16, BAR_25]),
        ({"type": "ST-H", "p.length": "12.5..16"}, [LONG_BEAM]),
        ({"type": "ST-H", "p.length": "12000mm..15m"}, [BEAM]),
        ({"p.length": "12..13", "p.grade": "Q355B"}, [BEAM]),
        ({"p.length": "12..13", "p.diameter": "25..25"}, [BAR_25]),
    ]
    for params, keys in cases:
        assert sorted(await market.keys(**params)) == sorted(keys), params


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"p.diameter": "25..16"}, "FacetRangeReversed", "p.diameter"),
    ({"p.grade": "16..25"}, "FacetNotANumber", "p.grade"),
    ({"p.diameter": ".."}, "FacetValueNotAllowed", "p.diameter"),
    ({"p.diameter": "a..b"}, "FacetValueNotAllowed", "p.diameter"),
    ({"p.diameter": "16kg..20kg"}, "FacetValueNotAllowed", "p.diameter"),
    ({"p.diameter": f"{10**15}.."}, "FacetValueNotAllowed", "p.diameter"),
    ({"p.diameter": "NaN..Infinity"}, "FacetValueNotAllowed", "p.diameter"),
    ({"p.colourful": "1..2"}, "UnknownFacet", "p.colourful"),
    ({"type": "RB-HRB", "p.slump": "100..200"}, "UnknownFacet", "p.slump"),
    ({"facets": "colourful"}, "UnknownFacet", "facets"),
    ({"facets": ",".join("abcdefghi")}, "TooManyFacets", "facets"),
    ({"facets": "x" * 500}, "MalformedRequest", "facets"),
    ({"sort": "payment"}, "MalformedRequest", "sort"),
    ({"boost": "1"}, "UnknownFilter", "boost"),
    ({"certificate": "bribe"}, "MalformedRequest", "certificate.0"),
    ({"carbon_at_most": "-1"}, "MalformedRequest", "carbon_at_most"),
    ({"need_by": "2001-01-01"}, "NeedByInThePast", "need_by"),
    ({"need_by": "soon"}, "MalformedRequest", "need_by"),
    ({"quantity": "5"}, "QuantityWithoutUnit", "unit"),
    ({"unit": "stone", "quantity": "5"}, "UnknownUnit", "unit"),
]


async def test_what_cannot_be_asked_is_refused_by_field_and_rule(market: Market):
    for params, code, field in BAD:
        answer = await market.search(as_=market.buyer, **params)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (422, code), (params, problem)
        assert problem["errors"][0]["field"] == field, (params, problem)
        assert problem["errors"][0]["rule"]


async def test_freight_of_the_most_specific_region_makes_the_landed_price(market: Market):
    near, far, flat = market.supplier("近"), market.supplier("远"), market.supplier("平")
    freight = [
        {"region": "11", "price": "50"},
        {"region": "110100", "price": "40"},
        {"region": "110105", "price": "10"},
    ]
    await market.offer(near, BAR, price="3260", freight=freight)
    await market.offer(far, BAR, price="3200", freight=[{"region": "11", "price": "113"}], tax_inclusive=True)
    await market.offer(flat, BAR, price="2900", tax_inclusive=False, freight=[{"region": "31", "price": "100"}])
    await market.follow()

    async def landed(**asked: Any) -> list[tuple[str, str, str, str]]:
        (hit,) = await market.hits(q="Φ20", **asked)
        assert hit["price_from"] == hit["offers"][0]["comparable_price"]
        return [(o["supplier_name"], o["freight"], o["landed_price"], o["comparable_price"]) for o in hit["offers"]]

    assert [each[:2] for each in await landed()] == [("远", "0"), ("近", "0"), ("平", "0")]
    assert await landed(region="110105") == [
        ("近", "10", "3270", "3270"), ("平", "0", "2900", "3277"), ("远", "113", "3313", "3313"),
    ]  # fmt: skip
    assert [each[1] for each in await landed(region="110106")] == ["0", "40", "113"]
    assert (await landed(region="310101"))[-1] == ("平", "100", "3000", "3390")
    (hit,) = await market.hits(q="Φ20", region="110105", quantity="10", unit="t")
    assert hit["offers"][0]["amounts"]["gross"] == "32700.00"


async def test_a_tier_and_freight_together_decide_the_order_of_hits(market: Market):
    supplier = market.supplier()
    tiers = [{"min_quantity": "60", "price": "3000"}]
    await market.offer(supplier, BAR, price="3300", tiers=tiers, freight=[{"region": "11", "price": "20"}])
    await market.offer(supplier, BAR_25, price="3100")
    await market.follow()
    assert await market.keys(sort="price") == [BAR_25, BAR]
    assert await market.keys(sort="price", quantity="60", unit="t", region="11") == [BAR, BAR_25]
    assert await market.keys(sort="price", quantity="59", unit="t", region="11") == [BAR_25, BAR]


async def test_only_what_can_be_there_in_time(market: Market):
    supplier = market.supplier()
    await market.offer(supplier, BAR, lead_time_days=3)
    await market.offer(supplier, BAR_25, lead_time_days=4)
    await market.follow()
    assert await market.keys(need_by=str(TODAY + timedelta(days=3))) == [BAR]
    assert sorted(await market.keys(need_by=str(TODAY + timedelta(days=4)))) == sorted([BAR, BAR_25])
    assert await market.keys(sort="lead_time") == [BAR, BAR_25]


async def test_a_valid_declaration_stands_before_the_types_value_lower_or_higher(market: Market):
    supplier = market.supplier()
    await market.offer(supplier, BAR, epd=epd("2000"))
    await market.offer(supplier, BAR_16, epd=epd("2900"))
    await market.offer(supplier, BAR_25, epd=epd("1", until="2026-01-31"))
    await market.offer(supplier, COIL)
    await market.follow()
    hits = {hit["variant"]["key"]: hit for hit in await market.hits(sort="carbon", category="rebar")}
    assert next(iter(hits)) == BAR
    assert list(hits)[-1] == BAR_16
    assert [hits[key]["carbon_from"] for key in (BAR, BAR_16, BAR_25, COIL)] == ["2000", "2900", "2340", "2340"]
    assert hits[BAR_16]["offers"][0]["carbon"]["kind"] == "epd"
    assert hits[BAR_25]["offers"][0]["carbon"]["kind"] == "type_factor"
    assert hits[BAR_25]["offers"][0]["carbon"]["source"].startswith("GB/T 51366-2019")
    assert await market.keys(carbon_at_most="2000", type="RB-HRB") == [BAR]
    assert await market.keys(carbon_at_most="1999.9", type="RB-HRB") == []


async def test_only_offers_with_every_certificate_asked_valid_today(market: Market):
    supplier = market.supplier()
    await market.offer(supplier, BAR, certificates=[paper("green_product"), paper("iso9001", until=str(TODAY))])
    await market.offer(supplier, BAR_16, certificates=[paper("green_product", until=str(TODAY - timedelta(days=1)))])
    await market.offer(supplier, BAR_25, certificates=[paper("iso9001")])
    await market.follow()
    assert await market.keys(certificate="green_product") == [BAR]
    assert sorted(await market.keys(certificate="iso9001")) == sorted([BAR, BAR_25])
    assert await market.keys(certificate=["green_product", "iso9001"]) == [BAR]


async def facet(market: Market, name: str, *, params: dict[str, Any] | None = None, **more: Any) -> dict[str, int]:
    answer = await market.search(as_=market.buyer, facets=name, **(params or {}), **more)
    assert answer.status_code == 200, answer.text
    (view,) = answer.json()["facets"]
    assert (view["name"], view["complete"]) == (name, True)
    return {each["value"]: each["count"] for each in view["values"]}


async def test_facets_are_counted_as_if_they_had_not_been_chosen(market: Market):
    first, second = market.supplier("甲"), market.supplier("乙")
    for key in (BAR, BAR_16, BAR_25, COIL, BEAM):
        await market.offer(first, key)
    await market.offer(second, BAR, price="1")
    await market.follow()
    assert await facet(market, "diameter", type="RB-HRB") == {"16": 1, "20": 1, "25": 1}
    assert await facet(market, "diameter", params={"p.diameter": "20"}, type="RB-HRB") == {"16": 1, "20": 1, "25": 1}
    assert await facet(market, "grade", params={"p.diameter": "20..25"}, type="RB-HRB") == {"HRB400E": 2}
    assert await facet(market, "type") == {"RB-HRB": 3, "RB-COIL": 1, "ST-H": 1}
    assert await facet(market, "category", q="HRB400E") == {"rebar": 4}
    assert await facet(market, "supplier", q="HRB400E") == {str(first): 4, str(second): 1}
    assert await facet(market, "type", supplier=str(second)) == {"RB-HRB": 1}


async def test_a_hidden_offer_changes_nothing_a_stranger_reads(market: Market):
    """No hit, count, facet count, price, place in any order, page, suggestion, correction or explanation."""
    supplier, party = market.supplier("明"), a_person(Role.BUYER)
    stranger = a_person(Role.BUYER, group_id=new_id())
    assert party.company_id
    for key, price in ((BAR, "3200"), (BAR_16, "3100"), (BEAM, "4000")):
        await market.offer(supplier, key, price=price)
    await market.follow()
    asked: list[dict[str, Any]] = [
        {"q": "螺纹钢", "explain": True, "facets": "diameter,type,category,supplier"},
        {"sort": "price", "facets": "supplier"},
        {"sort": "price", "quantity": "5", "unit": "t", "region": "11"},
        {"sort": "lead_time"},
        {"sort": "carbon"},
        {"q": "HRB400E 进口", "limit": 1},
        {"q": "SECRET-7"},
        {"certificate": "ccc"},
        {"in_stock": True},
    ]

    async def seen(caller: Principal) -> list[Any]:
        found = [(await market.search(as_=caller, **each)) for each in asked]
        typed = [
            await market.http.get("/catalog/suggest", params={"q": q}, headers=signed_in(caller))
            for q in ("螺纹", "SECR")
        ]
        beside = await market.http.get("/catalog/compare", params={"variant": BAR}, headers=signed_in(caller))
        return [[each.json(), each.links] for each in (*found, *typed, beside)]

    before = await seen(stranger)
    hidden: dict[str, Any] = {
        "audience": Audience.PARTIES, "ids": [party.company_id], "price": "1.01", "lead_time_days": 0,
        "epd": epd("1"), "certificates": [paper("ccc")],
    }  # fmt: skip
    other = market.supplier("隐")
    for key in (BAR, BAR_25, COIL, "RB-CUT|bbs_no=SECRET-7,diameter=20,grade=HRB400E,shape_code=11"):
        await market.offer(other, key, **hidden)
    await market.follow()
    assert await seen(stranger) == before
    assert await seen(party) != before


async def test_an_explanation_adds_up_and_tells_the_order(market: Market):
    supplier = market.supplier()
    for key, price in ((BAR, "3200"), (BAR_16, "3100"), (COIL, "3000")):
        await market.offer(supplier, key, price=price)
    await market.follow()
    for q in ("HRB400E 20 螺纹", "螺纹钢 进口 HRB400E 20", "rebar", ""):
        hits = await market.hits(q=q, explain=True)
        assert hits
        for hit in hits:
            explanation = hit["explanation"]
            assert sum(point["points"] for point in explanation["points"]) == hit["score"], q
            assert explanation["order"] == ["-score", "price", "variant id"]
            assert [Decimal(value) for value in explanation["values"]] == [-hit["score"], Decimal(hit["price_from"])]
            assert explanation["price_offer_id"] == hit["offers"][0]["offer_id"]
    (hit,) = await market.hits(q="螺纹钢 Φ20", sort="price", explain=True)
    assert hit["explanation"]["order"] == ["price", "-score", "variant id"]
    assert {point["where"] for point in hit["explanation"]["points"]} >= {"value", "called so", "length of the name"}
    assert (await market.hits(q="螺纹钢 Φ20"))[0]["explanation"] is None


async def test_a_mistyped_word_is_corrected_and_said_only_when_nothing_has_it(market: Market):
    supplier = market.supplier()
    await market.offer(supplier, BAR)
    await market.offer(supplier, "RB-CUT|bbs_no=REBAT,diameter=20,grade=HRB400E,shape_code=11", available=None)
    await market.follow()
    answer = (await market.search(as_=market.buyer, q="落纹钢 20")).json()
    assert [hit["variant"]["key"] for hit in answer["items"]] == [BAR]
    assert answer["corrections"] == [{"asked": "落纹钢", "taken": "螺纹钢"}]
    assert answer["match"] == "all"
    exact = (await market.search(as_=market.buyer, q="REBAT")).json()
    assert (len(exact["items"]), exact["corrections"]) == (1, [])


@pytest.mark.parametrize("sort", ["relevance", "price", "lead_time", "carbon"])
async def test_pages_of_every_order_follow_each_other_without_gap_or_repetition(market: Market, sort: str, monkeypatch):
    supplier, other = market.supplier(), market.supplier()
    keys = [f"RB-HRB|diameter={d},grade={g},length=12" for d in (12, 14, 16) for g in ("HRB400", "HRB400E", "HRB500")]
    keys += [COIL, BEAM, LONG_BEAM]
    for place, key in enumerate(keys):
        terms: dict[str, Any] = {
            "price": str(3200 + place % 3), "lead_time_days": place % 2, "currency": "USD" if place % 7 == 4 else "CNY",
            "epd": epd(str(2000 + place % 2)) if place % 3 == 0 else None,
        }  # fmt: skip
        await market.offer(supplier, key, **terms)
        await market.offer(other, key, **{**terms, "price": str(3300 - place)})
    await market.follow()

    async def pages(**asked: Any) -> list[str]:
        found: list[str] = []
        answer = await market.search(as_=market.buyer, sort=sort, limit=2, **asked)
        while True:
            assert answer.status_code == 200, answer.text
            found += [hit["variant"]["key"] for hit in answer.json()["items"] if not hit["near"]]
            following = answer.links.get("next", {}).get("url")
            if following is None:
                return found
            answer = await market.http.get(following, headers=signed_in(market.buyer))

    questions: list[dict[str, Any]] = [{}, {"q": "HRB400E"}, {"category": "rebar"}, {"currency": "USD"}]
    whole = [await market.keys(sort=sort, **asked) for asked in questions]
    assert sorted(whole[0]) == sorted(keys)
    assert [await pages(**asked) for asked in questions] == whole
    # The way through the index in price order leads to the same pages, in windows of any width.
    monkeypatch.setattr(choosing, "WALKED_FROM", 0)
    for windows in (walking.WINDOWS, (walking.Window(of_group=1, ahead=1),) * 3, ()):
        monkeypatch.setattr(walking, "WINDOWS", windows)
        assert [await market.keys(sort=sort, **asked) for asked in questions] == whole
        assert [await pages(**asked) for asked in questions] == whole


async def test_a_search_too_broad_for_landed_prices_says_that_it_is_in_list_order(market: Market, monkeypatch):
    supplier = market.supplier()
    for key, price in ((BAR, "3200"), (BAR_16, "3100"), (COIL, "3000")):
        await market.offer(supplier, key, price=price, freight=[{"region": "11", "price": price}])
    await market.follow()
    asked = {"sort": "price", "region": "11"}
    assert (await market.search(as_=market.buyer, **asked)).json()["price_order"] == "landed"
    monkeypatch.setattr(choosing, "PRICED_AT_MOST", 2)
    monkeypatch.setattr(choosing, "WALKED_FROM", 2)
    answer = (await market.search(as_=market.buyer, **asked)).json()
    assert answer["price_order"] == "list"
    assert [hit["variant"]["key"] for hit in answer["items"]] == [COIL, BAR_16, BAR]
    assert [hit["price_from"] for hit in answer["items"]] == ["6000", "6200", "6400"]
    monkeypatch.setattr(choosing, "SORTED_AT_MOST", 2)
    refused = (await market.search(as_=market.buyer, sort="carbon")).json()
    assert (refused["status"], refused["code"]) == (422, "TooBroadToSort")


async def test_a_new_code_finds_without_indexing_anew(market: Market):
    await market.offer(market.supplier(), BAR)
    await market.follow()
    assert await market.keys(q="30101504") == []
    async with market.database.system() as session, session.begin():
        await session.execute(
            text(
                "INSERT INTO classification_codes (system, edition, code, type_code, relation, origin, added_at) "
                "VALUES ('UNSPSC', '', '30101504', 'RB-HRB', 'primary', 'DICTIONARY', now()), "
                "('ETIM', '9', 'EC002883', 'RB-HRB', 'primary', 'DICTIONARY', now())"
            )
        )
    assert await market.keys(q="30101504") == [BAR]
    assert await market.keys(q="ec002883 Φ20") == [BAR]
    assert await market.keys(code="EC002883") == [BAR]
