"""Who left is closed for good when the days to fetch its data are over."""

from datetime import datetime

from sqlalchemy import text

from services.members.companies.rules import DATA_STAYS_FETCHABLE
from shared.database import Sessions, transaction


async def close_the_left(sessions: Sessions, *, at: datetime) -> int:
    """How many were closed."""
    async with transaction(sessions) as session:
        closed = await session.execute(
            text(
                "UPDATE companies SET status = 'CLOSED', version = version + 1, updated_at = :at "
                "WHERE status = 'LEFT' AND left_at <= :before RETURNING 1"
            ),
            {"at": at, "before": at - DATA_STAYS_FETCHABLE},
        )
        return len(closed.all())
