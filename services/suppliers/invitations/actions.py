"""Inviting suppliers, and what becomes of an invitation."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.blacklists.blocking import blocks_invitation, told
from services.suppliers.blacklists.queries import ActiveEntry
from services.suppliers.invitations import queries
from services.suppliers.invitations.reading import RowsRead
from services.suppliers.invitations.rules import Invitee, RowProblem
from services.suppliers.invitations.tables import Invitation, InvitationFile
from services.suppliers.register.categories import check_categories
from services.suppliers.register.queries import unknown_categories
from shared.audit import entries as audit
from shared.clock import business_date
from shared.contracts.members import CompanyIdentity
from shared.contracts.suppliers import INVITATION_ACCEPTED, InvitationAccepted
from shared.errors import Conflict, NotFound
from shared.feed import publish
from shared.http import check_version
from shared.identity import Principal
from shared.ids import new_id

_CODE_BYTES = 32


class InvitationNotFound(NotFound):
    """Your group has no such invitation."""


class InvitationCodeUnknown(NotFound):
    """The code opens no invitation: mistyped, or replaced by a newer one."""


class InvitationUsed(Conflict):
    """A company accepted this invitation already; a code is good for one."""


class InvitationRevoked(Conflict):
    """The contractor took the invitation back."""


class InvitationExpired(Conflict):
    """The invitation's last day has passed; ask the contractor for a new one."""


class InvitationForAnother(Conflict):
    """The invitation names another company's tax id."""


class InviteeBlacklisted(Conflict):
    """A blacklist that binds the group forbids to invite the company."""


class AlreadyInvited(Conflict):
    """Your group has an open invitation for this tax id; send its code again, or make a new code for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Invited:
    """A new invitation, and its code: shown this once."""

    invitation: Invitation
    code: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FileTaken:
    """What became of a file."""

    file: InvitationFile
    invited: Mapping[int, Invited]
    repeated: bool


def code_hash(code: str) -> bytes:
    """What is stored. A fast hash is enough for 256 random bits."""
    return hashlib.sha256(code.strip().encode("utf-8", "surrogatepass")).digest()


def group_of(caller: Principal) -> UUID:
    """The contractor group that invites: the company's own, or the company where it stands alone."""
    return caller.group_id or caller.company


def _made(
    invitee: Invitee, *, inviter: CompanyIdentity, group_id: UUID, by: Principal, valid_for: timedelta, at: datetime
) -> Invited:
    code = f"dgs_{secrets.token_urlsafe(_CODE_BYTES)}"
    invitation = Invitation(
        group_id=group_id,
        id=new_id(),
        company_id=inviter.id,
        inviter_name=inviter.name,
        invited_by=by.subject,
        company_name=invitee.name,
        tax_id=invitee.tax_id,
        email=invitee.email,
        categories=list(invitee.categories),
        code_hash=code_hash(code),
        expires_at=at + valid_for,
        version=1,
        created_at=at,
    )
    return Invited(invitation=invitation, code=code)


async def _listed(session: AsyncSession, invitee: Invitee, *, group_id: UUID, at: datetime) -> ActiveEntry | None:
    """The entry of a blacklist that binds the group and forbids to invite the company; lists go by number, not name."""
    if invitee.tax_id is None:
        return None
    return await blocks_invitation(
        session, group_id=group_id, tax_id=invitee.tax_id, on=business_date(at), categories=invitee.categories
    )


async def invite(
    session: AsyncSession,
    *,
    invitee: Invitee,
    inviter: CompanyIdentity,
    by: Principal,
    valid_for: timedelta,
    at: datetime,
) -> Invited:
    """Invite one company.

    Raises:
        UnknownCategory, AlreadyInvited, InviteeBlacklisted.
    """
    await check_categories(session, invitee.categories)
    group_id = group_of(by)
    await queries.lock_group(session, group_id=group_id)
    if invitee.tax_id in await queries.open_tax_ids(session, group_id=group_id, at=at):
        raise AlreadyInvited(f"Your group has an open invitation for {invitee.tax_id}.")
    entry = await _listed(session, invitee, group_id=group_id, at=at)
    if entry is not None:
        raise InviteeBlacklisted(told(entry))
    made = _made(invitee, inviter=inviter, group_id=group_id, by=by, valid_for=valid_for, at=at)
    session.add(made.invitation)
    await session.flush()
    return made


