"""Work on the search that no caller asks for."""

from services.catalog.search import actions
from shared.database import Sessions, transaction


async def rebuild_index(sessions: Sessions) -> None:
    """Empty the read model; the running follower fills it again from the start of the feed.

    Needed after a change of how text becomes tokens (`dougong rebuild-search`). Until it has caught up the search finds
    less.
    """
    async with transaction(sessions) as session:
        await actions.empty_index(session)
