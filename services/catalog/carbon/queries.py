"""Reading carbon factors."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.catalog.carbon.tables import CarbonFactorOfType


async def factors_of_types(session: AsyncSession, *, type_codes: Sequence[str]) -> Mapping[str, CarbonFactorOfType]:
    """The factors of these types by type code; a type may have none."""
    rows = await session.scalars(select(CarbonFactorOfType).where(col(CarbonFactorOfType.type_code).in_(type_codes)))
    return {row.type_code: row for row in rows}


async def sources(session: AsyncSession) -> Mapping[str, str]:
    """Where each factor is from, by type code."""
    rows = await session.execute(select(CarbonFactorOfType.type_code, CarbonFactorOfType.source))
    return {row.type_code: row.source for row in rows}


async def factors_page(
    session: AsyncSession, *, type_code: str | None, limit: int, after: str | None
) -> Sequence[CarbonFactorOfType]:
    """Factors by type code, one row more than `limit`."""
    query = select(CarbonFactorOfType).order_by(col(CarbonFactorOfType.type_code)).limit(limit + 1)
    if type_code is not None:
        query = query.where(col(CarbonFactorOfType.type_code) == type_code)
    if after is not None:
        query = query.where(col(CarbonFactorOfType.type_code) > after)
    return (await session.scalars(query)).all()
