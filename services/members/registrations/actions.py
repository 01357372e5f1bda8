"""Taking in a company that registers itself, and the person who does it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.members.companies.actions import CompanyAlreadyRegistered, TaxIdInput, register_company
from services.members.companies.rules import CompanyKind
from services.members.companies.tables import Company
from services.members.people import queries as people_queries
from services.members.people.actions import add_person, set_password
from services.members.people.rules import PersonStatus
from services.members.people.tables import Invitation
from shared.errors import Conflict, FieldError
from shared.identity import Role
from shared.ids import new_id

FIRST_ROLES = [Role.ADMIN, Role.SUPPLIER_SALES]
"""Of the person who registers a company: it gives others, and itself, what else they need."""
_AT_ONCE = timedelta(minutes=1)
"""The password comes with the registration, so the token is never handed over and goes in the same transaction."""


class CompanyTakesPart(Conflict):
    """A company with this tax id takes part already: it joins by its own admin, who signs in and invites or applies."""


class AccountChanged(Conflict):
    """The account of this e-mail address changed at this moment; register again."""


class AccountNotReady(Conflict):
    """The account of this e-mail address was invited and not opened, or was closed: accept the invitation first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """The account of an e-mail address: whether there is one, and the password it has."""

    known: bool
    password_hash: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Registered:
    """A company and the person who registered it."""

    company: Company
    person_id: UUID


async def account_of(session: AsyncSession, *, email: str) -> Account:
    """What is known of an address. In a system session: sign-in reaches over companies."""
    person = await people_queries.person_by_email_anywhere(session, email=email)
    if person is None:
        return Account(known=False, password_hash=None)
    credential = await people_queries.credential(session, person_id=person.id)
    usable = credential is not None and person.status == PersonStatus.ACTIVE
    return Account(known=True, password_hash=credential.password_hash if credential is not None and usable else None)


def check_ready(account: Account) -> None:
    """An account that was invited elsewhere is not opened here: its invitation would then need a stranger's password.

    Raises:
        AccountNotReady.
    """
    if account.known and account.password_hash is None:
        raise AccountNotReady("This address has an invitation that waits, or is closed; accept that invitation first.")


async def register(
    session: AsyncSession,
    *,
    tax_id: TaxIdInput,
    name_zh: str | None,
    name_en: str | None,
    person_name: str,
    email: str,
    new_password_hash: str | None,
    at: datetime,
) -> Registered:
    """Take a supplier in with its first admin, both or neither.

    It may sign in and apply; it sells nothing before its identity is verified and it is qualified at `suppliers`.
    `new_password_hash` None: the person has shown the password the account has.

    Raises:
        TaxIdRefused, CompanyMalformed, CompanyTakesPart, AccountChanged.
    """
    try:
        company = await register_company(
            session,
            company_id=new_id(),
            tax_id=tax_id,
            name_zh=name_zh,
            name_en=name_en,
            kinds=[CompanyKind.SUPPLIER],
            at=at,
        )
    except CompanyAlreadyRegistered as known:
        message = "A company with this tax id takes part already; one of its people signs in, or its admin invites you."
        error = FieldError(field="tax_id.value", rule="Unique", message=message)
        raise CompanyTakesPart(message, errors=[error]) from known
    invited = await add_person(
        session,
        company=company,
        caller=None,
        email=email,
        name=person_name,
        roles=FIRST_ROLES,
        valid_from=None,
        valid_until=None,
        verified=True,
        invitation_valid_for=_AT_ONCE,
        at=at,
    )
    account = await account_of(session, email=email)
    if (account.password_hash is None) != (new_password_hash is not None):
        raise AccountChanged("The account of this address changed at this moment; register again.")
    if new_password_hash is not None:
        await set_password(session, person_id=invited.person.id, password_hash=new_password_hash, at=at)
        await session.execute(delete(Invitation).where(col(Invitation.membership_id) == invited.membership.id))
    return Registered(company=company, person_id=invited.person.id)
