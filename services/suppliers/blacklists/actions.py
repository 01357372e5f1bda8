"""Putting on the list, changing an entry, lifting it: whatever softens needs a second person."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.suppliers.blacklists import queries, recording, rules
from services.suppliers.blacklists.rules import EntryStatus, Level, ProposalStatus, ReasonClass, SubjectKind, Terms
from services.suppliers.blacklists.tables import BlacklistEntry, BlacklistProposal
from services.suppliers.onboarding import queries as supplier_queries
from services.suppliers.onboarding.tables import Supplier
from services.suppliers.register.categories import check_categories
from shared.clock import business_date
from shared.errors import Conflict, FieldError, Forbidden, NotFound, Unprocessable
from shared.http import check_version
from shared.identity import Principal
from shared.ids import new_id


class EntryNotFound(NotFound):
    """There is no such entry, or it is not your group's."""


class NoSuchSupplier(Unprocessable):
    """`supplier_id` names no supplier."""


class TaxIdMalformed(Unprocessable):
    """A company that is not registered here is named by an 18-character code whose check digit holds."""


class EntryFaulty(Unprocessable):
    """The entry cannot stand like this; `errors` names the fields."""


class AlreadyListed(Conflict):
    """The owner has an active entry about the same company or person; change that one."""


class EntryOver(Conflict):
    """The entry was lifted or has expired; its history stays, and nothing of it changes any more."""


class NothingChanges(Conflict):
    """The entry says all of this already."""


class ProposalOpen(Conflict):
    """Somebody has asked for a change of this entry already; it is decided first."""


class NoOpenProposal(Conflict):
    """Nobody has asked for a change of this entry that were still undecided."""


class SecondPersonNeeded(Forbidden):
    """Who asked to lift or soften an entry does not decide it: that takes another person."""


@dataclass(frozen=True, kw_only=True)
class Wording:
    """What an entry says beside whom it is about."""

    terms: Terms
    reason_class: ReasonClass
    reason: str
    evidence: str | None
    evidence_sha256: str | None


@dataclass(frozen=True, kw_only=True)
class Named:
    """Whom an entry is about: one of the three, as the person at the desk knows it."""

    supplier_id: UUID | None = None
    tax_id: str | None = None
    name: str | None = None
    representative_hash: bytes | None = None


async def put_on_list(
    session: AsyncSession,
    *,
    owner_id: UUID,
    source: str | None,
    named: Named,
    wording: Wording,
    by: Principal,
    at: datetime,
    detail: Mapping[str, Any] | None = None,
) -> BlacklistEntry:
    """One person with the right is enough; it counts from the moment it is committed. `detail` goes into its history.

    Raises:
        UnknownCategory, NoSuchSupplier, TaxIdMalformed, EntryFaulty, AlreadyListed.
    """
    await check_categories(session, wording.terms.categories)
    _check_days(wording.terms, today=business_date(at))
    entry = BlacklistEntry(
        owner_id=owner_id,
        id=new_id(),
        source=source,
        **await _subject(session, named),
        **_columns(wording),
        listed_by=by.subject,
        listed_at=at,
        updated_at=at,
    )
    await _refuse_second(session, entry)
    session.add(entry)
    await recording.recorded(session, entry, what="listed", by=by, detail=detail or {}, at=at)
    return entry


async def _subject(session: AsyncSession, named: Named) -> dict[str, Any]:
    if named.representative_hash is not None:
        return {
            "subject_kind": SubjectKind.REPRESENTATIVE,
            "representative_hash": named.representative_hash,
            "subject_name": rules.masked(named.name or ""),
        }
    supplier: Supplier | None = None
    if named.supplier_id is not None:
        supplier = await supplier_queries.supplier(session, supplier_id=named.supplier_id)
        if supplier is None:
            raise NoSuchSupplier(f"No supplier has the id {named.supplier_id}.")
    elif named.tax_id is not None:
        supplier = await queries.supplier_of_tax_id(session, tax_id=named.tax_id)
    if supplier is not None:
        return {
            "subject_kind": SubjectKind.SUPPLIER,
            "supplier_id": supplier.company_id,
            "tax_id": supplier.tax_id,
            "subject_name": supplier.name,
        }
    if named.tax_id is None or not rules.is_uscc(named.tax_id):
        raise TaxIdMalformed(f"{named.tax_id} is no registered supplier's number, nor one with a right check digit.")
    return {
        "subject_kind": SubjectKind.SUPPLIER,
        "tax_id": named.tax_id,
        "subject_name": named.name or named.tax_id,
    }


