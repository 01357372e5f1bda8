"""HTTP of projects and delivery points."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.projects import actions, queries
from services.orders.projects.actions import (
    DeliveryPointNotFound,
    ProjectClosed,
    ProjectNotFound,
    ProjectNumberTaken,
    TooManyDeliveryPoints,
)
from services.orders.projects.rules import ProjectStatus
from services.orders.projects.tables import Project
from shared.contracts.fields import QueryText
from shared.contracts.projects import (
    DeliveryPointBody,
    DeliveryPointView,
    NewProjectBody,
    ProjectBody,
    ProjectView,
    ProjectWithPoints,
)
from shared.database import ReadSession, WriteSession
from shared.errors import refusals
from shared.http import ExpectedVersion, Now, VersionChanged, VersionNeeded, etag
from shared.http import router as house_router
from shared.identity import Buyer, Principal, Requires, Role
from shared.paging import CursorInvalid, PageQuery

router = house_router("/orders/projects", tag="projects")

ProjectManager = Annotated[Principal, Depends(Requires(roles=[Role.BUYER, Role.ADMIN]))]


async def _with_points(session: AsyncSession, project: Project, response: Response) -> ProjectWithPoints:
    points = await queries.delivery_points(session, buyer_id=project.buyer_id, project_id=project.id)
    response.headers["ETag"] = etag(project.version)
    return ProjectWithPoints(
        **ProjectView.model_validate(project).model_dump(),
        delivery_points=[DeliveryPointView.model_validate(point) for point in points],
    )


@router.post("", status_code=201, summary="Open a project", responses=refusals(ProjectNumberTaken))
async def open_project(
    body: NewProjectBody, caller: ProjectManager, session: WriteSession, now: Now, response: Response
) -> ProjectWithPoints:
    """Opens a project of the caller's company, with its first delivery points. Numbers are unique in a company."""
    project = await actions.open_project(session, buyer_id=caller.company, opened_by=caller.subject, body=body, at=now)
    response.headers["Location"] = f"/orders/projects/{project.id}"
    return await _with_points(session, project, response)


@router.get("", summary="Projects of your company", responses=refusals(CursorInvalid))
async def list_projects(
    *,
    caller: Buyer,
    session: ReadSession,
    paging: PageQuery,
    response: Response,
    status: ProjectStatus | None = None,
    text: Annotated[
        QueryText | None, Query(min_length=1, max_length=100, description="Part of a number or name.")
    ] = None,
) -> list[ProjectView]:
    """Newest first."""
    found = await queries.projects_page(
        session,
        buyer_id=caller.company,
        limit=paging.limit,
        after=paging.after_as(UUID),
        status=status,
        text=text,
    )
    shown = paging.page(found, response, key=lambda project: [project.id])
    return [ProjectView.model_validate(project) for project in shown]


@router.get("/{project_id}", summary="A project", responses=refusals(ProjectNotFound))
async def read_project(project_id: UUID, caller: Buyer, session: ReadSession, response: Response) -> ProjectWithPoints:
    """A project with its delivery points; the ETag is the project's version."""
    project = await queries.project(session, buyer_id=caller.company, project_id=project_id)
    if project is None:
        raise ProjectNotFound(f"There is no project {project_id}.")
    return await _with_points(session, project, response)


@router.put(
    "/{project_id}",
    summary="Change a project",
    responses=refusals(ProjectNotFound, ProjectClosed, ProjectNumberTaken, VersionChanged, VersionNeeded),
)
async def change_project(
    *,
    project_id: UUID,
    body: ProjectBody,
    caller: ProjectManager,
    session: WriteSession,
    expected: ExpectedVersion,
    now: Now,
    response: Response,
) -> ProjectWithPoints:
    """Changes number, name or status. Nothing new is ordered for a project on hold; CLOSED is final."""
    project = await actions.change_project(
        session,
        buyer_id=caller.company,
        project_id=project_id,
        expected_version=expected,
        body=body,
        at=now,
    )
    return await _with_points(session, project, response)


@router.post(
    "/{project_id}/delivery-points",
    status_code=201,
    summary="Add a delivery point",
    responses=refusals(ProjectNotFound, ProjectClosed, TooManyDeliveryPoints),
)
async def add_delivery_point(
    *,
    project_id: UUID,
    body: DeliveryPointBody,
    caller: ProjectManager,
    session: WriteSession,
    now: Now,
    response: Response,
) -> DeliveryPointView:
    """Adds a place goods are delivered to; its region decides which offers serve it."""
    point = await actions.add_delivery_point(session, buyer_id=caller.company, project_id=project_id, body=body, at=now)
    response.headers["ETag"] = etag(point.version)
    return DeliveryPointView.model_validate(point)


@router.put(
    "/{project_id}/delivery-points/{delivery_point_id}",
    summary="Change a delivery point",
    responses=refusals(DeliveryPointNotFound, VersionChanged, VersionNeeded),
)
async def change_delivery_point(
    *,
    project_id: UUID,
    delivery_point_id: UUID,
    body: DeliveryPointBody,
    caller: ProjectManager,
    session: WriteSession,
    expected: ExpectedVersion,
    now: Now,
    response: Response,
) -> DeliveryPointView:
    """Changes a delivery point, or closes it (`active: false`). Orders keep the address they were placed with."""
    point = await actions.change_delivery_point(
        session,
        buyer_id=caller.company,
        project_id=project_id,
        delivery_point_id=delivery_point_id,
        expected_version=expected,
        body=body,
        at=now,
    )
    response.headers["ETag"] = etag(point.version)
    return DeliveryPointView.model_validate(point)
