"""Registering and changing companies, and putting them under one another."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.members.companies import queries, rules
from services.members.companies.rules import CompanyKind, CompanyStatus, Fault, Link, LinkKind, SizeClass, TaxScheme
from services.members.companies.tables import Company, CompanyLink, CompanyName
from services.members.companies.tax_ids import checked_tax_value
from shared.contracts.members import CompanyChanged, CompanyLinked, CompanyRegistered, CompanyRenamed
from shared.database import scope_to
from shared.errors import Conflict, FieldError, NotFound, Unprocessable
from shared.feed import event_type, publish
from shared.http import check_version
from shared.identity import Principal, Role, same_company
from shared.ids import new_id


class CompanyNotFound(NotFound):
    """No company has this id."""


class TaxIdRefused(Unprocessable):
    """The tax id cannot exist: `errors` names the field and the rule it breaks."""


class CompanyMalformed(Unprocessable):
    """The company's kinds, names or size do not fit together; `errors` names the field and the rule."""


class CompanyAlreadyRegistered(Conflict):
    """A company with this tax id takes part already; `company_id` is its id."""


class StatusMoveRefused(Conflict):
    """A company's status does not move that way; CLOSED is final."""


class NoSuchParent(Unprocessable):
    """`parent_id` names no company."""


class PeriodReversed(Unprocessable):
    """A period ends on or after the day it begins."""


class NotABranch(Conflict):
    """Only a company of kind `branch` stands under another as its branch."""


class AlreadyUnderParent(Conflict):
    """The company stands under a parent on some of these days; end that link first."""


class LinkClosesCycle(Conflict):
    """With this link a company would stand above itself."""


class LinkNotFound(NotFound):
    """The company has no such link to a parent."""


class LinkAlreadyEnded(Conflict):
    """The link has its last day already."""


@dataclass(frozen=True, kw_only=True)
class TaxIdInput:
    """A tax id as somebody wrote it."""

    scheme: TaxScheme
    country: str
    value: str


def _errors(*faults: Fault) -> list[FieldError]:
    return [FieldError(field=fault.field, rule=fault.rule, message=fault.message) for fault in faults]


async def administered(session: AsyncSession, *, caller: Principal, company_id: UUID) -> Company:
    """The company, for its own admin or the operator; from here on the session works in its scope too.

    Raises:
        NotYours: a stranger asks.
        CompanyNotFound: the operator asks for one that is not there.
    """
    if Role.OPERATOR not in caller.roles:
        same_company(caller, company_id, what="The company")
    company = await queries.company(session, company_id=company_id)
    if company is None:
        raise CompanyNotFound(f"No company has the id {company_id}.")
    await scope_to(session, caller.scope_id, company_id)
    return company


async def register_company(
    session: AsyncSession,
    *,
    company_id: UUID,
    tax_id: TaxIdInput,
    name_zh: str | None,
    name_en: str | None,
    kinds: list[CompanyKind],
    size_class: SizeClass | None = None,
    size_declared_on: date | None = None,
    at: datetime,
) -> Company:
    """Take a company in; its tax id may be registered once, also when two do it at the same moment.

    Raises:
        TaxIdRefused, CompanyMalformed, CompanyAlreadyRegistered: see the classes.
    """
    value, fault = checked_tax_value(scheme=tax_id.scheme, country=tax_id.country, value=tax_id.value)
    if fault is not None:
        raise TaxIdRefused(fault.message, errors=_errors(fault))
    _check_form(
        kinds=kinds,
        name_zh=name_zh,
        name_en=name_en,
        size_class=size_class,
        size_declared_on=size_declared_on,
    )
    company = Company(
        id=company_id,
        tax_country=tax_id.country,
        tax_scheme=tax_id.scheme,
        tax_value=value,
        name_zh=name_zh,
        name_en=name_en,
        kinds=_stored(kinds),
        size_class=size_class,
        size_declared_on=size_declared_on,
        status=CompanyStatus.ACTIVE,
        created_at=at,
        updated_at=at,
    )
    inserted = await session.scalar(
        insert(Company)
        .values(**company.model_dump())
        .on_conflict_do_nothing(index_elements=["tax_country", "tax_scheme", "tax_value"])
        .returning(Company.id)  # type: ignore[call-overload]
    )
    if inserted is None:
        known = await queries.company_by_tax_id(session, country=tax_id.country, scheme=tax_id.scheme, value=value)
        raise CompanyAlreadyRegistered(
            f"A company with the tax id {value} is registered already.",
            errors=[FieldError(field="tax_id.value", rule="Unique", message="Registered already.")],
            company_id=str(known.id) if known else None,
        )
    await publish(
        session,
        type=event_type("members", "company.registered"),
        subject=str(company_id),
        company_id=company_id,
        at=at,
        data=CompanyRegistered(
            company_id=company_id,
            name_zh=name_zh,
            name_en=name_en,
            tax_id=company.tax_id,
            kinds=company.kinds,
            status=company.status,
        ),
    )
    return company


