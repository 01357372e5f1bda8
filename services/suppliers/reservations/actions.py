"""Take goods from stock for baskets, and give them back: released, consumed or expired exactly once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.reservations import queries, rules
from services.suppliers.reservations.rules import ReservationState, StockKey
from shared.arrays import array
from shared.contracts.suppliers import EVENT_ROWS_AT_MOST, STOCK_CHANGED
from shared.errors import Conflict, NotFound
from shared.feed import publish


class ReservationUnknown(NotFound):
    """No reservation has this id."""


class ReservationLost(Conflict):
    """An order was placed on a reservation that had been released or had expired: its goods may be sold already."""


class NotConsumed(Conflict):
    """Lines are given back one by one only after an order took the reservation."""


class ReleasedTooMuch(Conflict):
    """More would be given back than the line holds, or the line does not exist."""


class HeldLine(NamedTuple):
    """A line that fits, as it goes into the database. (There are thousands a second: a tuple is cheap to make.)"""

    line_no: int
    supplier_id: UUID
    stock_key: StockKey | None
    base_quantity: Decimal
    columns: tuple[str, str, str, str]
    """Supplier, offer, item and stock point as elements of array literals."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A basket whose every line fits; only stock has still to be asked."""

    reservation_id: UUID
    buyer_id: UUID
    request_hash: bytes
    expires_at: datetime
    lines: Sequence[HeldLine]
    answer: bytes
    """The lines as they are answered and kept: a JSON array."""

    @property
    def wants(self) -> dict[StockKey, Decimal]:
        """How much of each stock row; made-to-order lines take none."""
        return rules.total_by_stock((line.stock_key, line.base_quantity) for line in self.lines if line.stock_key)


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """What became of candidates. For those that are in neither, a reservation of their id is there already."""

    held: frozenset[UUID]
    short: Mapping[UUID, Mapping[StockKey, Decimal]]
    """Refused: the stock rows that do not suffice, with what is available of them."""
    raced: bool
    """Another transaction held one of these ids at the same moment. It was given nothing here, but what it was granted
    may be what another basket is short of: whoever is short asks again."""


async def hold(session: AsyncSession, *, candidates: Sequence[Candidate], at: datetime) -> Held:
    """Hold each basket whole or not at all, first come first served, all in two statements.

    The first locks every stock row in key order and tells where it does not suffice for all; so a basket that is
    short is refused while the others are still taken together. The second takes: its UPDATE asks for the stock
    again, and the table's CHECK stands behind it.
    """
    wants = {candidate.reservation_id: candidate.wants for candidate in candidates}
    locked = await queries.lock_stock(
        session,
        totals=rules.total_by_stock(take for want in wants.values() for take in want.items()),
        reservation_ids=wants,
    )
    new = [id_ for id_ in wants if id_ not in locked.existing]
    shortages = rules.short_of([wants[id_] for id_ in new], scarce=locked.scarce)
    short = {id_: rows for id_, rows in zip(new, shortages, strict=True) if rows}
    granted = [each for each in candidates if each.reservation_id not in locked.existing | short.keys()]
    held = await _take(session, candidates=granted, at=at) if granted else frozenset[UUID]()
    return Held(held=held, short=short, raced=len(held) < len(granted))


