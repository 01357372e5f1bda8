"""HTTP of stages and stage changes. The group's own admin and an operator decide together; either narrows alone."""

from uuid import UUID

from fastapi import Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.members.circles import queries as circle_queries
from services.members.circles.actions import NotAContractorGroup, acting_group
from services.members.circles.schemas import HistoryView, ReasonGiven
from services.members.companies.actions import CompanyNotFound, administered
from services.members.dependencies import AfterId
from services.members.histories import fault_in
from services.members.stages import actions, effects, queries
from services.members.stages.actions import (
    AlreadyApproved,
    AnnouncedTooShort,
    ChangeMoveRefused,
    ChangeUnderWay,
    GateDataChanged,
    GatesFail,
    NotInThisCircle,
    NotOneStep,
    OnePersonTwice,
    OperatorNotIndependent,
    StageChangeNotFound,
)
from services.members.stages.asking import Counted, KnownCategory, Measured, UnknownCategory, live_objects
from services.members.stages.effects import LaterChangeStands
from services.members.stages.report import report
from services.members.stages.schemas import (
    Announcement,
    Category,
    ChangeDrafted,
    ChangeView,
    CircleGroup,
    ReportLineView,
    VisibilityReport,
)
from services.members.stages.tables import StageChange
from shared.audience import Stage
from shared.clients.transport import ServiceAway, ServiceUnknown
from shared.contracts.members import StageView
from shared.database import ReadSession, WriteSession
from shared.errors import refusals
from shared.http import Now
from shared.http import router as house_router
from shared.identity import CompanyAdmin, NotYours, Operator, OwnAdmin
from shared.paging import CursorInvalid, PageQuery

router = house_router("/members/companies/{company_id}/stages", tag="stages")

_FOUND = (NotYours, CompanyNotFound, StageChangeNotFound)
_APPROVING = (
    ChangeMoveRefused,
    AlreadyApproved,
    OnePersonTwice,
    GateDataChanged,
    GatesFail,
    NotInThisCircle,
)


@router.get("", summary="A group's stages", responses=refusals(NotYours, CompanyNotFound))
async def list_stages(company_id: UUID, caller: CompanyAdmin, session: ReadSession) -> list[StageView]:
    """The categories the group ever opened. One that is not listed is at S1, enterprise-private."""
    await administered(session, caller=caller, company_id=company_id)
    return [StageView.model_validate(stage) for stage in await queries.stages_of(session, group_id=company_id)]


@router.post(
    "/{category}/changes",
    status_code=201,
    summary="Draft a stage change",
    responses=refusals(
        NotYours,
        NotAContractorGroup,
        UnknownCategory,
        NotOneStep,
        NotInThisCircle,
        ChangeUnderWay,
        ServiceAway,
        ServiceUnknown,
    ),
)
async def draft_change(
    *,
    company_id: UUID,
    category: KnownCategory,
    body: ChangeDrafted,
    caller: OwnAdmin,
    session: WriteSession,
    now: Now,
    response: Response,
) -> ChangeView:
    """One step: S1 to S2 names a circle the group stands in, S2 to S3 opens to the market. Then check the gates, let
    the group's admin and an operator approve, announce, and it takes effect by itself on its day."""
    group = await acting_group(session, caller=caller, company_id=company_id, at=now)
    change = await actions.draft(
        session,
        group=group,
        category=category,
        to_stage=body.to_stage,
        circle_id=body.circle_id,
        reason=body.reason,
        caller=caller,
        at=now,
    )
    response.headers["Location"] = f"/members/companies/{company_id}/stages/{category}/changes/{change.id}"
    return ChangeView.model_validate(change)


