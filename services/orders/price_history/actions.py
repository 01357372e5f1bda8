"""Keeping what was paid, noting what its codes mean, taking it back. No event tells of it (T1)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.catalog import CodeMeaning
from shared.errors import Conflict
from shared.importing.store import Import


class PriceHistoryInUse(Conflict):
    """Never raised while nothing is made of it: what was paid is statistics only."""


_INSERT = text(
    """
    INSERT INTO price_history (
        company_id, import_id, row_no, group_id, paid_on, legacy_code, price, unit, quantity, amount, category,
        variant_id, mapping_id, mapping_version, recorded_at
    )
    SELECT :company_id, :import_id, row_no, :group_id, paid_on, legacy_code, price, unit, quantity, amount, category,
        variant_id, mapping_id, mapping_version, :at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (
        row_no bigint, paid_on date, legacy_code text, price numeric, unit text, quantity numeric, amount numeric,
        category text, variant_id uuid, mapping_id uuid, mapping_version integer
    )
    ORDER BY row_no
    """
)
_NOTE = text(
    """
    UPDATE price_history p SET variant_id = new.variant_id, mapping_id = new.mapping_id,
        mapping_version = new.mapping_version, category = new.category
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (
        code text, variant_id uuid, mapping_id uuid, mapping_version integer, category text
    )
    WHERE p.company_id = :company_id AND p.legacy_code = new.code AND p.mapping_id IS NULL AND p.ended_at IS NULL
    """
)


async def keep(session: AsyncSession, *, job: Import, rows: Sequence[dict[str, Any]], at: datetime) -> int:
    """Keep rows of an import."""
    values = {"company_id": job.company_id, "group_id": job.group_id, "import_id": job.id, "at": at}
    await session.execute(_INSERT, {**values, "rows": orjson.dumps(rows, default=str).decode()})
    return len(rows)


async def note_meanings(
    session: AsyncSession, *, company_id: UUID, meanings: Mapping[str, Sequence[CodeMeaning]]
) -> int:
    """Note what codes mean on rows that did not say; a row that says it already keeps its version."""
    rows = [{"code": code, **meaning_of(means)} for code, means in meanings.items() if means]
    if not rows:
        return 0
    done = await session.execute(_NOTE, {"company_id": company_id, "rows": orjson.dumps(rows, default=str).decode()})
    return int(done.rowcount)  # type: ignore[attr-defined]


def meaning_of(means: Sequence[CodeMeaning]) -> dict[str, Any]:
    """What is noted of a mapping: its first part, for a split or a kit too."""
    first = means[0]
    return {
        "variant_id": str(first.variant_id),
        "mapping_id": str(first.mapping_id),
        "mapping_version": first.version,
        "category": first.category,
    }


async def take_back(session: AsyncSession, *, job: Import, at: datetime) -> None:
    """End the rows of an import."""
    await session.execute(
        text(
            "UPDATE price_history SET ended_at = :at "
            "WHERE company_id = :company_id AND import_id = :import_id AND ended_at IS NULL"
        ),
        {"company_id": job.company_id, "import_id": job.id, "at": at},
    )
