"""Reading scores and what they rest on: a group its own, a supplier its own, others the reduced form."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.suppliers.scores.rules import AppealStatus
from services.suppliers.scores.tables import (
    ComputedScore,
    Evaluation,
    EvaluationReply,
    ScoreAppeal,
    ScoreInput,
    ScoreNotice,
)


async def categories_of(session: AsyncSession, *, variant_keys: Sequence[str]) -> Mapping[str, str]:
    """The category of each variant; all that was ever listed here is known."""
    rows = await session.execute(
        text("SELECT key, category FROM known_variants WHERE key = ANY (:keys)"), {"keys": list(variant_keys)}
    )
    return {row.key: row.category for row in rows}


async def inputs(
    session: AsyncSession,
    *,
    group_id: UUID | None,
    supplier_id: UUID,
    category: str,
    window_from: date,
    window_to: date,
    after: tuple[UUID] | None = None,
    limit: int | None = None,
) -> Sequence[ScoreInput]:
    """The inputs of a window, in the order of their orders."""
    query = select(ScoreInput).where(
        col(ScoreInput.supplier_id) == supplier_id,
        col(ScoreInput.category) == category,
        col(ScoreInput.placed_on).between(window_from, window_to),
    )
    if group_id is not None:
        query = query.where(col(ScoreInput.group_id) == group_id)
    if after is not None:
        query = query.where(col(ScoreInput.order_id) > after[0])
    query = query.order_by(col(ScoreInput.order_id)).execution_options(populate_existing=True)
    return (await session.scalars(query if limit is None else query.limit(limit))).all()


async def latest(
    session: AsyncSession, *, supplier_id: UUID, group_id: UUID | None, category: str | None = None
) -> Sequence[ComputedScore]:
    """The newest score of a supplier in each category, of one group or of all that the session may see."""
    query = (
        select(ComputedScore)
        .where(col(ComputedScore.supplier_id) == supplier_id)
        .ext(distinct_on(col(ComputedScore.group_id), col(ComputedScore.category)))
        .order_by(col(ComputedScore.group_id), col(ComputedScore.category), col(ComputedScore.number).desc())
    )
    if group_id is not None:
        query = query.where(col(ComputedScore.group_id) == group_id)
    if category is not None:
        query = query.where(col(ComputedScore.category) == category)
    return (await session.scalars(query)).all()


async def input_for_update(
    session: AsyncSession, *, group_id: UUID, supplier_id: UUID, category: str, order_id: UUID
) -> ScoreInput | None:
    """One input, locked."""
    return await session.get(
        ScoreInput, (group_id, supplier_id, category, order_id), with_for_update=True, populate_existing=True
    )


async def appeal_for_update(session: AsyncSession, *, group_id: UUID, appeal_id: UUID) -> ScoreAppeal | None:
    """One appeal to a group, locked."""
    return await session.get(ScoreAppeal, (group_id, appeal_id), with_for_update=True, populate_existing=True)


async def appeals(
    session: AsyncSession, *, group_id: UUID | None, supplier_id: UUID | None, status: AppealStatus | None
) -> Sequence[ScoreAppeal]:
    """Appeals of a supplier or to a group, oldest first, at most 200."""
    query = select(ScoreAppeal)
    if group_id is not None:
        query = query.where(col(ScoreAppeal.group_id) == group_id)
    if supplier_id is not None:
        query = query.where(col(ScoreAppeal.supplier_id) == supplier_id)
    if status is not None:
        query = query.where(col(ScoreAppeal.status) == status)
    return (await session.scalars(query.order_by(col(ScoreAppeal.id)).limit(200))).all()


async def notices(
    session: AsyncSession, *, supplier_id: UUID, viewer: frozenset[str], not_of: UUID
) -> Sequence[ScoreNotice]:
    """Scores of other groups in their reduced form, as far as the viewer belongs to their audience."""
    keys = sorted(viewer)
    await session.execute(text("SELECT set_config('app.viewer_keys', :keys, true)"), {"keys": ",".join(keys)})
    found = await session.scalars(
        select(ScoreNotice)
        .where(
            col(ScoreNotice.supplier_id) == supplier_id,
            col(ScoreNotice.group_id) != not_of,
            text("score_notices.audience_keys && CAST(:keys AS text[])"),
        )
        .order_by(col(ScoreNotice.category), col(ScoreNotice.group_id))
        .params(keys=keys)
    )
    return found.all()


async def pooled_notices(session: AsyncSession, *, supplier_id: UUID, not_of: UUID | None) -> Sequence[ScoreNotice]:
    """What may stand in an aggregate, without the reader's own group. For the system's session: no one reader may see
    these rows one by one."""
    query = select(ScoreNotice).where(col(ScoreNotice.supplier_id) == supplier_id, col(ScoreNotice.pooled))
    if not_of is not None:
        query = query.where(col(ScoreNotice.group_id) != not_of)
    return (await session.scalars(query.order_by(col(ScoreNotice.category)))).all()


async def evaluation(session: AsyncSession, *, supplier_id: UUID, evaluation_id: UUID) -> Evaluation | None:
    """What somebody wrote about a supplier."""
    query = select(Evaluation).where(col(Evaluation.id) == evaluation_id, col(Evaluation.supplier_id) == supplier_id)
    return (await session.scalars(query)).one_or_none()


async def evaluations(
    session: AsyncSession, *, supplier_id: UUID, group_id: UUID | None, after: tuple[UUID] | None, limit: int
) -> Sequence[tuple[Evaluation, EvaluationReply | None]]:
    """What people wrote about a supplier, newest first, and what it said to that."""
    answered = (col(EvaluationReply.group_id) == col(Evaluation.group_id)) & (
        col(EvaluationReply.evaluation_id) == col(Evaluation.id)
    )
    query = (
        select(Evaluation, EvaluationReply)
        .outerjoin(EvaluationReply, answered)
        .where(col(Evaluation.supplier_id) == supplier_id)
    )
    if group_id is not None:
        query = query.where(col(Evaluation.group_id) == group_id)
    if after is not None:
        query = query.where(col(Evaluation.id) < after[0])
    rows = await session.execute(query.order_by(col(Evaluation.id).desc()).limit(limit))
    return [(row[0], row[1]) for row in rows]
