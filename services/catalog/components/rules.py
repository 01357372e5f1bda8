"""What a component type allows, and the one spelling of a variant of it.

A variant is a type plus the values of its identity properties. Whoever writes `Φ20`, `20.0` or `20mm` means the
same bar, so every value has one canonical text, and a variant has one key, such as
`RB-HRB|diameter=20,grade=HRB400E,length=12`.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache

from services.catalog.units.rules import AltUnit, Measure

TEXT_AT_MOST = 100
KEY_AT_MOST = 1000
_SEPARATORS = ",=|"
_NUMBER = re.compile(r"([+-]?[0-9]{1,12}(?:\.[0-9]{1,9})?)\s*([^\s0-9.][^\s]*)?")
_DIAMETER_SIGN = re.compile(r"^[ΦφØø⌀∅Ф]\s*(?=[0-9])")
_TIMES = re.compile(r"(?<=[0-9])\s*[×✕✖*Xx]\s*(?=[0-9])")
_CJK = re.compile(r"[\u3400-\u9fff]")
_LENGTHS = {"mm": Decimal("0.001"), "cm": Decimal("0.01"), "m": Decimal(1)}
_LENGTH_WORDS = {"毫米": "mm", "厘米": "cm", "米": "m"}
_TRUE = {"true", "yes", "1", "是", "有"}
_FALSE = {"false", "no", "0", "否", "无"}


class FaultCode(StrEnum):
    """Why a value is not taken; the same names go to people and programs."""

    UNKNOWN_TYPE = "UnknownType"
    TYPE_DEPRECATED = "TypeDeprecated"
    MALFORMED_KEY = "VariantKeyMalformed"
    UNKNOWN_PROPERTY = "UnknownProperty"
    NOT_AN_IDENTITY_PROPERTY = "NotAnIdentityProperty"
    MISSING_IDENTITY_PROPERTY = "MissingIdentityProperty"
    WRONG_VALUE_KIND = "WrongValueKind"
    VALUE_NOT_ALLOWED = "ValueNotAllowed"
    VALUE_OUT_OF_RANGE = "ValueOutOfRange"
    PROPERTY_DEPRECATED = "PropertyDeprecated"
    VALUE_DEPRECATED = "ValueDeprecated"


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One reason why there is no such variant, and the member of the request it is about."""

    code: FaultCode
    detail: str
    field: str


