"""What people do with an import: send a dry run on, decide about rows, approve, give up. Two people always."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.errors import Conflict, FieldError
from shared.identity import Principal
from shared.importing import listing, store
from shared.importing.states import JobState, RowState
from shared.importing.store import Import, ImportStateWrong, OwnImport


class RowsStillOpen(Conflict):
    """Rows still wait for a person; decide about them, or leave them out with `leave_open`."""


class DecisionsRefused(Conflict):
    """At least one of the decisions cannot be taken, so none was; `errors` names each row and rule."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """About one row that waits: take it, as the named choice of its result or the first one, or decline it."""

    row_no: int
    accept: bool
    choice: str | None = None
    note: str | None = None


async def begin(
    session: AsyncSession, *, company_id: UUID, import_id: UUID, kind: str, by: Principal, at: datetime
) -> Import:
    """Send a dry run on to the reviewers. Raises ImportNotFound, ImportStateWrong."""
    job = await store.found(session, company_id=company_id, import_id=import_id, kind=kind, lock=True)
    await store.move(session, job=job, to=JobState.IN_REVIEW, by=by, at=at, dry_run=False)
    return await store.found(session, company_id=company_id, import_id=import_id, kind=kind)


async def cancel(
    session: AsyncSession,
    *,
    company_id: UUID,
    import_id: UUID,
    kind: str,
    by: Principal,
    note: str | None,
    at: datetime,
) -> Import:
    """Give an import up; nothing of it was ever visible. Raises ImportNotFound, ImportStateWrong."""
    job = await store.found(session, company_id=company_id, import_id=import_id, kind=kind, lock=True)
    await store.move(session, job=job, to=JobState.CANCELLED, by=by, at=at, note=note, lease_id=None, lease_until=None)
    return await store.found(session, company_id=company_id, import_id=import_id, kind=kind)


async def _in_review(session: AsyncSession, *, company_id: UUID, import_id: UUID, kind: str, by: Principal) -> Import:
    job = await store.found(session, company_id=company_id, import_id=import_id, kind=kind, lock=True)
    if job.state is not JobState.IN_REVIEW:
        raise ImportStateWrong(f"The import is {job.state}; people decide about it while it is IN_REVIEW.")
    if by.subject == job.uploaded_by:
        raise OwnImport("You uploaded this file; somebody else decides about it.")
    return job


async def decide(
    session: AsyncSession,
    *,
    company_id: UUID,
    import_id: UUID,
    kind: str,
    decisions: Sequence[Decision],
    by: Principal,
    at: datetime,
) -> int:
    """Decide about rows that wait (or were decided before); how many.

    Raises:
        ImportNotFound, ImportStateWrong, OwnImport, DecisionsRefused.
    """
    job = await _in_review(session, company_id=company_id, import_id=import_id, kind=kind, by=by)
    open_ = {
        row.row_no: row
        for row in await store.rows_of(session, job=job)
        if row.state is RowState.WAITING or row.choice is not None or row.state is RowState.DECLINED
    }
    errors = []
    for place, each in enumerate(decisions):
        row = open_.get(each.row_no)
        choices = row.result.get("choices", []) if row is not None else []
        if row is None:
            told = "This row does not wait for a decision."
            errors.append(FieldError(field=f"decisions.{place}.row_no", rule="RowNotOpen", message=told))
        elif each.accept and (each.choice or (choices[0] if choices else "")) not in choices:
            told = f"Choose one of: {', '.join(choices)}."
            errors.append(FieldError(field=f"decisions.{place}.choice", rule="ChoiceUnknown", message=told))
    if errors:
        raise DecisionsRefused(f"{len(errors)} of {len(decisions)} decisions cannot be taken.", errors=errors)
    for each in decisions:
        row = open_[each.row_no]
        after = RowState.READY if each.accept else RowState.DECLINED
        choice = (each.choice or row.result["choices"][0]) if each.accept else None
        await session.execute(
            text(
                "UPDATE legacy_import_rows SET state = :state, choice = :choice, decided_by = :by, decided_at = :at, "
                "note = :note WHERE company_id = :company_id AND import_id = :import_id AND row_no = :row_no"
            ),
            {
                **store.ids_of(job),
                "row_no": each.row_no,
                "state": after,
                "choice": choice,
                "by": by.subject,
                "at": at,
                "note": each.note,
            },
        )
        await store.keep(
            session, job=job, before=row.state, after=after, by=by, at=at, note=each.note or choice, row_no=each.row_no
        )
    return len(decisions)


async def approve(
    session: AsyncSession,
    *,
    company_id: UUID,
    import_id: UUID,
    kind: str,
    leave_open: bool,
    by: Principal,
    at: datetime,
) -> Import:
    """Approve an import; the worker publishes it.

    Raises:
        ImportNotFound, ImportStateWrong, OwnImport, RowsStillOpen.
    """
    job = await _in_review(session, company_id=company_id, import_id=import_id, kind=kind, by=by)
    waiting = sum((await listing.counts(session, job=job)).get(RowState.WAITING, {}).values())
    if waiting and not leave_open:
        raise RowsStillOpen(f"{waiting} rows wait for a person; decide, or approve with leave_open.")
    await store.move(
        session,
        job=job,
        to=JobState.APPROVED,
        by=by,
        at=at,
        note=f"{waiting} rows left open" if waiting else None,
        approved_by=by.subject,
        approved_name=by.name,
        approved_at=at,
        attempts=0,
        lease_id=None,
        lease_until=None,
    )
    return await store.found(session, company_id=company_id, import_id=import_id, kind=kind)