@router.get(
    "/{category}/changes",
    summary="Stage changes of a category",
    responses=refusals(NotYours, CompanyNotFound, CursorInvalid),
)
async def list_changes(
    *,
    company_id: UUID,
    category: Category,
    caller: CompanyAdmin,
    session: ReadSession,
    paging: PageQuery,
    after: AfterId,
    response: Response,
) -> list[ChangeView]:
    """Every document of the group in this category, oldest first."""
    await administered(session, caller=caller, company_id=company_id)
    found = await queries.changes_page(session, group_id=company_id, category=category, limit=paging.limit, after=after)
    shown = paging.page(found, response, key=lambda change: [change.id])
    return [ChangeView.model_validate(change) for change in shown]


async def _seen(session: AsyncSession, *, company_id: UUID, category: str, change_id: UUID) -> StageChange:
    change = await queries.change(session, group_id=company_id, category=category, change_id=change_id)
    if change is None:
        raise StageChangeNotFound("The group has no such change in this category.")
    return change


@router.get("/{category}/changes/{change_id}", summary="A stage change", responses=refusals(*_FOUND))
async def read_change(
    *, company_id: UUID, category: Category, change_id: UUID, caller: CompanyAdmin, session: ReadSession
) -> ChangeView:
    """Where it stands, what its gates said when last checked, who has approved."""
    await administered(session, caller=caller, company_id=company_id)
    return ChangeView.model_validate(
        await _seen(session, company_id=company_id, category=category, change_id=change_id)
    )


@router.get("/{category}/changes/{change_id}/history", summary="A stage change's history", responses=refusals(*_FOUND))
async def read_history(
    *, company_id: UUID, category: Category, change_id: UUID, caller: CompanyAdmin, session: ReadSession
) -> HistoryView:
    """Every step with who took it and what the gates said, and whether the hash chain over them holds."""
    await administered(session, caller=caller, company_id=company_id)
    change = await _seen(session, company_id=company_id, category=category, change_id=change_id)
    entries = await queries.history(session, group_id=company_id, change_id=change_id)
    fault = fault_in(change, entries)
    shown = [{**each.entry, "hash": bytes(each.hash).hex()} for each in entries]
    return HistoryView(entries=shown, intact=fault is None, fault=fault)


@router.get(
    "/{category}/changes/{change_id}/report", summary="What becomes visible to whom", responses=refusals(*_FOUND)
)
async def read_report(
    *,
    company_id: UUID,
    category: Category,
    change_id: UUID,
    caller: CompanyAdmin,
    counted: Counted,
    session: ReadSession,
) -> VisibilityReport:
    """The policy table for this step, the groups that stand in the circle now, and how many offers of how many
    suppliers open to each of them, to any member and to everybody: read it before you approve."""
    await administered(session, caller=caller, company_id=company_id)
    change = await _seen(session, company_id=company_id, category=category, change_id=change_id)
    members = [each.group_id for each in await circle_queries.members(session, circle_id=change.circle_id)]
    names = await queries.companies_named(session, company_ids=members)
    return VisibilityReport(
        category=category,
        from_stage=Stage(change.from_stage),
        to_stage=Stage(change.to_stage),
        circle=[CircleGroup(id=group_id, name=names[group_id]) for group_id in members],
        lines=[
            ReportLineView.model_validate(line) for line in report(Stage(change.from_stage), Stage(change.to_stage))
        ],
        live=None if counted is None else live_objects(counted, names),
    )


@router.post(
    "/{category}/changes/{change_id}/gates",
    summary="Check the gates",
    responses=refusals(*_FOUND, ChangeMoveRefused, NotInThisCircle),
)
async def check_gates(
    *,
    company_id: UUID,
    category: Category,
    change_id: UUID,
    caller: CompanyAdmin,
    measured: Measured,
    session: WriteSession,
    now: Now,
) -> ChangeView:
    """From live data, with the figures. A gate nobody measures fails; there is no waiver. Approvals given to figures
    checked before are void."""
    await administered(session, caller=caller, company_id=company_id)
    change = await actions.locked(session, group_id=company_id, category=category, change_id=change_id)
    return ChangeView.model_validate(
        await actions.check_gates(session, change=change, measured=measured, caller=caller, at=now)
    )


