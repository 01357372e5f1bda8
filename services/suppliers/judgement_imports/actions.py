"""Staging judgements, taking them back, and the seam by which scores and blacklists take them over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.judgement_imports.rules import Outcome
from shared.errors import Conflict
from shared.importing.store import Import


class JudgementsInUse(Conflict):
    """Judgements of this import were taken over by scores or blacklists: correct them there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Staged:
    """A staged judgement: an evaluation has dimension and score, a blacklist entry level, reason and expiry."""

    group_id: UUID
    id: UUID
    company_id: UUID
    import_id: UUID
    row_no: int
    supplier_id: UUID
    judged_on: date
    dimension: str | None
    score: Decimal | None
    level: str | None
    reason: str | None
    evidence: str | None
    expires_on: date | None


_INSERT = text(
    """
    INSERT INTO staged_judgements (
        group_id, company_id, kind, supplier_id, judged_on, dimension, score, level, reason, evidence, expires_on,
        import_id, row_no, recorded_at
    )
    SELECT :group_id, :company_id, :kind, supplier_id, judged_on, dimension, score, level, reason, evidence,
        expires_on, :import_id, row_no, :at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (
        row_no bigint, supplier_id uuid, judged_on date, dimension text, score numeric, level text, reason text,
        evidence text, expires_on date
    )
    ORDER BY row_no
    ON CONFLICT DO NOTHING
    """
)


async def stage(session: AsyncSession, *, job: Import, kind: str, rows: Sequence[dict[str, Any]], at: datetime) -> int:
    """Keep judgements; one that the group has already is not kept twice."""
    done = await session.execute(
        _INSERT,
        {
            "group_id": job.group_id,
            "company_id": job.company_id,
            "import_id": job.id,
            "kind": kind,
            "rows": orjson.dumps(rows, default=str).decode(),
            "at": at,
        },
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


async def take_back(session: AsyncSession, *, job: Import, at: datetime) -> None:
    """End what an import staged. Raises JudgementsInUse."""
    ids = {"company_id": job.company_id, "import_id": job.id}
    used = await session.scalar(
        text(
            "SELECT count(handed_over_at) FROM (SELECT handed_over_at FROM staged_judgements "
            "WHERE company_id = :company_id AND import_id = :import_id ORDER BY id FOR UPDATE) AS staged"
        ),
        ids,
    )
    if used:
        raise JudgementsInUse(f"{used} judgements of this import were taken over; correct them where they are now.")
    await session.execute(
        text(
            "UPDATE staged_judgements SET ended_at = :at "
            "WHERE company_id = :company_id AND import_id = :import_id AND ended_at IS NULL"
        ),
        {**ids, "at": at},
    )


async def to_hand_over(session: AsyncSession, *, kind: str, limit: int = 500) -> Sequence[Staged]:
    """The seam: staged judgements (`evaluation` or `blacklist`) that no step has taken over or refused yet, locked, the
    oldest first. A job of that step makes its own record of each in the same (system) transaction, for the group alone
    and never shared without basis, and then calls `handed_over`. A row's outcome tells what was refused."""
    rows = await session.execute(
        text(
            "SELECT s.group_id, s.id, s.company_id, s.import_id, s.row_no, s.supplier_id, s.judged_on, s.dimension, "
            "s.score, s.level, s.reason, s.evidence, s.expires_on FROM staged_judgements s "
            "WHERE s.kind = :kind AND s.handed_over_at IS NULL AND s.ended_at IS NULL AND EXISTS ("
            "SELECT FROM legacy_import_rows r WHERE r.company_id = s.company_id AND r.import_id = s.import_id "
            "AND r.row_no = s.row_no AND r.outcome = :staged) ORDER BY s.id LIMIT :limit FOR UPDATE SKIP LOCKED"
        ),
        {"kind": kind, "staged": Outcome.STAGED, "limit": limit},
    )
    return [Staged(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name for it


async def handed_over(session: AsyncSession, *, ids: Sequence[UUID], at: datetime) -> None:
    """Note that a step has made its own record of these; from then on they cannot be rolled back."""
    await session.execute(
        text("UPDATE staged_judgements SET handed_over_at = :at WHERE id = ANY (:ids) AND handed_over_at IS NULL"),
        {"ids": list(ids), "at": at},
    )
