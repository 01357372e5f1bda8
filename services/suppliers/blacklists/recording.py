"""What every change of an entry leaves behind: history, the reduced form, the list's version, an event.

An entry that is changed is held locked by its transaction.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import delete, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.suppliers.blacklists import queries, visibility
from services.suppliers.blacklists.rules import EntryStatus, SubjectKind
from services.suppliers.blacklists.tables import BlacklistEntry, BlacklistHistory, BlacklistNotice
from shared.contracts.blacklists import BLACKLIST_CHANGED, BlacklistChanged
from shared.feed import publish
from shared.history import chain_hash, first_broken
from shared.identity import Principal

_COUNT = text(
    "INSERT INTO blacklist_versions (owner_id, version) VALUES (:owner_id, 1) "
    "ON CONFLICT (owner_id) DO UPDATE SET version = blacklist_versions.version + 1"
)


def content(entry: BlacklistEntry) -> dict[str, Any]:
    """What an entry says, as its history keeps it: text, numbers and lists, that read back as they were hashed."""
    return {
        "subject_kind": entry.subject_kind,
        "subject_name": entry.subject_name,
        "tax_id": entry.tax_id,
        "source": entry.source,
        "level": str(entry.level),
        "reason_class": str(entry.reason_class),
        "reason": entry.reason,
        "evidence": entry.evidence,
        "evidence_sha256": entry.evidence_sha256,
        "categories": sorted(entry.categories),
        "regions": sorted(entry.regions),
        "project_ids": sorted(str(project_id) for project_id in entry.project_ids),
        "starts_on": entry.starts_on.isoformat(),
        "expires_on": entry.expires_on.isoformat(),
        "status": str(entry.status),
    }


async def recorded(
    session: AsyncSession,
    entry: BlacklistEntry,
    *,
    what: str,
    by: Principal | None,
    detail: Mapping[str, Any],
    at: datetime,
) -> None:
    """Add the step to the entry's history and let everybody know who goes by the list. `by` None: the calendar."""
    _chain(session, entry, what=what, by=by, detail=detail, at=at)
    entry.updated_at = at
    await session.flush()
    await queries.subjects_stay(session)
    await _notice(session, entry)
    await session.execute(_COUNT, {"owner_id": entry.owner_id})
    await told(session, entry, what=what, at=at)


async def told(session: AsyncSession, entry: BlacklistEntry, *, what: str, at: datetime) -> None:
    """Publish an entry as it stands: whom it hits, how much it forbids, no text of anybody's."""
    terms = entry.terms
    await publish(
        session,
        type=BLACKLIST_CHANGED,
        subject=str(entry.id),
        data=BlacklistChanged(
            entry_id=entry.id,
            owner_group_id=None if entry.official else entry.owner_id,
            what=what,
            supplier_ids=list(await queries.suppliers_hit(session, entry=entry)),
            level=entry.level,
            reason_class=entry.reason_class,
            categories=sorted(terms.categories),
            type_codes=list(await queries.types_of(session, categories=terms.categories)) if terms.categories else [],
            regions=sorted(terms.regions),
            project_ids=sorted(terms.project_ids),
            starts_on=terms.starts_on,
            expires_on=terms.expires_on,
            status=entry.status,
            version=entry.version,
        ),
        at=at,
        company_id=None if entry.official else entry.owner_id,
    )


def _chain(
    session: AsyncSession,
    entry: BlacklistEntry,
    *,
    what: str,
    by: Principal | None,
    detail: Mapping[str, Any],
    at: datetime,
) -> None:
    seq = entry.history_length + 1
    step = {
        "entry_id": str(entry.id),
        "seq": seq,
        "at": at.astimezone(UTC).isoformat(),
        "by": None if by is None else str(by.subject),
        "by_name": "the calendar" if by is None else by.name,
        "by_company": None if by is None else str(by.scope_id),
        "what": what,
        "detail": dict(detail),
        "content": content(entry),
    }
    before = None if entry.history_hash is None else bytes(entry.history_hash)
    link = chain_hash(before, step)
    session.add(BlacklistHistory(owner_id=entry.owner_id, entry_id=entry.id, seq=seq, entry=step, hash=link))
    entry.history_length, entry.history_hash = seq, link


class Step(Protocol):
    """A step of a history as it is stored."""

    entry: dict[str, Any]
    hash: bytes


def fault_in(entry: BlacklistEntry, steps: Sequence[Step]) -> str | None:
    """What shows that somebody changed an entry or its history past the rules, or None."""
    for position, step in enumerate(steps, start=1):
        if step.entry.get("seq") != position or step.entry.get("entry_id") != str(entry.id):
            return f"Step {position} is missing or stands in another's place."
    broken = first_broken((step.entry, bytes(step.hash)) for step in steps)
    if broken is not None:
        return f"Step {broken + 1} is not what was hashed."
    if not steps or len(steps) != entry.history_length or bytes(steps[-1].hash) != bytes(entry.history_hash or b""):
        return "The last steps are missing."
    if steps[-1].entry["content"] != content(entry):
        return "The entry does not say what its last step left behind."
    return None


async def _notice(session: AsyncSession, entry: BlacklistEntry) -> None:
    """Keep the reduced form in step. What is listed by its representative stays with the owner: a person is named."""
    if entry.status != EntryStatus.ACTIVE or entry.subject is SubjectKind.REPRESENTATIVE:
        await session.execute(
            delete(BlacklistNotice).where(
                col(BlacklistNotice.owner_id) == entry.owner_id, col(BlacklistNotice.entry_id) == entry.id
            )
        )
        return
    said = {
        "supplier_id": entry.supplier_id,
        "tax_id": entry.tax_id,
        "subject_name": entry.subject_name,
        "reason_class": entry.reason_class,
        "source": entry.source,
        "starts_on": entry.starts_on,
        "expires_on": entry.expires_on,
        "categories": sorted(entry.categories),
        "audience_keys": await visibility.keys_of(session, owner_id=entry.owner_id, categories=entry.categories),
    }
    await session.execute(
        insert(BlacklistNotice)
        .values(owner_id=entry.owner_id, entry_id=entry.id, **said)
        .on_conflict_do_update(index_elements=["owner_id", "entry_id"], set_=said)
    )
