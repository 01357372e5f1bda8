"""When goods may be held, given back, and by whom (domain.md 5.4: available is never below zero). Pure."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol
from uuid import UUID

EXPIRY_MARGIN = timedelta(seconds=30)
"""Between the end of a reservation and its expiry, measured on the clock of `orders`."""

MOST_QUANTITY = Decimal(10) ** 15
"""The first quantity that a NUMERIC(18, 3) cannot hold; here and in the order that takes the goods."""

StockKey = tuple[str, str, str]
"""(supplier id, item number, stock point) of one stock row; text, which Python compares much faster than UUIDs."""


class ReservationState(StrEnum):
    """HELD ends once, in one of the others.

    CONSUMED: an order took it. It no longer expires; its goods stay reserved until they leave or are given back
    line by line.
    """

    HELD = "HELD"
    CONSUMED = "CONSUMED"
    RELEASED = "RELEASED"
    EXPIRED = "EXPIRED"


TRANSITIONS = frozenset(
    {
        (ReservationState.HELD, ReservationState.CONSUMED),
        (ReservationState.HELD, ReservationState.RELEASED),
        (ReservationState.HELD, ReservationState.EXPIRED),
    }
)

LIVE = frozenset({ReservationState.HELD, ReservationState.CONSUMED})
"""The states whose lines are part of `stock_levels.reserved`."""


def may_become(before: ReservationState, after: ReservationState) -> bool:
    """Whether a reservation may go from one state to another."""
    return (before, after) in TRANSITIONS


def can_be_counted(quantity: Decimal, priced_quantity: Decimal, base_quantity: Decimal) -> bool:
    """Whether every quantity of a line has room in its column."""
    return quantity < MOST_QUANTITY and priced_quantity < MOST_QUANTITY and base_quantity < MOST_QUANTITY


class AskedLine(Protocol):
    """What a caller asked for in one line."""

    @property
    def line_no(self) -> int: ...
    @property
    def offer_id(self) -> UUID: ...
    @property
    def quantity(self) -> Decimal: ...
    @property
    def unit(self) -> str: ...
    @property
    def need_by(self) -> date: ...


def fingerprint(*, buyer_id: UUID, currency: str, region: str, lines: Iterable[AskedLine]) -> bytes:
    """What makes two requests under one reservation id the same: who wants what, where, by when.

    Not the time of asking nor how long to hold: a retry after a crash has others.
    """
    asked = [f"{buyer_id}|{currency}|{region}"]
    asked += sorted(
        f"{line.line_no}|{line.offer_id.hex}|{line.quantity.normalize()}|{line.unit}|{line.need_by}" for line in lines
    )
    return hashlib.sha256("\n".join(asked).encode()).digest()


def total_by_stock(takes: Iterable[tuple[StockKey, Decimal]]) -> dict[StockKey, Decimal]:
    """How much of each stock row, duplicates summed."""
    totals: dict[StockKey, Decimal] = defaultdict(Decimal)
    for key, quantity in takes:
        totals[key] += quantity
    return dict(totals)


def short_of(
    wants: Sequence[Mapping[StockKey, Decimal]], *, scarce: Mapping[StockKey, Decimal]
) -> list[dict[StockKey, Decimal]]:
    """For each basket the stock rows it is short of, with what is available of them; empty: it gets all.

    `scarce` holds what is available where it does not suffice for all baskets together. First come, first
    served; a basket that is refused takes nothing from those behind it.
    """
    left = dict(scarce)
    found = []
    for want in wants:
        short = {key: left[key] for key, quantity in want.items() if key in left and left[key] < quantity}
        if not short:
            for key in want.keys() & left.keys():
                left[key] -= want[key]
        found.append(short)
    return found
