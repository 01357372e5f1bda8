"""Decisions about suppliers: registered, qualified, suspended, gone."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.suppliers.onboarding import queries
from services.suppliers.onboarding.history import record
from services.suppliers.onboarding.rules import Decision, Level, SupplierStatus, may_become
from services.suppliers.onboarding.tables import Supplier
from services.suppliers.register.categories import check_categories
from shared.audit import entries as audit
from shared.clock import business_date
from shared.contracts.members import CompanyIdentity
from shared.errors import Conflict, NotFound
from shared.http import check_version
from shared.identity import Principal


class SupplierNotFound(NotFound):
    """No supplier has this id."""


class AlreadySupplier(Conflict):
    """The company is registered as a supplier already."""


class NotASupplierCompany(Conflict):
    """The company is not known to `members` as a supplier, or is not active."""


class StatusForbids(Conflict):
    """The supplier cannot go from its present status to the one asked for."""


class QualifiedUntilPassed(Conflict):
    """A qualification must not end before it begins."""


async def register_supplier(
    session: AsyncSession, *, company: CompanyIdentity, by: Principal, at: datetime
) -> Supplier:
    """Begin a supplier's record with the identity that `members` knows.

    Raises:
        AlreadySupplier, NotASupplierCompany.
    """
    if "supplier" not in company.kinds or company.status != "ACTIVE":
        raise NotASupplierCompany(f"{company.name} is not an active supplier company at members.")
    supplier = Supplier(
        company_id=company.id,
        name=company.name,
        tax_id=company.tax_id.value,
        status=SupplierStatus.REGISTERED,
        affiliated_with_operator=company.affiliated_with_operator,
        created_at=at,
        updated_at=at,
    )
    made = await session.execute(
        insert(Supplier).values(supplier.model_dump()).on_conflict_do_nothing().returning(col(Supplier.company_id))
    )
    if made.one_or_none() is None:
        raise AlreadySupplier(f"{company.name} is a supplier already.")
    await record(session, supplier, decision=Decision.REGISTERED, by=by, at=at, tell=True)
    return supplier


async def qualify(
    session: AsyncSession,
    *,
    supplier_id: UUID,
    categories: Sequence[str],
    regions: Sequence[str],
    until: date | None,
    reason: str,
    expected_version: int,
    by: Principal,
    at: datetime,
    level: Level | None = None,
    detail: Mapping[str, Any] | None = None,
) -> Supplier:
    """Let a supplier sell in categories and regions until a day; also renews, and lifts a suspension.

    `level` None leaves the level as it is; `detail` goes into the history, e.g. which application was approved.

    Raises:
        UnknownCategory, SupplierNotFound, VersionChanged, StatusForbids, QualifiedUntilPassed.
    """
    await check_categories(session, categories)
    supplier = await _to_change(session, supplier_id, expected_version, SupplierStatus.QUALIFIED)
    if until is not None and until < business_date(at):
        raise QualifiedUntilPassed(f"{until} has passed.")
    supplier.categories = sorted(set(categories))
    supplier.regions = sorted(set(regions))
    supplier.qualified_until = until
    supplier.level = level or supplier.level
    await _decide(
        session, supplier, SupplierStatus.QUALIFIED, Decision.QUALIFIED, reason=reason, by=by, at=at, detail=detail
    )
    return supplier


async def suspend(
    session: AsyncSession, *, supplier_id: UUID, reason: str, expected_version: int, by: Principal, at: datetime
) -> Supplier:
    """Stop new business with a supplier. What is ordered goes on (domain.md 5.3).

    Raises:
        SupplierNotFound, VersionChanged, StatusForbids.
    """
    supplier = await _to_change(session, supplier_id, expected_version, SupplierStatus.SUSPENDED)
    await _decide(session, supplier, SupplierStatus.SUSPENDED, Decision.SUSPENDED, reason=reason, by=by, at=at)
    return supplier


async def exit_supplier(
    session: AsyncSession, *, supplier_id: UUID, reason: str, expected_version: int, by: Principal, at: datetime
) -> Supplier:
    """Close a supplier's record for good.

    Raises:
        SupplierNotFound, VersionChanged, StatusForbids.
    """
    supplier = await _to_change(session, supplier_id, expected_version, SupplierStatus.EXITED)
    await _decide(session, supplier, SupplierStatus.EXITED, Decision.EXITED, reason=reason, by=by, at=at)
    return supplier


async def mark_affiliation(session: AsyncSession, *, supplier_id: UUID, affiliated: bool, at: datetime) -> None:
    """The company came into an operator's group, or out of it; buyers see it on every offer."""
    supplier = await queries.supplier_for_update(session, supplier_id=supplier_id)
    if supplier is None or supplier.affiliated_with_operator == affiliated:
        return
    supplier.affiliated_with_operator = affiliated
    itself = Principal(subject=supplier_id, kind="service", name="members", company_id=supplier_id)
    reason = "In an operator's group." if affiliated else "No longer in an operator's group."
    status = SupplierStatus(supplier.status)
    await _decide(session, supplier, status, Decision.AFFILIATION, reason=reason, by=itself, at=at)


async def exit_as_left(session: AsyncSession, *, supplier_id: UUID, at: datetime) -> None:
    """The company left the platform: its record is closed, whatever it stood at; nothing of it is sold any more."""
    supplier = await queries.supplier_for_update(session, supplier_id=supplier_id)
    if supplier is None or supplier.status == SupplierStatus.EXITED:
        return
    itself = Principal(subject=supplier_id, kind="service", name="members", company_id=supplier_id)
    await _decide(
        session, supplier, SupplierStatus.EXITED, Decision.EXITED, reason="The company left.", by=itself, at=at
    )


async def _to_change(
    session: AsyncSession, supplier_id: UUID, expected_version: int, after: SupplierStatus
) -> Supplier:
    audit.concerns(session, supplier_id)
    supplier = await queries.supplier_for_update(session, supplier_id=supplier_id)
    if supplier is None:
        raise SupplierNotFound(f"No supplier has the id {supplier_id}.")
    check_version(expected=expected_version, actual=supplier.version)
    if not may_become(SupplierStatus(supplier.status), after):
        raise StatusForbids(f"A supplier that is {supplier.status} cannot become {after}.")
    return supplier


async def _decide(
    session: AsyncSession,
    supplier: Supplier,
    status: SupplierStatus,
    decision: Decision,
    *,
    reason: str,
    by: Principal,
    at: datetime,
    detail: Mapping[str, Any] | None = None,
) -> None:
    supplier.status = status
    supplier.version += 1
    supplier.updated_at = at
    await session.flush()
    await record(session, supplier, decision=decision, reason=reason, by=by, at=at, detail=detail, tell=True)
