"""Taking companies in for other services: suppliers that two people of a contractor brought from a legacy platform."""

from services.members.companies import actions, queries
from services.members.companies.actions import CompanyAlreadyRegistered, CompanyMalformed, TaxIdInput, TaxIdRefused
from services.members.companies.rules import CompanyKind, TaxScheme, normalise_tax_value
from shared.contracts.members import CompanyIdentity, SupplierCompanyGiven
from shared.database import WriteSession, scope_to
from shared.errors import refusals
from shared.http import Now
from shared.http import router as house_router
from shared.identity import CompanyRegistrar
from shared.ids import new_id

router = house_router("/members/supplier-companies", tag="companies")
_COUNTRY = "CN"


@router.post(
    "",
    summary="Take a supplier company in",
    responses=refusals(TaxIdRefused, CompanyMalformed, CompanyAlreadyRegistered),
)
async def take_in(
    body: SupplierCompanyGiven, caller: CompanyRegistrar, session: WriteSession, now: Now
) -> CompanyIdentity:
    """The company of that USCC as it is known, whatever its kinds; a new one is registered as supplier.

    A company that is known is not changed: its kinds and names are the operator's to change.
    """
    known = await queries.company_by_tax_id(
        session, country=_COUNTRY, scheme=TaxScheme.USCC, value=normalise_tax_value(body.tax_id)
    )
    if known is not None:
        return CompanyIdentity.model_validate(known)
    company_id = new_id()
    await scope_to(session, caller.scope_id, company_id)
    company = await actions.register_company(
        session,
        company_id=company_id,
        tax_id=TaxIdInput(scheme=TaxScheme.USCC, country=_COUNTRY, value=body.tax_id),
        name_zh=body.name_zh,
        name_en=None,
        kinds=[CompanyKind.SUPPLIER, *([CompanyKind.BRANCH] if body.branch else [])],
        at=now,
    )
    return CompanyIdentity.model_validate(company)
