"""Reading categories, types, standards and variants. All of it is public."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.catalog.components.definitions import definition_of
from services.catalog.components.rules import TypeDefinition
from services.catalog.components.tables import (
    Category,
    ComponentType,
    ComponentTypeVersion,
    DictionaryVersion,
    Standard,
    Variant,
)
from shared.designations import edition_key


async def categories(session: AsyncSession) -> Sequence[Category]:
    """All categories, in the taxonomy's order."""
    return (await session.scalars(select(Category).order_by(col(Category.sort)))).all()


async def types_page(
    session: AsyncSession,
    *,
    category: str | None,
    supply_mode: str | None,
    name: str | None,
    codes: Sequence[str] | None,
    deprecated: bool,
    limit: int,
    after: str | None,
) -> Sequence[ComponentType]:
    """Types that fit, by code, one row more than `limit`; `codes` limits to these."""
    query = select(ComponentType).order_by(col(ComponentType.code)).limit(limit + 1)
    if after is not None:
        query = query.where(col(ComponentType.code) > after)
    if category is not None:
        query = query.where(col(ComponentType.category) == category)
    if supply_mode is not None:
        query = query.where(col(ComponentType.supply_mode) == supply_mode)
    if codes is not None:
        query = query.where(col(ComponentType.code).in_(codes))
    if not deprecated:
        query = query.where(col(ComponentType.status) == "ACTIVE")
    if name is not None:
        query = query.where(
            col(ComponentType.name_zh).icontains(name, autoescape=True)
            | col(ComponentType.name_en).icontains(name, autoescape=True)
        )
    return (await session.scalars(query)).all()


async def type_by_code(session: AsyncSession, *, code: str) -> ComponentType | None:
    """The published version of one type."""
    found = await session.scalars(select(ComponentType).where(col(ComponentType.code) == code))
    return found.one_or_none()


async def type_version(session: AsyncSession, *, code: str, version: int) -> ComponentTypeVersion | None:
    """One version of a type, as it was published."""
    found = await session.scalars(
        select(ComponentTypeVersion).where(
            col(ComponentTypeVersion.code) == code, col(ComponentTypeVersion.version) == version
        )
    )
    return found.one_or_none()


async def definitions(session: AsyncSession, *, codes: Sequence[str] | None = None) -> Mapping[str, TypeDefinition]:
    """The published definitions by code, of all types or of these; codes that are no type are left out."""
    query = select(ComponentType).order_by(col(ComponentType.code))
    if codes is not None:
        query = query.where(col(ComponentType.code).in_(codes))
    return {
        row.code: definition_of(
            row.code,
            version=row.version,
            content_hash=row.content_hash,
            definition=row.definition,
            deprecated=row.status != "ACTIVE",
            successor=row.successor,
        )
        for row in await session.scalars(query)
    }


async def types_by_code(session: AsyncSession) -> Mapping[str, ComponentType]:
    """All types, deprecated ones too, by code."""
    return {row.code: row for row in await session.scalars(select(ComponentType))}


async def types_for_update(session: AsyncSession) -> Mapping[str, ComponentType]:
    """All types, their rows locked against other publications, by code; variants of them are made meanwhile."""
    rows = await session.scalars(
        select(ComponentType).order_by(col(ComponentType.code)).with_for_update(key_share=True)
    )
    return {row.code: row for row in rows}


async def version_by_hash(session: AsyncSession, *, hashes: Mapping[str, str]) -> Mapping[str, int]:
    """The newest version of each type (by code) that has the content of this hash, where one has."""
    rows = await session.execute(
        select(col(ComponentTypeVersion.code), func.max(col(ComponentTypeVersion.version)).label("newest"))
        .where(tuple_(col(ComponentTypeVersion.code), col(ComponentTypeVersion.content_hash)).in_(hashes.items()))
        .group_by(col(ComponentTypeVersion.code))
    )
    return {row.code: row.newest for row in rows}


async def newest_dictionary_version(session: AsyncSession) -> int:
    """The number of the dictionary's present state; 0: nothing was ever published."""
    return await session.scalar(select(func.max(col(DictionaryVersion.version)))) or 0


async def lock_publishing(session: AsyncSession) -> None:
    """One publication at a time."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('catalog.publish', 0))"))


async def standards_of(session: AsyncSession, *, numbers: Sequence[str]) -> Mapping[str, Standard]:
    """These standards by number."""
    rows = await session.scalars(select(Standard).where(col(Standard.number).in_(numbers)))
    return {row.number: row for row in rows}


async def withdrawals_of(session: AsyncSession, *, numbers: Sequence[str]) -> Mapping[str, Row[Any]]:
    """When these editions were or will be withdrawn, and what replaces them, of those for which a day is known."""
    keys = {edition_key(number): number for number in numbers}
    rows = await session.execute(
        text(
            "SELECT key, withdrawn_on, replaced_by FROM standard_editions "
            "WHERE key = ANY (:keys) AND withdrawn_on IS NOT NULL"
        ),
        {"keys": list(keys)},
    )
    return {keys[row.key]: row for row in rows}


async def variants_by_key(session: AsyncSession, *, keys: Sequence[str]) -> Mapping[str, Variant]:
    """Those of these variants that are there, by key."""
    if not keys:
        return {}
    rows = await session.scalars(
        select(Variant).where(col(Variant.key) == text("ANY (:keys)").bindparams(keys=list(keys)))
    )
    return {row.key: row for row in rows}


async def variants_by_id(session: AsyncSession, *, ids: Sequence[UUID]) -> Mapping[UUID, Variant]:
    """Those of these variants that are there, by id."""
    if not ids:
        return {}
    rows = await session.scalars(select(Variant).where(col(Variant.id).in_(ids)))
    return {row.id: row for row in rows}
