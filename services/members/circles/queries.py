"""Reading circles. Each query names whom it reads for; row level security asks a circle's `party_ids` again."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.members.circles.rules import CircleStatus, StandingStatus, independent
from services.members.circles.tables import Circle, CircleHistory, CircleStanding
from services.members.companies.queries import chain_above
from services.members.companies.rules import CompanyStatus, top_of_chain
from services.members.companies.tables import Company
from shared.clock import business_date


async def circle_of_party(session: AsyncSession, *, circle_id: UUID, group_id: UUID) -> Circle | None:
    """A circle the group is a member of or invited to."""
    found = await session.scalars(
        select(Circle).where(col(Circle.id) == circle_id, col(Circle.party_ids).contains([group_id]))
    )
    return found.one_or_none()


async def circle_of_party_for_update(session: AsyncSession, *, circle_id: UUID, group_id: UUID) -> Circle | None:
    """The same, its row locked: whatever changes a circle or relies on who stands in it locks it first."""
    found = await session.scalars(
        select(Circle)
        .where(col(Circle.id) == circle_id, col(Circle.party_ids).contains([group_id]))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found.one_or_none()


async def circles_page(session: AsyncSession, *, group_id: UUID, limit: int, after: UUID | None) -> Sequence[Circle]:
    """The circles a group is a member of or invited to, oldest first, one more than `limit`."""
    query = select(Circle).where(col(Circle.party_ids).contains([group_id])).order_by(col(Circle.id)).limit(limit + 1)
    if after is not None:
        query = query.where(col(Circle.id) > after)
    return (await session.scalars(query)).all()


async def standings(session: AsyncSession, *, circle_id: UUID) -> Sequence[CircleStanding]:
    """Every standing of a circle, also ended ones, in the order of their invitations."""
    found = await session.scalars(
        select(CircleStanding)
        .where(col(CircleStanding.circle_id) == circle_id)
        .order_by(col(CircleStanding.invited_at), col(CircleStanding.id))
        .execution_options(populate_existing=True)
    )
    return found.all()


async def members(session: AsyncSession, *, circle_id: UUID) -> Sequence[CircleStanding]:
    """The groups that stand in a circle now, by id."""
    found = await session.scalars(
        select(CircleStanding)
        .where(col(CircleStanding.circle_id) == circle_id, col(CircleStanding.status) == StandingStatus.ACTIVE)
        .order_by(col(CircleStanding.group_id))
        .execution_options(populate_existing=True)
    )
    return found.all()


async def history(session: AsyncSession, *, circle_id: UUID) -> Sequence[CircleHistory]:
    """The entries of a circle's history, first to last."""
    found = await session.scalars(
        select(CircleHistory).where(col(CircleHistory.circle_id) == circle_id).order_by(col(CircleHistory.seq))
    )
    return found.all()


async def tops_of(session: AsyncSession, *, company_ids: Sequence[UUID], at: datetime) -> dict[UUID, UUID]:
    """The company at the top of each one's chain that day."""
    links = await chain_above(session, company_ids=company_ids)
    return {company_id: top_of_chain(company_id, links, on=business_date(at)) for company_id in company_ids}


async def independent_members(session: AsyncSession, *, circle_id: UUID, at: datetime) -> int:
    """How many members that take part are not under common control today."""
    standing = [member.group_id for member in await members(session, circle_id=circle_id)]
    found = await session.scalars(
        select(Company.id).where(col(Company.id).in_(standing), col(Company.status) == CompanyStatus.ACTIVE)
    )
    return independent(await tops_of(session, company_ids=found.all(), at=at))


_CIRCLES_OF = text(
    """
    WITH RECURSIVE upward AS (
        SELECT CAST(:company_id AS uuid) AS company_id, 0 AS height
        UNION
        SELECT l.parent_id, u.height + 1 FROM upward u JOIN company_links l ON l.child_id = u.company_id
        WHERE l.valid_from <= :day AND (l.valid_until IS NULL OR :day < l.valid_until) AND u.height < 12
    )
    SELECT DISTINCT s.circle_id
    FROM upward u
    JOIN circle_standings s ON s.group_id = u.company_id AND s.status = :standing
    JOIN circles c ON c.id = s.circle_id AND c.status = :status
    ORDER BY s.circle_id
    """
)


async def circle_ids_anywhere(session: AsyncSession, *, company_id: UUID, at: datetime) -> frozenset[UUID]:
    """The circles in which a company, or one above it, stands now.

    A standing belongs to the company that joined and to all below it. So when a member group is bought, its own
    people stay in the circle and the buyer's do not come in with them.
    """
    values = {
        "company_id": company_id,
        "day": business_date(at),
        "standing": StandingStatus.ACTIVE,
        "status": CircleStatus.ACTIVE,
    }
    return frozenset(await session.scalars(_CIRCLES_OF, values))
