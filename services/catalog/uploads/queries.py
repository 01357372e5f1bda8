"""Reading uploads."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.catalog.uploads.rules import Kind
from services.catalog.uploads.tables import Upload, UploadProblem


async def lock_uploads(session: AsyncSession, *, kind: Kind) -> None:
    """One file of a kind at a time; a second one waits until the first is committed and then sees it."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"catalog.upload.{kind}"}
    )


async def taken_before(session: AsyncSession, *, kind: Kind, file_hash: bytes) -> Upload | None:
    """The upload that took this very file, if one did."""
    rows = await session.scalars(
        select(Upload).where(
            col(Upload.kind) == kind, col(Upload.file_hash) == file_hash, col(Upload.dry_run).is_(False)
        )
    )
    return rows.one_or_none()


async def upload(session: AsyncSession, *, upload_id: UUID) -> Upload | None:
    """One upload."""
    return await session.get(Upload, upload_id)


async def uploads_page(
    session: AsyncSession, *, kind: Kind | None, before: UUID | None, limit: int
) -> Sequence[Upload]:
    """The newest first, one more than `limit`."""
    query = select(Upload).order_by(col(Upload.id).desc()).limit(limit + 1)
    if kind is not None:
        query = query.where(col(Upload.kind) == kind)
    if before is not None:
        query = query.where(col(Upload.id) < before)
    return (await session.scalars(query)).all()


async def problems(session: AsyncSession, *, upload_id: UUID, limit: int) -> Sequence[UploadProblem]:
    """The first remarks about a file, in its order."""
    rows = await session.scalars(
        select(UploadProblem)
        .where(col(UploadProblem.upload_id) == upload_id)
        .order_by(col(UploadProblem.place))
        .limit(limit)
    )
    return rows.all()
