"""Moving one category of one contractor group from private to open (domain.md 3.2): steps, moves, gates.

A gate whose input nobody measured fails; there is no waiver. What is not known does not open anything.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from shared.audience import Stage

ANNOUNCED_FOR = timedelta(days=7)
"""E-commerce law: changed rules are announced seven days before they take effect."""
FORWARD = {Stage.S1: Stage.S2, Stage.S2: Stage.S3}
"""One step at a time."""

_DAYS_SUITE = 30
_DAYS_YEAR = 365
"""Within 12 months (domain.md 3.2): an export drill, and the record of an external audit."""


class ChangeStatus(StrEnum):
    """Where the document of a stage change stands."""

    DRAFT = "DRAFT"
    GATES_CHECKED = "GATES_CHECKED"
    APPROVED = "APPROVED"
    ANNOUNCED = "ANNOUNCED"
    EFFECTIVE = "EFFECTIVE"
    SUSPENDED = "SUSPENDED"
    REVERTED = "REVERTED"


CHANGE_MOVES = frozenset(
    {
        (ChangeStatus.DRAFT, ChangeStatus.GATES_CHECKED),
        (ChangeStatus.GATES_CHECKED, ChangeStatus.DRAFT),
        (ChangeStatus.GATES_CHECKED, ChangeStatus.APPROVED),
        (ChangeStatus.APPROVED, ChangeStatus.ANNOUNCED),
        (ChangeStatus.ANNOUNCED, ChangeStatus.EFFECTIVE),
        (ChangeStatus.ANNOUNCED, ChangeStatus.SUSPENDED),
        (ChangeStatus.EFFECTIVE, ChangeStatus.SUSPENDED),
        (ChangeStatus.SUSPENDED, ChangeStatus.ANNOUNCED),
        (ChangeStatus.DRAFT, ChangeStatus.REVERTED),
        (ChangeStatus.GATES_CHECKED, ChangeStatus.REVERTED),
        (ChangeStatus.APPROVED, ChangeStatus.REVERTED),
        (ChangeStatus.ANNOUNCED, ChangeStatus.REVERTED),
        (ChangeStatus.EFFECTIVE, ChangeStatus.REVERTED),
        (ChangeStatus.SUSPENDED, ChangeStatus.REVERTED),
    }
)
"""Legal moves; REVERTED is final. Gates that fail on the day of effect suspend an announced change instead of letting
it take effect. Out of suspension leads what led to approval: gates checked again and two new approvals, after
which it takes effect at once if it was announced seven days before."""

CHECKABLE = frozenset({ChangeStatus.DRAFT, ChangeStatus.GATES_CHECKED, ChangeStatus.SUSPENDED})
APPROVABLE = frozenset({ChangeStatus.GATES_CHECKED, ChangeStatus.SUSPENDED})
UNDER_WAY = frozenset(ChangeStatus) - {ChangeStatus.EFFECTIVE, ChangeStatus.REVERTED}
"""At most one of these at a time for a group and category."""


class Gate(StrEnum):
    """What must hold before a category is opened further."""

    MAPPED_SPEND = "mapped_spend"
    VALID_SUPPLIERS = "valid_suppliers"
    EXPIRED_DOCUMENTS = "expired_documents"
    INDEPENDENT_GROUPS = "independent_groups"
    CONFIDENTIALITY_SUITE = "confidentiality_suite"
    RULES_PUBLISHED = "rules_published"
    OPERATOR_NEUTRALITY = "operator_neutrality"
    EXPORT_DRILL = "export_drill"


class EvidenceKind(StrEnum):
    """What an operator puts on record, with a reference to where it can be read."""

    CONFIDENTIALITY_SUITE = "confidentiality_suite"
    """A run of the suite T1-T6: `green` or `red`."""
    EXTERNAL_AUDIT = "external_audit"
    """`passed` or `failed`."""
    RULES_PUBLISHED = "rules_published"
    """Rules, fees and the contact for appeals: `draft` or `in_force`, or `withdrawn`."""
    OPERATOR_NEUTRALITY = "operator_neutrality"
    """`stated` or `withdrawn`."""
    EXPORT_DRILL = "export_drill"
    """A tenant exported all its data: `passed` or `failed`."""
    PUBLIC_TENDER_DUTY = "public_tender_duty"
    """The group must tender in public: `applies` or `ended`."""


EVIDENCE_STATES: dict[EvidenceKind, frozenset[str]] = {
    EvidenceKind.CONFIDENTIALITY_SUITE: frozenset({"green", "red"}),
    EvidenceKind.EXTERNAL_AUDIT: frozenset({"passed", "failed"}),
    EvidenceKind.RULES_PUBLISHED: frozenset({"draft", "in_force", "withdrawn"}),
    EvidenceKind.OPERATOR_NEUTRALITY: frozenset({"stated", "withdrawn"}),
    EvidenceKind.EXPORT_DRILL: frozenset({"passed", "failed"}),
    EvidenceKind.PUBLIC_TENDER_DUTY: frozenset({"applies", "ended"}),
}
OF_ONE_GROUP = frozenset({EvidenceKind.PUBLIC_TENDER_DUTY})
"""Evidence about one contractor group; the rest is about the platform, a drill by whichever tenant did it."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The latest of its kind on record."""

    kind: EvidenceKind
    state: str
    on: date


