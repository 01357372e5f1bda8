"""Whom a number, a name or an old id means today, and which records may be one company."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.suppliers.merging.rules import Basis, MergeState
from services.suppliers.merging.tables import SupplierMerge, SupplierMergeEntry


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """An identity on record, with the supplier it resolves to today."""

    supplier_id: UUID
    name: str
    name_key: str
    region: str | None
    bank_key: str | None
    registration_no: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """Two records that may be one company; the one that was registered first stands first."""

    first: UUID
    second: UUID
    basis: Basis
    first_name: str
    second_name: str


async def survivors(session: AsyncSession, *, supplier_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """The id each of these resolves to: itself, unless it was merged; chains are followed to their end."""
    ids = list(supplier_ids)
    rows = await session.execute(
        text(
            """
            WITH RECURSIVE chain (origin, id) AS (
                SELECT id, id FROM unnest(CAST(:ids AS uuid[])) AS wanted (id)
                UNION
                SELECT c.origin, m.survivor_id FROM chain c
                JOIN supplier_merges m ON m.vanishing_id = c.id AND m.state = 'EFFECTIVE'
            )
            SELECT origin, id FROM chain c WHERE NOT EXISTS (
                SELECT FROM supplier_merges m WHERE m.vanishing_id = c.id AND m.state = 'EFFECTIVE'
            )
            """
        ),
        {"ids": ids},
    )
    return {row.origin: row.id for row in rows}


async def by_tax_id(session: AsyncSession, *, tax_ids: Collection[str]) -> dict[str, tuple[UUID, str]]:
    """The supplier each tax id means today, and the name on the record of that tax id."""
    rows = (
        await session.execute(
            text("SELECT tax_id, company_id, name FROM suppliers WHERE tax_id = ANY (:tax_ids)"),
            {"tax_ids": list(tax_ids)},
        )
    ).all()
    today = await survivors(session, supplier_ids=[row.company_id for row in rows])
    return {row.tax_id: (today[row.company_id], row.name) for row in rows}


async def identities(
    session: AsyncSession, *, name_keys: Collection[str] = (), registration_nos: Collection[str] = ()
) -> Sequence[Known]:
    """What is on record under these keys or old numbers, each with the supplier it means today."""
    rows = (
        await session.execute(
            text(
                "SELECT supplier_id, name, name_key, region, bank_key, registration_no FROM supplier_names "
                "WHERE ended_at IS NULL AND (name_key = ANY (:keys) OR registration_no = ANY (:numbers)) "
                "ORDER BY supplier_id, id"
            ),
            {"keys": list(name_keys), "numbers": list(registration_nos)},
        )
    ).all()
    today = await survivors(session, supplier_ids={row.supplier_id for row in rows})
    return [Known(**{**row._mapping, "supplier_id": today[row.supplier_id]}) for row in rows]  # noqa: SLF001


async def names_of(session: AsyncSession, *, supplier_id: UUID, limit: int) -> Sequence[str]:
    """The names of a supplier and of those merged into it."""
    rows = await session.scalars(
        text(
            """
            WITH RECURSIVE merged (id) AS (
                SELECT CAST(:supplier_id AS uuid)
                UNION
                SELECT m.vanishing_id FROM merged JOIN supplier_merges m ON m.survivor_id = merged.id
                WHERE m.state = 'EFFECTIVE'
            )
            SELECT DISTINCT name FROM (
                SELECT i.name FROM supplier_names i JOIN merged ON merged.id = i.supplier_id
                WHERE i.ended_at IS NULL
                UNION SELECT s.name FROM suppliers s JOIN merged ON merged.id = s.company_id
            ) n ORDER BY name LIMIT :limit
            """
        ),
        {"supplier_id": supplier_id, "limit": limit},
    )
    return rows.all()


async def without_identity(session: AsyncSession, *, limit: int) -> Sequence[Any]:
    """Suppliers whose own record is not among the identities yet, or under a former name only."""
    rows = await session.execute(
        text(
            "SELECT s.company_id, s.name, s.tax_id FROM suppliers s WHERE NOT EXISTS ("
            "  SELECT FROM supplier_names i "
            "  WHERE i.supplier_id = s.company_id AND i.source IS NULL AND i.name = s.name"
            ") ORDER BY s.company_id LIMIT :limit"
        ),
        {"limit": limit},
    )
    return rows.all()


_PAIRS = """
    found AS (
        SELECT least(a.company_id, b.company_id) AS first, greatest(a.company_id, b.company_id) AS second,
            'SAME_USCC' AS basis, 1 AS weight
        FROM suppliers a JOIN suppliers b ON a.tax_id = b.tax_id AND a.company_id < b.company_id
        UNION ALL
        SELECT least(a.supplier_id, b.supplier_id), greatest(a.supplier_id, b.supplier_id), 'SAME_REGISTRATION', 2
        FROM supplier_names a
        JOIN supplier_names b ON a.registration_no = b.registration_no AND a.supplier_id < b.supplier_id
        WHERE a.ended_at IS NULL AND b.ended_at IS NULL
        UNION ALL
        SELECT least(a.supplier_id, b.supplier_id), greatest(a.supplier_id, b.supplier_id), 'NAME_REGION_BANK', 3
        FROM supplier_names a
        JOIN supplier_names b ON a.name_key = b.name_key AND a.bank_key = b.bank_key
            AND coalesce(a.region, b.region, '') = coalesce(b.region, a.region, '') AND a.supplier_id < b.supplier_id
        WHERE a.ended_at IS NULL AND b.ended_at IS NULL
    ), pairs AS (
        SELECT DISTINCT ON (f.first, f.second) f.first, f.second, f.basis FROM found f
        WHERE NOT EXISTS (
            SELECT FROM supplier_merges m WHERE m.state IN ('EFFECTIVE', 'REJECTED')
              AND least(m.survivor_id, m.vanishing_id) = f.first AND greatest(m.survivor_id, m.vanishing_id) = f.second
        ) AND NOT EXISTS (
            SELECT FROM supplier_merges m WHERE m.state = 'EFFECTIVE' AND m.vanishing_id IN (f.first, f.second)
        )
        ORDER BY f.first, f.second, f.weight
    )
