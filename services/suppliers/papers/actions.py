"""Papers handed in and looked at, and what follows for what a supplier may sell."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.onboarding import queries as supplier_queries
from services.suppliers.onboarding.actions import SupplierNotFound
from services.suppliers.onboarding.history import record, tell_standing
from services.suppliers.onboarding.rules import Decision, SupplierStatus
from services.suppliers.onboarding.tables import Supplier
from services.suppliers.papers import queries, rules
from services.suppliers.papers.queries import PaperSeen
from services.suppliers.papers.rules import Outcome, PaperKind
from services.suppliers.papers.tables import Paper, PaperCheck
from shared.audit import entries as audit
from shared.clock import business_date
from shared.errors import Conflict, FieldError, Forbidden, NotFound, Unprocessable
from shared.identity import Principal


class PaperNotFound(NotFound):
    """The supplier has no such paper."""


class SupplierGone(Conflict):
    """The supplier's record is closed."""


class PaperMalformed(Unprocessable):
    """The paper's days, categories or replaced paper do not fit together; `errors` names the field and the rule."""


class PaperFileKnown(Conflict):
    """This very file was handed in before with other particulars; name that paper in `replaces` to correct them."""


class PaperReplacedAlready(Conflict):
    """Another paper stands in the place of the one to be replaced; replace that one."""


class TooManyPapers(Conflict):
    """The supplier has as many papers as one may have."""


