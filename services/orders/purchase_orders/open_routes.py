"""What a company still has open here; who wants to leave is asked for it."""

from services.orders.purchase_orders import queries
from shared.contracts.orders import OpenOrders
from shared.database import ReadSession
from shared.http import router as house_router
from shared.identity import OwnAdmin

router = house_router("/orders/open-orders", tag="purchase orders")


@router.get("", summary="How many of your orders are not finished")
async def read_open_orders(caller: OwnAdmin, session: ReadSession) -> OpenOrders:
    """As buyer and as supplier; a company leaves the platform when there are none."""
    buyer, supplier = await queries.open_orders(session, company_id=caller.company)
    return OpenOrders(as_buyer=buyer, as_supplier=supplier)
