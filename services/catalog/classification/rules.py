"""Codes of component types: those a taxonomy entry names, those operators add, and how a code is spelt."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_IFC = re.compile(r"(Ifc[A-Za-z0-9]+)(?:\.([A-Z0-9_]+))?(?: \((IFC4X3) only\))?")


CODE_AT_MOST = 100
EDITION_AT_MOST = 40
COLUMNS = ("system", "edition", "code", "type_code", "relation")
"""Of an operator's CSV. `relation` may be left out: primary."""


class CodeSystem(StrEnum):
    """The systems whose codes a type's definition names itself; `code_systems` has all there are."""

    OWN = "DOUGONG"
    IFC = "IFC"
    GBT_50851 = "GB/T 50851"


class Origin(StrEnum):
    """Whether the published definition of the type names the code, or an operator added it beside."""

    DICTIONARY = "DICTIONARY"
    OPERATOR = "OPERATOR"


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


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeRow:
    """A code for a type, as somebody gave it: of any system, checked against nothing yet."""

    system: str
    edition: str
    code: str
    type_code: str
    relation: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes two rows the same, however they are written."""
        return (self.system.lower(), self.edition, spelling(self.code), self.type_code.upper())


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeFault:
    """Why a row is not taken."""

    field: str
    code: str
    message: str


def code_row(given: Mapping[str, str | None]) -> CodeRow | CodeFault:
    """A row as written, blanks around its values gone; or the first thing that is wrong with its shape."""
    values = {column: (given.get(column) or "").strip() for column in COLUMNS}
    values["relation"] = values["relation"].lower() or Relation.PRIMARY
    for column in ("system", "code", "type_code"):
        if not values[column]:
            return CodeFault(field=column, code="Required", message=f"{column} is empty.")
    for column, most in (("system", 60), ("edition", EDITION_AT_MOST), ("code", CODE_AT_MOST), ("type_code", 60)):
        if len(values[column]) > most:
            return CodeFault(field=column, code="TooLong", message=f"{column} is longer than {most} characters.")
        if any(ord(character) < 32 or ord(character) == 127 for character in values[column]):
            return CodeFault(field=column, code="ControlCharacter", message=f"{column} holds a control character.")
    if values["relation"] not in set(Relation):
        message = f"relation is {' or '.join(Relation)}; {values['relation'][:40]!r} is not."
        return CodeFault(field="relation", code="UnknownRelation", message=message)
    return CodeRow(**values)


def fault_told(code: str, row: CodeRow, *, pattern: str | None) -> CodeFault:
    """The sentence for what the catalog itself has against a row."""
    match code:
        case "UnknownCodeSystem":
            field, message = "system", f"There is no code system {row.system!r}; GET /catalog/code-systems lists them."
        case "OwnCodesAreFixed":
            field, message = "system", "Our own codes are those of the types themselves; propose a type instead."
        case "CodeMalformed":
            field, message = "code", f"{row.code!r} is no code of {row.system}: it looks like {pattern}."
        case "UnknownType":
            field, message = "type_code", f"No component type has the code {row.type_code!r}."
        case "TypeDeprecated":
            field, message = "type_code", f"{row.type_code} is deprecated; it takes no new codes."
        case _:
            field, message = "code", code
    return CodeFault(field=field, code=code, message=message)
