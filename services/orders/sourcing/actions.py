"""Joint purchasing: a group opens a notice to its circle, others join with what they want, it closes with the pool."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.sourcing import queries, rules
from services.orders.sourcing.recording import extend, record, tell
from services.orders.sourcing.rules import NoticeStatus, ParticipationStatus
from services.orders.sourcing.tables import JointLine, JointNotice, JointParticipation
from services.orders.sourcing.visibility import keys_of
from services.orders.spaces import queries as space_queries
from shared.audience import Stage
from shared.clock import business_date
from shared.errors import Conflict, FieldError, Forbidden, NotFound, Unprocessable
from shared.identity import Principal
from shared.ids import new_id


class NotTheGroup(Forbidden):
    """Only the company at the top of a contractor group buys together with others."""


class JointPurchaseNotOpen(Conflict):
    """The category is enterprise-private (S1) for your group; open it to a circle first."""


class NotInThatCircle(Conflict):
    """Your group does not stand in the circle."""


class DatesDoNotFit(Unprocessable):
    """The days of a notice do not go together; `errors` names the field and rule."""


class NoticeNotFound(NotFound):
    """There is no such notice, or it is not open to your group."""


class NoticeEnded(Conflict):
    """The notice has closed or was cancelled."""


class LineUnknown(Unprocessable):
    """The notice has no such line; `errors` names it."""


class NotTheOpener(Forbidden):
    """Only the group that opened the notice cancels it."""


class OpenerStays(Conflict):
    """The group that opened a notice does not leave it; it cancels it, or wants less."""


class NotTakingPart(Conflict):
    """Your group does not take part in the notice."""


class NotClosed(Conflict):
    """The notice has no result before it has closed."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A notice as its group proposes it; `lines` are (type, variant, unit, own quantity)."""

    category: str
    circle_id: UUID | None
    title: str
    note: str | None
    region: str
    month: date
    closes_at: datetime
    lines: Sequence[tuple[str, str | None, str, Decimal | None]]


def acting_group(caller: Principal) -> UUID:
    """The group the caller speaks for.

    Raises:
        NotTheGroup: the caller's company stands under another.
    """
    if caller.group_id not in {None, caller.company}:
        raise NotTheGroup("Only the company at the top of a contractor group buys together with others.")
    return caller.company


async def open_notice(
    session: AsyncSession, *, group_id: UUID, proposal: Proposal, caller: Principal, at: datetime
) -> JointNotice:
    """Propose a joint purchase to the groups of a circle.

    Raises:
        JointPurchaseNotOpen, NotInThatCircle, DatesDoNotFit: see the classes.
    """
    fault = rules.closing_fault(closes_at=proposal.closes_at, month=proposal.month, at=at, today=business_date(at))
    if fault is not None:
        field, rule, message = fault
        raise DatesDoNotFit(f"{field}: {message}", errors=[FieldError(field=field, rule=rule, message=message)])
    space = await space_queries.space_of(session, group_id=group_id, category=proposal.category)
    if space.stage is Stage.S1:
        raise JointPurchaseNotOpen(f"{proposal.category} is enterprise-private (S1) for your group.")
    circle_id = proposal.circle_id or space.circle_id
    members = (
        frozenset[UUID]() if circle_id is None else await space_queries.circle_groups(session, circle_id=circle_id)
    )
    if circle_id is None or group_id not in members or (space.circle_id is not None and circle_id != space.circle_id):
        message = "circle_id must name a circle your group stands in; at S2 it is the circle of the stage."
        raise NotInThatCircle(message, errors=[FieldError(field="circle_id", rule="Circle", message=message)])
    notice = JointNotice(
        group_id=group_id,
        id=new_id(),
        category=proposal.category,
        stage=space.stage,
        circle_id=circle_id,
        audience_keys=keys_of(space, owner=group_id, circle_id=circle_id, participants=[]),
        party_ids=sorted(members),
        title=proposal.title,
        note=proposal.note,
        region=proposal.region,
        month=proposal.month,
        closes_at=proposal.closes_at,
        opened_by=caller.subject,
        opened_at=at,
    )
    entry = extend(notice, what="opened", caller=caller, detail={"circle_id": str(circle_id)}, at=at)
    session.add(notice)
    await session.flush()
    session.add(entry)
    for line_no, (type_code, variant_key, unit, _) in enumerate(proposal.lines, start=1):
        line = JointLine(group_id=group_id, notice_id=notice.id, line_no=line_no, type_code=type_code, unit=unit)
        line.variant_key = variant_key
        session.add(line)
    await session.flush()
    own = {line_no: line[3] for line_no, line in enumerate(proposal.lines, start=1) if line[3] is not None}
    await _want(session, notice=notice, group_id=group_id, quantities=own, caller=caller, at=at)
    await tell(session, notice=notice, what="opened", at=at)
    return notice


async def take_part(
    session: AsyncSession,
    *,
    group_id: UUID,
    notice_id: UUID,
    quantities: Mapping[int, Decimal],
    caller: Principal,
    at: datetime,
) -> JointNotice:
    """Join with what the group wants, or want something else than before.

    Raises:
        NoticeNotFound, NoticeEnded, LineUnknown: see the classes.
    """
    notice = await _open_notice(session, notice_id=notice_id, caller=caller, at=at)
    lines = (await queries.lines_of(session, notices=[notice]))[notice.id]
    unknown = sorted(quantities.keys() - {line.line_no for line in lines})
    if unknown:
        message = f"The notice has no line {unknown[0]}."
        raise LineUnknown(message, errors=[FieldError(field="lines", rule="LineOfNotice", message=message)])
    joined = await _want(session, notice=notice, group_id=group_id, quantities=quantities, caller=caller, at=at)
    what = "joined" if joined else "changed"
    await record(session, notice=notice, what=what, caller=caller, detail={}, at=at)
    return notice


