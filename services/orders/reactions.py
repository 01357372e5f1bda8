"""What happens elsewhere, and what follows here. `suppliers` and `members` follow this service's feed.

members    stage.changed      how far a group has opened a category; joint notices there get other keys,
                              and what is bought there counts in other price statistics
members    circle.changed     who stands in a circle; joint notices open to it get other keys
suppliers  blacklist.changed  whose running orders wait: their delivery is stopped, nothing is cancelled
"""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.delivery_stops import actions as stop_actions
from services.orders.sourcing import queries as sourcing_queries
from services.orders.sourcing.visibility import rekey
from services.orders.spaces import actions as space_actions
from services.orders.statistics import actions as statistic_actions
from shared import clock
from shared.contracts.blacklists import BLACKLIST_CHANGED, BlacklistChanged
from shared.contracts.members import CIRCLE_CHANGED, STAGE_CHANGED, CircleChanged, StageChanged
from shared.feed import Event
from shared.follower import Reaction


async def keep_stages(session: AsyncSession, events: Sequence[Event]) -> None:
    """Groups opened categories, or closed them again."""
    told = [StageChanged.model_validate(event.data) for event in events]
    await space_actions.stages_told(session, told=told, at=clock.now())
    await statistic_actions.stages_told(
        session, told=[(event.time, change) for event, change in zip(events, told, strict=True)]
    )
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


async def keep_stops(session: AsyncSession, events: Sequence[Event]) -> None:
    """Entries of blacklists were made, changed or ended."""
    changes = [BlacklistChanged.model_validate(event.data) for event in events]
    await stop_actions.lists_told(session, changes=changes, at=clock.now())


REACTIONS: Mapping[str, Mapping[str, Reaction]] = {
    "members": {STAGE_CHANGED: keep_stages, CIRCLE_CHANGED: keep_circles},
    "suppliers": {BLACKLIST_CHANGED: keep_stops},
}
"""By source, then by type: what its worker follows, and what operators may retry."""
