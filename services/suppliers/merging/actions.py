"""Merging two records of one company, and undoing it. Two operators; no row of a contractor is touched."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.blacklists import actions as blacklists
from services.suppliers.merging import queries
from services.suppliers.merging.rules import MergeState, bank_key, may_move, name_key, region_of
from services.suppliers.merging.tables import SupplierMerge, SupplierMergeEntry, SupplierName
from services.suppliers.onboarding import actions as onboarding
from services.suppliers.onboarding import queries as onboarding_queries
from services.suppliers.onboarding.actions import SupplierNotFound
from services.suppliers.onboarding.rules import SupplierStatus
from services.suppliers.onboarding.tables import Supplier
from shared.clock import business_date
from shared.errors import Conflict, Forbidden, NotFound
from shared.feed import event_type, publish
from shared.history import chain_hash
from shared.identity import Principal
from shared.ids import new_id
from shared.tax_numbers import province_of, uscc_fault

SUPPLIERS_MERGED = event_type("suppliers", "suppliers.merged")
SUPPLIERS_UNMERGED = event_type("suppliers", "suppliers.unmerged")
_RESERVATION_LIFE = timedelta(hours=1)
"""No reservation is held for longer before it is placed or expires."""


class MergeNotFound(NotFound):
    """No merge has this id."""


class NothingSaysTheyAreOne(Conflict):
    """Neither a number nor name, region and account say that these are one company, or it was decided before."""


class AlreadyMerged(Conflict):
    """One of the records stands for another, or a merge of it is under way."""


class MergeStateWrong(Conflict):
    """The merge is not in a state in which this can be done; `detail` says in which it is."""


class OwnMerge(Forbidden):
    """Who proposed a merge does not decide about it; a second operator does."""


class OpenDocuments(Conflict):
    """The record that would vanish has orders or reservations under way; `orders` and `reservations` count them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What a supplier is known by, as an import or its own record tells it."""

    supplier_id: UUID
    name: str
    region: str | None = None
    bank: str = ""
    registration_no: str | None = None


async def record_identities(session: AsyncSession, *, told: Sequence[Told], source: UUID | None, at: datetime) -> None:
    """Keep what suppliers are known by. Repeating it changes nothing."""
    rows = [
        {
            "supplier_id": each.supplier_id,
            "id": new_id(),
            "name": each.name,
            "name_key": name_key(each.name),
            "region": each.region or region_of(each.name),
            "bank_key": bank_key(each.bank) if each.bank else None,
            "registration_no": each.registration_no,
            "source": source,
            "recorded_at": at,
        }
        for each in told
        if each.name
    ]
    if rows:
        await session.execute(insert(SupplierName).values(rows).on_conflict_do_nothing())


async def complete_identities(session: AsyncSession, *, at: datetime, limit: int = 1000) -> int:
    """Put on record what suppliers' own records say and is not there yet; how many were put."""
    missing = await queries.without_identity(session, limit=limit)
    told = [
        Told(
            supplier_id=row.company_id,
            name=row.name,
            region=province_of(row.tax_id) if uscc_fault(row.tax_id) is None else None,
        )
        for row in missing
    ]
    await record_identities(session, told=told, source=None, at=at)
    return len(told)


async def propose(
    session: AsyncSession, *, survivor_id: UUID, vanishing_id: UUID, reason: str, by: Principal, at: datetime
) -> SupplierMerge:
    """Say that one record stands for another.

    Raises:
        SupplierNotFound, NothingSaysTheyAreOne, AlreadyMerged.
    """
    await _both(session, survivor_id, vanishing_id)
    basis = await queries.basis_of(session, first=survivor_id, second=vanishing_id)
    if basis is None:
        raise NothingSaysTheyAreOne("No number and no name with region and account says that these are one company.")
    merge = SupplierMerge(
        id=new_id(),
        survivor_id=survivor_id,
        vanishing_id=vanishing_id,
        basis=basis,
        reason=reason,
        state=MergeState.PROPOSED,
        proposed_by=by.subject,
        proposed_at=at,
    )
    inserted = await session.execute(
        insert(SupplierMerge).values(merge.model_dump()).on_conflict_do_nothing().returning(SupplierMerge.id)  # type: ignore[call-overload]
    )
    if inserted.one_or_none() is None:
        raise AlreadyMerged("A merge of this record is under way or stands.")
    await _keep(session, merge=merge, what="proposed", reason=reason, by=by, at=at)
    return merge


async def decide(
    session: AsyncSession,
    *,
    merge_id: UUID,
    approve: bool,
    reason: str,
    open_orders: int,
    asked_at: datetime,
    by: Principal,
    at: datetime,
) -> SupplierMerge:
    """Let a merge take effect, or say that these are two companies.

    `open_orders` is what `orders` counted at `asked_at`; goods held or ordered since are counted here.

    Raises:
        MergeNotFound, MergeStateWrong, OwnMerge, AlreadyMerged, OpenDocuments.
    """
    merge = await _to_change(session, merge_id, MergeState.EFFECTIVE if approve else MergeState.REJECTED)
    if merge.proposed_by == by.subject:
        raise OwnMerge("You proposed this merge; a second operator decides about it.")
    if not approve:
        merge.state, merge.decided_by, merge.decided_at = MergeState.REJECTED, by.subject, at
        await _keep(session, merge=merge, what="rejected", reason=reason, by=by, at=at)
        return merge
    _, vanishing = await _both(session, merge.survivor_id, merge.vanishing_id)
    before = _standing(vanishing)
    if vanishing.status == SupplierStatus.QUALIFIED:
        await onboarding.suspend(
            session,
            supplier_id=vanishing.company_id,
            reason=f"Merged into {merge.survivor_id}.",
            expected_version=vanishing.version,
            by=by,
            at=at,
        )
    await _check_open(session, merge=merge, open_orders=open_orders, asked_at=asked_at)
    merge.state, merge.decided_by, merge.decided_at, merge.before = MergeState.EFFECTIVE, by.subject, at, before
    await _keep(session, merge=merge, what="merged", reason=reason, by=by, at=at)
    await blacklists.records_became(session, company_ids=[merge.survivor_id, merge.vanishing_id], at=at)
    await _tell(session, merge, SUPPLIERS_MERGED, at=at)
    return merge


