"""Reading stages, their changes and what the gates look at. `…_anywhere` needs a system session."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.members.circles import queries as circle_queries
from services.members.companies.tables import Company
from services.members.stages.rules import ChangeStatus, Evidence, EvidenceKind, GateInputs
from services.members.stages.tables import GateEvidence, GroupStage, StageChange, StageChangeHistory
from shared.audience import Stage
from shared.contracts.members import GateMeasurements


class Seen(NamedTuple):
    """What the gates see, and who stands in the circle at that moment."""

    inputs: GateInputs
    circle_group_ids: list[UUID]


async def stage(session: AsyncSession, *, group_id: UUID, category: str) -> GroupStage | None:
    """A group's stage in a category, if it ever left S1."""
    found = await session.scalars(
        select(GroupStage).where(col(GroupStage.group_id) == group_id, col(GroupStage.category) == category)
    )
    return found.one_or_none()


async def stage_for_update(session: AsyncSession, *, group_id: UUID, category: str) -> GroupStage | None:
    """The same, its row locked."""
    found = await session.scalars(
        select(GroupStage)
        .where(col(GroupStage.group_id) == group_id, col(GroupStage.category) == category)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found.one_or_none()


async def stages_open_to_for_update(
    session: AsyncSession, *, circle_id: UUID, group_ids: Sequence[UUID]
) -> Sequence[GroupStage]:
    """The categories these groups have opened to a circle, the rows locked in order."""
    found = await session.scalars(
        select(GroupStage)
        .where(col(GroupStage.circle_id) == circle_id, col(GroupStage.group_id).in_(group_ids))
        .order_by(col(GroupStage.group_id), col(GroupStage.category))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found.all()


async def stages_of(session: AsyncSession, *, group_id: UUID) -> Sequence[GroupStage]:
    """Every category a group ever moved."""
    found = await session.scalars(
        select(GroupStage).where(col(GroupStage.group_id) == group_id).order_by(col(GroupStage.category))
    )
    return found.all()


async def stages_page_anywhere(
    session: AsyncSession, *, group_id: UUID | None, limit: int, after: tuple[UUID, str] | None
) -> Sequence[GroupStage]:
    """All stages, by group and category, one more than `limit`."""
    query = select(GroupStage).order_by(col(GroupStage.group_id), col(GroupStage.category)).limit(limit + 1)
    if group_id is not None:
        query = query.where(col(GroupStage.group_id) == group_id)
    if after is not None:
        query = query.where(
            (col(GroupStage.group_id) > after[0])
            | ((col(GroupStage.group_id) == after[0]) & (col(GroupStage.category) > after[1]))
        )
    return (await session.scalars(query)).all()


async def change(session: AsyncSession, *, group_id: UUID, category: str, change_id: UUID) -> StageChange | None:
    """One of a group's changes in a category."""
    found = await session.scalars(
        select(StageChange).where(
            col(StageChange.group_id) == group_id,
            col(StageChange.id) == change_id,
            col(StageChange.category) == category,
        )
    )
    return found.one_or_none()


async def change_for_update(session: AsyncSession, *, group_id: UUID, change_id: UUID) -> StageChange | None:
    """One of a group's changes, its row locked."""
    found = await session.scalars(
        select(StageChange)
        .where(col(StageChange.group_id) == group_id, col(StageChange.id) == change_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found.one_or_none()


async def changes_under_way_for_update(
    session: AsyncSession, *, circle_id: UUID, group_ids: Sequence[UUID], statuses: Sequence[ChangeStatus]
) -> Sequence[StageChange]:
    """Changes of these groups that rely on a circle and have not taken effect, the rows locked in order."""
    found = await session.scalars(
        select(StageChange)
        .where(
            col(StageChange.circle_id) == circle_id,
            col(StageChange.group_id).in_(group_ids),
            col(StageChange.status).in_(statuses),
        )
        .order_by(col(StageChange.group_id), col(StageChange.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found.all()


async def changes_page(
    session: AsyncSession, *, group_id: UUID, category: str, limit: int, after: UUID | None
) -> Sequence[StageChange]:
    """A group's changes in a category, oldest first, one more than `limit`."""
    query = (
        select(StageChange)
        .where(col(StageChange.group_id) == group_id, col(StageChange.category) == category)
        .order_by(col(StageChange.id))
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(col(StageChange.id) > after)
    return (await session.scalars(query)).all()


async def due_changes_anywhere(session: AsyncSession, *, at: datetime, limit: int) -> Sequence[StageChange]:
    """Announced changes whose day has come, the longest due first."""
    found = await session.scalars(
        select(StageChange)
        .where(col(StageChange.status) == ChangeStatus.ANNOUNCED, col(StageChange.effective_from) <= at)
        .order_by(col(StageChange.effective_from), col(StageChange.id))
        .limit(limit)
    )
    return found.all()


async def open_stages_anywhere(
    session: AsyncSession, *, looked_at_before: datetime, limit: int
) -> Sequence[GroupStage]:
    """Categories that are open and whose gates nobody looked at since a moment, the longest ago first."""
    found = await session.scalars(
        select(GroupStage)
        .where(
            col(GroupStage.stage) != Stage.S1,
            (col(GroupStage.gates_looked_at).is_(None)) | (col(GroupStage.gates_looked_at) < looked_at_before),
        )
        .order_by(col(GroupStage.gates_looked_at).asc().nulls_first(), col(GroupStage.group_id))
        .limit(limit)
    )
    return found.all()


async def history(session: AsyncSession, *, group_id: UUID, change_id: UUID) -> Sequence[StageChangeHistory]:
    """The entries of a change's history, first to last."""
    found = await session.scalars(
        select(StageChangeHistory)
        .where(col(StageChangeHistory.group_id) == group_id, col(StageChangeHistory.change_id) == change_id)
        .order_by(col(StageChangeHistory.seq))
    )
    return found.all()


async def companies_named(session: AsyncSession, *, company_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The names of companies, by id."""
    found = await session.scalars(select(Company).where(col(Company.id).in_(company_ids)))
    return {company.id: company.name for company in found}


async def evidence_page(session: AsyncSession, *, limit: int, after: UUID | None) -> Sequence[GateEvidence]:
    """What is on record for the gates, oldest first, one more than `limit`."""
    query = select(GateEvidence).order_by(col(GateEvidence.id)).limit(limit + 1)
    if after is not None:
        query = query.where(col(GateEvidence.id) > after)
    return (await session.scalars(query)).all()


_LATEST_EVIDENCE = text(
    """
    SELECT DISTINCT ON (kind) kind, state, happened_on
    FROM gate_evidence
    WHERE group_id IS NULL OR group_id = :group_id
    ORDER BY kind, recorded_at DESC, id DESC
    """
)


async def gates_seen(
    session: AsyncSession, *, group_id: UUID, circle_id: UUID, measured: GateMeasurements, at: datetime
) -> Seen:
    """What the gates look at now: others' measurements, and what `members` itself knows live."""
    members = [each.group_id for each in await circle_queries.members(session, circle_id=circle_id)]
    trading = measured.trading_operator_groups
    records = await session.execute(_LATEST_EVIDENCE, {"group_id": group_id})
    inputs = GateInputs(
        mapped_spend_share=measured.mapped_spend_share,
        valid_supplier_share=measured.valid_supplier_share,
        expired_document_share=measured.expired_document_share,
        independent_groups=await circle_queries.independent_members(session, circle_id=circle_id, at=at),
        operators_that_trade=None if trading is None else len(trading),
        operators_that_trade_here=None if trading is None else len({group_id, *members} & set(trading)),
        evidence=tuple(Evidence(kind=EvidenceKind(row.kind), state=row.state, on=row.happened_on) for row in records),
    )
    return Seen(inputs, members)


async def openness_anywhere(session: AsyncSession) -> tuple[int, list[tuple[str, Stage, int]]]:
    """How many active contractor groups there are, and by category and stage beyond S1 how many stand there."""
    groups = await session.scalar(
        text("SELECT count(*) FROM companies WHERE status = 'ACTIVE' AND 'contractor_group' = ANY (kinds)")
    )
    rows = await session.execute(
        text(
            "SELECT s.category, s.stage, count(*) AS opened FROM stages s JOIN companies c ON c.id = s.group_id "
            "WHERE s.stage <> 'S1' AND c.status = 'ACTIVE' GROUP BY s.category, s.stage ORDER BY s.category, s.stage"
        )
    )
    return int(groups or 0), [(row.category, Stage(row.stage), row.opened) for row in rows]
