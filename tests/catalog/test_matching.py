"""Matching a material list: understood, scored with reasons, answered with offers that fit."""

from typing import Any

import httpx
import pytest

from shared.audience import Audience
from shared.identity import Role
from tests.catalog.conftest import BAR, Market
from tests.conftest import a_person, signed_in

ON_HAND = {
    "RB-HRB|diameter=12,grade=HRB400E,length=9": "t",
    BAR: "t",
    "RB-HRB|diameter=20,grade=HRB400,length=12": "t",
    "RB-COIL|diameter=8,grade=HRB400E": "t",
    "RB-COUPLER|bar_dia=25,joint_grade=I,kind=straight thread 直螺纹": "piece",
    "CN-RMC|slump=180,strength=C30": "m3",
    "CN-RMC|impermeability=P6,slump=180,strength=C30": "m3",
    "CN-MOR|form=silo bulk 散装,kind=DM masonry 砌筑,strength=M5": "t",
    "WL-AAC|density=B06,height=240,length=600,strength=A3.5,width=200": "m3",
    "ME-WIRE|colour=red,model=BV,section=2.5": "roll",
    "WI-SBS|reinforcement=PY polyester,surface=PE,thickness=4,type=II": "m2",
    "DW-FIRE|height=2100,leaf=single,material=steel 钢质,rating=A1.00 乙级,width=1000": "piece",
    "ME-VALVE|actuator=gear 蜗轮,dn=100,end=wafer 对夹,pn=16": "piece",
}


@pytest.fixture
async def stocked(market: Market) -> Market:
    supplier = market.supplier()
    for key in ON_HAND:
        await market.offer(supplier, key, available="100000", min_quantity="1")
    await market.follow()
    return market


async def test_a_material_list_as_sites_write_it_is_matched(stocked: Market):
    """Names and properties in Chinese, units by their Chinese names, some lines by key."""
    lines: list[tuple[dict[str, Any], str]] = [
        ({"code": "RB-HRB", "text": "热轧带肋钢筋", "properties": {"牌号": "HRB400E", "公称直径": "12",
          "定尺长度": "9"}, "quantity": "18.5", "unit": "吨"}, "RB-HRB|diameter=12,grade=HRB400E,length=9"),
        ({"code": "RB-HRB", "properties": {"牌号": "HRB400E", "公称直径": "20", "定尺长度": "12"}, "quantity": "780",
          "unit": "根"}, BAR),
        ({"code": "RB-COIL|diameter=8,grade=HRB400E", "quantity": "12", "unit": "吨"},
         "RB-COIL|diameter=8,grade=HRB400E"),
        ({"text": "钢筋机械连接套筒", "properties": {"型式": "直螺纹", "钢筋直径": "25", "接头等级": "I"},
          "quantity": "1200", "unit": "个"}, "RB-COUPLER|bar_dia=25,joint_grade=I,kind=straight thread 直螺纹"),
        ({"code": "CN-RMC", "text": "预拌混凝土", "properties": {"强度等级": "C30", "坍落度": "180"},
          "quantity": "262.5", "unit": "m³"}, "CN-RMC|slump=180,strength=C30"),
        ({"code": "CN-MOR", "text": "预拌砂浆", "properties": {"品种": "砌筑", "强度等级": "M5", "包装": "散装"},
          "quantity": "36", "unit": "吨"}, "CN-MOR|form=silo bulk 散装,kind=DM masonry 砌筑,strength=M5"),
        ({"text": "加气块 600×200×240 A3.5 B06", "quantity": "185", "unit": "立方米"},
         "WL-AAC|density=B06,height=240,length=600,strength=A3.5,width=200"),
        ({"text": "聚氯乙烯绝缘电线", "properties": {"型号": "BV", "截面": "2.5", "颜色": "red"}, "quantity": "120",
          "unit": "卷"}, "ME-WIRE|colour=red,model=BV,section=2.5"),
        ({"text": "4mm SBS防水卷材 II型 PE PY", "quantity": "1250", "unit": "㎡"},
         "WI-SBS|reinforcement=PY polyester,surface=PE,thickness=4,type=II"),
        ({"text": "防火门 乙级 钢质 1000×2100 单扇", "quantity": "46", "unit": "樘"},
         "DW-FIRE|height=2100,leaf=single,material=steel 钢质,rating=A1.00 乙级,width=1000"),
    ]  # fmt: skip
    matched = await stocked.match(*(line for line, _ in lines), region="110105")
    for (line, key), answer in zip(lines, matched, strict=True):
        assert answer["status"] == "matched", (line, answer["problems"], answer["candidates"][:1])
        best = answer["candidates"][0]
        assert (best["variant_key"], best["complete"]) == (key, True)
        assert best["offers"][0]["fits"]
        assert best["offers"][0]["unit"] == ON_HAND[key]
        assert float(best["score"]) >= 0.95


