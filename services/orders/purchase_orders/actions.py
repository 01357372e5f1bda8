"""What becomes of a placed order: the supplier's response, the buyer's decision, cancellation.

Every action locks the order, checks the version its caller saw, moves lines along `rules.LINE_MOVES`, lets the
header follow from the lines, and writes event and history in the same transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.orders.purchase_orders import assessing, history, queries, rules, texts
from services.orders.purchase_orders.rules import ChangeKind, ChangeState, LineState
from services.orders.purchase_orders.tables import LineChange, OrderLine, PurchaseOrder
from services.orders.purchase_orders.views import awaits, totals_of
from shared.audit import entries as audit
from shared.clock import business_date
from shared.contracts.orders import (
    LINES_RELEASED,
    ORDER_CHANGED,
    CancellationBody,
    DecisionBody,
    LineAnswer,
    LinesReleased,
    OrderChanged,
    ReleasedLine,
    ResponseBody,
    Side,
)
from shared.errors import Conflict, FieldError, Forbidden, NotFound
from shared.feed import publish
from shared.http import check_version
from shared.identity import Principal
from shared.ids import new_id

Why = Literal["rejected", "cancelled", "reduced"]


class OrderNotFound(NotFound):
    """Your company is not a party of such an order."""


class OtherSideActs(Forbidden):
    """This is for the other side of the order to do."""


class ResponseRefused(Conflict):
    """The response does not fit the order; `errors` names each line and rule. Nothing was changed."""


class DecisionRefused(Conflict):
    """There is nothing to decide about some of these lines; `errors` names them. Nothing was changed."""


class CancellationRefused(Conflict):
    """Some of these lines cannot be cancelled; `errors` names each and why. Nothing was changed."""


@dataclass(kw_only=True, slots=True)
class Dossier:
    """An order held locked, with its lines and undecided changes, and what this action does to it."""

    order: PurchaseOrder
    lines: Mapping[int, OrderLine]
    pending: dict[int, LineChange]
    actor: Principal
    at: datetime
    told: list[dict[str, Any]] = field(default_factory=list)
    released: dict[Why, list[ReleasedLine]] = field(default_factory=dict)

    def move(self, line: OrderLine, state: LineState) -> None:
        """Raises AssertionError for a move that is not legal; the action should have refused before."""
        if not rules.may_move(LineState(line.state), state):
            message = f"line {line.line_no} cannot go from {line.state} to {state}"
            raise AssertionError(message)
        line.state = state

    def lower(self, line: OrderLine, quantity: Decimal, why: Why) -> None:
        """Lower a line's quantity and note what goes back into stock."""
        given_back = line.lower_to(quantity)
        if given_back:
            released = ReleasedLine(line_no=line.line_no, base_quantity=given_back)
            self.released.setdefault(why, []).append(released)

    def close_change(self, line_no: int, state: ChangeState, *, note: str | None = None) -> None:
        """End a line's undecided change."""
        change = self.pending.pop(line_no)
        change.state, change.decision_note = state, note
        change.decided_by, change.decided_at = self.actor.subject, self.at

    def tell(self, line: OrderLine, before: Mapping[str, str], **what: Any) -> None:
        """Note a line for the history: what was done, and how it stood before and stands after."""
        after = facts(line)
        changed = {name: [value, after[name]] for name, value in before.items() if after[name] != value}
        self.told.append({"line_no": line.line_no, **what, "changed": changed})


def facts(line: OrderLine) -> dict[str, str]:
    """What may change of a line, as text."""
    return {
        "state": line.state,
        "quantity": texts.plain(line.quantity),
        "base_quantity": texts.plain(line.base_quantity),
        "promised_by": line.promised_by.isoformat(),
        "net": texts.money(line.net),
        "tax": texts.money(line.tax),
        "gross": texts.money(line.gross),
    }


async def opened(
    session: AsyncSession,
    *,
    order_id: UUID,
    actor: Principal,
    side: Side,
    expected_version: int,
    at: datetime,
) -> Dossier:
    """An order for its buyer or supplier to act on, locked.

    Raises:
        OrderNotFound, OtherSideActs, VersionChanged: see the classes.
    """
    order = await queries.order(session, company_id=actor.company, order_id=order_id, lock=True)
    if order is None:
        raise OrderNotFound(f"There is no order {order_id}.")
    audit.concerns(session, order.buyer_id, order.supplier_id)
    if actor.company != (order.buyer_id if side == "buyer" else order.supplier_id):
        raise OtherSideActs(f"Only the {side} of {order.number} can do this.")
    check_version(expected=expected_version, actual=order.version)
    lines = await queries.lines_of(session, orders=[order])
    pending = await queries.pending_changes(session, orders=[order])
    return Dossier(
        order=order,
        lines={line.line_no: line for line in lines[order.id]},
        pending={change.line_no: change for change in pending[order.id]},
        actor=actor,
        at=at,
    )


