"""Which events of the services concern which companies, and what those are told. Pure.

An event is delivered to the companies that are party to it, and an event without clear parties to nobody. A message
carries no member of the event beside ids: the receiver reads the object through the API, with its own rights.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from services.members.webhooks.rules import EventType

Data = Mapping[str, Any]
COMPANY = "{company_id}"
"""Stands in a path for the company that is told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """What happened to one object, and whom it concerns."""

    event_id: UUID
    type: EventType
    occurred_at: datetime
    subject_id: str
    path: str
    """Where the API tells more."""
    parties: frozenset[UUID] = frozenset()
    suppliers_of: str | None = None
    """A category: the suppliers qualified in it are concerned too."""
    circles: frozenset[UUID] = frozenset()
    """The groups that stand in these circles are concerned too."""
    told: Mapping[str, str] = field(default_factory=dict)
    """Said in the message itself, where most receivers have no right to read the object."""


@dataclass(frozen=True, kw_only=True, slots=True)
class About:
    """The part of a fact that an event's data tells."""

    subject_id: str
    path: str
    parties: frozenset[UUID]
    suppliers_of: str | None = None
    circles: frozenset[UUID] = frozenset()
    told: Mapping[str, str] = field(default_factory=dict)


def _ids(data: Data, *members: str) -> frozenset[UUID]:
    """The companies named in these members, each an id or a list of ids."""
    found: set[UUID] = set()
    for member in members:
        value = data.get(member)
        found |= {UUID(str(each)) for each in (value if isinstance(value, list) else [value]) if each is not None}
    return frozenset(found)


def _orders_placed(_: str, data: Data) -> list[About]:
    """A basket is one event and as many orders as suppliers: each supplier hears of its own alone."""
    return [
        About(
            subject_id=order["order_id"],
            path=f"/orders/purchase-orders/{order['order_id']}",
            parties=_ids(data, "buyer_id") | _ids(order, "supplier_id"),
        )
        for order in data["orders"]
    ]


def _order_changed(_: str, data: Data) -> list[About]:
    order_id = data["order_id"]
    parties = _ids(data, "buyer_id", "supplier_id")
    return [About(subject_id=order_id, path=f"/orders/purchase-orders/{order_id}", parties=parties)]


def _of_a_supplier(path: str, *, subject_in: str = "", beside: str = "") -> Callable[[str, Data], list[About]]:
    """Matters of a supplier: of itself and of the company in the member `beside`. `subject_in` names the member with
    the object's id where the event's own subject is not it."""

    def told(subject: str, data: Data) -> list[About]:
        parties = _ids(data, "supplier_id", *([beside] if beside else []))
        subject_id = str(data[subject_in]) if subject_in else subject
        about = path.format(supplier_id=data["supplier_id"], subject_id=subject_id)
        return [About(subject_id=subject_id, path=about, parties=parties)]

    return told


def _circle_changed(_: str, data: Data) -> list[About]:
    """The members, and the group that came, left or is asked in: its own standing changed."""
    circle_id = data["circle_id"]
    parties = _ids(data, "member_ids", "group_id")
    path = f"/members/companies/{COMPANY}/circles/{circle_id}"
    return [About(subject_id=circle_id, path=path, parties=parties)]


_SAID_OF_STAGES = ("group_id", "category", "from_stage", "to_stage", "effective_from", "before_stage", "stage")


def _stage(_: str, data: Data) -> list[About]:
    """Its group, the groups of the circles it opens to or comes from, and the suppliers of the category.

    All but the group itself have no route to read a stage change by, so the message says what is announced to all.
    """
    group_id, category = str(data["group_id"]), str(data["category"])
    return [
        About(
            subject_id=f"{group_id}/{category}",
            path=f"/members/companies/{group_id}/stages/{category}/changes/{data['change_id']}",
            parties=_ids(data, "group_id"),
            suppliers_of=category,
            circles=_ids(data, "circle_id", "before_circle_id"),
            told={name: str(data[name]) for name in _SAID_OF_STAGES if data.get(name) is not None},
        )
    ]


