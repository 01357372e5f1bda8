"""Reading companies and links. Companies are readable to every caller; what of them is shown is the route's matter."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, or_, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.members.companies.rules import CompanyKind, CompanyStatus, Link, TaxScheme, top_of_chain
from services.members.companies.tables import Company, CompanyLink, CompanyName

_UPWARD = text(
    """
    WITH RECURSIVE upward AS (
        SELECT child_id, parent_id, valid_from, valid_until, 1 AS height
        FROM company_links WHERE child_id = ANY (:company_ids)
        UNION
        SELECT l.child_id, l.parent_id, l.valid_from, l.valid_until, u.height + 1
        FROM company_links l JOIN upward u ON l.child_id = u.parent_id WHERE u.height < 12
    )
    SELECT DISTINCT child_id, parent_id, valid_from, valid_until FROM upward
    """
)


async def company(session: AsyncSession, *, company_id: UUID) -> Company | None:
    """Any company by id."""
    return (await session.scalars(select(Company).where(col(Company.id) == company_id))).one_or_none()


async def company_for_update(session: AsyncSession, *, company_id: UUID) -> Company | None:
    """Any company by id, its row locked."""
    found = await session.scalars(select(Company).where(col(Company.id) == company_id).with_for_update())
    return found.one_or_none()


async def company_by_tax_id(session: AsyncSession, *, country: str, scheme: TaxScheme, value: str) -> Company | None:
    """Any company by its tax id in the one spelling."""
    found = await session.scalars(
        select(Company).where(
            col(Company.tax_country) == country,
            col(Company.tax_scheme) == scheme,
            col(Company.tax_value) == value,
        )
    )
    return found.one_or_none()


async def companies_known_as(
    session: AsyncSession, *, ids: Collection[UUID], tax_value: str | None
) -> Sequence[Company]:
    """The companies with these ids or this tax id in the one spelling, oldest first."""
    known: list[ColumnElement[bool]] = [col(Company.id).in_(ids)]
    if tax_value is not None:
        known.append(col(Company.tax_value) == tax_value)
    return (await session.scalars(select(Company).where(or_(*known)).order_by(col(Company.id)))).all()


async def companies_page(
    session: AsyncSession,
    *,
    limit: int,
    after: UUID | None,
    kind: CompanyKind | None,
    status: CompanyStatus | None,
    tax_value: str | None,
    name: str | None,
) -> Sequence[Company]:
    """All companies that fit, oldest first, one row more than `limit`."""
    query = select(Company).order_by(col(Company.id)).limit(limit + 1)
    if after is not None:
        query = query.where(col(Company.id) > after)
    if kind is not None:
        query = query.where(col(Company.kinds).contains([kind.value]))
    if status is not None:
        query = query.where(col(Company.status) == status)
    if tax_value is not None:
        query = query.where(col(Company.tax_value) == tax_value)
    if name is not None:
        query = query.where(
            col(Company.name_zh).icontains(name, autoescape=True)
            | col(Company.name_en).icontains(name, autoescape=True)
        )
    return (await session.scalars(query)).all()


async def former_names(session: AsyncSession, *, company_id: UUID) -> Sequence[CompanyName]:
    """The names a company bore, the last one first."""
    found = await session.scalars(
        select(CompanyName)
        .where(col(CompanyName.company_id) == company_id)
        .order_by(col(CompanyName.replaced_at).desc())
    )
    return found.all()


async def links_of(session: AsyncSession, *, company_id: UUID) -> Sequence[CompanyLink]:
    """The links above and below one company, by date."""
    found = await session.scalars(
        select(CompanyLink)
        .where((col(CompanyLink.child_id) == company_id) | (col(CompanyLink.parent_id) == company_id))
        .order_by(col(CompanyLink.valid_from), col(CompanyLink.id))
    )
    return found.all()


async def links_under(session: AsyncSession, *, child_id: UUID) -> Sequence[CompanyLink]:
    """The links that put one company under another, at any time."""
    found = await session.scalars(select(CompanyLink).where(col(CompanyLink.child_id) == child_id))
    return found.all()


async def link_for_update(session: AsyncSession, *, child_id: UUID, link_id: UUID) -> CompanyLink | None:
    """One link of a company to a parent, its row locked."""
    found = await session.scalars(
        select(CompanyLink)
        .where(col(CompanyLink.child_id) == child_id, col(CompanyLink.id) == link_id)
        .with_for_update()
    )
    return found.one_or_none()


async def chain_above(session: AsyncSession, *, company_ids: Sequence[UUID]) -> list[Link]:
    """All links above these companies, at any time."""
    rows = await session.execute(_UPWARD, {"company_ids": list(company_ids)})
    return [
        Link(child=row.child_id, parent=row.parent_id, valid_from=row.valid_from, valid_until=row.valid_until)
        for row in rows
    ]


async def group_of(session: AsyncSession, *, company_id: UUID, on: date) -> UUID:
    """The company at the top of the chain that day."""
    return top_of_chain(company_id, await chain_above(session, company_ids=[company_id]), on=on)


_DOWNWARD = text(
    """
    WITH RECURSIVE downward AS (
        SELECT CAST(:group_id AS uuid) AS company_id, 0 AS depth
        UNION
        SELECT l.child_id, d.depth + 1
        FROM company_links l JOIN downward d ON l.parent_id = d.company_id
        WHERE l.valid_from <= :on AND (l.valid_until IS NULL OR l.valid_until > :on) AND d.depth < 12
    )
    SELECT DISTINCT company_id FROM downward ORDER BY company_id
    """
)


async def companies_of_group(session: AsyncSession, *, group_id: UUID, on: date) -> list[UUID]:
    """The company at the top of a group and all below it that day. Needs a system session."""
    return list(await session.scalars(_DOWNWARD, {"group_id": group_id, "on": on}))


async def lock_links(session: AsyncSession) -> None:
    """One change of links at a time: two that are harmless alone could close a cycle together."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('members.company_links', 0))"))