# Reservations are inserted in id order, and after the stock is locked: two processes that are sent the same
# reservation meet at its stock rows, or here, but never in a circle. Only what this statement inserted itself takes
# stock, so one of them takes it.
_TAKE = text(
    """
    WITH fresh AS (
        INSERT INTO reservations (id, buyer_id, request_hash, state, expires_at, created_at, lines)
        SELECT id, buyer_id, request_hash, 'HELD', expires_at, :at, lines
        FROM unnest(
            CAST(:ids AS uuid[]), CAST(:buyers AS uuid[]), CAST(:hashes AS bytea[]), CAST(:expiries AS timestamptz[])
        ) WITH ORDINALITY AS b (id, buyer_id, request_hash, expires_at, number)
        JOIN jsonb_array_elements(CAST(:answers AS jsonb)) WITH ORDINALITY AS a (lines, number) USING (number)
        ORDER BY id
        ON CONFLICT (id) DO NOTHING
        RETURNING id
    ), line AS MATERIALIZED (
        SELECT l.* FROM unnest(
            CAST(:line_reservations AS uuid[]), CAST(:line_suppliers AS uuid[]), CAST(:line_nos AS integer[]),
            CAST(:line_offers AS uuid[]), CAST(:line_items AS text[]), CAST(:line_points AS text[]),
            CAST(:line_quantities AS numeric[])
        ) AS l (reservation_id, supplier_id, line_no, offer_id, item_no, stock_point, base_quantity)
        JOIN fresh ON fresh.id = l.reservation_id
    ), kept AS (
        INSERT INTO reservation_lines
            (reservation_id, supplier_id, line_no, offer_id, item_no, stock_point, base_quantity)
        SELECT * FROM line
    ), want AS MATERIALIZED (
        SELECT supplier_id, item_no, stock_point, sum(base_quantity) AS quantity FROM line
        WHERE stock_point IS NOT NULL
        GROUP BY supplier_id, item_no, stock_point
    ), took AS (
        UPDATE stock_levels s SET reserved = s.reserved + w.quantity, updated_at = :at
        FROM want w
        WHERE s.supplier_id = w.supplier_id AND s.item_no = w.item_no AND s.stock_point = w.stock_point
          AND s.on_hand - s.reserved >= w.quantity
        RETURNING s.supplier_id, s.item_no, s.stock_point, CAST(s.on_hand AS text) AS on_hand,
            CAST(s.on_hand - s.reserved AS text) AS available, s.as_of,
            stock_band(s.on_hand, s.reserved) AS band, stock_band(s.on_hand, s.reserved - w.quantity) AS band_before
    )
    SELECT (SELECT array_agg(id) FROM fresh) AS fresh,
        (SELECT count(*) FROM want) - (SELECT count(*) FROM took) AS short,
        (SELECT jsonb_agg(to_jsonb(t)) FROM took t WHERE band <> band_before) AS changed
    """
)


async def _take(session: AsyncSession, *, candidates: Sequence[Candidate], at: datetime) -> frozenset[UUID]:
    ids = {candidate.reservation_id: str(candidate.reservation_id) for candidate in candidates}
    lines = [(ids[candidate.reservation_id], line) for candidate in candidates for line in candidate.lines]
    row = (
        await session.execute(
            _TAKE,
            {
                "at": at,
                "ids": array(ids.values()),
                "buyers": array(str(candidate.buyer_id) for candidate in candidates),
                "hashes": array(f'"\\\\x{candidate.request_hash.hex()}"' for candidate in candidates),
                "expiries": array(f'"{candidate.expires_at.isoformat()}"' for candidate in candidates),
                "answers": b"".join((b"[", b",".join(candidate.answer for candidate in candidates), b"]")).decode(),
                "line_reservations": array(reservation_id for reservation_id, _ in lines),
                "line_suppliers": array(line.columns[0] for _, line in lines),
                "line_nos": array(str(line.line_no) for _, line in lines),
                "line_offers": array(line.columns[1] for _, line in lines),
                "line_items": array(line.columns[2] for _, line in lines),
                "line_points": array(line.columns[3] for _, line in lines),
                "line_quantities": array(f"{line.base_quantity:f}" for _, line in lines),
            },
        )
    ).one()
    if row.short:
        message = f"{row.short} locked stock rows did not give what they had."
        raise AssertionError(message)
    await _publish_bands(session, changed=row.changed or (), at=at)
    return frozenset(row.fresh or ())


async def consume(session: AsyncSession, *, reservation_ids: Iterable[UUID]) -> None:
    """An order took these reservations: they no longer expire. Told again, nothing changes.

    Raises:
        ReservationUnknown, ReservationLost: see the classes. Neither can happen while reservations expire as
            `expire` says; so whoever follows `orders` must park the event where an operator sees it.
    """
    wanted = set(reservation_ids)
    states = await queries.lock_reservations(session, reservation_ids=wanted)
    if missing := wanted - states.keys():
        raise ReservationUnknown(f"No reservation has the id {min(missing)}.")
    lost = [f"{id_} is {state}" for id_, state in states.items() if state not in rules.LIVE]
    if lost:
        raise ReservationLost(f"An order was placed on goods no longer held: {', '.join(lost)}.")
    await _end(session, states, ReservationState.CONSUMED)


