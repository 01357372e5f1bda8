"""Invitations over HTTP: contractors invite and follow; whoever holds a code may look at what it invites to."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from services.suppliers.invitations import actions, queries
from services.suppliers.invitations.actions import (
    AlreadyInvited,
    FileTaken,
    InvitationCodeUnknown,
    InvitationExpired,
    InvitationNotFound,
    InvitationRevoked,
    InvitationUsed,
    InviteeBlacklisted,
    group_of,
)
from services.suppliers.invitations.reading import MEDIA_TYPES, RowsRead, read_rows
from services.suppliers.invitations.rules import InvitationState
from services.suppliers.invitations.schemas import (
    FILE_BODY,
    CodeGiven,
    FunnelView,
    InvitationFileView,
    InvitationGiven,
    InvitationView,
    InvitedRow,
    InvitedView,
    OpenedView,
    RowProblemView,
    invitation_view,
    invited_view,
)
from services.suppliers.onboarding.routes import CompanySource
from services.suppliers.register.categories import UnknownCategory
from shared import idempotency
from shared.clients.transport import ServiceAway, ServiceUnknown
from shared.contracts.members import CompanyIdentity
from shared.database import ReadSession, SystemSession, WriteSession, scope_to
from shared.errors import FieldError, Forbidden, Unprocessable, UnsupportedMedia, refusals
from shared.http import ExpectedVersion, Now, VersionChanged, VersionNeeded, etag
from shared.http import router as house_router
from shared.identity import CompanyNeeded, Principal, Requires, Role, Visitor
from shared.paging import CursorInvalid, PageQuery
from shared.sheets import FileRefused

router = house_router("/suppliers/invitations", tag="invitations")

_FILE_BYTES_AT_MOST = 4 * 1024 * 1024
_INVITING_KINDS = {"contractor", "contractor_group", "operator"}

Inviter = Annotated[Principal, Depends(Requires(roles=[Role.ADMIN, Role.BUYER, Role.OPERATOR]))]


class NotAContractor(Forbidden):
    """Contractors and operators invite suppliers; the caller's company is neither."""


class InvitationFileNotRead(UnsupportedMedia):
    """A file of invitations is CSV or XLSX, named by Content-Type."""


class InvitationFileRefused(Unprocessable):
    """The file cannot be read at all: nothing of it was taken. The problem's `code` says why."""

    def __init__(self, refused: FileRefused) -> None:
        place = "body" if refused.row is None else f"row {refused.row}"
        super().__init__(
            refused.detail, errors=[FieldError(field=place, rule=refused.code, message=refused.detail)], row=refused.row
        )
        self._code = refused.code

    @property
    def code(self) -> str:
        return self._code


async def _inviting_company(request: Request, caller: Inviter) -> CompanyIdentity:
    """Who invites, as `members` knows it: asked before the transaction begins (design.md rule 2)."""
    members: CompanySource = request.app.state.members
    company = await members.company(company_id=caller.company)
    if not _INVITING_KINDS & set(company.kinds):
        raise NotAContractor(f"{company.name} is no contractor; contractors invite suppliers.")
    return company


InvitingCompany = Annotated[CompanyIdentity, Depends(_inviting_company)]


@dataclass(frozen=True, kw_only=True, slots=True)
class _File:
    rows: RowsRead
    digest: bytes


