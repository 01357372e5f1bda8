"""A notice closes when its time is over, with a result document that says what was pooled."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.sourcing import queries, rules
from services.orders.sourcing.recording import record
from services.orders.sourcing.rules import NoticeStatus
from services.orders.sourcing.tables import JointLine, JointNotice
from shared.history import canonical_json


async def close_due(session: AsyncSession, *, at: datetime, limit: int) -> int:
    """Close what is due, each with its result document; how many. Needs a system session."""
    due = await queries.due_anywhere(session, at=at, limit=limit)
    lines = await queries.lines_of(session, notices=due)
    for notice in due:
        participants = await queries.participants_anywhere(session, notice_id=notice.id)
        notice.result = _result(notice, lines[notice.id], participants, at=at)
        notice.status, notice.ended_at = NoticeStatus.CLOSED, at
        detail = {"result_sha256": hashlib.sha256(canonical_json(notice.result)).hexdigest()}
        await record(session, notice=notice, what="closed", caller=None, detail=detail, at=at)
    return len(due)


def _result(
    notice: JointNotice, lines: Sequence[JointLine], participants: Sequence[UUID], *, at: datetime
) -> dict[str, Any]:
    return {
        "notice_id": str(notice.id),
        "category": notice.category,
        "region": notice.region,
        "month": notice.month.isoformat(),
        "closed_at": at.astimezone(UTC).isoformat(),
        "participant_ids": [str(group_id) for group_id in participants],
        "lines": [
            {
                "line_no": line.line_no,
                "type_code": line.type_code,
                "variant_key": line.variant_key,
                "unit": line.unit,
                "groups": line.groups,
                "pool": _pool_as_json(line),
            }
            for line in lines
        ],
    }


def _pool_as_json(line: JointLine) -> dict[str, str | None]:
    pool = rules.pool_shown(total=line.pooled, groups=line.groups, status=NoticeStatus.CLOSED)
    return {
        "total": None if pool.total is None else f"{pool.total:f}",
        "at_least": f"{pool.at_least:f}",
        "below": None if pool.below is None else f"{pool.below:f}",
    }
