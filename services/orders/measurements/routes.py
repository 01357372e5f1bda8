"""Measurements for our own services. A share says nothing of any price, quantity or supplier."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import AwareDatetime

from services.orders.measurements import queries
from services.orders.measurements.rules import SPEND_LOOKED_AT, share_of
from shared.contracts.fields import Code
from shared.contracts.measurements import MappedSpend
from shared.database import SystemSession
from shared.http import Now
from shared.http import router as house_router
from shared.identity import MeasurementReader

router = house_router("/orders/measurements", tag="measurements")


@router.get("/mapped-spend", summary="Share of spend on standard variants, for services")
async def mapped_spend(
    *,
    _: MeasurementReader,
    session: SystemSession,
    now: Now,
    group_id: UUID,
    category: Code,
    company_id: Annotated[
        list[UUID] | None, Query(max_length=500, description="The companies of the group; none: the group's own alone.")
    ] = None,
    type_code: Annotated[
        list[Code] | None, Query(max_length=500, description="The component types of the category.")
    ] = None,
    at: AwareDatetime | None = None,
) -> MappedSpend:
    """Of the 90 days before `at`: orders placed here, and what the group paid on the platform it came from, where a
    code that is not mapped counts against the share. Which companies form the group, and which types the category, the
    caller says: `members` and `catalog` know."""
    until: datetime = at or now
    since = until - SPEND_LOOKED_AT
    spent = await queries.spend(
        session,
        group_id=group_id,
        category=category,
        buyer_ids=company_id or [group_id],
        type_codes=type_code or [],
        since=since,
        until=until,
    )
    share = share_of(spent.mapped, spent.whole)
    return MappedSpend(group_id=group_id, category=category, since=since, until=until, share=share)
