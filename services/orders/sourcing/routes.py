"""HTTP of joint purchasing notices. A caller acts for its contractor group; who is not in the circle sees nothing."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.sourcing import actions, queries, rules
from services.orders.sourcing.actions import (
    DatesDoNotFit,
    JointPurchaseNotOpen,
    LineUnknown,
    NotClosed,
    NoticeEnded,
    NoticeNotFound,
    NotInThatCircle,
    NotTakingPart,
    NotTheGroup,
    NotTheOpener,
    OpenerStays,
    Proposal,
    acting_group,
)
from services.orders.sourcing.recording import fault_in
from services.orders.sourcing.rules import NoticeStatus, ParticipationStatus
from services.orders.sourcing.schemas import (
    Cancellation,
    Category,
    HistoryEntry,
    HistoryView,
    LineView,
    NoticeGiven,
    NoticeView,
    Participation,
    PoolView,
    ResultView,
)
from services.orders.sourcing.tables import JointNotice
from shared.database import ReadSession, WriteSession
from shared.errors import refusals
from shared.http import Now, etag
from shared.http import router as house_router
from shared.identity import Buyer, Principal, Requires, Role
from shared.paging import CursorInvalid, PageQuery

router = house_router("/orders/joint-notices", tag="joint purchasing")

GroupBuyer = Annotated[Principal, Depends(Requires(roles=[Role.BUYER, Role.ADMIN]))]
_ENDING = (NotTheGroup, NoticeNotFound, NoticeEnded)


async def _views(session: AsyncSession, notices: Sequence[JointNotice], *, group_id: UUID) -> list[NoticeView]:
    lines = await queries.lines_of(session, notices=notices)
    own = await queries.own_quantities(session, group_id=group_id, notice_ids=[each.id for each in notices])
    views = []
    for notice in notices:
        status = NoticeStatus(notice.status)
        shown = [
            LineView(
                line_no=line.line_no,
                type_code=line.type_code,
                variant_key=line.variant_key,
                unit=line.unit,
                groups=line.groups,
                pool=PoolView.model_validate(rules.pool_shown(total=line.pooled, groups=line.groups, status=status)),
                own_quantity=own[notice.id].get(line.line_no),
            )
            for line in lines[notice.id]
        ]
        head = {name: getattr(notice, name) for name in NoticeView.model_fields if name != "lines"}
        views.append(NoticeView(**head, lines=shown))
    return views


async def _view(session: AsyncSession, notice: JointNotice, response: Response, *, group_id: UUID) -> NoticeView:
    response.headers["ETag"] = etag(notice.version)
    [view] = await _views(session, [notice], group_id=group_id)
    return view


@router.post(
    "",
    status_code=201,
    summary="Open a joint purchasing notice",
    responses=refusals(NotTheGroup, JointPurchaseNotOpen, NotInThatCircle, DatesDoNotFit),
)
async def open_notice(
    body: NoticeGiven, caller: GroupBuyer, session: WriteSession, now: Now, response: Response
) -> NoticeView:
    """Propose to the groups of your circle to buy together: what, where, in which month, until when to join. The
    category must be open to the circle (S2) or the market (S3). Quantities are pooled; each group contracts for itself.
    """
    group_id = acting_group(caller)
    proposal = Proposal(
        category=body.category,
        circle_id=body.circle_id,
        title=body.title,
        note=body.note,
        region=body.region,
        month=body.month,
        closes_at=body.closes_at,
        lines=[(line.type_code, line.variant_key, line.unit, line.quantity) for line in body.lines],
    )
    notice = await actions.open_notice(session, group_id=group_id, proposal=proposal, caller=caller, at=now)
    response.headers["Location"] = f"/orders/joint-notices/{notice.id}"
    return await _view(session, notice, response, group_id=group_id)


@router.get("", summary="Joint purchasing notices", responses=refusals(NotTheGroup, CursorInvalid))
async def list_notices(
    *,
    caller: Buyer,
    session: ReadSession,
    paging: PageQuery,
    response: Response,
    status: NoticeStatus | None = None,
    category: Category | None = None,
) -> list[NoticeView]:
    """Those your group opened, takes part in, or may join; newest first."""
    group_id = acting_group(caller)
    after = paging.after_as(UUID)
    found = await queries.notices_page(
        session,
        keys=caller.viewer_keys,
        status=status,
        category=category,
        limit=paging.limit,
        after=after[0] if after else None,
    )
    shown = paging.page(found, response, key=lambda notice: [notice.id])
    return await _views(session, shown, group_id=group_id)


async def _seen(session: AsyncSession, *, notice_id: UUID, caller: Principal) -> JointNotice:
    notice = await queries.notice(session, notice_id=notice_id, keys=caller.viewer_keys)
    if notice is None:
        raise NoticeNotFound("There is no such notice, or it is not open to your group.")
    return notice


@router.get("/{notice_id}", summary="A joint purchasing notice", responses=refusals(NotTheGroup, NoticeNotFound))
async def read_notice(notice_id: UUID, caller: Buyer, session: ReadSession, response: Response) -> NoticeView:
    """Its pool as a range while it is open, and as a total once it has closed with at least three groups: a total that
    moved with each newcomer would tell what the newcomer wants. What your own group wants, only your group sees."""
    group_id = acting_group(caller)
    return await _view(session, await _seen(session, notice_id=notice_id, caller=caller), response, group_id=group_id)


@router.post(
    "/{notice_id}/participation",
    summary="Join, or want something else",
    responses=refusals(*_ENDING, LineUnknown),
)
async def take_part(
    *,
    notice_id: UUID,
    body: Participation,
    caller: GroupBuyer,
    session: WriteSession,
    now: Now,
    response: Response,
) -> NoticeView:
    """With all that your group wants; what it wanted before is replaced."""
    group_id = acting_group(caller)
    notice = await actions.take_part(
        session,
        group_id=group_id,
        notice_id=notice_id,
        quantities={line.line_no: line.quantity for line in body.lines},
        caller=caller,
        at=now,
    )
    return await _view(session, notice, response, group_id=group_id)


@router.post(
    "/{notice_id}/withdrawal",
    summary="Leave a joint purchase",
    responses=refusals(*_ENDING, OpenerStays, NotTakingPart),
)
async def withdraw(
    notice_id: UUID, caller: GroupBuyer, session: WriteSession, now: Now, response: Response
) -> NoticeView:
    """Until it closes; what your group wanted leaves the pool and is forgotten."""
    group_id = acting_group(caller)
    notice = await actions.withdraw(session, group_id=group_id, notice_id=notice_id, caller=caller, at=now)
    return await _view(session, notice, response, group_id=group_id)


@router.post("/{notice_id}/cancellation", summary="Cancel a joint purchase", responses=refusals(*_ENDING, NotTheOpener))
async def cancel(
    *, notice_id: UUID, body: Cancellation, caller: GroupBuyer, session: WriteSession, now: Now, response: Response
) -> NoticeView:
    """By the group that opened it, until it closes; the reason is told to all that see the notice."""
    group_id = acting_group(caller)
    notice = await actions.cancel(
        session, group_id=group_id, notice_id=notice_id, reason=body.reason, caller=caller, at=now
    )
    return await _view(session, notice, response, group_id=group_id)


async def _check_takes_part(session: AsyncSession, *, notice: JointNotice, group_id: UUID) -> None:
    part = await queries.own_participation(session, group_id=group_id, notice_id=notice.id)
    if part is None or part.status != ParticipationStatus.JOINED:
        raise NotTakingPart("Your group does not take part in the notice.")


@router.get(
    "/{notice_id}/result",
    summary="The result document",
    responses=refusals(NotTheGroup, NoticeNotFound, NotTakingPart, NotClosed),
)
async def read_result(notice_id: UUID, caller: Buyer, session: ReadSession) -> ResultView:
    """What was pooled and who takes part, for those who do. Contracts remain separate."""
    group_id = acting_group(caller)
    notice = await _seen(session, notice_id=notice_id, caller=caller)
    await _check_takes_part(session, notice=notice, group_id=group_id)
    if notice.result is None:
        raise NotClosed(f"The notice is {notice.status}; it closes on {notice.closes_at.isoformat()}.")
    return ResultView.model_validate(notice.result)


@router.get(
    "/{notice_id}/history",
    summary="A notice's history",
    responses=refusals(NotTheGroup, NoticeNotFound, NotTakingPart),
)
async def read_history(notice_id: UUID, caller: Buyer, session: ReadSession) -> HistoryView:
    """Every step with who took it, never how much anybody wants, and whether the hash chain holds. For those who take
    part."""
    group_id = acting_group(caller)
    notice = await _seen(session, notice_id=notice_id, caller=caller)
    await _check_takes_part(session, notice=notice, group_id=group_id)
    entries = await queries.history(session, notice=notice)
    fault = fault_in(notice, entries)
    shown = [HistoryEntry(seq=each.seq, entry=each.entry, hash=bytes(each.hash).hex()) for each in entries]
    return HistoryView(intact=fault is None, fault=fault, entries=shown)
