"""Reading codes."""

from collections.abc import Mapping, Sequence

from sqlalchemy import func, or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.catalog.classification.rules import CodeSystem, spelling
from services.catalog.classification.tables import ClassificationCode


async def codes_matching(
    session: AsyncSession, *, code: str, system: CodeSystem | None = None
) -> Sequence[ClassificationCode]:
    """The types a code finds, in any system unless one is named; an IFC entity finds all its predefined types."""
    wanted = spelling(code)
    lower = func.lower(col(ClassificationCode.code))
    query = select(ClassificationCode).where(
        or_(
            lower == wanted,
            (col(ClassificationCode.system) == CodeSystem.IFC) & lower.startswith(wanted + ".", autoescape=True),
        )
    )
    if system is not None:
        query = query.where(col(ClassificationCode.system) == system)
    ordered = query.order_by(
        col(ClassificationCode.relation).desc(), col(ClassificationCode.type_code), col(ClassificationCode.code)
    )
    return (await session.scalars(ordered)).all()


async def codes_of_types(session: AsyncSession, *, type_codes: Sequence[str]) -> Sequence[ClassificationCode]:
    """All codes of these types."""
    rows = await session.scalars(
        select(ClassificationCode)
        .where(col(ClassificationCode.type_code).in_(type_codes))
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
        .where(func.lower(col(ClassificationCode.code)).in_(wanted))
        .order_by(col(ClassificationCode.relation).desc(), col(ClassificationCode.type_code))
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        types = found.setdefault(wanted[spelling(row.code)], [])
        if row.type_code not in types:
            types.append(row.type_code)
    return found
