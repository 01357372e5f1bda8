"""Orders whose delivery a blacklist has stopped: said on the order, and answers to it are refused while it lasts."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.delivery_stops import queries as stop_queries
from services.orders.delivery_stops.rules import Running, Stop, stops
from services.orders.purchase_orders.actions import Dossier
from services.orders.purchase_orders.rules import TO_COME
from services.orders.purchase_orders.tables import OrderLine, PurchaseOrder
from shared.clock import business_date
from shared.errors import Conflict


class DeliveryStopped(Conflict):
    """The supplier is on a blacklist that stops deliveries; the order waits until the entry ends."""


async def stop_of(session: AsyncSession, *, order: PurchaseOrder, lines: Sequence[OrderLine], on: date) -> Stop | None:
    """The entry that stops an order's delivery on a day, if any; of several the one that lasts longest."""
    running = Running(
        supplier_id=order.supplier_id,
        buyer_group_id=order.buyer_group_id or order.buyer_id,
        region=str(order.delivery["region"]),
        project_id=order.project_id,
        types_to_come={line.variant_key.partition("|")[0] for line in lines if line.state in TO_COME},
    )
    for stop in await stop_queries.stops_of(session, supplier_ids=[order.supplier_id], on=on):
        if stops(stop, running, on=on):
            return stop
    return None


async def refuse_while_stopped(session: AsyncSession, *, dossier: Dossier) -> None:
    """Let the supplier answer only orders whose delivery is not stopped.

    Raises:
        DeliveryStopped: see the class.
    """
    on = business_date(dossier.at)
    stop = await stop_of(session, order=dossier.order, lines=list(dossier.lines.values()), on=on)
    if stop is not None:
        raise DeliveryStopped(
            f"The delivery of {dossier.order.number} is stopped until {stop.expires_on} ({stop.reason_class}); "
            "see GET /suppliers/blacklist/about-us, where you can appeal."
        )
