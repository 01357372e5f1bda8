"""Taking facts in, computing scores from them, appeals against an input, and what people write beside them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.suppliers.onboarding.queries import supplier_exists
from services.suppliers.scores import queries, rules, visibility
from services.suppliers.scores.rules import AppealStatus
from services.suppliers.scores.tables import (
    ComputedScore,
    Evaluation,
    EvaluationReply,
    ScoreAppeal,
    ScoreDue,
    ScoreInput,
    ScoreNotice,
)
from shared.clock import business_date
from shared.contracts.assessments import AssessedLine, OrderAssessed
from shared.errors import Conflict, Forbidden, NotFound
from shared.history import GENESIS, chain_hash
from shared.identity import Principal
from shared.ids import new_id


class InputNotFound(NotFound):
    """There is no such input of a score, or it is neither about your company nor of your group."""


class AppealPending(Conflict):
    """Your appeal against this input waits for its answer already."""


class InputExcluded(Conflict):
    """The input counts no more; there is nothing to appeal against."""


class ScoreAppealNotFound(NotFound):
    """There is no such appeal to your group."""


class AppealAnswered(Conflict):
    """The appeal was answered already."""


class FiledItYourself(Forbidden):
    """Who filed an appeal for the supplier does not answer it for the contractor."""


class EvaluationNotFound(NotFound):
    """There is no such evaluation of the caller's company."""


class AlreadyReplied(Conflict):
    """The company has replied to this evaluation already."""


class SupplierUnknown(NotFound):
    """No supplier has this id."""


async def orders_assessed(session: AsyncSession, *, assessed: Sequence[OrderAssessed], at: datetime) -> None:
    """Keep the newest version of each order, one input a category; its scores are due."""
    known = await queries.categories_of(
        session, variant_keys=sorted({line.variant_key for order in assessed for line in order.lines})
    )
    for order in assessed:
        by_category: dict[str, list[AssessedLine]] = defaultdict(list)
        for line in order.lines:
            by_category[known[line.variant_key]].append(line)
        for category, lines in by_category.items():
            await _keep(session, order, category, lines, at)


async def _keep(
    session: AsyncSession, order: OrderAssessed, category: str, lines: Sequence[AssessedLine], at: datetime
) -> None:
    key: dict[str, Any] = {
        "group_id": order.buyer_group_id,
        "supplier_id": order.supplier_id,
        "category": category,
    }
    says = {
        "answered_at": order.answered_at,
        "weight_class": order.weight_class,
        "lines": [
            {
                "line_no": line.line_no,
                "outcome": line.outcome,
                "in_full": line.in_full,
                "on_time": line.promised_by <= line.need_by,
            }
            for line in lines
        ],
        "order_version": order.version,
        "assessed_at": at,
    }
    await session.execute(
        insert(ScoreInput)
        .values(
            **key,
            **says,
            order_id=order.order_id,
            buyer_id=order.buyer_id,
            order_number=order.number,
            placed_at=order.placed_at,
            placed_on=business_date(order.placed_at),
        )
        .on_conflict_do_update(
            index_elements=["group_id", "supplier_id", "category", "order_id"],
            set_=says,
            where=col(ScoreInput.order_version) < order.version,
        )
    )
    await _due(session, **key, on=business_date(at))


async def _due(session: AsyncSession, *, group_id: UUID, supplier_id: UUID, category: str, on: date) -> None:
    await session.execute(
        insert(ScoreDue)
        .values(group_id=group_id, supplier_id=supplier_id, category=category, due_on=on)
        .on_conflict_do_nothing()
    )


_TAKE_DUE = text(
    """
    DELETE FROM score_due WHERE ctid IN (
        SELECT ctid FROM score_due WHERE due_on <= :today ORDER BY due_on LIMIT :limit FOR UPDATE SKIP LOCKED
    ) RETURNING group_id, supplier_id, category
    """
)


