"""Keeping what a published supplier list says of each supplier, and taking it back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.supplier_imports import queries
from services.suppliers.supplier_imports.rules import Outcome
from shared.errors import Conflict
from shared.importing import store
from shared.importing.states import RowState
from shared.importing.store import Import


class SupplierImportInUse(Conflict):
    """Suppliers that this import brought were decided about since: correct the list by a later file."""


class SupplierImportSuperseded(Conflict):
    """A later import replaced what this one said of a supplier: roll that one back first."""


_END_EARLIER = text(
    """
    UPDATE supplier_relations SET ended_at = :at, ended_by = :import_id
    WHERE group_id = :group_id AND ended_at IS NULL
      AND supplier_id IN (SELECT supplier_id FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (supplier_id uuid))
    """
)
_INSERT = text(
    """
    INSERT INTO supplier_relations (
        group_id, company_id, supplier_id, name, category, grade, list_status, bank, contacts, import_id, row_no,
        recorded_at
    )
    SELECT :group_id, :company_id, supplier_id, name, category, grade, list_status, bank, contacts, :import_id,
        row_no, :at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (
        row_no bigint, supplier_id uuid, name text, category text, grade text, list_status text, bank text,
        contacts text
    )
    ORDER BY row_no
    """
)


async def keep_relations(session: AsyncSession, *, job: Import, rows: Sequence[dict[str, Any]], at: datetime) -> int:
    """Keep one relation a supplier; the group's earlier ones end."""
    values = {
        "company_id": job.company_id,
        "group_id": job.group_id,
        "import_id": job.id,
        "rows": orjson.dumps(rows, default=str).decode(),
        "at": at,
    }
    await session.execute(_END_EARLIER, {name: values[name] for name in ("group_id", "import_id", "rows", "at")})
    await session.execute(_INSERT, values)
    return len(rows)


async def take_back(session: AsyncSession, *, job: Import, at: datetime) -> None:
    """End what an import said, and let what it replaced hold again.

    The records of suppliers stay: that a company exists is true whoever said so, and a REGISTERED record has no
    rights.

    Raises:
        SupplierImportInUse, SupplierImportSuperseded.
    """
    rows = await store.rows_of(session, job=job, state=RowState.READY, outcome=Outcome.NEW)
    made = [UUID(row.result["supplier_id"]) for row in rows if "supplier_id" in row.result]
    used = await queries.made_and_used(session, supplier_ids=made)
    if used:
        raise SupplierImportInUse(f"{used} suppliers of this import were decided about; correct it by a later file.")
    ids = {"company_id": job.company_id, "import_id": job.id}
    superseded = await session.scalar(
        text(
            "SELECT count(*) FROM supplier_relations WHERE company_id = :company_id AND import_id = :import_id "
            "AND ended_at IS NOT NULL"
        ),
        ids,
    )
    if superseded:
        raise SupplierImportSuperseded(f"A later import replaced {superseded} relations; roll that one back first.")
    await session.execute(
        text(
            "UPDATE supplier_relations SET ended_at = :at, ended_by = :import_id "
            "WHERE company_id = :company_id AND import_id = :import_id"
        ),
        {**ids, "at": at},
    )
    await session.execute(
        text(
            "UPDATE supplier_relations SET ended_at = NULL, ended_by = NULL "
            "WHERE group_id = :group_id AND ended_by = :import_id AND import_id <> :import_id"
        ),
        {"group_id": job.group_id, "import_id": job.id},
    )
    await session.execute(
        text("UPDATE supplier_names SET ended_at = :at WHERE source = :import_id AND ended_at IS NULL"),
        {"import_id": job.id, "at": at},
    )
