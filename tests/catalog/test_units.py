"""Units: exact factors from the taxonomy's formulas, conversion by them, clear refusals."""

from decimal import Decimal
from fractions import Fraction

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog.components.rules import identity_of, parsed_key
from services.catalog.components.taxonomy import read_taxonomy
from services.catalog.units.formulas import FormulaError, InputMissingError, evaluated, table_indices
from services.catalog.units.rules import (
    AltUnit,
    Factors,
    Measure,
    NotConvertibleError,
    TooPreciseError,
    UnknownUnitError,
    convert,
    factors_of,
    glass_thickness_mm,
    unit_named,
)
from tests.catalog.conftest import BAR, definitions, taxonomy_document

UNITS = {unit.code: unit for unit in read_taxonomy(taxonomy_document()).units}
TUBE = "FS-TUBE|length=6,spec=48.3x3.6"
BLOCK = "WL-AAC|density=B06,height=200,length=600,strength=A3.5,width=200"


def factors(key: str) -> tuple[str, Factors]:
    parts = parsed_key(key)
    assert isinstance(parts, tuple)
    definition = definitions()[parts[0]]
    values, faults = identity_of(definition, parts[1])
    assert not faults
    found = factors_of(
        base=definition.base_unit,
        alternatives=definition.alternatives,
        measures=definition.measures(values),
        tables=definition.tables,
    )
    return definition.base_unit, found


def converted(key: str, quantity: str, source: str, target: str) -> Decimal:
    base, found = factors(key)
    return convert(
        quantity=Decimal(quantity), source=source, target=target, factors=found, base=base, units=UNITS
    ).exact


@pytest.mark.parametrize(
    ("key", "quantity", "source", "target", "result"),
    [
        (BAR, "1", "piece", "kg", "29.64"),
        (BAR, "780", "piece", "t", "23.1192"),
        (BAR, "1", "t", "piece", "33.738191633"),
        ("RB-HRB|diameter=12,grade=HRB400E,length=9", "1", "piece", "kg", "7.992"),
        ("RB-HRB|diameter=25,grade=HRB400E,length=12", "600", "piece", "t", "27.72"),
        ("ST-PLATE|grade=Q355B,length=10,thickness=10,width=2", "1", "m2", "kg", "78.5"),
        ("CN-CEM|form=bag,kind=P.O,strength=42.5", "1", "t", "bag", "20"),
        (BLOCK, "1", "m3", "piece", "41.666666667"),
        ("DW-GLASS|build=10,lowe=none,tempered=true", "1", "m2", "kg", "25"),
        ("DW-GLASS|build=6Low-E+12A+6,lowe=single,tempered=true", "1", "m2", "kg", "30"),
        (TUBE, "1", "m", "kg", "3.97"),
        ("FS-TUBE|length=6,spec=48x3.0", "1", "m", "kg", "3.33"),
        ("ST-H|grade=Q355B,length=12,series=HN,spec=400x200x8x13", "1", "m", "kg", "65.4"),
        ("ST-SMLS|grade=20,od=159,t=6", "1", "m", "kg", "22.639257"),
        ("WI-EPS|density=20,fire=B1,thickness=50", "1", "m3", "kg", "20"),
        ("WI-EPS|density=20,fire=B1,thickness=50", "1", "m3", "m2", "20"),
        ("FN-TILE|kind=BIb,size=600x1200", "1", "piece", "m2", "0.72"),
        ("FS-PLY|facing=plain,size=1830x915,thickness=15", "1", "piece", "m2", "1.67445"),
        ("WL-CBLK|kind=hollow H,size=390x190x190,strength=MU10", "1", "piece", "m3", "0.014079"),
        ("WL-BRICK|kind=多孔,raw=页岩,size=240x115x90,strength=MU10", "1", "thousand", "m3", "2.484"),
        ("ME-CABLE|cores=4x25+1x16,fire=none,model=YJV", "1.5", "km", "m", "1500"),
        ("CN-GROUT|strength_28d=85,use=normal", "1", "bag", "kg", "25"),
        ("RB-STRAND|diameter=15.2,strength=1860,structure=1x7", "1", "m", "kg", "1.101"),
    ],
)
def test_the_conversions_used_every_day(key, quantity, source, target, result):
    """domain.md 2.6."""
    exact = converted(key, quantity, source, target)
    assert abs(exact - Decimal(result)) <= exact / 100_000


