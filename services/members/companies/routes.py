"""HTTP of companies and their links."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.members.companies import actions, neutrality, queries
from services.members.companies.actions import (
    AlreadyUnderParent,
    CompanyAlreadyRegistered,
    CompanyMalformed,
    CompanyNotFound,
    LinkAlreadyEnded,
    LinkClosesCycle,
    LinkNotFound,
    NoSuchParent,
    NotABranch,
    PeriodReversed,
    StatusMoveRefused,
    TaxIdInput,
    TaxIdRefused,
)
from services.members.companies.neutrality import OperatorsDoNotTrade
from services.members.companies.rules import CompanyKind, CompanyStatus, normalise_tax_value
from services.members.companies.schemas import (
    CompanyChange,
    CompanyRecord,
    CompanyRegistration,
    FormerName,
    LinkEnd,
    LinkGiven,
    LinkView,
    SizeDeclaration,
)
from services.members.companies.tables import Company
from services.members.dependencies import AfterId
from shared.clock import business_date
from shared.contracts.fields import Name
from shared.contracts.members import CompanyIdentity
from shared.database import ReadSession, SystemSession, WriteSession, scope_to
from shared.errors import refusals
from shared.http import ExpectedVersion, Now, VersionChanged, VersionNeeded, etag
from shared.http import router as house_router
from shared.identity import Caller, CompanyAdmin, NotYours, Operator, Role
from shared.ids import new_id
from shared.paging import CursorInvalid, PageQuery

router = house_router("/members/companies", tag="companies")


async def _identity(session: AsyncSession, company: Company) -> CompanyIdentity:
    affiliated = await neutrality.is_affiliated(session, company_id=company.id)
    return CompanyIdentity.model_validate(company).model_copy(update={"affiliated_with_operator": affiliated})


async def _record(session: AsyncSession, company: Company, *, now: Now) -> CompanyRecord:
    identity = await _identity(session, company)
    return CompanyRecord(
        **identity.model_dump(),
        group_id=await queries.group_of(session, company_id=company.id, on=business_date(now)),
        size_class=company.size_class,
        size_declared_on=company.size_declared_on,
        former_names=[
            FormerName.model_validate(former) for former in await queries.former_names(session, company_id=company.id)
        ],
        version=company.version,
        created_at=company.created_at,
        updated_at=company.updated_at,
    )


@router.post(
    "",
    status_code=201,
    summary="Register a company",
    responses=refusals(TaxIdRefused, CompanyMalformed, CompanyAlreadyRegistered, OperatorsDoNotTrade),
)
async def register_company(
    body: CompanyRegistration, caller: Operator, session: SystemSession, now: Now, response: Response
) -> CompanyRecord:
    """Takes a company in under its tax id (统一社会信用代码 for China), whose check digit must hold.

    A tax id is registered once; a second registration is refused and names the company that has it.
    """
    company_id = new_id()
    await neutrality.check_kinds(session, kinds=body.kinds)
    await scope_to(session, caller.scope_id, company_id)
    company = await actions.register_company(
        session,
        company_id=company_id,
        tax_id=TaxIdInput(scheme=body.tax_id.scheme, country=body.tax_id.country, value=body.tax_id.value),
        name_zh=body.name_zh,
        name_en=body.name_en,
        kinds=body.kinds,
        size_class=body.size_class,
        size_declared_on=body.size_declared_on,
        at=now,
    )
    response.headers["Location"] = f"/members/companies/{company.id}"
    response.headers["ETag"] = etag(company.version)
    return await _record(session, company, now=now)


@router.get("", summary="Companies", responses=refusals(CursorInvalid))
async def list_companies(
    *,
    _: Operator,
    session: ReadSession,
    paging: PageQuery,
    after: AfterId,
    response: Response,
    kind: CompanyKind | None = None,
    status: CompanyStatus | None = None,
    tax_id: Annotated[Name | None, Query(description="Exactly, in any spelling.")] = None,
    name: Annotated[Name | None, Query(description="Part of a name.")] = None,
) -> list[CompanyIdentity]:
    """Every company, oldest first, for the operator."""
    found = await queries.companies_page(
        session,
        limit=paging.limit,
        after=after,
        kind=kind,
        status=status,
        tax_value=normalise_tax_value(tax_id) if tax_id else None,
        name=name,
    )
    shown = paging.page(found, response, key=lambda company: [company.id])
    return [CompanyIdentity.model_validate(company) for company in shown]


@router.get("/identities", summary="Who companies are")
async def identities(
    _: Caller,
    session: ReadSession,
    id: Annotated[list[UUID], Query(max_length=100, description="At most 100.")] = [],  # noqa: A002, B006
    tax_id: Annotated[Name | None, Query(description="Exactly, in any spelling.")] = None,
) -> list[CompanyIdentity]:
    """The public identity (names, tax id, kinds, status) of the companies with these ids, or this tax id, for every
    signed-in caller. What nobody has is left out; without ids and tax id nothing is listed."""
    found = await queries.companies_known_as(
        session, ids=id, tax_value=normalise_tax_value(tax_id) if tax_id is not None else None
    )
    affiliated = await neutrality.affiliated_among(session, company_ids=[company.id for company in found])
    return [
        CompanyIdentity.model_validate(company).model_copy(
            update={"affiliated_with_operator": company.id in affiliated}
        )
        for company in found
    ]


@router.get("/{company_id}", summary="A company", responses=refusals(CompanyNotFound))
async def read_company(
    company_id: UUID, caller: Caller, session: ReadSession, now: Now, response: Response
) -> CompanyRecord | CompanyIdentity:
    """The public identity (names, tax id, kinds, status) for every signed-in caller and for services;
    the whole record, with its ETag, for the company itself and the operator."""
    company = await queries.company(session, company_id=company_id)
    if company is None:
        raise CompanyNotFound(f"No company has the id {company_id}.")
    if company_id != caller.company_id and Role.OPERATOR not in caller.roles:
        return await _identity(session, company)
    response.headers["ETag"] = etag(company.version)
    return await _record(session, company, now=now)


@router.patch(
    "/{company_id}",
    summary="Rename a company, change its kinds or status",
    responses=refusals(
        CompanyNotFound, VersionNeeded, VersionChanged, CompanyMalformed, StatusMoveRefused, OperatorsDoNotTrade
    ),
)
async def change_company(
    *,
    company_id: UUID,
    body: CompanyChange,
    caller: Operator,
    expected: ExpectedVersion,
    session: SystemSession,
    now: Now,
    response: Response,
) -> CompanyRecord:
    """Changes what is given. People and API clients of a company that is not ACTIVE cannot sign in."""
    await actions.administered(session, caller=caller, company_id=company_id)
    await neutrality.check_kinds(session, kinds=body.kinds or [])
    company = await actions.change_company(
        session,
        company_id=company_id,
        expected_version=expected,
        name_zh=body.name_zh,
        name_en=body.name_en,
        kinds=body.kinds,
        status=body.status,
        at=now,
    )
    response.headers["ETag"] = etag(company.version)
    return await _record(session, company, now=now)


@router.put(
    "/{company_id}/size",
    summary="Declare the size class",
    responses=refusals(NotYours, CompanyNotFound, VersionNeeded, VersionChanged),
)
async def declare_size(
    *,
    company_id: UUID,
    body: SizeDeclaration,
    caller: CompanyAdmin,
    expected: ExpectedVersion,
    session: WriteSession,
    now: Now,
    response: Response,
) -> CompanyRecord:
    """The company declares whether it is large, medium, small or micro, and since when."""
    await actions.administered(session, caller=caller, company_id=company_id)
    company = await actions.declare_size(
        session,
        company_id=company_id,
        expected_version=expected,
        size_class=body.size_class,
        size_declared_on=body.size_declared_on,
        at=now,
    )
    response.headers["ETag"] = etag(company.version)
    return await _record(session, company, now=now)


@router.post(
    "/{company_id}/links",
    status_code=201,
    summary="Put a company under a parent",
    responses=refusals(CompanyNotFound, NoSuchParent, PeriodReversed, NotABranch, AlreadyUnderParent, LinkClosesCycle),
)
async def link_company(
    company_id: UUID, body: LinkGiven, caller: Operator, session: WriteSession, now: Now
) -> LinkView:
    """From a day on the company is part of the parent's group, or its branch. On any day a company stands under
    at most one parent, and never above itself."""
    child = await actions.administered(session, caller=caller, company_id=company_id)
    link = await actions.link_company(
        session,
        child=child,
        parent_id=body.parent_id,
        kind=body.kind,
        valid_from=body.valid_from,
        valid_until=body.valid_until,
        at=now,
    )
    return LinkView.model_validate(link)


@router.get(
    "/{company_id}/links", summary="A company's parents and children", responses=refusals(NotYours, CompanyNotFound)
)
async def list_links(company_id: UUID, caller: CompanyAdmin, session: ReadSession) -> list[LinkView]:
    """Past, present and future links above and below the company, by their first day."""
    await actions.administered(session, caller=caller, company_id=company_id)
    return [LinkView.model_validate(link) for link in await queries.links_of(session, company_id=company_id)]


@router.post(
    "/{company_id}/links/{link_id}/end",
    summary="End a link",
    responses=refusals(CompanyNotFound, LinkNotFound, LinkAlreadyEnded, PeriodReversed),
)
async def end_link(
    *, company_id: UUID, link_id: UUID, body: LinkEnd, caller: Operator, session: WriteSession, now: Now
) -> LinkView:
    """Gives the link to a parent the first day on which it no longer stands."""
    await actions.administered(session, caller=caller, company_id=company_id)
    link = await actions.end_link(session, child_id=company_id, link_id=link_id, valid_until=body.valid_until, at=now)
    return LinkView.model_validate(link)
