"""HTTP of circles. A group's own admin decides; the operator may read."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.members.circles import actions, queries
from services.members.circles.actions import (
    AlreadyInTheCircle,
    CircleIsDissolved,
    CircleNotFound,
    ConsentsMissing,
    LastMember,
    LeadRemovesItself,
    NoInvitation,
    NoSuchGroup,
    NotAContractorGroup,
    NotAMemberOfTheCircle,
    OnlyTheLead,
    SamePersonOnBothSides,
    acting_group,
    own_company,
)
from services.members.circles.rules import StandingStatus
from services.members.circles.schemas import (
    CircleFounded,
    CircleRecord,
    CircleView,
    GroupInvited,
    HistoryView,
    Leaving,
    ReasonGiven,
    StandingView,
)
from services.members.circles.tables import Circle, CircleStanding
from services.members.companies.actions import CompanyNotFound, administered
from services.members.dependencies import AfterId
from services.members.histories import fault_in
from services.members.stages.effects import narrow_those_outside
from shared.database import ReadSession, WriteSession
from shared.errors import refusals
from shared.http import Now
from shared.http import router as house_router
from shared.identity import CompanyAdmin, NotYours, OwnAdmin
from shared.paging import CursorInvalid, PageQuery

router = house_router("/members/companies/{company_id}/circles", tag="circles")

_MEMBER_REFUSALS = (NotYours, NotAContractorGroup, CircleNotFound, CircleIsDissolved, NotAMemberOfTheCircle)


async def _record(session: AsyncSession, circle: Circle, *, seen_by: UUID, now: Now) -> CircleRecord:
    """What a party may read: a member everything, an invited group who is in the circle or invited to it."""
    standings = await queries.standings(session, circle_id=circle.id)
    if _only_invited(standings, seen_by):
        standings = [each for each in standings if each.is_open]
    return CircleRecord(
        **CircleView.model_validate(circle).model_dump(),
        standings=[StandingView.model_validate(each) for each in standings],
        independent_groups=await queries.independent_members(session, circle_id=circle.id, at=now),
    )


def _only_invited(standings: Sequence[CircleStanding], group_id: UUID) -> bool:
    """Whether the group's last standing is an open invitation."""
    own = [each.status for each in standings if each.group_id == group_id]
    return bool(own) and own[-1] == StandingStatus.INVITED


@router.post("", status_code=201, summary="Found a circle", responses=refusals(NotYours, NotAContractorGroup))
async def found_circle(
    *, company_id: UUID, body: CircleFounded, caller: OwnAdmin, session: WriteSession, now: Now, response: Response
) -> CircleRecord:
    """The admin of the company at the top of a contractor group founds a federation and leads it. Others come in by
    invitation. What is open to the circle is seen by the people of its members from their next access token on,
    within ten minutes; those who leave stop seeing it as fast."""
    group = await acting_group(session, caller=caller, company_id=company_id, at=now)
    circle = await actions.found_circle(
        session, group=group, name=body.name, purpose=body.purpose, caller=caller, at=now
    )
    response.headers["Location"] = f"/members/companies/{company_id}/circles/{circle.id}"
    return await _record(session, circle, seen_by=company_id, now=now)


@router.get("", summary="A group's circles", responses=refusals(NotYours, CompanyNotFound, CursorInvalid))
async def list_circles(
    *,
    company_id: UUID,
    caller: CompanyAdmin,
    session: ReadSession,
    paging: PageQuery,
    after: AfterId,
    response: Response,
) -> list[CircleView]:
    """The circles the group is a member of or invited to, oldest first. Circles are not listed to others."""
    await administered(session, caller=caller, company_id=company_id)
    found = await queries.circles_page(session, group_id=company_id, limit=paging.limit, after=after)
    shown = paging.page(found, response, key=lambda circle: [circle.id])
    return [CircleView.model_validate(circle) for circle in shown]


@router.get("/{circle_id}", summary="A circle", responses=refusals(NotYours, CompanyNotFound, CircleNotFound))
async def read_circle(
    company_id: UUID, circle_id: UUID, caller: CompanyAdmin, session: ReadSession, now: Now
) -> CircleRecord:
    """Who stands in the circle since when, who stood there, who is invited and who has agreed to it. A group that is
    only invited sees who is in it now, not who left and why."""
    await administered(session, caller=caller, company_id=company_id)
    circle = await _seen(session, circle_id=circle_id, group_id=company_id)
    return await _record(session, circle, seen_by=company_id, now=now)


async def _seen(session: AsyncSession, *, circle_id: UUID, group_id: UUID) -> Circle:
    circle = await queries.circle_of_party(session, circle_id=circle_id, group_id=group_id)
    if circle is None:
        raise CircleNotFound("There is no such circle, or the group is neither a member of it nor invited.")
    return circle


@router.get(
    "/{circle_id}/history",
    summary="A circle's history",
    responses=refusals(NotYours, CompanyNotFound, CircleNotFound, NotAMemberOfTheCircle),
)
async def read_history(company_id: UUID, circle_id: UUID, caller: CompanyAdmin, session: ReadSession) -> HistoryView:
    """Every step with who took it, and whether the hash chain over them holds."""
    await administered(session, caller=caller, company_id=company_id)
    circle = await _seen(session, circle_id=circle_id, group_id=company_id)
    if _only_invited(await queries.standings(session, circle_id=circle_id), company_id):
        raise NotAMemberOfTheCircle("The history is read by members; this group is only invited.")
    entries = await queries.history(session, circle_id=circle_id)
    fault = fault_in(circle, entries)
    return HistoryView(
        entries=[{**each.entry, "hash": bytes(each.hash).hex()} for each in entries], intact=fault is None, fault=fault
    )


