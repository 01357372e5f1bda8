"""What happens elsewhere, and what follows here.

orders    basket.placed     the reservation is consumed: it no longer expires
orders    order.assessed    how it went counts in the supplier's score
orders    lines.released    parts of its lines go back to stock (cancelled, rejected, confirmed smaller)
members   stage.changed         how far offers of the suppliers that the group admitted reach, and who reads its scores
                                and the short form of its blacklist
members   circle.changed        the same, where its spaces are open to the circle
members   company.linked        in which group's space a company's admissions count
catalog   standard.changed      which editions offers may state, and are ordered by; whose offers need an update is told
catalog   restriction.changed   which goods may not be listed, or not be ordered into a region; the same
catalog   component_type.published  which types are out of use, and may not be listed or ordered; the same
members   company.affiliated    its offers are marked as an operator's own
members   company.left          its record as a supplier is closed
"""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.blacklists import visibility as blacklist_visibility
from services.suppliers.offers import update_notices
from services.suppliers.onboarding import actions as onboarding_actions
from services.suppliers.register import actions as register_actions
from services.suppliers.reservations import actions
from services.suppliers.reservations.actions import LineRelease
from services.suppliers.scores import actions as score_actions
from services.suppliers.scores import visibility as score_visibility
from services.suppliers.spaces import actions as space_actions
from shared import clock
from shared.contracts.assessments import ORDER_ASSESSED, OrderAssessed
from shared.contracts.catalog import TYPE_PUBLISHED, TypePublished
from shared.contracts.members import (
    CIRCLE_CHANGED,
    COMPANY_AFFILIATED,
    COMPANY_LEFT,
    COMPANY_LINKED,
    STAGE_CHANGED,
    CircleChanged,
    CompanyAffiliated,
    CompanyLeft,
    CompanyLinked,
    StageChanged,
)
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


async def keep_facts(session: AsyncSession, events: Sequence[Event]) -> None:
    """Orders were answered, decided or cancelled: their facts count in scores."""
    assessed = [OrderAssessed.model_validate(event.data) for event in events]
    await score_actions.orders_assessed(session, assessed=assessed, at=clock.now())


async def keep_editions(session: AsyncSession, events: Sequence[Event]) -> None:
    """Editions were registered, changed or withdrawn."""
    told = [StandardsChanged.model_validate(event.data) for event in events]
    editions = [each for one in told for each in one.standards]
    await register_actions.editions_told(session, editions=editions)
    ending = {each.key for each in editions if each.withdrawn_on is not None}
    await update_notices.tell_of_editions(session, withdrawn=ending, at=clock.now())


async def keep_restrictions(session: AsyncSession, events: Sequence[Event]) -> None:
    """Entries of the restricted and banned list were added or corrected."""
    told = [RestrictionsChanged.model_validate(event.data) for event in events]
    restrictions = [each for one in told for each in one.restrictions]
    await register_actions.restrictions_told(session, restrictions=restrictions)
    types = {each.type_code for each in restrictions}
    await update_notices.tell_of_types(session, types=types, at=clock.now())


async def keep_types(session: AsyncSession, events: Sequence[Event]) -> None:
    """Types of the dictionary were published, or taken out of use."""
    told = [(TypePublished.model_validate(event.data), event.time) for event in events]
    await register_actions.types_told(session, types=told)
    ended = {each.code for each, _ in told if each.status == "DEPRECATED"}
    await update_notices.tell_of_types(session, types=ended, at=clock.now())


async def keep_stages(session: AsyncSession, events: Sequence[Event]) -> None:
    """Contractor groups opened or closed categories."""
    told = [StageChanged.model_validate(event.data) for event in events]
    await space_actions.stages_told(session, told=told, at=clock.now())
    for group_id, category in sorted({(each.group_id, each.category) for each in told}):
        await blacklist_visibility.rekey(session, group_id=group_id, category=category)
        await score_visibility.rekey(session, group_id=group_id, category=category)


async def keep_circles(session: AsyncSession, events: Sequence[Event]) -> None:
    """Groups entered or left circles."""
    told = [CircleChanged.model_validate(event.data) for event in events]
    await space_actions.circles_told(session, told=told, at=clock.now())


async def keep_links(session: AsyncSession, events: Sequence[Event]) -> None:
    """Companies came to stand under others, or no longer do."""
    told = [CompanyLinked.model_validate(event.data) for event in events]
    await space_actions.links_told(session, told=told, at=clock.now())


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
        ORDER_ASSESSED: keep_facts,
    },
    "catalog": {
        STANDARD_CHANGED: keep_editions,
        RESTRICTION_CHANGED: keep_restrictions,
        TYPE_PUBLISHED: keep_types,
    },
    "members": {
        STAGE_CHANGED: keep_stages,
        CIRCLE_CHANGED: keep_circles,
        COMPANY_LINKED: keep_links,
        COMPANY_AFFILIATED: mark_affiliates,
        COMPANY_LEFT: close_records,
    },
}
"""By source, then by type: what its worker follows, and what operators may retry."""
