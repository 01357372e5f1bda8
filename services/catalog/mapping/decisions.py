"""What a second person decides about rows: confirm, reject, split, ask for a new type. All or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.components import queries as component_queries
from services.catalog.components.rules import Fault, TypeDefinition, identity_of, parsed_key, variant_key
from services.catalog.mapping import queries
from services.catalog.mapping.actions import MappingJobStateWrong, found_job
from services.catalog.mapping.rules import (
    ROW_MOVES,
    JobState,
    Part,
    Relation,
    ReviewRefusal,
    RowState,
    contradictions,
    may_decide,
    parts_refused,
)
from services.catalog.mapping.tables import MappingHistory, MappingJob, MappingRow
from shared.errors import Conflict, FieldError, Forbidden
from shared.identity import Principal
from shared.ids import new_id


class OwnImport(Forbidden):
    """Who uploaded a file does not decide about its rows; a second person does."""


class DecisionsRefused(Conflict):
    """At least one of the decisions cannot be taken, so none was; `errors` names each row and rule."""


class Verdict(StrEnum):
    """What may be decided about a row."""

    CONFIRM = "confirm"
    REJECT = "reject"
    SPLIT = "split"
    NEW_TYPE = "new_type"


STATE_OF: Mapping[Verdict, RowState] = {
    Verdict.CONFIRM: RowState.CONFIRMED,
    Verdict.REJECT: RowState.REJECTED,
    Verdict.SPLIT: RowState.SPLIT_REQUESTED,
    Verdict.NEW_TYPE: RowState.NEW_TYPE_REQUESTED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """About one row. A confirmation without parts takes the row's first candidate."""

    row_no: int
    verdict: Verdict
    parts: Sequence[Part] = ()
    condition: str = ""
    note: str | None = None


_ACCEPT_PROPOSED = text(
    """
    WITH wanted AS (
        SELECT row_no, state FROM mapping_rows
        WHERE company_id = :company_id AND job_id = :job_id AND state = ANY (:states) AND NOT several
          AND imported_by <> :by AND candidates -> 0 ->> 'variant_key' IS NOT NULL AND score > 0
          AND (CAST(:least AS numeric) IS NULL OR score >= :least)
          AND (CAST(:type_code AS text) IS NULL OR type_code = :type_code)
          AND (CAST(:sampled AS boolean) IS NULL OR sampled = :sampled)
        ORDER BY row_no FOR UPDATE
    ), done AS (
        UPDATE mapping_rows r SET state = 'CONFIRMED', decided_by = :by, decided_at = :at, note = :note,
            parts = jsonb_build_array(jsonb_build_object(
                'variant_key', r.candidates -> 0 ->> 'variant_key', 'relation', r.relation,
                'condition', '', 'quantity', '1'))
        FROM wanted w WHERE r.company_id = :company_id AND r.job_id = :job_id AND r.row_no = w.row_no
        RETURNING r.row_no, w.state
    )
    INSERT INTO mapping_history (company_id, job_id, row_no, before, after, who, who_name, at, note)
    SELECT :company_id, :job_id, row_no, state, 'CONFIRMED', :who, :who_name, :at, :note FROM done
    """
)


async def _job_in_review(session: AsyncSession, *, company_id: UUID, job_id: UUID, by: Principal) -> MappingJob:
    job = await found_job(session, company_id=company_id, job_id=job_id, lock=True)
    if job.state != JobState.IN_REVIEW:
        raise MappingJobStateWrong(f"The import is {job.state}; its rows are decided about while it is IN_REVIEW.")
    if not may_decide(reviewer=str(by.subject), importer=str(job.uploaded_by)):
        raise OwnImport("You uploaded this file; somebody else decides about its rows.")
    return job


async def decide(
    session: AsyncSession, *, company_id: UUID, job_id: UUID, decisions: Sequence[Decision], by: Principal, at: datetime
) -> list[MappingRow]:
    """Decide about rows.

    Raises:
        MappingJobNotFound, MappingJobStateWrong, OwnImport, DecisionsRefused.
    """
    await _job_in_review(session, company_id=company_id, job_id=job_id, by=by)
    rows = await queries.rows_for_update(
        session, company_id=company_id, job_id=job_id, row_nos=sorted({each.row_no for each in decisions})
    )
    definitions = await component_queries.definitions(session)
    errors: list[FieldError] = []
    for place, decision in enumerate(decisions):
        row = rows.get(decision.row_no)
        refused = ("RowNotFound", "The import has no such row.") if row is None else None
        parts: list[Part] = []
        if row is not None:
            parts, refused = _judged(decision, row, definitions)
        if refused is not None or row is None:
            code, told = refused or ("RowNotFound", "")
            errors.append(FieldError(field=f"decisions.{place}.row_no={decision.row_no}", rule=code, message=told))
            continue
        _take(session, row=row, decision=decision, parts=parts, by=by, at=at)
    if errors:
        raise DecisionsRefused(f"{len(errors)} of {len(decisions)} decisions cannot be taken.", errors=errors)
    return [rows[decision.row_no] for decision in decisions]


