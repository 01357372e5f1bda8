"""Asking to leave, thinking better of it, and leaving."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.members.companies import queries as company_queries
from services.members.companies.rules import CompanyStatus
from services.members.companies.tables import Company
from services.members.leaving import queries, rules
from services.members.leaving.tables import Leaving
from shared.clock import business_date
from shared.contracts.members import COMPANY_LEFT, CompanyChanged, CompanyLeft, MembershipChanged
from shared.contracts.orders import OpenOrders
from shared.errors import Conflict, FieldError, NotFound
from shared.feed import event_type, publish
from shared.identity import Principal
from shared.ids import new_id


class LeavingBlocked(Conflict):
    """Something is still open; `errors` names every reason. Finish it, then ask again."""


class AlreadyLeaving(Conflict):
    """The company has asked to leave already; confirm it, or withdraw it."""


class NotTakingPart(Conflict):
    """Only an active company leaves."""


class NotLeaving(NotFound):
    """The company has not asked to leave."""


class SecondPersonNeeded(Conflict):
    """Another admin confirms at once; who asked may confirm alone when the notice period is over."""


async def ask_to_leave(
    session: AsyncSession, *, company_id: UUID, reason: str, open_orders: OpenOrders, caller: Principal, at: datetime
) -> Leaving:
    """Put the wish on record, when nothing is open.

    Raises:
        NotTakingPart, AlreadyLeaving, LeavingBlocked: see the classes.
    """
    await _active(session, company_id=company_id)
    if await queries.asked_for_update(session, company_id=company_id) is not None:
        raise AlreadyLeaving("The company has asked to leave already.")
    await _check_open(session, company_id=company_id, open_orders=open_orders, at=at)
    leaving = Leaving(
        company_id=company_id,
        id=new_id(),
        reason=reason,
        asked_by=caller.subject,
        asked_at=at,
        notice_until=at + rules.NOTICE,
    )
    session.add(leaving)
    await session.flush()
    return leaving


async def withdraw(session: AsyncSession, *, company_id: UUID, caller: Principal, at: datetime) -> Leaving:
    """Stay after all.

    Raises:
        NotLeaving: see the class.
    """
    leaving = await queries.asked_for_update(session, company_id=company_id)
    if leaving is None:
        raise NotLeaving("The company has not asked to leave.")
    leaving.state, leaving.ended_by, leaving.ended_at = "WITHDRAWN", caller.subject, at
    await session.flush()
    return leaving


async def confirm(
    session: AsyncSession, *, company_id: UUID, open_orders: OpenOrders, caller: Principal, at: datetime
) -> Leaving:
    """Leave: no new business from here on. What was traded is kept; its admins may fetch it for a while.

    Needs a system session: sessions belong to people, not to the company.

    Raises:
        NotLeaving, NotTakingPart, SecondPersonNeeded, LeavingBlocked: see the classes.
    """
    company = await _active(session, company_id=company_id)
    leaving = await queries.asked_for_update(session, company_id=company_id)
    if leaving is None:
        raise NotLeaving("The company has not asked to leave.")
    if not rules.may_confirm(
        asked_by=leaving.asked_by, confirmed_by=caller.subject, notice_until=leaving.notice_until, at=at
    ):
        raise SecondPersonNeeded(f"Another admin confirms, or you from {leaving.notice_until.isoformat()} on.")
    await _check_open(session, company_id=company_id, open_orders=open_orders, at=at)
    leaving.state, leaving.ended_by, leaving.ended_at = "EFFECTIVE", caller.subject, at
    company.status, company.left_at = CompanyStatus.LEFT, at
    company.version += 1
    company.updated_at = at
    await session.flush()
    await _end_access(session, company_id=company_id, at=at)
    await _tell(session, company=company, at=at)
    return leaving


async def _active(session: AsyncSession, *, company_id: UUID) -> Company:
    company = await company_queries.company_for_update(session, company_id=company_id)
    if company is None or company.status != CompanyStatus.ACTIVE:
        raise NotTakingPart("Only an active company leaves.")
    return company


async def _check_open(session: AsyncSession, *, company_id: UUID, open_orders: OpenOrders, at: datetime) -> None:
    here = await queries.open_here(session, company_id=company_id, on=business_date(at))
    found = rules.blocks(
        rules.Open(
            orders_as_buyer=open_orders.as_buyer,
            orders_as_supplier=open_orders.as_supplier,
            circles=here.circles,
            stage_changes=here.stage_changes,
            open_categories=here.open_categories,
            companies_below=here.companies_below,
        )
    )
    if found:
        errors = [FieldError(field=block.field, rule=block.rule, message=block.message) for block in found]
        raise LeavingBlocked(f"{found[0].message} ({len(found)} reasons in all)", errors=errors)


async def _end_access(session: AsyncSession, *, company_id: UUID, at: datetime) -> None:
    """Sessions end, keys are revoked, people's roles are over; admins keep that one role, to fetch the data."""
    values = {"company_id": company_id, "at": at}
    ended = await session.execute(
        text(
            "UPDATE memberships SET version = version + 1, "
            "roles = CASE WHEN 'admin' = ANY (roles) THEN ARRAY['admin'] ELSE roles END, "
            "valid_until = CASE WHEN 'admin' = ANY (roles) THEN valid_until ELSE greatest(:at, valid_from) END "
            "WHERE company_id = :company_id AND (valid_until IS NULL OR valid_until > :at) "
            "RETURNING person_id, roles, status, valid_from, valid_until"
        ),
        values,
    )
    for row in ended.all():
        await publish(
            session,
            type=event_type("members", "membership.changed"),
            subject=str(row.person_id),
            company_id=company_id,
            at=at,
            data=MembershipChanged(
                company_id=company_id,
                person_id=row.person_id,
                roles=row.roles,
                status=row.status,
                valid_from=row.valid_from,
                valid_until=row.valid_until,
            ),
        )
    for statement in (
        "DELETE FROM invitations WHERE company_id = :company_id",
        """
        UPDATE sessions SET revoked_at = :at, revoked_why = 'company left'
        WHERE company_id = :company_id AND revoked_at IS NULL""",
        "UPDATE api_clients SET revoked_at = :at WHERE company_id = :company_id AND revoked_at IS NULL",
    ):
        parameters = values if ":at" in statement else {"company_id": company_id}
        await session.execute(text(statement), parameters)


async def _tell(session: AsyncSession, *, company: Company, at: datetime) -> None:
    changed = CompanyChanged(
        company_id=company.id,
        kinds=company.kinds,
        size_class=company.size_class,
        size_declared_on=company.size_declared_on,
        status=company.status,
    )
    for kind, data in (
        (event_type("members", "company.changed"), changed),
        (COMPANY_LEFT, CompanyLeft(company_id=company.id, left_at=at)),
    ):
        await publish(session, type=kind, subject=str(company.id), company_id=company.id, at=at, data=data)
