"""Keeping what `catalog` tells: the newest version of each entry, whatever order or number of times it is told in."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, col

from services.suppliers.register.tables import KnownEdition, KnownRestriction, KnownType
from shared.clock import business_date
from shared.contracts.catalog import TypePublished
from shared.contracts.standards import EditionState, RestrictionState
from shared.designations import edition_key

_COUNT = text(
    "INSERT INTO register_version (one, version) VALUES (true, 1) "
    "ON CONFLICT (one) DO UPDATE SET version = register_version.version + 1"
)


async def editions_told(session: AsyncSession, *, editions: Sequence[EditionState]) -> None:
    """Keep editions."""
    newest = {each.key: each for each in sorted(editions, key=lambda each: each.version)}
    rows = [
        KnownEdition(
            key=each.key,
            number_key=edition_key(each.number),
            designation=each.designation,
            withdrawn_on=each.withdrawn_on,
            replaced_by=each.replaced_by,
            version=each.version,
        )
        for _, each in sorted(newest.items())
    ]
    await _keep(session, KnownEdition, rows, key="key")


async def restrictions_told(session: AsyncSession, *, restrictions: Sequence[RestrictionState]) -> None:
    """Keep entries of the restricted and banned list."""
    newest = {each.id: each for each in sorted(restrictions, key=lambda each: each.version)}
    rows = [
        KnownRestriction(
            id=each.id,
            banned=each.kind == "banned",
            type_code=each.type_code,
            properties=each.properties,
            regions=each.regions,
            from_on=each.from_on,
            until_on=each.until_on,
            source=each.source,
            text=each.text,
            version=each.version,
        )
        for _, each in sorted(newest.items())
    ]
    await _keep(session, KnownRestriction, rows, key="id")


async def types_told(session: AsyncSession, *, types: Sequence[tuple[TypePublished, datetime]]) -> None:
    """Keep types, each with the moment of its publication: one that is deprecated is so from that day on."""
    newest = {each.code: (each, at) for each, at in sorted(types, key=lambda one: one[0].dictionary_version)}
    rows = []
    for code, (each, at) in sorted(newest.items()):
        ended = each.status == "DEPRECATED"
        rows.append(
            KnownType(
                code=code,
                category=each.category,
                deprecated_on=business_date(at) if ended else None,
                successor=each.successor if ended else None,
                reason=each.reason if ended else None,
                version=each.dictionary_version,
            )
        )
    await _keep(session, KnownType, rows, key="code")


async def _keep(session: AsyncSession, table: type[SQLModel], rows: Sequence[SQLModel], *, key: str) -> None:
    if not rows:
        return
    statement = insert(table).values([row.model_dump() for row in rows])
    columns = {name: statement.excluded[name] for name in table.model_fields if name != key}
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[key],
            set_=columns,
            where=col(table.version) <= statement.excluded["version"],  # type: ignore[attr-defined]
        )
    )
    await session.execute(_COUNT)