async def compute_due(session: AsyncSession, *, at: datetime, limit: int) -> int:
    """Compute what is due, at most `limit`; how many. What becomes due meanwhile waits for the next turn."""
    due = (await session.execute(_TAKE_DUE, {"today": business_date(at), "limit": limit})).all()
    for group_id, supplier_id, category in sorted({(row.group_id, row.supplier_id, row.category) for row in due}):
        await compute(session, group_id=group_id, supplier_id=supplier_id, category=category, at=at)
    return len(due)


async def compute(
    session: AsyncSession, *, group_id: UUID, supplier_id: UUID, category: str, at: datetime
) -> ComputedScore:
    """The score of today; the newest one again when nothing that counts has changed."""
    key: dict[str, Any] = {"group_id": group_id, "supplier_id": supplier_id, "category": category}
    await _one_at_a_time(session, "compute", group_id, supplier_id, category)
    today = business_date(at)
    window_from = rules.a_year_before(today)
    found = await queries.inputs(session, **key, window_from=window_from, window_to=today)
    counted = [each for each in found if each.excluded_at is None]
    digest = _digest(counted)
    before = next(iter(await queries.latest(session, **key)), None)
    if counted:
        oldest = min(each.placed_on for each in counted)
        await _due(session, **key, on=rules.leaves_on(oldest))
    if before is not None and bytes(before.inputs_hash) == digest and before.formula == rules.FORMULA:
        return before
    result = rules.score(each.fact for each in counted)
    dimensions = {str(name): None if points is None else str(points) for name, points in result.dimensions.items()}
    made = ComputedScore(
        **key,
        number=1 if before is None else before.number + 1,
        formula=rules.FORMULA,
        window_from=window_from,
        window_to=today,
        orders=result.orders,
        status=result.status,
        overall=result.overall,
        dimensions=dimensions,
        inputs_hash=digest,
        computed_at=at,
    )
    session.add(made)
    await session.flush()
    reach = await visibility.reach_of(session, group_id=group_id, category=category)
    said = {
        "dimensions": dimensions,
        "computed_on": today,
        "audience_keys": reach.keys,
        "pooled": reach.pooled,
    }
    await session.execute(
        insert(ScoreNotice)
        .values(**key, **said)
        .on_conflict_do_update(index_elements=["group_id", "supplier_id", "category"], set_=said)
    )
    return made


async def _one_at_a_time(session: AsyncSession, *what: object) -> None:
    name = "score/" + "/".join(str(part) for part in what)
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


def _digest(counted: Sequence[ScoreInput]) -> bytes:
    """The same inputs have the same digest."""
    digest = GENESIS
    for each in counted:
        said = {
            "order_id": str(each.order_id),
            "answered_at": None if each.answered_at is None else each.answered_at.timestamp(),
            "weight_class": each.weight_class,
            "lines": each.lines,
        }
        digest = chain_hash(digest, said)
    return digest


async def appeal(
    session: AsyncSession,
    *,
    group_id: UUID,
    category: str,
    order_id: UUID,
    words: str,
    evidence: str | None,
    by: Principal,
    at: datetime,
) -> ScoreAppeal:
    """A supplier says that an input is wrong; it counts until the group has answered.

    Raises:
        InputNotFound, InputExcluded, AppealPending.
    """
    await _one_at_a_time(session, "appeal", by.company, order_id, category)
    found = await session.get(ScoreInput, (group_id, by.company, category, order_id))
    if found is None:
        raise InputNotFound(f"No input of your score there is order {order_id}.")
    if found.excluded_at is not None:
        raise InputExcluded("The input counts no more.")
    pending = await session.scalar(
        select(ScoreAppeal.id).where(
            col(ScoreAppeal.group_id) == group_id,
            col(ScoreAppeal.supplier_id) == by.company,
            col(ScoreAppeal.category) == category,
            col(ScoreAppeal.order_id) == order_id,
            col(ScoreAppeal.status) == AppealStatus.PENDING,
        )
    )
    if pending is not None:
        raise AppealPending("Your appeal waits for its answer.")
    made = ScoreAppeal(
        group_id=group_id,
        id=new_id(),
        supplier_id=by.company,
        category=category,
        order_id=order_id,
        text=words,
        evidence=evidence,
        filed_by=by.subject,
        filed_at=at,
    )
    session.add(made)
    await session.flush()
    return made


