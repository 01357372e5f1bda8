"""Admitting suppliers, suspending and ending admissions. Each moves the reach of the supplier's offers at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.admissions import queries, rules
from services.suppliers.admissions.rules import AdmissionStatus
from services.suppliers.admissions.tables import Admission, AdmissionHistory
from services.suppliers.onboarding.queries import supplier as supplier_by_id
from services.suppliers.onboarding.rules import SupplierStatus
from services.suppliers.onboarding.tables import Supplier
from services.suppliers.spaces import queries as space_queries
from services.suppliers.spaces.actions import reach_again
from shared.audit import entries as audit
from shared.clock import business_date
from shared.contracts.members import CompanyIdentity
from shared.contracts.suppliers import ADMISSION_CHANGED, AdmissionChanged
from shared.errors import Conflict, FieldError, Forbidden, NotFound
from shared.feed import publish
from shared.history import chain_hash
from shared.http import check_version
from shared.identity import Principal, Role
from shared.ids import new_id


class AdmissionNotFound(NotFound):
    """There is no such admission, or it is neither by nor of your company."""


class GroupNeeded(Conflict):
    """An operator names the group for which it records the admission."""


class NotTheGroup(Forbidden):
    """Only the company at the top of a contractor group admits suppliers for the group."""


class NotAContractorGroup(Conflict):
    """The company is no contractor that takes part, so it has no suppliers of its own."""


class AdmittedSupplierUnknown(NotFound):
    """No supplier has this id."""


class NotCommonlyQualified(Conflict):
    """The supplier is not qualified for a category: the common qualification comes first."""


class AdmissionMoveRefused(Conflict):
    """The admission cannot go from its present status to the one asked for."""


class AdmissionEndPassed(Conflict):
    """The admission would end before today."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recognised:
    """Another group's decision that this one rests on, and by which consent."""

    admission_id: UUID
    group_id: UUID
    decided_on: date
    consent_id: UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What is decided."""

    level: str | None = None
    grade: str | None = None
    until: date | None = None
    evidence: Sequence[dict[str, Any]] = field(default_factory=tuple)
    recognised: Recognised | None = None
    reason: str = ""


def deciding_group(caller: Principal, group_id: UUID | None) -> UUID:
    """The group for which a caller decides: its own, or for an operator the named one.

    Raises:
        GroupNeeded, NotTheGroup: see the classes.
    """
    if Role.OPERATOR in caller.roles:
        if group_id is None:
            raise GroupNeeded("Name the group for which you record this.")
        return group_id
    if caller.company_id is None or group_id not in {None, caller.company_id}:
        raise NotTheGroup("You decide for your own group only.")
    if caller.group_id is not None and caller.group_id != caller.company_id:
        raise NotTheGroup("Your company stands under another; the group's top company admits suppliers.")
    return caller.company_id


async def admit(
    session: AsyncSession,
    *,
    group: CompanyIdentity,
    supplier_id: UUID,
    categories: Sequence[str],
    terms: Terms,
    by: Principal,
    at: datetime,
) -> list[Admission]:
    """Admit a supplier for categories, renew, or lift a suspension; one document a category.

    Raises:
        NotAContractorGroup, AdmittedSupplierUnknown, NotCommonlyQualified, AdmissionEndPassed, NotTheGroup.
    """
    if not rules.takes_part_as_group(kinds=group.kinds, status=group.status):
        raise NotAContractorGroup(f"{group.name} is no contractor that takes part.")
    audit.concerns(session, group.id, supplier_id)
    if await space_queries.top_of(session, company_id=group.id, on=business_date(at)) != group.id:
        raise NotTheGroup(f"{group.name} stands under another company, which admits suppliers for the group.")
    supplier = await supplier_by_id(session, supplier_id=supplier_id)
    if supplier is None:
        raise AdmittedSupplierUnknown(f"No supplier has the id {supplier_id}.")
    wanted = sorted(set(categories))
    _check_qualified(supplier, wanted)
    if terms.until is not None and terms.until < business_date(at):
        raise AdmissionEndPassed(f"{terms.until} has passed.")
    await space_queries.lock_reaches_for_change(session, supplier_ids=[supplier_id])
    standing = await queries.standing_for_update(session, group_id=group.id, supplier_id=supplier_id, categories=wanted)
    decided = []
    for category in wanted:
        admission = standing.get(category)
        what = "renewed" if admission else "admitted"
        if admission is None:
            admission = Admission(
                group_id=group.id,
                id=new_id(),
                supplier_id=supplier_id,
                category=category,
                space_group_id=group.id,
                decided_on=business_date(at),
                version=0,
                created_at=at,
                updated_at=at,
            )
        _take(admission, terms, by=by, at=at)
        await _record(session, admission, what=what, reason=terms.reason, by=by, at=at)
        decided.append(admission)
    await reach_again(session, pairs=[(supplier_id, category) for category in wanted], at=at)
    return decided


def _check_qualified(supplier: Supplier, categories: Sequence[str]) -> None:
    missing = [each for each in categories if each not in supplier.categories]
    if supplier.status != SupplierStatus.QUALIFIED:
        message = f"{supplier.name} is {supplier.status}, not qualified."
        raise NotCommonlyQualified(message)
    if missing:
        errors = [
            FieldError(field="categories", rule="Qualified", message=f"{supplier.name} is not qualified for {each}.")
            for each in missing
        ]
        raise NotCommonlyQualified(errors[0].message, errors=errors)


def _take(admission: Admission, terms: Terms, *, by: Principal, at: datetime) -> None:
    recognised = terms.recognised
    admission.status = AdmissionStatus.ADMITTED
    admission.level, admission.grade, admission.until = terms.level, terms.grade, terms.until
    admission.evidence = [dict(each) for each in terms.evidence]
    admission.relies_on_id = recognised.admission_id if recognised else None
    admission.relies_on_group_id = recognised.group_id if recognised else None
    admission.relies_on_date = recognised.decided_on if recognised else None
    admission.consent_id = recognised.consent_id if recognised else None
    admission.on_behalf = Role.OPERATOR in by.roles and by.company_id != admission.group_id
    admission.decided_on = business_date(at)


async def suspend(
    session: AsyncSession, *, admission_id: UUID, reason: str, expected_version: int, by: Principal, at: datetime
) -> Admission:
    """Stop new business of the group with a supplier in a category. What is ordered goes on (domain.md 5.3).

    Raises:
        AdmissionNotFound, VersionChanged, AdmissionMoveRefused.
    """
    status = AdmissionStatus.SUSPENDED
    return await _decide(
        session, admission_id=admission_id, status=status, what="suspended", reason=reason, version=expected_version,
        by=by, at=at,
    )  # fmt: skip


async def end(
    session: AsyncSession, *, admission_id: UUID, reason: str, expected_version: int, by: Principal, at: datetime
) -> Admission:
    """End an admission for good.

    Raises:
        AdmissionNotFound, VersionChanged, AdmissionMoveRefused.
    """
    status = AdmissionStatus.ENDED
    return await _decide(
        session, admission_id=admission_id, status=status, what="ended", reason=reason, version=expected_version,
        by=by, at=at,
    )  # fmt: skip


async def _decide(
    session: AsyncSession,
    *,
    admission_id: UUID,
    status: AdmissionStatus,
    what: str,
    reason: str,
    version: int,
    by: Principal,
    at: datetime,
) -> Admission:
    seen = await queries.admission_anywhere(session, admission_id=admission_id)
    if seen is None or not may_decide(by, seen):
        raise AdmissionNotFound("There is no such admission, or it is not your group's.")
    audit.concerns(session, seen.group_id, seen.supplier_id)
    await space_queries.lock_reaches_for_change(session, supplier_ids=[seen.supplier_id])
    await session.refresh(seen, with_for_update=True)
    check_version(expected=version, actual=seen.version)
    if not rules.may_become(AdmissionStatus(seen.status), status):
        raise AdmissionMoveRefused(f"An admission that is {seen.status} cannot become {status}.")
    seen.status = status
    await _record(session, seen, what=what, reason=reason, by=by, at=at)
    await reach_again(session, pairs=[(seen.supplier_id, seen.category)], at=at)
    return seen


def may_decide(caller: Principal, admission: Admission) -> bool:
    """Whether a caller decides about an admission: its group, or an operator on its behalf."""
    return Role.OPERATOR in caller.roles or caller.company_id == admission.group_id


async def lapse(session: AsyncSession, *, limit: int, at: datetime) -> int:
    """Let admissions lapse whose last day has passed; how many were looked at."""
    found = await queries.past_their_last_day(session, on=business_date(at), limit=limit)
    # Reaches before rows, as everybody else locks them.
    await space_queries.lock_reaches_for_change(session, supplier_ids=[supplier_id for _, supplier_id in found])
    past = await queries.still_past_for_update(session, admission_ids=[each for each, _ in found], on=business_date(at))
    for admission in past:
        admission.status = AdmissionStatus.LAPSED
        await _record(session, admission, what="lapsed", reason=f"{admission.until} has passed.", by=None, at=at)
    await reach_again(session, pairs=[(each.supplier_id, each.category) for each in past], at=at)
    return len(found)


async def _record(
    session: AsyncSession, admission: Admission, *, what: str, reason: str, by: Principal | None, at: datetime
) -> None:
    """Add to the history, chained to its last entry, and tell the other services."""
    admission.version += 1
    admission.updated_at = at
    admission.history_length += 1
    entry: dict[str, Any] = {
        "admission_id": str(admission.id),
        "number": admission.history_length,
        "decision": what,
        "reason": reason,
        "by": "suppliers-worker" if by is None else str(by.subject),
        "by_company": None if by is None else str(by.scope_id),
        "on_behalf": admission.on_behalf,
        "at": at.isoformat(),
        "group_id": str(admission.group_id),
        "supplier_id": str(admission.supplier_id),
        "category": admission.category,
        "status": str(admission.status),
        "level": admission.level,
        "grade": admission.grade,
        "until": admission.until.isoformat() if admission.until else None,
        "evidence": admission.evidence,
        "relies_on": str(admission.relies_on_id) if admission.relies_on_id else None,
        "consent": str(admission.consent_id) if admission.consent_id else None,
    }
    previous = None if admission.history_hash is None else bytes(admission.history_hash)
    admission.history_hash = chain_hash(previous, entry)
    session.add(admission)
    await session.flush()
    session.add(
        AdmissionHistory(
            group_id=admission.group_id,
            admission_id=admission.id,
            number=admission.history_length,
            supplier_id=admission.supplier_id,
            entry=entry,
            hash=admission.history_hash,
            decided_at=at,
        )
    )
    await session.flush()
    await publish(
        session,
        type=ADMISSION_CHANGED,
        subject=str(admission.id),
        data=AdmissionChanged(
            admission_id=admission.id,
            group_id=admission.group_id,
            supplier_id=admission.supplier_id,
            category=admission.category,
            status=admission.status,
            until=admission.until,
            recognised_from=admission.relies_on_group_id,
        ),
        at=at,
        company_id=admission.group_id,
    )
