"""What a sync's rows do to items, offers and stock."""

from decimal import Decimal

import pytest

from tests.suppliers.world import BOLT, FULL_HEADER, REBAR, REBAR_25, World, csv_of, new_items


def problems(view):
    return {row["row"]: (row["field"], row["code"]) for row in view["problems"]}


async def test_a_new_item_with_its_variant_is_made_with_stock_and_offer(world: World):
    view = await world.synced(new_items("A-1", "A-2"))
    assert view["state"] == "COMPLETED"
    assert view["counts"] == {"accepted": 2, "unchanged": 0, "rejected": 0, "warned": 0, "zeroed": 0}
    stock, offers = await world.stock(), await world.offers()
    assert Decimal(stock["A-1", "main"]["on_hand"]) == 100
    assert offers["A-1", "default"]["variant_key"] == REBAR
    assert Decimal(offers["A-1", "default"]["price"]) == Decimal("3250.50")
    assert offers["A-1", "default"]["stock_point"] == "main"
    assert len(world.catalog.asked) == 1


async def test_the_same_file_again_changes_nothing(world: World):
    await world.synced(new_items("A-1", "A-2"))
    before = await world.rows("SELECT count(*) AS n FROM events")
    view = await world.synced(new_items("A-1", "A-2"))
    assert view["counts"]["unchanged"] == 2
    assert view["counts"]["accepted"] == 0
    assert await world.rows("SELECT count(*) AS n FROM events") == before


async def test_a_nightly_feed_changes_count_and_price_and_leaves_the_rest(world: World):
    await world.synced(new_items("A-1", "A-2"))
    view = await world.synced(
        csv_of("A-1,main,80.5,3300", "A-2,main,100,3250.50", header="item_no,stock_point,on_hand,price")
    )
    assert view["counts"] | {"zeroed": 0} == {"accepted": 1, "unchanged": 1, "rejected": 0, "warned": 0, "zeroed": 0}
    offer = (await world.offers())["A-1", "default"]
    assert (Decimal(offer["price"]), Decimal(offer["tax_rate"]), offer["unit"]) == (Decimal(3300), Decimal("0.13"), "t")
    assert Decimal((await world.stock())["A-1", "main"]["on_hand"]) == Decimal("80.5")
    events = await world.rows("SELECT type, data FROM events ORDER BY txid, seq")
    repriced = [event["data"] for event in events if event["type"].endswith("offers.repriced.v1")]
    assert repriced == [{"supplier_id": str(world.supplier_id), "prices": {offer["id"]: "3300"}}]
    counted = [event["data"] for event in events if event["type"].endswith("stock.changed.v1")][-1]
    assert [(row["item_no"], Decimal(row["available"]), row["band"]) for row in counted["stock"]] == [
        ("A-1", Decimal("80.5"), "in")
    ]


async def test_absent_and_empty_columns_leave_what_is_stored(world: World):
    await world.synced(new_items("A-1"))
    await world.synced(csv_of("A-1,,2,", header="item_no,price,lead_time_days,on_hand"))
    offer = (await world.offers())["A-1", "default"]
    assert (Decimal(offer["price"]), offer["lead_time_days"]) == (Decimal("3250.50"), 2)
    assert Decimal((await world.stock())["A-1", "main"]["on_hand"]) == 100


