"""How many orders are under way at a supplier: asked by `suppliers` before it merges two records of one company."""

from uuid import UUID

from services.orders.purchase_orders import queries
from shared.contracts.orders import OpenOrders
from shared.database import SystemSession
from shared.http import router as house_router
from shared.identity import OrderCounter

router = house_router("/orders/open-orders", tag="purchase orders")


@router.get("/{supplier_id}", summary="How many orders are under way at a supplier")
async def open_orders(supplier_id: UUID, _: OrderCounter, session: SystemSession) -> OpenOrders:
    """Of all buyers together, neither whose nor of what: a number is all that leaves."""
    return OpenOrders(supplier_id=supplier_id, orders=await queries.count_open(session, supplier_id=supplier_id))
