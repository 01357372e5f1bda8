"""What ends soon is told in steps; what has ended is put on record and told to those who show offers."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.onboarding import queries as supplier_queries
from services.suppliers.onboarding.history import record
from services.suppliers.onboarding.rules import Decision
from services.suppliers.papers import queries, rules
from shared.clock import business_date
from shared.contracts.suppliers import DOCUMENT_EXPIRING, DocumentExpiring
from shared.feed import publish

_HORIZON = timedelta(days=max(rules.STEPS) - 1)


async def warn(session: AsyncSession, *, limit: int, at: datetime) -> int:
    """Tell up to `limit` warnings that are due by the business day, each once; how many were told.

    New business stops by the day itself (`offers.rules.is_qualified`), whether or not this ran; here it is told.
    """
    today = business_date(at)
    due = await queries.put_warnings(session, today=today, horizon=today + _HORIZON, limit=limit, at=at)
    for row in due:
        await publish(
            session,
            type=DOCUMENT_EXPIRING,
            subject=str(row.supplier_id),
            data=DocumentExpiring(
                supplier_id=row.supplier_id,
                subject=row.subject,
                subject_id=row.subject_id,
                kind=row.kind,
                categories=row.categories,
                ends_on=row.ends_on,
                step=row.step,
            ),
            at=at,
            company_id=row.supplier_id,
        )
    ended: dict[UUID, list[Any]] = {}
    for row in due:
        if row.subject == "paper" and row.step == 0:
            ended.setdefault(row.supplier_id, []).append(row)
    for supplier_id in sorted(ended):
        await _stop(session, supplier_id=supplier_id, ended=ended[supplier_id], at=at)
    return len(due)


async def _stop(session: AsyncSession, *, supplier_id: UUID, ended: list[Any], at: datetime) -> None:
    supplier = await supplier_queries.supplier_for_update(session, supplier_id=supplier_id)
    assert supplier is not None  # noqa: S101 - suppliers are never deleted
    closed = sorted(set(supplier.categories) - set(supplier.open_categories(business_date(at))))
    papers = [{"paper_id": str(row.subject_id), "kind": row.kind, "ended_on": row.ends_on.isoformat()} for row in ended]
    await record(
        session,
        supplier,
        decision=Decision.PAPERS_ENDED,
        by=None,
        at=at,
        detail={"papers": papers, "closed_categories": closed},
        tell=True,
    )
