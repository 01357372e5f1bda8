"""Where baskets arrive: many at once are judged together and held in one transaction (group commit).

One flush: ask which offers the buyers see, judge each line by the rules, hold what fits. What is not held may have
been held before: a repeated reservation gets its first answer, whatever it would get now.

Two roles of the database serve it. Reading goes by the system role: whose offers a basket names is known only
after reading them, and what the buyer may see is asked in the query itself. Writing goes by the app's role, bound
by row level security to exactly the buyers and suppliers of the batch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import orjson
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from services.suppliers.blacklists import blocking
from services.suppliers.blacklists.blocking import Blacklist
from services.suppliers.blacklists.rules import OFFICIAL, Business
from services.suppliers.offers.rules import FrozenLine, Wanted, frozen_line
from services.suppliers.register.rules import Register
from services.suppliers.reservations import actions, queries, rules
from services.suppliers.reservations.actions import Candidate, Held, HeldLine
from services.suppliers.reservations.offers_seen import OfferNumber, OfferSeen, OffersSeen
from services.suppliers.reservations.queries import Found
from services.suppliers.reservations.rules import ReservationState, StockKey
from shared.audience import viewer_keys
from shared.batching import GroupCommit
from shared.clock import business_date
from shared.contracts.reservations import ReserveBasket, ReserveLine
from shared.database import Database, transaction
from shared.errors import Unavailable
from shared.logs import log, told

_LINES_AT_ONCE = 2_000
_TRIES = 5
_TRY_AGAIN_STATES = frozenset({"40001", "40P01"})

_BUSY = "Others keep changing the same stock; ask again with the same reservation id."

_OUTCOME_OF_ENDED = {
    ReservationState.RELEASED: ("ReservationReleased", "It was released; make a new reservation."),
    ReservationState.EXPIRED: ("ReservationExpired", "It expired; make a new reservation."),
}


class ReservationsBusy(Unavailable):
    """Others keep changing the same stock rows; ask again with the same reservation id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A basket as it came in, and when."""

    basket: ReserveBasket
    at: datetime
    request_hash: bytes
    viewer: frozenset[str]

    @property
    def id(self) -> UUID:
        """The reservation's."""
        return self.basket.reservation_id

    @property
    def list_owners(self) -> tuple[UUID, UUID]:
        """Whose blacklists bind the buyer: its group's (a company without a group is one), and the official ones."""
        return (self.basket.buyer_group_id or self.basket.buyer_company_id, OFFICIAL)


def asked(basket: ReserveBasket, *, at: datetime) -> Asked:
    """A basket for the desk."""
    return Asked(
        basket=basket,
        at=at,
        request_hash=rules.fingerprint(
            buyer_id=basket.buyer_company_id, currency=basket.currency, region=basket.region, lines=basket.lines
        ),
        viewer=viewer_keys(
            company_id=basket.buyer_company_id, group_id=basket.buyer_group_id, circle_ids=basket.buyer_circle_ids
        ),
    )


