"""Inviting people, giving and taking roles, passwords."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.members.companies import neutrality
from services.members.companies import queries as company_queries
from services.members.companies.tables import Company
from services.members.people import queries, rules
from services.members.people.rules import MembershipStatus, PersonStatus
from services.members.people.tables import Credential, Invitation, Membership, Person
from services.members.people.tokens import new_token, token_hash
from shared.contracts.members import MembershipChanged
from shared.errors import Conflict, FieldError, Forbidden, NotFound, Unprocessable
from shared.feed import event_type, publish
from shared.http import check_version
from shared.identity import Principal, Role
from shared.ids import new_id


class PersonNotFound(NotFound):
    """Nobody of this id acts for the company."""


class RolesNotOfThisCompany(Conflict):
    """A company of these kinds cannot give these roles; `errors` names them."""


class OperatorNeeded(Forbidden):
    """Only an operator makes another person an operator, or vouches for an account."""


class AlreadyMember(Conflict):
    """The person acts for the company already, or is invited to; change the roles instead."""


class MembershipPeriodReversed(Unprocessable):
    """A membership ends after it begins."""


class PasswordRefused(Unprocessable):
    """The new password is too short, too simple, or the e-mail address."""


class InvitationInvalid(NotFound):
    """The invitation is unknown, used, replaced or over; ask the company for a new one."""


class AlreadyAccepted(Conflict):
    """The person has accepted already; there is nothing to invite to."""


@dataclass(frozen=True, kw_only=True)
class Invited:
    """A new membership and the token to hand over, if the person needs one."""

    person: Person
    membership: Membership
    token: str | None


@dataclass(frozen=True, kw_only=True)
class OpenInvitation:
    """Whose invitation a token opens, and the password that must be shown if there is one."""

    person: Person
    password_hash: str | None


def check_roles(company: Company, *, roles: list[Role], caller: Principal | None) -> None:
    """Raises RolesNotOfThisCompany, OperatorNeeded. Without a caller it is the platform itself."""
    refused = sorted({role.value for role in roles} - rules.allowed_roles(company.kinds))
    if refused:
        message = f"{company.name} ({', '.join(company.kinds)}) cannot give: {', '.join(refused)}."
        raise RolesNotOfThisCompany(message, errors=[FieldError(field="roles", rule="RolesOfKind", message=message)])
    if Role.OPERATOR in roles and caller is not None and Role.OPERATOR not in caller.roles:
        raise OperatorNeeded("Only an operator makes another person an operator.")


def check_password(password: str, *, email: str, field: str) -> None:
    """Raises PasswordRefused."""
    fault = rules.password_fault(password, email=email)
    if fault is not None:
        raise PasswordRefused(fault, errors=[FieldError(field=field, rule="PasswordRule", message=fault)])


async def add_person(
    session: AsyncSession,
    *,
    company: Company,
    caller: Principal | None,
    email: str,
    name: str,
    roles: list[Role],
    valid_from: datetime | None,
    valid_until: datetime | None,
    verified: bool,
    invitation_valid_for: timedelta,
    at: datetime,
) -> Invited:
    """Invite somebody to act for the company.

    The membership stands once the person accepts with the token and a password, known to `members` or not, so
    the answer does not tell who is. The token matters most for a known e-mail address: whoever opened that account
    first may not be its rightful owner, and only the person to whom the company hands the token may join.
    `verified` skips it: the operator has made sure by other means.

    Raises:
        RolesNotOfThisCompany, OperatorNeeded, OperatorsDoNotTrade, MembershipPeriodReversed, AlreadyMember: see the
        classes.
    """
    check_roles(company, roles=roles, caller=caller)
    if verified and caller is not None and Role.OPERATOR not in caller.roles:
        raise OperatorNeeded("Only an operator says that an account is verified.")
    begins = valid_from or at
    if valid_until is not None and valid_until <= begins:
        raise MembershipPeriodReversed(
            "A membership ends after it begins.",
            errors=[FieldError(field="valid_until", rule="Order", message="Must be after valid_from.")],
        )
    person = await _known_or_new(session, email=email, name=name, at=at)
    await neutrality.check_roles(
        session, person_id=person.id, company_id=company.id, kinds=company.kinds, roles=_stored(roles), at=at
    )
    if await queries.overlapping_membership(
        session, company_id=company.id, person_id=person.id, valid_from=begins, valid_until=valid_until
    ):
        raise AlreadyMember(f"{email} acts for {company.name} already, or is invited to.")
    membership = Membership(
        company_id=company.id,
        id=new_id(),
        person_id=person.id,
        roles=_stored(roles),
        status=MembershipStatus.ACTIVE if verified else MembershipStatus.INVITED,
        valid_from=begins,
        valid_until=valid_until,
        created_at=at,
    )
    session.add(membership)
    await session.flush()
    token = None
    if not verified or await queries.credential(session, person_id=person.id) is None:
        token = await _invite(session, membership=membership, valid_for=invitation_valid_for, at=at)
    await _changed(session, membership=membership, at=at)
    return Invited(person=person, membership=membership, token=token)


def _stored(roles: list[Role]) -> list[str]:
    return sorted({role.value for role in roles})


async def _known_or_new(session: AsyncSession, *, email: str, name: str, at: datetime) -> Person:
    """The person with this address, locked; made when there is none, also by two at the same moment."""
    person = Person(id=new_id(), email=email, name=name, status=PersonStatus.ACTIVE, created_at=at)
    await session.execute(insert(Person).values(**person.model_dump()).on_conflict_do_nothing(index_elements=["email"]))
    known = await queries.person_by_email_anywhere(session, email=email)
    assert known is not None  # noqa: S101 - inserted just above, or found to exist
    locked = await queries.person_for_update(session, person_id=known.id)
    assert locked is not None  # noqa: S101 - people are never deleted
    return locked


async def _invite(session: AsyncSession, *, membership: Membership, valid_for: timedelta, at: datetime) -> str:
    token = new_token("dgi")
    row = {"token_hash": token_hash(token), "created_at": at, "expires_at": at + valid_for}
    await session.execute(
        insert(Invitation)
        .values(company_id=membership.company_id, membership_id=membership.id, **row)
        .on_conflict_do_update(index_elements=["company_id", "membership_id"], set_=row)
    )
    return token


async def invite_again(
    session: AsyncSession, *, company_id: UUID, person_id: UUID, valid_for: timedelta, at: datetime
) -> str:
    """A new token for an invitation not accepted yet; the old one is void.

    Raises:
        PersonNotFound, AlreadyAccepted: see the classes.
    """
    membership = await _membership(session, company_id=company_id, person_id=person_id, at=at)
    if membership.status != MembershipStatus.INVITED:
        raise AlreadyAccepted("The person has accepted already.")
    return await _invite(session, membership=membership, valid_for=valid_for, at=at)


async def open_invitation(session: AsyncSession, *, token: str, at: datetime) -> OpenInvitation:
    """Whom the token invites.

    Raises:
        InvitationInvalid: see the class.
    """
    person, _, _ = await _invitation(session, token=token, at=at)
    credential = await queries.credential(session, person_id=person.id)
    return OpenInvitation(person=person, password_hash=credential.password_hash if credential else None)


async def accept_invitation(
    session: AsyncSession, *, token: str, password_hash: str | None, at: datetime
) -> Membership:
    """The membership stands from here on; `password_hash` becomes the password of a person who has none.

    Raises:
        InvitationInvalid: also when the person got a password since the invitation was opened.
        OperatorsDoNotTrade: a space was opened since the invitation.
    """
    person, membership, invitation = await _invitation(session, token=token, at=at)
    company = await company_queries.company(session, company_id=membership.company_id)
    assert company is not None  # noqa: S101 - memberships point at companies
    await neutrality.check_roles(
        session, person_id=person.id, company_id=company.id, kinds=company.kinds, roles=membership.roles, at=at
    )
    credential = await queries.credential(session, person_id=person.id)
    if (credential is None) != (password_hash is not None):
        raise InvitationInvalid("The person's password changed meanwhile; accept again with the present one.")
    if password_hash is not None:
        await set_password(session, person_id=person.id, password_hash=password_hash, at=at)
    await session.delete(invitation)
    if membership.status != MembershipStatus.ACTIVE:
        membership.status = MembershipStatus.ACTIVE
        membership.version += 1
        await _changed(session, membership=membership, at=at)
    await session.flush()
    return membership


async def _invitation(session: AsyncSession, *, token: str, at: datetime) -> tuple[Person, Membership, Invitation]:
    refusal = InvitationInvalid("The invitation is unknown, used, replaced or over; ask for a new one.")
    invitation = await queries.invitation_anywhere(session, token_hash=token_hash(token))
    if invitation is None or invitation.expires_at <= at:
        raise refusal
    membership = await queries.membership_anywhere(
        session, company_id=invitation.company_id, membership_id=invitation.membership_id
    )
    if membership is None or (membership.valid_until is not None and membership.valid_until <= at):
        raise refusal
    person = await queries.person_for_update(session, person_id=membership.person_id)
    if person is None or person.status != PersonStatus.ACTIVE:
        raise refusal
    return person, membership, invitation


async def change_roles(
    session: AsyncSession,
    *,
    company: Company,
    caller: Principal,
    person_id: UUID,
    roles: list[Role],
    expected_version: int,
    at: datetime,
) -> Membership:
    """Give a person other roles in the company; access tokens already signed keep the old ones to their end.

    Raises:
        PersonNotFound, VersionChanged, RolesNotOfThisCompany, OperatorNeeded, OperatorsDoNotTrade: see the classes.
    """
    membership = await _membership(session, company_id=company.id, person_id=person_id, at=at)
    check_version(expected=expected_version, actual=membership.version)
    check_roles(company, roles=roles, caller=caller)
    await neutrality.check_roles(
        session, person_id=person_id, company_id=company.id, kinds=company.kinds, roles=_stored(roles), at=at
    )
    membership.roles = _stored(roles)
    membership.version += 1
    await _changed(session, membership=membership, at=at)
    await session.flush()
    return membership


async def end_membership(session: AsyncSession, *, company_id: UUID, person_id: UUID, at: datetime) -> None:
    """From now on the person does not act for the company; its sessions cannot be refreshed for it.

    Raises:
        PersonNotFound: see the class.
    """
    membership = await _membership(session, company_id=company_id, person_id=person_id, at=at)
    membership.valid_until = max(at, membership.valid_from)
    membership.version += 1
    await session.execute(
        delete(Invitation).where(
            col(Invitation.company_id) == company_id, col(Invitation.membership_id) == membership.id
        )
    )
    await _changed(session, membership=membership, at=at)
    await session.flush()


async def _membership(session: AsyncSession, *, company_id: UUID, person_id: UUID, at: datetime) -> Membership:
    membership = await queries.open_membership_for_update(session, company_id=company_id, person_id=person_id, at=at)
    if membership is None:
        raise PersonNotFound("Nobody of this id acts for the company.")
    return membership


async def set_status(session: AsyncSession, *, person_id: UUID, status: PersonStatus) -> Person:
    """Deactivate a person everywhere, or let them in again.

    Raises:
        PersonNotFound: see the class.
    """
    person = await queries.person_for_update(session, person_id=person_id)
    if person is None:
        raise PersonNotFound(f"Nobody has the id {person_id}.")
    person.status = status
    await session.flush()
    return person


async def set_password(session: AsyncSession, *, person_id: UUID, password_hash: str, at: datetime) -> None:
    """Store the password; sessions begun before `at` are over."""
    row = {"password_hash": password_hash, "changed_at": at}
    await session.execute(
        insert(Credential)
        .values(person_id=person_id, **row)
        .on_conflict_do_update(index_elements=["person_id"], set_=row)
    )


async def renew_hash(session: AsyncSession, *, person_id: UUID, password_hash: str) -> None:
    """Store the same password hashed with today's parameters; sessions go on."""
    credential = await queries.credential(session, person_id=person_id)
    if credential is not None:
        credential.password_hash = password_hash
        await session.flush()


async def _changed(session: AsyncSession, *, membership: Membership, at: datetime) -> None:
    await publish(
        session,
        type=event_type("members", "membership.changed"),
        subject=str(membership.person_id),
        company_id=membership.company_id,
        at=at,
        data=MembershipChanged(
            company_id=membership.company_id,
            person_id=membership.person_id,
            roles=membership.roles,
            status=membership.status,
            valid_from=membership.valid_from,
            valid_until=membership.valid_until,
        ),
    )
