"""Publishing a taxonomy: new and changed types become versions, missing ones are deprecated, nothing is deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, col

from services.catalog.carbon.tables import CarbonFactorOfType
from services.catalog.classification.tables import ClassificationCode
from services.catalog.components import queries
from services.catalog.components.tables import (
    Category,
    ComponentType,
    ComponentTypeVersion,
    Standard,
    TypeStandard,
)
from services.catalog.components.taxonomy import Taxonomy, TypeEntry, read_taxonomy
from services.catalog.standards.actions import keep_named_editions
from services.catalog.units.tables import UnitOfMeasure
from shared.contracts.catalog import TYPE_PUBLISHED, TypePublished
from shared.feed import publish


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """What a load changed."""

    published: tuple[str, ...]
    deprecated: tuple[str, ...]
    unchanged: int


async def load_taxonomy(session: AsyncSession, *, document: Mapping[str, Any], at: datetime) -> Published:
    """Publish a parsed taxonomy document; repeating it changes nothing.

    A type whose content is as it was keeps its version.

    Raises:
        TaxonomyError: the document breaks its own rules; nothing was changed.
    """
    taxonomy = read_taxonomy(document)
    await queries.lock_publishing(session)
    present = await queries.types_for_update(session)
    await _keep_references(session, taxonomy, at=at)
    changed = [
        entry
        for entry in taxonomy.types
        if (before := present.get(entry.code)) is None
        or before.content_hash != entry.content_hash
        or before.status != "ACTIVE"
    ]
    await _publish_types(session, changed, present=present, at=at)
    gone = sorted(
        code for code in present.keys() - {entry.code for entry in taxonomy.types} if present[code].status == "ACTIVE"
    )
    for code in gone:
        present[code].status = "DEPRECATED"
        await _tell(session, present[code], at=at)
    return Published(
        published=tuple(entry.code for entry in changed),
        deprecated=tuple(gone),
        unchanged=len(taxonomy.types) - len(changed),
    )


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


async def _publish_types(
    session: AsyncSession, entries: Sequence[TypeEntry], *, present: Mapping[str, ComponentType], at: datetime
) -> None:
    """The next version of each type, or the same one again when a deprecated type comes back unchanged."""
    new_content = [
        entry
        for entry in entries
        if entry.code not in present or present[entry.code].content_hash != entry.content_hash
    ]
    rows = [_next_version(entry, present.get(entry.code), at=at) for entry in entries]
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
        )
        for entry in new_content
    )
    await _keep_details(session, new_content)
    for row in rows:
        await _tell(session, row, at=at)


def _next_version(entry: TypeEntry, before: ComponentType | None, *, at: datetime) -> ComponentType:
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
    }
    row = ComponentType(code=entry.code, **content) if before is None else before
    for name, value in content.items():
        setattr(row, name, value)
    return row


async def _keep_details(session: AsyncSession, entries: Sequence[TypeEntry]) -> None:
    """Codes, standards and carbon of these types, replaced as a whole."""
    type_codes = [entry.code for entry in entries]
    for table in (ClassificationCode, TypeStandard, CarbonFactorOfType):
        await session.execute(delete(table).where(col(table.type_code).in_(type_codes)))
    session.add_all(
        ClassificationCode(
            system=code.system,
            edition=code.edition,
            code=code.code,
            type_code=entry.code,
            relation=code.relation,
        )
        for entry in entries
        for code in entry.codes
    )
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


async def _tell(session: AsyncSession, row: ComponentType, *, at: datetime) -> None:
    data = TypePublished(
        code=row.code,
        version=row.version,
        status=row.status,
        category=row.category,
        name_zh=row.name_zh,
        name_en=row.name_en,
        content_hash=row.content_hash,
    )
    await publish(session, type=TYPE_PUBLISHED, subject=row.code, data=data, at=at)
