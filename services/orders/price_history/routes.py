"""HTTP of what a group paid on its legacy platform: sums for the group itself, nobody else."""

from datetime import date, timedelta
from decimal import Decimal

from services.orders.price_history import queries
from shared.clock import business_date
from shared.contracts.fields import Answer
from shared.database import ReadSession, scope_to
from shared.errors import refusals
from shared.http import Now
from shared.http import router as house_router
from shared.identity import Buyer, CompanyNeeded

router = house_router("/orders/price-history", tag="price history")
_YEAR = timedelta(days=365)


class SpendView(Answer):
    """What was paid in a category, and how much of it on codes that are mapped today."""

    category: str | None
    rows: int
    rows_mapped: int
    mapped: Decimal
    total: Decimal


@router.get("/spend", summary="What your group paid by category", responses=refusals(CompanyNeeded))
async def spend(caller: Buyer, session: ReadSession, now: Now, since: date | None = None) -> list[SpendView]:
    """Since a day, a year ago unless named. Sums of your own group; the rows under no category cannot be placed."""
    group_id = caller.group_id or caller.company
    await scope_to(session, caller.company, group_id)
    first = since or business_date(now) - _YEAR
    rows = await queries.spend_by_category(session, group_id=group_id, since=first)
    return [SpendView.model_validate(row) for row in rows]
