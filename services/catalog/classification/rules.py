"""Reading the codes of a component type out of the taxonomy, and the spellings under which a code is asked for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_IFC = re.compile(r"(Ifc[A-Za-z0-9]+)(?:\.([A-Z0-9_]+))?(?: \((IFC4X3) only\))?")


class CodeSystem(StrEnum):
    """Whose code it is."""

    OWN = "DOUGONG"
    IFC = "IFC"
    GBT_50851 = "GB/T 50851"


class Relation(StrEnum):
    """Whether the code means this type, or is one a modeller may also use for it."""

    PRIMARY = "primary"
    ALSO = "also"


@dataclass(frozen=True, kw_only=True, slots=True)
class TypeCode:
    """One code of one type. An empty edition: the system has none, or all editions say the same."""

    system: CodeSystem
    edition: str
    code: str
    relation: Relation


def codes_of(entry: Mapping[str, Any]) -> list[TypeCode]:
    """All codes a taxonomy entry names: its own, IFC entity with predefined type, GB/T 50851 class.

    Notes for people among the IFC codes ("no BIM counterpart") are passed over.
    """
    found = [
        TypeCode(system=CodeSystem.OWN, edition="", code=entry["code"], relation=Relation.PRIMARY),
        *_ifc(entry["ifc"]["class"], entry["ifc"].get("predefined_type"), Relation.PRIMARY, ""),
    ]
    for also in entry["ifc"].get("also", ()):
        if match := _IFC.fullmatch(also):
            found += _ifc(match[1], match[2], Relation.ALSO, match[3] or "")
    if entry.get("gbt50851_class"):
        found.append(
            TypeCode(
                system=CodeSystem.GBT_50851,
                edition="2013",
                code=entry["gbt50851_class"],
                relation=Relation.PRIMARY,
            )
        )
    return list({(code.system, code.edition, code.code): code for code in reversed(found)}.values())[::-1]


def _ifc(entity: str | None, predefined: str | None, relation: Relation, edition: str) -> list[TypeCode]:
    """`IfcSlab.FLOOR`; asked for as `IfcSlab` it is found as well."""
    if not entity:
        return []
    code = f"{entity}.{predefined}" if predefined else entity
    return [TypeCode(system=CodeSystem.IFC, edition=edition, code=code, relation=relation)]


def spelling(code: str) -> str:
    """Codes are told apart without regard to case or spaces around them."""
    return code.strip().lower()
