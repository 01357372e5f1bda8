"""Reading a bSDD import model (JSON, model version 2.0): everything that can be kept is kept, every oddity is told.

Real files have byte order marks at both ends, codes that differ by case alone, parents that are not there or go in
circles, empty strings for "nothing", values outside the published lists, numbers as text and text as numbers.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from services.catalog.references.members import Members
from services.catalog.references.rules import (
    CLASS_TYPES,
    CODE_AT_MOST,
    DATA_TYPES,
    DICTIONARY_STATUSES,
    IFC_ENTITY,
    OBJECT_STATUSES,
    RELATION_TYPES,
    VALUE_KINDS,
    cut_cycles,
)
from services.catalog.uploads.rules import RowProblem, Severity
from shared.errors import Unprocessable

_BOM = b"\xef\xbb\xbf"
_BLANKS = b" \t\r\n"
ROWS_AT_MOST = 500_000
"""Classes, properties, class properties and relations together."""


class DictionaryFileRefused(Unprocessable):
    """The file as a whole is no bSDD import model: no JSON in UTF-8, no classes, or without a name or version."""


@dataclass(kw_only=True, slots=True)
class ReadDictionary:
    """A dictionary as it can be stored, and everything that was odd about the file."""

    head: dict[str, Any]
    classes: list[dict[str, Any]] = field(default_factory=list)
    properties: list[dict[str, Any]] = field(default_factory=list)
    class_properties: list[dict[str, Any]] = field(default_factory=list)
    relations: list[dict[str, Any]] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """What the file brings."""
        return {
            "classes": len(self.classes),
            "classes_with_ifc": sum(bool(each["related_ifc"]) for each in self.classes),
            "properties": len(self.properties),
            "class_properties": len(self.class_properties),
            "class_properties_with_values": sum(bool(each["allowed"]) for each in self.class_properties),
            "allowed_values": sum(len(each["allowed"]) for each in [*self.properties, *self.class_properties]),
            "relations": len(self.relations),
        }


def read_dictionary(body: bytes) -> ReadDictionary:
    """The dictionary of a file.

    Raises:
        DictionaryFileRefused: the file as a whole cannot be read.
    """
    document = _document(body)
    problems: list[RowProblem] = []
    found = ReadDictionary(head=_head(Members(document, at="Dictionary", problems=problems)), problems=problems)
    rows = [*_objects(document, "Properties", problems), *_objects(document, "Classes", problems)]
    if not any(at.startswith("Classes.") for at, _ in rows):
        raise DictionaryFileRefused("The file has no Classes.")
    inner = sum(len(value) for _, row in rows for value in row.values() if isinstance(value, list) and value != [""])
    if len(rows) + inner > ROWS_AT_MOST:
        raise DictionaryFileRefused(f"The file has more than {ROWS_AT_MOST} rows.")
    _take_properties(found, [each for each in rows if each[0].startswith("Properties.")])
    _take_classes(found, [each for each in rows if each[0].startswith("Classes.")])
    return found


def _document(body: bytes) -> Mapping[str, Any]:
    content = body
    while True:
        stripped = content.strip(_BLANKS).removeprefix(_BOM).removesuffix(_BOM)
        if stripped == content:
            break
        content = stripped
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as problem:
        raise DictionaryFileRefused(f"The file is no JSON in UTF-8: {problem}.") from problem
    if not isinstance(document, dict):
        raise DictionaryFileRefused("The file is no JSON object.")
    return document


def _head(members: Members) -> dict[str, Any]:
    head = {
        "organization": members.text("OrganizationCode", most=100),
        "code": members.text("DictionaryCode", most=CODE_AT_MOST),
        "version": members.text("DictionaryVersion", most=40),
    }
    missing = [name for name, value in head.items() if value is None]
    if missing:
        raise DictionaryFileRefused(f"The file does not say its {' and '.join(missing)}; an empty template says none.")
    return head | {
        "language": members.text("LanguageIsoCode", most=20) or "en-GB",
        "name": members.text("DictionaryName", most=300) or head["code"],
        "status": members.one_of("Status", DICTIONARY_STATUSES, otherwise="Preview"),
        "licence": members.text("License", most=300),
        "licence_url": members.text("LicenseUrl", most=1000),
        "release_date": members.text("ReleaseDate", most=40),
        "more_info_url": members.text("MoreInfoUrl", most=1000),
        "quality": members.text("QualityAssuranceProcedure", most=1000),
    }


def _objects(document: Mapping[str, Any], name: str, problems: list[RowProblem]) -> Iterator[tuple[str, Any]]:
    """The objects of a list with their places; whatever else stands there is told."""
    given = document.get(name)
    if given in (None, "", []):
        return
    if not isinstance(given, list):
        raise DictionaryFileRefused(f"{name} is no list.")
    for place, each in enumerate(given):
        if isinstance(each, dict):
            yield f"{name}.{place}", each
        else:
            problems.append(_rejected(f"{name}.{place}", "", "NotAnObject", "An entry is an object."))


def _rejected(row: str, member: str, code: str, message: str) -> RowProblem:
    return RowProblem(severity=Severity.REJECTED, row=row, field=member, code=code, message=message)


def _taken_code(members: Members, seen: Mapping[str, str]) -> str | None:
    """The entry's code, or None: it has none that can be taken."""
    code = members.text("Code", most=None)
    if code is None:
        members.reject("Code", "CodeMissing", "The entry has no code.")
    elif len(code) > CODE_AT_MOST:
        members.reject("Code", "CodeTooLong", f"A code has at most {CODE_AT_MOST} characters; this has {len(code)}.")
    elif code.lower() in seen:
        kept = seen[code.lower()]
        members.reject("Code", "DuplicateCode", f"{code!r} stands before as {kept!r}; case makes no other code.")
    else:
        return code
    return None


