"""HTTP of people, their memberships and their passwords."""

from datetime import timedelta
from uuid import UUID

from fastapi import Request, Response

from services.members.companies.actions import CompanyNotFound, administered
from services.members.companies.neutrality import OperatorsDoNotTrade
from services.members.companies.tables import Company
from services.members.dependencies import AfterId, Configured, Network, PasswordChecks, SystemSessions
from services.members.people import actions, attempts, queries
from services.members.people.actions import (
    AlreadyAccepted,
    AlreadyMember,
    InvitationInvalid,
    MembershipPeriodReversed,
    OperatorNeeded,
    PasswordRefused,
    PersonNotFound,
    RolesNotOfThisCompany,
)
from services.members.people.attempts import TooManyAttempts, account_key, network_key
from services.members.people.rules import MembershipStatus
from services.members.people.schemas import (
    InvitationAcceptance,
    InvitationToken,
    InvitedView,
    Me,
    MembershipView,
    PasswordChange,
    PasswordSet,
    PersonInvited,
    PersonView,
    RolesChange,
    StatusChange,
)
from services.members.people.tables import Membership, Person
from shared import idempotency
from shared.contracts.members import CompanyChoice
from shared.database import ReadSession, SystemSession, WriteSession, transaction
from shared.errors import Unauthenticated, refusals
from shared.http import ExpectedVersion, Now, VersionChanged, VersionNeeded, etag
from shared.http import router as house_router
from shared.identity import Caller, CompanyAdmin, NotYours, Operator, Visitor
from shared.paging import CursorInvalid, PageQuery

router = house_router("/members", tag="people")


class PasswordWrong(Unauthenticated):
    """The password given is not the person's."""


def _view(membership: Membership, person: Person) -> MembershipView:
    accepted = membership.status == MembershipStatus.ACTIVE
    return MembershipView.model_validate(
        {
            **membership.model_dump(),
            "email": person.email,
            "name": person.name if accepted else None,
            "person_status": person.status,
        }
    )


def choice_of(membership: Membership, company: Company) -> CompanyChoice:
    """A company a person may act for."""
    return CompanyChoice(id=company.id, name=company.name, roles=membership.roles)


@router.get("/me", summary="Who am I", responses=refusals(PersonNotFound))
async def me(caller: Caller, session: SystemSession, now: Now) -> Me:
    """The caller as the access token tells, and the companies a person may choose at the next refresh."""
    email, companies = None, []
    if caller.kind == "person":
        person = await queries.person_anywhere(session, person_id=caller.subject)
        if person is None:
            raise PersonNotFound("This person is not known here.")
        standing = await queries.standing_memberships_anywhere(session, person_id=person.id, at=now)
        email, companies = person.email, [choice_of(*pair) for pair in standing]
    acting_for = (
        None
        if caller.company_id is None
        else CompanyChoice(id=caller.company_id, name=caller.company_name or "", roles=sorted(caller.roles))
    )
    return Me(
        id=caller.subject,
        kind=caller.kind,
        name=caller.name,
        email=email,
        company=acting_for,
        scopes=sorted(caller.scopes),
        companies=companies,
    )


@router.put(
    "/me/password",
    status_code=204,
    summary="Change my password",
    responses=refusals(PasswordWrong, PasswordRefused, PersonNotFound, TooManyAttempts),
)
async def change_my_password(
    *,
    body: PasswordChange,
    caller: Caller,
    sessions: SystemSessions,
    passwords: PasswordChecks,
    settings: Configured,
    network: Network,
    now: Now,
) -> None:
    """Ends every session of the person, also this one: sign in again with the new password."""
    async with transaction(sessions) as session:
        person = await queries.person_anywhere(session, person_id=caller.subject)
        if person is None:
            raise PersonNotFound("This person is not known here.")
        account = account_key(person.email)
        limits = {account: settings.account_limit, network_key(network): settings.network_limit}
        await attempts.count(session, limits=limits, at=now)
        credential = await queries.credential(session, person_id=person.id)
    stored = credential.password_hash if credential else None
    if not await passwords.check(password=body.current_password.get_secret_value(), stored=stored):
        raise PasswordWrong("The present password is wrong.")
    chosen = body.new_password.get_secret_value()
    async with transaction(sessions) as session:
        await attempts.take_back(session, account=account, network=network_key(network))
    actions.check_password(chosen, email=person.email, field="new_password")
    new_hash = await passwords.hash(chosen)
    async with transaction(sessions) as session:
        await actions.set_password(session, person_id=person.id, password_hash=new_hash, at=now)


