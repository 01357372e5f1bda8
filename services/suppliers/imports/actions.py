"""What happens to a sync: received, worked on chunk by chunk, finished or refused."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.imports import queries
from services.suppliers.imports.pipeline import Applied, NamedVariant, apply_chunk, zero_missing
from services.suppliers.imports.reading import Chunk, Prepared
from services.suppliers.imports.rules import (
    CHANGES_NOTHING,
    Phase,
    SequenceOutcome,
    SyncMode,
    SyncState,
    sequence_outcome,
    snapshot_needed,
)
from services.suppliers.imports.tables import SyncJob, SyncStream
from services.suppliers.onboarding.queries import supplier_exists
from shared.errors import Conflict
from shared.idempotency import check_same
from shared.sheets import FileRefused

ATTEMPTS_AT_MOST = 5


class SupplierNotRegistered(Conflict):
    """The company is not registered as a supplier; an operator registers it first."""


class SyncUnderWay(Conflict):
    """Another sync of this supplier is under way; wait until it is finished, then send this one."""


class LeaseLost(Exception):  # noqa: N818 - not a fault: somebody else goes on
    """Another worker has taken the job over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """Who works on a job, and for how long without a sign."""

    id: UUID
    seconds: float

    def until(self, at: datetime) -> datetime:
        return at + timedelta(seconds=self.seconds)


_WRITTEN = (
    "supplier_id",
    "id",
    "feed",
    "mode",
    "sequence",
    "state",
    "phase",
    "idempotency_key",
    "request_hash",
    "format",
    "file",
    "bytes_total",
    "may_price",
    "sent_by",
    "encoding",
    "lease_id",
    "lease_until",
    "created_at",
)
_INSERT = text(
    f"INSERT INTO sync_jobs ({', '.join(_WRITTEN)}) VALUES ({', '.join(f':{name}' for name in _WRITTEN)}) "
    "ON CONFLICT (supplier_id) WHERE state IN ('RECEIVED', 'RUNNING') DO NOTHING RETURNING id"
)
"""Waits for a competing one to be committed, then gives way to it."""


async def receive(session: AsyncSession, *, new: SyncJob, at: datetime) -> SyncJob:
    """Take a body in; a late or repeated sequence number is put on record and changes nothing.

    Raises:
        SupplierNotRegistered, SyncUnderWay, IdempotencyKeyReused.
    """
    if new.idempotency_key is not None:
        earlier = await queries.job_by_key(session, supplier_id=new.supplier_id, key=new.idempotency_key)
        if earlier is not None:
            check_same(stored=bytes(earlier.request_hash), now=new.request_hash)
            return earlier
    if not await supplier_exists(session, supplier_id=new.supplier_id):
        raise SupplierNotRegistered("This company is not registered as a supplier.")
    inserted = await session.execute(_INSERT, {name: getattr(new, name) for name in _WRITTEN})
    if inserted.one_or_none() is None:
        raise under_way(new.supplier_id, await queries.unfinished(session, supplier_id=new.supplier_id))
    job = await _found(session, new.supplier_id, new.id)
    stream = await queries.stream(session, supplier_id=job.supplier_id, feed=job.feed)
    last = None if stream is None else stream.last_sequence
    outcome = sequence_outcome(sequence=job.sequence, last=last)
    job.outcome = outcome
    if outcome is SequenceOutcome.GAP and last is not None:
        job.expected_sequence = last + 1
    if outcome in CHANGES_NOTHING:
        job.state, job.phase, job.finished_at = SyncState.SKIPPED, Phase.DONE, at
        job.warnings = [f"Sequence {job.sequence} was taken before or is overtaken: {last} was the last."]
    await session.flush()
    return job


def under_way(supplier_id: UUID, job_id: UUID | None) -> SyncUnderWay:
    """The refusal, with the address of what is under way."""
    headers = {"Retry-After": "2"}
    if job_id is not None:
        headers["Location"] = f"/suppliers/{supplier_id}/syncs/{job_id}"
    return SyncUnderWay("Another sync of this supplier is under way; wait until it is finished.", headers=headers)


async def _found(session: AsyncSession, supplier_id: UUID, job_id: UUID) -> SyncJob:
    job = await queries.job(session, supplier_id=supplier_id, job_id=job_id)
    assert job is not None  # noqa: S101 - it was written in this transaction
    return job


async def leased(session: AsyncSession, *, job: SyncJob, lease: Lease) -> SyncJob:
    """The job, locked for a step.

    Raises:
        LeaseLost: another works on it, or it is finished.
    """
    mine = await queries.leased_job_for_update(session, supplier_id=job.supplier_id, job_id=job.id, lease_id=lease.id)
    if mine is None:
        raise LeaseLost
    return mine


async def start(session: AsyncSession, *, job: SyncJob, lease: Lease, at: datetime) -> None:
    """Begin a job that was received with our lease on it."""
    await session.execute(
        text(
            "UPDATE sync_jobs SET state = 'RUNNING', attempts = attempts + 1, lease_until = :until "
            "WHERE supplier_id = :supplier_id AND id = :id AND lease_id = :lease_id AND state = 'RECEIVED'"
        ),
        {"supplier_id": job.supplier_id, "id": job.id, "lease_id": lease.id, "until": lease.until(at)},
    )


