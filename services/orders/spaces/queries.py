"""Reading spaces. A group sees its own stages and the circles it stands in; the worker sees all."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.orders.spaces.tables import SeenCircle, SeenStage
from shared.audience import Space, Stage


async def circle_groups(session: AsyncSession, *, circle_id: UUID) -> frozenset[UUID]:
    """The groups that stand in a circle; none where the circle is not known, or not the caller's."""
    found = await session.scalar(select(SeenCircle.group_ids).where(col(SeenCircle.circle_id) == circle_id))
    return frozenset(found or ())


async def space_of(session: AsyncSession, *, group_id: UUID, category: str) -> Space:
    """What a group does in a category: its stage, and at S2 its circle with the groups in it."""
    found = await session.scalars(
        select(SeenStage).where(col(SeenStage.group_id) == group_id, col(SeenStage.category) == category)
    )
    seen = found.one_or_none()
    if seen is None:
        return Space(group_id=group_id)
    groups: frozenset[UUID] = frozenset()
    if seen.circle_id is not None:
        groups = await circle_groups(session, circle_id=seen.circle_id)
    return Space(group_id=group_id, stage=Stage(seen.stage), circle_id=seen.circle_id, circle_group_ids=groups)