async def withdraw(
    session: AsyncSession, *, group_id: UUID, notice_id: UUID, caller: Principal, at: datetime
) -> JointNotice:
    """Leave before it closes; what the group wanted leaves the pool and is forgotten.

    Raises:
        NoticeNotFound, NoticeEnded, OpenerStays, NotTakingPart: see the classes.
    """
    notice = await _open_notice(session, notice_id=notice_id, caller=caller, at=at)
    if notice.group_id == group_id:
        raise OpenerStays("Your group opened the notice; cancel it, or want less.")
    part = await queries.own_participation(session, group_id=group_id, notice_id=notice_id)
    if part is None or part.status != ParticipationStatus.JOINED:
        raise NotTakingPart("Your group does not take part in the notice.")
    await _move_quantities(session, notice=notice, group_id=group_id, quantities={})
    part.status, part.changed_by, part.changed_at = ParticipationStatus.WITHDRAWN, caller.subject, at
    notice.participants -= 1
    await record(session, notice=notice, what="withdrawn", caller=caller, detail={}, at=at)
    return notice


async def cancel(
    session: AsyncSession, *, group_id: UUID, notice_id: UUID, reason: str, caller: Principal, at: datetime
) -> JointNotice:
    """The opener does not pursue it.

    Raises:
        NoticeNotFound, NoticeEnded, NotTheOpener: see the classes.
    """
    notice = await _open_notice(session, notice_id=notice_id, caller=caller, at=at)
    if notice.group_id != group_id:
        raise NotTheOpener("Only the group that opened the notice cancels it.")
    notice.status, notice.ended_at, notice.cancel_reason = NoticeStatus.CANCELLED, at, reason
    await record(session, notice=notice, what="cancelled", caller=caller, detail={"reason": reason}, at=at)
    return notice


async def _open_notice(session: AsyncSession, *, notice_id: UUID, caller: Principal, at: datetime) -> JointNotice:
    notice = await queries.notice(session, notice_id=notice_id, keys=caller.viewer_keys, lock=True)
    if notice is None:
        raise NoticeNotFound("There is no such notice, or it is not open to your group.")
    if notice.status != NoticeStatus.OPEN or notice.closes_at <= at:
        raise NoticeEnded(f"The notice ended on {min(notice.ended_at or at, notice.closes_at).isoformat()}.")
    return notice


async def _want(
    session: AsyncSession,
    *,
    notice: JointNotice,
    group_id: UUID,
    quantities: Mapping[int, Decimal],
    caller: Principal,
    at: datetime,
) -> bool:
    """Let a group take part with these quantities; whether it did not before."""
    part = await queries.own_participation(session, group_id=group_id, notice_id=notice.id)
    joins = part is None or part.status != ParticipationStatus.JOINED
    row = {"status": ParticipationStatus.JOINED, "changed_by": caller.subject, "changed_at": at}
    await session.execute(
        insert(JointParticipation)
        .values(group_id=group_id, notice_id=notice.id, **row)
        .on_conflict_do_update(index_elements=["group_id", "notice_id"], set_=row)
    )
    await _move_quantities(session, notice=notice, group_id=group_id, quantities=quantities)
    if joins:
        notice.participants += 1
        # Who takes part keeps seeing the notice, whatever becomes of the circle: it ends as it began.
        notice.audience_keys = sorted({*notice.audience_keys, f"company:{group_id}"})
        notice.party_ids = sorted({*notice.party_ids, group_id})
    await session.flush()
    return joins


_REPLACE = text(
    """
    WITH wanted AS (
        SELECT * FROM unnest(CAST(:line_nos AS integer[]), CAST(:quantities AS numeric[])) AS w (line_no, quantity)
    ), gone AS (
        DELETE FROM joint_quantities q
        WHERE q.group_id = :group_id AND q.notice_id = :notice_id
            AND NOT EXISTS (SELECT FROM wanted w WHERE w.line_no = q.line_no)
    )
    INSERT INTO joint_quantities (group_id, notice_id, line_no, quantity)
    SELECT :group_id, :notice_id, line_no, quantity FROM wanted
    ON CONFLICT (group_id, notice_id, line_no) DO UPDATE SET quantity = excluded.quantity
    """
)
_POOL = text(
    """
    UPDATE joint_lines l SET pooled = l.pooled + d.more, groups = l.groups + d.more_groups
    FROM unnest(CAST(:line_nos AS integer[]), CAST(:more AS numeric[]), CAST(:more_groups AS integer[]))
        AS d (line_no, more, more_groups)
    WHERE l.group_id = :opener_id AND l.notice_id = :notice_id AND l.line_no = d.line_no
    """
)


async def _move_quantities(
    session: AsyncSession, *, notice: JointNotice, group_id: UUID, quantities: Mapping[int, Decimal]
) -> None:
    """Replace what a group wants and let the pool follow; the notice's row is locked, so nobody counts beside us."""
    before = (await queries.own_quantities(session, group_id=group_id, notice_ids=[notice.id]))[notice.id]
    await session.execute(
        _REPLACE,
        {
            "group_id": group_id,
            "notice_id": notice.id,
            "line_nos": list(quantities),
            "quantities": list(quantities.values()),
        },
    )
    changed = rules.deltas(before, quantities)
    if changed:
        await session.execute(
            _POOL,
            {
                "opener_id": notice.group_id,
                "notice_id": notice.id,
                "line_nos": list(changed),
                "more": [more for more, _ in changed.values()],
                "more_groups": [groups for _, groups in changed.values()],
            },
        )
