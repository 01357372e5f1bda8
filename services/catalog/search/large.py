"""How many variants whole types have, so that a search over whole types need not count them first.

Variants are never taken out of the index one by one, so what is large stays so until the index is emptied, and what
was small a moment ago is not large now; and were it otherwise, only the way to a page is another, not its order.
"""

import time
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.search.dictionary import Group
from services.catalog.search.documents import TYPE_MARK
from services.catalog.search.ranking import Hits

SMALL_FOR_SECONDS = 60.0
"""How long a type that was counted to be small is taken to be."""
_known: "WeakKeyDictionary[Any, dict[str, tuple[int, float]]]" = WeakKeyDictionary()
"""By database, how many variants a type has at least, and when they were counted."""


def sizes(session: AsyncSession, *, hits: Hits, most: int) -> list[int]:
    """Of each group how many variants it has, at most one more than `most`; 0 when that is not known."""
    known = _known.get(session.get_bind(), {})
    counted_since = time.monotonic() - SMALL_FOR_SECONDS
    return [
        min(size, most + 1) if is_whole_type(hits, group) and (size > most or counted_at > counted_since) else 0
        for group in hits.groups
        for size, counted_at in [known.get(group.type_code, (0, 0.0))]
    ]


def learn(session: AsyncSession, *, hits: Hits, sizes: Sequence[int]) -> None:
    """Remember how many variants the whole types among these groups were counted to have; of none nothing, for the
    first one must be found at once."""
    known = _known.setdefault(session.get_bind(), {})
    now = time.monotonic()
    for group, size in zip(hits.groups, sizes, strict=True):
        if size and is_whole_type(hits, group):
            known[group.type_code] = (max(size, known.get(group.type_code, (0, 0.0))[0]), now)


def is_whole_type(hits: Hits, group: Group) -> bool:
    """Whether all variants of its type are in a group of these hits."""
    parted = group.without or group.lacking or group.maybe
    narrowed = hits.facets or hits.variant_ids is not None or hits.key is not None
    return group.wanted == (TYPE_MARK + group.type_code,) and not parted and not narrowed
