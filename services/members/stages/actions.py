"""The way of a stage change to its announcement: draft, gates, two approvals; and what is put on record for gates."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.members.circles import queries as circle_queries
from services.members.companies import queries as company_queries
from services.members.companies.tables import Company
from services.members.histories import extend
from services.members.stages import queries, rules
from services.members.stages.queries import Seen
from services.members.stages.rules import ChangeStatus, Gate, Verdict
from services.members.stages.tables import StageChange, StageChangeHistory
from shared.audience import Stage
from shared.clock import business_date
from shared.contracts.members import GateMeasurements, StageChangeAnnounced
from shared.errors import Conflict, FieldError, Forbidden, NotFound
from shared.feed import event_type, publish
from shared.identity import Principal
from shared.ids import new_id


class StageChangeNotFound(NotFound):
    """The group has no such change in this category."""


class NotOneStep(Conflict):
    """A category is opened one step at a time: S1, S2, S3."""


class ChangeUnderWay(Conflict):
    """Another change of this group and category is not finished; end it first."""


class NotInThisCircle(Conflict):
    """The group is not a member of the circle the change is about."""


class ChangeMoveRefused(Conflict):
    """A change in this status does not take this step."""


class GatesFail(Conflict):
    """Gates do not hold; `errors` names each with what it asks and what was found."""


class GateDataChanged(Conflict):
    """A gate stands worse than when it was checked, or others stand in the circle; check the gates again, then approve
    what they say now. `errors` names it."""


class AlreadyApproved(Conflict):
    """This side has approved already."""


class OnePersonTwice(Forbidden):
    """A stage change is approved by two persons; you have approved for the other side."""


class OperatorNotIndependent(Forbidden):
    """The operator's company belongs to the group whose stage is to change; another operator approves."""


class AnnouncedTooShort(Conflict):
    """A change takes effect seven days after its announcement at the earliest."""


async def locked(session: AsyncSession, *, group_id: UUID, category: str, change_id: UUID) -> StageChange:
    """The change, locked after its circle: who enters or leaves the circle meanwhile waits.

    Raises:
        StageChangeNotFound: see the class.
    """
    seen = await queries.change(session, group_id=group_id, category=category, change_id=change_id)
    if seen is not None:
        await circle_queries.circle_of_party_for_update(session, circle_id=seen.circle_id, group_id=group_id)
        found = await queries.change_for_update(session, group_id=group_id, change_id=change_id)
        if found is not None:
            return found
    raise StageChangeNotFound("The group has no such change in this category.")


async def draft(
    session: AsyncSession,
    *,
    group: Company,
    category: str,
    to_stage: Stage,
    circle_id: UUID | None,
    reason: str,
    caller: Principal,
    at: datetime,
) -> StageChange:
    """Begin a change one step forward. To S2 it names the circle; to S3 the circle is the one of S2.

    Raises:
        NotOneStep, NotInThisCircle, ChangeUnderWay: see the classes.
    """
    present = await queries.stage(session, group_id=group.id, category=category)
    from_stage = Stage(present.stage) if present else Stage.S1
    if rules.FORWARD.get(from_stage) is not to_stage:
        raise NotOneStep(f"{category} is at {from_stage}; the next step is {rules.FORWARD.get(from_stage, 'none')}.")
    if from_stage is Stage.S2 and present is not None:
        circle_id = present.circle_id
    if circle_id is None or group.id not in await _members(session, circle_id=circle_id):
        raise NotInThisCircle("The group is not a member of the circle the change is about.")
    change = StageChange(
        group_id=group.id,
        id=new_id(),
        category=category,
        from_stage=from_stage,
        to_stage=to_stage,
        circle_id=circle_id,
        previous_change_id=present.change_id if present else None,
        reason=reason,
        created_at=at,
        created_by=caller.subject,
    )
    detail = {"category": category, "from": from_stage, "to": to_stage, "circle_id": str(circle_id), "reason": reason}
    link = extend(change, what="drafted", caller=caller, detail=detail, at=at)
    session.add(change)
    try:
        async with session.begin_nested():
            await session.flush()
    except IntegrityError as error:
        if "ix_stage_changes_under_way" not in str(error.orig):
            raise
        raise ChangeUnderWay(f"Another change of {category} is not finished; end it first.") from error
    session.add(
        StageChangeHistory(group_id=group.id, change_id=change.id, seq=link.seq, entry=link.entry, hash=link.hash)
    )
    await session.flush()
    return change