async def keep_lease(session: AsyncSession, *, job: SyncJob, lease: Lease, until: datetime) -> None:
    """Give a sign of life, or (in the past) let another take over."""
    await session.execute(
        text(
            "UPDATE sync_jobs SET lease_until = :until "
            "WHERE supplier_id = :supplier_id AND id = :id AND lease_id = :lease_id AND state = 'RUNNING'"
        ),
        {"supplier_id": job.supplier_id, "id": job.id, "lease_id": lease.id, "until": until},
    )


async def postpone(session: AsyncSession, *, job: SyncJob, lease: Lease, until: datetime) -> None:
    """Let the job rest because something it needs is away; that is no failed attempt of its own."""
    mine = await leased(session, job=job, lease=lease)
    mine.lease_until = until
    mine.attempts -= 1


async def prepared(session: AsyncSession, *, job: SyncJob, lease: Lease, as_: Prepared) -> None:
    """The rows can be read: go on with them."""
    mine = await leased(session, job=job, lease=lease)
    mine.prepared = as_.as_json()
    mine.encoding = as_.encoding
    mine.position = as_.start
    mine.phase = Phase.ROWS
    if as_.encoding == "gb18030":
        mine.warnings = [*mine.warnings, "The file was read as GB18030; UTF-8 is safer."]


async def take_rows(
    session: AsyncSession,
    *,
    job: SyncJob,
    lease: Lease,
    chunk: Chunk,
    variants: list[NamedVariant],
    size: int,
    at: datetime,
) -> Applied:
    """Apply one chunk and move on behind it, both or neither. `size` is that of the prepared file."""
    mine = await leased(session, job=job, lease=lease)
    applied = await apply_chunk(
        session,
        supplier_id=job.supplier_id,
        job_id=job.id,
        chunk=chunk,
        variants=variants,
        snapshot=job.mode == SyncMode.FULL,
        received_at=job.created_at,
        at=at,
    )
    mine.position = chunk.position
    mine.bytes_done = mine.bytes_total if size == 0 else mine.bytes_total * chunk.position // size
    mine.rows_done += chunk.rows
    mine.accepted += applied.accepted
    mine.unchanged += applied.unchanged
    mine.rejected += applied.rejected
    mine.warned += applied.warned
    mine.nameless += applied.nameless
    mine.lease_until = lease.until(at)
    return applied


async def begin_missing(session: AsyncSession, *, job: SyncJob, lease: Lease) -> bool:
    """All rows are taken; whether what a full snapshot did not name is to be set to zero now."""
    mine = await leased(session, job=job, lease=lease)
    if mine.mode != SyncMode.FULL:
        return False
    if mine.nameless:
        mine.warnings = [
            *mine.warnings,
            f"{mine.nameless} rows do not say which item they are about; so nothing missing was set to zero.",
        ]
        return False
    mine.phase = Phase.MISSING
    return True


async def zero_some(session: AsyncSession, *, job: SyncJob, lease: Lease, limit: int, at: datetime) -> int:
    """Set to zero some of what a full snapshot did not name; how many."""
    mine = await leased(session, job=job, lease=lease)
    zeroed = await zero_missing(
        session,
        supplier_id=job.supplier_id,
        job_id=job.id,
        stock_points=await queries.points_seen(session, supplier_id=job.supplier_id, job_id=job.id),
        as_of=job.created_at,
        at=at,
        limit=limit,
    )
    mine.zeroed += zeroed
    mine.lease_until = lease.until(at)
    return zeroed


async def complete(session: AsyncSession, *, job: SyncJob, lease: Lease, at: datetime) -> None:
    """All is taken: only now does the sequence number count, so that a failed one can be sent again."""
    mine = await leased(session, job=job, lease=lease)
    if mine.sequence is not None and mine.outcome is not None:
        stream = await queries.stream(session, supplier_id=mine.supplier_id, feed=mine.feed)
        needed = snapshot_needed(
            outcome=SequenceOutcome(mine.outcome),
            mode=SyncMode(mine.mode),
            before=stream is not None and stream.snapshot_needed,
        )
        if stream is None:
            stream = SyncStream(
                supplier_id=mine.supplier_id,
                feed=mine.feed,
                last_sequence=mine.sequence,
                snapshot_needed=needed,
                updated_at=at,
            )
            session.add(stream)
        stream.last_sequence, stream.snapshot_needed, stream.updated_at = mine.sequence, needed, at
    await _end(session, mine, state=SyncState.COMPLETED, at=at)
    mine.bytes_done = mine.bytes_total


async def refuse(session: AsyncSession, *, job: SyncJob, lease: Lease, refused: FileRefused, at: datetime) -> None:
    """The file cannot be taken; the sequence number stays free."""
    mine = await leased(session, job=job, lease=lease)
    mine.problem = _problem(refused)
    await _end(session, mine, state=SyncState.FAILED, at=at)


def _problem(refused: FileRefused) -> dict[str, Any]:
    return {"code": refused.code, "detail": refused.detail, "row": refused.row}


async def _end(session: AsyncSession, job: SyncJob, *, state: SyncState, at: datetime) -> None:
    job.state, job.phase, job.finished_at = state, Phase.DONE, at
    job.lease_id, job.lease_until = None, None
    await session.execute(
        text("DELETE FROM sync_seen WHERE supplier_id = :supplier_id AND job_id = :job_id"),
        {"supplier_id": job.supplier_id, "job_id": job.id},
    )
