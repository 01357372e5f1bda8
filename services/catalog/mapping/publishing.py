"""From decided rows to mappings that others see: approved by a second person, published whole, ended or rolled back.

A published mapping is never changed. A later file that says something else about a code ends the old version on the
day the new one begins; documents keep the version they were made with.
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.components import variant_actions
from services.catalog.mapping.actions import Lease, MappingJobStateWrong, found_job, leased, move
from services.catalog.mapping.decisions import OwnImport
from services.catalog.mapping.rules import WAITS_FOR_A_PERSON, JobState, may_decide
from services.catalog.mapping.tables import MappingJob
from shared.contracts.catalog import VariantReference
from shared.errors import Conflict, FieldError, NotFound
from shared.feed import event_type, publish
from shared.identity import Principal

MAPPING_PUBLISHED = event_type("catalog", "mapping.published")
MAPPING_ROLLED_BACK = event_type("catalog", "mapping.rolled-back")


class RowsStillOpen(Conflict):
    """Rows still wait for a person; decide about them, or leave them out with `leave_open`."""


class SampleStillOpen(Conflict):
    """Rows drawn from those accepted automatically wait to be looked at; none of them can be left out."""


class ConditionsMissing(Conflict):
    """A code leads to several variants without a distinct condition for each; `errors` names the codes."""


class EffectiveDateWrong(Conflict):
    """Mappings take effect today or later, and not before the version they replace."""


class MappingInUse(Conflict):
    """A live document uses a mapping of this import: correct it by a later version, it cannot be rolled back."""


class MappingSuperseded(Conflict):
    """A later import replaced mappings of this one: roll that one back first."""


class MappingNotFound(NotFound):
    """The company has no such published mapping."""


_CODES_IN_CONFLICT = text(
    """
    SELECT legacy_code FROM mapping_rows, jsonb_array_elements(parts) AS part
    WHERE company_id = :company_id AND job_id = :job_id AND state IN ('AUTO_ACCEPTED', 'CONFIRMED')
    GROUP BY legacy_code
    HAVING count(*) > 1 AND NOT bool_and(part ->> 'relation' = 'kit')
       AND (count(DISTINCT part ->> 'condition') < count(*) OR bool_or(part ->> 'condition' = ''))
    ORDER BY legacy_code LIMIT 20
    """
)
_CODES_TOO_EARLY = text(
    """
    SELECT DISTINCT m.legacy_code FROM code_mappings m
    JOIN mapping_rows r ON r.company_id = m.company_id AND r.legacy_code = m.legacy_code
    WHERE r.company_id = :company_id AND r.job_id = :job_id AND r.state IN ('AUTO_ACCEPTED', 'CONFIRMED')
      AND m.valid_until IS NULL AND m.rolled_back_at IS NULL AND m.valid_from > :effective
    ORDER BY 1 LIMIT 20
    """
)
_KEYS = text(
    """
    SELECT DISTINCT part ->> 'variant_key' AS key FROM mapping_rows, jsonb_array_elements(parts) AS part
    WHERE company_id = :company_id AND job_id = :job_id AND state IN ('AUTO_ACCEPTED', 'CONFIRMED')
      AND part ->> 'variant_key' > :after
    ORDER BY key LIMIT :limit
    """
)
_NEW = """
    new AS MATERIALIZED (
        SELECT r.legacy_code, r.row_no, r.name, r.spec, r.unit, p.part ->> 'variant_key' AS variant_key,
            p.part ->> 'relation' AS relation, p.part ->> 'condition' AS condition,
            trim_scale((p.part ->> 'quantity')::numeric) AS quantity,
            row_number() OVER (PARTITION BY r.legacy_code ORDER BY r.row_no, p.place) AS part
        FROM mapping_rows r, jsonb_array_elements(r.parts) WITH ORDINALITY AS p (part, place)
        WHERE r.company_id = :company_id AND r.job_id = :job_id AND r.state IN ('AUTO_ACCEPTED', 'CONFIRMED')
    )
"""
_CHANGED = (
    _NEW
    + """
    , told AS (
        SELECT legacy_code, array_agg((part, variant_key, relation, condition, quantity)::text ORDER BY part) AS says
        FROM new GROUP BY legacy_code
    ), open AS (
        SELECT m.legacy_code,
            array_agg(
                (m.part::bigint, m.variant_key, m.relation, m.condition, trim_scale(m.quantity))::text ORDER BY m.part
            ) AS says
        FROM code_mappings m JOIN told USING (legacy_code)
        WHERE m.company_id = :company_id AND m.valid_until IS NULL AND m.rolled_back_at IS NULL
        GROUP BY m.legacy_code
    ), changed AS MATERIALIZED (
        SELECT legacy_code FROM told LEFT JOIN open USING (legacy_code) WHERE told.says IS DISTINCT FROM open.says
    )