async def _refuse_second(session: AsyncSession, entry: BlacklistEntry) -> None:
    """The unique indexes stand behind this."""
    subject = entry.tax_id or (entry.representative_hash or b"").hex()
    await queries.one_at_a_time(session, entry.owner_id, subject)
    same = (
        col(BlacklistEntry.tax_id) == entry.tax_id
        if entry.tax_id is not None
        else col(BlacklistEntry.representative_hash) == entry.representative_hash
    )
    found = await session.scalar(
        select(BlacklistEntry.id).where(
            col(BlacklistEntry.owner_id) == entry.owner_id, col(BlacklistEntry.status) == EntryStatus.ACTIVE, same
        )
    )
    if found is not None:
        raise AlreadyListed(f"Entry {found} is about the same subject; change that one.", entry_id=str(found))


def _check_days(terms: Terms, *, today: date) -> None:
    faults = rules.day_faults(starts_on=terms.starts_on, expires_on=terms.expires_on, today=today)
    if faults:
        errors = [FieldError(field=each.field, rule=each.rule, message=each.message) for each in faults]
        raise EntryFaulty(errors[0].message, errors=errors)


def _columns(wording: Wording) -> dict[str, Any]:
    terms = wording.terms
    return {
        "level": str(terms.level),
        "reason_class": str(wording.reason_class),
        "reason": wording.reason,
        "evidence": wording.evidence,
        "evidence_sha256": wording.evidence_sha256,
        "categories": sorted(terms.categories),
        "regions": sorted(terms.regions),
        "project_ids": sorted(terms.project_ids),
        "starts_on": terms.starts_on,
        "expires_on": terms.expires_on,
    }


def wording_of(entry: BlacklistEntry) -> Wording:
    """What an entry says now."""
    return Wording(
        terms=entry.terms,
        reason_class=entry.class_of_reason,
        reason=entry.reason,
        evidence=entry.evidence,
        evidence_sha256=entry.evidence_sha256,
    )


def _plain(wording: Wording) -> dict[str, Any]:
    columns = _columns(wording)
    columns["project_ids"] = [str(each) for each in columns["project_ids"]]
    return columns | {day: columns[day].isoformat() for day in ("starts_on", "expires_on")}


def _from_plain(plain: Mapping[str, Any]) -> Wording:
    return Wording(
        terms=Terms(
            level=Level(plain["level"]),
            starts_on=date.fromisoformat(plain["starts_on"]),
            expires_on=date.fromisoformat(plain["expires_on"]),
            categories=frozenset(plain["categories"]),
            regions=frozenset(plain["regions"]),
            project_ids=frozenset(UUID(each) for each in plain["project_ids"]),
        ),
        reason_class=ReasonClass(plain["reason_class"]),
        reason=plain["reason"],
        evidence=plain["evidence"],
        evidence_sha256=plain["evidence_sha256"],
    )


async def opened(
    session: AsyncSession, *, owner_ids: Sequence[UUID], entry_id: UUID, expected_version: int
) -> BlacklistEntry:
    """An active entry of the caller's, locked, in the version the caller saw.

    Raises:
        EntryNotFound, VersionChanged, EntryOver.
    """
    entry = await queries.entry(session, owner_ids=owner_ids, entry_id=entry_id, lock=True)
    if entry is None:
        raise EntryNotFound(f"There is no entry {entry_id} on your list.")
    check_version(expected=expected_version, actual=entry.version)
    if entry.status != EntryStatus.ACTIVE:
        raise EntryOver(f"The entry is {entry.status}.")
    return entry


async def change(
    session: AsyncSession, *, entry: BlacklistEntry, wording: Wording, why: str, by: Principal, at: datetime
) -> BlacklistProposal | None:
    """Let an entry say something else. What forbids as much as before counts at once; else it is a proposal.

    Raises:
        EntryFaulty, NothingChanges, ProposalOpen.
    """
    if _columns(wording) == _columns(wording_of(entry)):
        raise NothingChanges("The entry says all of this already.")
    _check_days(wording.terms, today=business_date(at))
    if rules.softer(entry.terms, wording.terms):
        return await _propose(session, entry, after=_plain(wording), why=why, by=by, at=at)
    _take(entry, wording)
    await recording.recorded(session, entry, what="changed", by=by, detail={"why": why}, at=at)
    return None


async def ask_to_lift(
    session: AsyncSession, *, entry: BlacklistEntry, why: str, by: Principal, at: datetime
) -> BlacklistProposal:
    """Ask that an entry end now; another person decides.

    Raises:
        ProposalOpen.
    """
    return await _propose(session, entry, after=None, why=why, by=by, at=at)


