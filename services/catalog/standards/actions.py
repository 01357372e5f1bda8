"""Keeping the register of standards: registering editions, changing what is said of them, withdrawing them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.catalog.standards import queries, rules
from services.catalog.standards.record import record, who_withdrew
from services.catalog.standards.rules import Edition
from services.catalog.standards.tables import StandardEdition
from shared.clock import business_date
from shared.contracts.standards import REGISTER_ROWS_AT_MOST, STANDARD_CHANGED, StandardsChanged
from shared.designations import edition_key, parted
from shared.errors import Conflict, FieldError, Forbidden, NotFound, Unprocessable
from shared.feed import publish
from shared.http import check_version
from shared.identity import Principal

KEY_AT_MOST = 120


class EditionNotFound(NotFound):
    """The register has no such edition."""


class EditionExists(Conflict):
    """The edition is registered already; change that entry."""


class EditionContradicts(Unprocessable):
    """What is said of the edition does not go together; `errors` says where."""


class EditionIsAnother(Unprocessable):
    """Number and edition are what an entry is; another edition is another entry."""


class SecondPersonReopens(Forbidden):
    """A withdrawal that counts already is taken back or put off by another operator than who recorded it."""


def checked(edition: Edition) -> Edition:
    """The edition, if it can be true.

    Raises:
        EditionContradicts.
    """
    found = rules.faults(edition)
    for name, text in (("number", edition.designation), ("replaced_by", edition.replaced_by or "")):
        if len(edition_key(text)) > KEY_AT_MOST:
            found.append(rules.EditionFault(name, "TooLong", f"{name} is longer than {KEY_AT_MOST} characters."))
    if found:
        errors = [FieldError(field=each.field, rule=each.rule, message=each.message) for each in found]
        raise EditionContradicts(" ".join(each.message for each in found), errors=errors)
    return edition


async def register_edition(
    session: AsyncSession, *, edition: Edition, reason: str, by: Principal, at: datetime
) -> StandardEdition:
    """Add an edition.

    Raises:
        EditionContradicts, EditionExists.
    """
    row = _row(checked(edition), at=at)
    made = await session.execute(
        insert(StandardEdition).values(row.model_dump()).on_conflict_do_nothing().returning(col(StandardEdition.key))
    )
    if made.one_or_none() is None:
        raise EditionExists(f"{row.designation} is registered already; change that entry.")
    await _tell(session, [row], decision="registered", reason=reason, by=by, at=at)
    return row


async def change_edition(
    session: AsyncSession,
    *,
    key: str,
    edition: Edition,
    expected_version: int,
    reason: str,
    by: Principal,
    at: datetime,
) -> StandardEdition:
    """Say anew all that the register says of an edition.

    Raises:
        EditionNotFound, VersionChanged, EditionIsAnother, EditionContradicts, SecondPersonReopens.
    """
    row = await _locked(session, key, expected_version)
    if edition_key(edition.designation) != row.key:
        raise EditionIsAnother(f"This entry is {row.designation}; register {edition.designation} as its own.")
    return await _changed(session, row, checked(edition), decision="changed", reason=reason, by=by, at=at)


async def withdraw_edition(
    session: AsyncSession,
    *,
    key: str,
    withdrawn_on: date,
    replaced_by: str | None,
    source: str,
    expected_version: int,
    reason: str,
    by: Principal,
    at: datetime,
) -> StandardEdition:
    """Set the day from which an edition is no longer in force, with the document that says so.

    Raises:
        EditionNotFound, VersionChanged, EditionContradicts, SecondPersonReopens.
    """
    row = await _locked(session, key, expected_version)
    edition = replace(
        row.as_rule, withdrawn_on=withdrawn_on, replaced_by=replaced_by or row.replaced_by, source=source or row.source
    )
    return await _changed(session, row, checked(edition), decision="withdrawn", reason=reason, by=by, at=at)


async def keep_named_editions(
    session: AsyncSession, *, designations: Mapping[str, tuple[str, str]], source: str, at: datetime
) -> None:
    """Register the editions that a published dictionary names and nobody registered; what is known stays.

    `designations`: title and edition check by designation. One without a year names no edition and is left out.
    """
    rows = []
    for designation, (title, check) in sorted(designations.items()):
        number, year = parted(designation)
        if year:
            edition = Edition(
                number=number,
                edition=year,
                title=title,
                kind=rules.kind_of(number),
                published_on=None,
                effective_on=None,
                withdrawn_on=None,
                replaced_by=None,
                source=source,
                edition_check=check if check in rules.CHECKS else "verify",
            )
            rows.append(_row(edition, at=at))
    if not rows:
        return
    made = await session.execute(
        insert(StandardEdition)
        .values([row.model_dump() for row in rows])
        .on_conflict_do_nothing()
        .returning(col(StandardEdition.key))
    )
    new = set(made.scalars())
    told = [row for row in rows if row.key in new]
    await _tell(session, told, decision="registered", reason="named by the dictionary", by=None, at=at)


async def apply_editions(
    session: AsyncSession, *, editions: Sequence[Edition], reason: str, by: Principal, at: datetime
) -> None:
    """Write editions that were checked, new and changed, as an import does after comparing them."""
    present = await queries.editions_for_update(session, keys=[edition_key(each.designation) for each in editions])
    rows = []
    for edition in editions:
        row = present.get(edition_key(edition.designation))
        if row is None:
            row = _row(edition, at=at)
            session.add(row)
        else:
            _overwrite(row, edition, at=at)
        rows.append(row)
    await session.flush()
    await _tell(session, rows, decision="imported", reason=reason, by=by, at=at)


async def _locked(session: AsyncSession, key: str, expected_version: int) -> StandardEdition:
    row = (await queries.editions_for_update(session, keys=[key])).get(key)
    if row is None:
        raise EditionNotFound(f"The register has no edition {key[:100]}.")
    check_version(expected=expected_version, actual=row.version)
    return row


def _by_another(row: StandardEdition, withdrawn_by: Mapping[str, str | None], *, by: Principal) -> None:
    """Orders were refused for it: one person does not both close and open."""
    if withdrawn_by.get(row.key) == str(by.subject):
        detail = (
            f"{row.designation} is withdrawn already, by your word; another operator takes that back or puts it off."
        )
        error = FieldError(field="withdrawn_on", rule="SecondPersonReopens", message=f"is {row.withdrawn_on}")
        raise SecondPersonReopens(detail, errors=[error])


async def _changed(
    session: AsyncSession,
    row: StandardEdition,
    edition: Edition,
    *,
    decision: str,
    reason: str,
    by: Principal,
    at: datetime,
) -> StandardEdition:
    if rules.reopens(row.as_rule, edition, on=business_date(at)):
        _by_another(row, await who_withdrew(session, keys=[row.key]), by=by)
    _overwrite(row, edition, at=at)
    await session.flush()
    await _tell(session, [row], decision=decision, reason=reason, by=by, at=at)
    return row


def _columns(edition: Edition) -> dict[str, Any]:
    return {
        **asdict(edition),
        "number_key": edition_key(edition.number),
        "designation": edition.designation,
        "replaced_by_key": None if edition.replaced_by is None else edition_key(edition.replaced_by),
    }


def _row(edition: Edition, *, at: datetime) -> StandardEdition:
    return StandardEdition(key=edition_key(edition.designation), updated_at=at, **_columns(edition))


def _overwrite(row: StandardEdition, edition: Edition, *, at: datetime) -> None:
    for column, value in _columns(edition).items():
        setattr(row, column, value)
    row.version += 1
    row.updated_at = at


async def _tell(
    session: AsyncSession,
    rows: Sequence[StandardEdition],
    *,
    decision: str,
    reason: str,
    by: Principal | None,
    at: datetime,
) -> None:
    """Add to the history, and tell the services that keep a copy."""
    states = [row.state for row in rows]
    await record(
        session,
        register="standard",
        entries={state.key: state.model_dump(mode="json") for state in states},
        decision=decision,
        reason=reason,
        by=by,
        at=at,
    )
    for start in range(0, len(states), REGISTER_ROWS_AT_MOST):
        part = states[start : start + REGISTER_ROWS_AT_MOST]
        await publish(session, type=STANDARD_CHANGED, subject=part[0].key, data=StandardsChanged(standards=part), at=at)
