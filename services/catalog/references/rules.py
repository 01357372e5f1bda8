"""Names of the bSDD import model, and which of our types a class may be."""

import re
from collections.abc import Iterable, Mapping, Sequence

CLASS_TYPES = ("Class", "Material", "GroupOfProperties", "AlternativeUse")
DATA_TYPES = ("Boolean", "Character", "Integer", "Real", "String", "Time")
VALUE_KINDS = ("Single", "Range", "List", "Complex", "ComplexList")
RELATION_TYPES = (
    "HasMaterial",
    "HasPart",
    "IsPartOf",
    "IsEqualTo",
    "IsSimilarTo",
    "IsParentOf",
    "IsChildOf",
    "HasReference",
)
DICTIONARY_STATUSES = ("Preview", "Active", "Inactive")
OBJECT_STATUSES = ("Active", "Inactive")
CODE_AT_MOST = 100

IFC_ENTITY = re.compile(r"Ifc[A-Z][A-Za-z0-9]*(\.[A-Z][A-Z0-9_]*)?")
_SPECIAL_CASE = re.compile(r"(StandardCase|ElementedCase)$")


def plain_entity(name: str) -> str:
    """`IfcSlab` of `IfcSlabStandardCase.FLOOR`: IFC4 dropped the special cases, models and dictionaries keep them."""
    return _SPECIAL_CASE.sub("", name.partition(".")[0])


def entities_in_common(related: Iterable[str], type_codes: Iterable[str]) -> list[str]:
    """The IFC entities that a class and the IFC codes of a type share, in the class's order."""
    ours = {plain_entity(code).lower() for code in type_codes}
    found = [name for name in related if IFC_ENTITY.fullmatch(name) and plain_entity(name).lower() in ours]
    return list(dict.fromkeys(plain_entity(name) for name in found))


def cut_cycles(parents: Mapping[str, str]) -> Sequence[str]:
    """Codes whose parent must be dropped so that every class has an end above it."""
    cut: dict[str, None] = {}
    settled: set[str] = set()
    for start in parents:
        path: dict[str, None] = {}
        code: str | None = start
        while code is not None and code not in settled and code not in path:
            path[code] = None
            code = None if code in cut else parents.get(code)
        if code is not None and code in path:
            cut[code] = None
        settled.update(path)
    return list(cut)
