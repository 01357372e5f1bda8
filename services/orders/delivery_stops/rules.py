"""Which orders a stop speaks of (domain.md 5.3: nothing is cancelled, what is on the road is received). Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

OFFICIAL = UUID(int=0)
"""The owner of what binds every contractor."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """An entry of a blacklist that stops deliveries. Nothing named means all; the last day counts."""

    supplier_id: UUID
    owner_id: UUID
    """A contractor group, or OFFICIAL."""
    entry_id: UUID
    reason_class: str
    type_codes: frozenset[str]
    regions: frozenset[str]
    project_ids: frozenset[UUID]
    starts_on: date
    expires_on: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """What a stop asks of an order."""

    supplier_id: UUID
    buyer_group_id: UUID
    region: str
    project_id: UUID
    types_to_come: Collection[str]
    """Of the lines of which anything has still to be sent."""


def stops(stop: Stop, order: Running, *, on: date) -> bool:
    """Whether an order's delivery is stopped by an entry on a day. With nothing left to send there is nothing to
    stop."""
    if stop.supplier_id != order.supplier_id or stop.owner_id not in {OFFICIAL, order.buyer_group_id}:
        return False
    if not stop.starts_on <= on <= stop.expires_on or not order.types_to_come:
        return False
    if stop.type_codes and stop.type_codes.isdisjoint(order.types_to_come):
        return False
    if stop.regions and not any(order.region.startswith(_head(region)) for region in stop.regions):
        return False
    return not stop.project_ids or order.project_id in stop.project_ids


def _head(region: str) -> str:
    while len(region) > 2 and region.endswith("00"):
        region = region[:-2]
    return region
