"""The name a person reads for a variant, in Chinese and in English."""

import re
from collections import Counter
from collections.abc import Mapping

from services.catalog.components.rules import Kind, Property, TypeDefinition, halves

DIAMETERS = frozenset({"diameter", "bar_dia", "top_dia", "bottom_dia", "wire_dia_long", "wire_dia_cross"})
"""Properties written with Φ."""
NOMINALS = {"dn": "DN", "pn": "PN"}
"""Properties written with their letters in front."""
_TERSE = re.compile(r"I{1,3}|IV|[A-Z]|[0-9.]+|single|double|low|medium|high")
"""Values that say nothing without their property's name."""
_PRINTED_UNITS = {"mm2": "mm²", "kg/m3": "kg/m³", "g/m2": "g/m²", "C": "°C", "W/m2K": "W/m²K"}


def names_of(definition: TypeDefinition, values: Mapping[str, str]) -> tuple[str, str]:
    """`热轧带肋钢筋(直条) HRB400E Φ20 12m` and its English counterpart."""
    units = Counter(each.unit for each in definition.identity if each.is_number and not _has_sign(each))
    chinese, english = [definition.name_zh], [definition.name_en]
    for each in definition.identity:
        if each.key in values:
            zh, en = _said(each, values[each.key], alone=units[each.unit] <= 1)
            chinese += [zh] if zh else []
            english += [en] if en else []
    return " ".join(chinese), " ".join(english)


def _has_sign(each: Property) -> bool:
    return each.key in NOMINALS or (each.key in DIAMETERS and each.unit == "mm")


def _said(each: Property, value: str, *, alone: bool) -> tuple[str, str]:
    if each.kind is Kind.BOOLEAN:
        return (each.name_zh, each.name_en) if value == "true" else (f"不{each.name_zh}", f"not {each.name_en}")
    if value == "none":
        return "", ""
    unit = _PRINTED_UNITS.get(each.unit or "", each.unit or "")
    if _has_sign(each):
        text = NOMINALS.get(each.key, "Φ") + value
        return text, text
    if each.is_number:
        named = not alone or each.unit is None
        text = f"{value}{unit}"
        return (f"{each.name_zh}{text}", f"{each.name_en} {text}") if named else (text, text)
    english, chinese = halves(value)
    if each.kind is Kind.STRING or _TERSE.fullmatch(value):
        size = f"{value}{unit}"
        named = _TERSE.fullmatch(value) is not None
        return (f"{each.name_zh}{size}", f"{each.name_en} {size}") if named else (size, size)
    return f"{chinese}{unit}", f"{english}{unit}"
