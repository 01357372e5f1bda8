"""Measurements for our own services: counts and shares of suppliers and offers, no name, no price."""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import AwareDatetime

from services.suppliers.measurements import queries, rules
from services.suppliers.merging.queries import open_duplicates
from services.suppliers.onboarding.queries import expired_paper_suppliers
from shared.audience import Space, Stage
from shared.clock import business_date
from shared.contracts.fields import Code
from shared.contracts.measurements import ReachOfViewer, SupplierQuality, VisibilityCounts
from shared.database import SystemSession
from shared.http import Now
from shared.http import router as house_router
from shared.identity import MeasurementReader

router = house_router("/suppliers/measurements", tag="measurements")


@router.get("/supplier-quality", summary="Suppliers of a group in a category, for services")
async def supplier_quality(
    *,
    _: MeasurementReader,
    session: SystemSession,
    now: Now,
    group_id: UUID,
    category: Code,
    at: AwareDatetime | None = None,
) -> SupplierQuality:
    """Of the suppliers the group admitted for the category and that are qualified: how many have a valid unified
    social credit code and no open duplicate, and how many an expired paper."""
    active = await queries.active_suppliers(session, group_id=group_id, category=category)
    ids = [each.id for each in active]
    doubtful = await open_duplicates(session, ids)
    doubtful |= {each.id for each in active if not rules.valid_uscc(each.tax_id)}
    on = business_date(at or now)
    expired = await queries.lapsed_qualifications(session, supplier_ids=ids, on=on)
    expired |= await expired_paper_suppliers(session, supplier_ids=ids, category=category, on=on)
    return SupplierQuality(
        group_id=group_id,
        category=category,
        active_suppliers=len(ids),
        valid_share=rules.good_share(len(ids) - len(doubtful), len(ids)),
        expired_share=rules.bad_share(len(expired), len(ids)),
    )


@router.get("/visibility", summary="What a stage would open to whom, for services")
async def visibility(
    *,
    _: MeasurementReader,
    session: SystemSession,
    group_id: UUID,
    category: Code,
    stage: Stage,
    circle_id: UUID | None = None,
    circle_group_id: Annotated[list[UUID] | None, Query(max_length=500)] = None,
) -> VisibilityCounts:
    """Counted over the offers there are, as if the group's space were at `stage` now: for each group of the circle, for
    any member and for everybody how many offers of how many suppliers would be opened or closed."""
    groups = frozenset(circle_group_id or ())
    space = Space(
        group_id=group_id,
        stage=stage,
        circle_id=circle_id if stage is Stage.S2 else None,
        circle_group_ids=groups if stage is Stage.S2 else frozenset(),
    )
    moved = await queries.moved_by(session, category=category, space=space)
    active = await queries.active_suppliers(session, group_id=group_id, category=category)
    viewers = rules.viewers_of(group_ids=groups - {group_id}, circle_id=circle_id)
    return VisibilityCounts(
        group_id=group_id,
        category=category,
        suppliers=len(active),
        offers=sum(each.offers for each in moved),
        viewers=[ReachOfViewer.model_validate(each) for each in rules.counted(moved, viewers=viewers)],
    )
