"""Blacklists over HTTP, for those who keep one: a contractor group its own, operators the official one."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.blacklists import actions, queries, recording, rules
from services.suppliers.blacklists.actions import (
    AlreadyListed,
    EntryFaulty,
    EntryNotFound,
    EntryOver,
    Named,
    NoOpenProposal,
    NoSuchSupplier,
    NothingChanges,
    ProposalOpen,
    SecondPersonNeeded,
    TaxIdMalformed,
    Wording,
)
from services.suppliers.blacklists.rules import OFFICIAL, EntryStatus, Terms
from services.suppliers.blacklists.schemas import (
    AppealView,
    ChangeAnswer,
    EntryChange,
    EntryHistory,
    EntryRecord,
    EntryTerms,
    EntryView,
    LiftAsked,
    NewEntry,
    OfficialEntry,
    Person,
    ProposalDecision,
    ProposalView,
    ReducedEntry,
    StepView,
)
from services.suppliers.blacklists.tables import BlacklistEntry, BlacklistProposal
from services.suppliers.register.categories import UnknownCategory
from shared.clock import business_date
from shared.contracts.fields import QueryText
from shared.database import ReadSession, SystemSession, WriteSession, scope_to
from shared.errors import Forbidden, refusals
from shared.http import ExpectedVersion, Now, VersionChanged, VersionNeeded, etag
from shared.http import router as house_router
from shared.identity import BUYER_ROLES, Caller, ListKeeper, ListReader, Operator, Principal, Role
from shared.paging import CursorInvalid, PageQuery

router = house_router("/suppliers/blacklist", tag="blacklists")

_CHANGED = (EntryNotFound, EntryOver, VersionChanged, VersionNeeded)


class OnlyTheHeadCompany(Forbidden):
    """Only people of the company at the top of a contractor group keep the group's list; its other companies read
    it."""


def representative_key(request: Request) -> bytes:
    """What keys the hashes of legal representatives; made when the service started."""
    key: bytes = request.app.state.identity_key
    return key


RepresentativeKey = Annotated[bytes, Depends(representative_key)]


def kept_by(caller: Principal) -> list[UUID]:
    """The owners whose lists the caller keeps.

    Raises:
        OnlyTheHeadCompany: see the class.
    """
    owners = [OFFICIAL] if Role.OPERATOR in caller.roles else []
    if caller.roles & {Role.APPROVER, Role.ADMIN}:
        if caller.group == caller.company:
            owners.append(caller.company)
        elif not owners:
            raise OnlyTheHeadCompany("Ask the company at the top of your group.")
    return owners


async def keeping(session: AsyncSession, caller: Principal) -> list[UUID]:
    """The same; the transaction sees the rows of these owners from here on.

    Raises:
        OnlyTheHeadCompany: see the class.
    """
    owners = kept_by(caller)
    await scope_to(session, caller.scope_id, *owners)
    return owners


def terms_of(body: EntryTerms, *, starts_on: date) -> Wording:
    """What a body wants an entry to say."""
    return Wording(
        terms=Terms(
            level=body.level,
            starts_on=starts_on,
            expires_on=body.expires_on,
            categories=frozenset(body.categories),
            regions=frozenset(body.regions),
            project_ids=frozenset(body.project_ids),
        ),
        reason_class=body.reason_class,
        reason=body.reason,
        evidence=body.evidence,
        evidence_sha256=body.evidence_sha256,
    )


def _named(body: NewEntry, key: bytes) -> Named:
    person = body.representative
    if person is not None:
        hashed = rules.representative_hash(key=key, id_number=person.id_number, name=person.name)
        return Named(name=person.name, representative_hash=hashed)
    return Named(supplier_id=body.supplier_id, tax_id=body.tax_id, name=body.name)


def _view(entry: BlacklistEntry, response: Response) -> EntryView:
    response.headers["ETag"] = etag(entry.version)
    return EntryView.model_validate(entry)


def _proposed(proposal: BlacklistProposal | None) -> ProposalView | None:
    return None if proposal is None else ProposalView.model_validate(proposal)


_LISTING = refusals(NoSuchSupplier, UnknownCategory, TaxIdMalformed, EntryFaulty, AlreadyListed, OnlyTheHeadCompany)


@router.post("/entries", summary="Put a supplier on your group's list", status_code=201, responses=_LISTING)
async def put_on_list(
    *,
    body: NewEntry,
    caller: ListKeeper,
    session: WriteSession,
    key: RepresentativeKey,
    now: Now,
    response: Response,
) -> EntryView:
    """It binds your group alone, from the moment of the answer: no new orders, or no invitations, by its level.

    Running orders go on; at STOP_DELIVERY both sides see on them that the delivery is stopped.
    """
    owners = [owner_id for owner_id in await keeping(session, caller) if owner_id != OFFICIAL]
    if not owners:
        raise OnlyTheHeadCompany("An operator puts nobody on a contractor's list.")
    entry = await actions.put_on_list(
        session,
        owner_id=owners[0],
        source=None,
        named=_named(body, key),
        wording=terms_of(body, starts_on=body.starts_on or business_date(now)),
        by=caller,
        at=now,
    )
    response.headers["Location"] = f"/suppliers/blacklist/entries/{entry.id}"
    return _view(entry, response)


@router.post(
    "/official-entries",
    summary="Record an entry of an official list",
    status_code=201,
    responses=refusals(NoSuchSupplier, UnknownCategory, TaxIdMalformed, EntryFaulty, AlreadyListed),
)
async def record_official(
    *,
    body: OfficialEntry,
    caller: Operator,
    session: WriteSession,
    key: RepresentativeKey,
    now: Now,
    response: Response,
) -> EntryView:
    """By an operator, with the list it was taken from. It binds every contractor, and everyone may read it."""
    await keeping(session, caller)
    entry = await actions.put_on_list(
        session,
        owner_id=OFFICIAL,
        source=body.source,
        named=_named(body, key),
        wording=terms_of(body, starts_on=body.starts_on or business_date(now)),
        by=caller,
        at=now,
    )
    response.headers["Location"] = f"/suppliers/blacklist/entries/{entry.id}"
    return _view(entry, response)


@router.get("/entries", summary="Your group's list", responses=refusals(CursorInvalid))
async def list_entries(
    *,
    caller: ListReader,
    session: ReadSession,
    paging: PageQuery,
    response: Response,
    tax_id: Annotated[QueryText | None, Query(max_length=40)] = None,
    status: EntryStatus | None = None,
) -> list[EntryView]:
    """Newest first, with reasons; operators read the official list here."""
    owners = await _reading(session, caller)
    rows = await queries.entries_page(
        session,
        owner_ids=owners,
        tax_id=tax_id,
        status=status,
        after=paging.after_as(UUID),
        limit=paging.limit + 1,
    )
    return [EntryView.model_validate(row) for row in paging.page(rows, response, key=lambda row: [row.id])]


async def _reading(session: AsyncSession, caller: Principal) -> list[UUID]:
    owners = [OFFICIAL] if Role.OPERATOR in caller.roles else []
    if caller.roles & frozenset(BUYER_ROLES):
        owners.append(caller.group)
    await scope_to(session, caller.scope_id, *owners)
    return owners


async def _readable(session: AsyncSession, caller: Principal, entry_id: UUID) -> BlacklistEntry:
    entry = await queries.entry(session, owner_ids=await _reading(session, caller), entry_id=entry_id)
    if entry is None:
        raise EntryNotFound(f"There is no entry {entry_id} on your list.")
    return entry


@router.get("/entries/{entry_id}", summary="An entry of your list", responses=refusals(EntryNotFound))
async def read_entry(entry_id: UUID, caller: ListReader, session: ReadSession, response: Response) -> EntryRecord:
    """With what a second person has to decide, the appeals against it, and the suppliers it is about."""
    entry = await _readable(session, caller, entry_id)
    appeals = (await queries.appeals(session, entries=[entry]))[entry.id]
    return EntryRecord(
        **_view(entry, response).model_dump(),
        supplier_ids=list(await queries.suppliers_hit(session, entry=entry)),
        proposal=_proposed(await queries.open_proposal(session, entry=entry)),
        appeals=[AppealView.model_validate(appeal) for appeal in appeals],
    )


@router.get("/entries/{entry_id}/history", summary="An entry's history", responses=refusals(EntryNotFound))
async def read_history(entry_id: UUID, caller: ListReader, session: ReadSession) -> EntryHistory:
    """Every step with who took it, and whether the hash chain over them holds."""
    entry = await _readable(session, caller, entry_id)
    steps = await queries.history(session, entry=entry)
    fault = recording.fault_in(entry, steps)
    return EntryHistory(
        intact=fault is None,
        fault=fault,
        steps=[StepView(seq=step.seq, entry=step.entry, hash=bytes(step.hash).hex()) for step in steps],
    )


@router.post(
    "/entries/{entry_id}/changes",
    summary="Change an entry",
    responses=refusals(*_CHANGED, EntryFaulty, NothingChanges, ProposalOpen, OnlyTheHeadCompany),
)
async def change(
    *,
    entry_id: UUID,
    body: EntryChange,
    caller: ListKeeper,
    session: WriteSession,
    version: ExpectedVersion,
    now: Now,
    response: Response,
) -> ChangeAnswer:
    """What forbids at least as much as before counts at once: longer, stricter, another wording. What would allow
    anything waits for a second person."""
    entry = await actions.opened(
        session, owner_ids=await keeping(session, caller), entry_id=entry_id, expected_version=version
    )
    wording = terms_of(body, starts_on=entry.starts_on)
    proposal = await actions.change(session, entry=entry, wording=wording, why=body.why, by=caller, at=now)
    return ChangeAnswer(applied=proposal is None, entry=_view(entry, response), proposal=_proposed(proposal))


@router.post(
    "/entries/{entry_id}/lifting",
    summary="Ask to lift an entry",
    responses=refusals(*_CHANGED, ProposalOpen, OnlyTheHeadCompany),
)
async def ask_to_lift(
    *,
    entry_id: UUID,
    body: LiftAsked,
    caller: ListKeeper,
    session: WriteSession,
    version: ExpectedVersion,
    now: Now,
    response: Response,
) -> ChangeAnswer:
    """Another person decides by `…/decision`; until then it counts."""
    entry = await actions.opened(
        session, owner_ids=await keeping(session, caller), entry_id=entry_id, expected_version=version
    )
    proposal = await actions.ask_to_lift(session, entry=entry, why=body.why, by=caller, at=now)
    return ChangeAnswer(applied=False, entry=_view(entry, response), proposal=_proposed(proposal))


@router.post(
    "/entries/{entry_id}/decision",
    summary="Decide what another person asked for",
    responses=refusals(*_CHANGED, NoOpenProposal, SecondPersonNeeded, EntryFaulty, OnlyTheHeadCompany),
)
async def decide(
    *,
    entry_id: UUID,
    body: ProposalDecision,
    caller: ListKeeper,
    session: WriteSession,
    version: ExpectedVersion,
    now: Now,
    response: Response,
) -> ChangeAnswer:
    """By anybody who keeps the list but the person who asked. A lifted entry counts no more from this answer on."""
    entry = await actions.opened(
        session, owner_ids=await keeping(session, caller), entry_id=entry_id, expected_version=version
    )
    approve = body.decision == "approve"
    proposal = await actions.decide(session, entry=entry, approve=approve, note=body.note, by=caller, at=now)
    return ChangeAnswer(applied=approve, entry=_view(entry, response), proposal=_proposed(proposal))


@router.get("/notices", summary="What others let you know of their lists", responses=refusals(CursorInvalid))
async def list_notices(
    *,
    caller: Caller,
    session: ReadSession,
    paging: PageQuery,
    response: Response,
    tax_id: Annotated[QueryText | None, Query(max_length=40)] = None,
) -> list[ReducedEntry]:
    """Official entries, your own group's, and those of groups in your circle: the fact, the class of reason, the
    expiry. Entries of other groups bind nobody else; what follows from them is your own decision."""
    rows = await queries.notices_page(
        session,
        viewer=caller.viewer_keys,
        tax_id=tax_id,
        after=paging.after_as(UUID),
        limit=paging.limit + 1,
    )
    return [ReducedEntry.model_validate(row) for row in paging.page(rows, response, key=lambda row: [row.entry_id])]


# The supplier's record is the operator's to keep, and entries of every owner may be about this person.
@router.put(
    "/representatives/{supplier_id}",
    summary="Record a supplier's legal representative",
    status_code=204,
    responses=refusals(NoSuchSupplier),
)
async def record_representative(
    *, supplier_id: UUID, body: Person, _: Operator, session: SystemSession, key: RepresentativeKey, now: Now
) -> None:
    """Kept as a keyed hash alone. What is listed about the person counts for this supplier from now on."""
    hashed = rules.representative_hash(key=key, id_number=body.id_number, name=body.name)
    await actions.representative_known(session, supplier_id=supplier_id, representative_hash=hashed, at=now)
