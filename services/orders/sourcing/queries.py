"""Reading joint purchasing notices: by the keys the caller holds; row level security asks for the parties again.

`…_anywhere` needs a system session: who takes part in a notice is for no group alone to see.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, cast, or_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.orders.sourcing.rules import NoticeStatus, ParticipationStatus
from services.orders.sourcing.tables import JointHistory, JointLine, JointNotice, JointParticipation, JointQuantity


def _opened_by(keys: Collection[str]) -> ColumnElement[bool]:
    """The policy in SQL: object and viewer share a key (`shared.audience`)."""
    return col(JointNotice.audience_keys).bool_op("&&")(cast(sorted(keys), ARRAY(Text)))


async def notice(
    session: AsyncSession, *, notice_id: UUID, keys: Collection[str], lock: bool = False
) -> JointNotice | None:
    """A notice that one of these keys opens; `lock` holds it until the transaction ends."""
    query = select(JointNotice).where(col(JointNotice.id) == notice_id, _opened_by(keys))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(query)).one_or_none()


async def notices_page(
    session: AsyncSession,
    *,
    keys: Collection[str],
    status: NoticeStatus | None,
    category: str | None,
    limit: int,
    after: UUID | None,
) -> Sequence[JointNotice]:
    """The notices these keys open, newest first, one more than `limit`."""
    query = select(JointNotice).where(_opened_by(keys))
    if status is not None:
        query = query.where(col(JointNotice.status) == status)
    if category is not None:
        query = query.where(col(JointNotice.category) == category)
    if after is not None:
        query = query.where(col(JointNotice.id) < after)
    return (await session.scalars(query.order_by(col(JointNotice.id).desc()).limit(limit + 1))).all()


async def lines_of(session: AsyncSession, *, notices: Sequence[JointNotice]) -> dict[UUID, list[JointLine]]:
    """The lines of notices already found, by notice, in line order."""
    found = await session.scalars(
        select(JointLine)
        .where(
            col(JointLine.group_id).in_({each.group_id for each in notices}),
            col(JointLine.notice_id).in_([each.id for each in notices]),
        )
        .order_by(col(JointLine.line_no))
        .execution_options(populate_existing=True)
    )
    lines: dict[UUID, list[JointLine]] = {each.id: [] for each in notices}
    for line in found:
        lines[line.notice_id].append(line)
    return lines


async def own_quantities(
    session: AsyncSession, *, group_id: UUID, notice_ids: Sequence[UUID]
) -> dict[UUID, dict[int, Decimal]]:
    """How much the group itself wants, by notice and line."""
    found = await session.scalars(
        select(JointQuantity).where(
            col(JointQuantity.group_id) == group_id, col(JointQuantity.notice_id).in_(notice_ids)
        )
    )
    quantities: dict[UUID, dict[int, Decimal]] = {notice_id: {} for notice_id in notice_ids}
    for each in found:
        quantities[each.notice_id][each.line_no] = each.quantity
    return quantities


async def own_participation(session: AsyncSession, *, group_id: UUID, notice_id: UUID) -> JointParticipation | None:
    """The group's own part in a notice, also one it left."""
    found = await session.scalars(
        select(JointParticipation).where(
            col(JointParticipation.group_id) == group_id, col(JointParticipation.notice_id) == notice_id
        )
    )
    return found.one_or_none()


async def history(session: AsyncSession, *, notice: JointNotice) -> Sequence[JointHistory]:
    """The entries of a notice's history, first to last."""
    found = await session.scalars(
        select(JointHistory)
        .where(col(JointHistory.group_id) == notice.group_id, col(JointHistory.notice_id) == notice.id)
        .order_by(col(JointHistory.seq))
    )
    return found.all()


async def participants_anywhere(session: AsyncSession, *, notice_id: UUID) -> list[UUID]:
    """The groups that take part in a notice."""
    found = await session.scalars(
        select(JointParticipation)
        .where(
            col(JointParticipation.notice_id) == notice_id,
            col(JointParticipation.status) == ParticipationStatus.JOINED,
        )
        .order_by(col(JointParticipation.group_id))
    )
    return [each.group_id for each in found]


async def due_anywhere(session: AsyncSession, *, at: datetime, limit: int) -> Sequence[JointNotice]:
    """Open notices whose time is over, locked; those another worker holds are left to it."""
    found = await session.scalars(
        select(JointNotice)
        .where(col(JointNotice.status) == NoticeStatus.OPEN, col(JointNotice.closes_at) <= at)
        .order_by(col(JointNotice.closes_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return found.all()


async def notices_in_spaces_anywhere(
    session: AsyncSession, *, circle_ids: Collection[UUID], spaces: Collection[tuple[UUID, str]]
) -> Sequence[JointNotice]:
    """Notices of these circles, or of these groups and categories, locked in order."""
    in_space = [
        and_(col(JointNotice.group_id) == group_id, col(JointNotice.category) == category)
        for group_id, category in spaces
    ]
    condition = or_(col(JointNotice.circle_id).in_(circle_ids), *in_space)
    found = await session.scalars(
        select(JointNotice)
        .where(condition)
        .order_by(col(JointNotice.group_id), col(JointNotice.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found.all()