def _stored(kinds: list[CompanyKind]) -> list[str]:
    return sorted({kind.value for kind in kinds})


def _check_form(
    *,
    kinds: list[CompanyKind],
    name_zh: str | None,
    name_en: str | None,
    size_class: SizeClass | None,
    size_declared_on: date | None,
) -> None:
    faults = [fault for fault in [rules.kinds_fault(kinds)] if fault is not None]
    if name_zh is None and name_en is None:
        faults.append(Fault(field="name_zh", rule="Required", message="Give a Chinese or an English name."))
    if (size_class is None) != (size_declared_on is None):
        message = "A size class goes with the day it was declared, and the reverse."
        faults.append(Fault(field="size_declared_on", rule="SizeHasDate", message=message))
    if faults:
        raise CompanyMalformed(faults[0].message, errors=_errors(*faults))


async def change_company(
    session: AsyncSession,
    *,
    company_id: UUID,
    expected_version: int,
    name_zh: str | None = None,
    name_en: str | None = None,
    kinds: list[CompanyKind] | None = None,
    status: CompanyStatus | None = None,
    at: datetime,
) -> Company:
    """Change what is given; a former name is kept for old documents.

    Raises:
        CompanyNotFound, VersionChanged, StatusMoveRefused, CompanyMalformed: see the classes.
    """
    company = await _for_change(session, company_id=company_id, expected_version=expected_version)
    former = (company.name_zh, company.name_en)
    if status is not None and not rules.may_move(old=CompanyStatus(company.status), new=status):
        raise StatusMoveRefused(f"A company that is {company.status} does not become {status}.")
    if kinds is not None:
        fault = rules.kinds_fault(kinds)
        if fault is not None:
            raise CompanyMalformed(fault.message, errors=_errors(fault))
    before = (company.kinds, company.status)
    company.name_zh = name_zh or company.name_zh
    company.name_en = name_en or company.name_en
    company.kinds = company.kinds if kinds is None else _stored(kinds)
    company.status = status or company.status
    company.version += 1
    company.updated_at = at
    if former != (company.name_zh, company.name_en):
        await _renamed(session, company=company, former_name_zh=former[0], former_name_en=former[1], at=at)
    if before != (company.kinds, company.status):
        await _changed(session, company=company, at=at)
    await session.flush()
    return company


async def declare_size(
    session: AsyncSession,
    *,
    company_id: UUID,
    expected_version: int,
    size_class: SizeClass,
    size_declared_on: date,
    at: datetime,
) -> Company:
    """Record the size class the company declares.

    Raises:
        CompanyNotFound, VersionChanged: see the classes.
    """
    company = await _for_change(session, company_id=company_id, expected_version=expected_version)
    company.size_class = size_class
    company.size_declared_on = size_declared_on
    company.version += 1
    company.updated_at = at
    await _changed(session, company=company, at=at)
    await session.flush()
    return company


async def _for_change(session: AsyncSession, *, company_id: UUID, expected_version: int) -> Company:
    company = await queries.company_for_update(session, company_id=company_id)
    if company is None:
        raise CompanyNotFound(f"No company has the id {company_id}.")
    check_version(expected=expected_version, actual=company.version)
    return company


