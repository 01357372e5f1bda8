"""Words into tokens, and lines into values."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog.components.rules import identity_of, parsed_key
from services.catalog.search.corrections import distance
from services.catalog.search.dictionary import Dictionary
from services.catalog.search.documents import value_tokens, variant_tokens
from services.catalog.search.places import region_heads, regions_around
from services.catalog.search.reading import Vocabulary
from services.catalog.search.understanding import code_words, corrected, known_only, tokens_of_codes, understood
from services.catalog.search.values import read_values
from services.catalog.search.words import asked, indexed
from tests.catalog.conftest import BAR, definitions


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("HRB400E 20 螺纹", ("hrb400e", "20", "螺纹")),
        ("钢筋 三级抗震 Φ20 12米", ("钢筋", "三级", "级抗", "抗震", "φ20", "12m")),
        ("直径 20 钢筋", ("φ20", "钢筋")),
        ("DN 100  PN16", ("dn100", "pn16")),
        ("BV 2.5mm²", ("bv", "2.5mm2")),
        ("BV 2.5平方", ("bv", "2.5mm2")),
        ("Q355B H400×200×8×13", ("q355b", "h400x200x8x13")),
        ("ＨＲＢ４００Ｅ　２０", ("hrb400e", "20")),
        ("20.0 020", ("20",)),
        ("Precast Slabs 60 mm", ("precast", "slab", "60mm")),
        ("hot-rolled bars", ("hot", "rolled", "bar")),
        ("砂", ("砂",)),
        ("4x25+1x16", ("4x25+1x16",)),
        ("RB-HRB", ("rb", "hrb")),
        ("; DROP TABLE variants; --", ("drop", "table", "variant")),
        ("(((.*)*)*)", ()),
        ("!@#$%^&*", ()),
        ("", ()),
    ],
)
def test_a_query_is_read_into_tokens(text, tokens):
    assert asked(text).tokens == tokens


@pytest.mark.parametrize(
    ("value", "tokens"),
    [
        ("6.2m", {"6.2m"}),
        ("φ6.5", {"φ6.5"}),
        ("d21.6", {"d21.6"}),
        ("P.O", {"p.o", "p", "o", "po"}),
        ("0.6/1kV", {"0.6/1kv", "0.6", "1kv"}),
        ("YJV-0.6/1kV", {"yjv-0.6/1kv", "yjv", "0.6", "1kv", "yjv0.61kv"}),
        ("GB/T 1499.2", {"gb1499.2", "gb1499", "2"}),
    ],
)
def test_a_value_is_found_by_its_parts_and_a_number_as_a_whole(value: str, tokens: set[str]):
    assert indexed(value) == tokens


@given(st.text(max_size=200))
def test_any_text_is_read_and_finds_itself(text):
    assert set(asked(text).tokens) <= indexed(text)


DICTIONARY = Dictionary(definitions())
BY_CODE = {"IfcReinforcingBar": ["RB-HRB"], "IfcReinforcingBar.NOTDEFINED": ["RB-HRB"], "RB-HRB": ["RB-HRB"]}


def finds(words: str, key: str) -> bool:
    """Whether a variant is all that a search says; codes as the database would tell them."""
    parts = parsed_key(key)
    assert isinstance(parts, tuple)
    definition = definitions()[parts[0]]
    tokens = variant_tokens(definition, identity_of(definition, parts[1])[0])
    codes = {word: BY_CODE[each] for word in code_words(words) for each in BY_CODE if each.lower() == word.lower()}
    query = understood(words, DICTIONARY)
    groups = DICTIONARY.groups(query, among=[definition.code], codes=tokens_of_codes(codes), every=True)
    return any(group.holds(tokens) and not group.near for group in groups)


@pytest.mark.parametrize(
    "words",
    ["HRB400E 20 螺纹", "螺纹钢 Φ20", "rebar 20", "钢筋 三级抗震 Φ20 12米", "热轧带肋 HRB400E", "ribbed bars 12m",
     "RB-HRB", "rb-hrb 20mm", "IfcReinforcingBar", "IfcReinforcingBar.NOTDEFINED", "d20", "φ20 12000mm"],
)  # fmt: skip
def test_a_bar_is_found_by_all_it_is_called(words):
    assert finds(words, BAR)


@pytest.mark.parametrize("words", ["HRB400", "φ25", "盘螺", "9m", "01", "concrete"])
def test_a_bar_is_not_found_by_what_it_is_not(words):
    assert not finds(words, BAR)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("ST-H|grade=Q355B,length=12,series=HN,spec=400x200x8x13", "H型钢 HN400×200×8×13"),
        ("ST-H|grade=Q355B,length=12,series=HN,spec=400x200x8x13", "H beam 400x200"),
        ("ST-H|grade=Q355B,length=12,series=HN,spec=400x200x8x13", "HN400x200 Q355B"),
        ("ME-VALVE|actuator=lever,dn=100,end=wafer,pn=16", "蝶阀 DN100 PN16 对夹"),
        ("ME-WIRE|colour=red,model=BV,section=2.5", "BV 2.5mm² 红"),
        ("PC-SLAB|direction=DBS,piece_mark=1,precast_t=60,span=3600,strength=C30,type_mark=1,width=2000",
         "叠合板 3.6m"),
        ("PC-SLAB|direction=DBS,piece_mark=1,precast_t=60,span=3600,strength=C30,type_mark=1,width=2000",
         "precast slab 60mm"),
        ("CN-RMC|impermeability=P6,slump=180,strength=C30", "C30 P6 泵送"),
        ("ME-GSP|dn=100,wall=4,zinc=true", "镀锌钢管 DN100"),
    ],
)  # fmt: skip
def test_others_are_found_by_what_they_are_called(key, words):
    assert finds(words, key)


VOCABULARY = Vocabulary(list(definitions().values()))


@pytest.mark.parametrize(
    ("text", "type_code", "values"),
    [
        ("钢筋 三级抗震 Φ20 12米", "RB-HRB", {"grade": "HRB400E", "diameter": "20", "length": "12"}),
        ("螺纹钢 20", "RB-HRB", {"diameter": "20"}),
        ("C30 P6 泵送", "CN-RMC", {"strength": "C30", "impermeability": "P6"}),
        ("商砼 C35 坍落度180", "CN-RMC", {"strength": "C35", "slump": "180"}),
        ("DN100 PN16", "ME-VALVE", {"dn": "100", "pn": "16"}),
        ("Q355B H400×200×8×13", "ST-H", {"grade": "Q355B", "spec": "400x200x8x13"}),
        ("HN400×200×8×13 Q355B 12m", "ST-H",
         {"series": "HN", "grade": "Q355B", "spec": "400x200x8x13", "length": "12"}),
        ("BV 2.5mm²", "ME-WIRE", {"model": "BV", "section": "2.5"}),
        ("叠合板 3.6m", "PC-SLAB", {"span": "3600"}),
        ("蒸压加气混凝土砌块 600×200×240 A3.5 B06", "WL-AAC",
         {"strength": "A3.5", "density": "B06", "length": "600", "width": "200", "height": "240"}),
        ("48.3×3.6 架子管 6m", "FS-TUBE", {"spec": "48.3x3.6", "length": "6"}),
        ("P.O 42.5 水泥 袋装", "CN-CEM", {"kind": "P.O", "strength": "42.5", "form": "bag 袋装"}),
        ("P.O 42.5R 水泥", "CN-CEM", {"kind": "P.O", "strength": "42.5R"}),
        ("电缆 WDZ-YJY 4×25+1×16", "ME-CABLE", {"model": "WDZ-YJY", "cores": "4x25+1x16"}),
        ("防火门 乙级 钢质 1000×2100 单扇", "DW-FIRE",
         {"material": "steel 钢质", "rating": "A1.00 乙级", "leaf": "single", "width": "1000", "height": "2100"}),
        ("直螺纹套筒 Φ25 I级", "RB-COUPLER", {"kind": "straight thread 直螺纹", "bar_dia": "25", "joint_grade": "I"}),
        ("M20×70 高强螺栓 10.9S 大六角", "ST-BOLT",
         {"kind": "large hex 大六角头", "class": "10.9S", "diameter": "M20", "length": "70"}),
        ("H beam Q355B", "ST-H", {"grade": "Q355B"}),
        ("盘螺 8 HRB400E", "RB-COIL", {"grade": "HRB400E", "diameter": "8"}),
    ],
)  # fmt: skip
def test_a_line_is_read_as_a_person_would(text, type_code, values):
    best = VOCABULARY.readings(text)[0]
    assert (best.definition.code, dict(best.known)) == (type_code, values)


@pytest.mark.parametrize("text", ["木工板", "asdf qwer", "", "。。。", "'; DROP TABLE x; --"])
def test_a_line_that_means_nothing_here_is_not_guessed_at(text):
    assert not any(reading.known for reading in VOCABULARY.readings(text))


@given(st.text(max_size=120))
def test_any_line_is_read_without_fault_and_only_into_allowed_values(text):
    for reading in VOCABULARY.readings(text):
        assert identity_of(reading.definition, reading.known, partial=True) == (dict(sorted(reading.known.items())), [])


def test_regions_hold_what_lies_in_them():
    assert region_heads(["110000", "110100", "110105", "51"]) == ["11", "1101", "110105", "51"]
    assert regions_around("110105") == ["11", "1101", "110105"]
    assert regions_around("51") == ["51"]


def test_where_two_chinese_words_meet_is_no_word():
    assert understood("钢筋三级抗震", DICTIONARY).tokens == ("钢筋", "三级", "级抗", "抗震")
    assert finds("螺纹钢三级抗震", BAR)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("rebra", "rebar"),
        ("precsat slab", "precast slab"),
        ("落纹钢 20", "螺纹钢 20"),
        ("HRB4O0E 20", "hrb400e 20"),
        ("concret", "concrete"),
    ],
)
def test_a_mistyped_word_is_taken_for_the_nearest_one(typed, meant):
    text, corrections = corrected(typed, DICTIONARY)
    assert text == meant
    assert corrections


@pytest.mark.parametrize("words", ["HRB400E 20 螺纹", "DN105", "φ21", "xy", "zzzzzz", "12", "HRB410E", "", "螺纹钢 20"])
def test_what_is_known_or_near_to_nothing_or_another_number_is_left_as_it_is(words):
    assert corrected(words, DICTIONARY)[1] == []


@given(st.text(max_size=200))
def test_any_text_is_corrected_in_bounded_steps(text):
    fixed, corrections = corrected(text, DICTIONARY)
    assert len(corrections) <= len(fixed.split())


@given(st.text(alphabet="abcd", max_size=8), st.text(alphabet="abcd", max_size=8))
def test_the_distance_is_that_of_the_other_way_round_and_zero_only_for_the_same(one, other):
    there, back = distance(one, other, at_most=2), distance(other, one, at_most=2)
    assert there == back
    assert (there == 0) == (one == other)


@pytest.mark.parametrize(
    ("code", "text", "stated"),
    [
        (
            "PC-SLAB",
            "DBS1-67-3620-31",
            {"direction": "two-way DBS", "precast_t": "60", "span": "3600", "width": "2000"},
        ),
        ("PC-SLAB", "DBS1-67-3620-31 跨度3900", {"span": "3900", "width": "2000"}),
        ("PC-STAIR", "JT-28-25", {"flights": "single 剪刀", "storey_h": "2800"}),
        ("ST-RHS", "方管 100×100 壁厚5", {"spec": "100x100x5"}),
        ("WL-AAC", "200厚加气块", {"width": "200"}),
        ("CN-PILE", "PHC500AB", {"kind": "PHC", "od": "500", "model": "AB"}),
    ],
)
def test_what_the_trade_writes_short_is_read(code: str, text: str, stated: dict[str, str]):
    assert stated.items() <= read_values(definitions()[code], text).known.items()


def test_the_less_is_missed_the_nearer_a_group_and_no_variant_is_in_two():
    groups = DICTIONARY.groups(understood("HRB400E Φ20 12米", DICTIONARY), among=["RB-HRB"], codes={}, every=True)
    wanted = {"grade": "HRB400E", "diameter": "20", "length": "12"}
    scores = {}
    for grade, diameter, length in product(("HRB400E", "HRB400", "HRB500"), ("20", "25"), ("12", "9")):
        values = {"grade": grade, "diameter": diameter, "length": length}
        holding = [group for group in groups if group.holds(variant_tokens(definitions()["RB-HRB"], values))]
        assert len(holding) <= 1
        scores[grade, diameter, length] = (holding[0].score, holding[0].near) if holding else (0, True)
    assert [key for key, (_, near) in scores.items() if not near] == [tuple(wanted.values())]
    ordered = [("HRB400E", "20", "12"), ("HRB400E", "20", "9"), ("HRB500", "20", "12"), ("HRB400E", "25", "12")]
    assert sorted(ordered, key=lambda key: -scores[key][0]) == ordered
    assert scores["HRB400", "20", "12"] > scores["HRB500", "20", "12"]  # with an E more or less it is nearly the grade


@pytest.mark.parametrize(
    ("written", "meant"),
    [("沙子", "砂子"), ("建筑模版", "建筑模板"), ("Q345B 钢板", "Q355B 钢板"), ("20厚钢板", "20 钢板")],
)
def test_other_ways_to_write_the_same_are_the_same(written: str, meant: str):
    assert understood(written, DICTIONARY).tokens == understood(meant, DICTIONARY).tokens


def test_how_many_are_wanted_is_no_value():
    query = known_only(understood("采购C30混凝土200方", DICTIONARY), "采购C30混凝土200方", DICTIONARY)
    (group,) = DICTIONARY.groups(query, among=["CN-RMC"], codes={}, every=True)[:1]
    assert group.wanted == ("@CN-RMC", "strength=C30")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("鋼筋 鍍鋅鋼管", "钢筋 镀锌钢管"),
        ("混泥土", "混凝土"),
        ("rebars", "rebar"),
        ("steel channels", "steel channel"),
        ("BV2.5", "BV 2.5"),
        ("glass", "glass"),
    ],
)
def test_one_spelling_for_what_is_written_otherwise(written: str, meant: str):
    read, should = understood(written, DICTIONARY), understood(meant, DICTIONARY)
    assert read.tokens == should.tokens
    first, second = (
        [
            (group.type_code, group.wanted)
            for group in DICTIONARY.groups(each, among=DICTIONARY.definitions, codes={}, every=True)
        ]
        for each in (read, should)
    )
    assert first == second


@pytest.mark.parametrize(("typed", "meant"), [("plasterb", "plasterboard"), ("sprink", "sprinkler")])
def test_a_word_whose_end_was_not_typed_is_the_shortest_name_that_begins_so(typed: str, meant: str):
    assert corrected(typed, DICTIONARY)[0] == meant


def test_a_size_is_found_by_how_it_begins():
    section = next(each for each in DICTIONARY.definitions["WL-STUD"].identity if each.key == "section")
    assert {"75", "75x35"} <= value_tokens(section, "75x35")
    spec = next(each for each in DICTIONARY.definitions["MR-ANCHOR"].identity if each.key == "spec")
    assert {"m10", "m10x100"} <= value_tokens(spec, "M10x100")
    cores = next(each for each in DICTIONARY.definitions["ME-CABLE"].identity if each.key == "cores")
    assert "4" not in value_tokens(cores, "4x25")


@pytest.mark.parametrize(
    ("text", "key"), [("阻燃电缆 YJV 4x25", "fire"), ("角钢 Q235B", "shape"), ("不锈钢膨胀螺栓", "material")]
)
def test_a_word_for_several_values_leaves_them_open(text: str, key: str):
    [reading, *_] = Vocabulary(list(DICTIONARY.definitions.values())).readings(text)
    assert key not in reading.known, "it is asked for, never guessed"
