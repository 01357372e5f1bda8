"""Reading a company's leaving and what of its own keeps it."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.members.leaving.tables import Leaving

_OPEN = text(
    """
    SELECT
        (SELECT count(*) FROM circle_standings WHERE group_id = :company_id AND status = 'ACTIVE') AS circles,
        (SELECT count(*) FROM stage_changes
            WHERE group_id = :company_id AND status NOT IN ('EFFECTIVE', 'REVERTED')) AS stage_changes,
        (SELECT count(*) FROM stages WHERE group_id = :company_id AND stage <> 'S1') AS open_categories,
        (SELECT count(*) FROM company_links l JOIN companies c ON c.id = l.child_id AND c.status = 'ACTIVE'
            WHERE l.parent_id = :company_id AND l.valid_from <= :on
              AND (l.valid_until IS NULL OR :on < l.valid_until)) AS companies_below
    """
)


@dataclass(frozen=True, kw_only=True)
class OwnOpen:
    """What `members` itself knows to be open."""

    circles: int
    stage_changes: int
    open_categories: int
    companies_below: int


async def open_here(session: AsyncSession, *, company_id: UUID, on: date) -> OwnOpen:
    """Counts of what keeps the company, as of that day."""
    row = (await session.execute(_OPEN, {"company_id": company_id, "on": on})).one()
    return OwnOpen(
        circles=row.circles,
        stage_changes=row.stage_changes,
        open_categories=row.open_categories,
        companies_below=row.companies_below,
    )


async def latest(session: AsyncSession, *, company_id: UUID) -> Leaving | None:
    """The company's last leaving, whatever became of it."""
    found = await session.scalars(
        select(Leaving).where(col(Leaving.company_id) == company_id).order_by(col(Leaving.id).desc()).limit(1)
    )
    return found.one_or_none()


async def asked_for_update(session: AsyncSession, *, company_id: UUID) -> Leaving | None:
    """The leaving that is asked for, its row locked."""
    found = await session.scalars(
        select(Leaving).where(col(Leaving.company_id) == company_id, col(Leaving.state) == "ASKED").with_for_update()
    )
    return found.one_or_none()
