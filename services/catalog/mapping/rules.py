"""What a mapping may become, how a candidate is scored, and who may decide (domain.md 3.3, 3.4). Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

KIND = "material_codes"
"""The one kind of import this step takes; part of a job's key."""


class JobState(StrEnum):
    """An import, from the file to what others see."""

    UPLOADED = "UPLOADED"
    PARSED = "PARSED"
    VALIDATED = "VALIDATED"
    MATCHED = "MATCHED"
    IN_REVIEW = "IN_REVIEW"
    APPROVED = "APPROVED"
    PUBLISHED = "PUBLISHED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    ROLLED_BACK = "ROLLED_BACK"


JOB_MOVES: frozenset[tuple[JobState, JobState]] = frozenset(
    {
        (JobState.UPLOADED, JobState.PARSED),
        (JobState.UPLOADED, JobState.FAILED),
        (JobState.UPLOADED, JobState.CANCELLED),
        (JobState.PARSED, JobState.VALIDATED),
        (JobState.PARSED, JobState.FAILED),
        (JobState.PARSED, JobState.CANCELLED),
        (JobState.VALIDATED, JobState.MATCHED),
        (JobState.VALIDATED, JobState.FAILED),
        (JobState.VALIDATED, JobState.CANCELLED),
        (JobState.MATCHED, JobState.IN_REVIEW),
        (JobState.MATCHED, JobState.CANCELLED),
        (JobState.IN_REVIEW, JobState.APPROVED),
        (JobState.IN_REVIEW, JobState.CANCELLED),
        (JobState.APPROVED, JobState.PUBLISHED),
        (JobState.APPROVED, JobState.IN_REVIEW),
        (JobState.APPROVED, JobState.CANCELLED),
        (JobState.PUBLISHED, JobState.ROLLED_BACK),
    }
)
"""APPROVED goes back to IN_REVIEW when a variant could not be made while publishing: a type was withdrawn meanwhile."""

WORKED_ON = (JobState.UPLOADED, JobState.PARSED, JobState.VALIDATED, JobState.APPROVED)
"""States in which the next move is the worker's."""
OVER = (JobState.FAILED, JobState.CANCELLED, JobState.ROLLED_BACK)
"""The same file may be sent again after these."""


class RowState(StrEnum):
    """One legacy code with one specification."""

    PROPOSED = "PROPOSED"
    AUTO_ACCEPTED = "AUTO_ACCEPTED"
    NEEDS_REVIEW = "NEEDS_REVIEW"
    UNMATCHED = "UNMATCHED"
    CONFIRMED = "CONFIRMED"
    REJECTED = "REJECTED"
    SPLIT_REQUESTED = "SPLIT_REQUESTED"
    NEW_TYPE_REQUESTED = "NEW_TYPE_REQUESTED"
    RETIRED = "RETIRED"


_MATCHED = (RowState.AUTO_ACCEPTED, RowState.NEEDS_REVIEW, RowState.UNMATCHED)
_DECIDED = (RowState.CONFIRMED, RowState.REJECTED, RowState.SPLIT_REQUESTED, RowState.NEW_TYPE_REQUESTED)
ROW_MOVES: frozenset[tuple[RowState, RowState]] = frozenset(
    {
        *((RowState.PROPOSED, to) for to in _MATCHED),
        (RowState.PROPOSED, RowState.SPLIT_REQUESTED),
        *((of, to) for of in _MATCHED for to in _DECIDED),
        (RowState.SPLIT_REQUESTED, RowState.CONFIRMED),
        (RowState.SPLIT_REQUESTED, RowState.REJECTED),
        (RowState.SPLIT_REQUESTED, RowState.NEW_TYPE_REQUESTED),
        (RowState.NEW_TYPE_REQUESTED, RowState.CONFIRMED),
        (RowState.NEW_TYPE_REQUESTED, RowState.REJECTED),
        (RowState.CONFIRMED, RowState.REJECTED),
        (RowState.CONFIRMED, RowState.SPLIT_REQUESTED),
        (RowState.REJECTED, RowState.CONFIRMED),
        (RowState.AUTO_ACCEPTED, RowState.RETIRED),
        (RowState.CONFIRMED, RowState.RETIRED),
    }
)
"""A code that plainly means several things is proposed for a split at once. A decision may be changed while the job is
in review. RETIRED: its mapping was rolled back or ended."""

WAITS_FOR_A_PERSON = (
    RowState.NEEDS_REVIEW,
    RowState.UNMATCHED,
    RowState.SPLIT_REQUESTED,
    RowState.NEW_TYPE_REQUESTED,
)
PUBLISHABLE = (RowState.AUTO_ACCEPTED, RowState.CONFIRMED)