async def invite_from_file(
    session: AsyncSession,
    *,
    rows: RowsRead,
    file_hash: bytes,
    inviter: CompanyIdentity,
    by: Principal,
    valid_for: timedelta,
    at: datetime,
) -> FileTaken:
    """Invite everybody a file names; rows that cannot be are told. The same file again does nothing."""
    group_id = group_of(by)
    await queries.lock_group(session, group_id=group_id)
    earlier = await queries.file_taken_before(session, group_id=group_id, file_hash=file_hash)
    if earlier is not None:
        return FileTaken(file=earlier, invited={}, repeated=True)
    known = await queries.open_tax_ids(session, group_id=group_id, at=at)
    named = {each for invitee in rows.invitees.values() for each in invitee.categories}
    unknown = set(await unknown_categories(session, categories=named))
    problems: list[RowProblem] = list(rows.problems)
    invited: dict[int, Invited] = {}
    for row, invitee in rows.invitees.items():
        if invitee.tax_id in known:
            text = f"Your group has an open invitation for {invitee.tax_id}."
            problems.append(RowProblem(row=row, column="tax_id", code="AlreadyInvited", text=text))
            continue
        wrong = sorted(unknown.intersection(invitee.categories))
        if wrong:
            text = f"The catalog has no category {wrong[0]!r}."
            problems.append(RowProblem(row=row, column="categories", code="UnknownCategory", text=text))
            continue
        entry = await _listed(session, invitee, group_id=group_id, at=at)
        if entry is not None:
            problems.append(RowProblem(row=row, column="tax_id", code="InviteeBlacklisted", text=told(entry)))
            continue
        invited[row] = _made(invitee, inviter=inviter, group_id=group_id, by=by, valid_for=valid_for, at=at)
    session.add_all([each.invitation for each in invited.values()])
    file = InvitationFile(
        group_id=group_id,
        file_hash=file_hash,
        invited=len(invited),
        rejected=rows.rejected + len(rows.invitees) - len(invited),
        problems=[asdict(each) for each in sorted(problems, key=lambda each: each.row)],
        sent_by=by.subject,
        sent_at=at,
    )
    session.add(file)
    await session.flush()
    return FileTaken(file=file, invited=invited, repeated=False)


def _still_open(invitation: Invitation, *, at: datetime) -> None:
    """Raises InvitationUsed, InvitationRevoked, InvitationExpired."""
    if invitation.supplier_id is not None:
        raise InvitationUsed("A company accepted this invitation already; ask the contractor for one of your own.")
    if invitation.revoked_at is not None:
        raise InvitationRevoked(f"{invitation.inviter_name} took the invitation back.")
    if invitation.expires_at <= at:
        raise InvitationExpired("The invitation has expired; ask the contractor for a new one.")


async def _to_change(
    session: AsyncSession, *, group_id: UUID, invitation_id: UUID, expected_version: int
) -> Invitation:
    invitation = await queries.invitation_for_update(session, group_id=group_id, invitation_id=invitation_id)
    if invitation is None:
        raise InvitationNotFound(f"Your group has no invitation {invitation_id}.")
    check_version(expected=expected_version, actual=invitation.version)
    return invitation


async def revoke(
    session: AsyncSession, *, group_id: UUID, invitation_id: UUID, expected_version: int, at: datetime
) -> None:
    """Take an invitation back that nobody accepted; again, nothing changes.

    Raises:
        InvitationNotFound, VersionChanged, InvitationUsed.
    """
    invitation = await _to_change(
        session, group_id=group_id, invitation_id=invitation_id, expected_version=expected_version
    )
    if invitation.supplier_id is not None:
        raise InvitationUsed("A company accepted this invitation; what it may sell you is decided by admission.")
    if invitation.revoked_at is None:
        invitation.revoked_at = at
        invitation.version += 1
    await session.flush()


async def new_code(
    session: AsyncSession,
    *,
    group_id: UUID,
    invitation_id: UUID,
    expected_version: int,
    valid_for: timedelta,
    at: datetime,
) -> Invited:
    """A new code and a new last day for an invitation nobody accepted; the code before opens nothing.

    Raises:
        InvitationNotFound, VersionChanged, InvitationUsed, InvitationRevoked.
    """
    invitation = await _to_change(
        session, group_id=group_id, invitation_id=invitation_id, expected_version=expected_version
    )
    invitation.expires_at = at + valid_for
    _still_open(invitation, at=at)
    code = f"dgs_{secrets.token_urlsafe(_CODE_BYTES)}"
    invitation.code_hash = code_hash(code)
    invitation.opened_at = None
    invitation.version += 1
    await session.flush()
    return Invited(invitation=invitation, code=code)


async def open_code(session: AsyncSession, *, code: str, at: datetime) -> Invitation:
    """What a code invites to; the inviter sees that it was looked at.

    Raises:
        InvitationCodeUnknown, InvitationUsed, InvitationRevoked, InvitationExpired.
    """
    invitation = await queries.by_code_for_update(session, code_hash=code_hash(code))
    if invitation is None:
        raise InvitationCodeUnknown("This code opens no invitation.")
    _still_open(invitation, at=at)
    if invitation.opened_at is None:
        invitation.opened_at = at
        await session.flush()
    return invitation


async def accept(session: AsyncSession, *, code: str, company: CompanyIdentity, at: datetime) -> Invitation:
    """The company comes in on the invitation; the group that invited hears of it by the event.

    Raises:
        InvitationCodeUnknown, InvitationUsed, InvitationRevoked, InvitationExpired, InvitationForAnother.
    """
    invitation = await open_code(session, code=code, at=at)
    if invitation.tax_id is not None and invitation.tax_id != company.tax_id.value:
        raise InvitationForAnother("The invitation names another company's tax id.")
    audit.concerns(session, invitation.company_id)
    invitation.supplier_id, invitation.accepted_at = company.id, at
    invitation.version += 1
    await session.flush()
    await publish(
        session,
        type=INVITATION_ACCEPTED,
        subject=str(company.id),
        data=InvitationAccepted(
            invitation_id=invitation.id,
            group_id=invitation.group_id,
            company_id=invitation.company_id,
            supplier_id=company.id,
            categories=invitation.categories,
        ),
        at=at,
        company_id=company.id,
    )
    return invitation


def counts(seen: Sequence[queries.InvitationSeen]) -> dict[str, int]:
    """How many stand where; those further on count only there."""
    found: dict[str, int] = {}
    for each in seen:
        found[each.state] = found.get(each.state, 0) + 1
    return found