@pytest.mark.parametrize(
    ("key", "unit"),
    [
        (BAR, "bundle"),
        ("RB-STRAND|diameter=12.7,strength=1860,structure=1x7", "m"),
        ("CN-RMC|slump=180,strength=C30", "t"),
        ("WI-XPS|fire=B1,grade=X250,thickness=50", "t"),
        ("ST-SEC|grade=Q235B,shape=槽钢,spec=20", "m"),
        ("ST-H|grade=Q355B,length=12,series=HN,spec=999x200x8x13", "m"),
        ("DW-GLASS|build=6+secret+6,lowe=none,tempered=false", "t"),
        ("FS-ALU|panel_thickness=4,system=A", "m2_day"),
    ],
)
def test_what_only_the_supplier_knows_has_no_factor_and_says_so(key, unit):
    _, found = factors(key)
    assert unit not in found.base_per_unit
    assert found.not_convertible[unit].startswith("supplier data")


def test_a_number_that_happens_to_precede_another_is_no_table_entry():
    found = factors_of(
        base="t",
        alternatives=[AltUnit(unit="m", formula="kg_per_m[diameter] / 1000")],
        measures={"diameter": Measure(value="2", unit="mm"), "length": Measure(value="1", unit="m")},
        tables={"kg_per_m": {"12": Decimal("0.888")}},
    )
    assert "m" not in found.base_per_unit


@pytest.mark.parametrize(
    "formula",
    [
        "__import__('os').system('true')",
        "kg_per_m.__class__",
        "(lambda: 1)()",
        "2 ** 100000",
        "[1 for _ in x]",
        "sum of shape lengths * kg_per_m / 1000",
        "contract_volume_m3 of the type, rounded to 3 decimals",
        "'a' * 10",
        "True + 1",
        "1 / 0",
        "table[0]",
        "-1",
        "9" * 50,
        "1+" * 150 + "1",
    ],
)
def test_a_formula_is_arithmetic_and_nothing_else(formula):
    with pytest.raises((FormulaError, InputMissingError)):
        evaluated(formula, read_input=lambda _: Fraction(1), read_table=lambda *_: Fraction(1))


def test_a_formula_is_exact():
    value = evaluated(
        "(od_mm - t_mm) * t_mm * 0.0246615 / 1000",
        read_input={"od_mm": Fraction(159), "t_mm": Fraction(6)}.__getitem__,
        read_table=lambda *_: Fraction(0),
    )
    assert value == Fraction(153 * 6 * 246615, 10**10)
    assert table_indices("kg_per_m[spec] * length_m / 1000") == {("kg_per_m", "spec")}
    assert table_indices("words for people") == frozenset()


@pytest.mark.parametrize(
    ("build", "thickness"),
    [("6", "6"), ("6+12A+6", "12"), ("5Low-E+16Ar+5+0.76PVB+5", "15"), ("6mm+12A+6mm", "12"), ("mirror", None)],
)
def test_the_glass_in_a_build_up(build, thickness):
    assert glass_thickness_mm(build) == (None if thickness is None else Decimal(thickness))


@given(
    quantity=st.decimals(min_value="0.001", max_value="999999", places=3),
    pair=st.sampled_from([("t", "kg"), ("km", "m"), ("m", "piece"), ("piece", "t")]),
)
def test_there_and_back_gives_the_quantity(quantity, pair):
    _, found = factors(BAR)
    there = Fraction(quantity) * Fraction(found.base_per_unit[pair[0]]) / Fraction(found.base_per_unit[pair[1]])
    back = there * Fraction(found.base_per_unit[pair[1]]) / Fraction(found.base_per_unit[pair[0]])
    assert back == Fraction(quantity)


@given(st.decimals(min_value="0.001", max_value="9999999", places=3))
def test_tonnes_to_kilograms_and_back_is_exact(quantity):
    kilograms = converted(BAR, str(quantity), "t", "kg")
    assert kilograms == quantity * 1000
    assert Fraction(kilograms) / 1000 == Fraction(quantity)


