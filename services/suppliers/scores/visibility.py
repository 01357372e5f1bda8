"""Who may see a score in its reduced form (domain.md 3.2): the one place that says so."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.suppliers.scores.tables import ScoreNotice
from services.suppliers.spaces.queries import spaces_of_group
from shared.audience import MEMBERS_KEY, Audience, Meant, ObjectKind, Space, effective_keys


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """Who reads a group's score by dimension, and whether it may stand in an aggregate for all members."""

    keys: list[str]
    pooled: bool


def reach(space: Space) -> Reach:
    """In a circle its members read each group's score by dimension. On the open market members read aggregates alone:
    a row then stays with its group, and only counts."""
    keys = effective_keys(
        ObjectKind.EVALUATION,
        own=Meant(audience=Audience.MEMBERS),
        space=space,
        owner=space.group_id,
        reduced=True,
    )
    return Reach(keys=sorted(keys - {MEMBERS_KEY}), pooled=MEMBERS_KEY in keys)


async def reach_of(session: AsyncSession, *, group_id: UUID, category: str) -> Reach:
    """The same as the stage stands now."""
    return reach((await spaces_of_group(session, group_id=group_id, categories=[category]))[category])


async def rekey(session: AsyncSession, *, group_id: UUID, category: str) -> int:
    """Give a group's reduced scores new keys after the stage of a category changed; how many there are.

    The session must see the group's rows or be the system's.
    """
    now = await reach_of(session, group_id=group_id, category=category)
    found = await session.scalars(
        select(ScoreNotice)
        .where(col(ScoreNotice.group_id) == group_id, col(ScoreNotice.category) == category)
        .with_for_update()
    )
    changed = 0
    for notice in found:
        notice.audience_keys, notice.pooled = now.keys, now.pooled
        changed += 1
    await session.flush()
    return changed
