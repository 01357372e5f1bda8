"""Types known to have many variants, so that a search over whole types need not count them first.

Variants are never taken out of the index one by one, so what is large stays so until the index is emptied; and then
only the way to a page is another, not its order.
"""

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.search.dictionary import Group
from services.catalog.search.documents import TYPE_MARK
from services.catalog.search.ranking import Hits

_large: "WeakKeyDictionary[Any, dict[str, int]]" = WeakKeyDictionary()
"""By database, the types and how many variants each has at least."""


def sizes(session: AsyncSession, *, hits: Hits, most: int) -> list[int]:
    """Of each group, one more than `most` when it is a whole type with more than that, else 0: not known."""
    known = _large.get(session.get_bind(), {})
    whole = _are_whole_types(hits)
    return [
        most + 1 if whole and _is_whole_type(group) and known.get(group.type_code, 0) > most else 0
        for group in hits.groups
    ]


def learn(session: AsyncSession, *, hits: Hits, sizes: Sequence[int], most: int) -> None:
    """Remember the whole types among these groups that were counted to be more than `most`."""
    if not _are_whole_types(hits):
        return
    known = _large.setdefault(session.get_bind(), {})
    for group, size in zip(hits.groups, sizes, strict=True):
        if size > most and _is_whole_type(group):
            known[group.type_code] = max(size, known.get(group.type_code, 0))


def _are_whole_types(hits: Hits) -> bool:
    return not hits.facets and hits.variant_ids is None and hits.key is None


def _is_whole_type(group: Group) -> bool:
    parted = group.without or group.lacking or group.maybe
    return group.wanted == (TYPE_MARK + group.type_code,) and not parted
