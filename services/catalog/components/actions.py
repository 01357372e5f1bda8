"""Publishing types: new and changed ones become versions, missing ones are deprecated, nothing is deleted.

Each publication that changes something is the next version of the dictionary: first the taxonomy we ship, then
reviewed proposals (`services.catalog.dictionary`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, col

from services.catalog.carbon.tables import CarbonFactorOfType
from services.catalog.classification.actions import keep_codes_of_types
from services.catalog.components import queries
from services.catalog.components.evolution import broken_promises, unsound_deprecations
from services.catalog.components.tables import (
    Category,
    ComponentType,
    ComponentTypeVersion,
    DictionaryChange,
    DictionaryVersion,
    Standard,
    TypeStandard,
)
from services.catalog.components.taxonomy import Taxonomy, TaxonomyError, TypeEntry, read_taxonomy
from services.catalog.standards.actions import keep_named_editions
from services.catalog.units.tables import UnitOfMeasure
from shared.contracts.catalog import TYPE_PUBLISHED, TypePublished
from shared.feed import publish
from shared.identity import Principal


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """What a load changed."""

    published: tuple[str, ...]
    deprecated: tuple[str, ...]
    unchanged: int


async def load_taxonomy(session: AsyncSession, *, document: Mapping[str, Any], at: datetime) -> Published:
    """Publish a parsed taxonomy document; repeating it, or loading an older one again, changes nothing.

    A type whose content is as it was keeps its version; one that operators made or changed by a reviewed proposal is
    theirs, and the document says nothing about it any more.

    Raises:
        TaxonomyError: the document breaks its own rules, or a promise of what was published; nothing was changed.
    """
    taxonomy = read_taxonomy(document)
    await queries.lock_publishing(session)
    present = await queries.types_for_update(session)
    await _keep_references(session, taxonomy, at=at)
    published = await queries.version_by_hash(
        session, hashes={entry.code: entry.content_hash for entry in taxonomy.types}
    )
    changed = [entry for entry in taxonomy.types if _changes(entry, present.get(entry.code), published)]
    for entry in changed:
        _check_promises(entry, present.get(entry.code))
    rows = await publish_types(session, changed, present=present, by=None, proposal_id=None, at=at)
    named = {entry.code for entry in taxonomy.types}
    gone = [row for code, row in sorted(present.items()) if code not in named and _still_ours(row)]
    for row in gone:
        row.status = "DEPRECATED"
    if rows or gone:
        await release(session, rows=[*rows, *gone], by=None, proposal_id=None, at=at)
    return Published(
        published=tuple(entry.code for entry in changed),
        deprecated=tuple(row.code for row in gone),
        unchanged=len(taxonomy.types) - len(changed),
    )


def _still_ours(row: ComponentType) -> bool:
    return row.status == "ACTIVE" and row.proposal_id is None


def _changes(entry: TypeEntry, before: ComponentType | None, published: Mapping[str, int]) -> bool:
    if before is None:
        return True
    if before.proposal_id is not None:
        return False
    return entry.code not in published or (before.content_hash == entry.content_hash and before.status != "ACTIVE")


def _check_promises(entry: TypeEntry, before: ComponentType | None) -> None:
    broken = unsound_deprecations(entry.definition)
    if before is not None:
        broken += broken_promises(before.definition, entry.definition)
    if broken:
        raise TaxonomyError(f"{entry.code}: {broken[0].breach} {broken[0].detail}")


async def release(
    session: AsyncSession,
    *,
    rows: Sequence[ComponentType],
    by: Principal | None,
    proposal_id: UUID | None,
    at: datetime,
) -> int:
    """Make what these types are now the next version of the dictionary, and tell each of them; its number."""
    version = await queries.newest_dictionary_version(session) + 1
    session.add(
        DictionaryVersion(
            version=version,
            origin="SEED" if proposal_id is None else "REVIEW",
            proposal_id=proposal_id,
            published_by=None if by is None else by.subject,
            published_at=at,
        )
    )
    await session.flush()
    session.add_all(
        DictionaryChange(
            version=version, code=row.code, type_version=row.version, status=row.status, successor=row.successor
        )
        for row in rows
    )
    await session.flush()
    for row in rows:
        await _tell(session, row, dictionary_version=version, at=at)
    return version


async def _keep_references(session: AsyncSession, taxonomy: Taxonomy, *, at: datetime) -> None:
    """Units, categories and standards, as the document has them; those it no longer names stay."""
    await _upsert(
        session,
        UnitOfMeasure,
        [{**asdict(unit), "sort": place} for place, unit in enumerate(taxonomy.units)],
        key=["code"],
    )
    await _upsert(
        session,
        Category,
        [{**asdict(category), "sort": place} for place, category in enumerate(taxonomy.categories)],
        key=["key"],
    )
    standards = {each.number: asdict(each) for entry in taxonomy.types for each in entry.standards}
    await _upsert(session, Standard, list(standards.values()), key=["number"])
    named = {number: (each["title_zh"], each["edition_check"]) for number, each in standards.items()}
    await keep_named_editions(session, designations=named, source="dictionary", at=at)


async def _upsert(
    session: AsyncSession, table: type[SQLModel], rows: Sequence[dict[str, Any]], *, key: Sequence[str]
) -> None:
    if not rows:
        return
    statement = insert(table).values(list(rows))
    changed = {name: statement.excluded[name] for name in rows[0] if name not in key}
    await session.execute(statement.on_conflict_do_update(index_elements=list(key), set_=changed))


async def publish_types(
    session: AsyncSession,
    entries: Sequence[TypeEntry],
    *,
    present: Mapping[str, ComponentType],
    by: Principal | None,
    proposal_id: UUID | None,
    at: datetime,
) -> list[ComponentType]:
    """The next version of each type, or the same one again when a deprecated type comes back unchanged.

    `present` are the types as they are, locked; the caller has checked what a new version may change.
    """
    new_content = [
        entry
        for entry in entries
        if entry.code not in present or present[entry.code].content_hash != entry.content_hash
    ]
    rows = [_next_version(entry, present.get(entry.code), proposal_id=proposal_id, at=at) for entry in entries]
    session.add_all(rows)
    await session.flush()
    of_code = {row.code: row for row in rows}
    session.add_all(
        ComponentTypeVersion(
            code=entry.code,
            version=of_code[entry.code].version,
            content_hash=entry.content_hash,
            definition=dict(entry.definition),
            published_at=at,
            proposal_id=proposal_id,
        )
        for entry in new_content
    )
    await session.flush()
    await _keep_details(session, new_content, by=by, at=at)
    return rows


def deprecate_type(row: ComponentType, *, successor: str, reason: str, proposal_id: UUID, at: datetime) -> None:
    """Take a type out of use: no new variants, offers and orders of it, the old ones stay readable."""
    row.status, row.successor, row.deprecation_reason = "DEPRECATED", successor, reason
    row.proposal_id, row.published_at = proposal_id, at


def _next_version(
    entry: TypeEntry, before: ComponentType | None, *, proposal_id: UUID | None, at: datetime
) -> ComponentType:
    definition = dict(entry.definition)
    version = 0 if before is None else before.version
    content = {
        "version": version + int(before is None or before.content_hash != entry.content_hash),
        "content_hash": entry.content_hash,
        "status": "ACTIVE",
        "category": definition["category"],
        "name_zh": definition["name_zh"],
        "name_en": definition["name_en"],
        "supply_mode": definition["supply_mode"],
        "base_unit": definition["base_uom"],
        "definition": definition,
        "published_at": at,
        "successor": None,
        "deprecation_reason": None,
        "proposal_id": proposal_id,
    }
    row = ComponentType(code=entry.code, **content) if before is None else before
    for name, value in content.items():
        setattr(row, name, value)
    return row


async def _keep_details(
    session: AsyncSession, entries: Sequence[TypeEntry], *, by: Principal | None, at: datetime
) -> None:
    """Standards and carbon of these types, replaced as a whole; codes they name no more are retired."""
    if not entries:
        return
    type_codes = [entry.code for entry in entries]
    for table in (TypeStandard, CarbonFactorOfType):
        await session.execute(delete(table).where(col(table.type_code).in_(type_codes)))
    await keep_codes_of_types(session, codes={entry.code: entry.codes for entry in entries}, by=by, at=at)
    session.add_all(
        TypeStandard(type_code=entry.code, standard_number=standard.number, sort=place)
        for entry in entries
        for place, standard in enumerate(entry.standards)
    )
    session.add_all(
        CarbonFactorOfType(type_code=entry.code, **asdict(entry.carbon))
        for entry in entries
        if entry.carbon is not None
    )
    await session.flush()


async def _tell(session: AsyncSession, row: ComponentType, *, dictionary_version: int, at: datetime) -> None:
    data = TypePublished(
        code=row.code,
        version=row.version,
        status=row.status,
        category=row.category,
        name_zh=row.name_zh,
        name_en=row.name_en,
        content_hash=row.content_hash,
        successor=row.successor,
        reason=row.deprecation_reason,
        dictionary_version=dictionary_version,
    )
    await publish(session, type=TYPE_PUBLISHED, subject=row.code, data=data, at=at)
