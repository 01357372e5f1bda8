"""Relying on another group's decision: recognised from that group, of that day, by the supplier's consent."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.admissions import queries, rules
from services.suppliers.admissions.actions import Recognised
from services.suppliers.consents.actions import consent_to_use
from services.suppliers.consents.queries import circles_of_anywhere
from services.suppliers.consents.rules import Shared, may_rely
from services.suppliers.spaces import queries as space_queries
from shared.audience import viewer_keys
from shared.clock import business_date
from shared.errors import Conflict


class DecisionNotRecognisable(Conflict):
    """The other admission does not stand, is your own, of another supplier or another category, or its group has not
    opened its decisions in this category to a circle that your group stands in."""


async def recognised(
    session: AsyncSession,
    *,
    group_id: UUID,
    supplier_id: UUID,
    categories: Sequence[str],
    admission_id: UUID,
    consent_id: UUID,
    at: datetime,
) -> Recognised:
    """Another group's decision that a group may rest its own on.

    Raises:
        DecisionNotRecognisable, and what `consent_to_use` raises.
    """
    circles = await circles_of_anywhere(session, group_id=group_id)
    viewer = viewer_keys(company_id=group_id, group_id=group_id, circle_ids=circles)
    consent = await consent_to_use(
        session,
        consent_id=consent_id,
        supplier_id=supplier_id,
        viewer=viewer,
        needs=Shared.QUALIFICATION_DECISION,
        at=at,
    )
    other = await queries.admission_anywhere(session, admission_id=admission_id)
    if (
        other is None
        or other.supplier_id != supplier_id
        or other.group_id == group_id
        or set(categories) != {other.category}
        or not rules.stands(other.status, other.until, on=business_date(at))
    ):
        raise DecisionNotRecognisable("No decision of another group stands for this supplier and category.")
    spaces = await space_queries.spaces_of(session, supplier_id=supplier_id, category=other.category)
    space = next((each for each in spaces if each.group_id == other.space_group_id), None)
    if space is None or not may_rely(space=space, owner=supplier_id, viewer=viewer, consent=consent.given):
        raise DecisionNotRecognisable("That group has not opened its decisions in this category to a circle of yours.")
    return Recognised(
        admission_id=other.id, group_id=other.group_id, decided_on=other.decided_on, consent_id=consent.id
    )
