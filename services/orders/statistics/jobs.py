"""Price statistics are made month by month, when a month is old enough, and never again."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, time

from services.orders.statistics import actions, queries
from services.orders.statistics.queries import Categories, Window
from services.orders.statistics.rules import newest_publishable, next_month
from shared.clock import BUSINESS_ZONE, business_date
from shared.database import Database, transaction
from shared.logs import log

AskCategories = Callable[[], Awaitable[Categories]]


def window_of(first: date, last: date) -> Window:
    """Whole months, from the first day of one to the last of another, as the business's clocks have them."""
    return Window(
        since=datetime.combine(first.replace(day=1), time(), BUSINESS_ZONE),
        until=datetime.combine(next_month(last), time(), BUSINESS_ZONE),
    )


async def make_price_statistics(database: Database, *, categories: AskCategories, at: datetime) -> int:
    """Make every month that is old enough and was not made yet, each in its own transaction; how many were made."""
    newest = newest_publishable(business_date(at))
    async with transaction(database.system) as session:
        month, made = await queries.first_month(session), await queries.months_made(session)
    if month is None:
        return 0
    done = 0
    types: Categories | None = None
    while month <= newest:
        if month not in made:
            types = types or await categories()
            async with transaction(database.system) as session:
                pooled = await queries.pooled_rows(session, window=window_of(month, month), types=types)
                cells = await actions.make_month(session, month=month, pooled=pooled, at=at)
            if cells is not None:
                log.info("price_statistics_made", month=month.isoformat(), cells=cells)
                done += 1
        month = next_month(month)
    return done
