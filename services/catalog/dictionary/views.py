"""Answers of the dictionary's routes, put together from rows and rules."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.classification.rules import codes_of
from services.catalog.dictionary import queries
from services.catalog.dictionary.rules import Codes, type_differences
from services.catalog.dictionary.schemas import (
    DictionaryDifference,
    DifferenceView,
    ProposalEventView,
    ProposalSummary,
    ProposalView,
    TypeDifference,
    codes_named,
)
from services.catalog.dictionary.tables import Proposal


def proposal_summary(row: Proposal) -> ProposalSummary:
    """A proposal without its changes."""
    return ProposalSummary.model_validate(_members(row))


def _members(row: Proposal) -> dict[str, Any]:
    return {**row.model_dump(exclude={"changes", "based_on"}), "types": [codes_named(each) for each in row.changes]}


async def proposal_view(session: AsyncSession, row: Proposal) -> ProposalView:
    """A proposal with its differences from what was published when it was proposed."""
    bases = {code: base for code, base in row.based_on.items() if base is not None}
    before = await queries.definitions_of(session, versions=[(code, base["version"]) for code, base in bases.items()])
    differences = []
    for change in row.changes:
        code = codes_named(change)
        base = bases.get(code)
        old = before[code, base["version"]] if base is not None else {}
        ending = change.get("deprecate")
        new = old if ending else change["publish"]
        differences.append(
            type_difference(
                old,
                new,
                version_before=base["version"] if base else None,
                version_after=base["version"] if ending and base else None,
                status_before=base["status"] if base else None,
                status_after="DEPRECATED" if ending else "ACTIVE",
                successor=ending["successor"] if ending else None,
            )
        )
    history = await queries.events_of(session, proposal_id=row.id)
    return ProposalView(
        **_members(row),
        changes=row.changes,
        differences=differences,
        history=[ProposalEventView.model_validate(each) for each in history],
    )


def type_difference(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    version_before: int | None,
    version_after: int | None,
    status_before: str | None = "ACTIVE",
    status_after: str = "ACTIVE",
    successor: str | None = None,
) -> TypeDifference:
    """What differs between two definitions of one type; `before` empty: it is new."""
    found = type_differences(before, after, codes_before=_codes(before), codes_after=_codes(after))
    ended = status_after == "DEPRECATED" and status_before != "DEPRECATED"
    return TypeDifference(
        code=after["code"],
        name_zh=after["name_zh"],
        before=version_before,
        after=version_after,
        status_before=status_before,
        status_after=status_after,
        successor=successor,
        breaking=ended or any(each.breaking for each in found),
        differences=[DifferenceView.model_validate(each) for each in found],
    )


def _codes(definition: Mapping[str, Any]) -> Codes:
    if not definition:
        return {}
    return {(each.system, each.edition, each.code): each.relation for each in codes_of(definition)}


async def dictionary_difference(session: AsyncSession, *, before: int, after: int) -> DictionaryDifference:
    """What differs between two versions of the dictionary, type by type."""
    old, new = await queries.state_at(session, version=before), await queries.state_at(session, version=after)
    changed: Sequence[str] = [code for code in sorted(new) if old.get(code) != new[code]]
    wanted = {(state[code].code, state[code].type_version) for state in (old, new) for code in changed if code in state}
    definitions = await queries.definitions_of(session, versions=sorted(wanted))
    types = []
    for code in changed:
        was, now = old.get(code), new[code]
        types.append(
            type_difference(
                definitions[code, was.type_version] if was else {},
                definitions[code, now.type_version],
                version_before=was.type_version if was else None,
                version_after=now.type_version,
                status_before=was.status if was else None,
                status_after=now.status,
                successor=now.successor,
            )
        )
    return DictionaryDifference(before=before, after=after, types=types)
