"""How well the matcher judges rows whose truth is known: precision where nobody looks, recall, and what it asks for.

Precision at auto-accept: of the rows accepted without a person, how many are exactly the variant that is meant.
Recall: of the rows that name exactly one variant, how many are accepted as it or proposed to a reviewer with it as the
first candidate. A row that is split, or one code of two things, counts for neither.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.catalog.mapping.judging import CodeRow, Evidence, Judge, Proposal
from services.catalog.mapping.rules import RowState
from tests.catalog.enterprise_rows import EnterpriseRow, TruthKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A row, what it truly names, and what was made of it."""

    row: EnterpriseRow
    proposal: Proposal

    @property
    def first(self) -> str | None:
        return self.proposal.candidates[0]["variant_key"] if self.proposal.candidates else None

    @property
    def right(self) -> bool:
        return self.row.truth.kind is TruthKind.EXACT and self.first == self.row.truth.key


@dataclass(frozen=True, kw_only=True)
class Quality:
    """The figures, and the rows behind those that are wrong."""

    rows: int
    accepted: int
    accepted_right: int
    exact: int
    found: int
    """Exact rows that were accepted rightly, or proposed with the right candidate first."""
    asked_rightly: int
    broader: int
    stopped: int
    unit: int
    split_rightly: int
    split: int
    states: Mapping[str, Mapping[str, int]]
    wrongly_accepted: Sequence[Judged] = field(default_factory=list)
    missed: Sequence[Judged] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return self.accepted_right / self.accepted if self.accepted else 1.0

    @property
    def recall(self) -> float:
        return self.found / self.exact

    @property
    def accepted_recall(self) -> float:
        return self.accepted_right / self.exact


def code_rows(rows: Sequence[EnterpriseRow]) -> list[CodeRow]:
    """The rows as a job reads them, knowing which codes a house gives to several things."""
    things: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        things[row.house, row.legacy_code].add((row.name + row.spec).replace(" ", "").lower())
    return [
        CodeRow(
            legacy_code=row.legacy_code,
            name=row.name,
            spec=row.spec,
            unit=row.unit,
            others={
                key: value
                for key, value in (("category", row.category), ("brand", row.brand), ("status", row.status))
                if value
            },
            several=len(things[row.house, row.legacy_code]) > 1,
        )
        for row in rows
    ]


def judged(judge: Judge, rows: Sequence[EnterpriseRow]) -> list[Judged]:
    """Every row judged, without any evidence beside the row itself."""
    nothing = Evidence()
    return [
        Judged(row=row, proposal=judge.proposed(judge.read(code), nothing))
        for row, code in zip(rows, code_rows(rows), strict=True)
    ]


def quality_of(found: Sequence[Judged]) -> Quality:
    """See Quality."""
    states: dict[str, Counter[str]] = defaultdict(Counter)
    for each in found:
        states[each.row.truth.kind][each.proposal.state] += 1
    accepted = [each for each in found if each.proposal.state is RowState.AUTO_ACCEPTED]
    exact = [each for each in found if each.row.truth.kind is TruthKind.EXACT]
    seen = {RowState.AUTO_ACCEPTED, RowState.NEEDS_REVIEW}
    missed = [each for each in exact if not (each.right and each.proposal.state in seen)]
    broader = [each for each in found if each.row.truth.kind is TruthKind.BROADER]
    return Quality(
        rows=len(found),
        accepted=len(accepted),
        accepted_right=sum(each.right for each in accepted),
        exact=len(exact),
        found=len(exact) - len(missed),
        asked_rightly=sum(tuple(sorted(each.proposal.asks_for)) == each.row.truth.missing for each in broader),
        broader=len(broader),
        stopped=states[TruthKind.UNIT][RowState.UNMATCHED],
        unit=sum(states[TruthKind.UNIT].values()),
        split_rightly=states[TruthKind.SPLIT][RowState.SPLIT_REQUESTED],
        split=sum(states[TruthKind.SPLIT].values()),
        states={str(kind): dict(counts) for kind, counts in states.items()},
        wrongly_accepted=[each for each in accepted if not each.right],
        missed=missed,
    )
