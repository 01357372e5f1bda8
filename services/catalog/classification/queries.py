"""Reading codes."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import func, or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.catalog.classification.rules import CodeSystem, spelling
from services.catalog.classification.tables import ClassificationCode, CodeEvent, System


async def codes_matching(
    session: AsyncSession, *, code: str, system: str | None = None, edition: str | None = None
) -> Sequence[ClassificationCode]:
    """The types a code finds, in any system unless one is named; an IFC entity finds all its predefined types.

    A code without an edition holds in every edition.
    """
    wanted = spelling(code)
    lower = func.lower(col(ClassificationCode.code))
    query = select(ClassificationCode).where(
        or_(
            lower == wanted,
            (col(ClassificationCode.system) == CodeSystem.IFC) & lower.startswith(wanted + ".", autoescape=True),
        ),
        col(ClassificationCode.retired_at).is_(None),
    )
    if edition is not None:
        query = query.where(col(ClassificationCode.edition).in_(["", edition]))
    if system is not None:
        query = query.where(col(ClassificationCode.system) == system)
    ordered = query.order_by(
        col(ClassificationCode.relation).desc(), col(ClassificationCode.type_code), col(ClassificationCode.code)
    )
    return (await session.scalars(ordered)).all()


async def codes_of_types(session: AsyncSession, *, type_codes: Sequence[str]) -> Sequence[ClassificationCode]:
    """All codes of these types, except retired ones."""
    rows = await session.scalars(
        select(ClassificationCode)
        .where(col(ClassificationCode.type_code).in_(type_codes), col(ClassificationCode.retired_at).is_(None))
        .order_by(col(ClassificationCode.system), col(ClassificationCode.relation).desc(), col(ClassificationCode.code))
    )
    return rows.all()


async def types_of_codes(session: AsyncSession, *, codes: Sequence[str]) -> Mapping[str, list[str]]:
    """The types that each of these codes finds exactly, by the code as asked; primary ones first."""
    if not codes:
        return {}
    wanted = {spelling(code): code for code in codes}
    rows = await session.scalars(
        select(ClassificationCode)
        .where(func.lower(col(ClassificationCode.code)).in_(wanted), col(ClassificationCode.retired_at).is_(None))
        .order_by(col(ClassificationCode.relation).desc(), col(ClassificationCode.type_code))
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        types = found.setdefault(wanted[spelling(row.code)], [])
        if row.type_code not in types:
            types.append(row.type_code)
    return found


async def systems(session: AsyncSession) -> Sequence[System]:
    """All code systems, by code."""
    return (await session.scalars(select(System).order_by(func.lower(col(System.code))))).all()


async def system_named(session: AsyncSession, *, code: str) -> System | None:
    """A code system, however its code is written."""
    rows = await session.scalars(select(System).where(func.lower(col(System.code)) == code.strip().lower()))
    return rows.one_or_none()


async def system_of_dictionary(session: AsyncSession, *, dictionary: str) -> System | None:
    """The system whose codes are the classes of a bSDD dictionary (`organization/code`)."""
    rows = await session.scalars(select(System).where(func.lower(col(System.dictionary)) == dictionary.lower()))
    return rows.one_or_none()


async def code_for_update(
    session: AsyncSession, *, system: str, edition: str, code: str, type_code: str
) -> ClassificationCode | None:
    """One code of one type that is in use, locked."""
    rows = await session.scalars(
        select(ClassificationCode)
        .where(
            func.lower(col(ClassificationCode.system)) == system.strip().lower(),
            col(ClassificationCode.edition) == edition,
            func.lower(col(ClassificationCode.code)) == spelling(code),
            col(ClassificationCode.type_code) == type_code.strip().upper(),
            col(ClassificationCode.retired_at).is_(None),
        )
        .with_for_update()
    )
    return rows.one_or_none()


async def events_page(
    session: AsyncSession, *, type_code: str | None, before: UUID | None, limit: int
) -> Sequence[CodeEvent]:
    """What happened to codes, the newest first, one more than `limit`."""
    query = select(CodeEvent).order_by(col(CodeEvent.id).desc()).limit(limit + 1)
    if type_code is not None:
        query = query.where(col(CodeEvent.type_code) == type_code.upper())
    if before is not None:
        query = query.where(col(CodeEvent.id) < before)
    return (await session.scalars(query)).all()
