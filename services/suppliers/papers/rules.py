"""Which papers a category needs, what a paper covers, and the day on which a category's papers end (domain.md 5.3)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

ANY_CATEGORY = "*"
"""In `ends_of`: every category that has no entry of its own."""


class PaperKind(StrEnum):
    """What a paper proves."""

    BUSINESS_LICENCE = "business_licence"
    LEGAL_REPRESENTATIVE = "legal_representative"
    """Who acts for the company: copy of the identity card, or a power of attorney."""
    BANK_PROOF = "bank_proof"
    """开户许可证 or a letter of the bank: the account belongs to the company."""
    TAX_STATUS = "tax_status"
    CCC = "ccc"
    PRODUCTION_PERMIT = "production_permit"
    HYGIENE = "hygiene"
    """涉水产品卫生许可批件: goods that touch drinking water."""
    ISO = "iso"
    EPD = "epd"
    LAB_REPORT = "lab_report"
    AUTHORISATION = "authorisation"
    """A letter of the mill or maker that lets a trader sell its goods."""


class Trade(StrEnum):
    """How a supplier comes by its goods: a trader needs the maker's letter, and the maker's own papers too."""

    MAKER = "maker"
    TRADER = "trader"


class Outcome(StrEnum):
    """What a look at a paper came to."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


COMPANY_WIDE = frozenset(
    {
        PaperKind.BUSINESS_LICENCE,
        PaperKind.LEGAL_REPRESENTATIVE,
        PaperKind.BANK_PROOF,
        PaperKind.TAX_STATUS,
        PaperKind.ISO,
    }
)
"""Papers of the company itself: they name no categories."""
IDENTITY_PAPERS = (PaperKind.BUSINESS_LICENCE, PaperKind.LEGAL_REPRESENTATIVE, PaperKind.BANK_PROOF)
NEEDED_BY_ALL = (*IDENTITY_PAPERS, PaperKind.TAX_STATUS)
NEEDED_BY_CATEGORY: Mapping[str, tuple[PaperKind, ...]] = {
    "rebar": (PaperKind.PRODUCTION_PERMIT, PaperKind.LAB_REPORT),
    "concrete_cement": (PaperKind.PRODUCTION_PERMIT, PaperKind.LAB_REPORT),
    "precast": (PaperKind.ISO, PaperKind.LAB_REPORT),
    "structural_steel": (PaperKind.ISO, PaperKind.LAB_REPORT),
    "masonry_partition": (PaperKind.LAB_REPORT,),
    "formwork_scaffold": (PaperKind.LAB_REPORT,),
    "waterproof_insulation": (PaperKind.LAB_REPORT,),
    "door_window": (PaperKind.CCC, PaperKind.LAB_REPORT),
    "mep": (PaperKind.CCC,),
    "integrated_kitchen_bath": (PaperKind.HYGIENE,),
    "finishes_misc": (),
}
"""Beside what all need. Cement and rebar stand on the list of industrial products under permit, safety glass, cables
and switchgear under CCC, sanitary goods under the hygiene permit; a category that is not here needs what all need."""

PAPERS_AT_MOST = 500
"""Papers of one supplier, also those replaced."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A paper as the rules see it. No categories: it is for all that need its kind."""

    id: UUID
    kind: PaperKind
    categories: frozenset[str]
    valid_from: date
    valid_until: date | None
    """The last day; None: without end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """The needed paper of a category that ends first."""

    kind: PaperKind
    until: date
    paper_id: UUID


def needed_kinds(category: str, trade: Trade) -> tuple[PaperKind, ...]:
    """The kinds of paper without which a category is not granted."""
    own = NEEDED_BY_CATEGORY.get(category, ())
    return (*NEEDED_BY_ALL, *own, *((PaperKind.AUTHORISATION,) if trade is Trade.TRADER else ()))


def covers(paper: Held, *, kind: PaperKind, category: str) -> bool:
    """Whether a paper is of a kind and for a category."""
    return paper.kind is kind and (not paper.categories or category in paper.categories)


def in_force(paper: Held, *, on: date) -> bool:
    """Whether a paper holds on a day."""
    return paper.valid_from <= on and (paper.valid_until is None or on <= paper.valid_until)


def serving(papers: Iterable[Held], *, kind: PaperKind, category: str, on: date) -> list[Held]:
    """The papers that prove a kind for a category on a day, the longest first."""
    found = [paper for paper in papers if covers(paper, kind=kind, category=category) and in_force(paper, on=on)]
    return sorted(found, key=lambda paper: paper.valid_until or date.max, reverse=True)


def missing(papers: Collection[Held], *, category: str, trade: Trade, on: date) -> list[PaperKind]:
    """The kinds a category needs and no paper proves on a day."""
    return [kind for kind in needed_kinds(category, trade) if not serving(papers, kind=kind, category=category, on=on)]


def first_end(papers: Collection[Held], *, category: str, trade: Trade, on: date) -> End | None:
    """When a category's needed papers stop being complete, if on any day; `missing` has nothing."""
    ends = []
    for kind in needed_kinds(category, trade):
        longest = serving(papers, kind=kind, category=category, on=on)[0]
        if longest.valid_until is not None:
            ends.append(End(kind=kind, until=longest.valid_until, paper_id=longest.id))
    return min(ends, key=lambda end: end.until, default=None)


def ends_of(accepted: Sequence[Held]) -> dict[str, End]:
    """For each category the first needed paper that ends, from accepted papers that no accepted one replaces.

    A kind of which nothing was ever accepted ends nothing: who was qualified without papers is not stopped by their
    absence, only by the end of what it had.
    """
    named = {category for paper in accepted for category in paper.categories}
    ends = {category: _end(accepted, category) for category in {*NEEDED_BY_CATEGORY, *named, ANY_CATEGORY}}
    return {category: end for category, end in ends.items() if end is not None}


def _end(accepted: Sequence[Held], category: str) -> End | None:
    ends = []
    for kind in needed_kinds(category, Trade.TRADER):
        held = [paper for paper in accepted if covers(paper, kind=kind, category=category)]
        last = max(held, key=lambda paper: paper.valid_until or date.max, default=None)
        if last is not None and last.valid_until is not None:
            ends.append(End(kind=kind, until=last.valid_until, paper_id=last.id))
    return min(ends, key=lambda end: end.until, default=None)


def continues(new: Held, *, among: Iterable[Held]) -> bool:
    """Whether a paper that begins later follows on others of its kind without a day between."""
    before = [paper for paper in among if paper.kind is new.kind and paper.categories == new.categories]
    return any(
        paper.valid_until is None or new.valid_from <= paper.valid_until + timedelta(days=1)
        for paper in before
        if paper.valid_from <= new.valid_from
    )


STEPS = (0, 7, 30, 60)
"""Days left at which a warning is told."""


def step_of(*, ends_on: date, today: date) -> int | None:
    """The warning that is due: 60, 30, 7 or 0, by the days left to the first day without; None: too early."""
    left = (ends_on - today).days + 1
    return next((step for step in STEPS if left <= step), None)


def add_months(day: date, months: int) -> date:
    """The same day some months later, or the month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    following = date(year + month // 11, (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(days=day.day - 1), following - timedelta(days=1))
