"""Reading and claiming syncs. Row level security shows a supplier its own only."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.suppliers.imports.tables import SyncJob, SyncRowProblem, SyncStream


async def job(session: AsyncSession, *, supplier_id: UUID, job_id: UUID) -> SyncJob | None:
    """A job as it stands now."""
    found = await session.execute(
        select(SyncJob)
        .where(col(SyncJob.supplier_id) == supplier_id, col(SyncJob.id) == job_id)
        .execution_options(populate_existing=True)
    )
    return found.scalar_one_or_none()


async def job_by_key(session: AsyncSession, *, supplier_id: UUID, key: str) -> SyncJob | None:
    """The job an Idempotency-Key made."""
    found = await session.execute(
        select(SyncJob).where(col(SyncJob.supplier_id) == supplier_id, col(SyncJob.idempotency_key) == key)
    )
    return found.scalar_one_or_none()


async def unfinished(session: AsyncSession, *, supplier_id: UUID) -> UUID | None:
    """The job that a supplier has under way."""
    found = await session.execute(
        text("SELECT id FROM sync_jobs WHERE supplier_id = :supplier_id AND state IN ('RECEIVED', 'RUNNING')"),
        {"supplier_id": supplier_id},
    )
    return found.scalar_one_or_none()


async def jobs_page(
    session: AsyncSession, *, supplier_id: UUID, before: tuple[Any, ...] | None, limit: int
) -> Sequence[SyncJob]:
    """A supplier's jobs, the newest first."""
    query = select(SyncJob).where(col(SyncJob.supplier_id) == supplier_id)
    if before is not None:
        query = query.where(col(SyncJob.id) < UUID(before[0]))
    return (await session.execute(query.order_by(col(SyncJob.id).desc()).limit(limit))).scalars().all()


async def row_problems(
    session: AsyncSession,
    *,
    supplier_id: UUID,
    job_id: UUID,
    severity: str | None,
    after_row: int | None,
    limit: int,
) -> Sequence[SyncRowProblem]:
    """Rows with remarks, in the order of the file."""
    query = select(SyncRowProblem).where(
        col(SyncRowProblem.supplier_id) == supplier_id, col(SyncRowProblem.job_id) == job_id
    )
    if severity is not None:
        query = query.where(col(SyncRowProblem.severity) == severity)
    if after_row is not None:
        query = query.where(col(SyncRowProblem.row_no) > after_row)
    return (await session.execute(query.order_by(col(SyncRowProblem.row_no)).limit(limit))).scalars().all()


async def stream(session: AsyncSession, *, supplier_id: UUID, feed: str) -> SyncStream | None:
    """Where a feed stands."""
    found = await session.execute(
        select(SyncStream)
        .where(col(SyncStream.supplier_id) == supplier_id, col(SyncStream.feed) == feed)
        .execution_options(populate_existing=True)
    )
    return found.scalar_one_or_none()


_CLAIM = text(
    """
    UPDATE sync_jobs SET state = 'RUNNING', lease_id = :lease_id, lease_until = :until, attempts = attempts + 1
    WHERE (supplier_id, id) = (
        SELECT supplier_id, id FROM sync_jobs
        WHERE state IN ('RECEIVED', 'RUNNING') AND coalesce(lease_until < :now, true)
        ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING supplier_id, id
    """
)


async def claim_next(
    session: AsyncSession, *, lease_id: UUID, until: datetime, now: datetime
) -> tuple[UUID, UUID] | None:
    """Take the oldest job nobody works on, of whichever supplier; its supplier and id."""
    claimed = await session.execute(_CLAIM, {"lease_id": lease_id, "until": until, "now": now})
    row = claimed.one_or_none()
    return None if row is None else (row.supplier_id, row.id)


async def leased_job_for_update(
    session: AsyncSession, *, supplier_id: UUID, job_id: UUID, lease_id: UUID
) -> SyncJob | None:
    """The job, locked, if the lease is still ours."""
    found = await session.execute(
        select(SyncJob)
        .where(
            col(SyncJob.supplier_id) == supplier_id,
            col(SyncJob.id) == job_id,
            col(SyncJob.lease_id) == lease_id,
            col(SyncJob.state) == "RUNNING",
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found.scalar_one_or_none()


async def points_seen(session: AsyncSession, *, supplier_id: UUID, job_id: UUID) -> list[str]:
    """The stock points a snapshot named."""
    found = await session.execute(
        text(
            "SELECT DISTINCT stock_point FROM sync_seen WHERE supplier_id = :supplier_id AND job_id = :job_id "
            "AND stock_point IS NOT NULL ORDER BY stock_point"
        ),
        {"supplier_id": supplier_id, "job_id": job_id},
    )
    return list(found.scalars())
