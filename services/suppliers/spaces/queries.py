"""Spaces, reaches and the locks between those who change them and those who write offers by them."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.suppliers.spaces.tables import KnownLink, KnownSpace, OfferReach, SupplierSpace
from shared.arrays import array, quoted
from shared.audience import Audience, Space, Stage

Pair = tuple[UUID, str]
"""A supplier and a category."""

REACH_OF_OFFER = (
    "r.supplier_id = o.supplier_id AND r.category = i.category AND r.audience = o.audience "
    "AND r.audience_ids = o.audience_ids"
)
"""SQL: the reach `r` of an offer `o` of an item `i`."""

OPEN_NOW = "coalesce(r.keys, ARRAY['company:' || o.supplier_id])"
"""SQL: the keys of an offer at this moment, over a LEFT JOIN of its reach."""

_LOCK_CLASS = 730_514
_BUCKET = "hashtext({0}) & 255"
"""Locks by supplier would be without limit in one transaction; 256 buckets of suppliers are not."""

HOLD_REACH = f"SELECT pg_advisory_xact_lock_shared({_LOCK_CLASS}, {_BUCKET.format('CAST(%(supplier_id)s AS text)')})"
"""For a chunk of a sync: while it writes offers by their reach, nobody changes that reach."""

_LOCK_SHARED = text(
    f"SELECT pg_advisory_xact_lock_shared({_LOCK_CLASS}, {_BUCKET.format('CAST(:supplier_id AS text)')})"
)
_LOCK_EXCLUSIVE = text(
    f"""
    SELECT pg_advisory_xact_lock({_LOCK_CLASS}, bucket) FROM (
        SELECT DISTINCT {_BUCKET.format("supplier")} AS bucket
        FROM unnest(CAST(:suppliers AS text[])) AS supplier ORDER BY bucket
    ) AS buckets
    """
)


_LOCK_SPACES = text(f"SELECT pg_advisory_xact_lock({_LOCK_CLASS + 1}, 0)")
_HOLD_SPACES = text(f"SELECT pg_advisory_xact_lock_shared({_LOCK_CLASS + 1}, 0)")


async def lock_spaces(session: AsyncSession) -> None:
    """Before stages, circles or links change here: no admission is decided by what they were meanwhile."""
    await session.execute(_LOCK_SPACES)


async def hold_reach(session: AsyncSession, *, supplier_id: UUID) -> None:
    """Keep a supplier's reaches from changing until this transaction, which writes offers by them, ends."""
    await session.execute(_LOCK_SHARED, {"supplier_id": str(supplier_id)})


async def lock_reaches_for_change(session: AsyncSession, *, supplier_ids: Iterable[UUID]) -> None:
    """Wait for those who write offers by these suppliers' reaches, and keep further ones out.

    Stages, circles and links stay as they are meanwhile.
    """
    await session.execute(_HOLD_SPACES)
    await session.execute(_LOCK_EXCLUSIVE, {"suppliers": array(str(each) for each in set(supplier_ids))})


async def spaces_of(session: AsyncSession, *, supplier_id: UUID, category: str) -> list[Space]:
    """The spaces in which a supplier is admitted for a category."""
    found = await session.scalars(
        select(SupplierSpace).where(
            col(SupplierSpace.supplier_id) == supplier_id, col(SupplierSpace.category) == category
        )
    )
    return [as_space(row) for row in found]


async def spaces_of_group(session: AsyncSession, *, group_id: UUID, categories: Iterable[str]) -> dict[str, Space]:
    """How far a contractor group has opened each of these categories, for what it owns itself: entries of its
    blacklist, scores. Where no stage is known it is S1, and nothing leaves the group."""
    wanted = set(categories)
    found = await session.scalars(
        select(KnownSpace).where(col(KnownSpace.group_id) == group_id, col(KnownSpace.category).in_(wanted))
    )
    known = {row.category: Space(group_id=group_id, stage=Stage(row.stage), circle_id=row.circle_id) for row in found}
    return {category: known.get(category, Space(group_id=group_id)) for category in wanted}


def as_space(row: Any) -> Space:
    """A row of `supplier_spaces` as the policy takes it."""
    return Space(
        group_id=row.group_id,
        stage=Stage(row.stage),
        circle_id=row.circle_id,
        circle_group_ids=frozenset(row.circle_group_ids),
    )


async def reach(
    session: AsyncSession, *, supplier_id: UUID, category: str, audience: Audience, ids: Sequence[UUID]
) -> list[str] | None:
    """The keys of one audience, if anybody asked before."""
    keys: list[str] | None = await session.scalar(
        select(OfferReach.keys).where(
            col(OfferReach.supplier_id) == supplier_id,
            col(OfferReach.category) == category,
            col(OfferReach.audience) == audience.value,
            col(OfferReach.audience_ids) == list(ids),
        )
    )
    return keys


def pair_columns(pairs: Iterable[Pair]) -> dict[str, str]:
    """Pairs as the arrays of a set-based statement, in one order for all."""
    ordered = sorted(set(pairs))
    return {
        "suppliers": array(str(supplier_id) for supplier_id, _ in ordered),
        "categories": array(quoted(category) for _, category in ordered),
    }


