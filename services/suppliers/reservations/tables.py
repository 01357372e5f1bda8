"""Reservations, their lines, and what of a consumed line was given back.

A basket is held whole, so the state stands on the reservation; a line only counts what came back of it. A live
line (of a HELD or CONSUMED reservation) is `base_quantity - released_quantity` of its stock row's `reserved`.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, DateTime, Index, Integer, LargeBinary, Numeric, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.suppliers.reservations.rules import ReservationState
from services.suppliers.schema import Table

Quantity = Numeric(18, 3)


class Reservation(Table, table=True):
    """Goods of several suppliers held for one basket of one buyer. The id is its caller's."""

    __tablename__ = "reservations"
    __table_args__ = (
        CheckConstraint("state IN ('HELD', 'CONSUMED', 'RELEASED', 'EXPIRED')", name="state"),
        CheckConstraint("expires_at > created_at", name="expiry"),
        CheckConstraint("octet_length(request_hash) = 32", name="request_hash"),
        CheckConstraint("jsonb_typeof(lines) = 'array'", name="lines"),
        Index("ix_reservations_expiring", "expires_at", postgresql_where=text("state = 'HELD'")),
    )

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    buyer_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    request_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    state: str = Field(default=ReservationState.HELD, sa_column=Column(Text, nullable=False))
    expires_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    lines: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    """The answer as it was given (`shared.contracts.reservations.ReservedLine`): prices are frozen here."""


class ReservationLine(Table, table=True):
    """How much of a stock row one line holds. Made to order: no stock point, nothing taken from stock."""

    __tablename__ = "reservation_lines"
    __table_args__ = (
        CheckConstraint("base_quantity > 0", name="base_quantity"),
        CheckConstraint("released_quantity >= 0", name="released_quantity"),
        CheckConstraint("released_quantity <= base_quantity", name="not_released_twice"),
    )

    # The reservation first: its lines are always read together, and one index then serves both.
    reservation_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    line_no: int = Field(sa_column=Column(Integer, primary_key=True))
    offer_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    item_no: str = Field(sa_column=Column(Text, nullable=False))
    stock_point: str | None = Field(default=None, sa_column=Column(Text))
    base_quantity: Decimal = Field(sa_column=Column(Quantity, nullable=False))
    released_quantity: Decimal = Field(
        default=Decimal(0), sa_column=Column(Quantity, nullable=False, server_default=text("0"))
    )


class ReservationRelease(Table, table=True):
    """One fact of `orders` that gave back part of a line. Append-only; its key makes a replay harmless."""

    __tablename__ = "reservation_releases"
    __table_args__ = (CheckConstraint("base_quantity > 0", name="base_quantity"),)

    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    event_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    reservation_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    line_no: int = Field(sa_column=Column(Integer, primary_key=True))
    base_quantity: Decimal = Field(sa_column=Column(Quantity, nullable=False))
    released_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
