"""The worker's job that turns staged judgements into the group's own evaluations and blacklist entries.

What scores or blacklists refuse stays staged; its row carries the refusal as outcome and remark, and is not tried
again: who wants it on the list says it there, or rolls the import back and sends a corrected file.
"""

from collections import defaultdict
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.blacklists.actions import Named, Wording, put_on_list
from services.suppliers.blacklists.rules import Level, ReasonClass, Terms
from services.suppliers.judgement_imports.actions import Staged, handed_over, to_hand_over
from services.suppliers.judgement_imports.rules import BLACKLIST, EVALUATION, Outcome
from services.suppliers.scores.actions import record_evaluation
from shared.database import Database, transaction
from shared.errors import Refusal, Unprocessable
from shared.importing import store
from shared.importing.columns import RowError
from shared.importing.states import RowState
from shared.importing.store import Import, Verdict

_AT_ONCE = 200
_COLUMN_OF = {"expires_on": "expiry", "starts_on": "date", "supplier_id": "uscc"}
_NO_REASON = "Imported from the group's legacy platform, without a reason."


class EvidenceMissing(Unprocessable):
    """Nobody is put on a list without evidence (T7); list the supplier again and say where the evidence is found."""


async def _evaluation(session: AsyncSession, staged: Staged, *, job: Import, at: datetime) -> dict[str, UUID]:  # noqa: ARG001 - the same for both kinds
    """Told twice under the same key it is the same evaluation. Raises SupplierUnknown."""
    assert staged.dimension is not None  # noqa: S101 - a constraint of the table
    assert staged.score is not None  # noqa: S101 - a constraint of the table
    made = await record_evaluation(
        session,
        group_id=staged.group_id,
        supplier_id=staged.supplier_id,
        category=None,
        dated_on=staged.judged_on,
        dimension=staged.dimension,
        score=staged.score,
        reason=staged.reason or _NO_REASON,
        source_key=f"import:{staged.id}",
        by=None,
        at=at,
    )
    return {"evaluation_id": made.id}


async def _entry(session: AsyncSession, staged: Staged, *, job: Import, at: datetime) -> dict[str, UUID]:
    """For the group alone, listed by the person who approved the import. No class of reason is guessed from its words.

    Raises:
        EvidenceMissing, and what `put_on_list` raises.
    """
    assert staged.level is not None  # noqa: S101 - a constraint of the table
    assert staged.reason is not None  # noqa: S101 - a constraint of the table
    assert staged.expires_on is not None  # noqa: S101 - a constraint of the table
    if not staged.evidence:
        raise EvidenceMissing("Nobody is put on a list without evidence.")
    terms = Terms(level=Level(staged.level.upper()), starts_on=staged.judged_on, expires_on=staged.expires_on)
    made = await put_on_list(
        session,
        owner_id=staged.group_id,
        source=None,
        named=Named(supplier_id=staged.supplier_id),
        wording=Wording(
            terms=terms,
            reason_class=ReasonClass.OTHER,
            reason=staged.reason,
            evidence=staged.evidence,
            evidence_sha256=None,
        ),
        by=job.approver,
        at=at,
        detail={"import_id": str(staged.import_id), "row_no": staged.row_no},
    )
    return {"entry_id": made.id}


Taking = Callable[..., Coroutine[Any, Any, dict[str, UUID]]]
_TAKING: dict[str, tuple[str, Taking]] = {"evaluation": (EVALUATION, _evaluation), "blacklist": (BLACKLIST, _entry)}


async def hand_over(database: Database, *, at: datetime) -> int:
    """Take over every staged judgement that nobody tried yet; how many were taken."""
    total = 0
    for kind in _TAKING:
        while True:
            async with transaction(database.system) as session:
                tried, taken = await _some(session, kind=kind, at=at)
            total += taken
            if tried < _AT_ONCE:
                break
    return total


async def _some(session: AsyncSession, *, kind: str, at: datetime) -> tuple[int, int]:
    staged = await to_hand_over(session, kind=kind, limit=_AT_ONCE)
    by_import: dict[tuple[UUID, UUID], list[Staged]] = defaultdict(list)
    for each in staged:
        by_import[each.company_id, each.import_id].append(each)
    taken: list[UUID] = []
    for (company_id, import_id), judgements in by_import.items():
        job = await store.found(session, company_id=company_id, import_id=import_id, kind=_TAKING[kind][0])
        verdicts = []
        for each in judgements:
            verdict = await _one(session, each, job=job, take=_TAKING[kind][1], at=at)
            verdicts.append(verdict)
            if verdict.outcome == Outcome.TAKEN_OVER:
                taken.append(each.id)
        await store.write_verdicts(session, job=job, verdicts=verdicts)
    await handed_over(session, ids=taken, at=at)
    return len(staged), len(taken)


async def _one(session: AsyncSession, staged: Staged, *, job: Import, take: Taking, at: datetime) -> Verdict:
    """A refusal is raised before anything of the judgement is written."""
    result: dict[str, Any] = {"supplier_id": str(staged.supplier_id)}
    try:
        made = await take(session, staged, job=job, at=at)
    except Refusal as refusal:
        remark = _remark(refusal)
        return Verdict(row_no=staged.row_no, state=RowState.READY, outcome=remark.code, result=result, remarks=[remark])
    result |= {name: str(value) for name, value in made.items()}
    return Verdict(row_no=staged.row_no, state=RowState.READY, outcome=Outcome.TAKEN_OVER, result=result)


def _remark(refusal: Refusal) -> RowError:
    """The refusal under the rule that was broken, at the column that broke it, as far as it names them."""
    first = next(iter(refusal.errors), None)
    code = refusal.code if first is None else first.rule
    column = "uscc" if first is None else _COLUMN_OF.get(first.field, first.field)
    column = "evidence" if isinstance(refusal, EvidenceMissing) else column
    return RowError(column=column, code=code, text=refusal.detail, severity="warning")
