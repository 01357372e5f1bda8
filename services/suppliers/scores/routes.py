"""Scores over HTTP: contractors read those of their group, suppliers their own with every input, operators all."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.scores import actions, queries, rules
from services.suppliers.scores.actions import (
    AlreadyReplied,
    AppealAnswered,
    AppealPending,
    EvaluationNotFound,
    FiledItYourself,
    InputExcluded,
    InputNotFound,
    ScoreAppealNotFound,
    SupplierUnknown,
)
from services.suppliers.scores.rules import AppealStatus, Dimension
from services.suppliers.scores.schemas import (
    EvaluationEntered,
    EvaluationReplied,
    EvaluationView,
    InputView,
    OtherScore,
    PooledScore,
    ScoreAppealAnswer,
    ScoreAppealFiled,
    ScoreAppealView,
    ScoresOfSupplier,
    ScoreView,
)
from services.suppliers.scores.tables import Evaluation, EvaluationReply, ScoreInput, ScoreNotice
from shared.clock import business_date
from shared.database import ReadSession, SystemSession, WriteSession, scope_to
from shared.errors import refusals
from shared.http import Now
from shared.http import router as house_router
from shared.identity import (
    BUYER_ROLES,
    Buyer,
    Caller,
    GroupDecider,
    Operator,
    Principal,
    SupplierCaller,
    SupplierSpeaker,
    TradingParty,
)
from shared.ids import new_id
from shared.paging import CursorInvalid, PageQuery

router = house_router("/suppliers/scores", tag="scores")


async def _as_group(session: AsyncSession, caller: Principal) -> UUID:
    """The group the caller's token names; the transaction sees its rows from here on."""
    await scope_to(session, caller.scope_id, caller.group)
    return caller.group


@router.get("/of/{supplier_id}", summary="Your group's scores of a supplier")
async def scores_of(supplier_id: UUID, caller: Buyer, session: ReadSession) -> ScoresOfSupplier:
    """By category, with what groups of your circles let you know by dimension. Without orders there is no score."""
    group_id = await _as_group(session, caller)
    own = await queries.latest(session, supplier_id=supplier_id, group_id=group_id)
    others = await queries.notices(session, supplier_id=supplier_id, viewer=caller.viewer_keys, not_of=group_id)
    return ScoresOfSupplier(
        own=[ScoreView.model_validate(each) for each in own],
        circle=[OtherScore.model_validate(each) for each in others],
    )


# Rows of several groups stand in an aggregate, and no one reader may see them one by one: no company's session can.
@router.get("/of/{supplier_id}/pooled", summary="What contractor groups say of a supplier together")
async def pooled(supplier_id: UUID, caller: Caller, session: SystemSession) -> list[PooledScore]:
    """Only of groups that have opened the category to the market, at least three beside your own, in steps of five
    points; else there is not enough data."""
    not_of = caller.group if caller.company_id is not None else None
    by_category: dict[str, list[ScoreNotice]] = defaultdict(list)
    for notice in await queries.pooled_notices(session, supplier_id=supplier_id, not_of=not_of):
        by_category[notice.category].append(notice)
    answers = []
    for category, notices in by_category.items():
        said = rules.pooled([notice.points for notice in notices])
        known = any(points is not None for points in said.values())
        answers.append(PooledScore(category=category, dimensions=_plain(said), enough_data=known))
    return answers


def _plain(dimensions: Mapping[Dimension, Decimal | None]) -> dict[str, Decimal | None]:
    return {str(dimension): points for dimension, points in dimensions.items()}


@router.get("/mine", summary="Your company's scores")
async def mine(caller: SupplierCaller, session: ReadSession) -> list[ScoreView]:
    """With every contractor group you had orders of, by category."""
    found = await queries.latest(session, supplier_id=caller.company, group_id=None)
    return [ScoreView.model_validate(each) for each in found]


# The operator's page belongs to no one company.
@router.get("/all/{supplier_id}", summary="All scores of a supplier, for operators")
async def all_of(supplier_id: UUID, _: Operator, session: SystemSession) -> list[ScoreView]:
    """Results only; what they rest on is between the supplier and each contractor."""
    found = await queries.latest(session, supplier_id=supplier_id, group_id=None)
    return [ScoreView.model_validate(each) for each in found]


@router.get("/inputs", summary="What a score rests on, order by order", responses=refusals(CursorInvalid))
async def inputs(
    *,
    caller: TradingParty,
    session: ReadSession,
    paging: PageQuery,
    response: Response,
    now: Now,
    category: Annotated[str, Query(max_length=60, examples=["rebar"])],
    group_id: Annotated[UUID | None, Query(description="For suppliers: with whom; all if none.")] = None,
    supplier_id: Annotated[UUID | None, Query(description="For contractors: whose score.")] = None,
) -> list[InputView]:
    """The last twelve months, line by line, with the points each order gives and what was excluded and why."""
    of_supplier = caller.company
    if caller.roles & frozenset(BUYER_ROLES) and supplier_id is not None:
        group_id, of_supplier = await _as_group(session, caller), supplier_id
    today = business_date(now)
    found = await queries.inputs(
        session,
        group_id=group_id,
        supplier_id=of_supplier,
        category=category,
        window_from=rules.a_year_before(today),
        window_to=today,
        after=paging.after_as(UUID),
        limit=paging.limit + 1,
    )
    return [_input(each) for each in paging.page(found, response, key=lambda row: [row.order_id])]


