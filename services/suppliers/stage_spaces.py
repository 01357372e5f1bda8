"""The space in which a contractor group's object of a category stands (`shared.audience.Space`).

The one place where entries of blacklists and scores learn how far their owner has opened a category.
"""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared.audience import Space


async def spaces_of(
    session: AsyncSession,  # noqa: ARG001 - stages will be read from it
    *,
    group_id: UUID,
    categories: Iterable[str],
) -> dict[str, Space]:
    """By category. Where no stage is known it is S1: nothing leaves the group."""
    return {category: Space(group_id=group_id) for category in categories}