"""


async def pairs_page(session: AsyncSession, *, after: tuple[UUID, UUID] | None, limit: int) -> Sequence[Pair]:
    """Pairs nobody decided about yet, in the order of their ids."""
    rows = await session.execute(
        text(
            f"WITH {_PAIRS} SELECT p.*, a.name AS first_name, b.name AS second_name FROM pairs p "
            "JOIN suppliers a ON a.company_id = p.first JOIN suppliers b ON b.company_id = p.second "
            "WHERE CAST(:first AS uuid) IS NULL OR (p.first, p.second) > (CAST(:first AS uuid), CAST(:second AS uuid)) "
            "ORDER BY p.first, p.second LIMIT :limit"
        ),
        {"first": after[0] if after else None, "second": after[1] if after else None, "limit": limit},
    )
    return [Pair(**{**row._mapping, "basis": Basis(row.basis)}) for row in rows]  # noqa: SLF001


async def basis_of(session: AsyncSession, *, first: UUID, second: UUID) -> Basis | None:
    """Why these two may be one company, if anything says so and nobody decided about it."""
    rows = await session.execute(
        text(f"WITH {_PAIRS} SELECT basis FROM pairs WHERE first = :first AND second = :second"),
        {"first": min(first, second), "second": max(first, second)},
    )
    basis = rows.scalar_one_or_none()
    return None if basis is None else Basis(basis)


async def open_duplicates(session: AsyncSession, supplier_ids: Collection[UUID]) -> set[UUID]:
    """Those of these suppliers that stand in a pair nobody decided about; for the gates of stage changes.

    A merge that is only proposed is not decided.
    """
    rows = await session.scalars(
        text(
            f"WITH {_PAIRS} SELECT id FROM pairs, unnest(ARRAY[first, second]) AS id "
            "WHERE id = ANY (CAST(:ids AS uuid[]))"
        ),
        {"ids": list(supplier_ids)},
    )
    return set(rows.all())


async def merge(session: AsyncSession, *, merge_id: UUID) -> SupplierMerge | None:
    """A merge."""
    return await session.get(SupplierMerge, merge_id)


async def merge_for_update(session: AsyncSession, *, merge_id: UUID) -> SupplierMerge | None:
    """A merge, locked."""
    return await session.get(SupplierMerge, merge_id, with_for_update=True, populate_existing=True)


async def merges_page(
    session: AsyncSession, *, state: MergeState | None, before: UUID | None, limit: int
) -> Sequence[SupplierMerge]:
    """Merges, the newest first."""
    query = select(SupplierMerge)
    if state is not None:
        query = query.where(col(SupplierMerge.state) == state)
    if before is not None:
        query = query.where(col(SupplierMerge.id) < before)
    return (await session.scalars(query.order_by(col(SupplierMerge.id).desc()).limit(limit))).all()


async def entries(session: AsyncSession, *, merge_id: UUID) -> Sequence[SupplierMergeEntry]:
    """The history of a merge from its beginning."""
    rows = await session.scalars(
        select(SupplierMergeEntry)
        .where(col(SupplierMergeEntry.merge_id) == merge_id)
        .order_by(col(SupplierMergeEntry.number))
    )
    return rows.all()


async def open_reservations(session: AsyncSession, *, supplier_id: UUID) -> int:
    """How many baskets hold goods of a supplier and are neither placed nor over."""
    counted = await session.scalar(
        text(
            "SELECT count(DISTINCT r.id) FROM reservation_lines l JOIN reservations r ON r.id = l.reservation_id "
            "WHERE l.supplier_id = :supplier_id AND r.state = 'HELD'"
        ),
        {"supplier_id": supplier_id},
    )
    return int(counted or 0)


async def placed_since(session: AsyncSession, *, supplier_id: UUID, since: Any) -> int:
    """How many reservations of a supplier became orders since a moment: `orders` may not have counted them."""
    counted = await session.scalar(
        text(
            "SELECT count(DISTINCT r.id) FROM reservation_lines l JOIN reservations r ON r.id = l.reservation_id "
            "WHERE l.supplier_id = :supplier_id AND r.state = 'CONSUMED' AND r.created_at >= :since "
            "AND l.released_quantity < l.base_quantity"
        ),
        {"supplier_id": supplier_id, "since": since},
    )
    return int(counted or 0)
