"""Codes come and go: added by the dictionary or an operator, retired, never deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.classification import queries
from services.catalog.classification.rules import CodeFault, CodeRow, CodeSystem, Origin, TypeCode, fault_told
from services.catalog.classification.tables import ClassificationCode, CodeEvent, System
from shared.errors import Conflict, FieldError, NotFound, Unprocessable
from shared.identity import Principal
from shared.ids import new_id

SEED = "taxonomy"
"""Who adds the codes of what we ship."""


class CodeSystemExists(Conflict):
    """There is a code system with this code already."""


class PatternMalformed(Unprocessable):
    """The pattern is no regular expression the database reads, or refers back to its own groups."""


class CodeRefused(Unprocessable):
    """The code cannot be added: unknown system or type, a deprecated type, or not of the system's shape."""


class CodeNotFound(NotFound):
    """The type has no such code in use."""


class CodeOfTheDictionary(Conflict):
    """The type's published definition names this code; propose a new version of the type instead."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """What adding codes changed."""

    added: int
    changed: int
    unchanged: int


_RECORD = "g (place integer, system text, edition text, code text, type_code text, relation text)"

_JUDGE = text(
    f"""
    SELECT g.place, s.code AS system, s.pattern, CASE
        WHEN s.code IS NULL THEN 'UnknownCodeSystem'
        WHEN s.code = '{CodeSystem.OWN}' THEN 'OwnCodesAreFixed'
        WHEN g.code !~ s.pattern THEN 'CodeMalformed'
        WHEN t.code IS NULL THEN 'UnknownType'
        WHEN t.status <> 'ACTIVE' THEN 'TypeDeprecated'
    END AS problem
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS {_RECORD}
    LEFT JOIN code_systems s ON lower(s.code) = lower(g.system)
    LEFT JOIN component_types t ON t.code = upper(g.type_code)
    ORDER BY g.place
    """
)

_WRITE = text(
    f"""
    WITH written AS (
        INSERT INTO classification_codes AS c (
            system, edition, code, type_code, relation, origin, added_by, added_by_name, added_at
        )
        SELECT system, edition, code, type_code, relation, :origin, :by_id, :by_name, :at
        FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS {_RECORD}
        ORDER BY system, edition, lower(code), type_code
        ON CONFLICT (system, edition, lower(code), type_code) DO UPDATE SET
            relation = excluded.relation, origin = excluded.origin, added_by = excluded.added_by,
            added_by_name = excluded.added_by_name, added_at = excluded.added_at, retired_at = NULL
        WHERE c.retired_at IS NOT NULL
            OR (excluded.origin = 'DICTIONARY' AND (c.origin, c.relation) <> (excluded.origin, excluded.relation))
            OR (c.origin = 'OPERATOR' AND c.relation <> excluded.relation)
        RETURNING c.system, c.edition, c.code, c.type_code, c.relation, (xmax = 0) AS is_new
    ),
    told AS (
        INSERT INTO classification_code_events
            (id, system, edition, code, type_code, action, relation, by_id, by_name, at)
        SELECT uuidv7(), system, edition, code, type_code, CASE WHEN is_new THEN 'ADDED' ELSE 'CHANGED' END,
            relation, :by_id, :by_name, :at
        FROM written
    )
    SELECT count(*) FILTER (WHERE is_new) AS added, count(*) FILTER (WHERE NOT is_new) AS changed FROM written
    """
)

_RETIRE_UNNAMED = text(
    f"""
    WITH retired AS (
        UPDATE classification_codes c SET retired_at = :at
        WHERE c.type_code = ANY (:type_codes) AND c.origin = 'DICTIONARY' AND c.retired_at IS NULL
            AND NOT EXISTS (
                SELECT FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS {_RECORD}
                WHERE g.system = c.system AND g.edition = c.edition AND lower(g.code) = lower(c.code)
                    AND g.type_code = c.type_code
            )
        RETURNING c.system, c.edition, c.code, c.type_code, c.relation
    )
    INSERT INTO classification_code_events
        (id, system, edition, code, type_code, action, relation, by_id, by_name, reason, at)
    SELECT uuidv7(), system, edition, code, type_code, 'RETIRED', relation, :by_id, :by_name,
        'no longer named by the type', :at
    FROM retired
    """
)


def _packed(rows: Sequence[CodeRow]) -> str:
    return orjson.dumps([{"place": place, **asdict(row)} for place, row in enumerate(rows)]).decode()


async def judged(session: AsyncSession, *, rows: Sequence[CodeRow]) -> list[CodeRow | CodeFault]:
    """Each row with its system as we write it, or what the catalog has against it."""
    found = await session.execute(_JUDGE, {"rows": _packed(rows)})
    return [
        fault_told(each.problem, rows[each.place], pattern=each.pattern)
        if each.problem is not None
        else CodeRow(
            **{**asdict(rows[each.place]), "system": each.system, "type_code": rows[each.place].type_code.upper()}
        )
        for each in found
    ]


async def write_codes(
    session: AsyncSession, *, rows: Sequence[CodeRow], origin: Origin, by: Principal | None, at: datetime
) -> Counted:
    """Add judged codes, no two of them the same; those that are there as asked stay untouched."""
    if not rows:
        return Counted(added=0, changed=0, unchanged=0)
    binds = {"rows": _packed(rows), "origin": origin, "at": at, **_author(by)}
    done = (await session.execute(_WRITE, binds)).one()
    return Counted(added=done.added, changed=done.changed, unchanged=len(rows) - done.added - done.changed)


def _author(by: Principal | None) -> dict[str, UUID | str | None]:
    return {"by_id": None, "by_name": SEED} if by is None else {"by_id": by.subject, "by_name": by.name}


async def keep_codes_of_types(
    session: AsyncSession, *, codes: Mapping[str, Sequence[TypeCode]], by: Principal | None, at: datetime
) -> None:
    """The codes that the definitions of these types name, by type; what they name no more is retired."""
    rows = [
        CodeRow(system=each.system, edition=each.edition, code=each.code, type_code=type_code, relation=each.relation)
        for type_code, named in codes.items()
        for each in named
    ]
    binds = {"rows": _packed(rows), "type_codes": list(codes), "at": at, **_author(by)}
    await session.execute(_RETIRE_UNNAMED, binds)
    unique = list({row.key: row for row in reversed(rows)}.values())
    await write_codes(session, rows=unique, origin=Origin.DICTIONARY, by=by, at=at)


async def add_code(session: AsyncSession, *, row: CodeRow, by: Principal, at: datetime) -> ClassificationCode:
    """Add one code, or take it up again.

    Raises:
        CodeRefused: with the field and the rule.
    """
    (result,) = await judged(session, rows=[row])
    if isinstance(result, CodeFault):
        error = FieldError(field=result.field, rule=result.code, message=result.message)
        raise CodeRefused(result.message, errors=[error])
    await write_codes(session, rows=[result], origin=Origin.OPERATOR, by=by, at=at)
    found = await queries.code_for_update(
        session, system=result.system, edition=result.edition, code=result.code, type_code=result.type_code
    )
    assert found is not None  # noqa: S101 - it was written in this transaction
    return found


async def retire_code(
    session: AsyncSession,
    *,
    system: str,
    edition: str,
    code: str,
    type_code: str,
    reason: str,
    by: Principal,
    at: datetime,
) -> ClassificationCode:
    """Let a code find its type no longer. It stays on record.

    Raises:
        CodeNotFound, CodeOfTheDictionary.
    """
    found = await queries.code_for_update(session, system=system, edition=edition, code=code, type_code=type_code)
    if found is None:
        raise CodeNotFound(f"{type_code[:60]} has no code {code[:60]!r} of {system[:60]} {edition[:40]} in use.")
    if found.origin == Origin.DICTIONARY:
        raise CodeOfTheDictionary(f"The published definition of {found.type_code} names {found.code}.")
    found.retired_at = at
    session.add(
        CodeEvent(
            id=new_id(),
            system=found.system,
            edition=found.edition,
            code=found.code,
            type_code=found.type_code,
            action="RETIRED",
            relation=found.relation,
            by_id=by.subject,
            by_name=by.name,
            reason=reason,
            at=at,
        )
    )
    await session.flush()
    return found


async def add_system(session: AsyncSession, *, new: System) -> System:
    """Open a code system.

    Raises:
        CodeSystemExists, PatternMalformed.
    """
    if await queries.system_named(session, code=new.code) is not None:
        raise CodeSystemExists(f"There is a code system {new.code!r} already.")
    await _check_pattern(session, new.pattern)
    session.add(new)
    await session.flush()
    return new


async def _check_pattern(session: AsyncSession, pattern: str | None) -> None:
    """Back references are what makes matching slow without bound; codes need none."""
    error = FieldError(field="pattern", rule="PatternMalformed", message="see detail")
    if pattern is None:
        return
    if any(f"\\{digit}" in pattern for digit in "123456789") or "(?" in pattern:
        raise PatternMalformed("A pattern takes no back references and no (?…) groups.", errors=[error])
    try:
        async with session.begin_nested():
            await session.execute(text("SELECT '' ~ :pattern"), {"pattern": pattern})
    except DBAPIError as problem:
        raise PatternMalformed(f"{pattern[:60]!r} is no regular expression.", errors=[error]) from problem