@router.post(
    "/{category}/changes/{change_id}/approvals/tenant",
    summary="Approve for the group",
    responses=refusals(NotYours, NotAContractorGroup, StageChangeNotFound, *_APPROVING),
)
async def approve_as_tenant(
    *,
    company_id: UUID,
    category: Category,
    change_id: UUID,
    caller: OwnAdmin,
    measured: Measured,
    session: WriteSession,
    now: Now,
) -> ChangeView:
    """The gates are judged again; what stands worse than when it was checked is named and nothing is approved."""
    await acting_group(session, caller=caller, company_id=company_id, at=now)
    change = await actions.locked(session, group_id=company_id, category=category, change_id=change_id)
    return ChangeView.model_validate(
        await actions.approve_as_tenant(session, change=change, measured=measured, caller=caller, at=now)
    )


@router.post(
    "/{category}/changes/{change_id}/approvals/operator",
    summary="Approve as operator",
    responses=refusals(CompanyNotFound, StageChangeNotFound, OperatorNotIndependent, *_APPROVING),
)
async def approve_as_operator(
    *,
    company_id: UUID,
    category: Category,
    change_id: UUID,
    caller: Operator,
    measured: Measured,
    session: WriteSession,
    now: Now,
) -> ChangeView:
    """By another person of another company than the group's. The gates are judged again, as for the group."""
    await administered(session, caller=caller, company_id=company_id)
    change = await actions.locked(session, group_id=company_id, category=category, change_id=change_id)
    return ChangeView.model_validate(
        await actions.approve_as_operator(session, change=change, measured=measured, caller=caller, at=now)
    )


@router.post(
    "/{category}/changes/{change_id}/announcement",
    summary="Announce a stage change",
    responses=refusals(*_FOUND, ChangeMoveRefused, AnnouncedTooShort),
)
async def announce(
    *,
    company_id: UUID,
    category: Category,
    change_id: UUID,
    body: Announcement,
    caller: CompanyAdmin,
    session: WriteSession,
    now: Now,
) -> ChangeView:
    """At least seven days before its effect, so that whoever disagrees can leave under the old rules. On the day the
    gates are judged once more; if one fails the change is suspended instead."""
    await administered(session, caller=caller, company_id=company_id)
    change = await actions.locked(session, group_id=company_id, category=category, change_id=change_id)
    return ChangeView.model_validate(
        await actions.announce(session, change=change, effective_from=body.effective_from, caller=caller, at=now)
    )


@router.post(
    "/{category}/changes/{change_id}/suspension",
    summary="Suspend a stage change",
    responses=refusals(*_FOUND, ChangeMoveRefused, LaterChangeStands),
)
async def suspend(
    *,
    company_id: UUID,
    category: Category,
    change_id: UUID,
    body: ReasonGiven,
    caller: CompanyAdmin,
    session: WriteSession,
    now: Now,
) -> ChangeView:
    """Either side alone, at once: the stage falls back and new access stops. To go on, the gates are checked again and
    both sides approve again."""
    await administered(session, caller=caller, company_id=company_id)
    change = await actions.locked(session, group_id=company_id, category=category, change_id=change_id)
    return ChangeView.model_validate(
        await effects.suspend(session, change=change, reason=body.reason, caller=caller, at=now)
    )


@router.post(
    "/{category}/changes/{change_id}/reversal",
    summary="Revert a stage change",
    responses=refusals(*_FOUND, ChangeMoveRefused, LaterChangeStands),
)
async def revert(
    *,
    company_id: UUID,
    category: Category,
    change_id: UUID,
    body: ReasonGiven,
    caller: CompanyAdmin,
    session: WriteSession,
    now: Now,
) -> ChangeView:
    """Either side alone, at once and for good, also before it took effect. What others saw stays in the history."""
    await administered(session, caller=caller, company_id=company_id)
    change = await actions.locked(session, group_id=company_id, category=category, change_id=change_id)
    return ChangeView.model_validate(
        await effects.revert(session, change=change, reason=body.reason, caller=caller, at=now)
    )
