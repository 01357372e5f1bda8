"""Papers with the last look taken at them, and what ends soon."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col, func, select

from services.suppliers.papers.rules import Held, Outcome
from services.suppliers.papers.tables import Paper, PaperCheck


@dataclass(frozen=True, kw_only=True, slots=True)
class PaperSeen:
    """A paper, the look that counts, and the newer paper that stands in its place."""

    paper: Paper
    check: PaperCheck | None
    replaced_by: UUID | None

    @property
    def accepted(self) -> bool:
        return self.check is not None and self.check.outcome == Outcome.ACCEPTED

    @property
    def refused(self) -> bool:
        return self.check is not None and self.check.outcome == Outcome.REFUSED


async def papers_of(
    session: AsyncSession, *, supplier_id: UUID, paper_ids: Iterable[UUID] | None = None
) -> list[PaperSeen]:
    """A supplier's papers in the order they were handed in; there are at most `rules.PAPERS_AT_MOST`."""
    newer = aliased(Paper)
    last = (
        select(PaperCheck)
        .where(col(PaperCheck.supplier_id) == supplier_id)
        .ext(distinct_on(col(PaperCheck.paper_id)))
        .order_by(col(PaperCheck.paper_id), col(PaperCheck.number).desc())
        .subquery()
    )
    check = aliased(PaperCheck, last)
    query = (
        select(Paper, check, newer.id)
        .outerjoin(check, col(check.paper_id) == col(Paper.id))
        .outerjoin(newer, (col(newer.supplier_id) == col(Paper.supplier_id)) & (col(newer.replaces) == col(Paper.id)))
        .where(col(Paper.supplier_id) == supplier_id)
        .order_by(col(Paper.id))
    )
    if paper_ids is not None:
        query = query.where(col(Paper.id).in_(list(paper_ids)))
    rows = await session.execute(query)
    return [PaperSeen(paper=paper, check=check, replaced_by=newer_id) for paper, check, newer_id in rows]


def usable(papers: Iterable[PaperSeen]) -> list[Held]:
    """What an application may rest on: not refused, and no newer paper in its place."""
    return [each.paper.held for each in papers if not each.refused and each.replaced_by is None]


def counting(papers: Sequence[PaperSeen]) -> list[Held]:
    """What stops or allows new business: accepted, and not replaced by another accepted paper."""
    accepted = {each.paper.id for each in papers if each.accepted}
    return [each.paper.held for each in papers if each.paper.id in accepted and each.replaced_by not in accepted]


async def next_check_number(session: AsyncSession, *, supplier_id: UUID, paper_id: UUID) -> int:
    """The number of the next look; the supplier's row is locked."""
    last = await session.scalar(
        select(func.max(col(PaperCheck.number))).where(
            col(PaperCheck.supplier_id) == supplier_id, col(PaperCheck.paper_id) == paper_id
        )
    )
    return (last or 0) + 1


_WAITING = text(
    """
    SELECT p.supplier_id, s.name AS supplier_name, p.id, p.kind, p.categories, p.issuer, p.number, p.valid_from,
        p.valid_until, p.given_at
    FROM supplier_papers p JOIN suppliers s ON s.company_id = p.supplier_id
    WHERE NOT EXISTS (SELECT FROM supplier_paper_checks c WHERE c.supplier_id = p.supplier_id AND c.paper_id = p.id)
      AND NOT EXISTS (SELECT FROM supplier_papers n WHERE n.supplier_id = p.supplier_id AND n.replaces = p.id)
      AND p.id > :after AND s.status <> 'EXITED'
    ORDER BY p.id LIMIT :limit
    """
)


async def waiting_anywhere(session: AsyncSession, *, after: UUID | None, limit: int) -> Sequence[Any]:
    """Papers nobody has looked at, the oldest first, of all suppliers: for operators, in a system session."""
    rows = await session.execute(_WAITING, {"after": after or UUID(int=0), "limit": limit})
    return rows.all()


_WARN = text(
    """
    WITH counting AS (
        SELECT p.* FROM supplier_papers p
        JOIN LATERAL (
            SELECT c.outcome FROM supplier_paper_checks c
            WHERE c.supplier_id = p.supplier_id AND c.paper_id = p.id ORDER BY c.number DESC LIMIT 1
        ) seen ON seen.outcome = 'accepted'
    ), ending AS (
        SELECT p.supplier_id, 'paper' AS subject, p.id AS subject_id, p.kind, p.categories, p.valid_until AS ends_on
        FROM counting p
        WHERE p.valid_until <= :horizon AND NOT EXISTS (
            SELECT FROM counting o
            WHERE o.supplier_id = p.supplier_id AND o.id <> p.id AND (
                o.replaces = p.id
                OR (o.kind = p.kind AND (o.valid_until IS NULL OR o.valid_until > p.valid_until)
                    AND (o.categories = '{}' OR (p.categories <> '{}' AND p.categories <@ o.categories)))
            )
        )
        UNION ALL
        SELECT company_id, 'qualification', company_id, 'qualification', categories, qualified_until
        FROM suppliers WHERE qualified_until <= :horizon
        UNION ALL
        SELECT supplier_id, 'identity', supplier_id, 'identity', CAST('{}' AS text[]), due_on
        FROM supplier_identities WHERE due_on <= :horizon
    ), due AS (
        SELECT e.*, CASE WHEN e.ends_on < :today THEN 0 WHEN e.ends_on - :today < 7 THEN 7
            WHEN e.ends_on - :today < 30 THEN 30 ELSE 60 END AS step
        FROM ending e JOIN suppliers s ON s.company_id = e.supplier_id AND s.status IN ('QUALIFIED', 'SUSPENDED')
    ), chosen AS MATERIALIZED (
        SELECT d.* FROM due d
        WHERE NOT EXISTS (
            SELECT FROM expiry_warnings w
            WHERE w.supplier_id = d.supplier_id AND w.subject = d.subject AND w.subject_id = d.subject_id
              AND w.ends_on = d.ends_on AND w.step <= d.step
        )
        ORDER BY d.supplier_id, d.subject, d.subject_id LIMIT :limit
    ), told AS (
        INSERT INTO expiry_warnings (supplier_id, subject, subject_id, ends_on, step, warned_at)
        SELECT supplier_id, subject, subject_id, ends_on, step, :at FROM chosen
        ON CONFLICT DO NOTHING
        RETURNING supplier_id, subject, subject_id
    )
    SELECT c.* FROM chosen c JOIN told USING (supplier_id, subject, subject_id)
    ORDER BY supplier_id, subject, subject_id
    """
)


async def put_warnings(session: AsyncSession, *, today: date, horizon: date, limit: int, at: datetime) -> Sequence[Any]:
    """Write down the warnings that are due and not told yet; those this transaction wrote, to be published by it.

    A step that was slept through is not told late: only the present one is.
    """
    rows = await session.execute(_WARN, {"today": today, "horizon": horizon, "limit": limit, "at": at})
    return rows.all()
