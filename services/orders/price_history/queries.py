"""Sums over what a group paid, and codes that wait for a mapping."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def legacy_spend(
    session: AsyncSession, *, group_id: UUID, category: str, since: date, until: date = date.max
) -> tuple[Decimal, Decimal]:
    """What a group paid in a category on its legacy platform, both days included: on mapped codes, and in all.

    A row whose category nobody knows counts against every category: what cannot be placed must not look mapped.
    Rows of the group are seen in its scope or by a system session.
    """
    row = (
        await session.execute(
            text(
                "SELECT "
                "coalesce(sum(amount) FILTER (WHERE mapping_id IS NOT NULL AND category = :category), 0) AS mapped, "
                "coalesce(sum(amount), 0) AS total FROM price_history "
                "WHERE group_id = :group_id AND paid_on BETWEEN :since AND :until AND ended_at IS NULL "
                "AND (category = :category OR category IS NULL)"
            ),
            {"group_id": group_id, "category": category, "since": since, "until": until},
        )
    ).one()
    return Decimal(row.mapped), Decimal(row.total)


async def spend_by_category(session: AsyncSession, *, group_id: UUID, since: date) -> Sequence[Any]:
    """The same sums for every category at once, with those that nobody can place under no category."""
    rows = await session.execute(
        text(
            "SELECT category, count(*) AS rows, count(mapping_id) AS rows_mapped, "
            "coalesce(sum(amount) FILTER (WHERE mapping_id IS NOT NULL), 0) AS mapped, sum(amount) AS total "
            "FROM price_history WHERE group_id = :group_id AND paid_on >= :since AND ended_at IS NULL "
            "GROUP BY category ORDER BY category NULLS LAST"
        ),
        {"group_id": group_id, "since": since},
    )
    return rows.all()


async def legacy_spend_by_month(
    session: AsyncSession, *, group_id: UUID, since: date, until: date
) -> dict[tuple[str, str], tuple[Decimal, Decimal]]:
    """By month and category what a group paid before `until`: on mapped codes, and in all; what nobody can place stands
    under the empty category."""
    rows = await session.execute(
        text(
            "SELECT to_char(paid_on, 'YYYY-MM') AS month, coalesce(category, '') AS category, "
            "coalesce(sum(amount) FILTER (WHERE mapping_id IS NOT NULL), 0) AS mapped, sum(amount) AS total "
            "FROM price_history WHERE group_id = :group_id AND paid_on >= :since AND paid_on < :until "
            "AND ended_at IS NULL GROUP BY 1, 2"
        ),
        {"group_id": group_id, "since": since, "until": until},
    )
    return {(row.month, row.category): (Decimal(row.mapped), Decimal(row.total)) for row in rows}


async def unmapped_codes(session: AsyncSession, *, after: tuple[UUID, str] | None, limit: int) -> Sequence[Any]:
    """Codes whose meaning is not known yet, by company, in order; for the job that asks again."""
    rows = await session.execute(
        text(
            "SELECT DISTINCT company_id, group_id, legacy_code FROM price_history "
            "WHERE mapping_id IS NULL AND ended_at IS NULL "
            "AND (CAST(:company AS uuid) IS NULL OR (company_id, legacy_code) > (CAST(:company AS uuid), :code)) "
            "ORDER BY company_id, legacy_code LIMIT :limit"
        ),
        {"company": after[0] if after else None, "code": after[1] if after else "", "limit": limit},
    )
    return rows.all()