"""
)
_STAGE = text(
    f"""
    CREATE TEMP TABLE mapping_changes ON COMMIT DROP AS
    WITH {_CHANGED}
    SELECT new.* FROM new JOIN changed USING (legacy_code)
    """
)
_END_EARLIER = text(
    """
    UPDATE code_mappings m SET valid_until = :effective, ended_by_job = :job_id
    FROM (SELECT DISTINCT legacy_code FROM mapping_changes) c
    WHERE m.company_id = :company_id AND m.legacy_code = c.legacy_code
      AND m.valid_until IS NULL AND m.rolled_back_at IS NULL
    """
)
_PUBLISH = text(
    """
    INSERT INTO code_mappings (
        company_id, group_id, legacy_code, version, part, relation, condition, quantity, variant_id, variant_key,
        legacy_name, legacy_spec, legacy_unit, job_id, row_no, valid_from, published_at
    )
    SELECT :company_id, :group_id, c.legacy_code, coalesce(last.version, 0) + 1, c.part, c.relation, c.condition,
        c.quantity, v.id, v.key, c.name, c.spec, c.unit, :job_id, c.row_no, :effective, :at
    FROM mapping_changes c
    JOIN variants v ON v.key = c.variant_key
    LEFT JOIN (
        SELECT legacy_code, max(version) AS version FROM code_mappings
        WHERE company_id = :company_id AND legacy_code IN (SELECT legacy_code FROM mapping_changes)
        GROUP BY legacy_code
    ) last USING (legacy_code)
    ORDER BY c.legacy_code, c.part
    """
)
_RETIRE_ROWS = text(
    """
    WITH retired AS (
        UPDATE mapping_rows SET state = 'RETIRED'
        WHERE company_id = :company_id AND job_id = :job_id AND state IN ('AUTO_ACCEPTED', 'CONFIRMED')
        RETURNING row_no
    )
    SELECT count(*) FROM retired
    """
)


async def approve(
    session: AsyncSession,
    *,
    company_id: UUID,
    job_id: UUID,
    effective_from: date | None,
    leave_open: bool,
    by: Principal,
    at: datetime,
    today: date,
) -> MappingJob:
    """Approve an import; the worker publishes it.

    Raises:
        MappingJobNotFound, MappingJobStateWrong, OwnImport, SampleStillOpen, RowsStillOpen, ConditionsMissing,
        EffectiveDateWrong.
    """
    job = await found_job(session, company_id=company_id, job_id=job_id, lock=True)
    if job.state != JobState.IN_REVIEW:
        raise MappingJobStateWrong(f"The import is {job.state}; it is approved when it is IN_REVIEW.")
    if not may_decide(reviewer=str(by.subject), importer=str(job.uploaded_by)):
        raise OwnImport("You uploaded this file; somebody else approves it.")
    if sampled := job.row_counts.get("sample_open"):
        raise SampleStillOpen(f"{sampled} sampled rows wait to be looked at (?sampled=true).")
    waiting = sum(job.row_counts.get(state, 0) for state in WAITS_FOR_A_PERSON)
    if waiting and not leave_open:
        raise RowsStillOpen(f"{waiting} rows wait for a person; decide, or approve with leave_open.")
    effective = effective_from or today
    if effective < today:
        raise EffectiveDateWrong(f"Mappings take effect on {today} or later, not on {effective}.")
    await _check_codes(session, job=job, effective=effective)
    job.effective_from, job.approved_by, job.approved_at = effective, by.subject, at
    job.attempts, job.lease_id, job.lease_until = 0, None, None
    note = f"effective {effective}" + (f", {waiting} rows left open" if waiting else "")
    move(session, job=job, to=JobState.APPROVED, by=by, at=at, note=note)
    return job


async def _check_codes(session: AsyncSession, *, job: MappingJob, effective: date) -> None:
    ids = {"company_id": job.company_id, "job_id": job.id}
    unclear = (await session.scalars(_CODES_IN_CONFLICT, ids)).all()
    if unclear:
        told = "This code leads to several variants; each needs its own condition."
        errors = [FieldError(field=f"legacy_code={code}", rule="ConditionMissing", message=told) for code in unclear]
        raise ConditionsMissing(f"{unclear[0]}: {told}", errors=errors)
    early = (await session.scalars(_CODES_TOO_EARLY, {**ids, "effective": effective})).all()
    if early:
        told = f"A published version takes effect after {effective}."
        errors = [FieldError(field=f"legacy_code={code}", rule="EffectiveDateWrong", message=told) for code in early]
        raise EffectiveDateWrong(f"{early[0]}: {told}", errors=errors)


async def keys_to_publish(session: AsyncSession, *, job: MappingJob, after: str, limit: int) -> Sequence[str]:
    """The variants an approved import leads to, in order."""
    values = {"company_id": job.company_id, "job_id": job.id, "after": after, "limit": limit}
    return (await session.scalars(_KEYS, values)).all()


async def make_variants(session: AsyncSession, *, keys: Sequence[str], at: datetime) -> list[str]:
    """Make the variants that nobody used before; the keys that cannot be made any more."""
    results = await variant_actions.resolve(session, references=[VariantReference(key=key) for key in keys], at=at)
    return [key for key, result in zip(keys, results, strict=True) if isinstance(result, list)]


async def publish_job(
    session: AsyncSession, *, job: MappingJob, lease: Lease, impossible: Sequence[str], at: datetime
) -> None:
    """Make an approved import visible: all of it in this transaction, or nothing."""
    mine = await leased(session, job=job, lease=lease, at=at)
    assert mine.effective_from is not None  # noqa: S101 - approving sets it
    mine.lease_id = mine.lease_until = None
    if impossible:
        told = f"{len(impossible)} variants can no longer be made, the first {impossible[0]}; decide again."
        mine.warnings = [*mine.warnings, told]
        mine.approved_by = mine.approved_at = None
        return move(session, job=mine, to=JobState.IN_REVIEW, by=None, at=at, note=told)
    await _lock_company(session, mine.company_id)
    await session.execute(text("SET LOCAL statement_timeout = '15min'"))
    ids = {"company_id": mine.company_id, "job_id": mine.id}
    await session.execute(_STAGE, ids)
    await session.execute(_END_EARLIER, {**ids, "effective": mine.effective_from})
    done = await session.execute(
        _PUBLISH, {**ids, "group_id": mine.group_id, "effective": mine.effective_from, "at": at}
    )
    mine.rows_published = int(done.rowcount)  # type: ignore[attr-defined]
    move(session, job=mine, to=JobState.PUBLISHED, by=None, at=at, note=f"{mine.rows_published} mappings")
    await _tell(session, mine, MAPPING_PUBLISHED, at=at)
    return None


async def _lock_company(session: AsyncSession, company_id: UUID) -> None:
    """One publication or rollback of a company at a time."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"catalog.mapping:{company_id}"}
    )


