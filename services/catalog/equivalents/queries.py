"""Reading equivalents. What others approved is asked with the viewer's keys; the database asks them again."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.catalog.components.tables import Variant
from services.catalog.equivalents.rules import EquivalentStatus
from services.catalog.equivalents.tables import Equivalent


@dataclass(frozen=True, kw_only=True, slots=True)
class Substitute:
    """A variant that may stand for another, with the rule and who approved it."""

    equivalent_id: UUID
    for_variant_id: UUID
    variant_id: UUID
    variant_key: str
    name_zh: str
    name_en: str
    both_ways: bool
    rule: str
    evidence: tuple[str, ...]
    scope: str
    approved_by: str
    approved_at: datetime
    valid_from: date
    valid_until: date | None


_SUBSTITUTES = text(
    """
    SELECT e.id AS equivalent_id, way.for_id AS for_variant_id, v.id AS variant_id, v.key AS variant_key, v.name_zh,
        v.name_en, e.both_ways, e.rule, e.evidence, e.scope, e.decided_by_name AS approved_by,
        e.decided_at AS approved_at, e.valid_from, e.valid_until
    FROM equivalents e
    CROSS JOIN LATERAL (
        SELECT e.from_id AS for_id, e.to_id AS other_id
        UNION ALL
        SELECT e.to_id, e.from_id WHERE e.both_ways
    ) AS way
    JOIN variants v ON v.id = way.other_id
    WHERE (e.from_id = ANY (CAST(:variants AS uuid[])) OR e.to_id = ANY (CAST(:variants AS uuid[])))
      AND way.for_id = ANY (CAST(:variants AS uuid[]))
      AND e.status = 'APPROVED' AND e.audience_keys && CAST(:viewer AS text[])
      AND e.valid_from <= :on AND (e.valid_until IS NULL OR e.valid_until >= :on)
    ORDER BY way.for_id, v.key, e.id
    """
)


ANY_OF_PAGE = """(
    EXISTS (SELECT FROM page JOIN equivalents e ON e.from_id = page.variant_id WHERE e.status = 'APPROVED')
    OR EXISTS (SELECT FROM page JOIN equivalents e ON e.to_id = page.variant_id WHERE e.status = 'APPROVED'))"""
"""SQL: whether there may be anything in `equivalents_of` the variants of a relation `page`."""


async def equivalents_of(
    session: AsyncSession, *, variant_ids: Collection[UUID], viewer: frozenset[str], on: date
) -> Mapping[UUID, Sequence[Substitute]]:
    """What may stand for each of these variants on a day, of what the viewer (`shared.audience`) may see."""
    if not variant_ids:
        return {}
    keys = sorted(viewer)
    await session.execute(text("SELECT set_config('app.viewer_keys', :keys, true)"), {"keys": ",".join(keys)})
    rows = await session.execute(_SUBSTITUTES, {"variants": list(variant_ids), "viewer": keys, "on": on})
    found: dict[UUID, list[Substitute]] = {}
    for row in rows.mappings():
        substitute = Substitute(**{**row, "evidence": tuple(row["evidence"])})
        found.setdefault(substitute.for_variant_id, []).append(substitute)
    return found


async def own_page(
    session: AsyncSession, *, company_id: UUID, status: EquivalentStatus | None, after: UUID | None, limit: int
) -> Sequence[Equivalent]:
    """A company's own, in the order they were proposed."""
    query = select(Equivalent).where(col(Equivalent.company_id) == company_id)
    return await _page(session, query, status=status, after=after, limit=limit)


async def for_everyone_page(
    session: AsyncSession, *, status: EquivalentStatus | None, after: UUID | None, limit: int
) -> Sequence[Equivalent]:
    """Whoever's, of those that are proposed for everyone: operators decide on them. Not scoped by company."""
    query = select(Equivalent).where(col(Equivalent.scope) == "everyone")
    return await _page(session, query, status=status, after=after, limit=limit)


async def _page(
    session: AsyncSession, query: Any, *, status: EquivalentStatus | None, after: UUID | None, limit: int
) -> Sequence[Equivalent]:
    if status is not None:
        query = query.where(col(Equivalent.status) == status)
    if after is not None:
        query = query.where(col(Equivalent.id) > after)
    rows: Sequence[Equivalent] = (await session.scalars(query.order_by(col(Equivalent.id)).limit(limit))).all()
    return rows


async def own_for_update(session: AsyncSession, *, company_id: UUID, equivalent_id: UUID) -> Equivalent | None:
    """One of a company's own, locked."""
    return await session.get(Equivalent, (company_id, equivalent_id), with_for_update=True, populate_existing=True)


async def for_everyone_for_update(session: AsyncSession, *, equivalent_id: UUID) -> Equivalent | None:
    """One that is proposed for everyone, whoever's it is, locked."""
    found = await session.scalars(
        select(Equivalent)
        .where(col(Equivalent.id) == equivalent_id, col(Equivalent.scope) == "everyone")
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found.one_or_none()


async def variants_of(session: AsyncSession, *, rows: Collection[Equivalent]) -> Mapping[UUID, Variant]:
    """The variants these equivalents name."""
    ids = {row.from_id for row in rows} | {row.to_id for row in rows}
    if not ids:
        return {}
    found = await session.scalars(select(Variant).where(col(Variant.id).in_(ids)))
    return {row.id: row for row in found}
