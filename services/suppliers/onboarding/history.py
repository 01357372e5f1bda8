"""The supplier's history: one hash chain over everything decided and handed in, and what the others are told of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.onboarding import queries
from services.suppliers.onboarding.rules import Decision
from services.suppliers.onboarding.tables import Supplier, SupplierDecision
from shared.clock import business_date
from shared.contracts.suppliers import SUPPLIER_CHANGED, SupplierChanged
from shared.feed import publish
from shared.history import chain_hash
from shared.identity import Principal

WORKER = "suppliers-worker"
"""Who acted where no person did."""


async def record(
    session: AsyncSession,
    supplier: Supplier,
    *,
    decision: Decision,
    reason: str = "",
    by: Principal | None,
    at: datetime,
    detail: Mapping[str, Any] | None = None,
    tell: bool = False,
) -> None:
    """Add to the history, chained to its last entry; the transaction holds the supplier's row locked.

    `tell` publishes the supplier's standing: for entries that change whom it may sell what to.
    """
    before = await queries.last_decision(session, supplier_id=supplier.company_id)
    entry: dict[str, Any] = {
        "decision": str(decision),
        "reason": reason,
        "by": WORKER if by is None else str(by.subject),
        "by_company": None if by is None else str(by.scope_id),
        "at": at.isoformat(),
        "name": supplier.name,
        "tax_id": supplier.tax_id,
        "status": str(supplier.status),
        "level": supplier.level,
        "categories": supplier.categories,
        "regions": supplier.regions,
        "qualified_until": supplier.qualified_until.isoformat() if supplier.qualified_until else None,
        "affiliated_with_operator": supplier.affiliated_with_operator,
        "version": supplier.version,
    }
    if detail is not None:
        entry["detail"] = dict(detail)
    session.add(
        SupplierDecision(
            supplier_id=supplier.company_id,
            number=1 if before is None else before.number + 1,
            entry=entry,
            hash=chain_hash(None if before is None else bytes(before.hash), entry),
            decided_at=at,
        )
    )
    await session.flush()
    if tell:
        await tell_standing(session, supplier, at=at)


async def tell_standing(session: AsyncSession, supplier: Supplier, *, at: datetime) -> None:
    """Publish what the supplier may sell today: without the categories whose papers have ended."""
    await publish(
        session,
        type=SUPPLIER_CHANGED,
        subject=str(supplier.company_id),
        data=SupplierChanged.model_validate(
            {
                "supplier_id": supplier.company_id,
                "name": supplier.name,
                "tax_id": supplier.tax_id,
                "status": str(supplier.status),
                "level": supplier.level,
                "categories": supplier.open_categories(business_date(at)),
                "regions": supplier.regions,
                "qualified_until": supplier.qualified_until,
                "affiliated_with_operator": supplier.affiliated_with_operator,
                "version": supplier.version,
            }
        ),
        at=at,
        company_id=supplier.company_id,
    )
