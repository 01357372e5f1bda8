"""A supplier says who stands behind it; somebody of another company verifies that."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.applications import queries, rules
from services.suppliers.applications.progress import move
from services.suppliers.applications.rules import ApplicationState, DocumentKind, IdentityState
from services.suppliers.applications.secrets import keyed_hash
from services.suppliers.applications.tables import Identity
from services.suppliers.blacklists.actions import representative_known
from services.suppliers.blacklists.rules import representative_hash
from services.suppliers.onboarding.history import record
from services.suppliers.onboarding.rules import Decision
from services.suppliers.papers import queries as paper_queries
from services.suppliers.papers import rules as paper_rules
from services.suppliers.papers.actions import locked_supplier, refuse_own
from shared.clock import business_date
from shared.errors import Conflict, FieldError, NotFound, Unprocessable
from shared.http import check_version
from shared.identity import Principal


class IdentityMalformed(Unprocessable):
    """A number cannot be one; `errors` names the field and the rule, not the number."""


class IdentityNotGiven(NotFound):
    """The supplier has not said who stands behind it."""


class IdentityPapersMissing(Conflict):
    """Verification rests on business licence, representative's paper and bank proof; `errors` names those missing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IdentityGiven:
    """What a supplier says of itself, with the numbers as they were written."""

    representative_name: str
    document_kind: DocumentKind
    document_number: str
    bank_name: str
    account_name: str
    account_number: str


def _checked(given: IdentityGiven) -> tuple[str, str]:
    document = rules.plain_number(given.document_number)
    account = rules.plain_number(given.account_number)
    faults = {
        "document_number": rules.document_fault(given.document_kind, document),
        "account_number": rules.account_fault(account),
    }
    errors = [FieldError(field=name, rule="Number", message=fault) for name, fault in faults.items() if fault]
    if errors:
        raise IdentityMalformed(errors[0].message, errors=errors)
    return document, account


async def give_identity(
    session: AsyncSession, *, supplier_id: UUID, given: IdentityGiven, key: bytes, by: Principal, at: datetime
) -> Identity:
    """Put on record who stands behind a supplier. The same again changes nothing; anything else is to be verified anew.

    Raises:
        SupplierNotFound, SupplierGone, IdentityMalformed.
    """
    document, account = _checked(given)
    supplier = await locked_supplier(session, supplier_id=supplier_id)
    values: dict[str, Any] = {
        "representative_name": given.representative_name,
        "document_kind": str(given.document_kind),
        "document_hash": keyed_hash(document, key=key, purpose="document"),
        "representative_hash": representative_hash(key=key, id_number=document, name=given.representative_name),
        "document_tail": rules.tail_of(document),
        "bank_name": given.bank_name,
        "account_name": given.account_name,
        "account_hash": keyed_hash(account, key=key, purpose="account"),
        "account_tail": rules.tail_of(account),
    }
    known = await queries.identity(session, supplier_id=supplier_id)
    if known is None:
        known = Identity(supplier_id=supplier_id, given_at=at, version=1, **values)
        session.add(known)
    elif all(getattr(known, name) == value for name, value in values.items()):
        return known
    else:
        for name, value in values.items():
            setattr(known, name, value)
        known.state, known.reason, known.given_at = IdentityState.GIVEN, "", at
        known.decided_at = known.decided_by = known.decided_by_company = known.due_on = None
        known.version += 1
    await session.flush()
    detail = {"document_kind": known.document_kind, "bank_name": known.bank_name, "version": known.version}
    await record(session, supplier, decision=Decision.IDENTITY_GIVEN, by=by, at=at, detail=detail)
    return known


async def decide_identity(
    session: AsyncSession,
    *,
    supplier_id: UUID,
    verified: bool,
    reason: str,
    expected_version: int,
    by: Principal,
    at: datetime,
) -> Identity:
    """Verify or refuse who stands behind a supplier; verified again, it holds for another six months.

    Raises:
        ReviewedByOwnCompany, SupplierNotFound, SupplierGone, IdentityNotGiven, VersionChanged, IdentityPapersMissing.
    """
    refuse_own(by=by, supplier_id=supplier_id)
    supplier = await locked_supplier(session, supplier_id=supplier_id)
    identity = await queries.identity(session, supplier_id=supplier_id)
    if identity is None:
        raise IdentityNotGiven(f"{supplier.name} has not said who stands behind it.")
    check_version(expected=expected_version, actual=identity.version)
    today = business_date(at)
    if verified:
        await _check_papers(session, supplier_id=supplier_id, at=at)
    identity.state = IdentityState.VERIFIED if verified else IdentityState.REFUSED
    identity.reason, identity.decided_at = reason, at
    identity.decided_by, identity.decided_by_company = by.subject, by.scope_id
    identity.due_on = paper_rules.add_months(today, rules.REVERIFY_MONTHS) if verified else None
    identity.version += 1
    await session.flush()
    decision = Decision.IDENTITY_VERIFIED if verified else Decision.IDENTITY_REFUSED
    detail = {"identity_version": identity.version, "due_on": identity.due_on and identity.due_on.isoformat()}
    await record(session, supplier, decision=decision, reason=reason, by=by, at=at, detail=detail)
    if verified:
        await representative_known(
            session, supplier_id=supplier_id, representative_hash=bytes(identity.representative_hash), at=at
        )
    application = await queries.open_application(session, supplier_id=supplier_id)
    if verified and application is not None and application.state == ApplicationState.REGISTERED:
        await move(session, application, ApplicationState.IDENTITY_VERIFIED, at=at)
    return identity


async def _check_papers(session: AsyncSession, *, supplier_id: UUID, at: datetime) -> None:
    papers = paper_queries.usable(await paper_queries.papers_of(session, supplier_id=supplier_id))
    on = business_date(at)
    lacking = [
        kind
        for kind in paper_rules.IDENTITY_PAPERS
        if not paper_rules.serving(papers, kind=kind, category=paper_rules.ANY_CATEGORY, on=on)
    ]
    if lacking:
        raise IdentityPapersMissing(
            f"Missing: {', '.join(lacking)}.",
            errors=[
                FieldError(field=f"papers.{kind}", rule="Needed", message=f"No {kind} in force.") for kind in lacking
            ],
        )
