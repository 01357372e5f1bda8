"""Append-only history with a hash chain: a changed or missing entry of a document shows (design.md rule 9)."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

GENESIS = bytes(32)


def _canonical(value: Any) -> Any:
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    return str(value)


def canonical_json(entry: Mapping[str, Any]) -> bytes:
    """One byte string per meaning: keys sorted, no spaces, UTF-8; Decimals and UUIDs as text."""
    return orjson.dumps(entry, default=_canonical, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)


def chain_hash(previous: bytes | None, entry: Mapping[str, Any]) -> bytes:
    """SHA-256 over the previous entry's hash and this entry; the first entry follows 32 zero bytes."""
    return hashlib.sha256((previous or GENESIS) + canonical_json(entry)).digest()


def first_broken(entries: Iterable[tuple[Mapping[str, Any], bytes]]) -> int | None:
    """The position of the first entry whose stored hash does not follow from what stands before it, or None."""
    previous: bytes | None = None
    for position, (entry, stored) in enumerate(entries):
        if chain_hash(previous, entry) != stored:
            return position
        previous = stored
    return None