class ReservationDesk:
    """One per process. Answers are JSON of `shared.contracts.reservations.ReserveResult`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reader = database.system_engine.execution_options(isolation_level="AUTOCOMMIT")
        self._offers = OffersSeen()
        self.baskets: GroupCommit[Asked, bytes] = GroupCommit(self._flush)

    async def _flush(self, batch: Sequence[Asked]) -> Sequence[bytes | Exception]:
        first: dict[UUID, Asked] = {}
        for each in batch:
            first.setdefault(each.id, each)
        answers: dict[UUID, bytes | Exception] = {}
        for part in _portions(list(first.values())):
            answers |= await self._reserve(part)
        return [
            answers[each.id] if each.request_hash == first[each.id].request_hash else _conflict(each) for each in batch
        ]

    async def _reserve(self, batch: Sequence[Asked]) -> dict[UUID, bytes | Exception]:
        """Answers by reservation id; a batch that lost a race for an id or a lock is judged again.

        What is wrong with one basket (data of an offer that cannot be read, a value the database does not take)
        must not fail the others: they are then judged one by one.
        """
        answers: dict[UUID, bytes | Exception] = {}
        left = list(batch)
        for _ in range(_TRIES):
            try:
                answers |= await self._try(left)
            except (OperationalError, PoolTimeout) as error:
                # Lost connections and full pools are no basket's fault; asking for each alone would only take longer.
                if not _worth_another_try(error):
                    return answers | {each.id: error for each in left}
            except Exception as error:  # noqa: BLE001 - told as the answer of the basket it belongs to
                if len(left) == 1:
                    return answers | {left[0].id: _unreadable(left[0], error)}
                for each in left:
                    answers |= await self._reserve([each])
                return answers
            left = [each for each in left if each.id not in answers]
            if not left:
                return answers
        return answers | {each.id: ReservationsBusy(_BUSY) for each in left}

    async def _try(self, batch: Sequence[Asked]) -> dict[UUID, bytes]:
        asked_for: dict[frozenset[str], set[OfferNumber]] = {}
        for each in batch:
            asked_for.setdefault(each.viewer, set()).update(line.offer_id.int for line in each.basket.lines)
        async with self._reader.connect() as connection:
            owners = {owner_id for each in batch for owner_id in each.list_owners}
            seen = await self._offers.visible(connection, asked=asked_for, list_owners=owners)
        answers: dict[UUID, bytes] = {}
        candidates: list[Candidate] = []
        for each in batch:
            lists = [seen.lists[owner_id] for owner_id in each.list_owners if owner_id in seen.lists]
            judged = _judged(each, seen.offers[each.viewer], seen.register, lists)
            if isinstance(judged, Candidate):
                candidates.append(judged)
            else:
                answers[each.id] = judged
        done = await self._hold(candidates, at=max(each.at for each in batch)) if candidates else None
        if done is not None:
            answers |= _stock_said(candidates, done)
        unheld = [each for each in batch if done is None or each.id not in done.held]
        return answers | await self._told_again(unheld) if unheld else answers

    async def _hold(self, candidates: Sequence[Candidate], *, at: datetime) -> Held:
        parties = {candidate.buyer_id for candidate in candidates}
        parties |= {line.supplier_id for candidate in candidates for line in candidate.lines}
        async with transaction(self._database.app, *parties) as session:
            return await actions.hold(session, candidates=candidates, at=at)

    async def _told_again(self, batch: Sequence[Asked]) -> dict[UUID, bytes]:
        """Those of a batch that were answered before: what a basket would get now does not matter for them."""
        async with self._reader.connect() as connection:
            found = await queries.reservations_by_id(connection, reservation_ids=[each.id for each in batch])
        return {each.id: _told_again(each, found[each.id]) for each in batch if each.id in found}


def _worth_another_try(error: Exception) -> bool:
    return getattr(getattr(error, "orig", None), "sqlstate", None) in _TRY_AGAIN_STATES


def _portions(batch: Sequence[Asked]) -> list[list[Asked]]:
    """Parts of a batch that make statements of a bearable size; a large basket stands alone."""
    portions: list[list[Asked]] = []
    room = 0
    for each in batch:
        size = len(each.basket.lines)
        if size > room:
            portions.append([])
            room = _LINES_AT_ONCE
        portions[-1].append(each)
        room -= size
    return portions


def _judged(
    each: Asked, seen: Mapping[OfferNumber, OfferSeen], register: Register, lists: Sequence[Blacklist]
) -> Candidate | bytes:
    """A basket that fits but for stock, or the refusals of its lines."""
    basket = each.basket
    on = business_date(basket.at or each.at)
    refusals: list[dict[str, object]] = []
    lines: list[HeldLine] = []
    answered: list[bytes] = []
    for line in basket.lines:
        offer = seen.get(line.offer_id.int)
        if offer is None:
            refusals.append(_refusal(line, "OfferNotFound", "There is no such offer for this buyer.", "offer_id"))
            continue
        if lists and (entry := _forbidden(basket, offer, lists, on)) is not None:
            refusals.append(_refusal(line, "SupplierBlacklisted", entry, "offer_id"))
        wanted = Wanted(
            quantity=line.quantity,
            unit=line.unit,
            currency=basket.currency,
            region=basket.region,
            need_by=line.need_by,
            on=on,
        )
        fits = frozen_line(terms=offer.terms, standing=offer.standing, wanted=wanted, register=register)
        if not isinstance(fits, FrozenLine):
            refusals += [_refusal(line, misfit.code, misfit.detail, misfit.field) for misfit in fits]
        elif not rules.can_be_counted(fits.quantity, fits.priced_quantity, fits.base_quantity):
            detail = f"{line.quantity:f} {line.unit} is more than can be counted here."
            refusals.append(_refusal(line, "QuantityTooLarge", detail, "quantity"))
        else:
            lines.append(
                HeldLine(
                    line_no=line.line_no,
                    supplier_id=offer.supplier_id,
                    stock_key=offer.stock_key,
                    base_quantity=fits.base_quantity,
                    columns=offer.columns,
                )
            )
            answered.append(_told(line, offer, fits))
    if refusals:
        return _answer(each.id, outcome="refused", refusals=refusals)
    return Candidate(
        reservation_id=each.id,
        buyer_id=basket.buyer_company_id,
        request_hash=each.request_hash,
        expires_at=each.at + timedelta(seconds=basket.ttl_seconds),
        lines=lines,
        answer=b"[" + b",".join(answered) + b"]",
    )


def _forbidden(basket: ReserveBasket, offer: OfferSeen, lists: Sequence[Blacklist], on: date) -> str | None:
    """What a blacklist says against ordering from the offer's supplier."""
    business = Business(on=on, category=offer.terms.category, region=basket.region, project_id=basket.project_id)
    entry = blocking.against_order(lists, offer.subject, business)
    return None if entry is None else blocking.told(entry)


