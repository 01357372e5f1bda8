"""Moving an application on: the one place that changes its state, and tells that it did."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.applications.rules import ApplicationState, may_become
from services.suppliers.applications.tables import Application
from shared.contracts.suppliers import APPLICATION_CHANGED, ApplicationChanged
from shared.errors import Conflict
from shared.feed import publish


class ApplicationStateForbids(Conflict):
    """The application cannot go from its present state to the one asked for."""


async def move(session: AsyncSession, application: Application, after: ApplicationState, *, at: datetime) -> None:
    """Bring an application into another state; its supplier's row is locked.

    Raises:
        ApplicationStateForbids.
    """
    check_move(application, after)
    application.state = after
    application.waiting_since = at
    application.version += 1
    await session.flush()
    await tell(session, application, at=at)


def check_move(application: Application, after: ApplicationState) -> None:
    """Raises ApplicationStateForbids."""
    if not may_become(ApplicationState(application.state), after):
        raise ApplicationStateForbids(f"An application that is {application.state} does not become {after}.")


async def tell(session: AsyncSession, application: Application, *, at: datetime) -> None:
    """Publish where an application stands."""
    await publish(
        session,
        type=APPLICATION_CHANGED,
        subject=str(application.supplier_id),
        data=ApplicationChanged(
            supplier_id=application.supplier_id,
            application_id=application.id,
            state=application.state,
            categories=application.categories,
        ),
        at=at,
        company_id=application.supplier_id,
    )
