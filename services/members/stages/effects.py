"""What a stage change does: taking effect, being suspended, being reverted, and falling with a circle.

Narrowing needs one side and happens at once; widening happens only in `take_effect`, after two approvals and the
announcement. Locks are taken in one order: circle, change, stage.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.members.circles import queries as circle_queries
from services.members.circles.actions import is_a_group
from services.members.companies import queries as company_queries
from services.members.stages import queries, rules
from services.members.stages.actions import (
    ChangeMoveRefused,
    NotInThisCircle,
    judge,
    locked,
    record,
    void_approvals,
)
from services.members.stages.rules import UNDER_WAY, ChangeStatus
from services.members.stages.tables import GroupStage, StageChange
from shared.audience import Stage
from shared.clock import business_date
from shared.contracts.members import (
    STAGE_GATES_CHANGED,
    STAGE_STOPPED,
    GateMeasurements,
    StageChanged,
    StageChangeStopped,
    StageGatesChanged,
)
from shared.errors import Conflict
from shared.feed import event_type, publish
from shared.identity import Principal


class LaterChangeStands(Conflict):
    """The category went a step further since; suspend or revert the later change first."""


async def take_effect(
    session: AsyncSession,
    *,
    group_id: UUID,
    category: str,
    change_id: UUID,
    measured: GateMeasurements,
    at: datetime,
) -> StageChange:
    """Open the category, or suspend the change when its gates hold no longer. Called twice it acts once."""
    change = await locked(session, group_id=group_id, category=category, change_id=change_id)
    if change.status != ChangeStatus.ANNOUNCED or change.effective_from is None or at < change.effective_from:
        return change
    why_not = await _why_not(session, change=change, measured=measured, at=at)
    if why_not is not None:
        await _suspended(session, change=change, reason=why_not, caller=None, at=at)
        return change
    change.status = ChangeStatus.EFFECTIVE
    change.effective_at = at
    circle_id = change.circle_id if change.to_stage == Stage.S2 else None
    await record(session, change=change, what="took effect", caller=None, detail={}, at=at)
    await _set_stage(
        session,
        change=change,
        stage=Stage(change.to_stage),
        circle_id=circle_id,
        rests_on=change.id,
        what="took effect",
        at=at,
    )
    return change


async def _why_not(
    session: AsyncSession, *, change: StageChange, measured: GateMeasurements, at: datetime
) -> str | None:
    present = await queries.stage_for_update(session, group_id=change.group_id, category=change.category)
    stage = present.stage if present else Stage.S1
    if stage != change.from_stage or (present.change_id if present else None) != change.previous_change_id:
        return f"The category is no longer at {change.from_stage} as when the change was drafted."
    company = await company_queries.company(session, company_id=change.group_id)
    if company is None or not await is_a_group(session, company=company, at=at):
        return "The company no longer stands for a contractor group that takes part."
    try:
        judged, _ = await judge(session, change=change, measured=measured, at=at)
    except NotInThisCircle as refusal:
        return refusal.detail
    failing = [f"{verdict.gate}: {verdict.measured or 'not measured'}" for verdict in rules.failed(judged)]
    return "Gates do not hold on the day of effect: " + ", ".join(failing) if failing else None


async def look_again(
    session: AsyncSession, *, group_id: UUID, category: str, measured: GateMeasurements, at: datetime
) -> list[str]:
    """Judge the gates of an open category again and tell when some fell or hold again; those that do not hold.

    Nothing is closed: whoever opened it decides, and either side narrows alone (decision 0014).
    """
    present = await queries.stage_for_update(session, group_id=group_id, category=category)
    if present is None or present.change_id is None:
        return []
    change = await queries.change_for_update(session, group_id=group_id, change_id=present.change_id)
    assert change is not None  # noqa: S101 - changes are never deleted
    seen = await queries.gates_seen(session, group_id=group_id, circle_id=change.circle_id, measured=measured, at=at)
    judged = rules.verdicts(seen.inputs, to=Stage(present.stage), on=business_date(at))
    fallen = {verdict.gate.value: verdict.measured for verdict in rules.failed(judged)}
    recovered = sorted(set(present.fallen_gates) - fallen.keys())
    if set(fallen) != set(present.fallen_gates):
        await publish(
            session,
            type=STAGE_GATES_CHANGED,
            subject=f"{group_id}/{category}",
            company_id=group_id,
            at=at,
            data=StageGatesChanged(
                group_id=group_id,
                category=category,
                stage=present.stage,
                change_id=present.change_id,
                fallen=fallen,
                recovered=recovered,
            ),
        )
    present.fallen_gates = sorted(fallen)
    present.gates_looked_at = at
    await session.flush()
    return present.fallen_gates


async def suspend(
    session: AsyncSession, *, change: StageChange, reason: str, caller: Principal, at: datetime
) -> StageChange:
    """Stop a change that is announced or in effect; the stage falls back at once.

    Raises:
        ChangeMoveRefused, LaterChangeStands: see the classes.
    """
    _check_move(change, ChangeStatus.SUSPENDED)
    await _fall_back(session, change=change, what="suspended", caller=caller, at=at)
    await _suspended(session, change=change, reason=reason, caller=caller, at=at)
    return change


async def revert(
    session: AsyncSession, *, change: StageChange, reason: str, caller: Principal, at: datetime
) -> StageChange:
    """Take a change back for good, from any status; the stage falls back at once if it was in effect.

    Raises:
        ChangeMoveRefused, LaterChangeStands: see the classes.
    """
    _check_move(change, ChangeStatus.REVERTED)
    await _fall_back(session, change=change, what="reverted", caller=caller, at=at)
    await _reverted(session, change=change, reason=reason, caller=caller, at=at)
    return change


async def narrow_those_outside(
    session: AsyncSession, *, circle_id: UUID, group_ids: Sequence[UUID], caller: Principal, at: datetime
) -> None:
    """What groups that left a circle had opened to it is private again; what they were about to open is reverted.

    Runs in the transaction in which they leave, which holds the circle locked.
    """
    reason = "The group is no longer a member of the circle."
    under_way = await queries.changes_under_way_for_update(
        session, circle_id=circle_id, group_ids=group_ids, statuses=sorted(UNDER_WAY)
    )
    for change in under_way:
        await _reverted(session, change=change, reason=reason, caller=caller, at=at)
    for stage in await queries.stages_open_to_for_update(session, circle_id=circle_id, group_ids=group_ids):
        assert stage.change_id is not None  # noqa: S101 - a CHECK: what is not at S1 rests on a change
        resting = await queries.change_for_update(session, group_id=stage.group_id, change_id=stage.change_id)
        assert resting is not None  # noqa: S101 - changes are never deleted
        await _fall_back(session, change=resting, what="reverted", caller=caller, at=at)
        await _reverted(session, change=resting, reason=reason, caller=caller, at=at)


def _check_move(change: StageChange, new: ChangeStatus) -> None:
    if not rules.may_move(old=ChangeStatus(change.status), new=new):
        raise ChangeMoveRefused(f"The change is {change.status}; it does not become {new}.")


async def _fall_back(
    session: AsyncSession, *, change: StageChange, what: str, caller: Principal | None, at: datetime
) -> None:
    """Set the stage back to where an effective change came from; to S1 when the group has left the circle of S2."""
    if change.status != ChangeStatus.EFFECTIVE:
        return
    present = await queries.stage_for_update(session, group_id=change.group_id, category=change.category)
    if present is None or present.change_id != change.id:
        raise LaterChangeStands("The category went a step further since; suspend or revert the later change first.")
    stage, circle_id, rests_on = Stage(change.from_stage), None, change.previous_change_id
    if stage is Stage.S2:
        members = await circle_queries.members(session, circle_id=change.circle_id)
        if change.group_id in {member.group_id for member in members}:
            circle_id = change.circle_id
        else:
            await _revert_earlier(session, change=change, caller=caller, at=at)
            stage, rests_on = Stage.S1, None
    await _set_stage(session, change=change, stage=stage, circle_id=circle_id, rests_on=rests_on, what=what, at=at)


async def _revert_earlier(
    session: AsyncSession, *, change: StageChange, caller: Principal | None, at: datetime
) -> None:
    if change.previous_change_id is None:
        return
    earlier = await queries.change_for_update(session, group_id=change.group_id, change_id=change.previous_change_id)
    if earlier is not None and earlier.status == ChangeStatus.EFFECTIVE:
        reason = "The group is no longer a member of the circle."
        await _reverted(session, change=earlier, reason=reason, caller=caller, at=at)


async def _suspended(
    session: AsyncSession, *, change: StageChange, reason: str, caller: Principal | None, at: datetime
) -> None:
    was = ChangeStatus(change.status)
    change.status = ChangeStatus.SUSPENDED
    change.suspended_at = at
    change.end_reason = reason
    change.effective_at = None
    change.gates = None
    change.gates_checked_at = None
    change.gates_circle_ids = None
    void_approvals(change)
    await record(session, change=change, what="suspended", caller=caller, detail={"reason": reason}, at=at)
    await _tell_stopped(session, change=change, was=was, what="suspended", at=at)


async def _reverted(
    session: AsyncSession, *, change: StageChange, reason: str, caller: Principal | None, at: datetime
) -> None:
    was = ChangeStatus(change.status)
    change.status = ChangeStatus.REVERTED
    change.reverted_at = at
    change.end_reason = reason
    await record(session, change=change, what="reverted", caller=caller, detail={"reason": reason}, at=at)
    await _tell_stopped(session, change=change, was=was, what="reverted", at=at)


async def _tell_stopped(
    session: AsyncSession, *, change: StageChange, was: ChangeStatus, what: str, at: datetime
) -> None:
    """Of one that was in effect the stage itself tells; of any other nobody would hear."""
    if was is ChangeStatus.EFFECTIVE:
        return
    await publish(
        session,
        type=STAGE_STOPPED,
        subject=f"{change.group_id}/{change.category}",
        company_id=change.group_id,
        at=at,
        data=StageChangeStopped(
            group_id=change.group_id,
            category=change.category,
            from_stage=change.from_stage,
            to_stage=change.to_stage,
            circle_id=change.circle_id,
            change_id=change.id,
            was=was,
            what=what,
        ),
    )


async def _set_stage(
    session: AsyncSession,
    *,
    change: StageChange,
    stage: Stage,
    circle_id: UUID | None,
    rests_on: UUID | None,
    what: str,
    at: datetime,
) -> None:
    present = await queries.stage_for_update(session, group_id=change.group_id, category=change.category)
    before = (Stage.S1, None) if present is None else (Stage(present.stage), present.circle_id)
    if present is None:
        present = GroupStage(
            group_id=change.group_id,
            category=change.category,
            stage=stage,
            circle_id=circle_id,
            change_id=rests_on,
            since=at,
        )
        session.add(present)
    else:
        present.stage, present.circle_id, present.change_id = stage, circle_id, rests_on
        present.since = at
        present.gates_looked_at, present.fallen_gates = None, []
        present.version += 1
    await session.flush()
    await publish(
        session,
        type=event_type("members", "stage.changed"),
        subject=f"{change.group_id}/{change.category}",
        company_id=change.group_id,
        at=at,
        data=StageChanged(
            group_id=change.group_id,
            category=change.category,
            stage=stage,
            circle_id=circle_id,
            before_stage=before[0],
            before_circle_id=before[1],
            change_id=change.id,
            what=what,
        ),
    )
