"""A proposal's way: proposed, returned and revised, published by a second person; or withdrawn."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.components import actions as component_actions
from services.catalog.components import queries as component_queries
from services.catalog.components.tables import ComponentType, Standard
from services.catalog.components.taxonomy import TypeEntry
from services.catalog.dictionary import queries
from services.catalog.dictionary.checking import Checked, checked
from services.catalog.dictionary.tables import Proposal, ProposalEvent
from services.catalog.standards.actions import keep_named_editions
from shared.errors import Conflict, Forbidden, NotFound, Unprocessable
from shared.history import canonical_json
from shared.http import check_version
from shared.identity import Principal
from shared.ids import new_id


class ProposalNotFound(NotFound):
    """No proposal has this id."""


class ProposalUnsound(Unprocessable):
    """The changes cannot be published: `errors` names each member and the rule it breaks."""


class ProposalSettled(Conflict):
    """The proposal was returned, published or withdrawn: this cannot be done with it any more."""


class ProposalOutdated(Conflict):
    """A type changed since this was proposed; return it, so that it is revised against the present version."""


class SecondPersonNeeded(Forbidden):
    """Who proposed a change does not review it; another operator does."""


class NotYourProposal(Forbidden):
    """Only who proposed it revises or withdraws a proposal."""


async def propose(
    session: AsyncSession, *, title: str, note: str, changes: Sequence[Mapping[str, Any]], by: Principal, at: datetime
) -> Proposal:
    """Put changes before a reviewer.

    Raises:
        ProposalUnsound.
    """
    present = await component_queries.types_by_code(session)
    sound = await _sound(session, changes=changes, present=present)
    proposal = Proposal(
        id=new_id(),
        title=title,
        note=note,
        state="PROPOSED",
        revision=1,
        changes=sound.stored,
        based_on=_bases(sound, present),
        proposed_by=by.subject,
        proposed_by_name=by.name,
        proposed_at=at,
    )
    session.add(proposal)
    await session.flush()
    await _tell(session, proposal, "PROPOSED", by=by, at=at)
    return proposal


async def revise(
    session: AsyncSession,
    *,
    proposal_id: UUID,
    expected: int,
    title: str,
    note: str,
    changes: Sequence[Mapping[str, Any]],
    by: Principal,
    at: datetime,
) -> Proposal:
    """Other changes in place of those proposed or returned; they wait for review again.

    Raises:
        ProposalNotFound, NotYourProposal, ProposalSettled, ProposalUnsound, VersionChanged.
    """
    proposal = await _open(session, proposal_id, expected=expected, states=("PROPOSED", "RETURNED"))
    _check_proposer(proposal, by)
    present = await component_queries.types_by_code(session)
    sound = await _sound(session, changes=changes, present=present)
    proposal.title, proposal.note, proposal.state = title, note, "PROPOSED"
    proposal.changes, proposal.based_on = sound.stored, _bases(sound, present)
    proposal.reviewed_by = proposal.reviewed_by_name = proposal.reviewed_at = proposal.review_reason = None
    await _step(session, proposal, "REVISED", by=by, at=at)
    return proposal


async def send_back(
    session: AsyncSession, *, proposal_id: UUID, expected: int, reason: str, by: Principal, at: datetime
) -> Proposal:
    """Return a proposal with the reason.

    Raises:
        ProposalNotFound, SecondPersonNeeded, ProposalSettled, VersionChanged.
    """
    proposal = await _open(session, proposal_id, expected=expected, states=("PROPOSED",))
    _check_reviewer(proposal, by)
    proposal.state, proposal.review_reason = "RETURNED", reason
    proposal.reviewed_by, proposal.reviewed_by_name, proposal.reviewed_at = by.subject, by.name, at
    await _step(session, proposal, "RETURNED", by=by, at=at, reason=reason)
    return proposal


async def withdraw(session: AsyncSession, *, proposal_id: UUID, expected: int, by: Principal, at: datetime) -> Proposal:
    """Take a proposal back for good.

    Raises:
        ProposalNotFound, NotYourProposal, ProposalSettled, VersionChanged.
    """
    proposal = await _open(session, proposal_id, expected=expected, states=("PROPOSED", "RETURNED"))
    _check_proposer(proposal, by)
    proposal.state = "WITHDRAWN"
    await _step(session, proposal, "WITHDRAWN", by=by, at=at)
    return proposal


async def approve(session: AsyncSession, *, proposal_id: UUID, expected: int, by: Principal, at: datetime) -> Proposal:
    """Publish all changes of a proposal as the next version of the dictionary.

    Raises:
        ProposalNotFound, SecondPersonNeeded, ProposalSettled, ProposalOutdated, ProposalUnsound, VersionChanged.
    """
    await component_queries.lock_publishing(session)
    proposal = await _open(session, proposal_id, expected=expected, states=("PROPOSED",))
    _check_reviewer(proposal, by)
    present = await component_queries.types_for_update(session)
    moved = [code for code, base in proposal.based_on.items() if base != _base(present.get(code))]
    if moved:
        raise ProposalOutdated(f"{', '.join(sorted(moved))} changed since this was proposed.")
    sound = await _sound(session, changes=proposal.changes, present=present)
    await _keep_standards(session, sound.entries, at=at)
    rows = await component_actions.publish_types(
        session, sound.entries, present=present, by=by, proposal_id=proposal.id, at=at
    )
    for ending in sound.endings:
        row = present[ending.code]
        component_actions.deprecate_type(
            row, successor=ending.successor, reason=ending.reason, proposal_id=proposal.id, at=at
        )
        rows.append(row)
    version = await component_actions.release(session, rows=rows, by=by, proposal_id=proposal.id, at=at)
    proposal.state, proposal.dictionary_version = "PUBLISHED", version
    proposal.reviewed_by, proposal.reviewed_by_name, proposal.reviewed_at = by.subject, by.name, at
    await _step(session, proposal, "PUBLISHED", by=by, at=at)
    return proposal


async def _sound(
    session: AsyncSession, *, changes: Sequence[Mapping[str, Any]], present: Mapping[str, ComponentType]
) -> Checked:
    found = await checked(session, changes=changes, present=present)
    if found.errors:
        more = f" (and {len(found.errors) - 1} more)" if len(found.errors) > 1 else ""
        raise ProposalUnsound(f"{found.errors[0].message}{more}", errors=found.errors[:200])
    return found


def _base(row: ComponentType | None) -> dict[str, Any] | None:
    return None if row is None else {"version": row.version, "status": row.status}


def _bases(sound: Checked, present: Mapping[str, ComponentType]) -> dict[str, Any]:
    codes = [each.code for each in sound.entries] + [each.code for each in sound.endings]
    return {code: _base(present.get(code)) for code in codes}


async def _keep_standards(session: AsyncSession, entries: Sequence[TypeEntry], *, at: datetime) -> None:
    """Standards that nobody named before; what is on record of the others stays."""
    new = {each.number: asdict(each) for entry in entries for each in entry.standards}
    if new:
        await session.execute(insert(Standard).values(list(new.values())).on_conflict_do_nothing())
    named = {number: (each["title_zh"], each["edition_check"]) for number, each in new.items()}
    await keep_named_editions(session, designations=named, source="dictionary", at=at)


async def _open(session: AsyncSession, proposal_id: UUID, *, expected: int, states: Sequence[str]) -> Proposal:
    proposal = await queries.proposal_for_update(session, proposal_id=proposal_id)
    if proposal is None:
        raise ProposalNotFound(f"No proposal has the id {proposal_id}.")
    check_version(expected=expected, actual=proposal.revision)
    if proposal.state not in states:
        raise ProposalSettled(f"The proposal is {proposal.state}; this needs one that is {' or '.join(states)}.")
    return proposal


def _check_reviewer(proposal: Proposal, by: Principal) -> None:
    if proposal.proposed_by == by.subject:
        raise SecondPersonNeeded("You proposed this; another operator reviews it.")


def _check_proposer(proposal: Proposal, by: Principal) -> None:
    if proposal.proposed_by != by.subject:
        raise NotYourProposal(f"{proposal.proposed_by_name} proposed this and alone may change it.")


async def _step(
    session: AsyncSession, proposal: Proposal, action: str, *, by: Principal, at: datetime, reason: str | None = None
) -> None:
    proposal.revision += 1
    await session.flush()
    await _tell(session, proposal, action, by=by, at=at, reason=reason)


async def _tell(
    session: AsyncSession, proposal: Proposal, action: str, *, by: Principal, at: datetime, reason: str | None = None
) -> None:
    session.add(
        ProposalEvent(
            proposal_id=proposal.id,
            seq=proposal.revision,
            action=action,
            revision=proposal.revision,
            changes_hash=hashlib.sha256(canonical_json({"changes": proposal.changes})).hexdigest(),
            by_id=by.subject,
            by_name=by.name,
            reason=reason,
            at=at,
        )
    )
    await session.flush()
