"""Entries of blacklists that stop deliveries, as `suppliers` last told them."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Date, DateTime, Index, Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from services.orders.delivery_stops.rules import Stop
from services.orders.schema import Table


class DeliveryStop(Table, table=True):
    """One supplier and one entry about it. Read by the supplier, and by buyers bound by it who have an order there."""

    __tablename__ = "delivery_stops"
    __table_args__ = (
        CheckConstraint("expires_on >= starts_on", name="days"),
        Index(None, "owner_id", "entry_id"),
    )

    supplier_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    owner_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    entry_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    reason_class: str = Field(sa_column=Column(Text, nullable=False))
    type_codes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    regions: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    project_ids: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    starts_on: date = Field(sa_column=Column(Date, nullable=False))
    expires_on: date = Field(sa_column=Column(Date, nullable=False))
    active: bool
    entry_version: int = Field(sa_column=Column(Integer, nullable=False))
    updated_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))

    @property
    def stop(self) -> Stop:
        """What it says."""
        return Stop(
            supplier_id=self.supplier_id,
            owner_id=self.owner_id,
            entry_id=self.entry_id,
            reason_class=self.reason_class,
            type_codes=frozenset(self.type_codes),
            regions=frozenset(self.regions),
            project_ids=frozenset(self.project_ids),
            starts_on=self.starts_on,
            expires_on=self.expires_on,
        )
