"""Work on people that no caller asks for: the first operator."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.members.companies import queries as company_queries
from services.members.companies.actions import TaxIdInput, register_company
from services.members.companies.rules import CompanyKind, TaxScheme
from services.members.companies.tables import Company
from services.members.companies.tax_ids import checked_tax_value
from services.members.people import actions, queries
from services.members.people.passwords import Passwords
from services.members.people.rules import normalise_email
from shared.database import Sessions, transaction
from shared.identity import Role
from shared.ids import new_id


@dataclass(frozen=True, kw_only=True)
class OperatorMade:
    """The operator company and its first person."""

    company_id: UUID
    person_id: UUID
    created: bool


async def bootstrap_operator(
    sessions: Sessions,
    *,
    tax_value: str,
    company_name_zh: str,
    company_name_en: str | None,
    email: str,
    person_name: str,
    password: str,
    at: datetime,
) -> OperatorMade:
    """Make the operator company (by USCC) and its first operator, as far as they are absent.

    `sessions` are the worker's (`Database.system`). Repeating it changes nothing; a password that the person
    has set since stays.

    Raises:
        TaxIdRefused, PasswordRefused: the configuration is wrong.
    """
    address = normalise_email(email)
    actions.check_password(password, email=address, field="password")
    password_hash = await Passwords(at_once=1).hash(password)
    async with transaction(sessions) as session:
        value, _ = checked_tax_value(scheme=TaxScheme.USCC, country="CN", value=tax_value)
        company: Company | None = await company_queries.company_by_tax_id(
            session, country="CN", scheme=TaxScheme.USCC, value=value
        )
        if company is None:
            company = await register_company(
                session,
                company_id=new_id(),
                tax_id=TaxIdInput(scheme=TaxScheme.USCC, country="CN", value=tax_value),
                name_zh=company_name_zh,
                name_en=company_name_en,
                kinds=[CompanyKind.OPERATOR],
                at=at,
            )
        person = await queries.person_by_email_anywhere(session, email=address)
        known = None
        if person is not None:
            known = await queries.overlapping_membership(
                session, company_id=company.id, person_id=person.id, valid_from=at, valid_until=None
            )
        if person is not None and known is not None:
            return OperatorMade(company_id=company.id, person_id=person.id, created=False)
        invited = await actions.add_person(
            session,
            company=company,
            caller=None,
            email=address,
            name=person_name,
            roles=[Role.OPERATOR, Role.ADMIN],
            valid_from=None,
            valid_until=None,
            verified=True,
            invitation_valid_for=timedelta(days=1),
            at=at,
        )
        if await queries.credential(session, person_id=invited.person.id) is None:
            await actions.set_password(session, person_id=invited.person.id, password_hash=password_hash, at=at)
        return OperatorMade(company_id=company.id, person_id=invited.person.id, created=True)
