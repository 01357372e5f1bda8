"""How many base units one unit of a variant holds, and converting between them. Exact, rounded once (domain.md R7).

Three sources, in this order: what the type states (a number or a formula over identity properties), what physics
states (1 t = 1000 kg), and nothing: pieces per bundle are the supplier's own data, so no factor is given.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

from services.catalog.units.formulas import FormulaError, InputMissingError, evaluated
from shared.quantity import Unit, has_at_most, round_quantity

FACTOR_DECIMALS = 9
_FACTOR_STEP = Decimal(1).scaleb(-FACTOR_DECIMALS)
_EXACT = Context(prec=80, rounding=ROUND_HALF_UP)
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_SIZE = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:x[0-9]+(?:\.[0-9]+)?){1,2}")
_PANE = re.compile(r"([0-9]+(?:\.[0-9]+)?)(?:mm)?(?:Low-?E|T|TP|C|W|F|HS|钢化|白玻)?", re.IGNORECASE)
_CAVITY = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:mm)?A(?:r|ir)?", re.IGNORECASE)
_INTERLAYER = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:mm)?(?:PVB|SGP|EVA)", re.IGNORECASE)

_SCALES: Mapping[str, tuple[str, Fraction]] = {
    "t": ("mass", Fraction(1000)),
    "kg": ("mass", Fraction(1)),
    "km": ("length", Fraction(1000)),
    "m": ("length", Fraction(1)),
    "thousand": ("count", Fraction(1000)),
    "piece": ("count", Fraction(1)),
}
"""Units that physics relates. A set, a sheet or a bag holds what the type or the supplier says; pieces are counted in
thousands only where the type does so."""

_MEASURES: Mapping[str, tuple[str, Fraction]] = {
    "mm": ("length", Fraction(1, 1000)),
    "cm": ("length", Fraction(1, 100)),
    "m": ("length", Fraction(1)),
    "kg/m3": ("density", Fraction(1)),
    "t/m3": ("density", Fraction(1000)),
    "kg/m": ("linear density", Fraction(1)),
    "kg/m2": ("areal density", Fraction(1)),
}
_SUFFIXES = {"_" + unit.replace("/", "_per_"): unit for unit in _MEASURES}
"""`length_m` asks for metres, `density_kg_per_m3` for kg/m3, whatever unit the property itself has."""

_ALIASES: Mapping[str, tuple[str, ...]] = {
    "t": ("吨", "公吨", "mt", "ton", "tonne", "tonnes"),
    "kg": ("千克", "公斤", "kgs"),
    "m": ("米", "延米", "延长米", "metre", "meter"),
    "km": ("千米", "公里"),
    "m2": ("平方米", "平米", "平方", "m²", "㎡", "sqm"),
    "m3": ("立方米", "立方", "方", "m³", "㎥", "cbm"),
    "piece": (
        "件",
        "根",
        "支",
        "条",
        "个",
        "块",
        "樘",
        "只",
        "台",
        "扇",
        "把",
        "张",
        "片",
        "顶",
        "双",
        "盏",
        "榀",
        "节",
        "pcs",
        "pc",
        "ea",
        "each",
    ),
    "sheet": ("片", "张"),
    "set": ("套", "组", "副"),
    "bag": ("袋", "包"),
    "roll": ("卷",),
    "drum": ("桶",),
    "box": ("箱", "盒"),
    "bundle": ("捆", "扎"),
    "coil": ("盘",),
    "pallet": ("托", "托盘"),
    "thousand": ("千块", "千片"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class AltUnit:
    """Another unit of a type: base units in one of it as a number, as a formula, or unknown (supplier data)."""

    unit: str
    base_per_unit: Decimal | None = None
    formula: str | None = None
    only: Mapping[str, str] = field(default_factory=dict)
    """The number or formula holds for variants with these property values and for no others."""
    note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """A property's value with the property's own unit."""

    value: str
    unit: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Factors:
    """Base units in one unit, for every unit that converts; and why the others do not."""

    base_per_unit: Mapping[str, Decimal]
    not_convertible: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Converted:
    """A converted quantity: in base units, in the unit asked for, and what that was before rounding."""

    base_quantity: Decimal
    quantity: Decimal
    exact: Decimal


class UnknownUnitError(ValueError):
    """The text names no unit."""


class NotConvertibleError(ValueError):
    """The unit belongs to another dimension, or only the supplier knows what it holds."""


class TooPreciseError(ValueError):
    """The quantity has more decimal places than its unit is counted in."""


def factors_of(
    *,
    base: str,
    alternatives: Sequence[AltUnit],
    measures: Mapping[str, Measure],
    tables: Mapping[str, Mapping[str, Decimal]],
) -> Factors:
    """Every unit in which a variant with these measures can be counted."""
    exact: dict[str, Fraction] = {base: Fraction(1)}
    unknown: dict[str, str] = {}
    inputs = _with_derived(measures)
    for alternative in alternatives:
        try:
            exact[alternative.unit] = _stated(alternative, inputs, tables)
        except (InputMissingError, FormulaError) as reason:
            unknown[alternative.unit] = f"supplier data: {alternative.note or alternative.formula or reason}"
    mentioned = {base, *(alternative.unit for alternative in alternatives)}
    for unit, (dimension, scale) in _SCALES.items():
        if dimension == "count" and unit not in mentioned:
            continue
        relative = next(
            (known for known in exact if known != unit and _SCALES.get(known, ("", 0))[0] == dimension), None
        )
        if unit not in exact and relative is not None:
            exact[unit] = exact[relative] * scale / _SCALES[relative][1]
            unknown.pop(unit, None)
    rounded = {unit: decimal_of(factor, places=FACTOR_DECIMALS) for unit, factor in exact.items()}
    return Factors(
        base_per_unit={unit: factor for unit, factor in rounded.items() if factor > 0}, not_convertible=unknown
    )


def _stated(
    alternative: AltUnit, inputs: Mapping[str, Measure], tables: Mapping[str, Mapping[str, Decimal]]
) -> Fraction:
    for key, value in alternative.only.items():
        if key not in inputs or inputs[key].value != value:
            raise InputMissingError(f"known for {key}={value} only")
    if alternative.base_per_unit is not None:
        return Fraction(alternative.base_per_unit)
    if alternative.formula is None:
        raise InputMissingError(alternative.note or "not stated")
    return evaluated(
        alternative.formula,
        read_input=lambda name: _input(name, inputs),
        read_table=lambda table, name: _entry(table, name, inputs, tables),
    )


def _input(name: str, inputs: Mapping[str, Measure]) -> Fraction:
    if name in inputs:
        return _number(inputs[name].value)
    for suffix, wanted in _SUFFIXES.items():
        measure = inputs.get(name.removesuffix(suffix)) if name.endswith(suffix) else None
        if measure is not None:
            dimension, scale = _MEASURES.get(measure.unit or "", ("", Fraction(0)))
            if dimension != _MEASURES[wanted][0]:
                raise InputMissingError(f"{name} is asked in {wanted}, known in {measure.unit}")
            return _number(measure.value) * scale / _MEASURES[wanted][1]
    raise InputMissingError(f"{name} is not an identity property")


def _entry(
    table: str, name: str, inputs: Mapping[str, Measure], tables: Mapping[str, Mapping[str, Decimal]]
) -> Fraction:
    """A table's entry for a property; `400x200x8x13` also finds `HN400x200x8x13` when a property says HN."""
    if table not in tables or name not in inputs:
        raise InputMissingError(f"there is no {table} for {name}")
    value = inputs[name].value
    for prefix in ("", *(measure.value for measure in inputs.values() if measure.value.isalpha())):
        if (entry := tables[table].get(prefix + value)) is not None:
            return Fraction(entry)
    raise InputMissingError(f"{table} of {value} is not in the table")


