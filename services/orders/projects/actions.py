"""Opening and changing projects and their delivery points."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.projects import queries, rules
from services.orders.projects.rules import ProjectStatus
from services.orders.projects.tables import DeliveryPoint, Project
from shared.contracts.projects import DeliveryPointBody, NewProjectBody, ProjectBody
from shared.errors import Conflict, NotFound
from shared.http import check_version
from shared.ids import new_id

DELIVERY_POINTS_AT_MOST = 1000


class ProjectNotFound(NotFound):
    """Your company has no such project."""


class DeliveryPointNotFound(NotFound):
    """The project has no such delivery point."""


class ProjectNumberTaken(Conflict):
    """Your company has a project with this number already."""


class ProjectClosed(Conflict):
    """The project is closed; a closed project stays as it is."""


class TooManyDeliveryPoints(Conflict):
    """A project has at most 1000 delivery points."""


async def open_project(
    session: AsyncSession, *, buyer_id: UUID, opened_by: UUID, body: NewProjectBody, at: datetime
) -> Project:
    """Open a project with its first delivery points.

    Raises:
        ProjectNumberTaken: also when two open it at the same moment.
    """
    project = Project(
        buyer_id=buyer_id,
        id=new_id(),
        number=body.number,
        name=body.name,
        status=body.status,
        created_by=opened_by,
        created_at=at,
        updated_at=at,
    )
    added = await session.execute(
        insert(Project)
        .values(project.model_dump())
        .on_conflict_do_nothing(index_elements=["buyer_id", "number"])
        .returning(Project.__table__.c.id)  # type: ignore[attr-defined]
    )
    if added.one_or_none() is None:
        raise _number_taken(body.number)
    for point in body.delivery_points:
        session.add(_point(buyer_id=buyer_id, project_id=project.id, body=point, at=at))
    await session.flush()
    return project


async def change_project(
    session: AsyncSession,
    *,
    buyer_id: UUID,
    project_id: UUID,
    expected_version: int,
    body: ProjectBody,
    at: datetime,
) -> Project:
    """Change number, name or status.

    Raises:
        ProjectNotFound, VersionChanged, ProjectClosed, ProjectNumberTaken: see the classes.
    """
    project = await _project(session, buyer_id=buyer_id, project_id=project_id)
    check_version(expected=expected_version, actual=project.version)
    if not rules.may_move(ProjectStatus(project.status), ProjectStatus(body.status)):
        raise ProjectClosed(f"Project {project.number} is closed and stays closed.")
    project.number, project.name, project.status = body.number, body.name, body.status
    project.version += 1
    project.updated_at = at
    try:
        async with session.begin_nested():
            await session.flush()
    except IntegrityError as error:
        raise _number_taken(body.number) from error
    return project


async def add_delivery_point(
    session: AsyncSession, *, buyer_id: UUID, project_id: UUID, body: DeliveryPointBody, at: datetime
) -> DeliveryPoint:
    """Add a place to deliver to.

    Raises:
        ProjectNotFound, ProjectClosed, TooManyDeliveryPoints: see the classes.
    """
    project = await _project(session, buyer_id=buyer_id, project_id=project_id)
    if project.status == ProjectStatus.CLOSED:
        raise ProjectClosed(f"Project {project.number} is closed.")
    existing = await queries.delivery_points(session, buyer_id=buyer_id, project_id=project_id)
    if len(existing) >= DELIVERY_POINTS_AT_MOST:
        raise TooManyDeliveryPoints(f"Project {project.number} has {len(existing)} delivery points already.")
    point = _point(buyer_id=buyer_id, project_id=project_id, body=body, at=at)
    session.add(point)
    await session.flush()
    return point


async def change_delivery_point(
    session: AsyncSession,
    *,
    buyer_id: UUID,
    project_id: UUID,
    delivery_point_id: UUID,
    expected_version: int,
    body: DeliveryPointBody,
    at: datetime,
) -> DeliveryPoint:
    """Change a delivery point; orders already placed keep what they copied.

    Raises:
        DeliveryPointNotFound, VersionChanged: see the classes.
    """
    point = await queries.delivery_point_for_update(
        session, buyer_id=buyer_id, project_id=project_id, delivery_point_id=delivery_point_id
    )
    if point is None:
        raise DeliveryPointNotFound(f"The project has no delivery point {delivery_point_id}.")
    check_version(expected=expected_version, actual=point.version)
    for name, value in body.model_dump().items():
        setattr(point, name, value)
    point.version += 1
    point.updated_at = at
    await session.flush()
    return point


async def _project(session: AsyncSession, *, buyer_id: UUID, project_id: UUID) -> Project:
    project = await queries.project(session, buyer_id=buyer_id, project_id=project_id, lock=True)
    if project is None:
        raise ProjectNotFound(f"There is no project {project_id}.")
    return project


def _point(*, buyer_id: UUID, project_id: UUID, body: DeliveryPointBody, at: datetime) -> DeliveryPoint:
    return DeliveryPoint(
        buyer_id=buyer_id, id=new_id(), project_id=project_id, created_at=at, updated_at=at, **body.model_dump()
    )


def _number_taken(number: str) -> ProjectNumberTaken:
    return ProjectNumberTaken(f"Your company has a project {number} already.")
