"""Reading consents. `…_anywhere` needs a system session."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.suppliers.consents.tables import Consent, ConsentHistory


async def own_consent_for_update(session: AsyncSession, *, supplier_id: UUID, consent_id: UUID) -> Consent | None:
    """A supplier's own consent, locked."""
    return await session.get(Consent, (supplier_id, consent_id), with_for_update=True)


async def own_consent(session: AsyncSession, *, supplier_id: UUID, consent_id: UUID) -> Consent | None:
    """A supplier's own consent."""
    return await session.get(Consent, (supplier_id, consent_id))


async def consent_anywhere(session: AsyncSession, *, consent_id: UUID) -> Consent | None:
    """A consent, whoever gave it."""
    return (await session.scalars(select(Consent).where(col(Consent.id) == consent_id))).one_or_none()


async def consents_page(
    session: AsyncSession, *, supplier_id: UUID, after: UUID | None, limit: int
) -> Sequence[Consent]:
    """A supplier's consents, oldest first."""
    query = select(Consent).where(col(Consent.supplier_id) == supplier_id).order_by(col(Consent.id)).limit(limit)
    if after is not None:
        query = query.where(col(Consent.id) > after)
    return (await session.scalars(query)).all()


async def history(session: AsyncSession, *, supplier_id: UUID, consent_id: UUID) -> Sequence[ConsentHistory]:
    """The entries of a consent's history, first to last."""
    found = await session.scalars(
        select(ConsentHistory)
        .where(col(ConsentHistory.supplier_id) == supplier_id, col(ConsentHistory.consent_id) == consent_id)
        .order_by(col(ConsentHistory.number))
    )
    return found.all()


async def circles_of_anywhere(session: AsyncSession, *, group_id: UUID) -> list[UUID]:
    """The circles a group stands in, as the feed of `members` says."""
    found = await session.scalars(
        text("SELECT id FROM known_circles WHERE :group_id = ANY (group_ids)"), {"group_id": group_id}
    )
    return list(found)


async def consents_in_force(session: AsyncSession, *, supplier_id: UUID, what: str, on: date) -> list[Consent]:
    """A supplier's consents that cover something and count on a day, whomever they were given to."""
    found = await session.scalars(
        select(Consent)
        .where(
            col(Consent.supplier_id) == supplier_id,
            col(Consent.what).contains([what]),
            col(Consent.revoked_at).is_(None),
            col(Consent.until) >= on,
        )
        .order_by(col(Consent.id))
    )
    return list(found)
