"""Counting one stock level; files of them come through `imports`."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.inventory import queries, rules
from services.suppliers.inventory.tables import StockLevel
from services.suppliers.offers.queries import item_with_variant
from services.suppliers.offers.tables import Item
from shared.contracts.suppliers import STOCK_CHANGED, StockChanged, StockState
from shared.errors import Conflict, NotFound, Unprocessable
from shared.feed import publish
from shared.quantity import has_at_most, to_base

_QUANTITY_DECIMALS = 3
_QUANTITY_LIMIT = Decimal(10) ** 12


class ItemNotFound(NotFound):
    """This supplier has no such item."""


class UnitNotConvertible(Conflict):
    """The unit cannot be converted to the item's base unit."""


class QuantityTooPrecise(Unprocessable):
    """The quantity has more decimal places than its unit takes."""


class QuantityTooLarge(Unprocessable):
    """The quantity is more than can be counted here."""


class CountIsOlder(Conflict):
    """A later count of this stock is known already."""


class CountInTheFuture(Unprocessable):
    """The count is dated after today."""


async def count_stock(
    session: AsyncSession,
    *,
    supplier_id: UUID,
    item_no: str,
    stock_point: str,
    on_hand: Decimal,
    unit: str | None,
    as_of: datetime,
    at: datetime,
) -> tuple[StockLevel, Item]:
    """Set what lies at a stock point; a count below what is reserved is kept as shortfall.

    Raises:
        ItemNotFound, UnitNotConvertible, QuantityTooPrecise, QuantityTooLarge, CountIsOlder, CountInTheFuture.
    """
    found = await item_with_variant(session, supplier_id=supplier_id, item_no=item_no)
    if found is None:
        raise ItemNotFound(f"You have no item {item_no}.")
    item, variant = found
    if as_of > at + timedelta(days=1):
        raise CountInTheFuture(f"{as_of.isoformat()} has not come yet.")
    named = unit or item.base_unit
    if named not in variant.unit_factors:
        raise UnitNotConvertible(f"{named} cannot be converted to {item.base_unit} for {item.variant_key}.")
    decimals = min(variant.unit_decimals.get(named, _QUANTITY_DECIMALS), _QUANTITY_DECIMALS)
    if not has_at_most(on_hand, decimals):
        raise QuantityTooPrecise(f"{named} takes at most {decimals} decimal places; {on_hand} has more.")
    reported = to_base(quantity=on_hand, factor=Decimal(variant.unit_factors[named]), decimals=_QUANTITY_DECIMALS)
    if reported >= _QUANTITY_LIMIT:
        raise QuantityTooLarge(f"{reported} {item.base_unit} is more than can be counted here.")
    level = await _level(session, supplier_id=supplier_id, item_no=item_no, stock_point=stock_point, as_of=as_of, at=at)
    if as_of < level.as_of:
        raise CountIsOlder(f"The stock of {level.as_of.isoformat()} is known already.")
    now = rules.counted(reported=reported, reserved=level.reserved)
    level.on_hand, level.shortfall, level.as_of, level.updated_at = now.on_hand, now.shortfall, as_of, at
    await session.flush()
    await publish(
        session,
        type=STOCK_CHANGED,
        subject=str(supplier_id),
        data=StockChanged(supplier_id=supplier_id, stock=[stock_state(level)]),
        at=at,
        company_id=supplier_id,
    )
    return level, item


async def _level(
    session: AsyncSession, *, supplier_id: UUID, item_no: str, stock_point: str, as_of: datetime, at: datetime
) -> StockLevel:
    fresh = StockLevel(
        supplier_id=supplier_id,
        item_no=item_no,
        stock_point=stock_point,
        on_hand=Decimal(0),
        as_of=as_of,
        updated_at=at,
    )
    await session.execute(insert(StockLevel).values(fresh.model_dump()).on_conflict_do_nothing())
    level = await queries.stock_level_for_update(
        session, supplier_id=supplier_id, item_no=item_no, stock_point=stock_point
    )
    assert level is not None  # noqa: S101 - it was made above, or before
    return level


def stock_state(level: StockLevel) -> StockState:
    """A level as events tell it."""
    return StockState(
        item_no=level.item_no,
        stock_point=level.stock_point,
        on_hand=level.on_hand,
        available=level.available,
        band=rules.band(on_hand=level.on_hand, reserved=level.reserved).value,
        as_of=level.as_of,
    )