def _judged(
    decision: Decision, row: MappingRow, definitions: Mapping[str, TypeDefinition]
) -> tuple[list[Part], tuple[str, str] | None]:
    """The variants in their one spelling, and why the decision is not taken."""
    to = STATE_OF[decision.verdict]
    if (RowState(row.state), to) not in ROW_MOVES and not (row.state == to == RowState.CONFIRMED):
        return [], (ReviewRefusal.NOT_A_LEGAL_MOVE, f"The row is {row.state}; it cannot become {to}.")
    if decision.verdict is not Verdict.CONFIRM:
        return [], None
    parts = list(decision.parts) or _first_candidate(row, decision)
    refusal = parts_refused(parts, split=row.several)
    if refusal is not None:
        return [], (refusal, _TOLD[refusal])
    canonical = []
    for part in parts:
        key, fault = _spelt(part.variant_key, definitions)
        if key is None:
            return [], ("VariantKeyWrong", fault)
        canonical.append(
            Part(variant_key=key, relation=part.relation, condition=part.condition, quantity=part.quantity)
        )
    stop = _stop(row, canonical)
    if stop is not None and not (decision.note or "").strip():
        return [], stop
    return canonical, None


def _first_candidate(row: MappingRow, decision: Decision) -> list[Part]:
    key = row.candidates[0]["variant_key"] if row.candidates else None
    if key is None:
        return []
    return [Part(variant_key=key, relation=Relation(row.relation or Relation.EXACT), condition=decision.condition)]


def _spelt(key: str, definitions: Mapping[str, TypeDefinition]) -> tuple[str | None, str]:
    parsed = parsed_key(key)
    if isinstance(parsed, Fault):
        return None, parsed.detail
    definition = definitions.get(parsed[0])
    if definition is None or definition.deprecated:
        return None, f"{parsed[0]} is no component type, or a withdrawn one."
    values, faults = identity_of(definition, parsed[1], where="key")
    if faults:
        return None, faults[0].detail
    return variant_key(definition.code, values), ""


def _stop(row: MappingRow, parts: Sequence[Part]) -> tuple[str, str] | None:
    """What of the reading stands against the choice; a note with the reason lets it pass."""
    best = row.candidates[0] if row.candidates else None
    if best is None:
        return None
    for part in parts:
        parsed = parsed_key(part.variant_key)
        if isinstance(parsed, Fault) or parsed[0] != best["type_code"]:
            continue
        against = contradictions(best["known"], parsed[1])
        if against and len(parts) == 1:
            read, chosen = best["known"][against[0]], parsed[1][against[0]]
            return "ContradictingAttribute", f"The row says {read}, the variant is {chosen}; confirm with a note."
    if row.score == Decimal(0) and len(parts) == 1 and parts[0].variant_key == best["variant_key"]:
        return "HardStop", "The score is 0 for a reason the candidate names; confirm with a note."
    return None


_TOLD: Mapping[ReviewRefusal, str] = {
    ReviewRefusal.VARIANT_MISSING: "The row has no complete candidate; name the variant.",
    ReviewRefusal.BROADER_NEEDS_ATTRIBUTES: "A broader code needs attributes before it means one variant; split it.",
    ReviewRefusal.CONDITION_MISSING: "A code that means several variants needs a condition for each.",
    ReviewRefusal.CONDITION_TWICE: "Two variants have the same condition.",
    ReviewRefusal.KIT_OF_ONE: "A kit has at least two variants, all of relation kit.",
}


def _take(
    session: AsyncSession, *, row: MappingRow, decision: Decision, parts: Sequence[Part], by: Principal, at: datetime
) -> None:
    before, row.state = row.state, STATE_OF[decision.verdict]
    row.parts = [
        {
            "variant_key": part.variant_key,
            "relation": part.relation.value,
            "condition": part.condition,
            "quantity": part.quantity,
        }
        for part in parts
    ]
    row.relation = parts[0].relation if parts else row.relation
    row.decided_by, row.decided_at, row.note = by.subject, at, decision.note
    session.add(
        MappingHistory(
            company_id=row.company_id,
            id=new_id(),
            job_id=row.job_id,
            row_no=row.row_no,
            before=before,
            after=row.state,
            who=str(by.subject),
            who_name=by.name,
            at=at,
            note=_noted(decision, parts),
        )
    )


def _noted(decision: Decision, parts: Sequence[Part]) -> str | None:
    chosen = [part.variant_key for part in parts]
    told = {"variants": chosen} | ({"note": decision.note} if decision.note else {})
    return orjson.dumps(told).decode() if chosen or decision.note else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Acceptance:
    """Which proposals are confirmed as they are."""

    states: Sequence[RowState] = (RowState.NEEDS_REVIEW,)
    least_score: Decimal | None = None
    type_code: str | None = None
    sampled: bool | None = None
    note: str | None = None


async def accept_proposed(
    session: AsyncSession, *, company_id: UUID, job_id: UUID, acceptance: Acceptance, by: Principal, at: datetime
) -> int:
    """Confirm the first candidate of every row that fits, in one statement; how many.

    Rows without a complete candidate, with a hard stop, or whose code means several things are left alone.

    Raises:
        MappingJobNotFound, MappingJobStateWrong, OwnImport.
    """
    await _job_in_review(session, company_id=company_id, job_id=job_id, by=by)
    values: dict[str, Any] = {
        "company_id": company_id,
        "job_id": job_id,
        "states": [state.value for state in acceptance.states],
        "least": acceptance.least_score,
        "type_code": acceptance.type_code,
        "sampled": acceptance.sampled,
        "by": by.subject,
        "who": str(by.subject),
        "who_name": by.name,
        "at": at,
        "note": acceptance.note,
    }
    await session.flush()
    done = await session.execute(_ACCEPT_PROPOSED, values)
    return int(done.rowcount)  # type: ignore[attr-defined]
