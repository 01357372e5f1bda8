"""Taking a dictionary in, and deciding which of its classes are which of our types."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.classification import actions as code_actions
from services.catalog.classification import queries as code_queries
from services.catalog.classification.rules import CodeRow, Relation
from services.catalog.classification.tables import System
from services.catalog.references import queries
from services.catalog.references.reading import ReadDictionary
from services.catalog.references.rules import entities_in_common
from services.catalog.references.tables import ReferenceClass, ReferenceDictionary, ReferenceLink
from services.catalog.uploads import actions as upload_actions
from services.catalog.uploads import queries as upload_queries
from services.catalog.uploads.receiving import Received
from services.catalog.uploads.rules import Kind
from services.catalog.uploads.tables import Upload
from shared.errors import Conflict, NotFound
from shared.identity import Principal
from shared.ids import new_id

_BATCH = 5_000


class DictionaryVersionExists(Conflict):
    """This version of the dictionary was imported from another file; a version never changes, a newer one may come."""


class DictionaryNotFound(NotFound):
    """No reference dictionary has this id."""


class ClassNotFound(NotFound):
    """The dictionary has no class with this code."""


class TypeNotKnown(NotFound):
    """No component type has this code."""


class LinkDecided(Conflict):
    """It was decided before that the class is this type; retire the code instead."""


_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "reference_properties": {
        "code": "text", "name": "text", "definition": "text", "data_type": "text", "value_kind": "text",
        "units": "text[]", "dimension": "text", "physical_quantity": "text", "minimum": "text", "maximum": "text",
        "pattern": "text", "allowed": "jsonb", "status": "text", "sort": "integer",
    },
    "reference_classes": {
        "code": "text", "name": "text", "class_type": "text", "definition": "text", "parent_code": "text",
        "related_ifc": "text[]", "synonyms": "text[]", "replaced_by": "text[]", "status": "text",
        "reference_code": "text", "sort": "integer",
    },
    "reference_class_properties": {
        "class_code": "text", "place": "integer", "property_code": "text", "property_uri": "text",
        "property_set": "text", "unit": "text", "predefined_value": "text", "required": "boolean", "minimum": "text",
        "maximum": "text", "pattern": "text", "allowed": "jsonb",
    },
    "reference_class_relations": {
        "class_code": "text", "place": "integer", "relation_type": "text", "related_uri": "text",
        "related_name": "text", "fraction": "numeric",
    },
}  # fmt: skip


async def import_dictionary(
    session: AsyncSession, *, file: Received, read: ReadDictionary, dry_run: bool, by: Principal, at: datetime
) -> tuple[Upload, bool]:
    """Store a dictionary beside those that are there; the upload, and whether this very file was taken before.

    Raises:
        DictionaryVersionExists.
    """
    await upload_queries.lock_uploads(session, kind=Kind.DICTIONARY)
    before = await upload_queries.taken_before(session, kind=Kind.DICTIONARY, file_hash=file.digest)
    if before is not None:
        return before, True
    head = read.head
    if await queries.same_version(session, head=head) is not None:
        raise DictionaryVersionExists(
            f"{head['name']} {head['version']} ({head['language']}) is here from another file."
        )
    subject = None
    if not dry_run:
        subject = await _store(session, file=file, read=read, by=by, at=at)
    upload = await upload_actions.record(
        session,
        kind=Kind.DICTIONARY,
        file=file,
        dry_run=dry_run,
        subject=subject,
        counts=read.counts,
        problems=read.problems,
        by=by,
        at=at,
    )
    return upload, False


async def _store(session: AsyncSession, *, file: Received, read: ReadDictionary, by: Principal, at: datetime) -> UUID:
    system = await _system(session, read.head, by=by, at=at)
    row = ReferenceDictionary(
        id=new_id(),
        **read.head,
        system=system.code,
        counts=read.counts,
        file_hash=file.digest,
        imported_by=by.subject,
        imported_by_name=by.name,
        imported_at=at,
    )
    session.add(row)
    await session.flush()
    for table, rows in (
        ("reference_properties", read.properties),
        ("reference_classes", _parents_first(read.classes)),
        ("reference_class_properties", read.class_properties),
        ("reference_class_relations", read.relations),
    ):
        await _insert(session, table, rows, dictionary_id=row.id)
    return row.id


def _parents_first(classes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """In an order in which every batch finds its parents stored; the file may have it otherwise."""
    children: dict[str | None, list[dict[str, Any]]] = {}
    for each in classes:
        children.setdefault(each["parent_code"], []).append(each)
    ordered: list[dict[str, Any]] = list(children.get(None, ()))
    for each in ordered:
        ordered += children.get(each["code"], ())
    return ordered


async def _insert(session: AsyncSession, table: str, rows: Sequence[dict[str, Any]], *, dictionary_id: UUID) -> None:
    columns = _COLUMNS[table]
    names = ", ".join(columns)
    kinds = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    statement = text(
        f"INSERT INTO {table} (dictionary_id, {names}) "
        f"SELECT :dictionary_id, {names} FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r ({kinds})"
    )
    for start in range(0, len(rows), _BATCH):
        packed = orjson.dumps(rows[start : start + _BATCH]).decode()
        await session.execute(statement, {"dictionary_id": dictionary_id, "rows": packed})


async def _system(session: AsyncSession, head: Mapping[str, Any], *, by: Principal, at: datetime) -> System:
    """The code system whose codes the classes are: the one that names this dictionary, else a new one."""
    dictionary = f"{head['organization']}/{head['code']}"
    known = await code_queries.system_of_dictionary(session, dictionary=dictionary)
    if known is not None:
        return known
    code = str(head["code"])[:60]
    if await code_queries.system_named(session, code=code) is not None:
        code = f"{str(head['organization'])[:20]}/{code[:39]}"
    new = System(
        code=code,
        name_zh=head["name"],
        name_en=head["name"],
        licence_note=head["licence"] or "The dictionary states no licence.",
        dictionary=dictionary,
        created_by=by.subject,
        created_by_name=by.name,
        created_at=at,
    )
    return await code_actions.add_system(session, new=new)


async def decide_link(
    session: AsyncSession,
    *,
    dictionary_id: UUID,
    class_code: str,
    type_code: str,
    relation: Relation | None,
    reason: str | None,
    by: Principal,
    at: datetime,
) -> ReferenceLink:
    """Make a class a code of a type, in the dictionary's system and version; or (no `relation`) put it aside.

    A rejection can be turned into a link later; a link ends by retiring its code.

    Raises:
        DictionaryNotFound, ClassNotFound, TypeNotKnown, LinkDecided, CodeRefused.
    """
    dictionary, found = await class_named(session, dictionary_id=dictionary_id, code=class_code)
    ifc = await queries.ifc_codes_of_types(session, type_codes=[type_code.upper()])
    if type_code.upper() not in ifc:
        raise TypeNotKnown(f"No component type has the code {type_code[:60]!r}.")
    link = await queries.link_for_update(
        session, dictionary_id=dictionary_id, class_code=found.code, type_code=type_code.upper()
    )
    if link is not None and link.decision == "ACCEPTED" and relation is None:
        raise LinkDecided(f"{found.code} is {type_code.upper()} since {link.decided_at:%Y-%m-%d}; retire its code.")
    if relation is not None:
        row = CodeRow(
            system=dictionary.system,
            edition=dictionary.version,
            code=found.code,
            type_code=type_code.upper(),
            relation=relation,
        )
        await code_actions.add_code(session, row=row, by=by, at=at)
    common = entities_in_common(found.related_ifc, ifc[type_code.upper()])
    decision: dict[str, Any] = {
        "decision": "REJECTED" if relation is None else "ACCEPTED",
        "relation": relation,
        "reason": reason,
        "via": common[0] if common else None,
        "decided_by": by.subject,
        "decided_by_name": by.name,
        "decided_at": at,
    }
    if link is None:
        link = ReferenceLink(
            dictionary_id=dictionary_id, class_code=found.code, type_code=type_code.upper(), **decision
        )
        session.add(link)
    for name, value in decision.items():
        setattr(link, name, value)
    await session.flush()
    return link


async def class_named(
    session: AsyncSession, *, dictionary_id: UUID, code: str
) -> tuple[ReferenceDictionary, ReferenceClass]:
    """A class by its code, whatever its case.

    Raises:
        DictionaryNotFound, ClassNotFound.
    """
    dictionary = await queries.dictionary(session, dictionary_id=dictionary_id)
    if dictionary is None:
        raise DictionaryNotFound(f"No reference dictionary has the id {dictionary_id}.")
    found = await queries.class_by_code(session, dictionary_id=dictionary_id, code=code)
    if found is None:
        raise ClassNotFound(f"{dictionary.name} {dictionary.version} has no class {code[:100]!r}.")
    return dictionary, found