async def respond(session: AsyncSession, *, dossier: Dossier, body: ResponseBody) -> None:
    """The supplier's answer, line by line: yes, yes with another day or less, or no.

    A changed line stays OPEN until the buyer decides; a new answer to it overtakes the one before.

    Raises:
        ResponseRefused: see the class.
    """
    answers = list(body.lines)
    if body.others == "accept":
        left_alone = {answer.line_no for answer in answers} | dossier.pending.keys()
        answers += [
            LineAnswer(line_no=line.line_no, answer="accept")
            for line in dossier.lines.values()
            if line.state == LineState.OPEN and line.line_no not in left_alone
        ]
    errors = [error for place, answer in enumerate(answers) for error in _answer_errors(dossier, answer, place)]
    if errors or not answers:
        raise ResponseRefused(errors[0].message if errors else "No line is open.", errors=errors)
    before = {answer.line_no: facts(dossier.lines[answer.line_no]) for answer in answers}
    for answer in answers:
        if answer.line_no in dossier.pending:
            dossier.close_change(answer.line_no, ChangeState.WITHDRAWN)
    await session.flush()
    for answer in answers:
        line = dossier.lines[answer.line_no]
        what: dict[str, Any] = {"answer": answer.answer, "reason": answer.reason}
        if answer.answer == "accept":
            dossier.move(line, LineState.CONFIRMED)
        elif answer.answer == "reject":
            dossier.move(line, LineState.REJECTED)
            dossier.lower(line, Decimal(0), "rejected")
        else:
            change = _proposed(session, dossier, line, ChangeKind.RESPONSE, reason=answer.reason)
            change.quantity = line.quantity if answer.quantity is None else answer.quantity
            change.promised_by = answer.promised_by or line.promised_by
            what["proposed"] = {
                "quantity": texts.plain(change.quantity),
                "promised_by": change.promised_by.isoformat(),
            }
        dossier.tell(line, before[line.line_no], **what)
    await _finish(session, dossier, what="answered", note=body.note)


async def decide(session: AsyncSession, *, dossier: Dossier, body: DecisionBody, kind: ChangeKind) -> None:
    """Yes or no to what the other side proposed. A declined response leaves the line open for a new one.

    Raises:
        DecisionRefused: see the class.
    """
    proposed = {line_no for line_no, change in dossier.pending.items() if change.kind == kind}
    decisions = {each.line_no: (each.decision, each.note) for each in body.lines}
    errors = [
        FieldError(
            field=f"lines.{place}.line_no",
            rule="NothingToDecide",
            message=f"Nothing is proposed for line {each.line_no}.",
        )
        for place, each in enumerate(body.lines)
        if each.line_no not in proposed
    ]
    if body.others is not None:
        decisions |= dict.fromkeys(proposed - decisions.keys(), (body.others, None))
    if errors or not decisions:
        raise DecisionRefused(errors[0].message if errors else "Nothing is proposed.", errors=errors)
    for line_no in sorted(decisions):
        decision, note = decisions[line_no]
        line, change = dossier.lines[line_no], dossier.pending[line_no]
        before = facts(line)
        accepted = decision == "accept"
        dossier.close_change(line_no, ChangeState.ACCEPTED if accepted else ChangeState.REJECTED, note=note)
        if accepted and kind is ChangeKind.CANCELLATION:
            dossier.move(line, LineState.CANCELLED)
            dossier.lower(line, Decimal(0), "cancelled")
        elif accepted and change.quantity is not None and change.promised_by is not None:
            dossier.lower(line, change.quantity, "reduced")
            line.promised_by = change.promised_by
            dossier.move(line, LineState.CONFIRMED)
        dossier.tell(line, before, decision=decision, about=kind, note=note)
    await _finish(session, dossier, what="decided", note=None)


async def cancel(session: AsyncSession, *, dossier: Dossier, body: CancellationBody) -> None:
    """The buyer no longer wants some lines: open ones are cancelled at once, confirmed ones if the supplier agrees.

    Raises:
        CancellationRefused: see the class.
    """
    if body.lines is None:
        wanted = [number for number, line in dossier.lines.items() if _cancellation_fault(dossier, line) is None]
        errors: list[FieldError] = []
    else:
        wanted = sorted(set(body.lines))
        errors = [
            FieldError(field=f"lines.{place}", rule=fault[0], message=fault[1])
            for place, number in enumerate(body.lines)
            if (fault := _cancellation_fault(dossier, dossier.lines.get(number), number)) is not None
        ]
    if errors or not wanted:
        raise CancellationRefused(errors[0].message if errors else "No line can be cancelled.", errors=errors)
    for number in wanted:
        line = dossier.lines[number]
        before = facts(line)
        if line.state == LineState.OPEN:
            if number in dossier.pending:
                dossier.close_change(number, ChangeState.WITHDRAWN)
            dossier.move(line, LineState.CANCELLED)
            dossier.lower(line, Decimal(0), "cancelled")
            dossier.tell(line, before, cancelled=True)
        else:
            _proposed(session, dossier, line, ChangeKind.CANCELLATION, reason=body.reason)
            dossier.tell(line, before, cancelled=False, asked=True)
    await _finish(session, dossier, what="cancelled", note=body.reason)


