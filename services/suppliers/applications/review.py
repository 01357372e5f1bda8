"""What a reviewer does with an application: take it, return it, approve it in part or whole, reject it.

A reviewer is an operator of another company than the applicant's.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.applications import rules
from services.suppliers.applications.actions import application_to_change, papers_missing
from services.suppliers.applications.progress import check_move, move
from services.suppliers.applications.rules import ApplicationState
from services.suppliers.applications.tables import Application
from services.suppliers.onboarding.actions import qualify
from services.suppliers.onboarding.history import record
from services.suppliers.onboarding.rules import Decision, Level
from services.suppliers.onboarding.tables import Supplier
from services.suppliers.papers import queries as paper_queries
from services.suppliers.papers import rules as paper_rules
from services.suppliers.papers.actions import put_checks, refuse_own
from services.suppliers.papers.rules import End, Held, Outcome, Trade
from shared.clock import business_date
from shared.errors import Conflict, FieldError
from shared.identity import Principal


class NotAskedFor(Conflict):
    """Only what was asked for is granted; `errors` names the rest."""


class UntilBeyondPapers(Conflict):
    """The qualification would outlast a needed paper; `errors` names the paper's kind and its last day."""


class PaperNotSubmitted(Conflict):
    """A reason is given for a paper that is not under review."""


async def _reviewed(
    session: AsyncSession, *, supplier_id: UUID, expected_version: int, by: Principal
) -> tuple[Supplier, Application]:
    refuse_own(by=by, supplier_id=supplier_id)
    return await application_to_change(session, supplier_id=supplier_id, expected_version=expected_version)


def _decided(application: Application, *, reason: str, by: Principal, at: datetime) -> None:
    application.reviewer_id, application.reviewer_name, application.reviewer_company = by.subject, by.name, by.scope_id
    application.reason, application.decided_at = reason, at


async def take(
    session: AsyncSession, *, supplier_id: UUID, expected_version: int, by: Principal, at: datetime
) -> Application:
    """Begin the review of a submitted application.

    Raises:
        ReviewedByOwnCompany, SupplierNotFound, SupplierGone, ApplicationNotFound, VersionChanged,
        ApplicationStateForbids.
    """
    supplier, application = await _reviewed(session, supplier_id=supplier_id, expected_version=expected_version, by=by)
    check_move(application, ApplicationState.UNDER_REVIEW)
    application.reviewer_id, application.reviewer_name, application.reviewer_company = by.subject, by.name, by.scope_id
    await move(session, application, ApplicationState.UNDER_REVIEW, at=at)
    detail = {"application_id": str(application.id)}
    await record(session, supplier, decision=Decision.REVIEW_TAKEN, by=by, at=at, detail=detail)
    return application


async def give_back(
    session: AsyncSession,
    *,
    supplier_id: UUID,
    reason: str,
    findings: Mapping[UUID, str],
    expected_version: int,
    by: Principal,
    at: datetime,
) -> Application:
    """Return the application with a reason for each paper that will not do; those count as refused until replaced.

    Raises:
        what `take` raises; PaperNotSubmitted.
    """
    supplier, application = await _reviewed(session, supplier_id=supplier_id, expected_version=expected_version, by=by)
    check_move(application, ApplicationState.RETURNED)
    strange = sorted(set(findings) - set(application.paper_ids))
    if strange:
        raise PaperNotSubmitted(f"Paper {strange[0]} is not under review.")
    application.findings = [{"paper_id": str(paper_id), "reason": why} for paper_id, why in findings.items()]
    _decided(application, reason=reason, by=by, at=at)
    await move(session, application, ApplicationState.RETURNED, at=at)
    detail = {"application_id": str(application.id), "findings": application.findings}
    await record(session, supplier, decision=Decision.RETURNED, reason=reason, by=by, at=at, detail=detail)
    checks = {paper_id: (Outcome.REFUSED, why) for paper_id, why in findings.items()}
    await put_checks(session, supplier, checks=checks, by=by, at=at)
    return application


async def reject(
    session: AsyncSession, *, supplier_id: UUID, reason: str, expected_version: int, by: Principal, at: datetime
) -> Application:
    """Refuse the application for good; the supplier's standing stays as it was, and it may apply anew.

    Raises:
        what `take` raises.
    """
    supplier, application = await _reviewed(session, supplier_id=supplier_id, expected_version=expected_version, by=by)
    check_move(application, ApplicationState.REJECTED)
    _decided(application, reason=reason, by=by, at=at)
    await move(session, application, ApplicationState.REJECTED, at=at)
    detail = {"application_id": str(application.id)}
    await record(session, supplier, decision=Decision.REJECTED, reason=reason, by=by, at=at, detail=detail)
    return application


