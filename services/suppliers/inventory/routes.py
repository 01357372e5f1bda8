"""A supplier's own stock over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Response

from services.suppliers.inventory import actions, queries, rules
from services.suppliers.inventory.actions import (
    CountInTheFuture,
    CountIsOlder,
    ItemNotFound,
    QuantityTooLarge,
    QuantityTooPrecise,
    UnitNotConvertible,
)
from services.suppliers.inventory.schemas import CountStock, StockView
from services.suppliers.inventory.tables import StockLevel
from shared.audit.entries import UNRECORDED
from shared.contracts.fields import QueryText
from shared.database import ReadSession, WriteSession
from shared.errors import refusals
from shared.http import Now
from shared.http import router as house_router
from shared.identity import NotYours, StockWriter, SupplierCaller, same_company
from shared.paging import CursorInvalid, PageQuery

router = house_router("/suppliers", tag="stock")

Label = Annotated[QueryText, Path(min_length=1, max_length=100)]


def _view(level: StockLevel, base_unit: str) -> StockView:
    return StockView(
        supplier_id=level.supplier_id,
        item_no=level.item_no,
        stock_point=level.stock_point,
        base_unit=base_unit,
        on_hand=level.on_hand,
        reserved=level.reserved,
        available=level.available,
        shortfall=level.shortfall,
        band=rules.band(on_hand=level.on_hand, reserved=level.reserved).value,
        as_of=level.as_of,
        updated_at=level.updated_at,
    )


@router.get("/{supplier_id}/stock", summary="List your stock", responses=refusals(NotYours, CursorInvalid))
async def list_stock(
    *,
    supplier_id: UUID,
    caller: SupplierCaller,
    session: ReadSession,
    paging: PageQuery,
    response: Response,
    item_no: Annotated[QueryText | None, Query(max_length=100)] = None,
    stock_point: Annotated[QueryText | None, Query(max_length=100)] = None,
    short: Annotated[bool, Query(description="Only where less is on hand than reserved.")] = False,
) -> list[StockView]:
    """In the order of item and stock point, exact quantities in base units."""
    same_company(caller, supplier_id, what="This stock")
    rows = await queries.stock_page(
        session,
        supplier_id=supplier_id,
        item_no=item_no,
        stock_point=stock_point,
        short=short,
        after=paging.after_as(str, str),
        limit=paging.limit + 1,
    )
    shown = paging.page(rows, response, key=lambda row: [row[0].item_no, row[0].stock_point])
    return [_view(level, unit) for level, unit in shown]


@router.put(
    "/{supplier_id}/stock/{item_no}/{stock_point}",
    summary="Count one stock level",
    responses=refusals(
        NotYours,
        ItemNotFound,
        UnitNotConvertible,
        QuantityTooPrecise,
        QuantityTooLarge,
        CountIsOlder,
        CountInTheFuture,
    ),
    openapi_extra=UNRECORDED,
)
async def count(
    *,
    supplier_id: UUID,
    item_no: Label,
    stock_point: Label,
    body: CountStock,
    caller: StockWriter,
    session: WriteSession,
    now: Now,
) -> StockView:
    """Say what lies at a stock point, which is made if it is new. The same count twice changes nothing more.

    A count below what is reserved does not undo promises: nothing is available, and `shortfall` says the gap.
    """
    same_company(caller, supplier_id, what="This stock")
    level, item = await actions.count_stock(
        session,
        supplier_id=supplier_id,
        item_no=item_no,
        stock_point=stock_point,
        on_hand=body.on_hand,
        unit=body.unit,
        as_of=body.as_of or now,
        at=now,
    )
    return _view(level, item.base_unit)
