"""Keeping what `suppliers` tells of blacklists."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.orders.delivery_stops.rules import OFFICIAL
from services.orders.delivery_stops.tables import DeliveryStop
from shared.contracts.blacklists import BlacklistChanged


async def lists_told(session: AsyncSession, *, changes: Sequence[BlacklistChanged], at: datetime) -> None:
    """Take entries over as they stand, in the order told: what no longer stops, or no longer this supplier, ends."""
    for told in changes:
        owner_id = told.owner_group_id or OFFICIAL
        await session.execute(
            update(DeliveryStop)
            .where(col(DeliveryStop.owner_id) == owner_id, col(DeliveryStop.entry_id) == told.entry_id)
            .values(active=False, entry_version=told.version, updated_at=at)
        )
        if told.level != "STOP_DELIVERY" or told.status != "ACTIVE":
            continue
        says = {
            "reason_class": told.reason_class,
            "type_codes": told.type_codes,
            "regions": told.regions,
            "project_ids": told.project_ids,
            "starts_on": told.starts_on,
            "expires_on": told.expires_on,
            "active": not told.categories or bool(told.type_codes),
            "entry_version": told.version,
            "updated_at": at,
        }
        for supplier_id in told.supplier_ids:
            await session.execute(
                insert(DeliveryStop)
                .values(supplier_id=supplier_id, owner_id=owner_id, entry_id=told.entry_id, **says)
                .on_conflict_do_update(index_elements=["supplier_id", "owner_id", "entry_id"], set_=says)
            )