async def _tell(session: AsyncSession, job: MappingJob, kind: str, *, at: datetime) -> None:
    data = {
        "company_id": job.company_id,
        "group_id": job.group_id,
        "job_id": job.id,
        "effective_from": job.effective_from,
        "mappings": job.rows_published,
    }
    await publish(session, type=kind, subject=str(job.id), data=data, at=at, company_id=job.company_id)


async def roll_back(
    session: AsyncSession, *, company_id: UUID, job_id: UUID, by: Principal, note: str | None, at: datetime
) -> MappingJob:
    """Take a publication back as if it had never been; the versions it replaced hold again.

    Raises:
        MappingJobNotFound, MappingJobStateWrong, MappingInUse, MappingSuperseded.
    """
    await _lock_company(session, company_id)
    job = await found_job(session, company_id=company_id, job_id=job_id, lock=True)
    move(session, job=job, to=JobState.ROLLED_BACK, by=by, at=at, note=note)
    ids = {"company_id": company_id, "job_id": job_id}
    found = await session.execute(
        text(
            "SELECT count(*) FILTER (WHERE used_at IS NOT NULL) AS used, "
            "count(*) FILTER (WHERE ended_by_job IS NOT NULL) AS superseded FROM ("
            "  SELECT used_at, ended_by_job FROM code_mappings"
            "  WHERE company_id = :company_id AND job_id = :job_id FOR UPDATE) m"
        ),
        ids,
    )
    row = found.one()
    if row.used:
        raise MappingInUse(f"{row.used} mappings are used by live documents; correct them by a later file.")
    if row.superseded:
        raise MappingSuperseded(f"{row.superseded} mappings were replaced by a later import; roll that back first.")
    own = "UPDATE code_mappings SET rolled_back_at = :at WHERE company_id = :company_id AND job_id = :job_id"
    await session.execute(text(own), {**ids, "at": at})
    earlier = (
        "UPDATE code_mappings SET valid_until = NULL, ended_by_job = NULL "
        "WHERE company_id = :company_id AND ended_by_job = :job_id"
    )
    await session.execute(text(earlier), ids)
    await session.execute(_RETIRE_ROWS, ids)
    await _tell(session, job, MAPPING_ROLLED_BACK, at=at)
    return job


async def mark_used(session: AsyncSession, *, company_id: UUID, ids: Sequence[UUID], at: datetime) -> None:
    """Note that a live document uses these mappings, which then cannot be rolled back. Repeating changes nothing.

    Raises:
        MappingNotFound: one is not there, or was rolled back.
    """
    wanted = sorted(set(ids))
    marked = await session.scalars(
        text(
            "UPDATE code_mappings SET used_at = coalesce(used_at, :at) "
            "WHERE company_id = :company_id AND id = ANY (:ids) AND rolled_back_at IS NULL RETURNING id"
        ),
        {"company_id": company_id, "ids": wanted, "at": at},
    )
    missing = set(wanted) - set(marked.all())
    if missing:
        raise MappingNotFound(f"The company has no published mapping {min(missing)}.")