async def test_bad_rows_are_told_and_good_ones_kept(world: World):
    await world.synced(new_items("A-1", "A-2"))
    header = "item_no,on_hand,price,as_of,lead_time_days,valid_from"
    view = await world.synced(
        csv_of(
            "A-1,abc,,,,",
            "A-2,5,,,,",
            "A-9,5,,,,",
            "A-1,-1,,,,",
            "A-1,1.2345,,,,",
            "A-1,,1.1234567,,,",
            "A-1,,-3,,,",
            "A-1,1,,2099-01-01T00:00:00Z,,",
            "A-1,,,,1.5,",
            "A-1,,,,,01/02/2026",
            ",7,,,,",
            "A-1,NaN,,,,",
            "A-1,,1e30,,,",
            "A-1,1,2",
            header=header,
        )
    )
    assert problems(view) == {
        2: ("on_hand", "NotANumber"),
        4: ("item_no", "UnknownItem"),
        5: ("on_hand", "OutOfRange"),
        6: ("on_hand", "QuantityTooPrecise"),
        7: ("price", "PriceTooPrecise"),
        8: ("price", "OutOfRange"),
        9: ("as_of", "InTheFuture"),
        10: ("lead_time_days", "OutOfRange"),
        11: ("valid_from", "NotADate"),
        12: ("item_no", "Required"),
        13: ("on_hand", "NotANumber"),
        14: ("price", "OutOfRange"),
        15: ("row", "WrongFieldCount"),
    }
    assert view["counts"]["accepted"] == 1
    assert view["counts"]["rejected"] == 13
    stock = await world.stock()
    assert Decimal(stock["A-2", "main"]["on_hand"]) == 5
    assert Decimal(stock["A-1", "main"]["on_hand"]) == 100


async def test_terms_that_make_no_sense_are_refused_by_row(world: World):
    await world.synced(new_items("A-1"))
    header = "item_no,currency,tax_rate,tax_inclusive,min_quantity,step_quantity,regions,valid_until,audience,unit"
    view = await world.synced(
        csv_of(
            "A-1,yuan,,,,,,,,",
            "A-1,,13,,,,,,,",
            "A-1,,a lot,,,,,,,",
            "A-1,,,perhaps,,,,,,",
            "A-1,,,,0,,,,,",
            "A-1,,,,,0.0001,,,,",
            "A-1,,,,,,Beijing,,,",
            "A-1,,,,,,,2020-01-01,,",
            "A-1,,,,,,,,PARTIES,",
            "A-1,USD,,,,,,,,m2",
            "A-1,cny,13%,含税,0.5,0.5,11;310000,2099-12-31,public,吨",
            header=header,
        )
    )
    assert [code for _, code in problems(view).values()] == [
        "NotACurrency",
        "OutOfRange",
        "NotANumber",
        "NotTrueOrFalse",
        "NotAQuantity",
        "NotAQuantity",
        "NotARegion",
        "EndsBeforeItBegins",
        "AudienceNotBySync",
        "UnitNotConvertible",
    ]
    offer = (await world.offers())["A-1", "default"]
    assert (offer["currency"], Decimal(offer["tax_rate"]), offer["tax_inclusive"]) == ("CNY", Decimal("0.13"), True)
    assert (Decimal(offer["min_quantity"]), offer["regions"], offer["audience"]) == (
        Decimal("0.5"),
        ["11", "310000"],
        "PUBLIC",
    )


async def test_a_new_offer_needs_price_tax_and_unit(world: World):
    view = await world.synced(csv_of(f"A-1;{REBAR};5;10", header="item_no;variant;on_hand;price"))
    assert problems(view) == {2: ("price", "MissingForNewOffer")}
    assert "tax_rate, tax_inclusive, unit" in view["problems"][0]["message"]
    assert await world.stock() == {}


async def test_a_variant_may_be_given_as_type_and_properties(world: World):
    header = "item_no;type;properties;on_hand"
    view = await world.synced(
        '"item_no";"type";"properties";"on_hand"\n'
        'A-1;RB-HRB;"diameter=20; grade=HRB400E; length=12";5\n'
        "A-2;XX-NO;a=b;5\n"
        "A-3;RB-HRB;diameter;5\n"
    )
    assert header.count(";") == 3
    assert problems(view) == {3: ("variant", "UnknownType"), 4: ("variant", "MalformedVariant")}
    assert (await world.rows("SELECT variant_key FROM items")) == [{"variant_key": REBAR}]


async def test_an_item_never_becomes_another_variant(world: World):
    await world.synced(new_items("A-1"))
    view = await world.synced(csv_of(f"A-1;{REBAR_25};5", header="item_no;variant;on_hand"))
    assert problems(view) == {2: ("variant", "ItemIsAnotherVariant")}
    assert Decimal((await world.stock())["A-1", "main"]["on_hand"]) == 100


