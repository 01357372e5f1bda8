"""What may become of a purchase order and its lines, and what that means for money and stock (domain.md 5.8)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from shared.money import LineAmounts, line_amounts
from shared.quantity import has_at_most, to_base

LINES_AT_MOST = 10_000
MONEY_LIMIT = Decimal("1e16")
"""Amounts are `numeric(18,2)`."""


class LineState(StrEnum):
    """Where one line of an order stands."""

    OPEN = "OPEN"
    """The supplier has not answered, or the buyer has not yet decided about the change in the answer."""
    CONFIRMED = "CONFIRMED"
    IN_PRODUCTION = "IN_PRODUCTION"
    PARTLY_SHIPPED = "PARTLY_SHIPPED"
    SHIPPED = "SHIPPED"
    PARTLY_RECEIVED = "PARTLY_RECEIVED"
    RECEIVED = "RECEIVED"
    CLOSED = "CLOSED"
    SHORT_CLOSED = "SHORT_CLOSED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"


class OrderState(StrEnum):
    """Where an order stands, computed from its lines."""

    ISSUED = "ISSUED"
    PARTLY_CONFIRMED = "PARTLY_CONFIRMED"
    CONFIRMED = "CONFIRMED"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    CLOSED = "CLOSED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"


class ChangeState(StrEnum):
    """Where a proposed change of a line stands."""

    PROPOSED = "PROPOSED"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"
    """Overtaken: the proposer answered anew, or the line was cancelled."""


class ChangeKind(StrEnum):
    """Who wants what."""

    RESPONSE = "response"
    """The supplier accepts with another quantity or day; the buyer decides."""
    CANCELLATION = "cancellation"
    """The buyer wants a confirmed line cancelled; the supplier decides."""


LINE_MOVES = frozenset(
    {
        (LineState.OPEN, LineState.CONFIRMED),
        (LineState.OPEN, LineState.REJECTED),
        (LineState.OPEN, LineState.CANCELLED),
        (LineState.CONFIRMED, LineState.CANCELLED),
        (LineState.CONFIRMED, LineState.IN_PRODUCTION),
        (LineState.CONFIRMED, LineState.PARTLY_SHIPPED),
        (LineState.CONFIRMED, LineState.SHIPPED),
        (LineState.IN_PRODUCTION, LineState.CANCELLED),
        (LineState.IN_PRODUCTION, LineState.PARTLY_SHIPPED),
        (LineState.IN_PRODUCTION, LineState.SHIPPED),
        (LineState.PARTLY_SHIPPED, LineState.SHIPPED),
        (LineState.PARTLY_SHIPPED, LineState.PARTLY_RECEIVED),
        (LineState.PARTLY_SHIPPED, LineState.SHORT_CLOSED),
        (LineState.SHIPPED, LineState.PARTLY_RECEIVED),
        (LineState.SHIPPED, LineState.RECEIVED),
        (LineState.PARTLY_RECEIVED, LineState.RECEIVED),
        (LineState.PARTLY_RECEIVED, LineState.SHORT_CLOSED),
        (LineState.RECEIVED, LineState.CLOSED),
        (LineState.SHORT_CLOSED, LineState.CLOSED),
    }
)
"""Every legal move of a line; what is not here cannot happen."""

VOID = frozenset({LineState.CANCELLED, LineState.REJECTED})
"""Nothing is bought on such a line: its quantity and amounts are zero."""
TO_COME = frozenset({LineState.OPEN, LineState.CONFIRMED, LineState.IN_PRODUCTION, LineState.PARTLY_SHIPPED})
"""Something has still to be sent on such a line."""
_DONE = frozenset({LineState.RECEIVED, LineState.SHORT_CLOSED, LineState.CLOSED})
_MOVING = frozenset(
    {LineState.IN_PRODUCTION, LineState.PARTLY_SHIPPED, LineState.SHIPPED, LineState.PARTLY_RECEIVED} | _DONE
)


def may_move(old: LineState, new: LineState) -> bool:
    """Whether a line may go from `old` to `new`."""
    return (old, new) in LINE_MOVES


def order_state(lines: Collection[LineState]) -> OrderState:
    """The state of the header. Void lines do not count as long as any other line is left."""
    live = [state for state in lines if state not in VOID]
    if not live:
        rejected = all(state is LineState.REJECTED for state in lines)
        return OrderState.REJECTED if rejected else OrderState.CANCELLED
    if all(state is LineState.CLOSED for state in live):
        return OrderState.CLOSED
    if all(state in _DONE for state in live):
        return OrderState.COMPLETED
    if any(state in _MOVING for state in live):
        return OrderState.IN_PROGRESS
    if all(state is LineState.OPEN for state in live):
        return OrderState.ISSUED
    if any(state is LineState.OPEN for state in live):
        return OrderState.PARTLY_CONFIRMED
    return OrderState.CONFIRMED


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """Whose move it is; both may be true, for different lines."""

    supplier: bool
    buyer: bool


def waiting(lines: Iterable[tuple[LineState, ChangeKind | None]]) -> Waiting:
    """Whose move it is, from each line's state and the kind of its pending change.

    No answer is never consent: an open line waits for the supplier until it answers.
    """
    supplier = buyer = False
    for state, pending in lines:
        if pending is ChangeKind.RESPONSE:
            buyer = True
        elif pending is ChangeKind.CANCELLATION or state is LineState.OPEN:
            supplier = True
    return Waiting(supplier=supplier, buyer=buyer)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: the field of the line, the rule, and the sentence for a person."""

    field: str
    rule: str
    message: str


