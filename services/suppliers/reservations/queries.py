"""Reservations as they stand, the locks on them and on stock, and the proof that both agree."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from services.suppliers.reservations.rules import ReservationState, StockKey
from shared.arrays import array, quoted


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A reservation that is there already, with the answer it was given."""

    id: UUID
    request_hash: bytes
    state: ReservationState
    expires_at: datetime
    lines: str
    """JSON."""


async def reservations_by_id(connection: AsyncConnection, *, reservation_ids: Iterable[UUID]) -> dict[UUID, Found]:
    """Those that exist, whoever's they are: the caller compares the request hash, which names the buyer."""
    rows = await connection.execute(
        text(
            "SELECT id, request_hash, state, expires_at, CAST(lines AS text) AS lines FROM reservations "
            "WHERE id = ANY (CAST(:ids AS uuid[]))"
        ),
        {"ids": array(map(str, reservation_ids))},
    )
    return {
        row.id: Found(
            id=row.id,
            request_hash=bytes(row.request_hash),
            state=ReservationState(row.state),
            expires_at=row.expires_at,
            lines=row.lines,
        )
        for row in rows
    }


async def lock_reservations(session: AsyncSession, *, reservation_ids: Iterable[UUID]) -> dict[UUID, ReservationState]:
    """The states of those that exist, locked in id order until the transaction ends."""
    rows = await session.execute(
        text("SELECT id, state FROM reservations WHERE id = ANY (CAST(:ids AS uuid[])) ORDER BY id FOR NO KEY UPDATE"),
        {"ids": array(map(str, reservation_ids))},
    )
    return {row.id: ReservationState(row.state) for row in rows}


@dataclass(frozen=True, kw_only=True, slots=True)
class Locked:
    """What was found when stock rows were locked."""

    scarce: Mapping[StockKey, Decimal]
    """What is available where it is less than asked for; a row that does not exist has nothing."""
    existing: frozenset[UUID]
    """The reservations, of those asked about, that are there already: they take no more."""


async def lock_stock(
    session: AsyncSession, *, totals: Mapping[StockKey, Decimal], reservation_ids: Iterable[UUID]
) -> Locked:
    """Lock stock rows in key order until the transaction ends, and compare with `totals`.

    Everybody who changes several stock rows locks them in this order, so none waits for another in a circle.
    """
    found = await session.execute(_LOCK_STOCK, {**stock_columns(totals), "ids": array(map(str, reservation_ids))})
    row = found.one()
    keys = list(totals)
    return Locked(
        scarce={keys[number - 1]: left for number, left in zip(row.numbers or (), row.available or (), strict=True)},
        existing=frozenset(row.existing or ()),
    )


_LOCK_STOCK = text(
    """
    WITH want AS MATERIALIZED (
        SELECT * FROM unnest(
            CAST(:suppliers AS uuid[]), CAST(:items AS text[]), CAST(:points AS text[]),
            CAST(:quantities AS numeric[])
        ) WITH ORDINALITY AS w (supplier_id, item_no, stock_point, quantity, number)
    ), locked AS MATERIALIZED (
        SELECT w.number, s.on_hand - s.reserved AS available
        FROM want w JOIN stock_levels s USING (supplier_id, item_no, stock_point)
        ORDER BY supplier_id, item_no, stock_point
        FOR NO KEY UPDATE OF s
    )
    SELECT array_agg(CAST(number AS integer)) AS numbers, array_agg(coalesce(l.available, 0)) AS available,
        (SELECT array_agg(id) FROM reservations WHERE id = ANY (CAST(:ids AS uuid[]))) AS existing
    FROM want w LEFT JOIN locked l USING (number)
    WHERE coalesce(l.available, 0) < w.quantity
    """
)


def stock_columns(totals: Mapping[StockKey, Decimal]) -> dict[str, str]:
    """Quantities by stock row as the arrays of a set-based statement."""
    return {
        "suppliers": array(supplier_id for supplier_id, _, _ in totals),
        "items": array(quoted(item_no) for _, item_no, _ in totals),
        "points": array(quoted(stock_point) for _, _, stock_point in totals),
        "quantities": array(f"{quantity:f}" for quantity in totals.values()),
    }


async def expired_reservations_skip_locked(
    session: AsyncSession, *, ended_before: datetime, limit: int
) -> Sequence[UUID]:
    """Held reservations that ended before a moment, locked; those that somebody else works on are left to them.

    A basket whose `placed` event is parked was ordered: its goods are kept until an operator has looked.
    """
    rows = await session.execute(
        text(
            """
            SELECT id FROM reservations r
            WHERE state = 'HELD' AND expires_at < :ended_before AND NOT EXISTS (
                SELECT FROM parked_events p
                WHERE p.source = 'orders' AND p.resolved_at IS NULL
                  AND p.event -> 'data' ->> 'reservation_id' = CAST(r.id AS text)
            )
            ORDER BY expires_at, id LIMIT :limit
            FOR NO KEY UPDATE OF r SKIP LOCKED
            """
        ),
        {"ended_before": ended_before, "limit": limit},
    )
    return rows.scalars().all()


async def caught_up_to(session: AsyncSession, *, source: str) -> datetime | None:
    """The moment up to which everything committed at `source` has been applied here; None before the first time."""
    moment: datetime | None = await session.scalar(
        text("SELECT caught_up_to FROM follower_cursors WHERE source = :source"), {"source": source}
    )
    return moment


async def live_by_stock(session: AsyncSession, *, reservation_ids: Iterable[UUID]) -> dict[StockKey, Decimal]:
    """What the lines of reservations hold of each stock row."""
    rows = await session.execute(
        text(
            """
            SELECT supplier_id, item_no, stock_point, sum(base_quantity - released_quantity) AS live
            FROM reservation_lines
            WHERE reservation_id = ANY (CAST(:ids AS uuid[])) AND stock_point IS NOT NULL
            GROUP BY supplier_id, item_no, stock_point
            HAVING sum(base_quantity - released_quantity) > 0
            """
        ),
        {"ids": array(map(str, reservation_ids))},
    )
    return {(str(row.supplier_id), row.item_no, row.stock_point): row.live for row in rows}


async def stock_drift(session: AsyncSession, *, limit: int) -> Sequence[Any]:
    """Stock rows whose `reserved` is not the sum of their live lines: supplier, item, point, reserved, live."""
    rows = await session.execute(
        text(
            """
            WITH live AS (
                SELECT l.supplier_id, l.item_no, l.stock_point, sum(l.base_quantity - l.released_quantity) AS live
                FROM reservation_lines l JOIN reservations r ON r.id = l.reservation_id
                WHERE r.state IN ('HELD', 'CONSUMED') AND l.stock_point IS NOT NULL
                GROUP BY l.supplier_id, l.item_no, l.stock_point
            )
            SELECT supplier_id, item_no, stock_point, coalesce(s.reserved, 0) AS reserved, coalesce(v.live, 0) AS live
            FROM stock_levels s FULL JOIN live v USING (supplier_id, item_no, stock_point)
            WHERE coalesce(s.reserved, 0) <> coalesce(v.live, 0)
            ORDER BY supplier_id, item_no, stock_point
            LIMIT :limit
            """
        ),
        {"limit": limit},
    )
    return rows.all()