async def test_a_count_in_the_offers_unit_is_converted_once(world: World):
    await world.synced(csv_of(f"A-1;{REBAR};main;1000;95;0.13;true;支", header=FULL_HEADER))
    level = (await world.stock())["A-1", "main"]
    assert (Decimal(level["on_hand"]), level["base_unit"]) == (Decimal("29.640"), "t")
    await world.synced(csv_of("A-1,500", header="item_no,on_hand"))
    assert Decimal((await world.stock())["A-1", "main"]["on_hand"]) == Decimal("14.820")
    await world.synced(csv_of("A-1,3,t", header="item_no,on_hand,unit"))
    assert Decimal((await world.stock())["A-1", "main"]["on_hand"]) == 3
    assert (await world.offers())["A-1", "default"]["unit"] == "piece"


async def test_pieces_are_counted_whole(world: World):
    view = await world.synced(csv_of(f"B-1;{BOLT};main;10.5;1;0.13;true;piece", header=FULL_HEADER))
    assert problems(view) == {2: ("on_hand", "QuantityTooPrecise")}


async def test_each_stock_point_of_an_item_gets_its_own_offer(world: World):
    both = csv_of(
        f"A-1;{REBAR};north;10;3200;0.13;true;t", f"A-1;{REBAR};south;20;3300;0.13;true;t", header=FULL_HEADER
    )
    await world.synced(both)
    offers = await world.offers()
    assert {(code, row["stock_point"], Decimal(row["price"])) for (_, code), row in offers.items()} == {
        ("default", "north", Decimal(3200)),
        ("south", "south", Decimal(3300)),
    }
    assert (await world.synced(both))["counts"]["unchanged"] == 2
    await world.synced(csv_of("A-1,south,21,3333", "A-1,north,11,3222", header="item_no,stock_point,on_hand,price"))
    offers = await world.offers()
    assert Decimal(offers["A-1", "default"]["price"]) == 3222
    assert Decimal(offers["A-1", "south"]["price"]) == 3333


async def test_an_offer_stays_at_its_stock_point(world: World):
    await world.synced(new_items("A-1"))
    view = await world.synced(csv_of("A-1,south,default,5,1", header="item_no,stock_point,offer_code,on_hand,price"))
    assert problems(view) == {2: ("offer_code", "OfferAtAnotherStockPoint")}


async def test_a_price_without_stock_is_made_to_order(world: World):
    await world.synced(
        csv_of(f"A-1;{REBAR};3200;0.13;false;t", header="item_no;variant;price;tax_rate;tax_inclusive;unit")
    )
    offer = (await world.offers())["A-1", "default"]
    assert (offer["stock_point"], offer["available"], offer["band"]) == (None, None, None)


async def test_a_price_for_an_item_in_stock_is_served_from_there(world: World):
    await world.synced(csv_of(f"A-1;{REBAR};7", header="item_no;variant;on_hand"))
    await world.synced(csv_of("A-1,3200,0.13,false,t", header="item_no,price,tax_rate,tax_inclusive,unit"))
    assert (await world.offers())["A-1", "default"]["stock_point"] == "main"


@pytest.mark.parametrize("last", ["7", "100"])
async def test_of_two_rows_about_the_same_the_later_counts(world: World, last: str):
    await world.synced(new_items("A-1"))
    view = await world.synced(csv_of("A-1,5,1", f"A-1,{last},2", header="item_no,on_hand,price"))
    assert problems(view) == {2: ("item_no", "Superseded")}
    assert Decimal((await world.stock())["A-1", "main"]["on_hand"]) == Decimal(last)
    assert Decimal((await world.offers())["A-1", "default"]["price"]) == 2


async def test_an_older_count_is_refused(world: World):
    await world.synced(csv_of(f"A-1;{REBAR};7;2026-11-20T08:00:00+08:00", header="item_no;variant;on_hand;as_of"))
    view = await world.synced(csv_of("A-1,9,2026-11-19T08:00:00+08:00", header="item_no,on_hand,as_of"))
    assert problems(view) == {2: ("as_of", "OlderThanStored")}
    await world.synced(csv_of("A-1,9,2026-11-20 09:00", header="item_no,on_hand,as_of"))
    level = (await world.stock())["A-1", "main"]
    assert (Decimal(level["on_hand"]), level["as_of"]) == (Decimal(9), "2026-11-20T01:00:00Z")


