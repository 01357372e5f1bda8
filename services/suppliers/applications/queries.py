"""Identities and applications, the reviewers' queue, and what is missing."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.suppliers.applications.rules import FINAL, ApplicationState
from services.suppliers.applications.tables import Application, Identity
from services.suppliers.papers import rules as paper_rules
from services.suppliers.papers.queries import PaperSeen, usable
from services.suppliers.papers.rules import PaperKind, Trade


async def identity(session: AsyncSession, *, supplier_id: UUID) -> Identity | None:
    """What a supplier says of itself; the supplier's row is locked where it is to be changed."""
    return await session.get(Identity, supplier_id)


async def open_application(session: AsyncSession, *, supplier_id: UUID) -> Application | None:
    """The application that is not decided; the supplier's row is locked where it is to be changed."""
    found = await session.execute(
        select(Application).where(
            col(Application.supplier_id) == supplier_id, col(Application.state).not_in([str(each) for each in FINAL])
        )
    )
    return found.scalar_one_or_none()


async def last_application(session: AsyncSession, *, supplier_id: UUID) -> Application | None:
    """The newest application, decided or not."""
    found = await session.execute(
        select(Application)
        .where(col(Application.supplier_id) == supplier_id)
        .order_by(col(Application.id).desc())
        .limit(1)
    )
    return found.scalar_one_or_none()


_QUEUE = text(
    """
    SELECT a.supplier_id, s.name AS supplier_name, s.tax_id, a.id, a.state, a.trade, a.categories, a.regions, a.rounds,
        a.waiting_since, a.reviewer_name, a.version, i.state AS identity_state, i.due_on
    FROM supplier_applications a
    JOIN suppliers s ON s.company_id = a.supplier_id
    LEFT JOIN supplier_identities i ON i.supplier_id = a.supplier_id
    WHERE a.state = :state AND (a.waiting_since, a.id) > (:since, :after)
    ORDER BY a.waiting_since, a.id LIMIT :limit
    """
)


async def queue_anywhere(
    session: AsyncSession, *, state: ApplicationState, after: tuple[datetime, UUID], limit: int
) -> Sequence[Any]:
    """Applications of all suppliers in a state, who has waited longest first: for operators, in a system session."""
    rows = await session.execute(_QUEUE, {"state": state, "since": after[0], "after": after[1], "limit": limit})
    return rows.all()


_DUE = text(
    """
    SELECT i.supplier_id, s.name AS supplier_name, s.tax_id, i.state, i.due_on, i.given_at, i.version
    FROM supplier_identities i JOIN suppliers s ON s.company_id = i.supplier_id
    WHERE (i.state = 'GIVEN' OR i.due_on <= :on) AND s.status <> 'EXITED' AND i.supplier_id > :after
    ORDER BY i.supplier_id LIMIT :limit
    """
)


async def identities_due_anywhere(session: AsyncSession, *, on: date, after: UUID | None, limit: int) -> Sequence[Any]:
    """Identities to be verified, for the first time or again: for operators, in a system session."""
    rows = await session.execute(_DUE, {"on": on, "after": after or UUID(int=0), "limit": limit})
    return rows.all()


def missing_kinds(
    papers: Iterable[PaperSeen], *, categories: Iterable[str], trade: Trade, on: date
) -> dict[str, list[PaperKind]]:
    """By category the kinds of paper that are still needed; categories that are complete are not among them."""
    held = usable(papers)
    found = {
        category: paper_rules.missing(held, category=category, trade=trade, on=on) for category in sorted(categories)
    }
    return {category: kinds for category, kinds in found.items() if kinds}