def _input(each: ScoreInput) -> InputView:
    points = {str(dimension): rules.points_of(dimension, each.fact) for dimension in Dimension}
    return InputView.model_validate({**each.model_dump(), "points": points})


@router.post(
    "/appeals",
    summary="Appeal against an input of your score",
    status_code=201,
    responses=refusals(InputNotFound, InputExcluded, AppealPending),
)
async def appeal(
    *, body: ScoreAppealFiled, caller: SupplierSpeaker, session: WriteSession, now: Now
) -> ScoreAppealView:
    """PENDING until a person of the contractor group answers: CONFIRMED, or CORRECTED and computed again."""
    made = await actions.appeal(
        session,
        group_id=body.group_id,
        category=body.category,
        order_id=body.order_id,
        words=body.text,
        evidence=body.evidence,
        by=caller,
        at=now,
    )
    return ScoreAppealView.model_validate(made)


@router.get("/appeals", summary="Appeals of your company, or to your group")
async def list_appeals(
    caller: TradingParty, session: ReadSession, status: AppealStatus | None = None
) -> list[ScoreAppealView]:
    """Oldest first, at most 200."""
    if caller.roles & frozenset(BUYER_ROLES):
        group_id = await _as_group(session, caller)
        found = await queries.appeals(session, group_id=group_id, supplier_id=None, status=status)
    else:
        found = await queries.appeals(session, group_id=None, supplier_id=caller.company, status=status)
    return [ScoreAppealView.model_validate(each) for each in found]


@router.post(
    "/appeals/{appeal_id}/answer",
    summary="Answer an appeal against an input",
    responses=refusals(ScoreAppealNotFound, AppealAnswered, FiledItYourself),
)
async def answer(
    *, appeal_id: UUID, body: ScoreAppealAnswer, caller: GroupDecider, session: WriteSession, now: Now
) -> ScoreAppealView:
    """`correct` excludes the input with the answer as its reason; the score is computed again at once."""
    answered = await actions.answer_appeal(
        session,
        group_id=await _as_group(session, caller),
        appeal_id=appeal_id,
        correct=body.decision == "correct",
        words=body.answer,
        by=caller,
        at=now,
    )
    return ScoreAppealView.model_validate(answered)


@router.post(
    "/of/{supplier_id}/evaluations",
    summary="Write an evaluation of a supplier",
    status_code=201,
    responses=refusals(SupplierUnknown),
)
async def evaluate(
    *, supplier_id: UUID, body: EvaluationEntered, caller: Buyer, session: WriteSession, now: Now
) -> EvaluationView:
    """Your group and the supplier read it beside the score, which it never changes."""
    made = await actions.record_evaluation(
        session,
        group_id=await _as_group(session, caller),
        supplier_id=supplier_id,
        category=body.category,
        dated_on=body.dated_on,
        dimension=body.dimension,
        score=body.score,
        reason=body.reason,
        source_key=f"entered:{new_id()}",
        by=caller,
        at=now,
    )
    return _evaluation(made)


@router.get("/of/{supplier_id}/evaluations", summary="What people wrote", responses=refusals(CursorInvalid))
async def evaluations(
    *, supplier_id: UUID, caller: TradingParty, session: ReadSession, paging: PageQuery, response: Response
) -> list[EvaluationView]:
    """A contractor reads its group's, a supplier those about itself. Newest first."""
    group_id: UUID | None = None
    if supplier_id != caller.company:
        group_id = await _as_group(session, caller)
    found = await queries.evaluations(
        session,
        supplier_id=supplier_id,
        group_id=group_id,
        after=paging.after_as(UUID),
        limit=paging.limit + 1,
    )
    return [_evaluation(*each) for each in paging.page(found, response, key=lambda row: [row[0].id])]


@router.post(
    "/evaluations/{evaluation_id}/reply",
    summary="Reply to what a contractor wrote about you",
    status_code=201,
    responses=refusals(EvaluationNotFound, AlreadyReplied),
)
async def reply(
    *, evaluation_id: UUID, body: EvaluationReplied, caller: SupplierSpeaker, session: WriteSession, now: Now
) -> EvaluationView:
    """Once. Whoever reads the evaluation reads the reply; the score hears of neither."""
    evaluation, said = await actions.reply(session, evaluation_id=evaluation_id, words=body.text, by=caller, at=now)
    return _evaluation(evaluation, said)


def _evaluation(each: Evaluation, said: EvaluationReply | None = None) -> EvaluationView:
    written = {**each.model_dump(), "imported": each.entered_by is None, "reply": None, "replied_at": None}
    if said is not None:
        written |= {"reply": said.text, "replied_at": said.replied_at}
    return EvaluationView.model_validate(written)