async def test_a_count_below_what_is_reserved_keeps_the_promises(world: World):
    await world.synced(new_items("A-1", "A-2"))
    await world.reserve("A-1", "60")
    view = await world.synced(csv_of("A-1,main,40", header="item_no,stock_point,on_hand"))
    assert problems(view) == {2: ("on_hand", "ShortOfReserved")}
    assert (view["counts"]["accepted"], view["counts"]["warned"]) == (1, 1)
    level = (await world.stock())["A-1", "main"]
    assert [Decimal(level[name]) for name in ("on_hand", "reserved", "available", "shortfall")] == [60, 60, 0, 20]
    assert (await world.synced(csv_of("A-1,40", header="item_no,on_hand")))["counts"]["unchanged"] == 1
    carefully = await world.synced(csv_of("A-1,30,Brand", header="item_no,on_hand,brand"))
    assert problems(carefully) == {2: ("on_hand", "ShortOfReserved")}
    await world.synced(csv_of("A-1,90", header="item_no,on_hand"))
    level = (await world.stock())["A-1", "main"]
    assert [Decimal(level[name]) for name in ("on_hand", "available", "shortfall")] == [90, 30, 0]


async def test_a_brand_is_kept_up_to_date(world: World):
    await world.synced(new_items("A-1"))
    assert (await world.synced(csv_of("A-1,沙钢", header="item_no,brand")))["counts"]["accepted"] == 1
    assert (await world.synced(csv_of("A-1,沙钢", header="item_no,brand")))["counts"]["unchanged"] == 1
    assert (await world.offers())["A-1", "default"]["brand"] == "沙钢"


async def test_chinese_headers_are_read(world: World):
    await world.synced(new_items("A-1"))
    view = await world.synced(csv_of("A-1,main,5,3100", header="物料编码,仓库,库存,单价"))
    assert view["counts"]["accepted"] == 1
    assert Decimal((await world.offers())["A-1", "default"]["price"]) == 3100


async def test_tiers_survive_a_new_price(world: World):
    await world.synced(new_items("A-1"))
    offer = (await world.offers())["A-1", "default"]
    terms = {
        **{name: offer[name] for name in ("stock_point", "price", "tax_inclusive", "tax_rate", "unit")},
        "tiers": [{"min_quantity": "10", "price": "3000"}],
    }
    changed = await world.call("PUT", f"/suppliers/offers/{offer['id']}", world.erp, version=1, json=terms)
    assert changed.status_code == 200, changed.text
    await world.synced(csv_of("A-1,3400", header="item_no,price"))
    after = (await world.offers())["A-1", "default"]
    assert Decimal(after["price"]) == 3400
    assert [Decimal(tier["price"]) for tier in after["tiers"]] == [3000]


async def test_a_withdrawn_offer_stays_withdrawn(world: World):
    await world.synced(new_items("A-1"))
    offer = (await world.offers())["A-1", "default"]
    await world.call("POST", f"/suppliers/offers/{offer['id']}/withdrawal", world.erp, version=1)
    await world.synced(new_items("A-1", price="1"))
    assert (await world.offers())["A-1", "default"]["status"] == "WITHDRAWN"


async def test_every_changed_offer_is_announced_in_full_when_made(world: World):
    await world.synced(new_items("A-1"))
    events = await world.rows("SELECT type, data FROM events WHERE type LIKE '%offers.changed%'")
    state = events[0]["data"]["offers"][0]
    offer = (await world.offers())["A-1", "default"]
    assert (state["offer_id"], state["price"], state["variant_key"]) == (offer["id"], "3250.5", REBAR)
    assert set(state["audience_keys"]) == {"members", f"company:{world.supplier_id}", f"group:{world.market_group_id}"}
