"""Who sees a joint purchasing notice, by the one visibility policy; and how that follows stages and circles."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.sourcing import queries
from services.orders.sourcing.tables import JointNotice
from services.orders.spaces import queries as space_queries
from shared.audience import Audience, Meant, ObjectKind, Space, effective_keys


def keys_of(space: Space, *, owner: UUID, circle_id: UUID, participants: Sequence[UUID]) -> list[str]:
    """The keys of a notice meant for one circle: the narrower of that and what the stage allows, and who takes part."""
    meant = Meant(audience=Audience.CIRCLE, ids=frozenset({circle_id}), parties=frozenset(participants))
    return sorted(effective_keys(ObjectKind.JOINT_PURCHASE, own=meant, space=space, owner=owner))


async def rekey(session: AsyncSession, *, notices: Sequence[JointNotice]) -> None:
    """Let who sees notices follow their space: a group that came to the circle sees them, one that left does not,
    unless it takes part. Needs a system session."""
    for notice in notices:
        space = await space_queries.space_of(session, group_id=notice.group_id, category=notice.category)
        members = await space_queries.circle_groups(session, circle_id=notice.circle_id)
        participants = await queries.participants_anywhere(session, notice_id=notice.id)
        keys = keys_of(space, owner=notice.group_id, circle_id=notice.circle_id, participants=participants)
        reached = members if f"circle:{notice.circle_id}" in keys else frozenset[UUID]()
        notice.audience_keys = keys
        notice.party_ids = sorted({notice.group_id, *participants, *reached})
    await session.flush()
