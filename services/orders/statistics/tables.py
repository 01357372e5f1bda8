"""Since when a category of a group has stood at which stage, and price statistics that were made once."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Date, DateTime, Numeric, Text, Uuid
from sqlmodel import Field

from services.orders.schema import Table


class StagePeriod(Table, table=True):
    """From a moment on a group's category stood at a stage; the next row ends it. Before the first it was at S1."""

    __tablename__ = "stage_periods"
    __table_args__ = (
        CheckConstraint("stage IN ('S1', 'S2', 'S3')", name="stage"),
        CheckConstraint("(stage = 'S2') = (circle_id IS NOT NULL)", name="circle"),
    )

    group_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    category: str = Field(sa_column=Column(Text, primary_key=True))
    since: datetime = Field(sa_column=Column(DateTime(timezone=True), primary_key=True))
    stage: str = Field(sa_column=Column(Text, nullable=False))
    circle_id: UUID | None = Field(default=None, sa_column=Column(Uuid))


class PriceMonth(Table, table=True):
    """A month whose price statistics were made. It is never made again: the difference of two versions would tell
    what one late order cost."""

    __tablename__ = "price_months"
    __table_args__ = (CheckConstraint("extract(day FROM month) = 1", name="month"),)

    month: date = Field(sa_column=Column(Date, primary_key=True))
    made_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class PriceStatistic(Table, table=True):
    """What may be said of one cell (rules). Append-only; cells of which nothing may be said have no row."""

    __tablename__ = "price_statistics"
    __table_args__ = (
        CheckConstraint("extract(day FROM month) = 1", name="month"),
        CheckConstraint("region ~ '^[0-9]{2}$'", name="region"),
        CheckConstraint("price >= 0", name="price"),
    )

    pool: str = Field(sa_column=Column(Text, primary_key=True))
    """`market`, or the id of the circle whose groups bought it. A group is in one pool a category at a time."""
    variant_key: str = Field(sa_column=Column(Text, primary_key=True))
    region: str = Field(sa_column=Column(Text, primary_key=True))
    """Of the place of delivery: a province, by the first two digits of its code (GB/T 2260)."""
    month: date = Field(sa_column=Column(Date, primary_key=True))
    currency: str = Field(sa_column=Column(Text, primary_key=True))
    category: str = Field(sa_column=Column(Text, nullable=False))
    base_unit: str = Field(sa_column=Column(Text, nullable=False))
    price: Decimal = Field(sa_column=Column(Numeric(18, 6), nullable=False))
    spread: str = Field(sa_column=Column(Text, nullable=False))
    groups: str = Field(sa_column=Column(Text, nullable=False))