def _answer_errors(dossier: Dossier, answer: LineAnswer, place: int) -> list[FieldError]:
    line = dossier.lines.get(answer.line_no)

    def error(name: str, rule: str, message: str) -> list[FieldError]:
        return [FieldError(field=f"lines.{place}.{name}", rule=rule, message=message)]

    if line is None:
        return error("line_no", "NoSuchLine", f"The order has no line {answer.line_no}.")
    if line.state != LineState.OPEN:
        return error("line_no", "LineNotOpen", f"Line {line.line_no} is {line.state}; it was answered already.")
    if answer.answer != "change":
        return []
    fault = rules.change_fault(
        line.terms,
        agreed_quantity=line.quantity,
        agreed_day=line.promised_by,
        quantity=line.quantity if answer.quantity is None else answer.quantity,
        day=answer.promised_by or line.promised_by,
        today=business_date(dossier.at),
    )
    return [] if fault is None else error(fault.field, fault.rule, fault.message)


def _cancellation_fault(dossier: Dossier, line: OrderLine | None, number: int = 0) -> tuple[str, str] | None:
    if line is None:
        return ("NoSuchLine", f"The order has no line {number}.")
    if not rules.may_move(LineState(line.state), LineState.CANCELLED):
        return ("LineNotCancellable", f"Line {line.line_no} is {line.state}.")
    change = dossier.pending.get(line.line_no)
    if change is not None and change.kind == ChangeKind.CANCELLATION:
        return ("AlreadyAsked", f"The supplier has been asked to agree to cancelling line {line.line_no}.")
    return None


def _proposed(
    session: AsyncSession, dossier: Dossier, line: OrderLine, kind: ChangeKind, *, reason: str | None
) -> LineChange:
    change = LineChange(
        buyer_id=line.buyer_id,
        order_id=line.order_id,
        id=new_id(),
        supplier_id=line.supplier_id,
        line_no=line.line_no,
        kind=kind,
        reason=reason,
        proposed_by=dossier.actor.subject,
        proposed_at=dossier.at,
    )
    session.add(change)
    dossier.pending[line.line_no] = change
    return change


def _settle(dossier: Dossier) -> None:
    """Let the header follow from the lines."""
    order, lines = dossier.order, list(dossier.lines.values())
    totals = totals_of(lines)
    order.net, order.tax, order.gross = totals.net, totals.tax, totals.gross
    order.state = rules.order_state([LineState(line.state) for line in lines])
    undecided = {number: ChangeKind(change.kind) for number, change in dossier.pending.items()}
    waiting = rules.waiting((LineState(line.state), undecided.get(line.line_no)) for line in lines)
    order.awaits_supplier, order.awaits_buyer = waiting.supplier, waiting.buyer
    order.version += 1
    order.updated_at = dossier.at


async def _finish(session: AsyncSession, dossier: Dossier, *, what: str, note: str | None) -> None:
    _settle(dossier)
    order = dossier.order
    for why, lines in dossier.released.items():
        await _publish_release(session, dossier, why, lines)
    await publish(
        session,
        type=ORDER_CHANGED,
        subject=str(order.id),
        data=OrderChanged(
            order_id=order.id,
            buyer_id=order.buyer_id,
            supplier_id=order.supplier_id,
            number=order.number,
            what=what,
            state=order.state,
            awaits=awaits(order),
            version=order.version,
        ),
        at=dossier.at,
        company_id=order.buyer_id,
    )
    lines_now = list(dossier.lines.values())
    await assessing.assess(session, order=order, lines=lines_now, answered=what == "answered", at=dossier.at)
    await history.append(
        session,
        order=order,
        lines=lines_now,
        pending=list(dossier.pending.values()),
        actor=dossier.actor,
        what=what,
        detail={"note": note, "lines": dossier.told},
        at=dossier.at,
    )
    await session.flush()


async def _publish_release(session: AsyncSession, dossier: Dossier, why: Why, lines: Sequence[ReleasedLine]) -> None:
    order = dossier.order
    await publish(
        session,
        type=LINES_RELEASED,
        subject=str(order.id),
        data=LinesReleased(
            reservation_id=order.basket_id,
            order_id=order.id,
            supplier_id=order.supplier_id,
            reason=why,
            lines=list(lines),
        ),
        at=dossier.at,
        company_id=order.buyer_id,
    )
