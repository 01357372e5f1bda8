"""Proposing a substitute, deciding on it as a second person, withdrawing it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.catalog.components import variant_actions
from services.catalog.components.tables import Variant
from services.catalog.equivalents import queries, rules
from services.catalog.equivalents.rules import Decision, EquivalentScope, EquivalentStatus
from services.catalog.equivalents.tables import Equivalent
from shared.audience import MEMBERS_KEY, PUBLIC_KEY
from shared.clock import business_date
from shared.contracts.catalog import VariantReference
from shared.errors import Conflict, FieldError, Forbidden, NotFound, Unprocessable
from shared.http import check_version
from shared.identity import Principal
from shared.ids import new_id


class EquivalentNotFound(NotFound):
    """There is no such equivalent, or it is not yours to know."""


class SameVariant(Unprocessable):
    """A variant cannot stand for itself."""


class NoUnitInCommon(Unprocessable):
    """No unit counts both variants, so a quantity of one says nothing of the other."""


class AlreadyProposed(Conflict):
    """Your company has proposed or approved this substitute already; withdraw that one first."""


class SecondPersonNeeded(Forbidden):
    """Who proposed a substitute does not decide on it."""


class OperatorDecides(Forbidden):
    """What is meant for everyone is decided by an operator."""


class StatusForbids(Conflict):
    """The equivalent cannot go from its present status to the one asked for."""


class EndsBeforeItBegins(Unprocessable):
    """The last day lies before the first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """What somebody proposes. `valid_from` None: from today on."""

    of: VariantReference
    substitute: VariantReference
    both_ways: bool
    rule: str
    evidence: Sequence[str]
    scope: EquivalentScope
    valid_from: date | None
    valid_until: date | None


async def propose(session: AsyncSession, *, proposal: Proposal, by: Principal, at: datetime) -> Equivalent:
    """Propose that one variant may stand for another.

    Raises:
        the refusals of `variant_actions`, SameVariant, NoUnitInCommon, EndsBeforeItBegins, AlreadyProposed.
    """
    of = await variant_actions.resolve_one(session, reference=proposal.of, at=at)
    substitute = await variant_actions.resolve_one(session, reference=proposal.substitute, at=at)
    if of.id == substitute.id:
        raise SameVariant(f"{of.key} cannot stand for itself.")
    if not rules.countable_alike(of.unit_factors, substitute.unit_factors):
        counted = f"{of.key} is counted in {_units(of)}, {substitute.key} in {_units(substitute)}"
        error = FieldError(field="substitute", rule="NoUnitInCommon", message="has no unit of the other")
        raise NoUnitInCommon(f"{counted}: a quantity of one says nothing of the other.", errors=[error])
    valid_from = proposal.valid_from or business_date(at)
    if proposal.valid_until is not None and proposal.valid_until < valid_from:
        raise EndsBeforeItBegins(f"It would end on {proposal.valid_until}, before it begins on {valid_from}.")
    row = Equivalent(
        company_id=by.company,
        id=new_id(),
        group_id=by.group_id,
        from_id=of.id,
        to_id=substitute.id,
        both_ways=proposal.both_ways,
        rule=proposal.rule,
        evidence=list(proposal.evidence),
        scope=proposal.scope,
        audience_keys=[f"company:{by.company}"],
        valid_from=valid_from,
        valid_until=proposal.valid_until,
        proposed_by=by.subject,
        proposed_by_name=by.name,
        proposed_at=at,
    )
    made = await session.execute(
        insert(Equivalent).values(row.model_dump()).on_conflict_do_nothing().returning(col(Equivalent.id))
    )
    if made.one_or_none() is None:
        raise AlreadyProposed(f"Your company has proposed {substitute.key} for {of.key} already.")
    return row


def _units(variant: Variant) -> str:
    return ", ".join(sorted(variant.unit_factors))