_PAIRS = "unnest(CAST(:suppliers AS uuid[]), CAST(:categories AS text[])) AS p (supplier_id, category)"

_FORGET_SPACES = text(
    f"DELETE FROM supplier_spaces s USING {_PAIRS} WHERE s.supplier_id = p.supplier_id AND s.category = p.category"
)
_KEEP_SPACES = text(
    f"""
    INSERT INTO supplier_spaces (supplier_id, category, group_id, stage, circle_id, circle_group_ids)
    SELECT DISTINCT p.supplier_id, p.category, a.space_group_id, coalesce(k.stage, 'S1'), k.circle_id,
        coalesce(c.group_ids, CAST('{{}}' AS uuid[]))
    FROM {_PAIRS}
    JOIN admissions a ON a.supplier_id = p.supplier_id AND a.category = p.category AND a.status = 'ADMITTED'
    LEFT JOIN known_spaces k ON k.group_id = a.space_group_id AND k.category = a.category
    LEFT JOIN known_circles c ON c.id = k.circle_id
    RETURNING supplier_id, category, group_id, stage, circle_id, circle_group_ids
    """
)
_REACHES = text(
    f"""
    SELECT r.supplier_id, r.category, r.audience, r.audience_ids, r.keys
    FROM offer_reaches r JOIN {_PAIRS} ON r.supplier_id = p.supplier_id AND r.category = p.category
    """
)


async def renew_spaces(session: AsyncSession, *, pairs: Iterable[Pair]) -> Sequence[Any]:
    """Write anew in which spaces suppliers are admitted; the rows."""
    columns = pair_columns(pairs)
    await session.execute(_FORGET_SPACES, columns)
    return (await session.execute(_KEEP_SPACES, columns)).all()


async def reaches_of(session: AsyncSession, *, pairs: Iterable[Pair]) -> Sequence[Any]:
    """What is kept of the reach of suppliers and categories."""
    return (await session.execute(_REACHES, pair_columns(pairs))).all()


async def pairs_in_spaces(session: AsyncSession, *, spaces: Iterable[tuple[UUID, str]]) -> list[Pair]:
    """The suppliers admitted in spaces (group, category), with the category."""
    named = set(spaces)
    rows = await session.execute(
        text(
            "SELECT DISTINCT a.supplier_id, a.category FROM admissions a "
            "JOIN unnest(CAST(:groups AS uuid[]), CAST(:categories AS text[])) AS s (group_id, category) "
            "ON a.space_group_id = s.group_id AND a.category = s.category WHERE a.status = 'ADMITTED'"
        ),
        {
            "groups": array(str(group_id) for group_id, _ in named),
            "categories": array(quoted(category) for _, category in named),
        },
    )
    return [(row.supplier_id, row.category) for row in rows]


async def spaces_open_to(session: AsyncSession, *, circle_ids: Iterable[UUID]) -> list[tuple[UUID, str]]:
    """The spaces (group, category) that are open to circles."""
    rows = await session.execute(
        text("SELECT group_id, category FROM known_spaces WHERE circle_id = ANY (CAST(:circles AS uuid[]))"),
        {"circles": array(map(str, circle_ids))},
    )
    return [(row.group_id, row.category) for row in rows]


_MOVE_TO_TOPS = text(
    """
    WITH RECURSIVE chain AS (
        SELECT group_id, group_id AS top, 0 AS height
        FROM (SELECT DISTINCT group_id FROM admissions WHERE status <> 'ENDED') AS each
        UNION ALL
        SELECT c.group_id, l.parent_id, c.height + 1
        FROM chain c JOIN known_links l ON l.child_id = c.top
            AND l.valid_from <= :on AND (l.valid_until IS NULL OR l.valid_until > :on)
        WHERE c.height < 12
    ), tops AS (
        SELECT DISTINCT ON (group_id) group_id, top FROM chain ORDER BY group_id, height DESC
    )
    UPDATE admissions a SET space_group_id = t.top
    FROM tops t
    WHERE a.group_id = t.group_id AND a.space_group_id <> t.top AND a.status <> 'ENDED'
    RETURNING a.supplier_id, a.category
    """
)


async def move_to_tops(session: AsyncSession, *, on: date) -> list[Pair]:
    """Put admissions into the space of the group that their company belongs to that day; whose were moved."""
    return [(row.supplier_id, row.category) for row in await session.execute(_MOVE_TO_TOPS, {"on": on})]


async def top_of(session: AsyncSession, *, company_id: UUID, on: date) -> UUID:
    """The company at the top of a chain of links that day, as far as it is known here."""
    top, seen = company_id, {company_id}
    while True:
        found = await session.scalars(
            select(KnownLink).where(
                col(KnownLink.child_id) == top,
                col(KnownLink.valid_from) <= on,
                (col(KnownLink.valid_until).is_(None)) | (col(KnownLink.valid_until) > on),
            )
        )
        above = found.first()
        if above is None or above.parent_id in seen:
            return top
        top = above.parent_id
        seen.add(top)
