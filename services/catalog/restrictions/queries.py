"""Reading the restricted and banned list. All of it is public."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.catalog.restrictions.rules import Restriction, holds_at
from services.catalog.restrictions.tables import RestrictionEntry


async def restrictions_for(
    session: AsyncSession, *, on: date, region: str | None, type_codes: Collection[str] | None = None
) -> Sequence[RestrictionEntry]:
    """The entries that hold on a day: at a place, or (None) for the whole country; of these types, or of all.

    Whether an entry names a certain variant of its type, `restrictions.rules.names` says.
    """
    query = (
        select(RestrictionEntry)
        .where(
            col(RestrictionEntry.from_on) <= on,
            or_(col(RestrictionEntry.until_on).is_(None), col(RestrictionEntry.until_on) >= on),
        )
        .order_by(col(RestrictionEntry.id))
    )
    if type_codes is not None:
        query = query.where(col(RestrictionEntry.type_code).in_(list(type_codes)))
    rows = (await session.scalars(query)).all()
    if region is None:
        return [row for row in rows if not row.regions]
    return [row for row in rows if holds_at(regions=row.regions, region=region)]


async def all_restrictions(session: AsyncSession) -> Sequence[Restriction]:
    """Every entry that was ever made, in the order they were made; whether one holds, `restrictions.rules` says."""
    return [row.as_rule for row in await session.scalars(select(RestrictionEntry).order_by(col(RestrictionEntry.id)))]


async def restrictions_page(
    session: AsyncSession, *, type_code: str | None, kind: str | None, on: date | None, after: UUID | None, limit: int
) -> Sequence[RestrictionEntry]:
    """Entries in the order they were made; with `on` those that hold on a day somewhere."""
    query = select(RestrictionEntry).order_by(col(RestrictionEntry.id)).limit(limit)
    if type_code is not None:
        query = query.where(col(RestrictionEntry.type_code) == type_code)
    if kind is not None:
        query = query.where(col(RestrictionEntry.kind) == kind)
    if on is not None:
        query = query.where(
            col(RestrictionEntry.from_on) <= on,
            or_(col(RestrictionEntry.until_on).is_(None), col(RestrictionEntry.until_on) >= on),
        )
    if after is not None:
        query = query.where(col(RestrictionEntry.id) > after)
    return (await session.scalars(query)).all()


async def restriction(session: AsyncSession, *, restriction_id: UUID) -> RestrictionEntry | None:
    """One entry."""
    return await session.get(RestrictionEntry, restriction_id)


async def restriction_for_update(session: AsyncSession, *, restriction_id: UUID) -> RestrictionEntry | None:
    """One entry, locked."""
    return await session.get(RestrictionEntry, restriction_id, with_for_update=True, populate_existing=True)


async def entries_for_update(session: AsyncSession, *, content_keys: Sequence[str]) -> Mapping[str, RestrictionEntry]:
    """Those of these entries that are there, locked, by content key."""
    rows = await session.scalars(
        select(RestrictionEntry)
        .where(col(RestrictionEntry.content_key).in_(content_keys))
        .order_by(col(RestrictionEntry.content_key))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.content_key: row for row in rows}
