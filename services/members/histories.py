"""Histories of circles and stage changes: who did what when, each entry hashed with the one before (design.md rule 9).

The document's row keeps length and hash of the last entry, so a changed, missing or cut-off entry shows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from shared.history import chain_hash, first_broken
from shared.identity import Principal


class Chronicled(Protocol):
    """A document that has a history."""

    id: UUID
    history_length: int
    history_hash: bytes | None


class Recorded(Protocol):
    """One entry as it is stored."""

    entry: dict[str, Any]
    hash: bytes


@dataclass(frozen=True, kw_only=True)
class Link:
    """The next entry of a document: its place, its content, its hash."""

    seq: int
    entry: dict[str, Any]
    hash: bytes


def actor_of(caller: Principal | None) -> dict[str, str | None]:
    """Who did it; None is the platform's own worker."""
    if caller is None:
        return {"kind": "worker", "id": None, "name": "members-worker", "company_id": None}
    return {
        "kind": caller.kind,
        "id": str(caller.subject),
        "name": caller.name,
        "company_id": str(caller.company_id),
    }


def extend(
    document: Chronicled, *, what: str, caller: Principal | None, detail: Mapping[str, Any], at: datetime
) -> Link:
    """Make the next entry of a document that this transaction holds locked, and count it on the document.

    `detail` holds only text, numbers, booleans, lists and None, so that it reads back from jsonb as it was hashed.
    """
    seq = document.history_length + 1
    entry = {
        "document_id": str(document.id),
        "seq": seq,
        "at": at.astimezone(UTC).isoformat(),
        "actor": actor_of(caller),
        "what": what,
        "detail": dict(detail),
    }
    link = Link(seq=seq, entry=entry, hash=chain_hash(document.history_hash, entry))
    document.history_length = seq
    document.history_hash = link.hash
    return link


def fault_in(document: Chronicled, entries: Sequence[Recorded]) -> str | None:
    """What shows that somebody changed the history, or None."""
    for position, recorded in enumerate(entries, start=1):
        if recorded.entry.get("seq") != position or recorded.entry.get("document_id") != str(document.id):
            return f"Entry {position} is missing or stands in another's place."
    broken = first_broken((recorded.entry, bytes(recorded.hash)) for recorded in entries)
    if broken is not None:
        return f"Entry {broken + 1} is not what was hashed."
    last = bytes(entries[-1].hash) if entries else None
    expected = None if document.history_hash is None else bytes(document.history_hash)
    if len(entries) != document.history_length or last != expected:
        return "The last entries are missing."
    return None