@dataclass(frozen=True, kw_only=True)
class GateInputs:
    """Everything the gates look at. None: not measured."""

    mapped_spend_share: Decimal | None = None
    valid_supplier_share: Decimal | None = None
    expired_document_share: Decimal | None = None
    independent_groups: int = 0
    operators_that_trade: int | None = 0
    """Groups for which somebody trades who also operates; None: not measured."""
    operators_that_trade_here: int | None = 0
    """The same among those that trade in the space: its own group and the groups of the circle."""
    """Companies in the operator's role, ACTIVE, that are contractor, supplier or carrier too."""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One gate: what it asks, what was found, whether it holds. `level` grows with how well it stands."""

    gate: Gate
    passed: bool
    required: str
    measured: str | None
    level: Decimal


_LIMITS: dict[Stage, tuple[Decimal, Decimal, Decimal, int]] = {
    Stage.S2: (Decimal("0.80"), Decimal("0.95"), Decimal("0.05"), 2),
    Stage.S3: (Decimal("0.95"), Decimal(1), Decimal(0), 5),
}
"""By the stage moved to: least mapped spend, least valid suppliers, most expired documents, least independent groups
(domain.md 3.2)."""
_GROUPS_UNDER_TENDER_DUTY = 3


def verdicts(inputs: GateInputs, *, to: Stage, on: date) -> list[Verdict]:
    """Every gate of a move to `to`, judged on a day."""
    mapped, valid, expired, groups = _LIMITS[to]
    return [
        _at_least(Gate.MAPPED_SPEND, inputs.mapped_spend_share, mapped),
        _at_least(Gate.VALID_SUPPLIERS, inputs.valid_supplier_share, valid),
        _at_most(Gate.EXPIRED_DOCUMENTS, inputs.expired_document_share, expired),
        _independent_groups(inputs, least=groups, to=to),
        _suite(inputs, to=to, on=on),
        _rules_published(inputs, to=to),
        _neutrality(inputs, to=to),
        _export_drill(inputs, to=to, on=on),
    ]


def _share(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _at_least(gate: Gate, share: Decimal | None, limit: Decimal) -> Verdict:
    return Verdict(
        gate=gate,
        passed=share is not None and share >= limit,
        required=f">= {_share(limit)}",
        measured=None if share is None else _share(share),
        level=Decimal(-1) if share is None else share,
    )


def _at_most(gate: Gate, share: Decimal | None, limit: Decimal) -> Verdict:
    return Verdict(
        gate=gate,
        passed=share is not None and share <= limit,
        required=f"<= {_share(limit)}",
        measured=None if share is None else _share(share),
        level=Decimal(-2) if share is None else -share,
    )


def _record(inputs: GateInputs, kind: EvidenceKind) -> Evidence | None:
    return next((evidence for evidence in inputs.evidence if evidence.kind is kind), None)


def _stands(evidence: Evidence | None, states: Collection[str], *, on: date, days: int | None = None) -> bool:
    if evidence is None or evidence.state not in states:
        return False
    return days is None or evidence.on > on - timedelta(days=days)


def _told(*records: Evidence | None) -> str | None:
    found = [f"{record.kind}: {record.state} on {record.on}" for record in records if record is not None]
    return "; ".join(found) or None


def _flag(gate: Gate, *, passed: bool, required: str, measured: str | None) -> Verdict:
    return Verdict(gate=gate, passed=passed, required=required, measured=measured, level=Decimal(int(passed)))


def _independent_groups(inputs: GateInputs, *, least: int, to: Stage) -> Verdict:
    duty = _record(inputs, EvidenceKind.PUBLIC_TENDER_DUTY)
    eased = to is Stage.S3 and _stands(duty, {"applies"}, on=date.max)
    limit = _GROUPS_UNDER_TENDER_DUTY if eased else least
    why = " under a duty to tender in public" if eased else ""
    return Verdict(
        gate=Gate.INDEPENDENT_GROUPS,
        passed=inputs.independent_groups >= limit,
        required=f">= {limit} groups in the circle not under common control{why}",
        measured=str(inputs.independent_groups),
        level=Decimal(inputs.independent_groups - limit),
    )


def _suite(inputs: GateInputs, *, to: Stage, on: date) -> Verdict:
    suite = _record(inputs, EvidenceKind.CONFIDENTIALITY_SUITE)
    audit = _record(inputs, EvidenceKind.EXTERNAL_AUDIT)
    green = _stands(suite, {"green"}, on=on, days=_DAYS_SUITE)
    if to is Stage.S2:
        required = f"suite T1-T6 green within {_DAYS_SUITE} days"
        return _flag(Gate.CONFIDENTIALITY_SUITE, passed=green, required=required, measured=_told(suite))
    audited = _stands(audit, {"passed"}, on=on, days=_DAYS_YEAR)
    return _flag(
        Gate.CONFIDENTIALITY_SUITE,
        passed=green and audited,
        required=f"suite T1-T6 green within {_DAYS_SUITE} days and an external audit within 12 months",
        measured=_told(suite, audit),
    )


def _rules_published(inputs: GateInputs, *, to: Stage) -> Verdict:
    published = _record(inputs, EvidenceKind.RULES_PUBLISHED)
    states = {"draft", "in_force"} if to is Stage.S2 else {"in_force"}
    return _flag(
        Gate.RULES_PUBLISHED,
        passed=_stands(published, states, on=date.max),
        required="rules, fees and appeal contact " + ("in draft" if to is Stage.S2 else "in force"),
        measured=_told(published),
    )


def _neutrality(inputs: GateInputs, *, to: Stage) -> Verdict:
    stated = _record(inputs, EvidenceKind.OPERATOR_NEUTRALITY)
    required, trading = "stated, and no operator has a trading role", inputs.operators_that_trade
    if to is Stage.S2:
        required = "stated, and no operator trades for the groups of the circle"
        trading = inputs.operators_that_trade_here
    counted = "not measured" if trading is None else f"{trading} groups"
    return _flag(
        Gate.OPERATOR_NEUTRALITY,
        passed=_stands(stated, {"stated"}, on=date.max) and trading == 0,
        required=required,
        measured=f"{_told(stated) or 'not stated'}; operators trade for: {counted}",
    )


def _export_drill(inputs: GateInputs, *, to: Stage, on: date) -> Verdict:
    drill = _record(inputs, EvidenceKind.EXPORT_DRILL)
    days = None if to is Stage.S2 else _DAYS_YEAR
    return _flag(
        Gate.EXPORT_DRILL,
        passed=_stands(drill, {"passed"}, on=on, days=days),
        required="a tenant exported all its data " + ("once" if to is Stage.S2 else "within 12 months"),
        measured=_told(drill),
    )


def failed(judged: Iterable[Verdict]) -> list[Verdict]:
    """The gates that do not hold."""
    return [verdict for verdict in judged if not verdict.passed]


def worsened(checked: Sequence[Verdict], now: Sequence[Verdict]) -> list[tuple[Verdict, Verdict]]:
    """The gates that stand worse now than when they were checked, each with before and after.

    A gate that holds no longer counts, and so does a figure that fell but still suffices: the approver saw another.
    What became better does not, or a figure that moves every day could never be approved.
    """
    before = {verdict.gate: verdict for verdict in checked}
    return [
        (before[after.gate], after)
        for after in now
        if after.gate in before and (after.level < before[after.gate].level or before[after.gate].passed > after.passed)
    ]


def may_move(*, old: ChangeStatus, new: ChangeStatus) -> bool:
    """Whether a change may go from `old` to `new`."""
    return (old, new) in CHANGE_MOVES


def earliest_effect(announced_at: datetime) -> datetime:
    """The first moment at which an announced change may take effect."""
    return announced_at + ANNOUNCED_FOR
