"""Placing a basket: reserve first, then commit the orders (design.md rule 2, ADR 0006).

    read what the key, the project and the delivery point say     one query for many baskets
    hold the goods at `suppliers`, prices frozen in its answer    one call for many baskets
    draft the orders: amounts, answer, history                    no I/O
    write everything                                              one statement for many baskets

No transaction is open while another service is called. The basket's id, which is the reservation's too, follows
from the buyer's company and the Idempotency-Key: after any crash a repeat meets its own reservation.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID, uuid5

import orjson
from fastapi import Response

from services.orders.projects.actions import DeliveryPointNotFound, ProjectNotFound
from services.orders.projects.rules import ProjectStatus
from services.orders.purchase_orders import rules
from services.orders.purchase_orders.codes import CodeMeanings, CodesNotMeant, mark_used, meanings_of, ordered_codes
from services.orders.purchase_orders.documents import AmountTooLarge, BasketDraft, Buyer, Site, draft_basket
from services.orders.purchase_orders.history import actor_of
from services.orders.purchase_orders.reading import Known, Question, Reading, StoredAnswer
from services.orders.purchase_orders.reserving import Reservations, Reserving, Wanted
from services.orders.purchase_orders.writing import ROUTE, Ready, Writing, headers_of
from shared.audit import entries as audit
from shared.clients.transport import ServiceAway, ServiceRefused, ServiceUnknown
from shared.clock import business_date
from shared.contracts.members import CompanyIdentity
from shared.contracts.orders import BasketBody, BasketLine
from shared.contracts.reservations import ReservedLinePlain, ReserveResultPlain
from shared.database import Database
from shared.errors import Conflict, FieldError, Unavailable, Unprocessable
from shared.idempotency import IdempotencyKeyReused, RequestStillRunning, check_same, replayed
from shared.identity import Principal
from shared.middleware import request_id

_BASKETS = UUID("5f0f6a52-6d0e-5a43-9a63-6b1f2f0c8d11")
"""Namespace of basket ids."""


class BasketMalformed(Unprocessable):
    """Lines that cannot be ordered as they stand; `errors` names each field and rule."""


class ProjectNotActive(Conflict):
    """Nothing new is ordered for a project that is on hold or closed."""


class DeliveryPointClosed(Conflict):
    """Nothing new is delivered to this delivery point."""


class BasketRefused(Conflict):
    """Suppliers cannot serve the basket as it stands; `errors` has every reason of every line. Nothing was ordered."""


class ReservationOver(Conflict):
    """The goods held for this Idempotency-Key were given back; place the basket again with a new key."""


class ReservationExpired(Conflict):
    """The goods were no longer held when the order was to be written; place it again with a new Idempotency-Key."""


class ReservationUnknown(Unavailable):
    """It is not known whether `suppliers` holds the goods; repeat with the same Idempotency-Key to find out."""


class SuppliersAway(Unavailable):
    """`suppliers` cannot be reached; nothing was held. Repeat with the same Idempotency-Key."""


class MembersAway(Unavailable):
    """`members` did not say who the buyer is; nothing was held. Repeat with the same Idempotency-Key."""


class Companies(Protocol):
    """Who a company is; `shared.clients.members.MembersClient`, or a fake."""

    async def company(self, *, company_id: UUID) -> CompanyIdentity:
        """Raises ServiceAway, ServiceUnknown, ServiceRefused."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Purchase:
    """One POST /orders/baskets."""

    caller: Principal
    key: str
    hash: bytes
    body: BasketBody
    at: datetime

    @property
    def basket_id(self) -> UUID:
        return uuid5(_BASKETS, f"{self.caller.company}:{self.key}")


class BuyerDirectory:
    """Buyers' names and tax ids, remembered for a little while."""

    def __init__(self, companies: Companies, *, seconds: float) -> None:
        self._companies = companies
        self._seconds = seconds
        self._known: dict[UUID, tuple[float, Buyer]] = {}

    async def buyer(self, company_id: UUID) -> Buyer:
        """Raises MembersAway."""
        known = self._known.get(company_id)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        try:
            company = await self._companies.company(company_id=company_id)
        except (ServiceAway, ServiceUnknown, ServiceRefused) as error:
            raise MembersAway(
                "members did not say who the buyer is; nothing was held. Repeat with the same key.",
                headers={"Retry-After": "2"},
            ) from error
        buyer = Buyer(id=company_id, name=company.name, tax_id=company.tax_id.value)
        self._known[company_id] = (time.monotonic() + self._seconds, buyer)
        return buyer