async def answer_appeal(
    session: AsyncSession, *, group_id: UUID, appeal_id: UUID, correct: bool, words: str, by: Principal, at: datetime
) -> ScoreAppeal:
    """A person of the group answers: the input stays as it is, or counts no more and the score is computed again.

    Raises:
        ScoreAppealNotFound, AppealAnswered, FiledItYourself.
    """
    found = await queries.appeal_for_update(session, group_id=group_id, appeal_id=appeal_id)
    if found is None:
        raise ScoreAppealNotFound(f"There is no appeal {appeal_id} to your group.")
    if found.status != AppealStatus.PENDING:
        raise AppealAnswered(f"The appeal is {found.status}.")
    if found.filed_by == by.subject:
        raise FiledItYourself("You filed this appeal for the supplier; another person answers it.")
    found.status = AppealStatus.CORRECTED if correct else AppealStatus.CONFIRMED
    found.answer, found.answered_by, found.answered_at = words, by.subject, at
    key: dict[str, Any] = {"group_id": group_id, "supplier_id": found.supplier_id, "category": found.category}
    if correct:
        wrong = await queries.input_for_update(session, **key, order_id=found.order_id)
        assert wrong is not None  # noqa: S101 - inputs are never removed
        wrong.excluded_at, wrong.excluded_by, wrong.excluded_reason = at, by.subject, words
        await session.flush()
        await compute(session, **key, at=at)
    await session.flush()
    return found


async def record_evaluation(
    session: AsyncSession,
    *,
    group_id: UUID,
    supplier_id: UUID,
    category: str | None,
    dated_on: date,
    dimension: str,
    score: Decimal,
    reason: str,
    source_key: str,
    by: Principal | None,
    at: datetime,
) -> Evaluation:
    """Keep what a person wrote about a supplier; told again under the same `source_key` it is the same one.

    Shown beside scores, never part of one. `by` None: imported.

    Raises:
        SupplierUnknown: see the class.
    """
    if not await supplier_exists(session, supplier_id=supplier_id):
        raise SupplierUnknown(f"No supplier has the id {supplier_id}.")
    values = {
        "group_id": group_id,
        "id": new_id(),
        "supplier_id": supplier_id,
        "category": category,
        "dated_on": dated_on,
        "dimension": dimension,
        "score": score,
        "reason": reason,
        "source_key": source_key,
        "entered_by": None if by is None else by.subject,
        "entered_at": at,
    }
    await session.execute(
        insert(Evaluation).values(values).on_conflict_do_nothing(index_elements=["group_id", "source_key"])
    )
    found = await session.scalars(
        select(Evaluation).where(col(Evaluation.group_id) == group_id, col(Evaluation.source_key) == source_key)
    )
    return found.one()


async def reply(
    session: AsyncSession, *, evaluation_id: UUID, words: str, by: Principal, at: datetime
) -> tuple[Evaluation, EvaluationReply]:
    """Say something to what a contractor wrote about one's own company, once; no score hears of it.

    Raises:
        EvaluationNotFound, AlreadyReplied.
    """
    evaluation = await queries.evaluation(session, supplier_id=by.company, evaluation_id=evaluation_id)
    if evaluation is None:
        raise EvaluationNotFound(f"Nobody wrote an evaluation {evaluation_id} of your company.")
    made = EvaluationReply(
        group_id=evaluation.group_id,
        evaluation_id=evaluation.id,
        supplier_id=by.company,
        text=words,
        replied_by=by.subject,
        replied_at=at,
    )
    kept = await session.execute(
        insert(EvaluationReply).values(made.model_dump()).on_conflict_do_nothing().returning(EvaluationReply.group_id)  # type: ignore[call-overload]
    )
    if kept.one_or_none() is None:
        raise AlreadyReplied("Your company has replied to this evaluation; what was said stays said.")
    return evaluation, made