class Relation(StrEnum):
    """How the enterprise's code stands to the variant."""

    EXACT = "exact"
    NARROWER = "narrower"
    """The legacy code is more specific: it also fixes a brand, a heat, a colour that makes no variant."""
    BROADER = "broader"
    """The legacy code needs attributes before it means one variant."""
    KIT = "kit"
    """The legacy code is several variants delivered together."""


class Stop(StrEnum):
    """Why a candidate counts nothing, whatever else speaks for it."""

    CONTRADICTING_ATTRIBUTE = "ContradictingAttribute"
    UNIT_NOT_CONVERTIBLE = "UnitNotConvertible"
    WITHDRAWN_STANDARD = "WithdrawnStandard"


AUTO_ACCEPT, REVIEW = Decimal("0.95"), Decimal("0.60")
ATTRIBUTES, NAME, UNIT, EVIDENCE = Decimal("0.45"), Decimal("0.25"), Decimal("0.15"), Decimal("0.15")
SAMPLED_OF_HUNDRED = 5
PRICE_WITHIN = Decimal("0.30")
"""A price this near to the variant's median is evidence (domain.md 3.4)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """The four parts of a score, each from 0 to 1, and what stops it."""

    attributes: Decimal
    name: Decimal
    unit: Decimal
    evidence: Decimal
    stops: Sequence[Stop] = ()

    @property
    def score(self) -> Decimal:
        """0.45 attributes + 0.25 name + 0.15 unit + 0.15 evidence; a stop makes it 0."""
        if self.stops:
            return Decimal("0.00")
        total = ATTRIBUTES * self.attributes + NAME * self.name + UNIT * self.unit + EVIDENCE * self.evidence
        return total.quantize(Decimal("0.01"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Signs:
    """Beside the score: what must hold before nobody needs to look."""

    complete: bool
    """All identity attributes were read."""
    doubts: Sequence[str] = field(default_factory=tuple)
    """What was not understood, or could be understood in another way."""
    many_things: bool = False


def row_state(score: Decimal, signs: Signs) -> RowState:
    """The state a score leads to. An open doubt is for a person, however high the score."""
    if signs.many_things:
        return RowState.SPLIT_REQUESTED
    if score >= AUTO_ACCEPT and signs.complete and not signs.doubts:
        return RowState.AUTO_ACCEPTED
    return RowState.NEEDS_REVIEW if score >= REVIEW else RowState.UNMATCHED


def is_sampled(*, company: str, file_hash: str, row_no: int) -> bool:
    """Whether an automatically accepted row is looked at by a person all the same: 5 of 100, the same on every run."""
    digest = hashlib.sha256(f"{company}:{file_hash}:{row_no}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % 100 < SAMPLED_OF_HUNDRED


def price_agrees(price: Decimal, median: Decimal) -> bool:
    """Whether a price is within 30 % of the variant's median."""
    return median > 0 and abs(price - median) <= PRICE_WITHIN * median


def contradictions(read: Mapping[str, str], of_variant: Mapping[str, str]) -> list[str]:
    """The identity attributes in which a row says something else than a variant is."""
    return sorted(key for key, value in read.items() if of_variant.get(key, value) != value)


class ReviewRefusal(StrEnum):
    """Why a decision is not taken."""

    OWN_IMPORT = "OwnImport"
    NOT_A_LEGAL_MOVE = "NotALegalMove"
    VARIANT_MISSING = "VariantMissing"
    BROADER_NEEDS_ATTRIBUTES = "BroaderNeedsAttributes"
    CONDITION_MISSING = "ConditionMissing"
    CONDITION_TWICE = "ConditionTwice"
    KIT_OF_ONE = "KitOfOne"


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One variant a code leads to: the only one, one case of a split, or one piece of a kit."""

    variant_key: str
    relation: Relation
    condition: str = ""
    """Of a split: when the code means this variant."""
    quantity: str = "1"
    """Of a kit: how many of it, in the variant's base unit."""


def parts_refused(parts: Sequence[Part], *, split: bool) -> ReviewRefusal | None:
    """Whether these variants may stand behind one row.

    One code leads to many variants only by a split with a rule for each, or as a kit.
    """
    if not parts:
        return ReviewRefusal.VARIANT_MISSING
    if any(part.relation is Relation.BROADER for part in parts):
        return ReviewRefusal.BROADER_NEEDS_ATTRIBUTES
    kit = [part for part in parts if part.relation is Relation.KIT]
    if kit:
        return ReviewRefusal.KIT_OF_ONE if len(kit) != len(parts) or len(kit) < 2 else None
    if split or len(parts) > 1:
        conditions = [part.condition for part in parts]
        if not all(conditions):
            return ReviewRefusal.CONDITION_MISSING
        if len(set(conditions)) < len(conditions):
            return ReviewRefusal.CONDITION_TWICE
    return None


def may_decide(*, reviewer: str, importer: str) -> bool:
    """Reviewer and importer are two people."""
    return reviewer != importer