class Placement:
    """One per process."""

    def __init__(
        self,
        *,
        database: Database,
        reservations: Reservations,
        companies: Companies,
        catalog: CodeMeanings,
        reserve_timeout_seconds: float,
        reservation_seconds: int,
        company_cache_seconds: float,
        baskets_at_once: int,
    ) -> None:
        self._reading = Reading(database, baskets_at_once=baskets_at_once)
        self._writing = Writing(database, baskets_at_once=baskets_at_once)
        self._reserving = Reserving(
            reservations, timeout_seconds=reserve_timeout_seconds, baskets_at_once=baskets_at_once
        )
        self._buyers = BuyerDirectory(companies, seconds=company_cache_seconds)
        self._catalog = catalog
        self._reservation_seconds = reservation_seconds
        self._running: set[UUID] = set()

    async def place(self, purchase: Purchase) -> Response:
        """The answer: 201 with the orders, or the same again when they were placed before.

        Raises:
            RequestStillRunning, IdempotencyKeyReused, and the refusals above and of `projects`.
        """
        basket_id = purchase.basket_id
        if basket_id in self._running:
            raise RequestStillRunning("A request with this Idempotency-Key is still running; ask again in a moment.")
        self._running.add(basket_id)
        try:
            return await self._place(purchase, basket_id)
        finally:
            self._running.discard(basket_id)

    async def _place(self, purchase: Purchase, basket_id: UUID) -> Response:
        known = await self._reading.ask(_question(purchase, basket_id))
        if known.stored is not None:
            return _replay(known.stored, purchase)
        if known.placed_before:
            raise IdempotencyKeyReused(f"Basket {basket_id} was placed under this key long ago; use a new key.")
        site = _site(known, purchase.body)
        _check_lines(purchase.body.lines, today=business_date(purchase.at))
        meanings = await meanings_of(self._catalog, purchase.body.lines, caller=purchase.caller)
        buyer = await self._buyers.buyer(purchase.caller.company)
        held = await self._hold(purchase, basket_id, region=str(site.delivery["region"]))
        lines = _lines_of(held, purchase.body)
        try:
            codes = ordered_codes(purchase.body.lines, lines, meanings=meanings)
            await mark_used(self._catalog, codes, meanings=meanings)
            draft = draft_basket(
                basket_id=basket_id,
                buyer=buyer,
                buyer_group_id=purchase.caller.group,
                site=site,
                actor=actor_of(purchase.caller),
                body=purchase.body,
                held=lines,
                at=purchase.at,
            )
        except (AmountTooLarge, CodesNotMeant):
            await self._reserving.let_go(basket_id)
            raise
        ready = Ready(
            draft=draft,
            key=purchase.key,
            request_hash=purchase.hash,
            expires_at=datetime.fromisoformat(str(held.get("expires_at"))),
            audit_entry=_audit_entry(purchase, draft),
            codes=codes,
        )
        answer = await self._writing.write(ready)
        if answer is None:
            return await self._not_written(purchase, basket_id)
        return Response(answer, 201, dict(headers_of(draft)))

    async def _hold(self, purchase: Purchase, basket_id: UUID, *, region: str) -> ReserveResultPlain:
        try:
            result = await self._reserving.hold(
                _wanted(purchase, basket_id, region=region, seconds=self._reservation_seconds)
            )
        except ServiceAway as error:
            raise SuppliersAway("suppliers cannot be reached; nothing was held. Repeat with the same key.") from error
        except ServiceUnknown as error:
            raise ReservationUnknown(
                "It is not known whether the goods are held; repeat with the same Idempotency-Key to find out.",
                headers={"Retry-After": "2"},
            ) from error
        if result["outcome"] == "held":
            return result
        if result.get("code") == "ReservationConflict":
            raise IdempotencyKeyReused("This Idempotency-Key was used for another basket; use a new key.")
        if result.get("code") == "BasketUnreadable":
            raise _refused(result)
        if result.get("code"):
            raise ReservationOver(f"{result.get('detail')} Place the basket again with a new Idempotency-Key.")
        raise _refused(result)

    async def _not_written(self, purchase: Purchase, basket_id: UUID) -> Response:
        """Another process was quicker with the same key; else the goods' time was up and nothing was written."""
        known = await self._reading.ask(_question(purchase, basket_id))
        if known.stored is not None:
            return _replay(known.stored, purchase)
        # The goods are not let go here: a request with the same key may be writing its order on them in another
        # process at this moment. If none does, they expire by themselves.
        raise ReservationExpired("The goods were no longer held; place the basket again with a new Idempotency-Key.")


