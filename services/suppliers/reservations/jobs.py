"""Background work on reservations."""

from datetime import datetime

from services.suppliers.reservations import actions, queries
from shared.database import Database, transaction

SOURCE_OF_ORDERS = "orders"
_BATCH = 200
_BATCHES_AT_MOST = 100


async def expire_reservations(
    database: Database, *, at: datetime, batch: int = _BATCH, batches_at_most: int = _BATCHES_AT_MOST
) -> int:
    """Give back what was held too long and no order can take any more; how many reservations.

    Asks how far this service has followed `orders` (see `actions.expire`); as long as it never has, nothing
    expires. Several workers may do this at once: each takes what the others leave.
    """
    expired = 0
    for _ in range(batches_at_most):
        async with transaction(database.system) as session:
            seen = await queries.caught_up_to(session, source=SOURCE_OF_ORDERS)
            if seen is None:
                return expired
            done = await actions.expire(session, caught_up_to=seen, limit=batch, at=at)
        expired += done
        if done < batch:
            break
    return expired
