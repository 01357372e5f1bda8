"""Reading proposals, versions, and what differs between versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.catalog.components.tables import (
    Category,
    ComponentTypeVersion,
    DictionaryChange,
    DictionaryVersion,
    Standard,
    Variant,
)
from services.catalog.dictionary.tables import Proposal, ProposalEvent
from services.catalog.units.tables import UnitOfMeasure


@dataclass(frozen=True, kw_only=True, slots=True)
class TypeState:
    """What a type was in one version of the dictionary."""

    code: str
    type_version: int
    status: str
    successor: str | None


async def proposal(session: AsyncSession, *, proposal_id: UUID) -> Proposal | None:
    """One proposal."""
    return await session.get(Proposal, proposal_id)


async def proposal_for_update(session: AsyncSession, *, proposal_id: UUID) -> Proposal | None:
    """One proposal, locked."""
    rows = await session.scalars(select(Proposal).where(col(Proposal.id) == proposal_id).with_for_update())
    return rows.one_or_none()


async def proposals_page(
    session: AsyncSession, *, state: str | None, before: UUID | None, limit: int
) -> Sequence[Proposal]:
    """The newest first, one more than `limit`."""
    query = select(Proposal).order_by(col(Proposal.id).desc()).limit(limit + 1)
    if state is not None:
        query = query.where(col(Proposal.state) == state)
    if before is not None:
        query = query.where(col(Proposal.id) < before)
    return (await session.scalars(query)).all()


async def events_of(session: AsyncSession, *, proposal_id: UUID) -> Sequence[ProposalEvent]:
    """What happened to a proposal, in order."""
    rows = await session.scalars(
        select(ProposalEvent).where(col(ProposalEvent.proposal_id) == proposal_id).order_by(col(ProposalEvent.seq))
    )
    return rows.all()


async def unit_codes(session: AsyncSession) -> set[str]:
    """All units."""
    return set(await session.scalars(select(col(UnitOfMeasure.code))))


async def category_keys(session: AsyncSession) -> set[str]:
    """All categories."""
    return set(await session.scalars(select(col(Category.key))))


async def standards_known(session: AsyncSession, *, numbers: Sequence[str]) -> set[str]:
    """Those of these standards that are there."""
    return set(await session.scalars(select(col(Standard.number)).where(col(Standard.number).in_(numbers))))


async def definitions_of(
    session: AsyncSession, *, versions: Sequence[tuple[str, int]]
) -> Mapping[tuple[str, int], Mapping[str, Any]]:
    """The definitions of these versions of types, by (code, version)."""
    if not versions:
        return {}
    rows = await session.scalars(
        select(ComponentTypeVersion).where(
            tuple_(col(ComponentTypeVersion.code), col(ComponentTypeVersion.version)).in_(list(versions))
        )
    )
    return {(row.code, row.version): row.definition for row in rows}


async def versions_of_type(session: AsyncSession, *, code: str) -> Sequence[ComponentTypeVersion]:
    """Every version of a type, the newest first."""
    rows = await session.scalars(
        select(ComponentTypeVersion)
        .where(col(ComponentTypeVersion.code) == code)
        .order_by(col(ComponentTypeVersion.version).desc())
    )
    return rows.all()


async def dictionary_versions_page(
    session: AsyncSession, *, before: int | None, limit: int
) -> Sequence[tuple[DictionaryVersion, int]]:
    """Versions of the dictionary with how many types each changed, the newest first, one more than `limit`."""
    changes = func.count(col(DictionaryChange.code))
    query = (
        select(DictionaryVersion, changes)
        .outerjoin(DictionaryChange, col(DictionaryChange.version) == col(DictionaryVersion.version))
        .group_by(col(DictionaryVersion.version))
        .order_by(col(DictionaryVersion.version).desc())
        .limit(limit + 1)
    )
    if before is not None:
        query = query.where(col(DictionaryVersion.version) < before)
    return [(row, count) for row, count in await session.execute(query)]


async def variant_by_spec_hash(session: AsyncSession, *, spec_hash: str) -> Variant | None:
    """The variant whose specification an order line froze."""
    rows = await session.scalars(select(Variant).where(col(Variant.spec_hash) == spec_hash).limit(1))
    return rows.one_or_none()


async def dictionary_version_of(session: AsyncSession, *, code: str, type_version: int) -> int:
    """The first version of the dictionary in which a type was at this version."""
    found = await session.scalar(
        select(func.min(col(DictionaryChange.version))).where(
            col(DictionaryChange.code) == code, col(DictionaryChange.type_version) == type_version
        )
    )
    return int(found or 0)


async def state_at(session: AsyncSession, *, version: int) -> Mapping[str, TypeState]:
    """What each type was in a version of the dictionary."""
    rows = await session.execute(
        text(
            "SELECT DISTINCT ON (code) code, type_version, status, successor FROM dictionary_changes "
            "WHERE version <= :version ORDER BY code, version DESC"
        ),
        {"version": version},
    )
    return {
        row.code: TypeState(code=row.code, type_version=row.type_version, status=row.status, successor=row.successor)
        for row in rows
    }
