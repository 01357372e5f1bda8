"""Reading units."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.catalog.units.tables import UnitOfMeasure
from shared.quantity import Unit


async def all_units(session: AsyncSession) -> Mapping[str, Unit]:
    """Every unit by its code, in the taxonomy's order."""
    rows = await session.scalars(select(UnitOfMeasure).order_by(col(UnitOfMeasure.sort)))
    return {row.code: row.as_rule for row in rows}