async def release(
    session: AsyncSession, *, reservation_ids: Iterable[UUID], at: datetime
) -> dict[UUID, ReservationState]:
    """Give back what no order took; the state of each reservation that exists. Told again, nothing changes."""
    states = await queries.lock_reservations(session, reservation_ids=set(reservation_ids))
    released = await _end(session, states, ReservationState.RELEASED)
    await _give_back(session, totals=await queries.live_by_stock(session, reservation_ids=released), at=at)
    return states | dict.fromkeys(released, ReservationState.RELEASED)


async def expire(session: AsyncSession, *, caught_up_to: datetime, limit: int, at: datetime) -> int:
    """Give back what was held too long, at most `limit` reservations; how many.

    `orders` commits an order only while its clock is before a reservation's end, and `caught_up_to` is that same
    clock at the moment when every order committed until then had been applied here. So once it is past the end, an
    order for the reservation would have been seen. Our own clock is not asked: when `orders` or its follower stands
    still, nothing expires.
    """
    ids = await queries.expired_reservations_skip_locked(
        session, ended_before=caught_up_to - rules.EXPIRY_MARGIN, limit=limit
    )
    expired = await _end(session, dict.fromkeys(ids, ReservationState.HELD), ReservationState.EXPIRED)
    await _give_back(session, totals=await queries.live_by_stock(session, reservation_ids=expired), at=at)
    return len(expired)


async def _end(
    session: AsyncSession, states: Mapping[UUID, ReservationState], state: ReservationState
) -> Sequence[UUID]:
    """Those of the locked reservations that may become `state` do; which ones did."""
    ending = [id_ for id_, before in states.items() if rules.may_become(before, state)]
    if not ending:
        return ()
    rows = await session.execute(
        text(
            "UPDATE reservations SET state = :state WHERE id = ANY (CAST(:ids AS uuid[])) AND state = 'HELD' "
            "RETURNING id"
        ),
        {"state": state, "ids": array(map(str, ending))},
    )
    return rows.scalars().all()


@dataclass(frozen=True, kw_only=True, slots=True)
class LineRelease:
    """One fact of `orders`: so much of a line goes back (cancelled, rejected, confirmed smaller)."""

    event_id: UUID
    reservation_id: UUID
    supplier_id: UUID
    line_no: int
    base_quantity: Decimal


_RELEASE_LINES = text(
    """
    WITH fresh AS (
        INSERT INTO reservation_releases
            (supplier_id, event_id, reservation_id, line_no, base_quantity, released_at)
        SELECT supplier_id, event_id, reservation_id, line_no, sum(base_quantity), :at
        FROM unnest(
            CAST(:suppliers AS uuid[]), CAST(:events AS uuid[]), CAST(:reservations AS uuid[]),
            CAST(:line_nos AS integer[]), CAST(:quantities AS numeric[])
        ) AS f (supplier_id, event_id, reservation_id, line_no, base_quantity)
        GROUP BY supplier_id, event_id, reservation_id, line_no
        ON CONFLICT DO NOTHING
        RETURNING supplier_id, reservation_id, line_no, base_quantity
    ), due AS MATERIALIZED (
        SELECT supplier_id, reservation_id, line_no, sum(base_quantity) AS quantity FROM fresh
        GROUP BY supplier_id, reservation_id, line_no
    ), gave AS (
        UPDATE reservation_lines l SET released_quantity = l.released_quantity + d.quantity
        FROM due d
        WHERE l.reservation_id = d.reservation_id AND l.supplier_id = d.supplier_id AND l.line_no = d.line_no
          AND l.released_quantity + d.quantity <= l.base_quantity
        RETURNING l.supplier_id, l.reservation_id, l.line_no, l.item_no, l.stock_point, d.quantity
    )
    SELECT d.reservation_id, d.line_no, d.supplier_id, g.item_no, g.stock_point, d.quantity
    FROM due d LEFT JOIN gave g USING (supplier_id, reservation_id, line_no)
    """
)