async def decide(
    session: AsyncSession, *, entry: BlacklistEntry, approve: bool, note: str | None, by: Principal, at: datetime
) -> BlacklistProposal:
    """Yes or no to what somebody else asked for.

    Raises:
        NoOpenProposal, SecondPersonNeeded, EntryFaulty.
    """
    proposal = await queries.open_proposal(session, entry=entry)
    if proposal is None:
        raise NoOpenProposal("Nobody has asked for a change of this entry.")
    if proposal.asked_by == by.subject:
        raise SecondPersonNeeded("You asked for this yourself; another person decides.")
    proposal.status = ProposalStatus.APPROVED if approve else ProposalStatus.REJECTED
    proposal.decided_by, proposal.decided_at, proposal.note = by.subject, at, note
    detail = {"proposal_id": str(proposal.id), "asked_by": str(proposal.asked_by), "why": proposal.why, "note": note}
    if not approve:
        entry.version += 1
        await recording.recorded(session, entry, what="proposal rejected", by=by, detail=detail, at=at)
    elif proposal.after is None:
        await lift(session, entry=entry, asked_by=proposal.asked_by, what="lifted", detail=detail, by=by, at=at)
    else:
        wording = _from_plain(proposal.after)
        _check_days(wording.terms, today=business_date(at))
        _take(entry, wording)
        await recording.recorded(session, entry, what="softened", by=by, detail=detail, at=at)
    return proposal


async def lift(
    session: AsyncSession,
    *,
    entry: BlacklistEntry,
    asked_by: UUID,
    what: str,
    detail: Mapping[str, Any],
    by: Principal,
    at: datetime,
) -> None:
    """End an active entry, asked for by one person and decided by another."""
    entry.status = EntryStatus.LIFTED
    entry.lift_asked_by, entry.lifted_by, entry.lifted_at = asked_by, by.subject, at
    entry.version += 1
    await recording.recorded(session, entry, what=what, by=by, detail=detail, at=at)


async def _propose(
    session: AsyncSession, entry: BlacklistEntry, *, after: dict[str, Any] | None, why: str, by: Principal, at: datetime
) -> BlacklistProposal:
    if await queries.open_proposal(session, entry=entry) is not None:
        raise ProposalOpen("Somebody has asked for a change of this entry already.")
    proposal = BlacklistProposal(
        owner_id=entry.owner_id,
        entry_id=entry.id,
        id=new_id(),
        lift=after is None,
        after=after,
        why=why,
        asked_by=by.subject,
        asked_at=at,
    )
    session.add(proposal)
    entry.version += 1
    detail = {"proposal_id": str(proposal.id), "lift": after is None, "after": after, "why": why}
    await recording.recorded(session, entry, what="softening asked", by=by, detail=detail, at=at)
    return proposal


def _take(entry: BlacklistEntry, wording: Wording) -> None:
    for name, value in _columns(wording).items():
        setattr(entry, name, value)
    entry.version += 1


async def expire(session: AsyncSession, *, at: datetime, limit: int) -> int:
    """End what ran out by its date; it has not counted since that day. How many."""
    entries = await queries.expired_skip_locked(session, today=business_date(at), limit=limit)
    for entry in entries:
        entry.status = EntryStatus.EXPIRED
        entry.version += 1
        await recording.recorded(session, entry, what="expired", by=None, detail={}, at=at)
    return len(entries)


async def representative_known(
    session: AsyncSession, *, supplier_id: UUID, representative_hash: bytes, at: datetime
) -> None:
    """Keep who legally represents a supplier; what is listed about that person counts for the supplier from now on.

    Raises:
        NoSuchSupplier: see the class.
    """
    supplier = await supplier_queries.supplier_for_update(session, supplier_id=supplier_id)
    if supplier is None:
        raise NoSuchSupplier(f"No supplier has the id {supplier_id}.")
    before = supplier.representative_hash
    if before is not None and bytes(before) == representative_hash:
        return
    await queries.subjects_change(session)
    supplier.representative_hash = representative_hash
    await session.flush()
    touched = await session.scalars(
        select(BlacklistEntry).where(
            col(BlacklistEntry.status) == EntryStatus.ACTIVE,
            col(BlacklistEntry.representative_hash).in_([each for each in (before, representative_hash) if each]),
        )
    )
    for entry in touched:
        await recording.told(session, entry, what="subject changed", at=at)


async def records_became(session: AsyncSession, *, company_ids: Collection[UUID], at: datetime) -> None:
    """Two records were said to be one company, or to be two again: what is listed about either counts accordingly.

    Every list is read anew by whoever keeps one in memory, and who follows lists hears of the entries concerned.
    """
    await queries.subjects_change(session)
    await session.execute(text("UPDATE blacklist_versions SET version = version + 1"))
    for entry in await queries.entries_naming(session, supplier_ids=company_ids):
        await recording.told(session, entry, what="subject changed", at=at)
