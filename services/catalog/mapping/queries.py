"""Reading imports, their rows and the published mappings. Row level security shows a company its own only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.catalog.mapping.rules import OVER
from services.catalog.mapping.tables import CodeMapping, MappingHistory, MappingJob, MappingRow, MappingRowError


async def job(session: AsyncSession, *, company_id: UUID, job_id: UUID) -> MappingJob | None:
    """A job as it stands now."""
    return await _job(session, company_id=company_id, job_id=job_id, lock=False)


async def job_for_update(session: AsyncSession, *, company_id: UUID, job_id: UUID) -> MappingJob | None:
    """A job, locked."""
    return await _job(session, company_id=company_id, job_id=job_id, lock=True)


async def _job(session: AsyncSession, *, company_id: UUID, job_id: UUID, lock: bool) -> MappingJob | None:
    query = select(MappingJob).where(col(MappingJob.company_id) == company_id, col(MappingJob.id) == job_id)
    query = query.with_for_update() if lock else query
    found = await session.execute(query.execution_options(populate_existing=True))
    return found.scalar_one_or_none()


async def live_job_of_file(
    session: AsyncSession, *, company_id: UUID, kind: str, file_hash: bytes
) -> MappingJob | None:
    """The job that this file has already."""
    found = await session.execute(
        select(MappingJob).where(
            col(MappingJob.company_id) == company_id,
            col(MappingJob.kind) == kind,
            col(MappingJob.file_hash) == file_hash,
            col(MappingJob.state).not_in(OVER),
        )
    )
    return found.scalar_one_or_none()


async def jobs_page(
    session: AsyncSession, *, company_id: UUID, state: str | None, before: UUID | None, limit: int
) -> Sequence[MappingJob]:
    """A company's jobs, the newest first."""
    query = select(MappingJob).where(col(MappingJob.company_id) == company_id)
    if state is not None:
        query = query.where(col(MappingJob.state) == state)
    if before is not None:
        query = query.where(col(MappingJob.id) < before)
    return (await session.scalars(query.order_by(col(MappingJob.id).desc()).limit(limit))).all()


_CLAIM = text(
    """
    UPDATE mapping_jobs SET lease_id = :lease_id, lease_until = :until, attempts = attempts + 1
    WHERE (company_id, id) = (
        SELECT company_id, id FROM mapping_jobs
        WHERE state IN ('UPLOADED', 'PARSED', 'VALIDATED', 'APPROVED') AND coalesce(lease_until < :now, true)
        ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING company_id, id
    """
)


async def claim_next(
    session: AsyncSession, *, lease_id: UUID, until: datetime, now: datetime
) -> tuple[UUID, UUID] | None:
    """Take the oldest job nobody works on, of whichever company; its company and id."""
    row = (await session.execute(_CLAIM, {"lease_id": lease_id, "until": until, "now": now})).one_or_none()
    return None if row is None else (row.company_id, row.id)


async def rows_to_match(
    session: AsyncSession, *, company_id: UUID, job_id: UUID, after: int, limit: int
) -> Sequence[Any]:
    """The next rows to judge, in the order of the file."""
    rows = await session.execute(
        text(
            "SELECT row_no, legacy_code, name, spec, unit, others, several FROM mapping_rows "
            "WHERE company_id = :company_id AND job_id = :job_id AND row_no > :after ORDER BY row_no LIMIT :limit"
        ),
        {"company_id": company_id, "job_id": job_id, "after": after, "limit": limit},
    )
    return rows.all()


