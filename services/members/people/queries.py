"""Reading people and memberships.

Memberships are scoped twice: by the company named in the query and by row level security. What reaches over
companies (`…_anywhere`) belongs to sign-in and works in a system session only.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.members.companies.rules import DATA_STAYS_FETCHABLE, CompanyStatus
from services.members.companies.tables import Company
from services.members.people.rules import MembershipStatus
from services.members.people.tables import Credential, Invitation, Membership, Person
from shared.identity import Role


async def person_by_email_anywhere(session: AsyncSession, *, email: str) -> Person | None:
    """The person with this normalised e-mail address."""
    return (await session.scalars(select(Person).where(col(Person.email) == email))).one_or_none()


async def person_anywhere(session: AsyncSession, *, person_id: UUID) -> Person | None:
    """The person of this id; in an app session only one with a membership in scope."""
    return (await session.scalars(select(Person).where(col(Person.id) == person_id))).one_or_none()


async def person_for_update(session: AsyncSession, *, person_id: UUID) -> Person | None:
    """The person, the row locked: one change of a person's memberships at a time."""
    found = await session.scalars(select(Person).where(col(Person.id) == person_id).with_for_update())
    return found.one_or_none()


async def credential(session: AsyncSession, *, person_id: UUID) -> Credential | None:
    """The person's password."""
    found = await session.scalars(select(Credential).where(col(Credential.person_id) == person_id))
    return found.one_or_none()


async def overlapping_membership(
    session: AsyncSession, *, company_id: UUID, person_id: UUID, valid_from: datetime, valid_until: datetime | None
) -> Membership | None:
    """A membership of the person in the company that shares a moment with the period."""
    query = select(Membership).where(
        col(Membership.company_id) == company_id,
        col(Membership.person_id) == person_id,
        col(Membership.valid_until).is_(None) | (col(Membership.valid_until) > valid_from),
    )
    if valid_until is not None:
        query = query.where(col(Membership.valid_from) < valid_until)
    return (await session.scalars(query.limit(1))).one_or_none()


async def open_membership_for_update(
    session: AsyncSession, *, company_id: UUID, person_id: UUID, at: datetime
) -> Membership | None:
    """The person's membership in the company that is not over, the row locked; the nearest when there are more."""
    found = await session.scalars(
        select(Membership)
        .where(
            col(Membership.company_id) == company_id,
            col(Membership.person_id) == person_id,
            col(Membership.valid_until).is_(None) | (col(Membership.valid_until) > at),
        )
        .order_by(col(Membership.valid_from))
        .limit(1)
        .with_for_update()
    )
    return found.one_or_none()


async def memberships_page(
    session: AsyncSession, *, company_id: UUID, limit: int, after: UUID | None, open_at: datetime | None
) -> list[tuple[Membership, Person]]:
    """The company's memberships with their people, oldest first, one more than `limit`."""
    query = (
        select(Membership, Person)
        .join(Person, col(Person.id) == col(Membership.person_id))
        .where(col(Membership.company_id) == company_id)
        .order_by(col(Membership.id))
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(col(Membership.id) > after)
    if open_at is not None:
        query = query.where(col(Membership.valid_until).is_(None) | (col(Membership.valid_until) > open_at))
    return [(membership, person) for membership, person in await session.execute(query)]


async def standing_memberships_anywhere(
    session: AsyncSession, *, person_id: UUID, at: datetime
) -> list[tuple[Membership, Company]]:
    """Where the person may act at `at`: accepted, begun, not over, in companies that take part; oldest first.

    A company that left is there for its admins as long as its data may be fetched.
    """
    rows = await session.execute(
        select(Membership, Company)
        .join(Company, col(Company.id) == col(Membership.company_id))
        .where(
            col(Membership.person_id) == person_id,
            col(Membership.status) == MembershipStatus.ACTIVE,
            col(Membership.valid_from) <= at,
            col(Membership.valid_until).is_(None) | (col(Membership.valid_until) > at),
            (col(Company.status) == CompanyStatus.ACTIVE)
            | (
                (col(Company.status) == CompanyStatus.LEFT)
                & (col(Company.left_at) > at - DATA_STAYS_FETCHABLE)
                & col(Membership.roles).contains([Role.ADMIN.value])
            ),
        )
        .order_by(col(Membership.created_at), col(Membership.id))
    )
    return [(membership, company) for membership, company in rows]


async def invitation_anywhere(session: AsyncSession, *, token_hash: bytes) -> Invitation | None:
    """The invitation this token opens, the row locked."""
    found = await session.scalars(select(Invitation).where(col(Invitation.token_hash) == token_hash).with_for_update())
    return found.one_or_none()


async def membership_anywhere(session: AsyncSession, *, company_id: UUID, membership_id: UUID) -> Membership | None:
    """One membership by id, the row locked."""
    found = await session.scalars(
        select(Membership)
        .where(col(Membership.company_id) == company_id, col(Membership.id) == membership_id)
        .with_for_update()
    )
    return found.one_or_none()
