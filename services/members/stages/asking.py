"""What the stage routes ask of other services before their transaction begins: measurements, categories, counts."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from services.members.circles import queries as circle_queries
from services.members.stages import queries
from services.members.stages.gate_data import GateData
from services.members.stages.schemas import Category, LiveCount, LiveObjects
from shared.audience import Stage
from shared.contracts.measurements import VisibilityCounts
from shared.contracts.members import GateMeasurements
from shared.database import Database, transaction
from shared.errors import FieldError, Unprocessable
from shared.http import Now
from shared.identity import CompanyAdmin, OwnAdmin, Role, same_company


async def _measured(
    request: Request, company_id: UUID, category: Category, caller: CompanyAdmin, now: Now
) -> GateMeasurements:
    """Asked before the route's transaction begins, and for no stranger."""
    if Role.OPERATOR not in caller.roles:
        same_company(caller, company_id, what="The company")
    gate_data: GateData = request.app.state.gate_data
    return await gate_data.measured(group_id=company_id, category=category, at=now)


class UnknownCategory(Unprocessable):
    """The catalog has no such category; GET /catalog/categories lists them."""


async def _known_category(request: Request, company_id: UUID, category: Category, caller: OwnAdmin) -> str:
    """Asked before the route's transaction begins, and for no stranger."""
    same_company(caller, company_id, what="The company")
    gate_data: GateData = request.app.state.gate_data
    if not await gate_data.is_category(category):
        message = f"The catalog has no category {category!r}."
        raise UnknownCategory(message, errors=[FieldError(field="category", rule="UnknownCategory", message=message)])
    return category


KnownCategory = Annotated[str, Depends(_known_category)]
"""Stands before the session, as `Measured` does."""


async def _counted(
    request: Request, company_id: UUID, category: Category, change_id: UUID, caller: CompanyAdmin
) -> VisibilityCounts | None:
    """What the step opens, counted by `suppliers`: asked between two short transactions."""
    if Role.OPERATOR not in caller.roles:
        same_company(caller, company_id, what="The company")
    gate_data: GateData = request.app.state.gate_data
    database: Database = request.app.state.database
    async with transaction(database.system) as session:
        change = await queries.change(session, group_id=company_id, category=category, change_id=change_id)
        if change is None:
            return None
        members = [each.group_id for each in await circle_queries.members(session, circle_id=change.circle_id)]
    return await gate_data.visibility(
        group_id=company_id,
        category=category,
        stage=Stage(change.to_stage),
        circle_id=change.circle_id,
        circle_group_ids=members,
    )


Counted = Annotated[VisibilityCounts | None, Depends(_counted)]


Measured = Annotated[GateMeasurements, Depends(_measured)]
"""Stands before the session in a route's arguments: what is resolved first is asked outside the transaction."""


def live_objects(counted: VisibilityCounts, names: Mapping[UUID, str]) -> LiveObjects:
    """Counts with the names of the groups they are about."""
    told = []
    for each in counted.viewers:
        kind, _, identifier = each.viewer.partition(":")
        group_id = UUID(identifier) if identifier else None
        viewer = kind if group_id is None else names.get(group_id, identifier)
        told.append(LiveCount.model_validate({**each.model_dump(), "viewer": viewer, "group_id": group_id}))
    return LiveObjects(suppliers=counted.suppliers, offers=counted.offers, viewers=told)
