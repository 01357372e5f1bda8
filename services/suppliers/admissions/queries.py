"""Reading admissions. Queries without `_anywhere` are bound to the session's company by row level security too."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.suppliers.admissions.rules import AdmissionStatus
from services.suppliers.admissions.tables import Admission, AdmissionHistory


async def standing_for_update(
    session: AsyncSession, *, group_id: UUID, supplier_id: UUID, categories: Sequence[str]
) -> dict[str, Admission]:
    """A group's admissions of a supplier that are not ended, by category, locked in order."""
    found = await session.scalars(
        select(Admission)
        .where(
            col(Admission.group_id) == group_id,
            col(Admission.supplier_id) == supplier_id,
            col(Admission.category).in_(categories),
            col(Admission.status) != AdmissionStatus.ENDED,
        )
        .order_by(col(Admission.category))
        .with_for_update()
    )
    return {each.category: each for each in found}


async def admission_anywhere(session: AsyncSession, *, admission_id: UUID) -> Admission | None:
    """An admission, whoever's it is."""
    found = await session.scalars(select(Admission).where(col(Admission.id) == admission_id))
    return found.one_or_none()


async def admission_for_update(session: AsyncSession, *, admission_id: UUID) -> Admission | None:
    """An admission, its row locked."""
    found = await session.scalars(select(Admission).where(col(Admission.id) == admission_id).with_for_update())
    return found.one_or_none()


async def admissions_page(
    session: AsyncSession,
    *,
    company_id: UUID | None,
    supplier_id: UUID | None,
    group_id: UUID | None,
    category: str | None,
    status: str | None,
    after: UUID | None,
    limit: int,
) -> Sequence[Admission]:
    """Admissions by or of a company (None: an operator asks for all), oldest first."""
    query = select(Admission).order_by(col(Admission.id)).limit(limit)
    if company_id is not None:
        query = query.where((col(Admission.group_id) == company_id) | (col(Admission.supplier_id) == company_id))
    if supplier_id is not None:
        query = query.where(col(Admission.supplier_id) == supplier_id)
    if group_id is not None:
        query = query.where(col(Admission.group_id) == group_id)
    if category is not None:
        query = query.where(col(Admission.category) == category)
    if status is not None:
        query = query.where(col(Admission.status) == status)
    if after is not None:
        query = query.where(col(Admission.id) > after)
    return (await session.scalars(query)).all()


async def history(session: AsyncSession, *, admission_id: UUID) -> Sequence[AdmissionHistory]:
    """The entries of an admission's history, first to last."""
    found = await session.scalars(
        select(AdmissionHistory)
        .where(col(AdmissionHistory.admission_id) == admission_id)
        .order_by(col(AdmissionHistory.number))
    )
    return found.all()


async def past_their_last_day(session: AsyncSession, *, on: date, limit: int) -> Sequence[tuple[UUID, UUID]]:
    """Admissions that ended before a day and still count: admission and supplier."""
    found = await session.execute(
        select(col(Admission.id), col(Admission.supplier_id))
        .where(col(Admission.status) == AdmissionStatus.ADMITTED, col(Admission.until) < on)
        .order_by(col(Admission.until), col(Admission.id))
        .limit(limit)
    )
    return [(row[0], row[1]) for row in found]


async def still_past_for_update(
    session: AsyncSession, *, admission_ids: Sequence[UUID], on: date
) -> Sequence[Admission]:
    """Those of the admissions that still count though they ended before a day, locked in order."""
    found = await session.scalars(
        select(Admission)
        .where(
            col(Admission.id).in_(admission_ids),
            col(Admission.status) == AdmissionStatus.ADMITTED,
            col(Admission.until) < on,
        )
        .order_by(col(Admission.id))
        .with_for_update()
    )
    return found.all()
