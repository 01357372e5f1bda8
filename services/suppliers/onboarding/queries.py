"""Suppliers and their history."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.suppliers.onboarding.tables import Supplier, SupplierDecision


async def supplier_exists(session: AsyncSession, *, supplier_id: UUID) -> bool:
    """Whether a company is registered as a supplier."""
    found = await session.execute(text("SELECT 1 FROM suppliers WHERE company_id = :id"), {"id": supplier_id})
    return found.one_or_none() is not None


async def supplier(session: AsyncSession, *, supplier_id: UUID) -> Supplier | None:
    """One supplier; its identity is known to all."""
    return await session.get(Supplier, supplier_id)


async def supplier_for_update(session: AsyncSession, *, supplier_id: UUID) -> Supplier | None:
    """One supplier, locked: decisions about it are taken one after the other."""
    return await session.get(Supplier, supplier_id, with_for_update=True)


async def suppliers_by_id(session: AsyncSession, *, supplier_ids: Iterable[UUID]) -> dict[UUID, Supplier]:
    """Several suppliers."""
    found = await session.execute(select(Supplier).where(col(Supplier.company_id).in_(list(supplier_ids))))
    return {each.company_id: each for each in found.scalars()}


async def suppliers_page(
    session: AsyncSession, *, status: str | None, after: tuple[UUID] | None, limit: int
) -> Sequence[Supplier]:
    """Suppliers in the order of their registration."""
    query = select(Supplier)
    if status is not None:
        query = query.where(col(Supplier.status) == status)
    if after is not None:
        query = query.where(col(Supplier.company_id) > after[0])
    return (await session.execute(query.order_by(col(Supplier.company_id)).limit(limit))).scalars().all()


async def last_decision(session: AsyncSession, *, supplier_id: UUID) -> SupplierDecision | None:
    """The newest entry of a supplier's history."""
    found = await session.execute(
        select(SupplierDecision)
        .where(col(SupplierDecision.supplier_id) == supplier_id)
        .order_by(col(SupplierDecision.number).desc())
        .limit(1)
    )
    return found.scalar_one_or_none()


async def decisions_page(
    session: AsyncSession, *, supplier_id: UUID, after: tuple[int] | None, limit: int
) -> Sequence[SupplierDecision]:
    """A supplier's history from its beginning."""
    found = await session.execute(
        select(SupplierDecision)
        .where(
            col(SupplierDecision.supplier_id) == supplier_id,
            col(SupplierDecision.number) > (after[0] if after else 0),
        )
        .order_by(col(SupplierDecision.number))
        .limit(limit)
    )
    return found.scalars().all()


async def expired_paper_suppliers(
    session: AsyncSession, *, supplier_ids: Collection[UUID], category: str, on: date
) -> frozenset[UUID]:
    """Of these suppliers those that are active in a category and whose needed paper of it has ended by a day.

    What a gate of a stage change measures (domain.md 3.2): divide by `active_suppliers` of the same.
    """
    found = await session.execute(
        text(
            """
            SELECT company_id FROM suppliers
            WHERE company_id = ANY (:ids) AND status = 'QUALIFIED' AND :category = ANY (categories)
              AND (qualified_until IS NULL OR qualified_until >= :on)
              AND CAST(coalesce(paper_ends -> :category, paper_ends -> '*') ->> 'until' AS date) < :on
            """
        ),
        {"ids": list(supplier_ids), "category": category, "on": on},
    )
    return frozenset(found.scalars())


async def active_suppliers(
    session: AsyncSession, *, supplier_ids: Collection[UUID], category: str, on: date
) -> frozenset[UUID]:
    """Of these suppliers those that are qualified for a category on a day, whatever became of their papers."""
    found = await session.execute(
        text(
            """
            SELECT company_id FROM suppliers
            WHERE company_id = ANY (:ids) AND status = 'QUALIFIED' AND :category = ANY (categories)
              AND (qualified_until IS NULL OR qualified_until >= :on)
            """
        ),
        {"ids": list(supplier_ids), "category": category, "on": on},
    )
    return frozenset(found.scalars())