def _told(line: ReserveLine, offer: OfferSeen, fits: FrozenLine) -> bytes:
    """One ReservedLine as JSON: what the offer says alike for all, and what this line says."""
    own = {
        "line_no": line.line_no,
        "quantity": f"{fits.quantity:f}",
        "unit": fits.unit,
        "unit_decimals": offer.terms.unit_decimals.get(fits.unit, offer.terms.base_decimals),
        "priced_quantity": f"{fits.priced_quantity:f}",
        "base_quantity": f"{fits.base_quantity:f}",
        "unit_factor": f"{fits.unit_factor:f}",
        "unit_price": f"{fits.unit_price:f}",
        "promised_by": fits.promised_by,
    }
    return orjson.dumps(own)[:-1] + b"," + offer.told + b"}"


def _refusal(
    line: ReserveLine | HeldLine, code: str, detail: str, field: str, available: Decimal | None = None
) -> dict[str, object]:
    left = None if available is None else f"{available:f}"
    return {"line_no": line.line_no, "code": code, "detail": detail, "field": field, "available": left}


_NOTHING: dict[str, object] = {
    "state": None,
    "code": None,
    "detail": None,
    "expires_at": None,
    "lines": [],
    "refusals": [],
}


def _answer(reservation_id: UUID, *, outcome: str, **members: object) -> bytes:
    return orjson.dumps({"reservation_id": reservation_id, "outcome": outcome, **_NOTHING, **members})


def _held(candidate: Candidate) -> bytes:
    return _answer(
        candidate.reservation_id,
        outcome="held",
        state=ReservationState.HELD,
        expires_at=candidate.expires_at,
        lines=orjson.Fragment(candidate.answer),
    )


def _stock_said(candidates: Sequence[Candidate], done: Held) -> dict[UUID, bytes]:
    answers = {each.reservation_id: _held(each) for each in candidates if each.reservation_id in done.held}
    for each in () if done.raced else candidates:
        if short := done.short.get(each.reservation_id):
            answers[each.reservation_id] = _out_of_stock(each, short)
    return answers


def _out_of_stock(candidate: Candidate, short: Mapping[StockKey, Decimal]) -> bytes:
    """Every line of a stock row that does not suffice is told, as the row has to do for all of them."""
    refusals = []
    for line in candidate.lines:
        available = None if line.stock_key is None else short.get(line.stock_key)
        if available is not None:
            detail = f"Of {line.stock_key[1]} only {available:f} is available." if line.stock_key else ""
            refusals.append(_refusal(line, "InsufficientStock", detail, "quantity", available))
    return _answer(candidate.reservation_id, outcome="refused", refusals=refusals)


def _told_again(each: Asked, found: Found) -> bytes:
    """The answer that was given, and what has become of the reservation since."""
    if found.request_hash != each.request_hash:
        return _conflict(each)
    code, detail = _OUTCOME_OF_ENDED.get(found.state, (None, None))
    return _answer(
        found.id,
        outcome="refused" if code else "held",
        state=found.state,
        code=code,
        detail=detail,
        expires_at=found.expires_at,
        lines=orjson.Fragment(found.lines),
    )


def _unreadable(each: Asked, error: Exception) -> bytes:
    """Nothing of the basket was held: its transaction, if it came to one, was rolled back."""
    log.error("basket_unreadable", reservation_id=str(each.id), error=told(error), exc_info=error)
    return _answer(
        each.id,
        outcome="refused",
        code="BasketUnreadable",
        detail="What its offers say cannot be read; nothing was held, and the operators have been told.",
    )


def _conflict(each: Asked) -> bytes:
    return _answer(
        each.id,
        outcome="refused",
        code="ReservationConflict",
        detail="This reservation id was used for another basket.",
    )
