"""What is under way here: asked by who wants to leave, and by `suppliers` before it merges two of its records."""

from uuid import UUID

from services.orders.purchase_orders import queries
from shared.contracts.orders import OpenOrders, OrdersUnderWay
from shared.database import ReadSession, SystemSession
from shared.http import router as house_router
from shared.identity import OrderCounter, OwnAdmin

router = house_router("/orders/open-orders", tag="purchase orders")


@router.get("", summary="How many of your orders are not finished")
async def read_open_orders(caller: OwnAdmin, session: ReadSession) -> OpenOrders:
    """As buyer and as supplier; a company leaves the platform when there are none."""
    buyer, supplier = await queries.open_orders(session, company_id=caller.company)
    return OpenOrders(as_buyer=buyer, as_supplier=supplier)


@router.get("/{supplier_id}", summary="How many orders are under way at a supplier, for services")
async def orders_under_way(supplier_id: UUID, _: OrderCounter, session: SystemSession) -> OrdersUnderWay:
    """Of all buyers together, neither whose nor of what: a number is all that leaves."""
    _buyer, supplier = await queries.open_orders(session, company_id=supplier_id)
    return OrdersUnderWay(supplier_id=supplier_id, orders=supplier)
