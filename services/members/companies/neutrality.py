"""Operators do not trade (domain.md 3.5 T8): from the first space that is opened beyond S1, nobody gets both parts.

The operator's role reaches over the whole installation: every space is one it runs, so whether somebody may be given
both parts is asked of all spaces together. Before any is open a contractor's purchasing centre may run its own private
space, and what it holds already stays until somebody takes it: but a space opens to a circle (S2) only when nobody who
operates trades in it, for its own group or another of the circle, and to the market (S3) only when nobody does at all.
`members` shows how things stand, and the gates of what is open are judged again every day.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.members.companies.rules import CompanyKind, CompanyStatus, top_of_chain
from services.members.companies.tables import Company, CompanyLink, OperatorAffiliate
from shared.clock import business_date
from shared.contracts.members import COMPANY_AFFILIATED, CompanyAffiliated
from shared.errors import Conflict, FieldError
from shared.feed import publish

TRADING_KINDS = frozenset(
    {
        CompanyKind.CONTRACTOR_GROUP,
        CompanyKind.CONTRACTOR,
        CompanyKind.BRANCH,
        CompanyKind.SUPPLIER,
        CompanyKind.CARRIER,
    }
)
TRADING_ROLES = frozenset({"requester", "buyer", "approver", "finance", "supplier_sales", "supplier_finance"})


class OperatorsDoNotTrade(Conflict):
    """Since a space stands open beyond its contractor, no company and no person both operates and trades (T8)."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """What a person holds in one company."""

    roles: frozenset[str]
    kinds: frozenset[str]


def kinds_fault(kinds: Collection[str]) -> str | None:
    """Why a company cannot be all of these, as a sentence."""
    traded = sorted(TRADING_KINDS & set(kinds))
    if CompanyKind.OPERATOR in kinds and traded:
        return f"An operator does not trade: {', '.join(traded)}."
    return None


def roles_fault(granted: Held, *, elsewhere: Collection[Held]) -> str | None:
    """Why a person cannot have these roles in this company, beside what it holds in others, as a sentence."""
    trades = TRADING_ROLES & granted.roles
    operates = "operator" in granted.roles
    if operates and TRADING_KINDS & granted.kinds:
        return "The company trades; its people do not operate."
    if trades and CompanyKind.OPERATOR in granted.kinds:
        return "The company operates; its people do not trade."
    if trades and any(CompanyKind.OPERATOR in other.kinds for other in elsewhere):
        return "The person acts for an operator; it does not trade."
    if operates and any(TRADING_ROLES & other.roles for other in elsewhere):
        return "The person trades for another company; it does not operate."
    return None


_OPEN = text("SELECT EXISTS (SELECT FROM stages WHERE stage <> 'S1')")
_ELSEWHERE = text(
    """
    SELECT m.roles, c.kinds FROM memberships m JOIN companies c ON c.id = m.company_id
    WHERE m.person_id = :person_id AND m.company_id <> :company_id
      AND (m.valid_until IS NULL OR m.valid_until > :at)
    """
)


async def a_space_is_open_anywhere(session: AsyncSession) -> bool:
    """Whether any contractor group has opened any category; needs a system session."""
    return bool(await session.scalar(_OPEN))


async def check_kinds(session: AsyncSession, *, kinds: Collection[str]) -> None:
    """Raises OperatorsDoNotTrade; needs a system session."""
    fault = kinds_fault(kinds)
    if fault is not None and await a_space_is_open_anywhere(session):
        raise OperatorsDoNotTrade(fault, errors=[FieldError(field="kinds", rule="Neutrality", message=fault)])


async def check_roles(
    session: AsyncSession,
    *,
    person_id: UUID,
    company_id: UUID,
    kinds: Collection[str],
    roles: Collection[str],
    at: datetime,
) -> None:
    """Raises OperatorsDoNotTrade; needs a system session, for the person may act for several companies."""
    rows = await session.execute(_ELSEWHERE, {"person_id": person_id, "company_id": company_id, "at": at})
    elsewhere = [Held(roles=frozenset(row.roles), kinds=frozenset(row.kinds)) for row in rows]
    fault = roles_fault(Held(roles=frozenset(roles), kinds=frozenset(kinds)), elsewhere=elsewhere)
    if fault is not None and await a_space_is_open_anywhere(session):
        raise OperatorsDoNotTrade(fault, errors=[FieldError(field="roles", rule="Neutrality", message=fault)])


@dataclass(frozen=True, kw_only=True)
class Record:
    """How things stand: who operates, who of them trades, who belongs to an operator's group and trades."""

    open_spaces: int
    operators: list[tuple[Company, list[str]]]
    """Each active operator with the kinds in which it trades."""
    people_with_both: int
    affiliates: list[tuple[Company, UUID]]
    """Companies that trade under one top with an operator, and which."""

    @property
    def neutral(self) -> bool:
        """Whether nobody both operates and trades."""
        return self.people_with_both == 0 and not any(kinds for _, kinds in self.operators)


