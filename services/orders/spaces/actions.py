"""Keeping what `members` tells of stages and circles."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.members import CircleChanged, StageChanged

_STAGE = text(
    """
    INSERT INTO seen_stages (group_id, category, stage, circle_id, told_at)
    VALUES (:group_id, :category, :stage, :circle_id, :at)
    ON CONFLICT (group_id, category) DO UPDATE
    SET stage = excluded.stage, circle_id = excluded.circle_id, told_at = excluded.told_at
    """
)
_CIRCLE = text(
    """
    INSERT INTO seen_circles (circle_id, name, group_ids, told_at)
    VALUES (:circle_id, :name, CAST(:group_ids AS uuid[]), :at)
    ON CONFLICT (circle_id) DO UPDATE
    SET name = excluded.name, group_ids = excluded.group_ids, told_at = excluded.told_at
    """
)


async def stages_told(session: AsyncSession, *, told: Sequence[StageChanged], at: datetime) -> None:
    """In the order they happened: the last one counts."""
    for each in told:
        values = {"group_id": each.group_id, "category": each.category, "stage": each.stage, "at": at}
        await session.execute(_STAGE, {**values, "circle_id": each.circle_id if each.stage == "S2" else None})


async def circles_told(session: AsyncSession, *, told: Sequence[CircleChanged], at: datetime) -> None:
    """In the order they happened: the last one counts. A dissolved circle holds nobody."""
    for each in told:
        groups = sorted(each.member_ids) if each.status == "ACTIVE" else []
        values = {"circle_id": each.circle_id, "name": each.name, "group_ids": groups, "at": at}
        await session.execute(_CIRCLE, values)
