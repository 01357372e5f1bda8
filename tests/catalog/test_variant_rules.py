"""Values, keys and names of variants: one spelling each."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog.components.naming import names_of
from services.catalog.components.rules import (
    Fault,
    FaultCode,
    Kind,
    Property,
    PropertyError,
    aliases_of,
    canonical_number,
    canonical_text,
    canonical_value,
    halves,
    identity_of,
    parsed_key,
    variant_key,
)
from services.catalog.components.variants import spec_hash
from tests.catalog.conftest import BAR, a_valid_choice, definitions

BAR_VALUES = {"diameter": "20", "grade": "HRB400E", "length": "12"}


def values_of(type_code: str, **given: object) -> dict[str, str]:
    values, faults = identity_of(definitions()[type_code], given)
    assert faults == [], faults
    return values


def faults_of(type_code: str, **given: object) -> list[tuple[str, str]]:
    return [(fault.code, fault.field) for fault in identity_of(definitions()[type_code], given)[1]]


@pytest.mark.parametrize(
    "diameter", ["20", 20, "20.0", "Φ20", "φ 20", "20mm", "20 毫米", "2cm", "２０", "0.02m", "020"]
)
def test_a_number_is_understood_however_it_is_written(diameter):
    assert values_of("RB-HRB", **{**BAR_VALUES, "diameter": diameter}) == BAR_VALUES


@pytest.mark.parametrize("length", ["12", "12m", "12米", "12000mm", "12.000"])
def test_a_length_is_converted_exactly(length):
    assert values_of("RB-HRB", **{**BAR_VALUES, "length": length}) == BAR_VALUES


@pytest.mark.parametrize("kind", ["straight thread 直螺纹", "直螺纹", "straight thread", "STRAIGHT THREAD", "straight"])
def test_an_allowed_value_is_understood_by_either_half(kind):
    values = values_of("RB-COUPLER", kind=kind, bar_dia="25", joint_grade="i")
    assert values == {"kind": "straight thread 直螺纹", "bar_dia": "25", "joint_grade": "I"}


def test_properties_go_by_their_chinese_and_english_names_too():
    assert values_of("RB-HRB", 牌号="HRB400E", 公称直径="20", **{"cut length": "12"}) == BAR_VALUES


@pytest.mark.parametrize(
    "spec", ["400x200x8x13", "400×200×8×13", "HN400*200*8*13", "H400x200x8x13", " 400 x 200 x8x13"]
)
def test_a_section_has_one_spelling(spec):
    values = values_of("ST-H", series="HN", spec=spec, grade="Q355B", length="12")
    assert values["spec"] == "400x200x8x13"


def test_a_section_that_contradicts_its_series_is_refused():
    assert faults_of("ST-H", series="HN", spec="HW400x400x13x21", grade="Q355B", length="12") == [
        ("ValueNotAllowed", "properties.spec")
    ]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"colour": "red"}, "UnknownProperty", "properties.colour"),
        ({"brand": "北河"}, "NotAnIdentityProperty", "properties.brand"),
        ({"品牌/生产厂": "北河"}, "NotAnIdentityProperty", "properties.品牌/生产厂"),
        ({"grade": "HRB401"}, "ValueNotAllowed", "properties.grade"),
        ({"diameter": "21"}, "ValueNotAllowed", "properties.diameter"),
        ({"diameter": "thick"}, "WrongValueKind", "properties.diameter"),
        ({"diameter": "20kg"}, "WrongValueKind", "properties.diameter"),
        ({"diameter": True}, "WrongValueKind", "properties.diameter"),
        ({"grade": False}, "WrongValueKind", "properties.grade"),
        ({"公称直径": "20"}, "ValueNotAllowed", "properties.公称直径"),
        ({"diameter": "9" * 40}, "WrongValueKind", "properties.diameter"),
        ({"diameter": ""}, "WrongValueKind", "properties.diameter"),
    ],
)
def test_each_wrong_value_is_its_own_fault(change, code, field):
    assert faults_of("RB-HRB", **{**BAR_VALUES, **change}) == [(code, field)]


@pytest.mark.parametrize(
    ("thickness", "code"),
    [("2.9", "ValueOutOfRange"), ("151", "ValueOutOfRange"), ("-5", "ValueOutOfRange"), ("1e3", "WrongValueKind")],
)
def test_a_number_outside_its_range_is_refused(thickness, code):
    given = {"thickness": thickness, "width": "2", "length": "10", "grade": "Q355B"}
    assert faults_of("ST-PLATE", **given) == [(code, "properties.thickness")]


def test_a_whole_number_is_whole():
    assert faults_of("CN-RMC", strength="C30", slump="180.5") == [("WrongValueKind", "properties.slump")]
    assert values_of("CN-RMC", strength="c30", slump="180.0") == {"strength": "C30", "slump": "180"}


def test_everything_missing_is_told_at_once():
    assert faults_of("RB-HRB", grade="HRB400E") == [
        ("MissingIdentityProperty", "properties.diameter"),
        ("MissingIdentityProperty", "properties.length"),
    ]


def test_a_spoilt_value_is_not_told_as_missing_too():
    assert faults_of("RB-HRB", **{**BAR_VALUES, "diameter": "21"}) == [("ValueNotAllowed", "properties.diameter")]


@pytest.mark.parametrize("mark", ["a,b", "a=b", "a|b", "a\x00b", "a\nb", "", "   ", "x" * 101])
def test_text_that_would_break_a_key_is_refused(mark):
    ((code, field),) = faults_of("RB-TRUSS", model=mark, height="100", top_dia="8", bottom_dia="8")
    assert code in {"ValueNotAllowed", "ValueOutOfRange"}
    assert field == "properties.model"


def test_an_optional_value_is_left_out_or_stated():
    assert variant_key("CN-RMC", values_of("CN-RMC", strength="C30", slump="180")) == "CN-RMC|slump=180,strength=C30"
    stated = values_of("CN-RMC", strength="C30", slump="180", impermeability="none")
    assert variant_key("CN-RMC", stated) == "CN-RMC|impermeability=none,slump=180,strength=C30"


@pytest.mark.parametrize(
    "key", ["", "RB-HRB", "|a=b", "RB-HRB|a", "RB-HRB|=b", "RB-HRB|a=1,a=2", "RB-HRB|a=1,,b=2", "RB-HRB|" + "a" * 2000]
)
def test_what_is_no_key_is_told(key):
    fault = parsed_key(key)
    assert isinstance(fault, Fault)
    assert fault.code is FaultCode.MALFORMED_KEY


@pytest.mark.parametrize("code", sorted(definitions()))
@pytest.mark.parametrize("every", [True, False])
def test_a_key_read_back_is_the_same_key(code, every):
    definition = definitions()[code]
    values, faults = identity_of(definition, a_valid_choice(definition, every=every))
    assert faults == []
    key = variant_key(code, values)
    again = parsed_key(key)
    assert isinstance(again, tuple)
    assert identity_of(definition, again[1]) == (values, [])
    assert variant_key(again[0], values) == key
    zh, en = names_of(definition, values)
    assert zh.startswith(definition.name_zh)
    assert en.startswith(definition.name_en)


NUMBER = Property(key="n", name_zh="数", name_en="number", kind=Kind.DECIMAL, unit="mm")
TEXT = Property(key="s", name_zh="文", name_en="text", kind=Kind.STRING)


@given(st.decimals(min_value="-999999", max_value="999999", places=6))
def test_a_canonical_number_is_canonical_again_and_means_the_same(number):
    once = canonical_value(f"{number:f}", of=NUMBER)
    assert canonical_value(once, of=NUMBER) == once
    assert Decimal(once) == number
    assert canonical_number(Decimal(once)) == once


@given(st.text(max_size=60))
def test_a_canonical_text_is_canonical_again(text):
    try:
        once = canonical_value(text, of=TEXT)
    except PropertyError:
        return
    assert canonical_value(once, of=TEXT) == once
    assert not set(once) & set(",=|")


@given(st.dictionaries(st.sampled_from(["grade", "diameter", "length"]), st.text(max_size=20)))
def test_any_input_is_answered_by_values_or_faults(given_values):
    values, faults = identity_of(definitions()["RB-HRB"], given_values)
    assert faults or set(values) == {"grade", "diameter", "length"}


def test_the_order_of_properties_does_not_matter():
    assert variant_key("RB-HRB", dict(reversed(BAR_VALUES.items()))) == BAR


def test_a_specification_has_one_hash_per_type_version_and_values():
    one = spec_hash(type_code="RB-HRB", version=1, values=BAR_VALUES)
    assert one == spec_hash(type_code="RB-HRB", version=1, values=dict(reversed(BAR_VALUES.items())))
    assert one != spec_hash(type_code="RB-HRB", version=2, values=BAR_VALUES)
    assert one != spec_hash(type_code="RB-HRB", version=1, values={**BAR_VALUES, "length": "9"})


@pytest.mark.parametrize(
    ("key", "zh", "en"),
    [
        (BAR, "热轧带肋钢筋(直条) HRB400E Φ20 12m", "hot-rolled ribbed bar, straight HRB400E Φ20 12m"),
        (
            "RB-COUPLER|bar_dia=25,joint_grade=I,kind=straight thread 直螺纹",
            "钢筋机械连接套筒 直螺纹 Φ25 接头等级I",
            "mechanical rebar coupler straight thread Φ25 joint grade I",
        ),
        ("ME-VALVE|actuator=lever 手柄,dn=100,end=wafer 对夹,pn=16", "法兰/对夹蝶阀 DN100 PN16 对夹 手柄", None),
        ("ME-WIRE|colour=red,model=BV,section=2.5", "聚氯乙烯绝缘电线 BV 2.5mm² red", None),
        ("CN-RMC|impermeability=none,slump=180,strength=C30", "预拌混凝土 C30 坍落度180mm", None),
        ("ME-GSP|dn=100,wall=4,zinc=false", "低压流体输送用焊接钢管 DN100 4mm 不镀锌", None),
    ],
)
def test_names_read_like_the_trade_writes_them(key, zh, en):
    parts = parsed_key(key)
    assert isinstance(parts, tuple)
    definition = definitions()[parts[0]]
    names = names_of(definition, identity_of(definition, parts[1])[0])
    assert names[0] == zh
    assert en is None or names[1] == en


def test_halves_and_aliases_name_one_value_only():
    assert halves("straight thread 直螺纹") == ("straight thread", "直螺纹")
    assert halves("HRB400") == ("HRB400", "HRB400")
    words = aliases_of(["fire 耐火", "moisture+fire 耐水耐火", "same one", "same two"])
    assert words["耐火"] == words["fire"] == "fire 耐火"
    assert "same" not in words


def test_text_is_folded_once():
    assert canonical_text(" ＨＮ400×200 ") == "HN400x200"
