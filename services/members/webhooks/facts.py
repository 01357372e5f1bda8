"""Which events of the services concern which companies, and what those are told. Pure.

An event is delivered to the companies that are party to it, and an event without clear parties to nobody. A message
carries no member of the event beside ids: the receiver reads the object through the API, with its own rights.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    """The groups that stood in these circles when it happened are concerned too, those that left by it among them."""
    everybody: bool = False
    """Every company that takes part is concerned too: it is about the open market."""
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
    everybody: bool = False
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


def _document_expiring(_: str, data: Data) -> list[About]:
    """The supplier alone: what ends, on which day, and which of the warnings (60, 30, 7, 0 days) it is."""
    supplier_id, subject_id = data["supplier_id"], str(data["subject_id"])
    paths = {"paper": f"/papers/{subject_id}", "identity": "/identity", "qualification": "/onboarding"}
    return [
        About(
            subject_id=subject_id,
            path=f"/suppliers/{supplier_id}{paths[data['subject']]}",
            parties=_ids(data, "supplier_id"),
            told=_said(data, "subject", "kind", "ends_on", "step"),
        )
    ]


def _blacklist(_: str, data: Data) -> list[About]:
    """Whose list it is, and the suppliers it names, each where it may read: no reason or evidence is said here.

    What the owner's people only propose to each other changes nothing for a supplier, which does not hear of it.
    """
    entry_id = str(data["entry_id"])
    owner = _ids(data, "owner_group_id")
    kept = About(subject_id=entry_id, path=f"/suppliers/blacklist/entries/{entry_id}", parties=owner)
    if data["what"] in _AMONG_THE_OWNERS:
        return [kept]
    named = _ids(data, "supplier_ids", "supplier_id")
    return [kept, About(subject_id=entry_id, path="/suppliers/blacklist/about-us", parties=named)]


_AMONG_THE_OWNERS = frozenset({"softening asked", "proposal rejected"})


def _consent(_: str, data: Data) -> list[About]:
    """Its supplier, and the group or the circle it was given to; one that is for everybody is told to nobody else.

    Who may read under a consent has no route to list consents by, so the message names the supplier and says whether
    the consent stands: a revoked one answers nothing any more.
    """
    consent_id, supplier_id = str(data["consent_id"]), str(data["supplier_id"])
    told = {"supplier_id": supplier_id, "until": str(data["until"]), "revoked": str(data["revoked"]).lower()}
    own = About(
        subject_id=consent_id,
        path=f"/suppliers/consents/{consent_id}/history",
        parties=_ids(data, "supplier_id"),
        told=told,
    )
    to_circle = data["audience"] == "CIRCLE"
    theirs = About(
        subject_id=consent_id,
        path=f"/suppliers/{supplier_id}/portable-profile?consent_id={consent_id}",
        parties=_ids(data, "to_id") if data["audience"] == "ORG" else frozenset(),
        circles=_ids(data, "to_id") if to_circle else frozenset(),
        told=told,
    )
    return [own, theirs]


def _said(data: Data, *members: str) -> dict[str, str]:
    return {name: str(data[name]) for name in members if data.get(name) is not None}


def _circle_changed(_: str, data: Data) -> list[About]:
    """The members, those it ended for, and the group that came, left or is asked in: its own standing changed."""
    circle_id = data["circle_id"]
    parties = _ids(data, "member_ids", "group_id")
    path = f"/members/companies/{COMPANY}/circles/{circle_id}"
    return [About(subject_id=circle_id, path=path, parties=parties, circles=_ids(data, "circle_id"))]


_SAID_OF_STAGES = ("group_id", "category", "from_stage", "to_stage", "effective_from", "before_stage", "stage", "what")


def _stage(_: str, data: Data) -> list[About]:
    """Its group, whom it opens to or closes to, and the suppliers of the category: the groups of the circles, and
    every company where the market opens (S3) or closes.

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
            everybody=_MARKET in {data.get(name) for name in ("stage", "before_stage", "to_stage")},
            told=_said(data, *_SAID_OF_STAGES),
        )
    ]


_MARKET = "S3"


def _stage_stopped(subject: str, data: Data) -> list[About]:
    """Those who were told of an announcement; its group alone while nothing was announced."""
    if data["was"] == "ANNOUNCED":
        return _stage(subject, data)
    [about] = _stage(subject, data)
    return [replace(about, suppliers_of=None, circles=frozenset(), everybody=False)]


def _stage_gates(_: str, data: Data) -> list[About]:
    """The group alone: nothing closes by it, and what was measured is its own matter (read it at its stages)."""
    group_id, category = str(data["group_id"]), str(data["category"])
    return [
        About(
            subject_id=f"{group_id}/{category}",
            path=f"/members/companies/{group_id}/stages",
            parties=_ids(data, "group_id"),
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
            _document_expiring,
        ),
        "dev.dougong.suppliers.blacklist.changed.v1": (EventType.BLACKLIST_CHANGED, _blacklist),
        "dev.dougong.suppliers.blacklist.appealed.v1": (EventType.BLACKLIST_CHANGED, _blacklist),
        "dev.dougong.suppliers.consent.changed.v1": (EventType.CONSENT_CHANGED, _consent),
        "dev.dougong.suppliers.offers.needs_update.v1": (
            EventType.OFFERS_NEED_UPDATE,
            _of_a_supplier("/suppliers/offers?needs_update=true"),
        ),
    },
    "members": {
        "dev.dougong.members.circle.changed.v1": (EventType.CIRCLE_CHANGED, _circle_changed),
        "dev.dougong.members.stage.announced.v1": (EventType.STAGE_ANNOUNCED, _stage),
        "dev.dougong.members.stage.changed.v1": (EventType.STAGE_CHANGED, _stage),
        "dev.dougong.members.stage.stopped.v1": (EventType.STAGE_STOPPED, _stage_stopped),
        "dev.dougong.members.stage.gates-changed.v1": (EventType.STAGE_GATES_CHANGED, _stage_gates),
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
            everybody=about.everybody,
            told=about.told,
        )
        for about in read(subject, data)
        if about.parties or about.circles
    ]
