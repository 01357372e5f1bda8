"""What the search keeps in memory: the dictionary and the registers, read again when their state is another.

Each register (a table of this service that all may read) tells its state: the transactions that last changed it
(`register_states`, kept by triggers). So asking whether anything changed costs a look at a handful of rows, and a
published change counts with the next search.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.components import queries as component_queries
from services.catalog.components.rules import TypeDefinition
from services.catalog.restrictions.rules import Restriction
from services.catalog.search import queries, standing
from services.catalog.search.dictionary import Dictionary
from services.catalog.search.views import Beside
from services.catalog.units import queries as unit_queries
from shared.database import Sessions
from shared.logs import log, told
from shared.memory import settle
from shared.quantity import Unit

_KEPT, _BESIDE_KEPT = 20, 500
Kept = OrderedDict[tuple[str, str], Any]
"""By register and its state."""
_kept = Kept()
_beside: "OrderedDict[tuple[str, date, str | None], Beside]" = OrderedDict()
_locks: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Lock]] = WeakKeyDictionary()

Load = Callable[[AsyncSession], Awaitable[Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Knowledge:
    """Everything that is kept, as the database has it now."""

    dictionary: Dictionary
    units: Mapping[str, Unit]
    carbon_sources: Mapping[str, str]
    restrictions: Sequence[Restriction]
    withdrawn: Mapping[str, date]
    states: str

    def beside(self, *, on: date, region: str | None) -> Beside:
        """What the registers say of every type on a day, at a place; worked out once."""
        key = (self.states, on, region)
        if key not in _beside:
            _beside[key] = standing.beside_of(
                definitions=self.dictionary.definitions,
                carbon_sources=self.carbon_sources,
                restrictions=self.restrictions,
                withdrawn=self.withdrawn,
                on=on,
                region=region,
            )
            while len(_beside) > _BESIDE_KEPT:
                _beside.popitem(last=False)
        return _beside[key]


async def knowledge(session: AsyncSession, *, states: str | None) -> Knowledge:
    """Of the states that `queries.STATES` told in this transaction."""
    return Knowledge(
        dictionary=await _of(session, "component_types", states, _dictionary),
        units=await _of(session, "units", states, unit_queries.all_units),
        carbon_sources=await _of(session, "carbon_factors", states, standing.carbon_sources),
        restrictions=await _of(session, "restrictions", states, standing.restrictions),
        withdrawn=await _of(session, "standard_editions", states, standing.withdrawals),
        states=states or "",
    )


async def dictionary(session: AsyncSession, *, states: str | None = None) -> Dictionary:
    """By the state of what is published (`queries.STATES`, asked for unless given), so that a published change counts
    with the next search."""
    if states is None:
        states = await session.scalar(text(queries.STATES))
    found: Dictionary = await _of(session, "component_types", states, _dictionary)
    return found


_LOOK_EVERY_SECONDS = 1.0


@asynccontextmanager
async def kept_ready(sessions: Sessions) -> AsyncIterator[None]:
    """Everything that is kept is read before the first search comes, and inside the block whenever a register has
    changed; a search that comes sooner reads it itself. A start never fails by it: a catalog may still be empty."""
    with suppress(Exception):
        await _read(sessions)
    looking = asyncio.create_task(_keep_reading(sessions))
    try:
        yield
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking


async def _keep_reading(sessions: Sessions) -> None:
    while True:
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
        try:
            await _read(sessions)
        except Exception as problem:  # noqa: BLE001 - the database may be away for a while; the next look tells
            log.warning("registers_not_read", error=told(problem))


async def _read(sessions: Sessions) -> None:
    async with sessions() as session:
        await knowledge(session, states=await session.scalar(text(queries.STATES)))


async def _of(session: AsyncSession, register: str, states: str | None, load: Load) -> Any:
    state = " ".join(each for each in (states or "").split(" ") if each.startswith(f"{register}="))
    key = (register, state)
    if key not in _kept:
        async with _reading(register):  # the first searches after a start come together; one of them reads
            if key not in _kept:
                _kept[key] = await load(session)
    _kept.move_to_end(key)
    found = _kept[key]
    while len(_kept) > _KEPT:
        _kept.popitem(last=False)
    return found


def _reading(register: str) -> asyncio.Lock:
    return _locks.setdefault(asyncio.get_running_loop(), {}).setdefault(register, asyncio.Lock())


async def _dictionary(session: AsyncSession) -> Dictionary:
    made = await asyncio.to_thread(_prepared, await component_queries.definitions(session))
    settle()
    return made


def _prepared(definitions: Mapping[str, TypeDefinition]) -> Dictionary:
    made = Dictionary(definitions)
    made.prepare()
    return made