class PropertyError(ValueError):
    """A value that a property does not take."""

    def __init__(self, code: FaultCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Kind(StrEnum):
    """What a property's values are."""

    ENUM = "enum"
    INTEGER = "integer"
    DECIMAL = "decimal"
    STRING = "string"
    BOOLEAN = "boolean"
    DATE = "date"


@dataclass(frozen=True, kw_only=True, slots=True)
class Property:
    """One property of a component type."""

    key: str
    name_zh: str
    name_en: str
    kind: Kind
    unit: str | None = None
    allowed: tuple[str, ...] = ()
    numeric: bool = False
    """An enum of numbers."""
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    identity: bool = False
    required: bool = False
    aliases: Mapping[str, str] = field(default_factory=dict)
    """What else names an allowed value: its Chinese half, its English half, other case; see `aliases_of`."""
    retired: Mapping[str, str] = field(default_factory=dict)
    """Allowed values that new variants no longer take, each with its successor; they stay readable."""
    successor: str | None = None
    """Set: the property is deprecated, and this one stands in its place."""

    @property
    def is_number(self) -> bool:
        return self.numeric or self.kind in (Kind.INTEGER, Kind.DECIMAL)


@dataclass(frozen=True, kw_only=True, slots=True)
class TypeDefinition:
    """A published version of a component type, as far as variants depend on it."""

    code: str
    version: int
    category: str
    name_zh: str
    name_en: str
    supply_mode: str
    base_unit: str
    alternatives: tuple[AltUnit, ...]
    properties: tuple[Property, ...]
    tables: Mapping[str, Mapping[str, Decimal]]
    prefixes: Mapping[str, str]
    """Properties whose text others write with another property's value in front: spec of HN400x200 with series HN."""
    standards: tuple[str, ...]
    deprecated: bool = False
    successor: str | None = None
    """The type to use instead of a deprecated one."""
    identity: tuple[Property, ...] = field(init=False, repr=False, compare=False)
    """The properties that make another variant."""
    _by_name: Mapping[str, Property] = field(init=False, repr=False, compare=False)
    """Every search asks all types for each of its facets."""

    def __post_init__(self) -> None:
        names: dict[str, Property] = {each.key: each for each in self.properties}
        for each in self.properties:
            for name in _called(each.name_zh, each.name_en):
                names.setdefault(name, each)
        object.__setattr__(self, "identity", tuple(each for each in self.properties if each.identity))
        object.__setattr__(self, "_by_name", names)

    def property_named(self, name: str) -> Property | None:
        """The property with this key, or with this Chinese or English name."""
        return self._by_name.get(_as_called(name))

    def measures(self, values: Mapping[str, str]) -> dict[str, Measure]:
        """The values with their properties' units, as the unit formulas read them."""
        return {
            each.key: Measure(value=values[each.key], unit=each.unit) for each in self.properties if each.key in values
        }


@lru_cache(maxsize=2_000)
def _as_called(name: str) -> str:
    """A name as properties are called; asked of every type with the same name."""
    return unicodedata.normalize("NFKC", name).strip().lower()


def _called(name_zh: str, name_en: str) -> tuple[str, str]:
    """A property's names as they are compared."""
    return unicodedata.normalize("NFKC", name_zh).lower(), name_en.lower()


def halves(value: str) -> tuple[str, str]:
    """The English and the Chinese half of an allowed value like `straight thread 直螺纹`; both the whole if one."""
    found = _CJK.search(value)
    if found is None or found.start() == 0:
        return value, value
    return value[: found.start()].strip(), value[found.start() :].strip()


def aliases_of(allowed: Sequence[str]) -> dict[str, str]:
    """Everything that names exactly one of the allowed values: itself, a half, its first word; case aside."""
    claims: dict[str, set[str]] = {}
    for value in allowed:
        english, chinese = halves(value)
        for word in (value, english, chinese, english.split(" ")[0]):
            claims.setdefault(word.lower(), set()).add(value)
    exact = {value.lower(): value for value in reversed(allowed)}
    return {word: next(iter(values)) for word, values in claims.items() if len(values) == 1} | exact


def canonical_number(number: Decimal) -> str:
    """One text per number: 12, never 12.0 or 1.2E+1."""
    text = format(number.normalize(), "f")
    return "0" if text in {"-0", ""} else text


def canonical_text(text: str) -> str:
    """One text per string: compatibility forms folded, spaces collapsed, `×` between numbers as `x`."""
    folded = unicodedata.normalize("NFKC", text)
    return _TIMES.sub("x", " ".join(folded.split()))


def canonical_value(given: object, *, of: Property) -> str:
    """The one spelling of a value.

    Raises:
        PropertyError: of another kind, not among the allowed values, or outside the range.
    """
    match of.kind:
        case Kind.ENUM:
            return _allowed(given, of)
        case Kind.INTEGER | Kind.DECIMAL:
            return _in_range(given, of)
        case Kind.BOOLEAN:
            return _truth(given, of)
        case Kind.DATE:
            return _day(given, of)
        case Kind.STRING:
            return _text(given, of)


def _text(given: object, of: Property) -> str:
    if isinstance(given, bool) or not isinstance(given, str | int | Decimal):
        raise PropertyError(FaultCode.WRONG_VALUE_KIND, f"{of.key} is text; {given!r} is not.")
    raw = str(given)
    text = canonical_text(raw)
    if any(ord(character) < 32 or ord(character) == 127 for character in raw):
        raise PropertyError(FaultCode.VALUE_NOT_ALLOWED, f"{of.key} must not contain control characters.")
    if not text:
        raise PropertyError(FaultCode.VALUE_NOT_ALLOWED, f"{of.key} must not be empty.")
    if len(text) > TEXT_AT_MOST:
        raise PropertyError(FaultCode.VALUE_OUT_OF_RANGE, f"{of.key} is longer than {TEXT_AT_MOST} characters.")
    if any(mark in text for mark in _SEPARATORS):
        raise PropertyError(FaultCode.VALUE_NOT_ALLOWED, f"{of.key} must not contain any of {' '.join(_SEPARATORS)}")
    return text


def _number(given: object, of: Property) -> Decimal:
    """A number, `Φ20`, `20mm`; a length in another unit of length is converted exactly."""
    if isinstance(given, bool) or not isinstance(given, str | int | Decimal):
        raise PropertyError(FaultCode.WRONG_VALUE_KIND, f"{of.key} is a number; {given!r} is not.")
    text = _DIAMETER_SIGN.sub("", unicodedata.normalize("NFKC", str(given)).strip())
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise PropertyError(FaultCode.WRONG_VALUE_KIND, f"{of.key} is a number of at most 12 digits; {text!r} is not.")
    number, unit = Decimal(found[1]), found[2]
    unit = _LENGTH_WORDS.get(unit or "", unit)
    if unit is None or unit.lower() == unicodedata.normalize("NFKC", of.unit or "").lower():
        return number
    if unit in _LENGTHS and of.unit in _LENGTHS:
        return number * _LENGTHS[unit] / _LENGTHS[of.unit]
    raise PropertyError(FaultCode.WRONG_VALUE_KIND, f"{of.key} is counted in {of.unit or 'no unit'}, not in {unit}.")


def _allowed(given: object, of: Property) -> str:
    value = None
    if of.numeric:
        number = canonical_number(_number(given, of))
        value = number if number in of.allowed else None
    elif isinstance(given, str | int | Decimal) and not isinstance(given, bool):
        word = canonical_text(str(given)).lower()
        value = of.aliases.get(word)
    else:
        raise PropertyError(FaultCode.WRONG_VALUE_KIND, f"{of.key} is one of its values as text; {given!r} is not.")
    if value is None:
        some = ", ".join(of.allowed[:30])
        raise PropertyError(FaultCode.VALUE_NOT_ALLOWED, f"{of.key} is one of {some}; {str(given)[:60]!r} is not.")
    return value


def _in_range(given: object, of: Property) -> str:
    number = _number(given, of)
    if of.kind is Kind.INTEGER and number != number.to_integral_value():
        raise PropertyError(FaultCode.WRONG_VALUE_KIND, f"{of.key} is a whole number; {number} is not.")
    unit = f" {of.unit}" if of.unit else ""
    if of.minimum is not None and number < of.minimum:
        raise PropertyError(FaultCode.VALUE_OUT_OF_RANGE, f"{of.key} is at least {of.minimum}{unit}; {number} is less.")
    if of.maximum is not None and number > of.maximum:
        raise PropertyError(FaultCode.VALUE_OUT_OF_RANGE, f"{of.key} is at most {of.maximum}{unit}; {number} is more.")
    return canonical_number(number)


def _truth(given: object, of: Property) -> str:
    word = str(given).strip().lower()
    if word in _TRUE:
        return "true"
    if word in _FALSE:
        return "false"
    raise PropertyError(FaultCode.WRONG_VALUE_KIND, f"{of.key} is true or false; {str(given)[:60]!r} is neither.")


def _day(given: object, of: Property) -> str:
    try:
        return date.fromisoformat(str(given).strip()).isoformat()
    except ValueError:
        detail = f"{of.key} is a day like 2026-11-22; {str(given)[:60]!r} is not."
        raise PropertyError(FaultCode.WRONG_VALUE_KIND, detail) from None


def identity_of(
    definition: TypeDefinition, given: Mapping[str, object], *, where: str = "properties", partial: bool = False
) -> tuple[dict[str, str], list[Fault]]:
    """The canonical identity values that were given, and everything that is wrong with them.

    With `partial` a missing identity property is no fault: the values narrow a choice.
    """
    values: dict[str, str] = {}
    faults: list[Fault] = []
    for name, value in given.items():
        fault = _take(definition, name, value, values)
        if fault is not None:
            faults.append(Fault(code=fault.code, detail=str(fault), field=f"{where}.{name}"))
    for each in definition.identity:
        wanted = each.required and each.successor is None and not partial
        if wanted and each.key not in values and not _spoilt(each, given, definition):
            detail = f"{definition.code} needs {each.key} ({each.name_zh}); it is part of what the thing is."
            field_name = f"{where}.{each.key}"
            faults.append(Fault(code=FaultCode.MISSING_IDENTITY_PROPERTY, detail=detail, field=field_name))
    faults += _unprefixed(definition, values, where)
    return dict(sorted(values.items())), faults


def retirements(definition: TypeDefinition, values: Mapping[str, str], *, where: str = "properties") -> list[Fault]:
    """Why these canonical values make no new variant, though old ones have them: what was deprecated since."""
    faults = []
    for each in definition.identity:
        value, field_name = values.get(each.key), f"{where}.{each.key}"
        if value is None:
            continue
        if each.successor is not None:
            detail = f"{each.key} of {definition.code} is deprecated; use {each.successor}."
            faults.append(Fault(code=FaultCode.PROPERTY_DEPRECATED, detail=detail, field=field_name))
        elif value in each.retired:
            detail = f"{each.key}={value} of {definition.code} is deprecated; use {each.retired[value]}."
            faults.append(Fault(code=FaultCode.VALUE_DEPRECATED, detail=detail, field=field_name))
    return faults


def _spoilt(each: Property, given: Mapping[str, object], definition: TypeDefinition) -> bool:
    """Whether the property was given, so that its own fault has been told already."""
    return any(definition.property_named(name) is each for name in given)


def _take(definition: TypeDefinition, name: str, value: object, values: dict[str, str]) -> PropertyError | None:
    found = definition.property_named(name)
    if found is None:
        known = ", ".join(each.key for each in definition.identity)
        detail = f"{definition.code} has no property {name[:60]!r}; a variant of it is told by {known}."
        return PropertyError(FaultCode.UNKNOWN_PROPERTY, detail)
    if not found.identity:
        detail = f"{found.key} ({found.name_zh}) does not make another variant; state it on the offer or the batch."
        return PropertyError(FaultCode.NOT_AN_IDENTITY_PROPERTY, detail)
    if found.key in values:
        return PropertyError(FaultCode.VALUE_NOT_ALLOWED, f"{found.key} is given twice.")
    try:
        values[found.key] = canonical_value(value, of=found)
    except PropertyError as fault:
        return fault
    return None


def _unprefixed(definition: TypeDefinition, values: dict[str, str], where: str) -> list[Fault]:
    """`HN400x200x8x13` or `H400x200x8x13` of series HN is `400x200x8x13`; of series HW it is a contradiction."""
    faults = []
    for key, other in definition.prefixes.items():
        letters = re.match(r"[A-Za-z]+", values.get(key, ""))
        if letters is None or other not in values:
            continue
        if values[other].upper().startswith(letters[0].upper()):
            values[key] = values[key][letters.end() :].strip()
        else:
            detail = f"{key}={values[key]} contradicts {other}={values[other]}."
            faults.append(Fault(code=FaultCode.VALUE_NOT_ALLOWED, detail=detail, field=f"{where}.{key}"))
    return faults


def variant_key(type_code: str, values: Mapping[str, str]) -> str:
    """The canonical key of a type and its identity values."""
    return f"{type_code}|" + ",".join(f"{key}={values[key]}" for key in sorted(values))


def parsed_key(key: str) -> tuple[str, dict[str, str]] | Fault:
    """A key taken apart, canonical or not: type code and values as written."""
    code, bar, rest = key.partition("|")
    values: dict[str, str] = {}
    if not code.strip() or not bar or len(key) > KEY_AT_MOST:
        return _malformed(key)
    for part in rest.split(",") if rest.strip() else ():
        name, sign, value = part.partition("=")
        if not sign or not name.strip() or name.strip() in values:
            return _malformed(key)
        values[name.strip()] = value.strip()
    return code.strip().upper(), values


def _malformed(key: str) -> Fault:
    detail = f"{key[:80]!r} is no variant key; one looks like RB-HRB|diameter=20,grade=HRB400E,length=12."
    return Fault(code=FaultCode.MALFORMED_KEY, detail=detail, field="key")


def decimal_or_none(value: object) -> Decimal | None:
    """A number of the taxonomy as written; None stays None."""
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation as problem:
        message = f"{value!r} is not a number"
        raise ValueError(message) from problem