def _joint_notice(_: str, data: Data) -> list[About]:
    notice_id = data["notice_id"]
    return [About(subject_id=notice_id, path=f"/orders/joint-notices/{notice_id}", parties=_ids(data, "group_ids"))]


def _case_file(_: str, data: Data) -> list[About]:
    """The owner whose documents operator staff may look into; nobody else."""
    case_file_id = data["case_file_id"]
    parties = _ids(data, "owner_id")
    return [About(subject_id=case_file_id, path=f"/orders/case-files/{case_file_id}", parties=parties)]


def _endpoint_disabled(_: str, data: Data) -> list[About]:
    endpoint_id, company_id = data["endpoint_id"], data["company_id"]
    path = f"/members/companies/{company_id}/webhooks/{endpoint_id}"
    return [About(subject_id=endpoint_id, path=path, parties=_ids(data, "company_id"))]


Reader = Callable[[str, Data], list[About]]
READERS: Mapping[str, Mapping[str, tuple[EventType, Reader]]] = {
    "orders": {
        "dev.dougong.orders.basket.placed.v1": (EventType.ORDER_PLACED, _orders_placed),
        "dev.dougong.orders.order.changed.v1": (EventType.ORDER_CHANGED, _order_changed),
        "dev.dougong.orders.case_file.changed.v1": (EventType.CASE_FILE_CHANGED, _case_file),
        "dev.dougong.orders.joint_notice.opened.v1": (EventType.JOINT_NOTICE_OPENED, _joint_notice),
        "dev.dougong.orders.joint_notice.changed.v1": (EventType.JOINT_NOTICE_CHANGED, _joint_notice),
    },
    "suppliers": {
        "dev.dougong.suppliers.supplier.changed.v1": (
            EventType.SUPPLIER_CHANGED,
            _of_a_supplier("/suppliers/{supplier_id}"),
        ),
        "dev.dougong.suppliers.application.changed.v1": (
            EventType.APPLICATION_CHANGED,
            _of_a_supplier("/suppliers/{supplier_id}/application", subject_in="application_id"),
        ),
        "dev.dougong.suppliers.admission.changed.v1": (
            EventType.ADMISSION_CHANGED,
            _of_a_supplier("/suppliers/admissions/{subject_id}", subject_in="admission_id", beside="group_id"),
        ),
        "dev.dougong.suppliers.document.expiring.v1": (
            EventType.DOCUMENT_EXPIRING,
            _of_a_supplier("/suppliers/{supplier_id}", subject_in="subject_id"),
        ),
        "dev.dougong.suppliers.offers.needs_update.v1": (
            EventType.OFFERS_NEED_UPDATE,
            _of_a_supplier("/suppliers/offers?needs_update=true"),
        ),
    },
    "members": {
        "dev.dougong.members.circle.changed.v1": (EventType.CIRCLE_CHANGED, _circle_changed),
        "dev.dougong.members.stage.announced.v1": (EventType.STAGE_ANNOUNCED, _stage),
        "dev.dougong.members.stage.changed.v1": (EventType.STAGE_CHANGED, _stage),
        "dev.dougong.members.webhook_endpoint.disabled.v1": (EventType.ENDPOINT_DISABLED, _endpoint_disabled),
    },
}
"""By source and type of event: what it is called outside, and how its parties are read. Nothing else is delivered."""


def facts_of(
    *, source: str, event_id: UUID, event_type: str, subject: str, time: datetime, data: Data
) -> Sequence[Fact]:
    """What an event of a service tells whom; nothing for an event that nobody outside is told of.

    Raises:
        KeyError, ValueError: the event does not name the parties it should; it must not be guessed.
    """
    known = READERS.get(source, {}).get(event_type)
    if known is None:
        return []
    public, read = known
    return [
        Fact(
            event_id=event_id,
            type=public,
            occurred_at=time,
            subject_id=about.subject_id,
            path=about.path,
            parties=about.parties,
            suppliers_of=about.suppliers_of,
            circles=about.circles,
            told=about.told,
        )
        for about in read(subject, data)
        if about.parties
    ]