async def approve(
    session: AsyncSession,
    *,
    supplier_id: UUID,
    categories: Sequence[str],
    regions: Sequence[str],
    level: Level,
    until: date | None,
    reason: str,
    expected_version: int,
    by: Principal,
    at: datetime,
) -> Application:
    """Qualify the supplier for what was asked or a part of it, at most as long as its needed papers hold.

    The papers it rests on are accepted with it. `until` None is the earliest end of a needed paper.

    Raises:
        what `take` raises; NotAskedFor, PapersMissing, UntilBeyondPapers, QualifiedUntilPassed.
    """
    supplier, application = await _reviewed(session, supplier_id=supplier_id, expected_version=expected_version, by=by)
    check_move(application, ApplicationState.QUALIFIED)
    _check_asked(application, categories=categories, regions=regions)
    submitted = await _still_submitted(session, application)
    on, trade = business_date(at), Trade(application.trade)
    missing = {
        category: kinds
        for category in sorted(set(categories))
        if (kinds := paper_rules.missing(submitted, category=category, trade=trade, on=on))
    }
    if missing:
        raise papers_missing(missing)
    last_day = _last_day(submitted, categories=categories, trade=trade, on=on, until=until)
    application.level, application.granted, application.until = level, sorted(set(categories)), last_day
    _decided(application, reason=reason, by=by, at=at)
    await move(session, application, ApplicationState.QUALIFIED, at=at)
    await _accept_papers(session, supplier, submitted, categories=categories, trade=trade, on=on, by=by, at=at)
    await qualify(
        session,
        supplier_id=supplier_id,
        categories=categories,
        regions=regions,
        until=last_day,
        reason=reason,
        expected_version=supplier.version,
        level=level,
        detail={"application_id": str(application.id)},
        by=by,
        at=at,
    )
    return application


def _check_asked(application: Application, *, categories: Sequence[str], regions: Sequence[str]) -> None:
    errors = [
        FieldError(field="categories", rule="AskedFor", message=f"{category} was not asked for.")
        for category in sorted(set(categories) - set(application.categories))
    ]
    if not rules.regions_within(application.regions, regions):
        asked = ", ".join(application.regions)
        errors.append(FieldError(field="regions", rule="AskedFor", message=f"Only {asked} was asked for."))
    if errors:
        raise NotAskedFor(errors[0].message, errors=errors)


async def _still_submitted(session: AsyncSession, application: Application) -> list[Held]:
    papers = await paper_queries.papers_of(session, supplier_id=application.supplier_id)
    submitted = set(application.paper_ids)
    return [held for held in paper_queries.usable(papers) if held.id in submitted]


def _last_day(
    papers: Sequence[Held], *, categories: Sequence[str], trade: Trade, on: date, until: date | None
) -> date | None:
    found = (
        paper_rules.first_end(papers, category=category, trade=trade, on=on) for category in sorted(set(categories))
    )
    ends: list[End] = [end for end in found if end is not None]
    first = min(ends, key=lambda end: end.until, default=None)
    if first is None:
        return until
    if until is not None and until > first.until:
        message = f"The {first.kind} ends on {first.until}; the qualification may last until then."
        raise UntilBeyondPapers(message, errors=[FieldError(field="until", rule="PaperEnds", message=message)])
    return until or first.until


async def _accept_papers(
    session: AsyncSession,
    supplier: Supplier,
    papers: Sequence[Held],
    *,
    categories: Sequence[str],
    trade: Trade,
    on: date,
    by: Principal,
    at: datetime,
) -> None:
    """Accept the papers the decision rests on that nobody accepted before."""
    known = await paper_queries.papers_of(session, supplier_id=supplier.company_id)
    accepted = {each.paper.id for each in known if each.accepted}
    rests_on = {
        paper_rules.serving(papers, kind=kind, category=category, on=on)[0].id
        for category in set(categories)
        for kind in paper_rules.needed_kinds(category, trade)
    }
    checks = dict.fromkeys(sorted(rests_on - accepted), (Outcome.ACCEPTED, ""))
    await put_checks(session, supplier, checks=checks, by=by, at=at)
