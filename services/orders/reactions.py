"""What happens elsewhere, and what follows here.

suppliers  blacklist.changed  whose running orders wait: their delivery is stopped, nothing is cancelled
"""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.delivery_stops import actions as stop_actions
from shared import clock
from shared.contracts.blacklists import BLACKLIST_CHANGED, BlacklistChanged
from shared.feed import Event
from shared.follower import Reaction


async def keep_stops(session: AsyncSession, events: Sequence[Event]) -> None:
    """Entries of blacklists were made, changed or ended."""
    changes = [BlacklistChanged.model_validate(event.data) for event in events]
    await stop_actions.lists_told(session, changes=changes, at=clock.now())


REACTIONS: Mapping[str, Mapping[str, Reaction]] = {"suppliers": {BLACKLIST_CHANGED: keep_stops}}
"""By source, then by type: what its worker follows, and what operators may retry."""
