"""Which category a component type stands in, as `catalog` says."""

import time
from collections.abc import Mapping
from typing import Protocol

_REMEMBERED_SECONDS = 600.0


class CategorySource(Protocol):
    """Where categories are known."""

    async def type_categories(self) -> Mapping[str, str]:
        """Raises ServiceRefused, ServiceUnknown, ServiceAway."""
        ...


class KnownTypes:
    """Asks for all types at once, and remembers the answer for ten minutes; one per process."""

    def __init__(self, source: CategorySource) -> None:
        self._source = source
        self._known: Mapping[str, str] = {}
        self._until = 0.0

    async def ask(self) -> Mapping[str, str]:
        """Component type → category.

        Raises:
            ServiceRefused, ServiceUnknown, ServiceAway.
        """
        if time.monotonic() >= self._until:
            self._known = await self._source.type_categories()
            self._until = time.monotonic() + _REMEMBERED_SECONDS
        return self._known