async def release_lines(session: AsyncSession, *, releases: Sequence[LineRelease], at: datetime) -> None:
    """Give back parts of consumed lines; each fact once, however often it is told.

    Raises:
        ReservationUnknown, NotConsumed, ReleasedTooMuch: see the classes; nothing is given back then.
    """
    states = await queries.lock_reservations(session, reservation_ids={each.reservation_id for each in releases})
    for each in releases:
        state = states.get(each.reservation_id)
        if state is None:
            raise ReservationUnknown(f"No reservation has the id {each.reservation_id}.")
        if state is not ReservationState.CONSUMED:
            raise NotConsumed(f"Reservation {each.reservation_id} is {state}; no order has taken it.")
    rows = await session.execute(
        _RELEASE_LINES,
        {
            "at": at,
            "suppliers": array(str(each.supplier_id) for each in releases),
            "events": array(str(each.event_id) for each in releases),
            "reservations": array(str(each.reservation_id) for each in releases),
            "line_nos": array(str(each.line_no) for each in releases),
            "quantities": array(f"{each.base_quantity:f}" for each in releases),
        },
    )
    gave = rows.all()
    for row in gave:
        if row.item_no is None:
            raise ReleasedTooMuch(
                f"Line {row.line_no} of reservation {row.reservation_id} does not hold {row.quantity} more."
            )
    totals = rules.total_by_stock(
        ((str(row.supplier_id), row.item_no, row.stock_point), row.quantity)
        for row in gave
        if row.stock_point is not None
    )
    await _give_back(session, totals=totals, at=at)


# on_hand and shortfall: `inventory.rules.after_release`. What covers a shortfall is not there to be sold again.
_GIVE_BACK = text(
    """
    WITH locked AS MATERIALIZED (
        SELECT supplier_id, item_no, stock_point, w.quantity, stock_band(s.on_hand, s.reserved) AS band_before
        FROM unnest(
            CAST(:suppliers AS uuid[]), CAST(:items AS text[]), CAST(:points AS text[]),
            CAST(:quantities AS numeric[])
        ) AS w (supplier_id, item_no, stock_point, quantity)
        JOIN stock_levels s USING (supplier_id, item_no, stock_point)
        ORDER BY supplier_id, item_no, stock_point
        FOR NO KEY UPDATE OF s
    ), gave AS (
        UPDATE stock_levels s SET
            reserved = s.reserved - l.quantity,
            on_hand = greatest(s.on_hand - s.shortfall, s.reserved - l.quantity),
            shortfall = greatest(s.reserved - l.quantity - (s.on_hand - s.shortfall), 0),
            updated_at = :at
        FROM locked l
        WHERE s.supplier_id = l.supplier_id AND s.item_no = l.item_no AND s.stock_point = l.stock_point
        RETURNING s.supplier_id, s.item_no, s.stock_point, CAST(s.on_hand AS text) AS on_hand,
            CAST(s.on_hand - s.reserved AS text) AS available, s.as_of,
            stock_band(s.on_hand, s.reserved) AS band, l.band_before
    )
    SELECT (SELECT count(*) FROM gave) AS given, (SELECT jsonb_agg(to_jsonb(g)) FROM gave g WHERE band <> band_before)
        AS changed
    """
)


async def _give_back(session: AsyncSession, *, totals: Mapping[StockKey, Decimal], at: datetime) -> None:
    if not totals:
        return
    row = (await session.execute(_GIVE_BACK, {"at": at, **queries.stock_columns(totals)})).one()
    if row.given != len(totals):
        message = f"{len(totals) - row.given} stock rows that hold reserved goods do not exist."
        raise AssertionError(message)
    await _publish_bands(session, changed=row.changed or (), at=at)


async def _publish_bands(session: AsyncSession, *, changed: Sequence[Mapping[str, Any]], at: datetime) -> None:
    """Tell where stock went out, low or in: buyers see no more of it, and every order as an event would flood all."""
    rows = sorted(changed, key=lambda row: (row["supplier_id"], row["item_no"], row["stock_point"]))
    for supplier_id, own in groupby(rows, key=lambda row: str(row["supplier_id"])):
        stock = [{name: row[name] for name in _TOLD} for row in own]
        for start in range(0, len(stock), EVENT_ROWS_AT_MOST):
            await publish(
                session,
                type=STOCK_CHANGED,
                subject=supplier_id,
                data={"supplier_id": supplier_id, "stock": stock[start : start + EVENT_ROWS_AT_MOST]},
                at=at,
                company_id=UUID(supplier_id),
            )


_TOLD = ("item_no", "stock_point", "on_hand", "available", "band", "as_of")
"""The members of `shared.contracts.suppliers.StockState`."""
