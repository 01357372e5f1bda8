"""What this service does about events of others: the search index follows what `suppliers` tells.

suppliers  supplier.changed  -> who may be shown
suppliers  offers.changed    -> what is offered, at which price, to whom
suppliers  offers.repriced   -> only the price of an offer
suppliers  stock.changed     -> how much of it is there
suppliers  blacklist.changed -> whom some may not order from
"""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.search import actions, blacklists
from shared.contracts.blacklists import BLACKLIST_CHANGED
from shared.contracts.suppliers import OFFERS_CHANGED, OFFERS_REPRICED, STOCK_CHANGED, SUPPLIER_CHANGED
from shared.feed import Event
from shared.follower import Reaction


async def _supplier_changed(session: AsyncSession, events: Sequence[Event]) -> None:
    await actions.suppliers_changed(session, events=events)


async def _offers_changed(session: AsyncSession, events: Sequence[Event]) -> None:
    await actions.offers_changed(session, events=events)


async def _offers_repriced(session: AsyncSession, events: Sequence[Event]) -> None:
    await actions.offers_repriced(session, events=events)


async def _stock_changed(session: AsyncSession, events: Sequence[Event]) -> None:
    await actions.stock_changed(session, events=events)


async def _blacklist_changed(session: AsyncSession, events: Sequence[Event]) -> None:
    await blacklists.entries_changed(session, events=events)


REACTIONS: Mapping[str, Mapping[str, Reaction]] = {
    "suppliers": {
        SUPPLIER_CHANGED: _supplier_changed,
        OFFERS_CHANGED: _offers_changed,
        OFFERS_REPRICED: _offers_repriced,
        STOCK_CHANGED: _stock_changed,
        BLACKLIST_CHANGED: _blacklist_changed,
    }
}