@router.get(
    "/companies/{company_id}/people",
    summary="Who acts for a company",
    responses=refusals(NotYours, CompanyNotFound, CursorInvalid),
)
async def list_people(
    *,
    company_id: UUID,
    caller: CompanyAdmin,
    session: ReadSession,
    paging: PageQuery,
    after: AfterId,
    response: Response,
    now: Now,
    ended: bool = False,
) -> list[MembershipView]:
    """Invited and accepted, oldest first; with `ended=true` also those who left."""
    await administered(session, caller=caller, company_id=company_id)
    rows = await queries.memberships_page(
        session,
        company_id=company_id,
        limit=paging.limit,
        after=after,
        open_at=None if ended else now,
    )
    shown = paging.page(rows, response, key=lambda row: [row[0].id])
    return [_view(membership, person) for membership, person in shown]


@router.post(
    "/companies/{company_id}/people",
    status_code=201,
    summary="Invite somebody to act for a company",
    responses=refusals(
        NotYours,
        CompanyNotFound,
        RolesNotOfThisCompany,
        OperatorNeeded,
        OperatorsDoNotTrade,
        AlreadyMember,
        MembershipPeriodReversed,
    ),
)
async def add_person(
    *,
    company_id: UUID,
    body: PersonInvited,
    caller: CompanyAdmin,
    session: SystemSession,
    settings: Configured,
    request: Request,
    response: Response,
    now: Now,
) -> InvitedView:
    """Answers with an invitation token to hand over; the person accepts with it at `/members/invitations/accept`.

    The same person may act for several companies. A replayed answer does not repeat the token.
    """
    company = await administered(session, caller=caller, company_id=company_id)
    invited = await actions.add_person(
        session,
        company=company,
        caller=caller,
        email=body.email,
        name=body.name,
        roles=body.roles,
        valid_from=body.valid_from,
        valid_until=body.valid_until,
        verified=body.verified,
        invitation_valid_for=timedelta(days=settings.invitation_days),
        at=now,
    )
    shown = _view(invited.membership, invited.person).model_dump()
    view = InvitedView(**shown, invitation_token=invited.token)
    without_token = view.model_copy(update={"invitation_token": None})
    idempotency.store_instead(request, without_token.model_dump_json().encode())
    response.headers["Location"] = f"/members/companies/{company_id}/people/{invited.person.id}"
    response.headers["ETag"] = etag(invited.membership.version)
    return view


@router.post(
    "/companies/{company_id}/people/{person_id}/invitation",
    status_code=201,
    summary="Invite again",
    responses=refusals(NotYours, CompanyNotFound, PersonNotFound, AlreadyAccepted),
)
async def invite_again(
    *,
    company_id: UUID,
    person_id: UUID,
    caller: CompanyAdmin,
    session: WriteSession,
    settings: Configured,
    request: Request,
    now: Now,
) -> InvitationToken:
    """A new token for somebody who has not accepted yet; the one before is void."""
    await administered(session, caller=caller, company_id=company_id)
    token = await actions.invite_again(
        session,
        company_id=company_id,
        person_id=person_id,
        valid_for=timedelta(days=settings.invitation_days),
        at=now,
    )
    idempotency.store_instead(request, InvitationToken(invitation_token=None).model_dump_json().encode())
    return InvitationToken(invitation_token=token)


