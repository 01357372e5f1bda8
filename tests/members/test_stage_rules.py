"""Gates, steps and moves of stage changes as pure rules, against the table of domain.md 3.2."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.members.stages.report import report
from services.members.stages.rules import (
    CHANGE_MOVES,
    FORWARD,
    UNDER_WAY,
    ChangeStatus,
    Evidence,
    EvidenceKind,
    Gate,
    GateInputs,
    failed,
    may_move,
    verdicts,
    worsened,
)
from shared.audience import Stage

TODAY = date(2026, 11, 25)


def evidence(*, days_ago: int = 1, **states: str) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(kind=EvidenceKind(kind), state=state, on=TODAY - timedelta(days=days_ago))
        for kind, state in states.items()
    )


ALL_HOLD = GateInputs(
    mapped_spend_share=Decimal("0.95"),
    valid_supplier_share=Decimal(1),
    expired_document_share=Decimal(0),
    independent_groups=5,
    evidence=evidence(
        confidentiality_suite="green",
        external_audit="passed",
        rules_published="in_force",
        operator_neutrality="stated",
        export_drill="passed",
    ),
)


def failing(inputs: GateInputs, to: Stage) -> set[Gate]:
    return {verdict.gate for verdict in failed(verdicts(inputs, to=to, on=TODAY))}


def with_evidence(kind: EvidenceKind, state: str | None, *, days_ago: int = 1) -> GateInputs:
    others = tuple(each for each in ALL_HOLD.evidence if each.kind is not kind)
    more = () if state is None else evidence(days_ago=days_ago, **{kind: state})
    return replace(ALL_HOLD, evidence=others + more)


@pytest.mark.parametrize("to", [Stage.S2, Stage.S3])
def test_every_gate_is_judged_and_holds_at_its_limit(to):
    judged = verdicts(ALL_HOLD, to=to, on=TODAY)
    assert {verdict.gate for verdict in judged} == set(Gate)
    assert not failed(judged)


@pytest.mark.parametrize(
    ("changes", "to", "gate"),
    [
        ({"mapped_spend_share": Decimal("0.7999")}, Stage.S2, Gate.MAPPED_SPEND),
        ({"mapped_spend_share": Decimal("0.9499")}, Stage.S3, Gate.MAPPED_SPEND),
        ({"valid_supplier_share": Decimal("0.9499")}, Stage.S2, Gate.VALID_SUPPLIERS),
        ({"valid_supplier_share": Decimal("0.9999")}, Stage.S3, Gate.VALID_SUPPLIERS),
        ({"expired_document_share": Decimal("0.0501")}, Stage.S2, Gate.EXPIRED_DOCUMENTS),
        ({"expired_document_share": Decimal("0.0001")}, Stage.S3, Gate.EXPIRED_DOCUMENTS),
        ({"independent_groups": 1}, Stage.S2, Gate.INDEPENDENT_GROUPS),
        ({"independent_groups": 4}, Stage.S3, Gate.INDEPENDENT_GROUPS),
        ({"operators_that_trade": 1}, Stage.S3, Gate.OPERATOR_NEUTRALITY),
        ({"operators_that_trade": None}, Stage.S3, Gate.OPERATOR_NEUTRALITY),
        ({"operators_that_trade_here": 1}, Stage.S2, Gate.OPERATOR_NEUTRALITY),
        ({"operators_that_trade_here": None}, Stage.S2, Gate.OPERATOR_NEUTRALITY),
        ({"mapped_spend_share": None}, Stage.S2, Gate.MAPPED_SPEND),
        ({"valid_supplier_share": None}, Stage.S2, Gate.VALID_SUPPLIERS),
        ({"expired_document_share": None}, Stage.S2, Gate.EXPIRED_DOCUMENTS),
    ],
)
def test_a_figure_past_its_limit_or_not_measured_fails_its_gate_and_no_other(changes, to, gate):
    assert failing(replace(ALL_HOLD, **changes), to) == {gate}


def test_the_limits_of_the_first_step_are_those_of_the_table():
    least = replace(
        ALL_HOLD,
        mapped_spend_share=Decimal("0.80"),
        valid_supplier_share=Decimal("0.95"),
        expired_document_share=Decimal("0.05"),
        independent_groups=2,
        operators_that_trade=1,
    )
    assert failing(least, Stage.S2) == set()


@pytest.mark.parametrize(
    ("kind", "state", "days_ago", "fails_s2", "fails_s3"),
    [
        (EvidenceKind.CONFIDENTIALITY_SUITE, "red", 1, True, True),
        (EvidenceKind.CONFIDENTIALITY_SUITE, "green", 31, True, True),
        (EvidenceKind.CONFIDENTIALITY_SUITE, None, 1, True, True),
        (EvidenceKind.EXTERNAL_AUDIT, None, 1, False, True),
        (EvidenceKind.EXTERNAL_AUDIT, "passed", 366, False, True),
        (EvidenceKind.RULES_PUBLISHED, "draft", 1, False, True),
        (EvidenceKind.RULES_PUBLISHED, "withdrawn", 1, True, True),
        (EvidenceKind.OPERATOR_NEUTRALITY, None, 1, True, True),
        (EvidenceKind.EXPORT_DRILL, "passed", 366, False, True),
        (EvidenceKind.EXPORT_DRILL, "failed", 1, True, True),
    ],
)
def test_evidence_counts_by_state_and_age(kind, state, days_ago, fails_s2, fails_s3):
    inputs = with_evidence(kind, state, days_ago=days_ago)
    assert bool(failing(inputs, Stage.S2)) == fails_s2
    assert bool(failing(inputs, Stage.S3)) == fails_s3


def test_under_a_duty_to_tender_in_public_three_groups_suffice():
    duty = evidence(public_tender_duty="applies")
    three = replace(ALL_HOLD, independent_groups=3)
    assert failing(three, Stage.S3) == {Gate.INDEPENDENT_GROUPS}
    assert failing(replace(three, evidence=three.evidence + duty), Stage.S3) == set()
    assert failing(replace(three, evidence=three.evidence + evidence(public_tender_duty="ended")), Stage.S3)


shares = st.none() | st.decimals(min_value=0, max_value=1, places=4)


@given(before=shares, after=shares)
def test_a_figure_that_fell_was_not_approved_and_one_that_rose_was(before, after):
    checked = verdicts(replace(ALL_HOLD, mapped_spend_share=before), to=Stage.S2, on=TODAY)
    now = verdicts(replace(ALL_HOLD, mapped_spend_share=after), to=Stage.S2, on=TODAY)
    lost = before is not None and (after is None or after < before)
    assert [new.gate for _, new in worsened(checked, now)] == ([Gate.MAPPED_SPEND] if lost else [])


@given(before=shares, after=shares)
def test_more_expired_documents_are_worse(before, after):
    checked = verdicts(replace(ALL_HOLD, expired_document_share=before), to=Stage.S2, on=TODAY)
    now = verdicts(replace(ALL_HOLD, expired_document_share=after), to=Stage.S2, on=TODAY)
    lost = before is not None and (after is None or after > before)
    assert bool(worsened(checked, now)) == lost


def test_only_the_legal_moves_are_legal_and_nothing_leaves_reverted():
    for old in ChangeStatus:
        for new in ChangeStatus:
            assert may_move(old=old, new=new) == ((old, new) in CHANGE_MOVES)
    assert not {new for old, new in CHANGE_MOVES if old is ChangeStatus.REVERTED}
    assert {old for old, new in CHANGE_MOVES if new is ChangeStatus.EFFECTIVE} == {ChangeStatus.ANNOUNCED}
    assert {old for old, new in CHANGE_MOVES if new is ChangeStatus.REVERTED} == set(ChangeStatus) - {
        ChangeStatus.REVERTED
    }
    assert set(ChangeStatus) - UNDER_WAY == {ChangeStatus.EFFECTIVE, ChangeStatus.REVERTED}


def test_stages_follow_each_other_one_by_one():
    assert FORWARD == {Stage.S1: Stage.S2, Stage.S2: Stage.S3}


def test_the_report_says_in_words_what_the_table_says():
    lines = {line.kind: line for line in report(Stage.S1, Stage.S2)}
    assert lines["listing"].before == "the group itself"
    assert lines["listing"].after == "the groups of the circle"
    assert lines["listing"].widens
    assert "consent" in lines["qualification_document"].after
    assert "not the price" in lines["award_result"].after
    assert "agreement_price" not in lines
    assert not {line.kind: line for line in report(Stage.S2, Stage.S3)}["blacklist_entry"].widens