def _with_derived(measures: Mapping[str, Measure]) -> Mapping[str, Measure]:
    """The measures and what follows from them: a size's edges, the glass in a build-up of panes."""
    derived: dict[str, Measure] = {}
    size = measures.get("size")
    if size is not None and size.unit is not None and _SIZE.fullmatch(size.value):
        edges = zip(("length", "width", "height"), size.value.split("x"), strict=False)
        derived |= {name: Measure(value=edge, unit=size.unit) for name, edge in edges}
    if "build" in measures and (glass := glass_thickness_mm(measures["build"].value)) is not None:
        derived["total_glass_thickness"] = Measure(value=str(glass), unit="mm")
    return {**derived, **measures}


def glass_thickness_mm(build: str) -> Decimal | None:
    """The glass alone in a build-up like `6Low-E+12A+6` or `5+0.76PVB+5`; None when a part is not understood."""
    total = Decimal(0)
    for part in build.replace(" ", "").split("+"):
        if pane := _PANE.fullmatch(part):
            total += Decimal(pane[1])
        elif not (_CAVITY.fullmatch(part) or _INTERLAYER.fullmatch(part)):
            return None
    return total or None


def _number(text: str) -> Fraction:
    if not _NUMBER.fullmatch(text):
        raise InputMissingError(f"{text} is not a number")
    return Fraction(text)


