"""Founding a circle, inviting, agreeing, entering, leaving, removing, dissolving."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.members.circles import queries, rules
from services.members.circles.rules import CircleStatus, StandingStatus
from services.members.circles.tables import Circle, CircleHistory, CircleStanding
from services.members.companies import queries as company_queries
from services.members.companies.tables import Company
from services.members.histories import extend
from shared.clock import business_date
from shared.contracts.members import CircleChanged
from shared.database import scope_to
from shared.errors import Conflict, FieldError, Forbidden, NotFound, Unprocessable
from shared.feed import event_type, publish
from shared.identity import Principal, same_company
from shared.ids import new_id


class NotAContractorGroup(Conflict):
    """Only the company at the top of a contractor group acts for the group."""


class CircleNotFound(NotFound):
    """There is no such circle, or the group is neither a member of it nor invited."""


class NotAMemberOfTheCircle(Conflict):
    """The group is not a member of the circle: only invited, or no longer."""


class CircleIsDissolved(Conflict):
    """The circle is dissolved; found a new one."""


class NoSuchGroup(Unprocessable):
    """`group_id` names no contractor group that takes part."""


class AlreadyInTheCircle(Conflict):
    """The group is a member of the circle already, or invited."""


class NoInvitation(Conflict):
    """The group has no open invitation to this circle."""


class ConsentsMissing(Conflict):
    """Not every member has agreed to the newcomer yet; `missing` names those that have not."""


class SamePersonOnBothSides(Forbidden):
    """Who invited or agreed for a member cannot accept for the newcomer: two companies need two persons."""


class OnlyTheLead(Forbidden):
    """Only the group that leads the circle removes a member or dissolves it."""


class LastMember(Conflict):
    """The last member does not leave; dissolve the circle."""


class LeadRemovesItself(Conflict):
    """The lead does not remove itself; it leaves."""


async def acting_group(session: AsyncSession, *, caller: Principal, company_id: UUID, at: datetime) -> Company:
    """The contractor group the caller's company stands for.

    Raises:
        NotYours: a stranger asks.
        NotAContractorGroup: the company is no contractor, stands under another, or takes no part.
    """
    same_company(caller, company_id, what="The company")
    company = await company_queries.company(session, company_id=company_id)
    if company is None or not await is_a_group(session, company=company, at=at):
        raise NotAContractorGroup("Only the company at the top of a contractor group acts for the group.")
    return company


async def own_company(session: AsyncSession, *, caller: Principal, company_id: UUID) -> Company:
    """The caller's company, also when it has come to stand under another: going out must stay possible.

    Raises:
        NotYours, NotAContractorGroup: see `acting_group`.
    """
    same_company(caller, company_id, what="The company")
    company = await company_queries.company(session, company_id=company_id)
    if company is None:
        raise NotAContractorGroup("Your company is not known here.")
    return company


async def is_a_group(session: AsyncSession, *, company: Company, at: datetime) -> bool:
    """Whether the company takes part and speaks for a contractor group today."""
    top_id = await company_queries.group_of(session, company_id=company.id, on=business_date(at))
    return company.takes_part and rules.stands_for_a_group(company_id=company.id, top_id=top_id, kinds=company.kinds)


async def found_circle(
    session: AsyncSession, *, group: Company, name: str, purpose: str, caller: Principal, at: datetime
) -> Circle:
    """A new circle with one member, who leads it."""
    circle = Circle(id=new_id(), name=name, purpose=purpose, lead_id=group.id, party_ids=[group.id], created_at=at)
    link = extend(circle, what="founded", caller=caller, detail={"name": name, "group_id": str(group.id)}, at=at)
    session.add(circle)
    await session.flush()
    session.add(CircleHistory(circle_id=circle.id, seq=link.seq, entry=link.entry, hash=link.hash))
    session.add(
        CircleStanding(
            group_id=group.id,
            id=new_id(),
            circle_id=circle.id,
            status=StandingStatus.ACTIVE,
            invited_at=at,
            invited_by=group.id,
            answered_by=caller.subject,
            valid_from=at,
        )
    )
    await session.flush()
    await _publish(session, circle=circle, what="founded", group_id=group.id, at=at)
    return circle


async def invite(
    session: AsyncSession, *, circle_id: UUID, group: Company, group_id: UUID, caller: Principal, at: datetime
) -> CircleStanding:
    """A member proposes another group; it enters once every member has agreed and the group accepts.

    Raises:
        CircleNotFound, CircleIsDissolved, NotAMemberOfTheCircle, NoSuchGroup, AlreadyInTheCircle: see the classes.
    """
    circle = await _led_by_members(session, circle_id=circle_id, group_id=group.id)
    invited = await company_queries.company(session, company_id=group_id)
    if invited is None or not await is_a_group(session, company=invited, at=at):
        message = "group_id names no contractor group that takes part."
        raise NoSuchGroup(message, errors=[FieldError(field="group_id", rule="ContractorGroup", message=message)])
    if group_id in circle.party_ids:
        raise AlreadyInTheCircle(f"{invited.name} is a member of the circle already, or invited.")
    standing = CircleStanding(
        group_id=group_id,
        id=new_id(),
        circle_id=circle.id,
        status=StandingStatus.INVITED,
        invited_at=at,
        invited_by=group.id,
        agreed_ids=[group.id],
        agreed_people=[caller.subject],
    )
    session.add(standing)
    circle.party_ids = sorted([*circle.party_ids, group_id])
    await _record(session, circle=circle, what="invited", group_id=group_id, caller=caller, at=at)
    return standing


async def agree(
    session: AsyncSession, *, circle_id: UUID, group: Company, group_id: UUID, caller: Principal, at: datetime
) -> CircleStanding:
    """A member agrees to a newcomer; agreeing again changes nothing.

    Raises:
        CircleNotFound, CircleIsDissolved, NotAMemberOfTheCircle, NoInvitation: see the classes.
    """
    circle = await _led_by_members(session, circle_id=circle_id, group_id=group.id)
    standing = await _invitation(session, circle=circle, group_id=group_id)
    if group.id not in standing.agreed_ids:
        standing.agreed_ids = sorted([*standing.agreed_ids, group.id])
        standing.agreed_people = sorted({*standing.agreed_people, caller.subject})
        await _record(session, circle=circle, what="agreed", group_id=group_id, caller=caller, at=at)
    return standing


async def accept(
    session: AsyncSession, *, circle_id: UUID, group: Company, caller: Principal, at: datetime
) -> CircleStanding:
    """The invited group enters; from its people's next tokens on they see what is open to the circle.

    Raises:
        CircleNotFound, CircleIsDissolved, NoInvitation, ConsentsMissing, SamePersonOnBothSides: see the classes.
    """
    circle = await _locked(session, circle_id=circle_id, group_id=group.id)
    standing = await _invitation(session, circle=circle, group_id=group.id)
    if caller.subject in standing.agreed_people:
        raise SamePersonOnBothSides("You invited or agreed for a member; another person accepts for this group.")
    members = [member.group_id for member in await queries.members(session, circle_id=circle.id)]
    missing = rules.consents_missing(members=members, agreed=standing.agreed_ids)
    if missing:
        raise ConsentsMissing(
            f"{len(missing)} of {len(members)} members have not agreed yet.", missing=[str(each) for each in missing]
        )
    _move(standing, StandingStatus.ACTIVE)
    standing.answered_by = caller.subject
    standing.valid_from = at
    await _record(session, circle=circle, what="joined", group_id=group.id, caller=caller, at=at)
    return standing


async def end_invitation(
    session: AsyncSession, *, circle_id: UUID, group: Company, group_id: UUID, caller: Principal, at: datetime
) -> CircleStanding:
    """The invited group declines, or a member takes the invitation back.

    Raises:
        CircleNotFound, CircleIsDissolved, NotAMemberOfTheCircle, NoInvitation: see the classes.
    """
    declines = group.id == group_id
    if declines:
        circle = await _locked(session, circle_id=circle_id, group_id=group.id)
    else:
        circle = await _led_by_members(session, circle_id=circle_id, group_id=group.id)
    standing = await _invitation(session, circle=circle, group_id=group_id)
    _end(standing, StandingStatus.DECLINED if declines else StandingStatus.WITHDRAWN, caller=caller, at=at)
    await _out(session, circle=circle, standing=standing, at=at)
    what = "declined" if declines else "withdrawn"
    await _record(session, circle=circle, what=what, group_id=group_id, caller=caller, at=at)
    return standing


async def leave(
    session: AsyncSession, *, circle_id: UUID, group: Company, reason: str | None, caller: Principal, at: datetime
) -> CircleStanding:
    """The group leaves at once. Its own objects must be narrowed in the same transaction (`stages`).

    Raises:
        CircleNotFound, CircleIsDissolved, NotAMemberOfTheCircle, LastMember: see the classes.
    """
    circle = await _led_by_members(session, circle_id=circle_id, group_id=group.id)
    members = await queries.members(session, circle_id=circle.id)
    if len(members) == 1:
        raise LastMember("You are the circle's last member; dissolve it instead.")
    [standing] = [member for member in members if member.group_id == group.id]
    _end(standing, StandingStatus.LEFT, caller=caller, at=at, reason=reason)
    await _out(session, circle=circle, standing=standing, at=at)
    await _record(session, circle=circle, what="left", group_id=group.id, caller=caller, at=at, reason=reason)
    return standing


async def remove(
    session: AsyncSession,
    *,
    circle_id: UUID,
    group: Company,
    group_id: UUID,
    reason: str,
    caller: Principal,
    at: datetime,
) -> CircleStanding:
    """The lead removes a member, with a reason the member can read.

    Raises:
        CircleNotFound, CircleIsDissolved, NotAMemberOfTheCircle, OnlyTheLead, LeadRemovesItself: see the classes.
    """
    circle = await _led_by_members(session, circle_id=circle_id, group_id=group.id)
    _check_lead(circle, group)
    if group_id == group.id:
        raise LeadRemovesItself("The lead does not remove itself; it leaves.")
    members = {member.group_id: member for member in await queries.members(session, circle_id=circle.id)}
    if group_id not in members:
        raise NotAMemberOfTheCircle("The group to remove is not a member of the circle.")
    standing = members[group_id]
    _end(standing, StandingStatus.REMOVED, caller=caller, at=at, reason=reason)
    await _out(session, circle=circle, standing=standing, at=at)
    await _record(session, circle=circle, what="removed", group_id=group_id, caller=caller, at=at, reason=reason)
    return standing


async def dissolve(
    session: AsyncSession, *, circle_id: UUID, group: Company, reason: str, caller: Principal, at: datetime
) -> tuple[Circle, list[UUID]]:
    """End the circle for all; which groups were members.

    Raises:
        CircleNotFound, CircleIsDissolved, NotAMemberOfTheCircle, OnlyTheLead: see the classes.
    """
    circle = await _led_by_members(session, circle_id=circle_id, group_id=group.id)
    _check_lead(circle, group)
    were_members = []
    for standing in await queries.standings(session, circle_id=circle.id):
        if standing.status == StandingStatus.ACTIVE:
            were_members.append(standing.group_id)
            _end(standing, StandingStatus.DISSOLVED, caller=caller, at=at, reason=reason)
        elif standing.status == StandingStatus.INVITED:
            _end(standing, StandingStatus.WITHDRAWN, caller=caller, at=at, reason=reason)
    circle.status = CircleStatus.DISSOLVED
    circle.dissolved_at = at
    circle.dissolved_reason = reason
    circle.party_ids = sorted(were_members)
    await _record(session, circle=circle, what="dissolved", group_id=group.id, caller=caller, at=at, reason=reason)
    return circle, were_members


async def _locked(session: AsyncSession, *, circle_id: UUID, group_id: UUID) -> Circle:
    """The circle, locked, for one of its parties; from here on the session works in the scope of all of them."""
    circle = await queries.circle_of_party_for_update(session, circle_id=circle_id, group_id=group_id)
    if circle is None:
        raise CircleNotFound("There is no such circle, or you are neither a member of it nor invited.")
    if circle.status != CircleStatus.ACTIVE:
        raise CircleIsDissolved("The circle is dissolved; found a new one.")
    await scope_to(session, *{group_id, *circle.party_ids})
    return circle


async def _led_by_members(session: AsyncSession, *, circle_id: UUID, group_id: UUID) -> Circle:
    circle = await _locked(session, circle_id=circle_id, group_id=group_id)
    members = await queries.members(session, circle_id=circle.id)
    if group_id not in {member.group_id for member in members}:
        raise NotAMemberOfTheCircle("You are invited to the circle, not a member of it.")
    return circle


async def _invitation(session: AsyncSession, *, circle: Circle, group_id: UUID) -> CircleStanding:
    for standing in await queries.standings(session, circle_id=circle.id):
        if standing.group_id == group_id and standing.status == StandingStatus.INVITED:
            return standing
    raise NoInvitation("The group has no open invitation to this circle.")


def _check_lead(circle: Circle, group: Company) -> None:
    if circle.lead_id != group.id:
        raise OnlyTheLead("Only the group that leads the circle does this.")


def _move(standing: CircleStanding, new: StandingStatus) -> None:
    assert rules.may_move(old=StandingStatus(standing.status), new=new)  # noqa: S101 - chosen by status above
    standing.status = new


def _end(
    standing: CircleStanding, new: StandingStatus, *, caller: Principal, at: datetime, reason: str | None = None
) -> None:
    _move(standing, new)
    standing.ended_at = at
    standing.ended_by = caller.subject
    standing.end_reason = reason
    if standing.valid_from is not None:
        standing.valid_until = max(at, standing.valid_from)


async def _out(session: AsyncSession, *, circle: Circle, standing: CircleStanding, at: datetime) -> None:
    """Take a group out of the circle's parties, and pass on the lead if it had it."""
    await session.flush()
    staying = await queries.members(session, circle_id=circle.id)
    if circle.lead_id == standing.group_id:
        circle.lead_id = rules.next_lead([(member.group_id, member.valid_from or at) for member in staying])
    circle.party_ids = sorted(set(circle.party_ids) - {standing.group_id})


async def _record(
    session: AsyncSession,
    *,
    circle: Circle,
    what: str,
    group_id: UUID,
    caller: Principal,
    at: datetime,
    reason: str | None = None,
) -> None:
    """Write what happened into the history and the feed."""
    detail: Mapping[str, Any] = {"group_id": str(group_id), "lead_id": str(circle.lead_id), "reason": reason}
    link = extend(circle, what=what, caller=caller, detail=detail, at=at)
    circle.version += 1
    session.add(CircleHistory(circle_id=circle.id, seq=link.seq, entry=link.entry, hash=link.hash))
    await session.flush()
    await _publish(session, circle=circle, what=what, group_id=group_id, at=at)


async def _publish(session: AsyncSession, *, circle: Circle, what: str, group_id: UUID, at: datetime) -> None:
    members = await queries.members(session, circle_id=circle.id)
    await publish(
        session,
        type=event_type("members", "circle.changed"),
        subject=str(circle.id),
        company_id=group_id,
        at=at,
        data=CircleChanged(
            circle_id=circle.id,
            name=circle.name,
            status=circle.status,
            what=what,
            group_id=group_id,
            member_ids=[member.group_id for member in members],
        ),
    )