_BOTH = text(
    """
    SELECT count(*) FROM (
        SELECT person_id FROM memberships
        WHERE valid_until IS NULL OR valid_until > :at
        GROUP BY person_id
        HAVING bool_or('operator' = ANY (roles)) AND bool_or(roles && CAST(:trading AS text[]))
    ) AS held
    """
)
_OPENED = text("SELECT count(*) FROM stages WHERE stage <> 'S1'")


async def record_anywhere(session: AsyncSession, *, at: datetime) -> Record:
    """The neutrality record as of now; needs a system session, for it reaches over all companies."""
    active = (await session.scalars(select(Company).where(col(Company.status) == CompanyStatus.ACTIVE))).all()
    operators = [company for company in active if CompanyKind.OPERATOR in company.kinds]
    links = [link.as_rule for link in (await session.scalars(select(CompanyLink))).all()]
    on = business_date(at)
    above = {top_of_chain(company.id, links, on=on): company.id for company in operators}
    affiliates = []
    for company in active:
        operator = above.get(top_of_chain(company.id, links, on=on))
        if operator is not None and TRADING_KINDS & set(company.kinds):
            affiliates.append((company, operator))
    return Record(
        open_spaces=await session.scalar(_OPENED) or 0,
        operators=[(company, sorted(TRADING_KINDS & set(company.kinds))) for company in operators],
        people_with_both=await session.scalar(_BOTH, {"at": at, "trading": sorted(TRADING_ROLES)}) or 0,
        affiliates=affiliates,
    )


_WHERE_OPERATORS_TRADE = text(
    """
    SELECT id FROM companies
    WHERE status = 'ACTIVE' AND 'operator' = ANY (kinds) AND kinds && CAST(:kinds AS text[])
    UNION
    SELECT m.company_id FROM memberships m
    WHERE m.roles && CAST(:roles AS text[]) AND (m.valid_until IS NULL OR m.valid_until > :at) AND EXISTS (
        SELECT FROM memberships o
        WHERE o.person_id = m.person_id AND 'operator' = ANY (o.roles)
            AND (o.valid_until IS NULL OR o.valid_until > :at)
    )
    """
)


async def groups_where_operators_trade_anywhere(session: AsyncSession, *, at: datetime) -> list[UUID]:
    """The tops of the groups for which a company or a person trades that also operates; needs a system session."""
    companies = await session.scalars(
        _WHERE_OPERATORS_TRADE, {"kinds": sorted(TRADING_KINDS), "roles": sorted(TRADING_ROLES), "at": at}
    )
    links = [link.as_rule for link in (await session.scalars(select(CompanyLink))).all()]
    return sorted({top_of_chain(company_id, links, on=business_date(at)) for company_id in companies})


async def tell_affiliates(session: AsyncSession, *, at: datetime) -> int:
    """Compare who is affiliated today with what was told, and tell the differences; how many.

    Links begin and end by dates, so nobody's request marks the day: the worker looks every minute.
    """
    now = {company.id: operator for company, operator in (await record_anywhere(session, at=at)).affiliates}
    told = {each.company_id: each for each in await session.scalars(select(OperatorAffiliate))}
    changed = {
        company_id: now.get(company_id)
        for company_id in now.keys() | told.keys()
        if now.get(company_id) != (told[company_id].operator_id if company_id in told else None)
    }
    for company_id, operator_id in sorted(changed.items()):
        if company_id in told:
            await session.delete(told[company_id])
            await session.flush()
        if operator_id is not None:
            session.add(OperatorAffiliate(company_id=company_id, operator_id=operator_id, since=at))
        await publish(
            session,
            type=COMPANY_AFFILIATED,
            subject=str(company_id),
            company_id=company_id,
            at=at,
            data=CompanyAffiliated(company_id=company_id, operator_id=operator_id),
        )
    await session.flush()
    return len(changed)


async def is_affiliated(session: AsyncSession, *, company_id: UUID) -> bool:
    """Whether the company was last told to be affiliated with an operator."""
    return company_id in await affiliated_among(session, company_ids=[company_id])


async def affiliated_among(session: AsyncSession, *, company_ids: Collection[UUID]) -> frozenset[UUID]:
    """Those of the companies that were last told to be affiliated with an operator."""
    found = await session.scalars(
        select(col(OperatorAffiliate.company_id)).where(col(OperatorAffiliate.company_id).in_(company_ids))
    )
    return frozenset(found)
