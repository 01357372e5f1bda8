"""Reading projects; every query is scoped to one buyer."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, or_, select

from services.orders.projects.rules import ProjectStatus
from services.orders.projects.tables import DeliveryPoint, Project


async def project(session: AsyncSession, *, buyer_id: UUID, project_id: UUID, lock: bool = False) -> Project | None:
    """One project; `lock` holds it until the transaction ends."""
    query = select(Project).where(col(Project.buyer_id) == buyer_id, col(Project.id) == project_id)
    found = await session.execute(query.with_for_update() if lock else query)
    return found.scalar_one_or_none()


async def projects_page(
    session: AsyncSession,
    *,
    buyer_id: UUID,
    limit: int,
    after: tuple[UUID] | None,
    status: ProjectStatus | None = None,
    text: str | None = None,
) -> Sequence[Project]:
    """Up to `limit + 1` projects, newest first; `text` is part of a number or name."""
    query = select(Project).where(col(Project.buyer_id) == buyer_id)
    if after is not None:
        query = query.where(col(Project.id) < after[0])
    if status is not None:
        query = query.where(col(Project.status) == status)
    if text is not None:
        query = query.where(
            or_(
                col(Project.number).icontains(text, autoescape=True),
                col(Project.name).icontains(text, autoescape=True),
            )
        )
    found = await session.execute(query.order_by(col(Project.id).desc()).limit(limit + 1))
    return found.scalars().all()


async def delivery_points(session: AsyncSession, *, buyer_id: UUID, project_id: UUID) -> Sequence[DeliveryPoint]:
    """A project's delivery points, in the order they were made."""
    found = await session.execute(
        select(DeliveryPoint)
        .where(col(DeliveryPoint.buyer_id) == buyer_id, col(DeliveryPoint.project_id) == project_id)
        .order_by(col(DeliveryPoint.id))
    )
    return found.scalars().all()


async def delivery_point_for_update(
    session: AsyncSession, *, buyer_id: UUID, project_id: UUID, delivery_point_id: UUID
) -> DeliveryPoint | None:
    """One delivery point of a project, held until the transaction ends."""
    found = await session.execute(
        select(DeliveryPoint)
        .where(
            col(DeliveryPoint.buyer_id) == buyer_id,
            col(DeliveryPoint.project_id) == project_id,
            col(DeliveryPoint.id) == delivery_point_id,
        )
        .with_for_update()
    )
    return found.scalar_one_or_none()