async def _members(session: AsyncSession, *, circle_id: UUID) -> list[UUID]:
    return [member.group_id for member in await circle_queries.members(session, circle_id=circle_id)]


async def judge(
    session: AsyncSession, *, change: StageChange, measured: GateMeasurements, at: datetime
) -> tuple[list[Verdict], Seen]:
    """Every gate of a change as it stands now.

    Raises:
        NotInThisCircle: the group left the circle.
    """
    seen = await queries.gates_seen(
        session, group_id=change.group_id, circle_id=change.circle_id, measured=measured, at=at
    )
    if change.group_id not in seen.circle_group_ids:
        raise NotInThisCircle("The group is not a member of the circle the change is about.")
    return rules.verdicts(seen.inputs, to=Stage(change.to_stage), on=business_date(at)), seen


async def check_gates(
    session: AsyncSession, *, change: StageChange, measured: GateMeasurements, caller: Principal, at: datetime
) -> StageChange:
    """Judge the gates and keep what was found for the approvers; approvals given to other figures are void.

    Raises:
        ChangeMoveRefused, NotInThisCircle: see the classes.
    """
    _check_status(change, rules.CHECKABLE, "Its gates are checked")
    judged, seen = await judge(session, change=change, measured=measured, at=at)
    change.gates = as_json(judged)
    change.gates_checked_at = at
    change.gates_circle_ids = sorted(seen.circle_group_ids)
    void_approvals(change)
    failing = [verdict.gate.value for verdict in rules.failed(judged)]
    if change.status != ChangeStatus.SUSPENDED:
        change.status = ChangeStatus.DRAFT if failing else ChangeStatus.GATES_CHECKED
    detail = {
        "failing": failing,
        "gates": {verdict.gate.value: verdict.measured for verdict in judged},
        "circle": [str(group_id) for group_id in change.gates_circle_ids],
    }
    await record(session, change=change, what="gates checked", caller=caller, detail=detail, at=at)
    return change


def void_approvals(change: StageChange) -> None:
    """Forget who approved; the history keeps it."""
    change.tenant_approver_id = change.tenant_approved_at = None
    change.operator_approver_id = change.operator_company_id = change.operator_approved_at = None


async def approve_as_tenant(
    session: AsyncSession, *, change: StageChange, measured: GateMeasurements, caller: Principal, at: datetime
) -> StageChange:
    """The group's own admin approves what the gates say.

    Raises:
        ChangeMoveRefused, AlreadyApproved, OnePersonTwice, GateDataChanged, GatesFail, NotInThisCircle.
    """
    if change.tenant_approved_at is not None:
        raise AlreadyApproved("The contractor group has approved already.")
    if change.operator_approver_id == caller.subject:
        raise OnePersonTwice("You approved as operator; another person approves for the group.")
    await _check_what_is_approved(session, change=change, measured=measured, at=at)
    change.tenant_approver_id, change.tenant_approved_at = caller.subject, at
    await _approved(session, change=change, side="tenant", caller=caller, at=at)
    return change


async def approve_as_operator(
    session: AsyncSession, *, change: StageChange, measured: GateMeasurements, caller: Principal, at: datetime
) -> StageChange:
    """An operator who does not belong to the group approves what the gates say.

    Raises:
        ChangeMoveRefused, AlreadyApproved, OnePersonTwice, OperatorNotIndependent, GateDataChanged, GatesFail,
        NotInThisCircle: see the classes.
    """
    if change.operator_approved_at is not None:
        raise AlreadyApproved("The operator has approved already.")
    if change.tenant_approver_id == caller.subject:
        raise OnePersonTwice("You approved for the group; another person approves as operator.")
    top_id = await company_queries.group_of(session, company_id=caller.company, on=business_date(at))
    if change.group_id in {top_id, caller.company}:
        raise OperatorNotIndependent("Your company belongs to the group whose stage is to change.")
    await _check_what_is_approved(session, change=change, measured=measured, at=at)
    change.operator_approver_id, change.operator_company_id = caller.subject, caller.company
    change.operator_approved_at = at
    await _approved(session, change=change, side="operator", caller=caller, at=at)
    return change


