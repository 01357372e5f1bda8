"""Reading a group's relations. Row level security shows them to the group and to the company that sent them."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def relations_page(session: AsyncSession, *, group_id: UUID, after: UUID | None, limit: int) -> Sequence[Any]:
    """A group's current relations with the supplier each means today, in the order of their making."""
    rows = await session.execute(
        text(
            """
            SELECT r.id, r.supplier_id, r.name, r.category, r.grade, r.list_status, r.bank, r.contacts, r.recorded_at,
                coalesce((
                    WITH RECURSIVE chain (id, depth) AS (
                        SELECT r.supplier_id, 0
                        UNION ALL
                        SELECT m.survivor_id, chain.depth + 1 FROM chain
                        JOIN supplier_merges m ON m.vanishing_id = chain.id AND m.state = 'EFFECTIVE'
                        WHERE chain.depth < 32
                    ) SELECT id FROM chain ORDER BY depth DESC LIMIT 1
                ), r.supplier_id) AS resolves_to
            FROM supplier_relations r
            WHERE r.group_id = :group_id AND r.ended_at IS NULL
              AND (CAST(:after AS uuid) IS NULL OR r.id > CAST(:after AS uuid))
            ORDER BY r.id LIMIT :limit
            """
        ),
        {"group_id": group_id, "after": after, "limit": limit},
    )
    return rows.all()


async def relation_ids(session: AsyncSession, *, ids: Collection[UUID]) -> set[UUID]:
    """Those of these relations that the session may see."""
    rows = await session.scalars(
        text("SELECT id FROM supplier_relations WHERE id = ANY (CAST(:ids AS uuid[]))"), {"ids": list(ids)}
    )
    return set(rows.all())


async def made_and_used(session: AsyncSession, *, supplier_ids: Collection[UUID]) -> int:
    """How many of the records that an import made have been decided about since."""
    counted = await session.scalar(
        text("SELECT count(*) FROM suppliers WHERE company_id = ANY (CAST(:ids AS uuid[])) AND status <> 'REGISTERED'"),
        {"ids": list(supplier_ids)},
    )
    return int(counted or 0)


async def numbers_of_group(session: AsyncSession, *, group_id: UUID) -> dict[UUID, str]:
    """The tax id of every supplier a group has a relation to."""
    rows = await session.execute(
        text(
            "SELECT DISTINCT s.company_id, s.tax_id FROM supplier_relations r "
            "JOIN suppliers s ON s.company_id = r.supplier_id WHERE r.group_id = :group_id AND r.ended_at IS NULL"
        ),
        {"group_id": group_id},
    )
    return {row.company_id: row.tax_id for row in rows}
