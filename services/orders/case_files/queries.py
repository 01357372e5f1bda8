"""Reading case files: as the owner, or as the operator's company; and what a file opens."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, or_, select

from services.orders.case_files.tables import CaseFile, CaseFileLook
from services.orders.purchase_orders.tables import PurchaseOrder


async def case_file(
    session: AsyncSession, *, company_id: UUID, case_file_id: UUID, lock: bool = False
) -> CaseFile | None:
    """A file that is about the company, or that the company's staff opened; `lock` holds off its end."""
    query = select(CaseFile).where(
        col(CaseFile.id) == case_file_id,
        or_(col(CaseFile.owner_id) == company_id, col(CaseFile.operator_id) == company_id),
    )
    found = await session.execute(query.with_for_update() if lock else query)
    return found.scalar_one_or_none()


async def case_files_page(
    session: AsyncSession, *, company_id: UUID, after: tuple[UUID] | None, limit: int
) -> Sequence[CaseFile]:
    """Files about the company or opened by its staff, the newest first."""
    query = select(CaseFile).where(or_(col(CaseFile.owner_id) == company_id, col(CaseFile.operator_id) == company_id))
    if after is not None:
        query = query.where(col(CaseFile.id) < after[0])
    return (await session.execute(query.order_by(col(CaseFile.id).desc()).limit(limit))).scalars().all()


async def looks_page(
    session: AsyncSession, *, case_file: CaseFile, after: tuple[UUID] | None, limit: int
) -> Sequence[CaseFileLook]:
    """The looks into a file already found, the newest first."""
    query = select(CaseFileLook).where(
        col(CaseFileLook.owner_id) == case_file.owner_id, col(CaseFileLook.case_file_id) == case_file.id
    )
    if after is not None:
        query = query.where(col(CaseFileLook.id) < after[0])
    return (await session.execute(query.order_by(col(CaseFileLook.id).desc()).limit(limit))).scalars().all()


async def opened_orders_page(
    session: AsyncSession,
    *,
    owner_id: UUID,
    order_ids: Collection[UUID] | None,
    after: tuple[UUID] | None,
    limit: int,
) -> Sequence[PurchaseOrder]:
    """The owner's orders that a file opens, as buyer or as supplier, the newest first."""
    query = select(PurchaseOrder).where(
        or_(col(PurchaseOrder.buyer_id) == owner_id, col(PurchaseOrder.supplier_id) == owner_id)
    )
    if order_ids is not None:
        query = query.where(col(PurchaseOrder.id).in_(order_ids))
    if after is not None:
        query = query.where(col(PurchaseOrder.id) < after[0])
    return (await session.execute(query.order_by(col(PurchaseOrder.id).desc()).limit(limit))).scalars().all()