def basket_line_faults(*, quantity: Decimal, need_by: date, today: date) -> list[Fault]:
    """What is wrong with a line before anybody is asked about it."""
    faults = []
    if not has_at_most(quantity, 3):
        faults.append(Fault("quantity", "QuantityTooPrecise", f"{quantity:f} has more than 3 decimal places."))
    if need_by < today:
        faults.append(Fault("need_by", "NeedByInPast", f"{need_by} is past; today is {today}."))
    return faults


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreedTerms:
    """What a line's quantity means in money and stock; frozen when the order was placed (R3, R7)."""

    unit: str
    unit_decimals: int
    price_unit: str
    base_decimals: int
    unit_factor: Decimal
    unit_price: Decimal
    tax_rate: Decimal
    tax_inclusive: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class LineFigures:
    """What follows from a line's quantity."""

    quantity: Decimal
    priced_quantity: Decimal
    base_quantity: Decimal
    amounts: LineAmounts


def figures(terms: AgreedTerms, *, quantity: Decimal) -> LineFigures:
    """A line's figures at another quantity, by its frozen terms."""
    base = to_base(quantity=quantity, factor=terms.unit_factor, decimals=terms.base_decimals)
    priced = quantity if terms.unit == terms.price_unit else base
    amounts = line_amounts(
        quantity=priced,
        unit_price=terms.unit_price,
        tax_rate=terms.tax_rate,
        tax_inclusive=terms.tax_inclusive,
    )
    return LineFigures(quantity=quantity, priced_quantity=priced, base_quantity=base, amounts=amounts)


def change_fault(
    terms: AgreedTerms,
    *,
    agreed_quantity: Decimal,
    agreed_day: date,
    quantity: Decimal,
    day: date,
    today: date,
) -> Fault | None:
    """What is wrong with a supplier's "yes, but"."""
    if quantity > agreed_quantity:
        return Fault("quantity", "QuantityRaised", f"{quantity:f} is more than the {agreed_quantity:f} ordered.")
    if not has_at_most(quantity, terms.unit_decimals):
        message = f"{terms.unit} takes at most {terms.unit_decimals} decimal places; {quantity:f} has more."
        return Fault("quantity", "QuantityTooPrecise", message)
    if figures(terms, quantity=quantity).base_quantity == 0:
        return Fault("quantity", "QuantityTooSmall", f"{quantity:f} {terms.unit} is nothing in the base unit.")
    if quantity == agreed_quantity and day == agreed_day:
        return Fault("answer", "NothingChanged", "Neither quantity nor day differs from the order; accept the line.")
    if day != agreed_day and day < today:
        return Fault("promised_by", "PromiseInPast", f"{day} is past; today is {today}.")
    return None