def _audit_entry(purchase: Purchase, draft: BasketDraft) -> bytes:
    entry = audit.entry_of(
        purchase.caller,
        act=ROUTE,
        outcome=audit.DONE,
        status=201,
        objects={"made": headers_of(draft)["location"]},
        request_id=request_id.get(),
        at=purchase.at,
    )
    return orjson.dumps(entry)


def _question(purchase: Purchase, basket_id: UUID) -> Question:
    return Question(
        buyer_id=purchase.caller.company,
        key=purchase.key,
        basket_id=basket_id,
        project_id=purchase.body.project_id,
        delivery_point_id=purchase.body.delivery_point_id,
    )


def _replay(stored: StoredAnswer, purchase: Purchase) -> Response:
    check_same(stored=stored.request_hash, now=purchase.hash)
    return replayed(status=stored.status, headers=dict(stored.headers), body=stored.body)


def _site(known: Known, body: BasketBody) -> Site:
    if known.project is None:
        raise ProjectNotFound(f"There is no project {body.project_id}.")
    number, name, status = known.project
    if known.delivery_point is None:
        raise DeliveryPointNotFound(f"Project {number} has no delivery point {body.delivery_point_id}.")
    active, delivery = known.delivery_point
    if status != ProjectStatus.ACTIVE:
        raise ProjectNotActive(f"Project {number} is {status}; nothing new is ordered for it.")
    if not active:
        raise DeliveryPointClosed(f"Nothing new is delivered to {delivery['name']}.")
    return Site(project_id=body.project_id, project_number=number, project_name=name, delivery=delivery)


def _check_lines(lines: Sequence[BasketLine], *, today: date) -> None:
    errors = [
        FieldError(field=f"lines.{place}.{fault.field}", rule=fault.rule, message=fault.message)
        for place, line in enumerate(lines)
        for fault in rules.basket_line_faults(quantity=line.quantity, need_by=line.need_by, today=today)
    ]
    if errors:
        raise BasketMalformed(f"{errors[0].field}: {errors[0].message}", errors=errors)


def _wanted(purchase: Purchase, basket_id: UUID, *, region: str, seconds: int) -> Wanted:
    return {
        "reservation_id": basket_id,
        "buyer_company_id": purchase.caller.company,
        "buyer_group_id": purchase.caller.group_id,
        "buyer_circle_ids": list(purchase.caller.circle_ids),
        "project_id": purchase.body.project_id,
        "currency": purchase.body.currency,
        "region": region,
        "ttl_seconds": seconds,
        "lines": [
            {
                "line_no": place,
                "offer_id": line.offer_id,
                "quantity": format(line.quantity, "f"),
                "unit": line.unit,
                "need_by": line.need_by,
            }
            for place, line in enumerate(purchase.body.lines, start=1)
        ],
    }


def _refused(result: ReserveResultPlain) -> BasketRefused:
    errors = [
        FieldError(
            field=f"lines.{refusal['line_no'] - 1}.{refusal['field']}", rule=refusal["code"], message=refusal["detail"]
        )
        for refusal in result.get("refusals", [])
    ]
    detail = result.get("detail") or "suppliers refused the basket."
    if errors:
        detail = errors[0].message if len(errors) == 1 else f"{errors[0].message} ({len(errors)} reasons in all)"
    return BasketRefused(detail, errors=errors)


def _lines_of(held: ReserveResultPlain, body: BasketBody) -> list[ReservedLinePlain]:
    """The held lines; they must be those that were asked for, in the currency that was asked for."""
    lines = held.get("lines", [])
    asked = [(place, str(line.offer_id)) for place, line in enumerate(body.lines, start=1)]
    got = sorted((line["line_no"], line["offer_id"]) for line in lines)
    if got != asked or any(line["currency"] != body.currency for line in lines):
        raise ReservationUnknown("suppliers answered for other lines than those asked for; try again.")
    return lines