@router.post(
    "/{circle_id}/invitations",
    status_code=201,
    summary="Invite a group",
    responses=refusals(*_MEMBER_REFUSALS, NoSuchGroup, AlreadyInTheCircle),
)
async def invite(
    *, company_id: UUID, circle_id: UUID, body: GroupInvited, caller: OwnAdmin, session: WriteSession, now: Now
) -> StandingView:
    """Any member proposes a group, which counts as the member's agreement. The other members agree by
    `…/invitations/{group_id}/agreement`: a newcomer sees what all of them share."""
    group = await acting_group(session, caller=caller, company_id=company_id, at=now)
    standing = await actions.invite(
        session, circle_id=circle_id, group=group, group_id=body.group_id, caller=caller, at=now
    )
    return StandingView.model_validate(standing)


@router.post(
    "/{circle_id}/invitations/{group_id}/agreement",
    summary="Agree to a newcomer",
    responses=refusals(*_MEMBER_REFUSALS, NoInvitation),
)
async def agree(
    *, company_id: UUID, circle_id: UUID, group_id: UUID, caller: OwnAdmin, session: WriteSession, now: Now
) -> StandingView:
    """Every member that stands in the circle when the newcomer accepts must have agreed."""
    group = await acting_group(session, caller=caller, company_id=company_id, at=now)
    standing = await actions.agree(session, circle_id=circle_id, group=group, group_id=group_id, caller=caller, at=now)
    return StandingView.model_validate(standing)


@router.post(
    "/{circle_id}/acceptance",
    summary="Enter a circle",
    responses=refusals(
        NotYours,
        NotAContractorGroup,
        CircleNotFound,
        CircleIsDissolved,
        NoInvitation,
        ConsentsMissing,
        SamePersonOnBothSides,
    ),
)
async def accept(
    *, company_id: UUID, circle_id: UUID, caller: OwnAdmin, session: WriteSession, now: Now
) -> StandingView:
    """The invited group's own admin accepts; nobody who invited or agreed for a member can. Tokens issued from now on
    carry the circle."""
    group = await acting_group(session, caller=caller, company_id=company_id, at=now)
    return StandingView.model_validate(
        await actions.accept(session, circle_id=circle_id, group=group, caller=caller, at=now)
    )


@router.delete(
    "/{circle_id}/invitations/{group_id}",
    summary="Decline an invitation, or take it back",
    responses=refusals(*_MEMBER_REFUSALS, NoInvitation),
)
async def end_invitation(
    *, company_id: UUID, circle_id: UUID, group_id: UUID, caller: OwnAdmin, session: WriteSession, now: Now
) -> StandingView:
    """The invited group itself declines; any member takes the invitation back."""
    group = await own_company(session, caller=caller, company_id=company_id)
    standing = await actions.end_invitation(
        session, circle_id=circle_id, group=group, group_id=group_id, caller=caller, at=now
    )
    return StandingView.model_validate(standing)


@router.post("/{circle_id}/leaving", summary="Leave a circle", responses=refusals(*_MEMBER_REFUSALS, LastMember))
async def leave(
    *, company_id: UUID, circle_id: UUID, body: Leaving, caller: OwnAdmin, session: WriteSession, now: Now
) -> StandingView:
    """At once. Categories the group had opened to this circle are enterprise-private again in the same moment."""
    group = await own_company(session, caller=caller, company_id=company_id)
    standing = await actions.leave(session, circle_id=circle_id, group=group, reason=body.reason, caller=caller, at=now)
    await narrow_those_outside(session, circle_id=circle_id, group_ids=[company_id], caller=caller, at=now)
    return StandingView.model_validate(standing)


@router.post(
    "/{circle_id}/members/{group_id}/removal",
    summary="Remove a member",
    responses=refusals(*_MEMBER_REFUSALS, OnlyTheLead, LeadRemovesItself),
)
async def remove(
    *,
    company_id: UUID,
    circle_id: UUID,
    group_id: UUID,
    body: ReasonGiven,
    caller: OwnAdmin,
    session: WriteSession,
    now: Now,
) -> StandingView:
    """By the lead, with a reason. What the removed group had opened to this circle is enterprise-private again."""
    group = await acting_group(session, caller=caller, company_id=company_id, at=now)
    standing = await actions.remove(
        session, circle_id=circle_id, group=group, group_id=group_id, reason=body.reason, caller=caller, at=now
    )
    await narrow_those_outside(session, circle_id=circle_id, group_ids=[group_id], caller=caller, at=now)
    return StandingView.model_validate(standing)


@router.post(
    "/{circle_id}/dissolution", summary="Dissolve a circle", responses=refusals(*_MEMBER_REFUSALS, OnlyTheLead)
)
async def dissolve(
    *, company_id: UUID, circle_id: UUID, body: ReasonGiven, caller: OwnAdmin, session: WriteSession, now: Now
) -> CircleRecord:
    """By the lead, for all. What members had opened to the circle is enterprise-private again; the history stays."""
    group = await acting_group(session, caller=caller, company_id=company_id, at=now)
    circle, were_members = await actions.dissolve(
        session, circle_id=circle_id, group=group, reason=body.reason, caller=caller, at=now
    )
    await narrow_those_outside(session, circle_id=circle_id, group_ids=were_members, caller=caller, at=now)
    return await _record(session, circle, seen_by=company_id, now=now)
