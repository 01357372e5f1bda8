"""Reading staged lines. Row level security shows them to the group's companies in scope and to the supplier."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, or_, select

from services.orders.agreements.tables import StagedAgreementLine


async def staged_days(session: AsyncSession, *, group_id: UUID, supplier_ids: Sequence[UUID]) -> Sequence[Any]:
    """What is staged already of a group with these suppliers: whose, of what, where and for which days."""
    rows = await session.execute(
        text(
            "SELECT supplier_id, variant_id, region, valid_from, valid_to FROM staged_agreement_lines "
            "WHERE group_id = :group_id AND supplier_id = ANY (CAST(:ids AS uuid[])) AND withdrawn_at IS NULL"
        ),
        {"group_id": group_id, "ids": list(supplier_ids)},
    )
    return rows.all()


async def staged_page(
    session: AsyncSession, *, group_id: UUID, party_id: UUID, after: UUID | None, limit: int
) -> Sequence[StagedAgreementLine]:
    """The lines of a group, and those of which a company is the supplier."""
    line = StagedAgreementLine
    query = select(line).where(
        or_(col(line.group_id) == group_id, col(line.supplier_id) == party_id), col(line.withdrawn_at).is_(None)
    )
    if after is not None:
        query = query.where(col(line.id) > after)
    return (await session.scalars(query.order_by(col(line.id)).limit(limit))).all()
