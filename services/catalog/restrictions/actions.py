"""Keeping the restricted and banned list: adding entries, correcting their end and wording."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.catalog.components.queries import definitions
from services.catalog.components.rules import TypeDefinition, identity_of
from services.catalog.restrictions import queries, rules
from services.catalog.restrictions.rules import Restriction, RestrictionFault
from services.catalog.restrictions.tables import RestrictionEntry
from services.catalog.standards.record import record
from shared.contracts.standards import REGISTER_ROWS_AT_MOST, RESTRICTION_CHANGED, RestrictionsChanged
from shared.errors import Conflict, FieldError, NotFound, Unprocessable
from shared.feed import publish
from shared.http import check_version
from shared.identity import Principal
from shared.ids import new_id


class RestrictionNotFound(NotFound):
    """The list has no such entry."""


class RestrictionExists(Conflict):
    """The list has this entry already; change that one."""


class RestrictionContradicts(Unprocessable):
    """The entry names no type or value of the catalog, or does not go together; `errors` says where."""


def judged(entry: Restriction, *, definition: TypeDefinition | None) -> tuple[Restriction, Sequence[RestrictionFault]]:
    """The entry with its values in their one spelling and its regions in order, and everything wrong with it."""
    if definition is None:
        return entry, [RestrictionFault("type_code", "UnknownType", f"There is no component type {entry.type_code}.")]
    values, wrong = identity_of(definition, entry.properties, partial=True)
    found = [RestrictionFault(each.field, each.code, each.detail) for each in wrong]
    canonical = replace(entry, properties=values, regions=sorted(entry.regions))
    return canonical, [*found, *rules.faults(canonical)]


async def add_restriction(
    session: AsyncSession, *, entry: Restriction, reason: str, by: Principal, at: datetime
) -> RestrictionEntry:
    """Add an entry to the list.

    Raises:
        RestrictionContradicts, RestrictionExists.
    """
    known = await definitions(session, codes=[entry.type_code])
    canonical, faults = judged(entry, definition=known.get(entry.type_code))
    if faults:
        errors = [FieldError(field=each.field, rule=each.rule, message=each.message) for each in faults]
        raise RestrictionContradicts(" ".join(each.message for each in faults), errors=errors)
    row = _row(canonical, at=at)
    made = await session.execute(
        insert(RestrictionEntry).values(row.model_dump()).on_conflict_do_nothing().returning(col(RestrictionEntry.id))
    )
    if made.one_or_none() is None:
        raise RestrictionExists("The list has this entry already; change that one.")
    await _tell(session, [row], decision="added", reason=reason, by=by, at=at)
    return row


async def change_restriction(
    session: AsyncSession,
    *,
    restriction_id: UUID,
    until_on: date | None,
    wording: str,
    expected_version: int,
    reason: str,
    by: Principal,
    at: datetime,
) -> RestrictionEntry:
    """Correct an entry's last day and wording. What it is about does not change: that is another entry.

    Raises:
        RestrictionNotFound, VersionChanged, RestrictionContradicts.
    """
    row = await queries.restriction_for_update(session, restriction_id=restriction_id)
    if row is None:
        raise RestrictionNotFound(f"The list has no entry {restriction_id}.")
    check_version(expected=expected_version, actual=row.version)
    if faults := rules.faults(replace(row.as_rule, until_on=until_on)):
        errors = [FieldError(field=each.field, rule=each.rule, message=each.message) for each in faults]
        raise RestrictionContradicts(faults[0].message, errors=errors)
    _overwrite(row, until_on=until_on, wording=wording, at=at)
    await session.flush()
    await _tell(session, [row], decision="changed", reason=reason, by=by, at=at)
    return row


async def apply_restrictions(
    session: AsyncSession,
    *,
    entries: Mapping[str, Restriction],
    present: Mapping[str, RestrictionEntry],
    reason: str,
    by: Principal,
    at: datetime,
) -> None:
    """Write entries that were judged, new and changed, by content key, as an import does."""
    rows = []
    for key, entry in entries.items():
        row = present.get(key)
        if row is None:
            row = _row(entry, at=at)
            session.add(row)
        else:
            _overwrite(row, until_on=entry.until_on, wording=entry.text, at=at)
        rows.append(row)
    await session.flush()
    await _tell(session, rows, decision="imported", reason=reason, by=by, at=at)


def _row(entry: Restriction, *, at: datetime) -> RestrictionEntry:
    content = {**asdict(entry), "properties": dict(entry.properties), "regions": list(entry.regions)}
    return RestrictionEntry(id=new_id(), content_key=rules.content_key(entry), updated_at=at, **content)


def _overwrite(row: RestrictionEntry, *, until_on: date | None, wording: str, at: datetime) -> None:
    row.until_on = until_on
    row.text = wording
    row.version += 1
    row.updated_at = at


async def _tell(
    session: AsyncSession,
    rows: Sequence[RestrictionEntry],
    *,
    decision: str,
    reason: str,
    by: Principal,
    at: datetime,
) -> None:
    states = [row.state for row in rows]
    await record(
        session,
        register="restriction",
        entries={str(state.id): state.model_dump(mode="json") for state in states},
        decision=decision,
        reason=reason,
        by=by,
        at=at,
    )
    for start in range(0, len(states), REGISTER_ROWS_AT_MOST):
        part = states[start : start + REGISTER_ROWS_AT_MOST]
        data = RestrictionsChanged(restrictions=part)
        await publish(session, type=RESTRICTION_CHANGED, subject=str(part[0].id), data=data, at=at)