async def decide(
    session: AsyncSession,
    *,
    equivalent_id: UUID,
    decision: Decision,
    reason: str,
    expected_version: int,
    by: Principal,
    at: datetime,
) -> Equivalent:
    """Another person of the company approves or rejects what is for the company's own group.

    Raises:
        EquivalentNotFound, VersionChanged, OperatorDecides, SecondPersonNeeded, StatusForbids.
    """
    row = await queries.own_for_update(session, company_id=by.company, equivalent_id=equivalent_id)
    if row is None:
        raise EquivalentNotFound(f"Your company has no equivalent {equivalent_id}.")
    if row.scope == EquivalentScope.EVERYONE:
        raise OperatorDecides("It is proposed for everyone; an operator decides on it.")
    return await _decide(session, row, decision, reason=reason, expected_version=expected_version, by=by, at=at)


async def decide_for_everyone(
    session: AsyncSession,
    *,
    equivalent_id: UUID,
    decision: Decision,
    reason: str,
    expected_version: int,
    by: Principal,
    at: datetime,
) -> Equivalent:
    """An operator approves or rejects what is proposed for everyone.

    Raises:
        EquivalentNotFound, VersionChanged, SecondPersonNeeded, StatusForbids.
    """
    row = await queries.for_everyone_for_update(session, equivalent_id=equivalent_id)
    if row is None:
        raise EquivalentNotFound(f"Nothing with the id {equivalent_id} is proposed for everyone.")
    return await _decide(session, row, decision, reason=reason, expected_version=expected_version, by=by, at=at)


async def _decide(
    session: AsyncSession,
    row: Equivalent,
    decision: Decision,
    *,
    reason: str,
    expected_version: int,
    by: Principal,
    at: datetime,
) -> Equivalent:
    check_version(expected=expected_version, actual=row.version)
    if row.proposed_by == by.subject:
        raise SecondPersonNeeded("You proposed it; somebody else decides.")
    approved = decision is Decision.APPROVE
    _become(row, EquivalentStatus.APPROVED if approved else EquivalentStatus.REJECTED)
    row.decided_by, row.decided_by_name, row.decided_at, row.decision_reason = by.subject, by.name, at, reason
    await session.flush()
    return row


async def withdraw(
    session: AsyncSession, *, equivalent_id: UUID, reason: str, expected_version: int, by: Principal, at: datetime
) -> Equivalent:
    """The company takes back its own, proposed or approved.

    Raises:
        EquivalentNotFound, VersionChanged, StatusForbids.
    """
    row = await queries.own_for_update(session, company_id=by.company, equivalent_id=equivalent_id)
    if row is None:
        raise EquivalentNotFound(f"Your company has no equivalent {equivalent_id}.")
    return await _withdraw(session, row, reason=reason, expected_version=expected_version, by=by, at=at)


async def withdraw_for_everyone(
    session: AsyncSession, *, equivalent_id: UUID, reason: str, expected_version: int, by: Principal, at: datetime
) -> Equivalent:
    """An operator takes away what is, or would be, for everyone.

    Raises:
        EquivalentNotFound, VersionChanged, StatusForbids.
    """
    row = await queries.for_everyone_for_update(session, equivalent_id=equivalent_id)
    if row is None:
        raise EquivalentNotFound(f"Nothing with the id {equivalent_id} is proposed for everyone.")
    return await _withdraw(session, row, reason=reason, expected_version=expected_version, by=by, at=at)


async def _withdraw(
    session: AsyncSession, row: Equivalent, *, reason: str, expected_version: int, by: Principal, at: datetime
) -> Equivalent:
    check_version(expected=expected_version, actual=row.version)
    _become(row, EquivalentStatus.WITHDRAWN)
    row.withdrawn_by, row.withdrawn_at, row.withdrawal_reason = by.subject, at, reason
    await session.flush()
    return row


def _become(row: Equivalent, status: EquivalentStatus) -> None:
    before = EquivalentStatus(row.status)
    if not rules.may_become(before, status):
        raise StatusForbids(f"An equivalent that is {before} cannot become {status}.")
    row.status = status
    row.audience_keys = rules.audience_of(
        status=status,
        scope=EquivalentScope(row.scope),
        company_id=row.company_id,
        group_id=row.group_id,
        everyone=(MEMBERS_KEY, PUBLIC_KEY),
    )
    row.version += 1