@router.patch(
    "/companies/{company_id}/people/{person_id}",
    summary="Change a person's roles",
    responses=refusals(
        NotYours,
        CompanyNotFound,
        PersonNotFound,
        RolesNotOfThisCompany,
        OperatorNeeded,
        OperatorsDoNotTrade,
        VersionNeeded,
        VersionChanged,
    ),
)
async def change_roles(
    *,
    company_id: UUID,
    person_id: UUID,
    body: RolesChange,
    caller: CompanyAdmin,
    expected: ExpectedVersion,
    session: SystemSession,
    response: Response,
    now: Now,
) -> MembershipView:
    """Takes effect with the next access token, within ten minutes."""
    company = await administered(session, caller=caller, company_id=company_id)
    membership = await actions.change_roles(
        session,
        company=company,
        caller=caller,
        person_id=person_id,
        roles=body.roles,
        expected_version=expected,
        at=now,
    )
    person = await queries.person_anywhere(session, person_id=person_id)
    if person is None:
        raise PersonNotFound("Nobody of this id acts for the company.")
    response.headers["ETag"] = etag(membership.version)
    return _view(membership, person)


@router.delete(
    "/companies/{company_id}/people/{person_id}",
    status_code=204,
    summary="End a person's membership",
    responses=refusals(NotYours, CompanyNotFound, PersonNotFound),
)
async def end_membership(
    company_id: UUID, person_id: UUID, caller: CompanyAdmin, session: WriteSession, now: Now
) -> None:
    """The person can no longer sign in or refresh for this company; for others nothing changes."""
    await administered(session, caller=caller, company_id=company_id)
    await actions.end_membership(session, company_id=company_id, person_id=person_id, at=now)


@router.post(
    "/invitations/accept",
    summary="Accept an invitation",
    responses=refusals(InvitationInvalid, PasswordWrong, PasswordRefused, TooManyAttempts, OperatorsDoNotTrade),
    openapi_extra=idempotency.EXEMPT,
)
async def accept_invitation(
    *,
    body: InvitationAcceptance,
    _: Visitor,
    sessions: SystemSessions,
    passwords: PasswordChecks,
    settings: Configured,
    network: Network,
    now: Now,
) -> PersonView:
    """With the token, and a password: a new one, or the present one of a person who acts for a company already."""
    async with transaction(sessions) as session:
        await attempts.count(session, limits={network_key(network): settings.network_limit}, at=now)
    async with transaction(sessions) as session:
        opened = await actions.open_invitation(session, token=body.token, at=now)
        account = account_key(opened.person.email)
        await attempts.count(session, limits={account: settings.account_limit}, at=now)
    given = body.password.get_secret_value()
    new_hash = None
    if opened.password_hash is None:
        actions.check_password(given, email=opened.person.email, field="password")
        new_hash = await passwords.hash(given)
    elif not await passwords.check(password=given, stored=opened.password_hash):
        raise PasswordWrong("The password is not the one of the person invited.")
    async with transaction(sessions) as session:
        await attempts.take_back(session, account=account, network=network_key(network))
        membership = await actions.accept_invitation(session, token=body.token, password_hash=new_hash, at=now)
    return PersonView(
        id=opened.person.id,
        email=opened.person.email,
        name=opened.person.name,
        company_id=membership.company_id,
    )


@router.put(
    "/people/{person_id}/status",
    status_code=204,
    summary="Deactivate a person, or let them in again",
    responses=refusals(PersonNotFound),
)
async def set_status(person_id: UUID, body: StatusChange, _: Operator, session: SystemSession) -> None:
    """A deactivated person cannot sign in or refresh for any company."""
    await actions.set_status(session, person_id=person_id, status=body.status)


@router.put(
    "/people/{person_id}/password",
    status_code=204,
    summary="Give a person a new password",
    responses=refusals(PersonNotFound, PasswordRefused),
)
async def set_password(
    person_id: UUID,
    body: PasswordSet,
    _: Operator,
    sessions: SystemSessions,
    passwords: PasswordChecks,
    now: Now,
) -> None:
    """For a person who forgot theirs, after the operator made sure who asks. A company's admin cannot: the person
    may act for other companies too."""
    async with transaction(sessions) as session:
        person = await queries.person_anywhere(session, person_id=person_id)
    if person is None:
        raise PersonNotFound(f"Nobody has the id {person_id}.")
    given = body.password.get_secret_value()
    actions.check_password(given, email=person.email, field="password")
    new_hash = await passwords.hash(given)
    async with transaction(sessions) as session:
        await actions.set_password(session, person_id=person.id, password_hash=new_hash, at=now)