async def _check_what_is_approved(
    session: AsyncSession, *, change: StageChange, measured: GateMeasurements, at: datetime
) -> None:
    _check_status(change, rules.APPROVABLE, "It is approved")
    if change.gates is None:
        raise ChangeMoveRefused("Check the gates first.")
    judged, seen = await judge(session, change=change, measured=measured, at=at)
    errors = [
        FieldError(
            field=after.gate,
            rule="GateDataChanged",
            message=f"{before.measured or 'not measured'} when checked, {after.measured or 'not measured'} now.",
        )
        for before, after in rules.worsened(from_json(change.gates), judged)
    ]
    if sorted(seen.circle_group_ids) != sorted(change.gates_circle_ids or []):
        message = "Other groups stand in the circle than when the gates were checked."
        errors.append(FieldError(field=Gate.INDEPENDENT_GROUPS, rule="GateDataChanged", message=message))
    if errors:
        raise GateDataChanged(f"{errors[0].field}: {errors[0].message}", errors=errors)
    check_none_fails(judged)


def check_none_fails(judged: Sequence[Verdict]) -> None:
    """Raises GatesFail."""
    errors = [
        FieldError(
            field=verdict.gate,
            rule="GateFails",
            message=f"Needs {verdict.required}; found {verdict.measured or 'not measured'}.",
        )
        for verdict in rules.failed(judged)
    ]
    if errors:
        raise GatesFail(f"{errors[0].field}: {errors[0].message}", errors=errors)


async def _approved(session: AsyncSession, *, change: StageChange, side: str, caller: Principal, at: datetime) -> None:
    both = change.tenant_approved_at is not None and change.operator_approved_at is not None
    if both and change.status == ChangeStatus.GATES_CHECKED:
        change.status = ChangeStatus.APPROVED
    elif both:
        change.status = ChangeStatus.ANNOUNCED
        change.effective_from = max(at, change.effective_from or at)
    await record(session, change=change, what=f"approved by {side}", caller=caller, detail={}, at=at)


async def announce(
    session: AsyncSession, *, change: StageChange, effective_from: datetime, caller: Principal, at: datetime
) -> StageChange:
    """Tell everybody from when on the category is open further, at least seven days ahead.

    Raises:
        ChangeMoveRefused, AnnouncedTooShort: see the classes.
    """
    _check_status(change, {ChangeStatus.APPROVED}, "It is announced")
    earliest = rules.earliest_effect(at)
    if effective_from < earliest:
        message = f"Announced now it takes effect on {earliest.isoformat(timespec='seconds')} at the earliest."
        raise AnnouncedTooShort(message, errors=[FieldError(field="effective_from", rule="SevenDays", message=message)])
    change.status = ChangeStatus.ANNOUNCED
    change.announced_at = at
    change.effective_from = effective_from
    detail = {"effective_from": effective_from.isoformat()}
    await record(session, change=change, what="announced", caller=caller, detail=detail, at=at)
    await publish(
        session,
        type=event_type("members", "stage.announced"),
        subject=str(change.id),
        company_id=change.group_id,
        at=at,
        data=StageChangeAnnounced(
            group_id=change.group_id,
            category=change.category,
            from_stage=change.from_stage,
            to_stage=change.to_stage,
            circle_id=change.circle_id,
            change_id=change.id,
            effective_from=effective_from,
        ),
    )
    return change


def _check_status(change: StageChange, allowed: frozenset[ChangeStatus] | set[ChangeStatus], step: str) -> None:
    if change.status not in allowed:
        names = " or ".join(sorted(allowed))
        raise ChangeMoveRefused(f"The change is {change.status}. {step} when it is {names}.")


async def record(
    session: AsyncSession,
    *,
    change: StageChange,
    what: str,
    caller: Principal | None,
    detail: dict[str, Any],
    at: datetime,
) -> None:
    """Write a step into the change's history."""
    link = extend(change, what=what, caller=caller, detail={"status": change.status, **detail}, at=at)
    change.version += 1
    session.add(
        StageChangeHistory(
            group_id=change.group_id, change_id=change.id, seq=link.seq, entry=link.entry, hash=link.hash
        )
    )
    await session.flush()


def as_json(judged: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Verdicts as they are stored."""
    return [
        {
            "gate": verdict.gate.value,
            "passed": verdict.passed,
            "required": verdict.required,
            "measured": verdict.measured,
            "level": str(verdict.level),
        }
        for verdict in judged
    ]


def from_json(stored: Sequence[dict[str, Any]]) -> list[Verdict]:
    """Stored verdicts."""
    return [
        Verdict(
            gate=Gate(each["gate"]),
            passed=each["passed"],
            required=each["required"],
            measured=each["measured"],
            level=Decimal(each["level"]),
        )
        for each in stored
    ]
