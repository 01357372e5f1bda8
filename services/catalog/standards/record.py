"""The history of the registers: who changed what, chained by hashes (design.md rule 9)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.catalog.standards.tables import RegisterDecision
from shared.history import chain_hash
from shared.identity import Principal


async def record(
    session: AsyncSession,
    *,
    register: str,
    entries: Mapping[str, Mapping[str, Any]],
    decision: str,
    reason: str,
    by: Principal | None,
    at: datetime,
) -> None:
    """Add one entry a subject. The subjects' rows are locked by who calls, so their chains do not fork."""
    if not entries:
        return
    found = await session.execute(
        text(
            "SELECT DISTINCT ON (subject) subject, number, hash FROM register_decisions "
            "WHERE register = :register AND subject = ANY (:subjects) ORDER BY subject, number DESC"
        ),
        {"register": register, "subjects": list(entries)},
    )
    last = {row.subject: row for row in found}
    rows = []
    for subject, content in entries.items():
        entry = {
            **content,
            "decision": decision,
            "reason": reason,
            "by": None if by is None else str(by.subject),
            "by_name": None if by is None else by.name,
            "at": at.isoformat(),
        }
        before = last.get(subject)
        rows.append(
            {
                "register": register,
                "subject": subject,
                "number": 1 if before is None else before.number + 1,
                "entry": entry,
                "hash": chain_hash(None if before is None else bytes(before.hash), entry),
                "decided_at": at,
            }
        )
    await session.execute(insert(RegisterDecision.__table__), rows)  # type: ignore[attr-defined]


async def who_withdrew(session: AsyncSession, *, keys: Sequence[str]) -> Mapping[str, str | None]:
    """By edition, who set the day of withdrawal that stands, by id as text; None: no person did."""
    found = await session.execute(
        text(
            """
            SELECT DISTINCT ON (subject) subject, by FROM (
                SELECT subject, number, entry ->> 'by' AS by, entry ->> 'withdrawn_on' AS day,
                    lag(entry ->> 'withdrawn_on') OVER (PARTITION BY subject ORDER BY number) AS before
                FROM register_decisions WHERE register = 'standard' AND subject = ANY (:keys)
            ) said WHERE day IS DISTINCT FROM before ORDER BY subject, number DESC
            """
        ),
        {"keys": list(keys)},
    )
    return {row.subject: row.by for row in found}


async def decisions_of(session: AsyncSession, *, register: str, subject: str) -> Sequence[RegisterDecision]:
    """One subject's history, the oldest first."""
    found = await session.scalars(
        select(RegisterDecision)
        .where(col(RegisterDecision.register_) == register, col(RegisterDecision.subject) == subject)
        .order_by(col(RegisterDecision.number))
        .limit(1000)
    )
    return found.all()
