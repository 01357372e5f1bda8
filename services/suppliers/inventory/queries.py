"""A supplier's own stock."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.suppliers.inventory.tables import StockLevel
from services.suppliers.offers.tables import Item


async def stock_page(
    session: AsyncSession,
    *,
    supplier_id: UUID,
    item_no: str | None,
    stock_point: str | None,
    short: bool,
    after: tuple[str, str] | None,
    limit: int,
) -> Sequence[tuple[StockLevel, str]]:
    """Stock levels in key order, each with its item's base unit."""
    query = (
        select(StockLevel, Item.base_unit)
        .join(
            Item,
            (col(Item.supplier_id) == col(StockLevel.supplier_id)) & (col(Item.item_no) == col(StockLevel.item_no)),
        )
        .where(col(StockLevel.supplier_id) == supplier_id)
    )
    if item_no is not None:
        query = query.where(col(StockLevel.item_no) == item_no)
    if stock_point is not None:
        query = query.where(col(StockLevel.stock_point) == stock_point)
    if short:
        query = query.where(col(StockLevel.shortfall) > 0)
    if after is not None:
        query = query.where(tuple_(col(StockLevel.item_no), col(StockLevel.stock_point)) > after)
    query = query.order_by(col(StockLevel.item_no), col(StockLevel.stock_point)).limit(limit)
    return [(level, unit) for level, unit in (await session.execute(query)).all()]


async def stock_level_for_update(
    session: AsyncSession, *, supplier_id: UUID, item_no: str, stock_point: str
) -> StockLevel | None:
    """One level, locked."""
    return await session.get(StockLevel, (supplier_id, item_no, stock_point), with_for_update=True)
