"""Published definitions as the rules use them, read once per content and kept in the process."""

from collections.abc import Mapping
from typing import Any

from services.catalog.components.rules import TypeDefinition
from services.catalog.components.taxonomy import definition_from

_KEPT_AT_MOST = 2_000
_kept: dict[tuple[str, int, str, bool, str | None], TypeDefinition] = {}


def definition_of(
    code: str,
    *,
    version: int,
    content_hash: str,
    definition: Mapping[str, Any],
    deprecated: bool = False,
    successor: str | None = None,
) -> TypeDefinition:
    """The stored definition; its content hash names it, so a kept one can never be stale."""
    key = (code, version, content_hash, deprecated, successor)
    if key not in _kept:
        if len(_kept) >= _KEPT_AT_MOST:
            _kept.clear()
        _kept[key] = definition_from(definition, version=version, deprecated=deprecated, successor=successor)
    return _kept[key]
