"""Who works with code mappings, and for which company."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from sqlalchemy.ext.asyncio import AsyncSession

from shared.database import scope_to
from shared.errors import Conflict
from shared.identity import BUYER_ROLES, Principal, Requires, Role, Scope, same_company

MappingReader = Annotated[Principal, Depends(Requires(roles=[*BUYER_ROLES, Role.OPERATOR]))]
MappingEditor = Annotated[Principal, Depends(Requires(roles=[Role.BUYER, Role.ADMIN, Role.OPERATOR]))]
"""Uploads, gives up."""
MappingReviewer = Annotated[Principal, Depends(Requires(roles=[Role.BUYER, Role.APPROVER, Role.ADMIN, Role.OPERATOR]))]
"""Decides, approves, takes back; that it is not the importer is a rule of its own."""
MappingUser = Annotated[Principal, Depends(Requires(scopes=[Scope.VARIANTS_RESOLVE]))]
"""A service whose documents use mappings."""

ForCompany = Annotated[
    UUID | None, Query(alias="company_id", description="Whose codes; an operator names the company, others need not.")
]


class CompanyMissing(Conflict):
    """An operator says for which company: `?company_id=`."""


def company_of(caller: Principal, company_id: UUID | None) -> UUID:
    """The company a caller works for.

    Raises:
        CompanyMissing: an operator named none.
        NotYours: another company was named.
    """
    if Role.OPERATOR in caller.roles:
        if company_id is None:
            raise CompanyMissing("Say for which company: ?company_id=…")
        return company_id
    if company_id is not None:
        same_company(caller, company_id, what="This import")
    return caller.company


async def scoped(session: AsyncSession, caller: Principal, company_id: UUID | None) -> UUID:
    """The company a caller works for, whose rows this transaction sees from here on. Raises as `company_of`."""
    company = company_of(caller, company_id)
    await scope_to(session, caller.scope_id, company)
    return company