async def test_the_worked_examples_of_the_domain(stocked: Market):
    full, open_, other = await stocked.match(
        {"text": "钢筋 三级抗震 Φ20 12米", "quantity": "1", "unit": "吨"},
        {"text": "螺纹钢 20", "quantity": "100", "unit": "根"},
        {"text": "HRB400 Φ20 12m 螺纹钢", "quantity": "1", "unit": "吨"},
    )
    assert (full["status"], full["candidates"][0]["variant_key"]) == ("matched", BAR)
    assert float(full["candidates"][0]["score"]) >= 0.95
    assert open_["status"] == "ambiguous"
    missing = {each["property"] for each in open_["candidates"][0]["reasons"] if each["code"] == "Missing"}
    assert missing == {"grade", "length"}
    assert float(open_["candidates"][0]["score"]) < 0.95
    assert [each["variant_key"] for each in other["candidates"]] == ["RB-HRB|diameter=20,grade=HRB400,length=12"]


async def test_what_a_line_does_not_say_is_told_and_the_plainest_variant_goes_first(stocked: Market):
    plain, pumped, valve = await stocked.match(
        {"text": "C30 混凝土 坍落度180", "quantity": "60", "unit": "方"},
        {"text": "C30 P6 泵送", "quantity": "60", "unit": "立方米"},
        {"text": "DN100 PN16", "quantity": "4", "unit": "个"},
    )
    assert [each["variant_key"] for each in plain["candidates"]] == [
        "CN-RMC|slump=180,strength=C30",
        "CN-RMC|impermeability=P6,slump=180,strength=C30",
    ]
    assert (plain["status"], plain["candidates"][1]["complete"]) == ("matched", False)
    assert "NotAsked" in [each["code"] for each in plain["candidates"][1]["reasons"]]
    assert (pumped["status"], pumped["candidates"][0]["variant_key"]) == (
        "ambiguous",
        "CN-RMC|impermeability=P6,slump=180,strength=C30",
    )
    assert valve["candidates"][0]["variant_key"].startswith("ME-VALVE")
    assert valve["status"] == "ambiguous"


async def test_a_unit_that_does_not_convert_is_a_hard_stop(stocked: Market):
    (line,) = await stocked.match({"code": BAR, "quantity": "1", "unit": "m2"})
    assert (line["status"], line["candidates"][0]["score"]) == ("unmatched", "0.00")
    assert "UnitNotConvertible" in [each["code"] for each in line["candidates"][0]["reasons"]]


async def test_a_variant_that_nobody_offers_there_is_named_and_said_to_be_unavailable(stocked: Market):
    (line,) = await stocked.match({"code": BAR.replace("20", "50"), "quantity": "1", "unit": "t"})
    best = line["candidates"][0]
    assert (line["status"], best["variant"], best["complete"]) == ("unavailable", None, True)
    assert best["name_zh"] == "热轧带肋钢筋(直条) HRB400E Φ50 12m"
    assert "NotOffered" in [each["code"] for each in best["reasons"]]


async def test_offers_that_do_not_fit_say_why_and_go_last(market: Market):
    supplier = market.supplier()
    small = await market.offer(supplier, BAR, price="3100", min_quantity="500", available="1000")
    slow = await market.offer(supplier, BAR, price="3150", lead_time_days=3000, available="1000")
    good = await market.offer(supplier, BAR, price="3200", available="1000")
    await market.follow()
    (line,) = await market.match({"code": BAR, "quantity": "10", "unit": "t", "need_by": "2027-06-01"})
    offers = line["candidates"][0]["offers"]
    assert [offer["offer_id"] for offer in offers] == [good["offer_id"], small["offer_id"], slow["offer_id"]]
    assert [[each["code"] for each in offer["misfits"]] for offer in offers] == [
        [], ["BelowMinimum"], ["NeedByTooEarly"],
    ]  # fmt: skip
    (line,) = await market.match({"code": BAR, "quantity": "5000", "unit": "t"})
    assert line["status"] == "unavailable"


async def test_each_line_has_its_own_region(market: Market):
    north, south = market.supplier("北", regions=["11"]), market.supplier("南", regions=["44"])
    await market.offer(north, BAR)
    await market.offer(south, BAR)
    await market.follow()
    line = {"code": BAR, "quantity": "1", "unit": "t"}
    lines = await market.match({**line, "region": "110105"}, {**line, "region": "440100"}, line, region="310000")
    names = [[offer["supplier_name"] for offer in each["candidates"][0]["offers"]] for each in lines]
    assert names == [["北"], ["南"], []]


