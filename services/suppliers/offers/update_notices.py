"""Telling suppliers that a register came to speak against offers of theirs, today or from a day on.

One event a supplier, in the transaction that keeps the register: a hint to look at its offers, not a judgement. What
exactly stands against which offer, the offers themselves say (`needs_update`, `changes_ahead`).
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.suppliers import OFFERS_NEED_UPDATE, OffersNeedUpdate
from shared.designations import edition_key
from shared.feed import publish

# Designations are stored as suppliers write them, so the few distinct ones are compared by their key on our side.
_STATED = text("SELECT DISTINCT standard FROM offers WHERE standard IS NOT NULL AND status = 'ACTIVE'")
_MADE_TO = text(
    "SELECT DISTINCT supplier_id FROM offers WHERE standard = ANY (CAST(:standards AS text[])) AND status = 'ACTIVE' "
    "ORDER BY supplier_id"
)
_OF_TYPES = text(
    "SELECT DISTINCT i.supplier_id FROM items i "
    "JOIN offers o ON o.supplier_id = i.supplier_id AND o.item_no = i.item_no AND o.status = 'ACTIVE' "
    "WHERE i.type_code = ANY (CAST(:types AS text[])) AND i.status = 'PUBLISHED' ORDER BY i.supplier_id"
)


async def tell_of_editions(session: AsyncSession, *, withdrawn: Collection[str], at: datetime) -> None:
    """Suppliers with an offer made to one of these editions, named by their keys, that end or have ended."""
    if not withdrawn:
        return
    stated = await session.scalars(_STATED)
    standards = [each for each in stated if edition_key(each) in withdrawn]
    if standards:
        found = await session.scalars(_MADE_TO, {"standards": standards})
        await _tell(session, suppliers=found.all(), at=at)


async def tell_of_types(session: AsyncSession, *, types: Collection[str], at: datetime) -> None:
    """Suppliers with an offer of one of these types, restricted by an entry of the list or out of use."""
    if types:
        found = await session.scalars(_OF_TYPES, {"types": sorted(types)})
        await _tell(session, suppliers=found.all(), at=at)


async def _tell(session: AsyncSession, *, suppliers: Collection[UUID], at: datetime) -> None:
    for supplier_id in suppliers:
        await publish(
            session,
            type=OFFERS_NEED_UPDATE,
            subject=str(supplier_id),
            data=OffersNeedUpdate(supplier_id=supplier_id),
            at=at,
            company_id=supplier_id,
        )
