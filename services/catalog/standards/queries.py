"""Reading the register of standards. All of it is public."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.catalog.standards.rules import EditionStatus
from services.catalog.standards.tables import StandardEdition


@dataclass(frozen=True, kw_only=True, slots=True)
class WithdrawnEdition:
    """An edition that is no longer in force."""

    key: str
    designation: str
    withdrawn_on: date
    replaced_by: str | None


async def withdrawn_editions(session: AsyncSession, *, on: date) -> Mapping[str, WithdrawnEdition]:
    """Every edition that is withdrawn on a day, by `edition_key` of its designation."""
    rows = await session.execute(
        text("SELECT key, designation, withdrawn_on, replaced_by FROM standard_editions WHERE withdrawn_on <= :on"),
        {"on": on},
    )
    return {row["key"]: WithdrawnEdition(**row) for row in rows.mappings()}


async def withdrawals(session: AsyncSession) -> Mapping[str, date]:
    """The day on which each edition was or will be withdrawn, by key; editions without such a day are left out."""
    rows = await session.execute(text("SELECT key, withdrawn_on FROM standard_editions WHERE withdrawn_on IS NOT NULL"))
    return {row.key: row.withdrawn_on for row in rows}


async def edition(session: AsyncSession, *, key: str) -> StandardEdition | None:
    """One edition."""
    return await session.get(StandardEdition, key)


async def editions_for_update(session: AsyncSession, *, keys: Sequence[str]) -> Mapping[str, StandardEdition]:
    """Those of these editions that are there, locked in key order."""
    rows = await session.scalars(
        select(StandardEdition)
        .where(col(StandardEdition.key).in_(keys))
        .order_by(col(StandardEdition.key))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.key: row for row in rows}


async def editions_page(
    session: AsyncSession,
    *,
    words: str | None,
    number_key: str | None,
    kind: str | None,
    status: EditionStatus | None,
    on: date,
    after: str | None,
    limit: int,
) -> Sequence[StandardEdition]:
    """Editions by key."""
    query = select(StandardEdition).order_by(col(StandardEdition.key)).limit(limit)
    if after is not None:
        query = query.where(col(StandardEdition.key) > after)
    if number_key is not None:
        query = query.where(col(StandardEdition.number_key) == number_key)
    if kind is not None:
        query = query.where(col(StandardEdition.kind) == kind)
    if words is not None:
        query = query.where(
            or_(
                col(StandardEdition.designation).icontains(words, autoescape=True),
                col(StandardEdition.title).icontains(words, autoescape=True),
            )
        )
    withdrawn, effective = col(StandardEdition.withdrawn_on), col(StandardEdition.effective_on)
    still = or_(withdrawn.is_(None), withdrawn > on)
    if status is EditionStatus.WITHDRAWN:
        query = query.where(withdrawn <= on)
    elif status is EditionStatus.COMING:
        query = query.where(still, effective > on)
    elif status is EditionStatus.IN_FORCE:
        query = query.where(still, or_(effective.is_(None), effective <= on))
    return (await session.scalars(query)).all()