async def _file(request: Request, _: Inviter) -> _File:
    """The body, read as rows before the transaction begins: a spreadsheet takes seconds."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    form = MEDIA_TYPES.get(media)
    if form is None:
        raise InvitationFileNotRead(f"Content-Type {media or '(none)'!r}: send {' or '.join(MEDIA_TYPES)}.")
    body = await request.body()
    try:
        rows = await asyncio.to_thread(read_rows, body, form=form)
    except FileRefused as refused:
        raise InvitationFileRefused(refused) from refused
    return _File(rows=rows, digest=hashlib.sha256(body).digest())


def _valid_for(request: Request) -> timedelta:
    return timedelta(days=request.app.state.settings.supplier_invitation_days)


@router.post(
    "",
    status_code=201,
    summary="Invite a supplier",
    responses=refusals(
        AlreadyInvited, InviteeBlacklisted, UnknownCategory, NotAContractor, CompanyNeeded, ServiceAway, ServiceUnknown
    ),
)
async def invite(
    *,
    request: Request,
    body: InvitationGiven,
    caller: Inviter,
    inviter: InvitingCompany,
    session: WriteSession,
    now: Now,
    response: Response,
) -> InvitedView:
    """Answers with a code to hand over: shown this once, good for one company and thirty days."""
    await scope_to(session, caller.scope_id, group_of(caller))
    made = await actions.invite(
        session, invitee=body.invitee, inviter=inviter, by=caller, valid_for=_valid_for(request), at=now
    )
    view = invited_view(made.invitation, code=made.code)
    idempotency.store_instead(request, view.model_copy(update={"code": None}).model_dump_json().encode())
    response.headers["Location"] = f"/suppliers/invitations/{made.invitation.id}"
    response.headers["ETag"] = etag(made.invitation.version)
    return view


@router.post(
    "/files",
    summary="Invite the suppliers of a file",
    responses=refusals(
        InvitationFileNotRead, InvitationFileRefused, NotAContractor, CompanyNeeded, ServiceAway, ServiceUnknown
    ),
    openapi_extra={"x-body-limit": _FILE_BYTES_AT_MOST, "requestBody": FILE_BODY},
)
async def invite_from_file(
    *,
    request: Request,
    caller: Inviter,
    file: Annotated[_File, Depends(_file)],
    inviter: InvitingCompany,
    session: WriteSession,
    now: Now,
) -> InvitationFileView:
    """CSV (UTF-8 or GB18030) or XLSX, at most 2,000 rows; good rows are invited, bad ones told with row and column.

    The same file again does nothing. Codes are shown this once; for a lost one ask for a new code.
    """
    await scope_to(session, caller.scope_id, group_of(caller))
    taken = await actions.invite_from_file(
        session,
        rows=file.rows,
        file_hash=file.digest,
        inviter=inviter,
        by=caller,
        valid_for=_valid_for(request),
        at=now,
    )
    view = _file_view(taken)
    hidden = [row.model_copy(update={"code": None}) for row in view.invitations]
    idempotency.store_instead(request, view.model_copy(update={"invitations": hidden}).model_dump_json().encode())
    return view


def _file_view(taken: FileTaken) -> InvitationFileView:
    return InvitationFileView(
        repeated=taken.repeated,
        invited=taken.file.invited,
        rejected=taken.file.rejected,
        invitations=[
            InvitedRow(
                row=row,
                id=each.invitation.id,
                company_name=each.invitation.company_name,
                email=each.invitation.email,
                code=each.code,
            )
            for row, each in taken.invited.items()
        ],
        problems=[RowProblemView.model_validate(problem) for problem in taken.file.problems],
    )


@router.get("", summary="Whom your group invited", responses=refusals(CursorInvalid, CompanyNeeded))
async def list_invitations(
    *,
    caller: Inviter,
    session: ReadSession,
    paging: PageQuery,
    now: Now,
    response: Response,
    state: Annotated[InvitationState | None, Query(description="Only those that stand here.")] = None,
) -> list[InvitationView]:
    """The oldest first, each with where it stands."""
    group_id = group_of(caller)
    await scope_to(session, group_id)
    after = paging.after_as(UUID)
    seen = await queries.invitations_of_group(session, group_id=group_id, at=now)
    fitting = [
        each
        for each in seen
        if (state is None or each.state is state) and (after is None or each.invitation.id > after[0])
    ]
    shown = paging.page(fitting[: paging.limit + 1], response, key=lambda each: [each.invitation.id])
    return [invitation_view(each) for each in shown]


@router.get("/funnel", summary="How far those you invited have come", responses=refusals(CompanyNeeded))
async def funnel(caller: Inviter, session: ReadSession, now: Now) -> FunnelView:
    """invited, opened, registered, identity verified, submitted, qualified (but not yet admitted by your group),
    admitted; refused, expired, revoked."""
    group_id = group_of(caller)
    await scope_to(session, group_id)
    seen = await queries.invitations_of_group(session, group_id=group_id, at=now)
    found = actions.counts(seen)
    return FunnelView(total=len(seen), states={state: found.get(state, 0) for state in InvitationState})


@router.post(
    "/opening",
    summary="What a code invites to",
    responses=refusals(InvitationCodeUnknown, InvitationUsed, InvitationRevoked, InvitationExpired),
    openapi_extra=idempotency.EXEMPT,
)
async def open_code(body: CodeGiven, _: Visitor, session: SystemSession, now: Now) -> OpenedView:
    """For whoever holds the code, signed in or not: a company registers at `POST /members/registrations`, then applies.

    In a system session: the invitation belongs to the group that invited.
    """
    return OpenedView.model_validate(await actions.open_code(session, code=body.code, at=now))


@router.get("/{invitation_id}", summary="An invitation", responses=refusals(InvitationNotFound, CompanyNeeded))
async def read(
    invitation_id: UUID, caller: Inviter, session: ReadSession, now: Now, response: Response
) -> InvitationView:
    """With the ETag that a new code or a revocation needs."""
    group_id = group_of(caller)
    await scope_to(session, group_id)
    seen = await queries.invitation(session, group_id=group_id, invitation_id=invitation_id, at=now)
    if seen is None:
        raise InvitationNotFound(f"Your group has no invitation {invitation_id}.")
    response.headers["ETag"] = etag(seen.invitation.version)
    return invitation_view(seen)


_CHANGE = (InvitationNotFound, InvitationUsed, VersionNeeded, VersionChanged, CompanyNeeded)


@router.post(
    "/{invitation_id}/code",
    status_code=201,
    summary="A new code for an invitation",
    responses=refusals(*_CHANGE, InvitationRevoked),
)
async def new_code(
    *,
    request: Request,
    invitation_id: UUID,
    caller: Inviter,
    version: ExpectedVersion,
    session: WriteSession,
    now: Now,
    response: Response,
) -> InvitedView:
    """Also of one that has expired: it holds for thirty days from now. The code before opens nothing."""
    await scope_to(session, caller.scope_id, group_of(caller))
    made = await actions.new_code(
        session,
        group_id=group_of(caller),
        invitation_id=invitation_id,
        expected_version=version,
        valid_for=_valid_for(request),
        at=now,
    )
    view = invited_view(made.invitation, code=made.code)
    idempotency.store_instead(request, view.model_copy(update={"code": None}).model_dump_json().encode())
    response.headers["ETag"] = etag(made.invitation.version)
    return view


@router.post("/{invitation_id}/revocation", summary="Take an invitation back", responses=refusals(*_CHANGE))
async def revoke(
    *,
    invitation_id: UUID,
    caller: Inviter,
    version: ExpectedVersion,
    session: WriteSession,
    now: Now,
    response: Response,
) -> InvitationView:
    """Its code opens nothing from now on. One that was accepted stays: what follows is the contractor's admission."""
    await scope_to(session, caller.scope_id, group_of(caller))
    await actions.revoke(
        session, group_id=group_of(caller), invitation_id=invitation_id, expected_version=version, at=now
    )
    seen = await queries.invitation(session, group_id=group_of(caller), invitation_id=invitation_id, at=now)
    assert seen is not None  # noqa: S101 - it was just changed
    response.headers["ETag"] = etag(seen.invitation.version)
    return invitation_view(seen)