async def _check_open(session: AsyncSession, *, merge: SupplierMerge, open_orders: int, asked_at: datetime) -> None:
    held = await queries.open_reservations(session, supplier_id=merge.vanishing_id)
    since = asked_at - _RESERVATION_LIFE
    held += await queries.placed_since(session, supplier_id=merge.vanishing_id, since=since) if not open_orders else 0
    if open_orders or held:
        raise OpenDocuments(
            f"The record that would vanish has {open_orders} open orders and {held} reservations under way or just "
            "placed; let them end first.",
            orders=open_orders,
            reservations=held,
        )


async def undo(session: AsyncSession, *, merge_id: UUID, reason: str, by: Principal, at: datetime) -> SupplierMerge:
    """Let both records stand for themselves again, the vanished one as it stood before.

    Raises:
        MergeNotFound, MergeStateWrong.
    """
    merge = await _to_change(session, merge_id, MergeState.UNDONE)
    merge.state, merge.undone_by, merge.undone_at = MergeState.UNDONE, by.subject, at
    vanishing = await onboarding_queries.supplier_for_update(session, supplier_id=merge.vanishing_id)
    before = merge.before or {}
    until = datetime.fromisoformat(before["qualified_until"]).date() if before.get("qualified_until") else None
    suspended_by_us = vanishing is not None and vanishing.version == before.get("version", 0) + 1
    still_good = until is None or until >= business_date(at)
    if vanishing is not None and before.get("status") == SupplierStatus.QUALIFIED and suspended_by_us and still_good:
        await onboarding.qualify(
            session,
            supplier_id=vanishing.company_id,
            categories=before["categories"],
            regions=before["regions"],
            until=until,
            reason=f"Merge {merge.id} undone.",
            expected_version=vanishing.version,
            by=by,
            at=at,
        )
    await _keep(session, merge=merge, what="undone", reason=reason, by=by, at=at)
    await blacklists.records_became(session, company_ids=[merge.survivor_id, merge.vanishing_id], at=at)
    await _tell(session, merge, SUPPLIERS_UNMERGED, at=at)
    return merge


def _standing(supplier: Supplier) -> dict[str, Any]:
    until = supplier.qualified_until
    return {
        "status": str(supplier.status),
        "categories": list(supplier.categories),
        "regions": list(supplier.regions),
        "qualified_until": until.isoformat() if until else None,
        "version": supplier.version,
    }


async def _both(session: AsyncSession, survivor_id: UUID, vanishing_id: UUID) -> tuple[Supplier, Supplier]:
    """Both records, locked in the order of their ids, each standing for itself."""
    found = {}
    for supplier_id in sorted({survivor_id, vanishing_id}):
        supplier = await onboarding_queries.supplier_for_update(session, supplier_id=supplier_id)
        if supplier is None:
            raise SupplierNotFound(f"No supplier has the id {supplier_id}.")
        found[supplier_id] = supplier
    today = await queries.survivors(session, supplier_ids=found)
    merged = next((each for each, survivor in today.items() if each != survivor), None)
    if merged is not None:
        raise AlreadyMerged(f"{merged} stands for {today[merged]} already.")
    return found[survivor_id], found[vanishing_id]


async def _to_change(session: AsyncSession, merge_id: UUID, after: MergeState) -> SupplierMerge:
    merge = await queries.merge_for_update(session, merge_id=merge_id)
    if merge is None:
        raise MergeNotFound(f"No merge has the id {merge_id}.")
    if not may_move(MergeState(merge.state), after):
        raise MergeStateWrong(f"The merge is {merge.state}; it cannot become {after}.")
    merge.version += 1
    return merge


async def _keep(
    session: AsyncSession, *, merge: SupplierMerge, what: str, reason: str, by: Principal, at: datetime
) -> None:
    """Add to the merge's history, chained to its last entry."""
    await session.flush()
    before = await queries.entries(session, merge_id=merge.id)
    entry = {
        "what": what,
        "reason": reason,
        "by": str(by.subject),
        "by_company": str(by.scope_id),
        "at": at.isoformat(),
        "survivor_id": str(merge.survivor_id),
        "vanishing_id": str(merge.vanishing_id),
        "basis": str(merge.basis),
        "before": merge.before,
    }
    session.add(
        SupplierMergeEntry(
            merge_id=merge.id,
            number=len(before) + 1,
            entry=entry,
            hash=chain_hash(bytes(before[-1].hash) if before else None, entry),
            at=at,
        )
    )
    await session.flush()


async def _tell(session: AsyncSession, merge: SupplierMerge, kind: str, *, at: datetime) -> None:
    data = {"merge_id": merge.id, "survivor_id": merge.survivor_id, "vanishing_id": merge.vanishing_id}
    await publish(session, type=kind, subject=str(merge.vanishing_id), data=data, at=at, company_id=merge.vanishing_id)