async def medians(session: AsyncSession, *, keys: Sequence[str]) -> Mapping[str, Decimal]:
    """The median price per base unit, with tax, of the offers this viewer sees, by variant key."""
    if not keys:
        return {}
    rows = await session.execute(
        text(
            """
            SELECT v.variant_key AS key, percentile_cont(0.5) WITHIN GROUP (ORDER BY
                (CASE WHEN o.tax_inclusive THEN o.price ELSE o.price * (1 + o.tax_rate) END / o.unit_factor)
            )::numeric AS median
            FROM search_variants v JOIN search_offers o ON o.variant_id = v.variant_id AND o.status = 'ACTIVE'
            WHERE v.variant_key = ANY (:keys) GROUP BY v.variant_key
            """
        ),
        {"keys": list(keys)},
    )
    return {row.key: row.median for row in rows}


async def variants_of_items(session: AsyncSession, *, items: Sequence[str]) -> Mapping[str, list[str]]:
    """The variants that the offers this viewer sees have under these item numbers."""
    if not items:
        return {}
    rows = await session.execute(
        text(
            """
            SELECT o.item_no AS item, array_agg(DISTINCT v.variant_key ORDER BY v.variant_key) AS keys
            FROM search_offers o JOIN search_variants v ON v.variant_id = o.variant_id
            WHERE o.status = 'ACTIVE' AND o.item_no = ANY (:items) GROUP BY o.item_no
            """
        ),
        {"items": list(items)},
    )
    return {row.item: list(row.keys) for row in rows}


@dataclass(frozen=True, kw_only=True, slots=True)
class RowFilter:
    """Which rows a reviewer wants to see."""

    states: Sequence[str] = ()
    sampled: bool | None = None
    type_code: str | None = None
    legacy_code: str | None = None
    least_score: Decimal | None = None
    below_score: Decimal | None = None


async def rows_page(
    session: AsyncSession, *, company_id: UUID, job_id: UUID, wanted: RowFilter, after: int | None, limit: int
) -> Sequence[MappingRow]:
    """Rows of a job in the order of the file."""
    query = select(MappingRow).where(col(MappingRow.company_id) == company_id, col(MappingRow.job_id) == job_id)
    if wanted.states:
        query = query.where(col(MappingRow.state).in_(wanted.states))
    if wanted.sampled is not None:
        query = query.where(col(MappingRow.sampled) == wanted.sampled)
    if wanted.type_code is not None:
        query = query.where(col(MappingRow.type_code) == wanted.type_code)
    if wanted.legacy_code is not None:
        query = query.where(col(MappingRow.legacy_code) == wanted.legacy_code)
    if wanted.least_score is not None:
        query = query.where(col(MappingRow.score) >= wanted.least_score)
    if wanted.below_score is not None:
        query = query.where(col(MappingRow.score) < wanted.below_score)
    if after is not None:
        query = query.where(col(MappingRow.row_no) > after)
    return (await session.scalars(query.order_by(col(MappingRow.row_no)).limit(limit))).all()


async def rows_for_update(
    session: AsyncSession, *, company_id: UUID, job_id: UUID, row_nos: Sequence[int]
) -> Mapping[int, MappingRow]:
    """These rows, locked in the order of the file, by number."""
    rows = await session.scalars(
        select(MappingRow)
        .where(
            col(MappingRow.company_id) == company_id,
            col(MappingRow.job_id) == job_id,
            col(MappingRow.row_no).in_(row_nos),
        )
        .order_by(col(MappingRow.row_no))
        .with_for_update()
    )
    return {row.row_no: row for row in rows}


async def errors_page(
    session: AsyncSession, *, company_id: UUID, job_id: UUID, after: tuple[int, str, str] | None, limit: int
) -> Sequence[MappingRowError]:
    """What was wrong with rows, in the order of the file."""
    key = (col(MappingRowError.row_no), col(MappingRowError.column_name), col(MappingRowError.code))
    query = select(MappingRowError).where(
        col(MappingRowError.company_id) == company_id, col(MappingRowError.job_id) == job_id
    )
    if after is not None:
        query = query.where(tuple_(*key) > after)
    return (await session.scalars(query.order_by(*key).limit(limit))).all()