def test_units_of_other_dimensions_are_refused_by_both_names():
    with pytest.raises(NotConvertibleError, match=r"t \(mass\).*m2 \(area\)"):
        converted(BAR, "1", "t", "m2")
    with pytest.raises(NotConvertibleError, match=r"bundle \(package\).*supplier data"):
        converted(BAR, "1", "bundle", "t")


def test_a_quantity_finer_than_its_unit_is_refused():
    with pytest.raises(TooPreciseError, match="piece takes at most 0"):
        converted(BAR, "1.5", "piece", "t")


@pytest.mark.parametrize(
    ("word", "codes"),
    [
        ("吨", ("t",)), ("根", ("piece",)), ("支", ("piece",)), ("件", ("piece",)), ("平方米", ("m2",)),
        ("㎡", ("m2",)), ("立方米", ("m3",)), ("米", ("m",)), ("袋", ("bag",)), ("卷", ("roll",)), ("套", ("set",)),
        ("个", ("piece",)), ("块", ("piece",)), ("樘", ("piece",)), ("箱", ("box",)), ("桶", ("drum",)),
        ("片", ("piece", "sheet")),
        ("TNE", ("t",)), ("kg", ("kg",)), ("公斤", ("kg",)), ("T", ("t",)), (" m3 ", ("m3",)), ("千块", ("thousand",)),
    ],
)  # fmt: skip
def test_units_go_by_many_names(word, codes):
    assert unit_named(word, units=UNITS) == codes


@pytest.mark.parametrize("word", ["", " ", "stone", "吨吨", "x" * 500])
def test_a_word_that_names_no_unit_is_told(word):
    with pytest.raises(UnknownUnitError):
        unit_named(word, units=UNITS)


async def ask(http: httpx.AsyncClient, **body: str) -> httpx.Response:
    return await http.post("/catalog/convert", json={"variant": BAR, "quantity": "1", "from": "根", "to": "kg", **body})


async def test_anybody_may_convert_by_any_spelling(http: httpx.AsyncClient):
    answer = await ask(http, variant="rb-hrb|直径=1", quantity="780")
    assert answer.json()["code"] == "UnknownProperty"
    answer = await ask(http, variant="rb-hrb|公称直径=Φ20,牌号=hrb400e,length=12m", quantity="780", to="TNE")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["quantity"], body["exact"], body["unit"], body["variant"]) == ("23.119", "23.1192", "t", BAR)
    assert (body["base_quantity"], body["base_unit"]) == ("23.119", "t")
    assert body["factors"] == {"piece": "0.02964", "t": "1"}
    assert "bundle" in body["not_convertible"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"to": "m2"}, 409, "UnitNotConvertible"),
        ({"from": "捆"}, 409, "UnitNotConvertible"),
        ({"to": "stone"}, 422, "UnknownUnit"),
        ({"quantity": "0.5"}, 422, "QuantityTooPrecise"),
        ({"quantity": "0"}, 422, "MalformedRequest"),
        ({"quantity": "-1"}, 422, "MalformedRequest"),
        ({"quantity": "NaN"}, 422, "MalformedRequest"),
        ({"quantity": 1.5}, 422, "MalformedRequest"),
        ({"variant": "nonsense"}, 422, "VariantKeyMalformed"),
        ({"variant": "XX-NONE|a=b"}, 422, "UnknownType"),
        ({"variant": "RB-HRB|diameter=21,grade=HRB400E,length=12"}, 422, "ValueNotAllowed"),
        ({"variant": "RB-HRB|\u0000"}, 422, "MalformedRequest"),
    ],
)
async def test_a_conversion_that_cannot_be_is_refused_with_its_reason(http: httpx.AsyncClient, change, status, code):
    answer = await ask(http, **change)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_units_are_listed_with_names_and_places(http: httpx.AsyncClient):
    units = {each["code"]: each for each in (await http.get("/catalog/units")).json()}
    assert units["t"] == {"code": "t", "names_zh": ["吨"], "unece": "TNE", "dimension": "mass", "decimals": 3}
    assert units["bag"]["unece"] is None
    assert len(units) == 21
