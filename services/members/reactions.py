"""What this service does about events of others and its own: it tells the companies they concern (webhooks).

orders, suppliers, members   what `webhooks.facts` names   a delivery to each endpoint of a party that asks for it
suppliers                    supplier.changed              also: whom a stage of a category concerns

Which event is told to whom stands in `webhooks/facts.py`; an event that is not named there is told to nobody.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.members.webhooks.announcing import announce, keep_qualifications
from services.members.webhooks.facts import READERS, facts_of
from shared import clock
from shared.contracts.suppliers import SUPPLIER_CHANGED, SupplierChanged
from shared.feed import Event
from shared.follower import Reaction


async def tell(session: AsyncSession, events: Sequence[Event]) -> None:
    """Make the deliveries of some events."""
    facts = [
        fact
        for event in events
        for fact in facts_of(
            source=event.source,
            event_id=event.id,
            event_type=event.type,
            subject=event.subject,
            time=event.time,
            data=event.data,
        )
    ]
    await announce(session, facts=facts, at=clock.now())


async def tell_supplier(session: AsyncSession, events: Sequence[Event]) -> None:
    """A supplier's qualification changed: it is told, and is concerned by other categories from now on."""
    told = [SupplierChanged.model_validate(event.data) for event in events]
    await keep_qualifications(session, told=told)
    await tell(session, events)


REACTIONS: Mapping[str, Mapping[str, Reaction]] = {
    source: {kind: tell_supplier if kind == SUPPLIER_CHANGED else tell for kind in kinds}
    for source, kinds in READERS.items()
}
"""By source, then by type: what its worker follows, and what operators may retry."""
