"""Reading imports page by page, for people."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.importing.store import Import, ids_of, import_of


async def page(
    session: AsyncSession, *, company_id: UUID, kind: str, before: UUID | None, limit: int
) -> Sequence[Import]:
    """A company's imports of a kind, the newest first."""
    rows = await session.execute(
        text(
            "SELECT * FROM legacy_imports WHERE company_id = :company_id AND kind = :kind "
            "AND (CAST(:before AS uuid) IS NULL OR id < CAST(:before AS uuid)) ORDER BY id DESC LIMIT :limit"
        ),
        {"company_id": company_id, "kind": kind, "before": before, "limit": limit},
    )
    return [import_of(row) for row in rows]


async def counts(session: AsyncSession, *, job: Import) -> dict[str, dict[str, int]]:
    """How many rows stand in each state, by outcome."""
    told: dict[str, dict[str, int]] = {}
    rows = await session.execute(
        text(
            "SELECT state, coalesce(outcome, '') AS outcome, count(*) AS n FROM legacy_import_rows "
            "WHERE company_id = :company_id AND import_id = :import_id GROUP BY 1, 2 ORDER BY 1, 2"
        ),
        ids_of(job),
    )
    for row in rows:
        told.setdefault(row.state, {})[row.outcome] = row.n
    return told


async def remark_counts(session: AsyncSession, *, job: Import) -> dict[str, int]:
    """How often each code stands in the error file."""
    rows = await session.execute(
        text(
            "SELECT code, count(DISTINCT row_no) AS n FROM legacy_import_errors "
            "WHERE company_id = :company_id AND import_id = :import_id GROUP BY 1 ORDER BY 2 DESC, 1"
        ),
        ids_of(job),
    )
    return {row.code: row.n for row in rows}


async def remarks_page(
    session: AsyncSession, *, job: Import, after: tuple[int, str, str] | None, limit: int
) -> Sequence[Any]:
    """What was wrong with rows, in the order of the file."""
    rows = await session.execute(
        text(
            'SELECT row_no AS "row", column_name AS "column", code, severity, text FROM legacy_import_errors '
            "WHERE company_id = :company_id AND import_id = :import_id "
            "AND (row_no, column_name, code) > (:row, :column, :code) ORDER BY row_no, column_name, code LIMIT :limit"
        ),
        {**ids_of(job), **dict(zip(("row", "column", "code"), after or (0, "", ""), strict=True)), "limit": limit},
    )
    return rows.all()


async def history_page(session: AsyncSession, *, job: Import, after: UUID | None, limit: int) -> Sequence[Any]:
    """Who did what with an import and its rows, in order."""
    rows = await session.execute(
        text(
            "SELECT id, row_no, before, after, who, who_name, at, note FROM legacy_import_history "
            "WHERE company_id = :company_id AND import_id = :import_id "
            "AND (CAST(:after AS uuid) IS NULL OR id > CAST(:after AS uuid)) ORDER BY id LIMIT :limit"
        ),
        {**ids_of(job), "after": after, "limit": limit},
    )
    return rows.all()