def decimal_of(value: Fraction, *, places: int) -> Decimal:
    """An exact ratio as a decimal of so many places, half up."""
    quotient = _EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))
    return quotient.quantize(Decimal(1).scaleb(-places), context=_EXACT)


def unit_named(text: str, *, units: Mapping[str, Unit]) -> tuple[str, ...]:
    """The units a word may mean, the likeliest first: a code, a UN/ECE code, or a word of the trade.

    Raises:
        UnknownUnitError: none.
    """
    word = text.strip()
    if word in units:
        return (word,)
    lower = word.lower() or "?"
    found = [
        code
        for code, unit in units.items()
        if lower in (code, unit.unece.lower()) or word in unit.name_zh.split("/") or lower in _ALIASES.get(code, ())
    ]
    if not found:
        raise UnknownUnitError(f"{text!r} is no unit; known are {', '.join(units)} and their Chinese names.")
    return tuple(found)


def convert(
    *, quantity: Decimal, source: str, target: str, factors: Factors, base: str, units: Mapping[str, Unit]
) -> Converted:
    """A quantity in another unit of the same variant, by the factors an order line would freeze.

    Raises:
        NotConvertibleError, TooPreciseError: see the classes; the text names both units and their dimensions.
    """
    for code in (source, target):
        if code not in factors.base_per_unit:
            raise NotConvertibleError(_why_not(code, source, target, factors=factors, base=base, units=units))
    decimals = units[source].decimals
    if not has_at_most(quantity, decimals):
        raise TooPreciseError(f"{source} takes at most {decimals} decimal places; {quantity} has more.")
    in_base = Fraction(quantity) * Fraction(factors.base_per_unit[source])
    exact = Fraction(quantity) if source == target else in_base / Fraction(factors.base_per_unit[target])
    fine = decimal_of(exact, places=FACTOR_DECIMALS)
    return Converted(
        base_quantity=decimal_of(in_base, places=units[base].decimals),
        quantity=round_quantity(decimal_of(exact, places=units[target].decimals), units[target].decimals),
        exact=Decimal(format(fine.normalize(_EXACT), "f")),
    )


def _why_not(code: str, source: str, target: str, *, factors: Factors, base: str, units: Mapping[str, Unit]) -> str:
    first, second = units[source], units[target]
    both = f"{first.code} ({first.dimension}) cannot be converted to {second.code} ({second.dimension})"
    if code in factors.not_convertible:
        return f"{both}: what one {code} holds is {factors.not_convertible[code]}."
    return f"{both} for this variant, which is counted in {base} ({units[base].dimension})."
