"""What this service does about events of others. `suppliers` and `members` follow this service's feed.

members   stage.changed    how far a group has opened a category; joint notices there get other keys
members   circle.changed   who stands in a circle; joint notices open to it get other keys
"""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.sourcing import queries as sourcing_queries
from services.orders.sourcing.visibility import rekey
from services.orders.spaces import actions as space_actions
from shared import clock
from shared.contracts.members import CircleChanged, StageChanged
from shared.feed import Event, event_type
from shared.follower import Reaction

STAGE_CHANGED = event_type("members", "stage.changed")
CIRCLE_CHANGED = event_type("members", "circle.changed")


async def keep_stages(session: AsyncSession, events: Sequence[Event]) -> None:
    """Groups opened categories, or closed them again."""
    told = [StageChanged.model_validate(event.data) for event in events]
    await space_actions.stages_told(session, told=told, at=clock.now())
    spaces = {(each.group_id, each.category) for each in told}
    await rekey(
        session, notices=await sourcing_queries.notices_in_spaces_anywhere(session, circle_ids=(), spaces=spaces)
    )


async def keep_circles(session: AsyncSession, events: Sequence[Event]) -> None:
    """Groups came into circles or left them."""
    told = [CircleChanged.model_validate(event.data) for event in events]
    await space_actions.circles_told(session, told=told, at=clock.now())
    circles = {each.circle_id for each in told}
    await rekey(
        session, notices=await sourcing_queries.notices_in_spaces_anywhere(session, circle_ids=circles, spaces=())
    )


REACTIONS: Mapping[str, Mapping[str, Reaction]] = {
    "members": {STAGE_CHANGED: keep_stages, CIRCLE_CHANGED: keep_circles},
}
"""By source, then by type: what its worker follows, and what operators may retry."""