async def _renamed(
    session: AsyncSession,
    *,
    company: Company,
    former_name_zh: str | None,
    former_name_en: str | None,
    at: datetime,
) -> None:
    session.add(CompanyName(company_id=company.id, replaced_at=at, name_zh=former_name_zh, name_en=former_name_en))
    await publish(
        session,
        type=event_type("members", "company.renamed"),
        subject=str(company.id),
        company_id=company.id,
        at=at,
        data=CompanyRenamed(
            company_id=company.id,
            name_zh=company.name_zh,
            name_en=company.name_en,
            former_name_zh=former_name_zh,
            former_name_en=former_name_en,
        ),
    )


async def _changed(session: AsyncSession, *, company: Company, at: datetime) -> None:
    await publish(
        session,
        type=event_type("members", "company.changed"),
        subject=str(company.id),
        company_id=company.id,
        at=at,
        data=CompanyChanged(
            company_id=company.id,
            kinds=company.kinds,
            size_class=company.size_class,
            size_declared_on=company.size_declared_on,
            status=company.status,
        ),
    )


async def link_company(
    session: AsyncSession,
    *,
    child: Company,
    parent_id: UUID,
    kind: LinkKind,
    valid_from: date,
    valid_until: date | None,
    at: datetime,
) -> CompanyLink:
    """Put a company under a parent from a day on.

    Raises:
        PeriodReversed, NoSuchParent, NotABranch, AlreadyUnderParent, LinkClosesCycle: see the classes.
    """
    _check_period(valid_from=valid_from, valid_until=valid_until)
    await queries.lock_links(session)
    if await queries.company(session, company_id=parent_id) is None:
        message = f"No company has the id {parent_id}."
        raise NoSuchParent(message, errors=[FieldError(field="parent_id", rule="Exists", message=message)])
    if kind is LinkKind.BRANCH and CompanyKind.BRANCH not in child.kinds:
        raise NotABranch(f"{child.name} is not of kind branch; link it as part of a group.")
    new = Link(child=child.id, parent=parent_id, valid_from=valid_from, valid_until=valid_until)
    present = await queries.links_under(session, child_id=child.id)
    if any(rules.share_a_day(new, link.as_rule) for link in present):
        raise AlreadyUnderParent(f"{child.name} stands under a parent on some of these days; end that link first.")
    above = await queries.chain_above(session, company_ids=[parent_id])
    if rules.closes_cycle(new, above):
        raise LinkClosesCycle(f"{child.name} would stand above itself.")
    link = CompanyLink(
        child_id=child.id,
        id=new_id(),
        parent_id=parent_id,
        kind=kind,
        valid_from=valid_from,
        valid_until=valid_until,
        created_at=at,
    )
    session.add(link)
    await _linked(session, link=link, at=at)
    await session.flush()
    return link


async def end_link(
    session: AsyncSession, *, child_id: UUID, link_id: UUID, valid_until: date, at: datetime
) -> CompanyLink:
    """Give a link its last day.

    Raises:
        LinkNotFound, LinkAlreadyEnded, PeriodReversed: see the classes.
    """
    await queries.lock_links(session)
    link = await queries.link_for_update(session, child_id=child_id, link_id=link_id)
    if link is None:
        raise LinkNotFound("The company has no such link to a parent.")
    if link.valid_until is not None:
        raise LinkAlreadyEnded(f"The link ended on {link.valid_until}.")
    _check_period(valid_from=link.valid_from, valid_until=valid_until)
    link.valid_until = valid_until
    await _linked(session, link=link, at=at)
    await session.flush()
    return link


def _check_period(*, valid_from: date, valid_until: date | None) -> None:
    if valid_until is not None and valid_until < valid_from:
        message = f"The period begins on {valid_from} and cannot end before, on {valid_until}."
        raise PeriodReversed(message, errors=[FieldError(field="valid_until", rule="Order", message=message)])


async def _linked(session: AsyncSession, *, link: CompanyLink, at: datetime) -> None:
    await publish(
        session,
        type=event_type("members", "company.linked"),
        subject=str(link.child_id),
        company_id=link.child_id,
        at=at,
        data=CompanyLinked(
            link_id=link.id,
            child_id=link.child_id,
            parent_id=link.parent_id,
            kind=link.kind,
            valid_from=link.valid_from,
            valid_until=link.valid_until,
        ),
    )