def _take_properties(found: ReadDictionary, rows: Sequence[tuple[str, Any]]) -> None:
    seen: dict[str, str] = {}
    for place, (at, given) in enumerate(rows):
        members = Members(given, at=at, problems=found.problems)
        code = _taken_code(members, seen)
        if code is None:
            continue
        seen[code.lower()] = code
        minimum, maximum = members.interval()
        found.properties.append(
            {
                "code": code,
                "name": members.text("Name", most=500) or _nameless(members, code),
                "definition": members.text("Definition", most=20_000),
                "data_type": members.one_of("DataType", DATA_TYPES, otherwise="String"),
                "value_kind": members.one_of("PropertyValueKind", VALUE_KINDS, otherwise="Single"),
                "units": members.texts("Units", most=60),
                "dimension": members.text("Dimension", most=60) or members.dimension(),
                "physical_quantity": members.text("PhysicalQuantity", most=100),
                "minimum": minimum,
                "maximum": maximum,
                "pattern": members.text("Pattern", most=2000),
                "allowed": members.allowed_values(),
                "status": members.one_of("Status", OBJECT_STATUSES, otherwise="Active"),
                "sort": place,
            }
        )


def _nameless(members: Members, code: str) -> str:
    members.warn("Name", "NameMissing", "The entry has no name; its code stands for it.")
    return code