async def history_page(
    session: AsyncSession, *, company_id: UUID, job_id: UUID, row_no: int | None, after: UUID | None, limit: int
) -> Sequence[MappingHistory]:
    """Who did what with a job (and its rows) and when, in order."""
    query = select(MappingHistory).where(
        col(MappingHistory.company_id) == company_id, col(MappingHistory.job_id) == job_id
    )
    if row_no is not None:
        query = query.where(col(MappingHistory.row_no) == row_no)
    if after is not None:
        query = query.where(col(MappingHistory.id) > after)
    return (await session.scalars(query.order_by(col(MappingHistory.id)).limit(limit))).all()


async def variants_of_code(
    session: AsyncSession, *, company_id: UUID, group_id: UUID | None, code: str, on: date
) -> Sequence[CodeMapping]:
    """What a code means on a day to a company or its group: one variant, or the parts of a split or kit.

    The company's own mapping goes before its group's. The session must hold the viewer's keys
    (`search.queries.see_as`) for the group's to be seen.
    """
    owner = col(CodeMapping.company_id) == company_id
    if group_id is not None:
        owner = or_(owner, col(CodeMapping.group_id) == group_id)
    rows = await session.scalars(
        select(CodeMapping)
        .where(
            owner,
            func.lower(col(CodeMapping.legacy_code)) == code.strip().lower(),
            col(CodeMapping.rolled_back_at).is_(None),
            col(CodeMapping.valid_from) <= on,
            or_(col(CodeMapping.valid_until).is_(None), col(CodeMapping.valid_until) > on),
        )
        .order_by(col(CodeMapping.company_id) != company_id, col(CodeMapping.company_id), col(CodeMapping.part))
    )
    found = rows.all()
    return [each for each in found if each.company_id == found[0].company_id]


async def versions_of_code(session: AsyncSession, *, company_id: UUID, code: str) -> Sequence[CodeMapping]:
    """Every version of a company's code that was ever published, the newest first."""
    rows = await session.scalars(
        select(CodeMapping)
        .where(
            col(CodeMapping.company_id) == company_id,
            func.lower(col(CodeMapping.legacy_code)) == code.strip().lower(),
        )
        .order_by(col(CodeMapping.version).desc(), col(CodeMapping.part))
    )
    return rows.all()


async def mappings_by_id(session: AsyncSession, *, company_id: UUID, ids: Sequence[UUID]) -> Sequence[CodeMapping]:
    """These published mappings of a company."""
    rows = await session.scalars(
        select(CodeMapping).where(col(CodeMapping.company_id) == company_id, col(CodeMapping.id).in_(ids))
    )
    return rows.all()


_MEANINGS = text(
    """
    WITH asked AS (SELECT DISTINCT code FROM unnest(CAST(:codes AS text[])) AS code), found AS (
        SELECT a.code, m.id AS mapping_id, m.company_id, m.version, m.part, m.relation, m.variant_id, m.variant_key,
            v.category, dense_rank() OVER (
                PARTITION BY a.code ORDER BY m.company_id <> :company_id, m.company_id
            ) AS whose
        FROM asked a
        JOIN code_mappings m ON lower(m.legacy_code) = lower(trim(a.code))
            AND (m.company_id = :company_id OR m.group_id = CAST(:group_id AS uuid))
            AND m.rolled_back_at IS NULL AND m.valid_from <= :on AND coalesce(m.valid_until > :on, true)
        JOIN variants v ON v.id = m.variant_id
    )
    SELECT code, mapping_id, company_id, version, part, relation, variant_id, variant_key, category FROM found
    WHERE whose = 1 ORDER BY code, part
    """
)


async def meanings_of_codes(
    session: AsyncSession, *, company_id: UUID, group_id: UUID | None, codes: Sequence[str], on: date
) -> Sequence[Any]:
    """What many codes mean on a day: the company's own mapping before its group's. For a system session."""
    values = {"company_id": company_id, "group_id": group_id, "codes": list(codes), "on": on}
    return (await session.execute(_MEANINGS, values)).all()