async def test_a_line_that_is_not_understood_says_so(stocked: Market):
    lines = await stocked.match(
        {"text": "木工板", "quantity": "1", "unit": "张"},
        {"code": "XX-NONE|a=b", "quantity": "1", "unit": "t"},
        {"code": "RB-HRB|diameter=21", "quantity": "1", "unit": "t"},
        {"code": "RB-HRB", "properties": {"diameter": "21"}, "quantity": "1", "unit": "t"},
        {"code": "4711", "text": "螺纹钢 Φ20 HRB400E 12m", "quantity": "1", "unit": "t"},
        {"code": BAR, "quantity": "1", "unit": "stone"},
        {"quantity": "1", "unit": "t"},
        {"code": "RB-HRB", "properties": {"diameter": "20", "brand": "北河"}, "quantity": "1", "unit": "t"},
    )
    assert [line["status"] for line in lines] == [
        "unmatched", "unmatched", "unmatched", "unmatched", "matched", "unmatched", "unmatched", "ambiguous",
    ]  # fmt: skip
    codes = [[problem["code"] for problem in line["problems"]] for line in lines]
    assert codes[:7] == [
        ["NotRead"], ["UnknownType"], ["ValueNotAllowed", "MissingIdentityProperty", "MissingIdentityProperty"],
        ["ValueNotAllowed"], ["UnknownType"], ["UnknownUnit"], ["NotRead"],
    ]  # fmt: skip
    assert codes[7] == ["NotAnIdentityProperty"]


async def test_an_ifc_class_finds_its_type(stocked: Market):
    (line,) = await stocked.match(
        {"code": "IfcReinforcingBar.NOTDEFINED", "text": "HRB400E Φ20 12m", "quantity": "1", "unit": "t"}
    )
    assert line["candidates"][0]["variant_key"] == BAR


async def test_properties_alone_are_enough_when_they_say_all(stocked: Market):
    properties = {"grade": "HRB400E", "diameter": "20", "length": "12"}
    (line,) = await stocked.match({"properties": properties, "quantity": "1", "unit": "t"})
    assert line["candidates"][0]["variant_key"] == BAR


async def test_candidates_and_offers_are_as_many_as_asked(market: Market):
    supplier = market.supplier()
    for diameter in (12, 14, 16, 18, 20, 22):
        for _ in range(3):
            await market.offer(supplier, f"RB-HRB|diameter={diameter},grade=HRB400E,length=12")
    await market.follow()
    (line,) = await market.match({"text": "螺纹钢 HRB400E", "quantity": "1", "unit": "t"}, candidates=4, offers=2)
    assert len(line["candidates"]) == 4
    assert [(len(each["offers"]), each["offers_count"]) for each in line["candidates"]] == [(2, 3)] * 4


async def test_what_is_meant_for_others_is_not_offered(market: Market):
    friend = a_person(Role.BUYER)
    assert friend.company_id
    await market.offer(market.supplier(), BAR, audience=Audience.PARTIES, ids=[friend.company_id])
    await market.follow()
    line = {"text": "HRB400E Φ20 12m 螺纹钢", "quantity": "1", "unit": "t"}
    assert (await market.match(line, as_=friend))[0]["status"] == "matched"
    (hidden,) = await market.match(line)
    assert hidden["status"] == "unavailable"
    assert hidden["candidates"][0]["offers"] == []


async def test_five_hundred_lines_are_one_call_and_one_more_is_refused(stocked: Market):
    line = {"text": "螺纹钢 Φ20 HRB400E 12m", "quantity": "1", "unit": "t"}
    lines = await stocked.match(*[line] * 500)
    assert {each["status"] for each in lines} == {"matched"}
    assert [each["line"] for each in lines] == list(range(500))
    answer = await stocked.http.post("/catalog/match", json={"lines": [line] * 501}, headers=signed_in(stocked.buyer))
    assert (answer.status_code, answer.json()["code"]) == (422, "MalformedRequest")


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": "0"},
        {"quantity": 1.5},
        {"unit": ""},
        {"text": "x" * 201},
        {"text": "a\x00b"},
        {"code": "RB\x00"},
        {"region": "Beijing"},
        {"need_by": "soon"},
        {"colour": "red"},
        {"properties": {"diameter": 12.7}},
    ],
)
async def test_a_malformed_line_is_told_by_its_place(http: httpx.AsyncClient, change):
    lines = [{"code": BAR, "quantity": "1", "unit": "t"}, {"code": BAR, "quantity": "1", "unit": "t", **change}]
    answer = await http.post("/catalog/match", json={"lines": lines}, headers=signed_in(a_person(Role.BUYER)))
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "MalformedRequest")
    assert problem["errors"][0]["field"].startswith("lines.1.")


async def test_only_who_is_signed_in_matches(http: httpx.AsyncClient):
    lines = [{"code": BAR, "quantity": "1", "unit": "t"}]
    assert (await http.post("/catalog/match", json={"lines": lines})).status_code == 401
