"""The stops that a company may know of; row level security asks again."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.orders.delivery_stops.rules import Stop
from services.orders.delivery_stops.tables import DeliveryStop


async def stops_of(session: AsyncSession, *, supplier_ids: Iterable[UUID], on: date) -> list[Stop]:
    """What stands against these suppliers on a day; the one that lasts longest first."""
    found = await session.scalars(
        select(DeliveryStop)
        .where(
            col(DeliveryStop.supplier_id).in_(list(supplier_ids)),
            col(DeliveryStop.active),
            col(DeliveryStop.expires_on) >= on,
        )
        .order_by(col(DeliveryStop.expires_on).desc(), col(DeliveryStop.entry_id))
    )
    return [each.stop for each in found]
