"""Staging lines of legacy agreements and taking them back. No event tells of them: they are prices (T1)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.errors import Conflict
from shared.importing.store import Import


class AgreementsInUse(Conflict):
    """Agreements were made of lines of this import: correct them by amendments."""


_INSERT = text(
    """
    INSERT INTO staged_agreement_lines (
        group_id, company_id, supplier_id, agreement_no, legacy_code, variant_id, variant_key, mapping_id,
        mapping_version, price_kind, price, unit, tax_rate, tax_inclusive, index_name, index_premium, valid_from,
        valid_to, tolerance, region, flags, import_id, row_no, staged_at
    )
    SELECT :group_id, :company_id, supplier_id, agreement_no, legacy_code, variant_id, variant_key, mapping_id,
        mapping_version, price_kind, price, unit, tax_rate, tax_inclusive, index_name, index_premium, valid_from,
        valid_to, tolerance, region, flags, :import_id, row_no, :at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (
        row_no bigint, supplier_id uuid, agreement_no text, legacy_code text, variant_id uuid, variant_key text,
        mapping_id uuid, mapping_version integer, price_kind text, price numeric, unit text, tax_rate numeric,
        tax_inclusive boolean, index_name text, index_premium numeric, valid_from date, valid_to date,
        tolerance numeric, region text, flags text[]
    )
    ORDER BY row_no
    """
)


async def stage(session: AsyncSession, *, job: Import, rows: Sequence[dict[str, Any]], at: datetime) -> int:
    """Keep lines; two for one supplier, variant, region and day are refused by the database itself."""
    values = {"group_id": job.group_id, "company_id": job.company_id, "import_id": job.id, "at": at}
    await session.execute(_INSERT, {**values, "rows": orjson.dumps(rows, default=str).decode()})
    return len(rows)


async def take_back(session: AsyncSession, *, job: Import, at: datetime) -> None:
    """Withdraw the lines of an import. Raises AgreementsInUse."""
    ids = {"company_id": job.company_id, "import_id": job.id}
    used = await session.scalar(
        text(
            "SELECT count(*) FROM staged_agreement_lines "
            "WHERE company_id = :company_id AND import_id = :import_id AND taken_over_at IS NOT NULL"
        ),
        ids,
    )
    if used:
        raise AgreementsInUse(f"Agreements were made of {used} lines of this import; amend those.")
    await session.execute(
        text(
            "UPDATE staged_agreement_lines SET withdrawn_at = :at "
            "WHERE company_id = :company_id AND import_id = :import_id AND withdrawn_at IS NULL"
        ),
        {**ids, "at": at},
    )
