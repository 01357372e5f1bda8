"""What happens elsewhere, and what follows here.

orders    basket.placed     the reservation is consumed: it no longer expires
orders    lines.released    parts of its lines go back to stock (cancelled, rejected, confirmed smaller)
catalog   standard.changed      which editions offers may state, and are ordered by
catalog   restriction.changed   which goods may not be listed, or not be ordered into a region
members   company.affiliated    its offers are marked as an operator's own
members   company.left          its record as a supplier is closed
"""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.onboarding import actions as onboarding_actions
from services.suppliers.register import actions as register_actions
from services.suppliers.reservations import actions
from services.suppliers.reservations.actions import LineRelease
from shared import clock
from shared.contracts.members import COMPANY_AFFILIATED, COMPANY_LEFT, CompanyAffiliated, CompanyLeft
from shared.contracts.orders import BASKET_PLACED, LINES_RELEASED, BasketPlaced, LinesReleased
from shared.contracts.standards import RESTRICTION_CHANGED, STANDARD_CHANGED, RestrictionsChanged, StandardsChanged
from shared.feed import Event
from shared.follower import Reaction


async def consume(session: AsyncSession, events: Sequence[Event]) -> None:
    """A basket was placed: its reservation no longer expires."""
    placed = [BasketPlaced.model_validate(event.data) for event in events]
    await actions.consume(session, reservation_ids=[each.reservation_id for each in placed])


async def give_back(session: AsyncSession, events: Sequence[Event]) -> None:
    """Lines were cancelled, rejected or confirmed smaller: their goods go back, once for each event."""
    releases = [
        LineRelease(
            event_id=event.id,
            reservation_id=released.reservation_id,
            supplier_id=released.supplier_id,
            line_no=line.line_no,
            base_quantity=line.base_quantity,
        )
        for event in events
        for released in (LinesReleased.model_validate(event.data),)
        for line in released.lines
    ]
    await actions.release_lines(session, releases=releases, at=clock.now())


async def keep_editions(session: AsyncSession, events: Sequence[Event]) -> None:
    """Editions were registered, changed or withdrawn."""
    told = [StandardsChanged.model_validate(event.data) for event in events]
    await register_actions.editions_told(session, editions=[each for one in told for each in one.standards])


async def keep_restrictions(session: AsyncSession, events: Sequence[Event]) -> None:
    """Entries of the restricted and banned list were added or corrected."""
    told = [RestrictionsChanged.model_validate(event.data) for event in events]
    await register_actions.restrictions_told(session, restrictions=[each for one in told for each in one.restrictions])


async def close_records(session: AsyncSession, events: Sequence[Event]) -> None:
    """Companies left: their records as suppliers are closed and their offers no longer shown."""
    for left in (CompanyLeft.model_validate(event.data) for event in events):
        await onboarding_actions.exit_as_left(session, supplier_id=left.company_id, at=left.left_at)


async def mark_affiliates(session: AsyncSession, events: Sequence[Event]) -> None:
    """Companies came into an operator's group or out of it."""
    for event in events:
        told = CompanyAffiliated.model_validate(event.data)
        await onboarding_actions.mark_affiliation(
            session, supplier_id=told.company_id, affiliated=told.operator_id is not None, at=event.time
        )


REACTIONS: Mapping[str, Mapping[str, Reaction]] = {
    "orders": {
        BASKET_PLACED: consume,
        LINES_RELEASED: give_back,
    },
    "catalog": {
        STANDARD_CHANGED: keep_editions,
        RESTRICTION_CHANGED: keep_restrictions,
    },
    "members": {
        COMPANY_AFFILIATED: mark_affiliates,
        COMPANY_LEFT: close_records,
    },
}
"""By source, then by type: what its worker follows, and what operators may retry."""