class ReviewedByOwnCompany(Forbidden):
    """Nobody reviews, verifies or checks what their own company handed in."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PaperGiven:
    """What a supplier says of a paper, and the file as it arrived."""

    id: UUID
    kind: PaperKind
    categories: Sequence[str]
    issuer: str
    number: str
    valid_from: date
    valid_until: date | None
    replaces: UUID | None
    file_name: str
    media_type: str
    size_bytes: int
    file_hash: bytes


_PARTICULARS = ("kind", "categories", "issuer", "number", "valid_from", "valid_until", "replaces")


async def locked_supplier(session: AsyncSession, *, supplier_id: UUID) -> Supplier:
    """The supplier's row, locked: what happens to its papers and its application happens one after the other.

    Raises:
        SupplierNotFound, SupplierGone.
    """
    audit.concerns(session, supplier_id)
    supplier = await supplier_queries.supplier_for_update(session, supplier_id=supplier_id)
    if supplier is None:
        raise SupplierNotFound(f"{supplier_id} is no supplier yet; it becomes one by applying.")
    if supplier.status == SupplierStatus.EXITED:
        raise SupplierGone(f"{supplier.name} has left; its record is closed.")
    return supplier


def refuse_own(*, by: Principal, supplier_id: UUID) -> None:
    """Raises ReviewedByOwnCompany."""
    if supplier_id in {by.company_id, by.group_id}:
        raise ReviewedByOwnCompany("Somebody of another company decides about your own company's papers.")


def _malformed(field: str, rule: str, message: str) -> PaperMalformed:
    return PaperMalformed(message, errors=[FieldError(field=field, rule=rule, message=message)])


async def give_paper(
    session: AsyncSession, *, supplier_id: UUID, given: PaperGiven, by: Principal, at: datetime
) -> tuple[Paper, bool]:
    """Put a paper on record; the same file with the same particulars again is the paper there is. Whether it is new.

    Raises:
        SupplierNotFound, SupplierGone, PaperMalformed, PaperFileKnown, PaperReplacedAlready, TooManyPapers.
    """
    supplier = await locked_supplier(session, supplier_id=supplier_id)
    known = await queries.papers_of(session, supplier_id=supplier_id)
    paper = Paper(
        supplier_id=supplier_id,
        id=given.id,
        kind=given.kind,
        categories=sorted(set(given.categories)),
        issuer=given.issuer,
        number=given.number,
        valid_from=given.valid_from,
        valid_until=given.valid_until,
        file_name=given.file_name,
        media_type=given.media_type,
        size_bytes=given.size_bytes,
        file_hash=given.file_hash,
        replaces=given.replaces,
        given_by=by.subject,
        given_by_name=by.name,
        given_at=at,
    )
    same_file = [each for each in known if each.paper.kind == given.kind and each.paper.file_hash == given.file_hash]
    for each in same_file:
        if all(getattr(each.paper, name) == getattr(paper, name) for name in _PARTICULARS):
            return each.paper, False
    if same_file and given.replaces not in {each.paper.id for each in same_file}:
        raise PaperFileKnown(f"This file is paper {same_file[-1].paper.id}; name it in `replaces` to correct it.")
    if len(known) >= rules.PAPERS_AT_MOST:
        raise TooManyPapers(f"A supplier has at most {rules.PAPERS_AT_MOST} papers.")
    _check_particulars(paper, known, on=business_date(at))
    session.add(paper)
    await session.flush()
    detail = {
        "paper_id": str(paper.id),
        **{name: getattr(paper, name) for name in ("kind", "categories", "issuer", "number")},
        "valid_from": paper.valid_from.isoformat(),
        "valid_until": paper.valid_until.isoformat() if paper.valid_until else None,
        "replaces": str(paper.replaces) if paper.replaces else None,
        "file_sha256": paper.file_hash.hex(),
    }
    await record(session, supplier, decision=Decision.PAPER_GIVEN, by=by, at=at, detail=detail)
    return paper, True


def _check_particulars(paper: Paper, known: Sequence[PaperSeen], *, on: date) -> None:
    if paper.categories and PaperKind(paper.kind) in rules.COMPANY_WIDE:
        raise _malformed("category", "CompanyWide", f"A {paper.kind} is the company's own; it names no categories.")
    if paper.valid_until is not None and paper.valid_until < paper.valid_from:
        raise _malformed("valid_until", "Order", f"It ends on {paper.valid_until}, before {paper.valid_from}.")
    if paper.valid_until is not None and paper.valid_until < on:
        raise _malformed("valid_until", "NotEnded", f"It ended on {paper.valid_until}; hand in the present one.")
    held = [each.paper.held for each in known if not each.refused and each.paper.id != paper.replaces]
    if paper.valid_from > on and not rules.continues(paper.held, among=held):
        message = f"It begins on {paper.valid_from}, and no paper of its kind reaches to that day."
        raise _malformed("valid_from", "BegunOrFollows", message)
    if paper.replaces is None:
        return
    before = next((each for each in known if each.paper.id == paper.replaces), None)
    if before is None or before.paper.kind != paper.kind:
        raise _malformed("replaces", "SameKind", f"You have no {paper.kind} with the id {paper.replaces}.")
    if before.replaced_by is not None:
        raise PaperReplacedAlready(f"{before.replaced_by} stands in the place of {paper.replaces}; replace that one.")


async def check_paper(
    session: AsyncSession,
    *,
    supplier_id: UUID,
    paper_id: UUID,
    outcome: Outcome,
    reason: str,
    by: Principal,
    at: datetime,
) -> Supplier:
    """Accept or refuse a paper; an accepted renewal lifts what the end of the old one had stopped.

    Raises:
        ReviewedByOwnCompany, SupplierNotFound, SupplierGone, PaperNotFound.
    """
    refuse_own(by=by, supplier_id=supplier_id)
    supplier = await locked_supplier(session, supplier_id=supplier_id)
    await put_checks(session, supplier, checks={paper_id: (outcome, reason)}, by=by, at=at)
    return supplier


async def put_checks(
    session: AsyncSession,
    supplier: Supplier,
    *,
    checks: dict[UUID, tuple[Outcome, str]],
    by: Principal,
    at: datetime,
) -> None:
    """Put looks at papers on record, and work out anew when the supplier's papers end.

    Raises:
        PaperNotFound.
    """
    known = {each.paper.id: each for each in await queries.papers_of(session, supplier_id=supplier.company_id)}
    for paper_id, (outcome, reason) in checks.items():
        if paper_id not in known:
            raise PaperNotFound(f"{supplier.name} has no paper {paper_id}.")
        session.add(
            PaperCheck(
                supplier_id=supplier.company_id,
                paper_id=paper_id,
                number=await queries.next_check_number(session, supplier_id=supplier.company_id, paper_id=paper_id),
                outcome=outcome,
                reason=reason,
                by_id=by.subject,
                by_name=by.name,
                by_company=by.scope_id,
                checked_at=at,
            )
        )
        await session.flush()
        decision = Decision.PAPER_ACCEPTED if outcome is Outcome.ACCEPTED else Decision.PAPER_REFUSED
        detail = {"paper_id": str(paper_id), "kind": known[paper_id].paper.kind}
        await record(session, supplier, decision=decision, reason=reason, by=by, at=at, detail=detail)
    await _work_out_ends(session, supplier, at=at)


async def _work_out_ends(session: AsyncSession, supplier: Supplier, *, at: datetime) -> None:
    papers = await queries.papers_of(session, supplier_id=supplier.company_id)
    ends = {
        category: {"kind": str(end.kind), "until": end.until.isoformat(), "paper_id": str(end.paper_id)}
        for category, end in rules.ends_of(queries.counting(papers)).items()
    }
    if ends == supplier.paper_ends:
        return
    today = business_date(at)
    before = supplier.open_categories(today)
    supplier.paper_ends = ends
    supplier.updated_at = at
    await session.flush()
    if supplier.open_categories(today) != before:
        await tell_standing(session, supplier, at=at)
