"""The dictionary of the search as the database has it now, prepared once per state of the published types."""

import asyncio
from collections import OrderedDict

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.components import queries as component_queries
from services.catalog.search.dictionary import Dictionary

_KEPT = 3
_prepared: "OrderedDict[str, Dictionary]" = OrderedDict()
_STATE = text("SELECT md5(string_agg(code || content_hash || status, ',' ORDER BY code)) FROM component_types")


async def dictionary(session: AsyncSession) -> Dictionary:
    """By the hash of what is published, so that a published change counts with the next search and nothing is stale."""
    state = str(await session.scalar(_STATE))
    if state not in _prepared:
        definitions = await component_queries.definitions(session)
        _prepared[state] = await asyncio.to_thread(Dictionary, definitions)
        while len(_prepared) > _KEPT:
            _prepared.popitem(last=False)
    return _prepared[state]