def _take_classes(found: ReadDictionary, rows: Sequence[tuple[str, Any]]) -> None:
    seen: dict[str, str] = {}
    taken: list[tuple[str, Members]] = []
    for at, given in rows:
        members = Members(given, at=at, problems=found.problems)
        code = _taken_code(members, seen)
        if code is not None:
            seen[code.lower()] = code
            taken.append((code, members))
    properties = {each["code"].lower(): each["code"] for each in found.properties}
    parents = _parents(taken, seen)
    for place, (code, members) in enumerate(taken):
        found.classes.append(
            {
                "code": code,
                "name": members.text("Name", most=500) or _nameless(members, code),
                "class_type": members.one_of("ClassType", CLASS_TYPES, otherwise="Class"),
                "definition": members.text("Definition", most=20_000),
                "parent_code": parents.get(code),
                "related_ifc": _related_ifc(members),
                "synonyms": members.texts("Synonyms", most=500),
                "replaced_by": members.texts("ReplacingObjectCodes", most=CODE_AT_MOST),
                "status": members.one_of("Status", OBJECT_STATUSES, otherwise="Active"),
                "reference_code": members.text("ReferenceCode", most=100),
                "sort": place,
            }
        )
        found.class_properties += _class_properties(code, members, properties)
        found.relations += _relations(code, members)


def _parents(taken: Sequence[tuple[str, Members]], seen: Mapping[str, str]) -> dict[str, str]:
    """The parent of each class as it is written there, without those that are missing or go in circles."""
    parents, by_code = {}, dict(taken)
    for code, members in taken:
        stated = members.text("ParentClassCode", most=None)
        if stated is None:
            continue
        if stated.lower() in seen:
            parents[code] = seen[stated.lower()]
        else:
            members.warn("ParentClassCode", "ParentMissing", f"There is no class {stated[:100]!r}; it stands on top.")
    for code in cut_cycles(parents):
        by_code[code].warn("ParentClassCode", "ParentInCircle", f"{parents[code]!r} is below {code!r}; it is cut.")
        del parents[code]
    return parents


def _related_ifc(members: Members) -> list[str]:
    names = members.texts("RelatedIfcEntityNamesList", most=120)
    for name in names:
        if not IFC_ENTITY.fullmatch(name):
            members.warn("RelatedIfcEntityNamesList", "NotAnIfcEntity", f"{name!r} is no name of an IFC entity; kept.")
    return names


def _class_properties(code: str, members: Members, properties: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    seen: set[tuple[str, str]] = set()
    for place, each in enumerate(members.objects("ClassProperties")):
        stated, uri = each.text("PropertyCode", most=None), each.text("PropertyUri", most=1000)
        own = None if stated is None else properties.get(stated.lower())
        if own is None and uri is None:
            field_, what = (
                ("PropertyCode", "PropertyMissing") if stated is None else ("PropertyCode", "UnknownProperty")
            )
            each.reject(field_, what, f"It names no property of the dictionary and no address ({str(stated)[:100]!r}).")
            continue
        if own is None and stated is not None:
            each.warn("PropertyCode", "UnknownProperty", f"There is no property {stated[:100]!r}; its address is kept.")
        property_set = each.text("PropertySet", most=200)
        key = (property_set or "", (own or uri or "").lower())
        if key in seen:
            each.reject("PropertyCode", "DuplicateProperty", "The class has this property in this set before.")
            continue
        seen.add(key)
        minimum, maximum = each.interval()
        yield {
            "class_code": code,
            "place": place,
            "property_code": own,
            "property_uri": uri if own is None else None,
            "property_set": property_set,
            "unit": each.text("Unit", most=60),
            "predefined_value": each.text("PredefinedValue", most=1000),
            "required": each.truth("IsRequired"),
            "minimum": minimum,
            "maximum": maximum,
            "pattern": each.text("Pattern", most=2000),
            "allowed": each.allowed_values(),
        }


def _relations(code: str, members: Members) -> Iterator[dict[str, Any]]:
    for place, each in enumerate(members.objects("ClassRelations")):
        kind = each.one_of("RelationType", RELATION_TYPES, otherwise=None)
        target = each.text("RelatedClassUri", most=1000)
        if kind is None or target is None:
            each.reject("RelationType", "RelationIncomplete", "A relation has a known type and the address of a class.")
            continue
        yield {
            "class_code": code,
            "place": place,
            "relation_type": kind,
            "related_uri": target,
            "related_name": each.text("RelatedClassName", most=500),
            "fraction": each.share("Fraction"),
        }
