"""Reading the registers as they are known here."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlmodel import col, select

from services.suppliers.register.rules import DeprecationEntry, EditionEntry, Register, RestrictionEntry
from services.suppliers.register.tables import KnownEdition, KnownRestriction

VERSION = "(SELECT version FROM register_version)"
"""SQL of the number that grows with each change."""


async def register_now(session: AsyncSession | AsyncConnection) -> Register:
    """All registers, as far as they can speak against anything."""
    editions = await session.execute(
        text("SELECT key, designation, withdrawn_on, replaced_by FROM known_editions WHERE withdrawn_on IS NOT NULL")
    )
    restrictions = await session.execute(
        text(
            "SELECT banned, type_code, properties, regions, from_on, until_on, source, text "
            "FROM known_restrictions ORDER BY id"
        )
    )
    types = await session.execute(
        text("SELECT code, deprecated_on, successor, reason FROM known_types WHERE deprecated_on IS NOT NULL")
    )
    by_type: dict[str, list[RestrictionEntry]] = {}
    for row in restrictions:
        entry = RestrictionEntry(
            banned=row.banned,
            properties=row.properties,
            regions=tuple(row.regions),
            from_on=row.from_on,
            until_on=row.until_on,
            source=row.source,
            text=row.text,
        )
        by_type.setdefault(row.type_code, []).append(entry)
    return Register(
        withdrawn={
            row.key: EditionEntry(
                designation=row.designation, withdrawn_on=row.withdrawn_on, replaced_by=row.replaced_by
            )
            for row in editions
        },
        restrictions=by_type,
        deprecated={
            row.code: DeprecationEntry(deprecated_on=row.deprecated_on, successor=row.successor, reason=row.reason)
            for row in types
        },
    )


async def editions_of_numbers(session: AsyncSession, *, number_keys: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """The designations that are known of these numbers."""
    rows = await session.execute(
        select(KnownEdition.number_key, KnownEdition.designation)
        .where(col(KnownEdition.number_key).in_(number_keys))
        .order_by(col(KnownEdition.key))
    )
    found: dict[str, list[str]] = {}
    for number_key, designation in rows:
        found.setdefault(number_key, []).append(designation)
    return found


async def unknown_categories(session: AsyncSession, *, categories: Iterable[str]) -> Sequence[str]:
    """Those of these that no type of the catalog belongs to; none while the catalog has told of no type."""
    asked = sorted(set(categories))
    if not asked:
        return []
    found = await session.scalars(
        text(
            "SELECT asked FROM unnest(CAST(:asked AS text[])) AS asked "
            "WHERE EXISTS (SELECT FROM known_types WHERE category IS NOT NULL) "
            "AND NOT EXISTS (SELECT FROM known_types t WHERE t.category = asked) ORDER BY asked"
        ),
        {"asked": asked},
    )
    return found.all()


async def restricted_types(session: AsyncSession) -> Sequence[str]:
    """Types that some entry is about."""
    return (await session.scalars(select(KnownRestriction.type_code).distinct())).all()
